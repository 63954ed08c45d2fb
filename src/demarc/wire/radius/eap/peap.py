"""PEAP version 0: EAP inside TLS (draft-kamath-pppext-peapv0). Knows its odd packets; inside is MS-CHAPv2.

Inside the tunnel packets have no header (code, identifier and length are those of the packet around), but for the
result, which has one. No cryptographic binding is offered; a device may ask for none.
"""

from collections.abc import Callable

from ..errors import Malformed
from .mschapv2 import MsChapV2
from .packet import EXTENSIONS, HEADER, IDENTITY, MSCHAPV2, NAK, PEAP, REQUEST, RESPONSE, Eap, encode, parse
from .steps import Ask, House, Outcome, Over, Why
from .tls import Context
from .tunnel import Tunnel

RESULT = b"\x80\x03\x00\x02"  # mandatory, type 3, two octets
GOOD, BAD = b"\x00\x01", b"\x00\x02"

Said = Ask | Outcome | Over


class Peap(Tunnel):
    """The server's side."""

    kind = PEAP
    label = b"client EAP encryption"
    asks_first = True

    def __init__(self, house: House, context: Context, room: int) -> None:
        super().__init__(house, context, room)
        self._name = b""
        self._method: MsChapV2 | None = None
        self._told_good = False
        self._end: Outcome | Over = Over(Why.MALFORMED)
        self._then: Callable[[Peap, bytes, int], Said] = Peap._open  # no bound method: that would be a circle

    def inner(self, plain: bytes, identifier: int) -> Said:
        return self._then(self, plain, identifier)

    def _open(self, plain: bytes, identifier: int) -> Said:
        if plain:
            raise Malformed("words before the question")
        self._then = Peap._identity
        return Ask(bytes((IDENTITY,)), person=True)

    def _identity(self, plain: bytes, identifier: int) -> Said:
        said = _unwrapped(plain)
        if said.kind != IDENTITY:
            raise Malformed("no identity")
        self._name, self._method = said.data, MsChapV2(self.house, said.data)
        self._then = Peap._response
        return Ask(bytes((MSCHAPV2,)) + self._method.ask(identifier), person=True)

    def _response(self, plain: bytes, identifier: int) -> Said:
        said, method = _unwrapped(plain), self._method
        if said.kind == NAK:
            return self._result(Over(Why.NO_METHOD), identifier, good=False)
        if said.kind != MSCHAPV2 or method is None:
            raise Malformed("no MS-CHAPv2")
        self._then = Peap._acknowledgement
        return Ask(bytes((MSCHAPV2,)) + method.judge(said.data))

    def _acknowledgement(self, plain: bytes, identifier: int) -> Said:
        said, method = _unwrapped(plain), self._method
        if method is None or said.kind != MSCHAPV2:
            raise Malformed("no MS-CHAPv2")
        outcome = Outcome(self._name, method.passed, "peap-mschapv2", self.msk(), needs_proof=True)
        if not method.acknowledged(said.data):
            return self._result(Over(Why.WITHDRAWN), identifier, good=False)
        return self._result(outcome, identifier, good=bool(method.passed) and self.house.admits(outcome))

    def _result(self, end: Outcome | Over, identifier: int, *, good: bool) -> Ask:
        self._end, self._told_good, self._then = end, good, Peap._last_word
        return Ask(encode(REQUEST, identifier, EXTENSIONS, RESULT + (GOOD if good else BAD)))

    def _last_word(self, plain: bytes, identifier: int) -> Said:
        said = _unwrapped(plain)
        if self._told_good and (said.kind != EXTENSIONS or RESULT + GOOD not in said.data):
            return Over(Why.WITHDRAWN)
        return self._end


def _unwrapped(plain: bytes) -> Eap:
    """A packet inside the tunnel, with or without its header. Raises Malformed."""
    if not plain:
        raise Malformed("an empty packet inside")
    if len(plain) > HEADER and plain[0] == RESPONSE and int.from_bytes(plain[2:4], "big") == len(plain):
        return parse(plain)
    return Eap(RESPONSE, 0, plain[0], plain[1:])
