"""Attributes inside a TTLS tunnel: Diameter's form (RFC 5281 section 10.1). Knows no meanings."""

from struct import Struct

from ..errors import Malformed
from ..keys import Key

VENDOR, MANDATORY = 0x80, 0x40
AVPS_MAX = 50
_HEAD = Struct("!IB3s")


def read(plain: bytes) -> dict[Key, bytes]:
    """The first value of each key; keys as in `keys`, for the numbers are RADIUS's. Raises Malformed."""
    found: dict[Key, bytes] = {}
    at = count = 0
    while at < len(plain):
        count += 1
        if count > AVPS_MAX or at + _HEAD.size > len(plain):
            raise Malformed("AVPs without end, or one cut short")
        code, flags, size = _HEAD.unpack_from(plain, at)
        length = int.from_bytes(size, "big")
        start = _HEAD.size + (4 if flags & VENDOR else 0)
        if not start <= length <= len(plain) - at:
            raise Malformed("AVP of impossible length")
        vendor = int.from_bytes(plain[at + 8 : at + 12], "big") if flags & VENDOR else 0
        found.setdefault((vendor, code) if vendor else code, plain[at + start : at + length])
        at += length + -length % 4
    return found


def write(key: Key, value: bytes) -> bytes:
    """One, mandatory, padded."""
    vendor, code = key if isinstance(key, tuple) else (0, key)
    named = vendor.to_bytes(4, "big") if vendor else b""
    length = _HEAD.size + len(named) + len(value)
    flags = MANDATORY | (VENDOR if vendor else 0)
    return _HEAD.pack(code, flags, length.to_bytes(3, "big")) + named + value + bytes(-length % 4)
