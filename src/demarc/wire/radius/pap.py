"""Hiding passwords and keys inside attributes, and finding them again.

RFC 2865 section 5.2 (User-Password), RFC 2868 section 3.5 (Tunnel-Password), RFC 2548 section 2.4.2 (MPPE
keys). Knows the two stream ciphers made of MD5; must not know whether a password is right.
"""

from .errors import Malformed
from .secret import Secret

MAX_PASSWORD = 128
MAX_SALTED = 239  # 1 octet of length and this, padded to 240; with tag and salt it fits into one attribute


def hide(password: bytes, authenticator: bytes, secret: Secret) -> bytes:
    """The value of User-Password. Raises ValueError above 128 octets."""
    if len(password) > MAX_PASSWORD:
        raise ValueError(f"a password of {len(password)} octets, at most {MAX_PASSWORD} fit")
    return _encrypt(password or b"\0", authenticator, secret)


def reveal(hidden: bytes, authenticator: bytes, secret: Secret) -> bytes:
    """The password in a User-Password, without padding. Raises Malformed on an impossible length.

    With another secret than the sender's this gives noise: see `plausible`.
    """
    if not hidden:
        return b""  # what MikroTik's DHCP server sends for a client without password
    if len(hidden) % 16 or len(hidden) > MAX_PASSWORD:
        raise Malformed("User-Password is not 16 to 128 octets in sixteens")
    return _decrypt(hidden, authenticator, secret).rstrip(b"\0")


def plausible(password: bytes) -> bool:
    """Whether this can have been typed; if not, the secrets on both sides probably differ (for the log)."""
    try:
        return password.decode().isprintable()
    except UnicodeDecodeError:
        return False


def hide_salted(value: bytes, salt: bytes, authenticator: bytes, secret: Secret) -> bytes:
    """Salt and hidden value, as in MS-MPPE-Send-Key, and in Tunnel-Password after its tag.

    `authenticator`: the request's. `salt`: two random octets, different for each attribute of a packet; the
    top bit is set here. Raises ValueError above 239 octets.
    """
    if len(value) > MAX_SALTED:
        raise ValueError(f"a value of {len(value)} octets, at most {MAX_SALTED} fit")
    salt = bytes((salt[0] | 0x80, salt[1]))
    return salt + _encrypt(bytes((len(value),)) + value, authenticator + salt, secret)


def reveal_salted(hidden: bytes, authenticator: bytes, secret: Secret) -> bytes:
    """The value under salt and stream, without tag. Raises Malformed on impossible lengths."""
    salt, body = hidden[:2], hidden[2:]
    if not body or len(body) % 16:
        raise Malformed("salted value is not in sixteens")
    plain = _decrypt(body, authenticator + salt, secret)
    if plain[0] >= len(plain):
        raise Malformed("salted value longer than itself")
    return plain[1 : 1 + plain[0]]


def rehidden(hidden: bytes, old: tuple[bytes, Secret], new: tuple[bytes, Secret]) -> bytes:
    """The same plain octets, padding and all, under another authenticator and secret; `hidden` is in sixteens."""
    return _encrypt(_decrypt(hidden, *old), *new)


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(16, "big")


def _encrypt(plain: bytes, first: bytes, secret: Secret) -> bytes:
    blocks, previous = [], first
    for at in range(0, len(plain), 16):
        previous = _xor(plain[at : at + 16].ljust(16, b"\0"), secret.before(previous))
        blocks.append(previous)
    return b"".join(blocks)


def _decrypt(hidden: bytes, first: bytes, secret: Secret) -> bytes:
    if len(hidden) == 16:  # as most are
        return _xor(hidden, secret.before(first))
    blocks, previous = [], first
    for at in range(0, len(hidden), 16):
        block = hidden[at : at + 16]
        blocks.append(_xor(block, secret.before(previous)))
        previous = block
    return b"".join(blocks)
