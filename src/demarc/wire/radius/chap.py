"""CHAP: did the one at the far end know the password? RFC 2865 sections 2.2 and 5.3.

Must not know where passwords are kept, but needs them in clear.
"""

from hashlib import md5
from hmac import compare_digest

from .keys import CHAP_CHALLENGE, CHAP_PASSWORD
from .packet import Packet


def respond(identifier: int, password: bytes, challenge: bytes) -> bytes:
    """The value of CHAP-Password: the CHAP identifier and 16 octets."""
    ident = bytes((identifier,))
    return ident + md5(ident + password + challenge, usedforsecurity=False).digest()


def verify(request: Packet, password: bytes) -> bool:
    """Whether the request's CHAP-Password was made from this password; False if it has no usable one."""
    response = request.get(CHAP_PASSWORD)
    if response is None or len(response) != 17:
        return False
    # RFC 2865 section 5.40: the challenge may be in the Request Authenticator instead
    challenge = request.get(CHAP_CHALLENGE) or request.authenticator
    return compare_digest(respond(response[0], password, challenge), response)
