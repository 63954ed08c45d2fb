"""MS-CHAPv2 as an EAP method inside a tunnel (draft-kamath-pppext-eap-mschapv2). Knows the packets; the arithmetic is
`mschap`'s."""

import os

from .. import mschap
from ..errors import Malformed
from .steps import House

CHALLENGE, RESPONSE, SUCCESS, FAILURE = 1, 2, 3, 4
CHALLENGE_SIZE = 16
VALUE_SIZE = 49
SERVER_NAME = b"demarc"


class MsChapV2:
    """One device's attempt. `passed`: see Outcome."""

    def __init__(self, house: House, name: bytes) -> None:
        self._house = house
        self._name = name
        self._challenge = os.urandom(CHALLENGE_SIZE)
        self.passed: bool | None = None

    def ask(self, identifier: int) -> bytes:
        """The challenge."""
        return _message(CHALLENGE, identifier, bytes((CHALLENGE_SIZE,)) + self._challenge + SERVER_NAME)

    def judge(self, data: bytes) -> bytes:
        """Our answer to a response, which says whether it was right, and proves that we know the password. Raises
        Malformed."""
        if len(data) < 5 + VALUE_SIZE or data[0] != RESPONSE or data[4] != VALUE_SIZE:
            raise Malformed("no MS-CHAPv2 response")
        identifier, value, name = data[1], data[5 : 5 + VALUE_SIZE], data[5 + VALUE_SIZE :]
        response = bytes((identifier, 0)) + value[:48]  # as RADIUS carries it (RFC 2548 section 2.3.2)
        password = self._house.password(self._name)
        if password is not None:
            hashed = mschap.nt_hash(password.decode("utf-8", "replace"))
            self.passed = mschap.verify_v2(response, self._challenge, name, hashed)
            if self.passed:
                proof = mschap.success(response, self._challenge, name, hashed)[1:]
                return _message(SUCCESS, identifier, proof + b" M=OK")
        return _message(FAILURE, identifier, mschap.failure(identifier, os.urandom(16), "Wrong password")[1:])

    def acknowledged(self, data: bytes) -> bool:
        """Whether the device takes our answer: it has checked the proof in it."""
        return data[:1] == bytes((SUCCESS if self.passed else FAILURE,))


def _message(code: int, identifier: int, rest: bytes) -> bytes:
    return bytes((code, identifier)) + (4 + len(rest)).to_bytes(2, "big") + rest
