"""One attribute: its name, its key, and its value as Python value and as bytes.

Knows types and encodings (RFC 2865 section 5, RFC 2868, RFC 3162). Must not know packets or secrets: hidden
values (User-Password, Tunnel-Password, MPPE keys) are octets here and are hidden in `pap`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Any

from .dictionary import ATTRIBUTES
from .errors import Malformed
from .keys import VENDOR_SPECIFIC, Key

Value = str | int | bytes | IPv4Address | IPv6Address | IPv6Network | datetime

MAX_VALUE = 253  # the one length octet counts type and length too
MAX_TAG = b"\x1f"  # RFC 2868 section 3.1: a greater first octet is no tag
SIZES = {"integer": 4, "ipv4": 4, "date": 4, "ipv6": 16, "ifid": 8}


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    key: Key
    kind: str
    tagged: bool = False


def _table() -> Iterable[Attribute]:
    vendor = 0
    for line in ATTRIBUTES.splitlines():
        words = line.split("#")[0].split()
        if words and words[0] == "vendor":
            vendor = int(words[1])
        elif words:
            number, name, kind = int(words[0]), words[1], words[2]
            yield Attribute(name, (vendor, number) if vendor else number, kind, "tagged" in words)


BY_NAME = {attribute.name: attribute for attribute in _table()}
BY_KEY = {attribute.key: attribute for attribute in BY_NAME.values()}


def read_text(raw: bytes) -> str:
    """Text that a database can hold: what is not UTF-8, and NUL within, become U+FFFD; NUL at the end goes.

    RFC 2865 section 5 asks clients for UTF-8 without terminator, and servers to bear what comes.
    """
    text = raw.decode("utf-8", "replace")
    return text.rstrip("\0").replace("\0", "\ufffd") if "\0" in text else text


def read_prefix(raw: bytes) -> IPv6Network:
    """Reserved octet, prefix length, 0 to 16 octets (RFC 3162 section 2.3); stray host bits are cleared."""
    if not 2 <= len(raw) <= 18 or raw[1] > 128:
        raise Malformed("IPv6 prefix of impossible length")
    return IPv6Network((raw[2:].ljust(16, b"\0"), raw[1]), strict=False)


_READ: dict[str, Callable[[bytes], Value]] = {
    "text": read_text,
    "octets": bytes,
    "integer": lambda raw: int.from_bytes(raw, "big"),
    "ipv4": IPv4Address,
    "ipv6": IPv6Address,
    "ipv6prefix": read_prefix,
    "ifid": bytes,
    "date": lambda raw: datetime.fromtimestamp(int.from_bytes(raw, "big"), UTC),
}


def decode_value(attribute: Attribute, raw: bytes) -> Value:
    """The value as the attribute's table entry says, without the tag. Raises Malformed on a wrong size."""
    if len(raw) != SIZES.get(attribute.kind, len(raw)):
        raise Malformed(f"{attribute.name} of {len(raw)} octets")
    if attribute.tagged and (attribute.kind == "integer" or raw[:1] <= MAX_TAG):
        raw = raw[1:]
    return _READ[attribute.kind](raw)


def _write_prefix(network: IPv6Network) -> bytes:
    """All sixteen octets: RFC 3162 allows fewer, but this is what FreeRADIUS sends and so what every NAS reads."""
    return bytes((0, network.prefixlen)) + network.network_address.packed


_WRITE: dict[str, tuple[type, Callable[[Any], bytes]]] = {
    "text": (str, str.encode),
    "octets": (bytes, bytes),
    "integer": (int, lambda number: number.to_bytes(4, "big")),
    "ipv4": (IPv4Address, lambda address: address.packed),
    "ipv6": (IPv6Address, lambda address: address.packed),
    "ipv6prefix": (IPv6Network, _write_prefix),
    "ifid": (bytes, bytes),
    "date": (datetime, lambda moment: int(moment.timestamp()).to_bytes(4, "big")),
}


def encode_value(attribute: Attribute, value: Value, tag: int = 0) -> bytes:
    """The bytes of a value; `tag` is for tagged attributes. Raises ValueError if type or size do not fit."""
    expected, write = _WRITE[attribute.kind]
    if not isinstance(value, expected):
        raise ValueError(f"{attribute.name} is {attribute.kind}, not {type(value).__name__}")
    try:
        raw = write(value)
    except OverflowError as error:
        raise ValueError(f"{attribute.name} cannot hold {value!r}") from error
    if len(raw) != SIZES.get(attribute.kind, len(raw)):
        raise ValueError(f"{attribute.name} takes {SIZES[attribute.kind]} octets, not {len(raw)}")
    return _with_tag(attribute, raw, bytes((tag,))) if attribute.tagged else raw


def _with_tag(attribute: Attribute, raw: bytes, tag: bytes) -> bytes:
    if tag > MAX_TAG:
        raise ValueError(f"a tag of {attribute.name} is 0 to 31")
    if attribute.kind == "integer" and raw[0]:
        raise ValueError(f"{attribute.name} holds 24 bits: the tag takes the top octet (RFC 2868 section 3.1)")
    return tag + raw[1:] if attribute.kind == "integer" else tag + raw


def tlv(key: Key, raw: bytes) -> bytes:
    """Type, length, value; a vendor's inside Vendor-Specific (RFC 2865 section 5.26).

    Raises ValueError above 253 octets, or 247 for a vendor's.
    """
    if isinstance(key, tuple):
        vendor, number = key
        return tlv(VENDOR_SPECIFIC, vendor.to_bytes(4, "big") + bytes((number, len(raw) + 2)) + raw)
    if len(raw) > MAX_VALUE:
        raise ValueError(f"a value of {len(raw)} octets, at most {MAX_VALUE} fit")
    return bytes((key, len(raw) + 2)) + raw


def encode_attribute(name: str, value: Value, tag: int = 0) -> bytes:
    """One attribute on the wire, by its name, e.g. ("Framed-IP-Address", IPv4Address("10.0.0.1")).

    Raises ValueError for an unknown name and for a value that does not fit.
    """
    attribute = BY_NAME.get(name)
    if attribute is None:
        raise ValueError(f"no attribute named {name}")
    return tlv(attribute.key, encode_value(attribute, value, tag))


def encode_attributes(pairs: Iterable[tuple[str, Value]]) -> bytes:
    """Several attributes in order. Do it once per subscriber's profile: an Accept is then a concatenation."""
    return b"".join(encode_attribute(name, value) for name, value in pairs)
