"""An EAP packet and how it travels in RADIUS (RFC 3748 section 4, RFC 3579 section 3.1). Knows no method."""

from struct import Struct
from typing import Final, NamedTuple

from ..attributes import MAX_VALUE, tlv
from ..errors import Malformed
from ..keys import EAP_MESSAGE
from ..packet import Packet

REQUEST: Final = 1
RESPONSE: Final = 2
SUCCESS: Final = 3
FAILURE: Final = 4

IDENTITY: Final = 1
NAK: Final = 3
MD5: Final = 4
TTLS: Final = 21
PEAP: Final = 25
MSCHAPV2: Final = 26
EXTENSIONS: Final = 33

HEADER: Final = 4
_START = Struct("!BBH")


class Eap(NamedTuple):
    """A Request or Response. `kind`: its Type; `data`: what follows the Type."""

    code: int
    identifier: int
    kind: int
    data: bytes


def parse(octets: bytes) -> Eap:
    """A Request or Response taken apart; others a server never gets. Octets beyond the length are padding (RFC 3748
    section 4.1). Raises Malformed."""
    if len(octets) <= HEADER:
        raise Malformed("EAP packet without a type")
    code, identifier, length = _START.unpack_from(octets)
    if code not in (REQUEST, RESPONSE) or not HEADER < length <= len(octets):
        raise Malformed("EAP packet of impossible code or length")
    return Eap(code, identifier, octets[HEADER], octets[HEADER + 1 : length])


def encode(code: int, identifier: int, kind: int | None = None, data: bytes = b"") -> bytes:
    """A packet; Success and Failure have no type."""
    body = b"" if kind is None else bytes((kind,)) + data
    return _START.pack(code, identifier, HEADER + len(body)) + body


def joined(packet: Packet) -> bytes:
    """What the EAP-Message attributes hold together; b"" is EAP-Start (RFC 3579 section 2.1). Raises Malformed when
    they do not follow one another."""
    parts: list[bytes] = []
    over = False
    for key, raw in packet.attributes:
        if key != EAP_MESSAGE:
            over = bool(parts)
        elif over:
            raise Malformed("EAP-Message attributes with others between")
        else:
            parts.append(raw)
    return b"".join(parts)


def attributes(octets: bytes) -> bytes:
    """A packet as EAP-Message attributes."""
    return b"".join(tlv(EAP_MESSAGE, octets[at : at + MAX_VALUE]) for at in range(0, len(octets), MAX_VALUE))
