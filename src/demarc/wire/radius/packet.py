"""A packet taken apart. Knows lengths and order (RFC 2865 sections 3 and 5); must not know any secret.

`decode` is strict about structure, for a packet that lies about its lengths was not made by a RADIUS client.
It is lenient about content: a value of the wrong size counts as absent, as in FreeRADIUS, so that one odd
attribute does not cost the customer the connection.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from struct import Struct

from .attributes import read_prefix, read_text
from .errors import Malformed
from .keys import MESSAGE_AUTHENTICATOR, VENDOR_SPECIFIC, Key

HEADER = 20
MAX_PACKET = 4096
MAX_ATTRIBUTES = 200  # FreeRADIUS has the same limit; real packets carry about thirty
MANY = HEADER + 2 * MAX_ATTRIBUTES
"""A shorter packet has no room for more. (A vendor's take two octets of their own, too.)"""

_SPECIAL = frozenset((0, VENDOR_SPECIFIC, MESSAGE_AUTHENTICATOR))

_START = Struct("!BBH")


@dataclass(slots=True)
class Packet:
    """`octets` is the datagram without padding; `signature_at` is where in it the value of
    Message-Authenticator starts, 0 if there is none; `first` holds the first value of each key."""

    code: int
    identifier: int
    authenticator: bytes
    octets: bytes
    signature_at: int
    first: dict[Key, bytes]

    @property
    def attributes(self) -> list[tuple[Key, bytes]]:
        """All of them in order; taken apart again each time, for most packets are read by `first` alone."""
        octets, at, found = self.octets, HEADER, []
        while at < len(octets):
            end = at + octets[at + 1]
            value = octets[at + 2 : end]
            found += _split_vendor(value) if octets[at] == VENDOR_SPECIFIC else [(octets[at], value)]
            at = end
        return found

    def get(self, key: Key) -> bytes | None:
        return self.first.get(key)

    def get_all(self, key: Key) -> list[bytes]:
        return [value for kind, value in self.attributes if kind == key] if key in self.first else []

    def text(self, key: Key) -> str:
        """The text, made fit for a database; "" when absent."""
        raw = self.first.get(key)
        return read_text(raw) if raw else ""

    def integer(self, key: Key) -> int | None:
        raw = self.first.get(key)
        return int.from_bytes(raw, "big") if raw is not None and len(raw) == 4 else None

    def ip(self, key: Key) -> IPv4Address | None:
        raw = self.first.get(key)
        return IPv4Address(raw) if raw is not None and len(raw) == 4 else None

    def ipv6(self, key: Key) -> IPv6Address | None:
        raw = self.first.get(key)
        return IPv6Address(raw) if raw is not None and len(raw) == 16 else None

    def prefix(self, key: Key) -> IPv6Network | None:
        raw = self.first.get(key)
        try:
            return read_prefix(raw) if raw is not None else None
        except Malformed:
            return None

    def moment(self, key: Key) -> datetime | None:
        seconds = self.integer(key)
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None


def decode(datagram: bytes) -> Packet:
    """Take a datagram apart. Raises Malformed, and nothing else, whatever the bytes."""
    if len(datagram) < HEADER:
        raise Malformed("shorter than a header")
    code, identifier, length = _START.unpack_from(datagram)
    if not HEADER <= length <= MAX_PACKET:
        raise Malformed("length out of range")
    if length > len(datagram):
        raise Malformed("shorter than its length")
    octets = datagram[:length]  # RFC 2865 section 3: octets beyond the length are padding
    first, signature_at = _read(octets, length)
    packet = Packet(code, identifier, octets[4:20], octets, signature_at, first)
    if length >= MANY and len(packet.attributes) > MAX_ATTRIBUTES:
        raise Malformed("too many attributes")
    return packet


def _read(octets: bytes, length: int) -> tuple[dict[Key, bytes], int]:
    """The first value of each key, and where the signature is."""
    first: dict[Key, bytes] = {}
    signature_at = 0
    at = HEADER
    try:
        while at < length:
            kind = octets[at]
            end = at + octets[at + 1]
            if end < at + 2 or end > length:
                raise Malformed("attribute of impossible length or type")
            if kind in _SPECIAL:
                signature_at = _special(first, octets, at, end, signature_at)
            elif kind not in first:
                first[kind] = octets[at + 2 : end]
            at = end
    except IndexError:
        raise Malformed("attribute without length") from None
    return first, signature_at


def _special(first: dict[Key, bytes], octets: bytes, at: int, end: int, signature_at: int) -> int:
    """One that is more than a value: vendors' attributes, the signature, or the type that nobody may use."""
    kind, value = octets[at], octets[at + 2 : end]
    if kind == VENDOR_SPECIFIC:
        for key, part in _split_vendor(value):
            first.setdefault(key, part)
        return signature_at
    if kind != MESSAGE_AUTHENTICATOR:
        raise Malformed("attribute of impossible length or type")
    # RFC 3579 section 3.3 allows one; with two it would be open which one was signed
    if signature_at or end != at + 18:
        raise Malformed("Message-Authenticator repeated or of wrong length")
    first[kind] = value
    return at + 2


def _split_vendor(value: bytes) -> list[tuple[Key, bytes]]:
    """The attributes inside a Vendor-Specific one, or the whole as it is when they are not in the usual form.

    RFC 2865 section 5.26 only recommends one octet of type, one of length. Several may share one attribute.
    """
    vendor = int.from_bytes(value[:4], "big")
    inside: list[tuple[Key, bytes]] = []
    at, length = 4, len(value)
    while at + 2 <= length:
        end = at + value[at + 1]
        if end < at + 2 or end > length:
            break
        inside.append(((vendor, value[at]), value[at + 2 : end]))
        at = end
    return inside if inside and at == length else [(VENDOR_SPECIFIC, value)]
