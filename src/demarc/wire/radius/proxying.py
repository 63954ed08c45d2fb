"""A packet handed on between two sides that share different secrets: a request to another server, its reply back.

What is hidden with a secret and a request authenticator is hidden anew with those of the other side; all else is
handed on octet for octet, in its order (RFC 2865 section 2.3). Must not know where either side is.
"""

from collections.abc import Iterator

from .attributes import tlv
from .errors import Malformed
from .keys import (
    ACCOUNTING_REQUEST,
    CHAP_CHALLENGE,
    CHAP_PASSWORD,
    MESSAGE_AUTHENTICATOR,
    MICROSOFT,
    MS_CHAP_MPPE_KEYS,
    MS_MPPE_RECV_KEY,
    MS_MPPE_SEND_KEY,
    PROXY_STATE,
    TUNNEL_PASSWORD,
    USER_PASSWORD,
    VENDOR_SPECIFIC,
)
from .packet import HEADER, Packet
from .pap import rehidden
from .secret import Secret
from .signing import ZERO, encode_reply, encode_request

Side = tuple[bytes, Secret]
"""What values are hidden with on one side: the request authenticator there, and the secret."""

_MICROSOFT = MICROSOFT.to_bytes(4, "big")
_SALTED = (MS_MPPE_SEND_KEY[1], MS_MPPE_RECV_KEY[1])
_BLOCK = 16


def handed_on(request: Packet, identifier: int, state: bytes, here: Secret, there: Side) -> bytes:
    """An Access-Request for another server: signed, with our Proxy-State behind those it has.

    `there`: a fresh random authenticator and the secret shared with the other server. Raises Malformed when a
    password has an impossible length, or the packet is full.
    """
    parts = [_for_server(kind, value, (request.authenticator, here), there) for kind, value in _attributes(request)]
    if CHAP_PASSWORD in request.first and not request.first.get(CHAP_CHALLENGE):
        # The challenge was the authenticator, which is another one from here on (RFC 2865 section 5.40)
        parts.append(tlv(CHAP_CHALLENGE, request.authenticator))
    parts.append(tlv(PROXY_STATE, state))
    authenticator, secret = there
    return encode_request(request.code, identifier, authenticator, b"".join(parts), secret)


def accounting_handed_on(request: Packet, identifier: int, state: bytes, secret: Secret) -> bytes:
    """An Accounting-Request for another server, with our Proxy-State last. Raises Malformed when it is full."""
    kept = [tlv(kind, value) for kind, value in _attributes(request) if kind != MESSAGE_AUTHENTICATOR]
    attributes = b"".join((*kept, tlv(PROXY_STATE, state)))
    return encode_request(ACCOUNTING_REQUEST, identifier, ZERO, attributes, secret, signed=False)


def handed_back(reply: Packet, there: Side, request: Packet, here: Secret) -> bytes:
    """The other server's verified reply, for the client whose `request` it answers, whose Proxy-States it gets back.

    `there`: the authenticator of the request that we sent, and the secret shared with the other server. Raises
    Malformed when a hidden value is of an impossible length, or the packet is full.
    """
    client = (request.authenticator, here)
    attributes = b"".join(_for_client(kind, value, there, client) for kind, value in _attributes(reply))
    return encode_reply(reply.code, request, attributes, here)


def _attributes(packet: Packet) -> Iterator[tuple[int, bytes]]:
    """Type and value as they stand in the packet, vendors' not taken apart."""
    octets, at = packet.octets, HEADER
    while at < len(octets):
        end = at + octets[at + 1]
        yield octets[at], octets[at + 2 : end]
        at = end


def _for_server(kind: int, value: bytes, client: Side, server: Side) -> bytes:
    if kind == MESSAGE_AUTHENTICATOR or (kind == CHAP_CHALLENGE and not value):
        return b""
    return tlv(kind, _hidden_anew(value, client, server) if kind == USER_PASSWORD else value)


def _for_client(kind: int, value: bytes, server: Side, client: Side) -> bytes:
    if kind in (MESSAGE_AUTHENTICATOR, PROXY_STATE):
        return b""
    if kind == TUNNEL_PASSWORD:
        value = value[:1] + _salted_anew(value[1:], server, client)
    elif kind == VENDOR_SPECIFIC and value.startswith(_MICROSOFT):
        value = _MICROSOFT + b"".join(_microsoft(value[4:], server, client))
    return tlv(kind, value)


def _microsoft(octets: bytes, server: Side, client: Side) -> Iterator[bytes]:
    """The attributes inside one of Microsoft's, those of RFC 2548 section 2.4 hidden anew."""
    at = 0
    while at < len(octets):
        end = at + octets[at + 1] if at + 1 < len(octets) else at
        if end < at + 2 or end > len(octets):
            raise Malformed("a vendor's attribute of impossible length")
        kind, value = octets[at], octets[at + 2 : end]
        if kind in _SALTED:
            value = _salted_anew(value, server, client)
        elif kind == MS_CHAP_MPPE_KEYS[1]:
            value = _hidden_anew(value, server, client)
        yield octets[at : at + 2] + value
        at = end


def _hidden_anew(value: bytes, old: Side, new: Side) -> bytes:
    if len(value) % _BLOCK:
        raise Malformed("a hidden value is not in sixteens")
    return rehidden(value, old, new)


def _salted_anew(value: bytes, old: Side, new: Side) -> bytes:
    """The salt stays: with another secret and authenticator it starts another stream."""
    salt, body = value[:2], value[2:]
    if not body or len(body) % _BLOCK:
        raise Malformed("a salted value is not in sixteens")
    return salt + rehidden(body, (old[0] + salt, old[1]), (new[0] + salt, new[1]))
