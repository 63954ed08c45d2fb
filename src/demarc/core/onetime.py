"""One-time codes by the clock (RFC 6238 over RFC 4226): six digits, a new code every half minute, HMAC-SHA-1 as every
authenticator app has it. Knows no login; who remembers which step was used last hands it in."""

import base64
import hmac
import struct
from datetime import datetime
from urllib.parse import quote, urlencode

STEP_S = 30
DIGITS = 6
DRIFT = 1
"""How many steps a phone's clock may be off, either way (RFC 6238 section 5.2 recommends at most one)."""


def step_at(at: datetime) -> int:
    """The number of the half minute that it is (RFC 6238 section 4.2: T)."""
    return int(at.timestamp()) // STEP_S


def code(secret: bytes, step: int) -> str:
    """The code of a half minute (RFC 4226 section 5.3)."""
    digest = hmac.digest(secret, struct.pack(">Q", step), "sha1")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 0x0F)
    return str((number & 0x7FFFFFFF) % 10**DIGITS).zfill(DIGITS)


def matching_step(secret: bytes, given: str, *, at: datetime, after: int = -1) -> int | None:
    """The half minute whose code was given, within DRIFT of now and later than `after`: a code is good once (RFC 6238
    section 5.2). None: the code is wrong, too old or was used."""
    now = step_at(at)
    return next(
        (
            step
            for step in range(now - DRIFT, now + DRIFT + 1)
            if step > after and hmac.compare_digest(code(secret, step).encode(), given.encode())
        ),
        None,
    )


def key_text(secret: bytes) -> str:
    """The secret as people type it into an app: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def key_address(secret: bytes, *, issuer: str, label: str) -> str:
    """What the QR code says: otpauth://totp/issuer:label?secret=... (Google Authenticator's key URI format)."""
    told = urlencode({"secret": key_text(secret), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(issuer, safe='')}:{quote(label, safe='')}?{told}"
