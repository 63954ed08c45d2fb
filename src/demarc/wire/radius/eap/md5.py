"""EAP-MD5: CHAP in EAP (RFC 3748 section 5.4). For wired ports only: it gives no keys and proves nothing of us."""

import os
from hmac import compare_digest

from .. import chap
from ..errors import Malformed
from .packet import MD5
from .steps import Ask, House, Outcome

SIZE = 16


class Md5:
    """The server's side. `name`: the outer identity, the only one there is."""

    kind = MD5

    def __init__(self, house: House, name: bytes) -> None:
        self._house = house
        self._name = name
        self._challenge = os.urandom(SIZE)

    def start(self, identifier: int) -> Ask:
        """The challenge."""
        return Ask(bytes((SIZE,)) + self._challenge, person=True)

    def take(self, data: bytes, identifier: int) -> Outcome:
        """What the response comes to. Raises Malformed."""
        if len(data) <= SIZE or data[0] != SIZE:
            raise Malformed("no MD5 response")
        password = self._house.password(self._name)
        if password is None:
            return Outcome(self._name, None, "md5")
        expected = chap.respond(identifier, password, self._challenge)[1:]
        return Outcome(self._name, compare_digest(expected, data[1 : 1 + SIZE]), "md5")
