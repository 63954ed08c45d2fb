"""MS-CHAP versions 1 and 2: check a response, answer it, and derive the keys that encrypt the line.

RFC 2433, RFC 2759, RFC 2548, RFC 3079. Knows the arithmetic; must not know where passwords are kept: it asks
for the NT hash, so that whoever keeps one need not keep the password.
"""

from hashlib import sha1
from hmac import compare_digest

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import ECB

from .md4 import md4

RESPONSE_SIZE = 50  # RFC 2548 sections 2.1.3 and 2.3.2
_USE_NT = 1  # version 1, flags: the NT response is the one to check

_SERVER_TO_CLIENT = b"Magic server to client signing constant"
_ITERATION = b"Pad to make it do more than one iteration"
_MASTER = b"This is the MPPE Master Key"
# RFC 3079 section 3.4: named from the client's side; the server receives with what the client sends with
_CLIENT_SENDS = b"On the client side, this is the send key; on the server side, it is the receive key."
_CLIENT_RECEIVES = b"On the client side, this is the receive key; on the server side, it is the send key."
_PAD_1 = bytes(40)
_PAD_2 = b"\xf2" * 40

AUTHENTICATION_FAILURE = 691  # RFC 2759 section 6
RESTRICTED_HOURS = 646
ACCOUNT_DISABLED = 647
PASSWORD_EXPIRED = 648
NO_DIALIN_PERMISSION = 649


# --- what both versions share -----------------------------------------------------------------------------


def nt_hash(password: str) -> bytes:
    """16 octets that stand for the password in all of MS-CHAP (RFC 2433 appendix A.3). Worth keeping."""
    return md4(password.encode("utf-16-le", "surrogatepass"))


def challenge_response(challenge: bytes, hashed: bytes) -> bytes:
    """24 octets: the challenge's 8 encrypted under three keys cut from the hash (RFC 2433 appendix A.5)."""
    key = hashed.ljust(21, b"\0")
    return b"".join(_des(key[at : at + 7], challenge) for at in (0, 7, 14))


def _des(key: bytes, block: bytes) -> bytes:
    """Single DES with 56 key bits: as triple DES with one key thrice, which is the same function."""
    bits = int.from_bytes(key, "big")
    spread = bytes((bits >> 49 - 7 * octet & 0x7F) << 1 for octet in range(8))  # parity bits are ignored
    cipher = Cipher(TripleDES(spread * 3), ECB()).encryptor()  # noqa: S305 - one block
    return cipher.update(block) + cipher.finalize()


# --- version 1 --------------------------------------------------------------------------------------------


def verify_v1(response: bytes, challenge: bytes, hashed: bytes) -> bool:
    """Whether MS-CHAP-Response answers the 8 octets of MS-CHAP-Challenge. Refuses LAN Manager responses."""
    if len(response) != RESPONSE_SIZE or len(challenge) != 8 or response[1] != _USE_NT:
        return False
    return compare_digest(challenge_response(challenge, hashed), response[26:])


def lm_hash(password: str) -> bytes:
    """The LAN Manager hash (RFC 2433 appendix A.2); zeros for a password that it cannot express."""
    try:
        plain = password.upper().encode("ascii")
    except UnicodeEncodeError:
        return bytes(16)
    if len(plain) > 14:
        return bytes(16)
    plain = plain.ljust(14, b"\0")
    return _des(plain[:7], b"KGS!@#$%") + _des(plain[7:], b"KGS!@#$%")


def mppe_keys_v1(password: str, hashed: bytes) -> bytes:
    """The plain value of MS-CHAP-MPPE-Keys (RFC 2548 section 2.4.1), which `pap.hide` pads to 32."""
    return lm_hash(password)[:8] + md4(hashed)


# --- version 2 --------------------------------------------------------------------------------------------


def peer_name(user_name: bytes) -> bytes:
    """The name as it goes into the hashes: case as sent, without the DOMAIN\\ (RFC 2759 section 8.2)."""
    return user_name.rpartition(b"\\")[2]


def challenge_hash(peer_challenge: bytes, challenge: bytes, user_name: bytes) -> bytes:
    """8 octets made of both challenges and the name (RFC 2759 section 8.2)."""
    return sha1(peer_challenge + challenge + peer_name(user_name), usedforsecurity=False).digest()[:8]


def verify_v2(response: bytes, challenge: bytes, user_name: bytes, hashed: bytes) -> bool:
    """Whether MS-CHAP2-Response answers the 16 octets of MS-CHAP-Challenge for this User-Name."""
    if len(response) != RESPONSE_SIZE or len(challenge) != 16:
        return False
    expected = challenge_response(challenge_hash(response[2:18], challenge, user_name), hashed)
    return compare_digest(expected, response[26:])


def success(response: bytes, challenge: bytes, user_name: bytes, hashed: bytes) -> bytes:
    """The value of MS-CHAP2-Success, the proof that the server knows the password too (RFC 2759 section 8.7).

    The caller has verified the response.
    """
    first = sha1(md4(hashed) + response[26:] + _SERVER_TO_CLIENT, usedforsecurity=False).digest()
    short = challenge_hash(response[2:18], challenge, user_name)
    proof = sha1(first + short + _ITERATION, usedforsecurity=False).hexdigest().upper()
    return response[:1] + b"S=" + proof.encode()


def failure(identifier: int, challenge: bytes, message: str = "", *, code: int = AUTHENTICATION_FAILURE) -> bytes:
    """The value of MS-CHAP-Error for an Access-Reject (RFC 2759 section 6).

    `challenge`: 16 fresh random octets. R=0: the peer is not to try again within this call, it dials anew.
    """
    text = f"E={code} R=0 C={challenge.hex().upper()} V=3 M={message}"
    return bytes((identifier,)) + text.encode()


def mppe_keys_v2(response: bytes, hashed: bytes) -> tuple[bytes, bytes]:
    """The server's 128-bit (send, receive) keys (RFC 3079 section 3.4): hide each with `pap.hide_salted`."""
    master = sha1(md4(hashed) + response[26:] + _MASTER, usedforsecurity=False).digest()[:16]
    return _start_key(master, _CLIENT_RECEIVES), _start_key(master, _CLIENT_SENDS)


def _start_key(master: bytes, magic: bytes) -> bytes:
    return sha1(master + _PAD_1 + magic + _PAD_2, usedforsecurity=False).digest()[:16]
