"""Requests as a NAS makes them, for tests, benches and probes. Randomness is passed in, as everywhere in this room.

Knows how each way to log in is put into attributes; must not know sockets.
"""

from . import chap, keys, mschap, pap
from .attributes import tlv
from .secret import Secret
from .signing import ZERO, encode_request


def pap_request(
    identifier: int, authenticator: bytes, login: tuple[str, str], attributes: bytes, secret: Secret
) -> bytes:
    """An Access-Request with User-Name and User-Password. `login`: name and password."""
    hidden = pap.hide(login[1].encode(), authenticator, secret)
    credentials = tlv(keys.USER_NAME, login[0].encode()) + tlv(keys.USER_PASSWORD, hidden)
    return encode_request(keys.ACCESS_REQUEST, identifier, authenticator, credentials + attributes, secret)


def chap_request(
    identifier: int, authenticator: bytes, login: tuple[str, str], attributes: bytes, secret: Secret
) -> bytes:
    """An Access-Request with CHAP-Password; the authenticator is the challenge (RFC 2865 section 5.40)."""
    response = chap.respond(identifier, login[1].encode(), authenticator)
    credentials = tlv(keys.USER_NAME, login[0].encode()) + tlv(keys.CHAP_PASSWORD, response)
    return encode_request(keys.ACCESS_REQUEST, identifier, authenticator, credentials + attributes, secret)


def mschapv2_request(
    identifier: int, authenticator: bytes, login: tuple[str, str], attributes: bytes, secret: Secret
) -> bytes:
    """An Access-Request with MS-CHAP2-Response. Both challenges are the authenticator: enough for a probe."""
    name = login[0].encode()
    short = mschap.challenge_hash(authenticator, authenticator, name)
    proof = mschap.challenge_response(short, mschap.nt_hash(login[1]))
    response = bytes((identifier, 0)) + authenticator + bytes(8) + proof
    credentials = (
        tlv(keys.USER_NAME, name) + tlv(keys.MS_CHAP_CHALLENGE, authenticator) + tlv(keys.MS_CHAP2_RESPONSE, response)
    )
    return encode_request(keys.ACCESS_REQUEST, identifier, authenticator, credentials + attributes, secret)


def accounting_request(identifier: int, attributes: bytes, secret: Secret) -> bytes:
    """Unsigned, as every NAS sends it: its authenticator is signature enough."""
    return encode_request(keys.ACCOUNTING_REQUEST, identifier, ZERO, attributes, secret, signed=False)


def status_server(identifier: int, authenticator: bytes, secret: Secret) -> bytes:
    """Are you alive? (RFC 5997)"""
    return encode_request(keys.STATUS_SERVER, identifier, authenticator, b"", secret)
