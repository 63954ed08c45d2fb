"""Who made this packet: authenticators and Message-Authenticator, made and checked.

RFC 2865 section 3, RFC 2866 section 3, RFC 3579 section 3.2, RFC 5176 section 3.4, RFC 5997 section 3. Knows
where the secret goes into which packet; must not know what attributes mean, nor which router has to sign.

    packet                             authenticator                  Message-Authenticator computed over
    Access-Request, Status-Server      16 random octets               the packet as it is
    Accounting-, CoA-, Disconnect-     MD5 over zeros there, secret   zeros there
      Request
    replies                            MD5 over the request's there   the request's authenticator there
    Accounting-Response                the same                       see `_signature_base`
"""

from hmac import compare_digest
from struct import Struct

from .errors import Malformed
from .keys import (
    ACCESS_REQUEST,
    ACCOUNTING_REQUEST,
    ACCOUNTING_RESPONSE,
    COA_REQUEST,
    DISCONNECT_REQUEST,
    EAP_MESSAGE,
    MESSAGE_AUTHENTICATOR,
    PROXY_STATE,
    STATUS_SERVER,
)
from .packet import HEADER, MAX_PACKET, Packet
from .secret import Secret

ZERO = bytes(16)
_HEAD = bytes((MESSAGE_AUTHENTICATOR, 18))
_EMPTY = _HEAD + ZERO
_START = Struct("!BBH")
_RANDOM = (ACCESS_REQUEST, STATUS_SERVER)
_HASHED = (ACCOUNTING_REQUEST, COA_REQUEST, DISCONNECT_REQUEST)


# --- making -----------------------------------------------------------------------------------------------


def encode_request(
    code: int,
    identifier: int,
    authenticator: bytes,
    attributes: bytes,
    secret: Secret,
    *,
    signed: bool = True,
) -> bytes:
    """A request, signed with Message-Authenticator first unless told otherwise.

    `authenticator`: 16 random octets for Access-Request and Status-Server; the others compute theirs and
    ignore it. Raises Malformed if the attributes do not fit into a packet.
    """
    hashed = code in _HASHED
    middle = ZERO if hashed else authenticator
    start = _start(code, identifier, len(attributes) + (18 if signed else 0))
    if signed:
        attributes = _HEAD + secret.hmac(start + middle + _EMPTY + attributes) + attributes
    if hashed:
        middle = secret.after(start + ZERO + attributes)
    return start + middle + attributes


def encode_reply(code: int, request: Packet, attributes: bytes, secret: Secret) -> bytes:
    """The reply: Message-Authenticator first, then the attributes, then the request's Proxy-States in order
    (RFC 2865 section 5.33). Raises Malformed if those leave no room for the rest.
    """
    if PROXY_STATE in request.first:
        attributes += b"".join(bytes((PROXY_STATE, len(v) + 2)) + v for v in request.get_all(PROXY_STATE))
    base = _signature_base(code, request)
    start = _start(code, request.identifier, len(attributes) + (18 if base else 0))
    if base:
        # First, so that nothing an attacker chose precedes it in the hash (CVE-2024-3596)
        attributes = _HEAD + secret.hmac(start + base + _EMPTY + attributes) + attributes
    return start + secret.after(start + request.authenticator + attributes) + attributes


def _start(code: int, identifier: int, length: int) -> bytes:
    if length > MAX_PACKET - HEADER:
        raise Malformed("more attributes than a packet holds")
    return _START.pack(code, identifier, HEADER + length)


def _signature_base(code: int, request: Packet) -> bytes:
    """What stands in for the authenticator in the hash, b"" for a reply without Message-Authenticator.

    An Accounting-Response is signed only if its request was. No RFC says over what: FreeRADIUS, radsecproxy
    and pyrad take zeros, others the request's authenticator, and a client that checks it the other way discards
    every answer and repeats its accounting for ever. Nothing is lost: there is no other answer to forge it from.
    """
    if code != ACCOUNTING_RESPONSE or request.code == STATUS_SERVER:
        return request.authenticator
    return ZERO if request.signature_at else b""


# --- checking ---------------------------------------------------------------------------------------------


def authentic(request: Packet, secret: Secret) -> bool:
    """Whether this request shows knowledge of the secret, as far as its kind can.

    An Access-Request without Message-Authenticator shows nothing and passes, unless it carries EAP (RFC 3579
    section 3.1); whether the client must sign is the caller's policy: look at `request.signature_at`.
    """
    if request.code in _HASHED and not verify_request_authenticator(request, secret):
        return False
    if not request.signature_at:
        return request.code != STATUS_SERVER and EAP_MESSAGE not in request.first
    return verify_message_authenticator(request, secret)


def verify_request_authenticator(request: Packet, secret: Secret) -> bool:
    """Of Accounting-, CoA- and Disconnect-Request (RFC 2866 section 3, RFC 5176 section 2.3)."""
    octets = request.octets
    return compare_digest(secret.after(octets[:4] + ZERO + octets[HEADER:]), request.authenticator)


def verify_message_authenticator(request: Packet, secret: Secret) -> bool:
    """Of a request; False if it has none."""
    return _signature_holds(request, ZERO if request.code in _HASHED else request.authenticator, secret)


def verify_reply(reply: Packet, request_authenticator: bytes, secret: Secret) -> bool:
    """Whether a reply was made for the request with this authenticator by one who knows the secret."""
    octets = reply.octets
    expected = secret.after(octets[:4] + request_authenticator + octets[HEADER:])
    if not compare_digest(expected, reply.authenticator):
        return False
    if not reply.signature_at:
        return True
    if reply.code == ACCOUNTING_RESPONSE and _signature_holds(reply, ZERO, secret):
        return True
    return _signature_holds(reply, request_authenticator, secret)


def _signature_holds(packet: Packet, base: bytes, secret: Secret) -> bool:
    octets, at = packet.octets, packet.signature_at
    expected = secret.hmac(octets[:4] + base + octets[HEADER:at] + ZERO + octets[at + 16 :])
    return at > 0 and compare_digest(expected, octets[at : at + 16])
