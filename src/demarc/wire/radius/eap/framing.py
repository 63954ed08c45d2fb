"""TLS messages in pieces: flags, length, fragments (RFC 5216 section 3.1, RFC 5281 section 9.1). Knows no TLS."""

from typing import Final

from ..errors import Malformed

LENGTH: Final = 0x80
MORE: Final = 0x40
START: Final = 0x20
VERSION: Final = 0x07

MESSAGE_MAX: Final = 16_384
"""Octets of one message of a device. What it sends is a handshake without certificates, or a password."""


class Inbox:
    """Puts a device's pieces together."""

    def __init__(self) -> None:
        self._held = b""
        self._promised = 0

    def add(self, data: bytes) -> bytes | None:
        """The whole message once its last piece is there, else None. `data`: from the flags on. Raises Malformed."""
        flags, piece = data[0], data[1:]
        if flags & LENGTH:
            if len(piece) < 4:
                raise Malformed("TLS length cut short")
            promised, piece = int.from_bytes(piece[:4], "big"), piece[4:]
            if not self._held:
                self._promised = promised
        self._held += piece
        if len(self._held) > min(self._promised or MESSAGE_MAX, MESSAGE_MAX):
            raise Malformed("more than was promised, or than a message may hold")
        if flags & MORE:
            if not piece:
                raise Malformed("a piece with nothing in it")
            return None
        whole, self._held, self._promised = self._held, b"", 0
        return whole


class Outbox:
    """Cuts a message of ours into pieces. `room`: octets of one, flags included."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._left = b""
        self._begun = False

    def __bool__(self) -> bool:
        return bool(self._left)

    def put(self, message: bytes) -> None:
        """To be called when it is empty."""
        self._left, self._begun = message, False

    def next(self) -> bytes:
        """The next piece, flags first. The first of several tells the length of all."""
        if not self._begun and len(self._left) < self._room:
            flags, head, end = 0, b"", len(self._left)
        elif not self._begun:
            flags, head, end = LENGTH | MORE, len(self._left).to_bytes(4, "big"), self._room - 5
        else:
            end = self._room - 1
            flags, head = (MORE if len(self._left) > end else 0), b""
        piece, self._left, self._begun = self._left[:end], self._left[end:], True
        return bytes((flags,)) + head + piece
