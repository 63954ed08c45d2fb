"""Reads of logins, roles and tokens. Never answers with a password or a token's digest."""

import hashlib
from datetime import datetime

from demarc.staff.models import ApiToken, Login, LoginKind, Role

SUPER_ADMINISTRATOR = "Super administrator"


def digest_of(plaintext: str) -> bytes:
    """What is kept of a token. It is 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(plaintext.encode()).digest()


def token_named(plaintext: str) -> ApiToken | None:
    """The token with this text and its role, whether it still opens anything or not."""
    return ApiToken.objects.select_related("role").filter(digest=digest_of(plaintext)).first()


def opens(token: ApiToken, at: datetime) -> bool:
    """Whether the token is neither revoked nor expired at this moment."""
    return token.revoked_at is None and (token.expires_at is None or token.expires_at > at)


def super_administrators() -> "list[Login]":
    """The logins that may do everything and are not switched off."""
    logins = Login.objects.filter(kind=LoginKind.STAFF, role__name=SUPER_ADMINISTRATOR, is_active=True)
    return list(logins.order_by("id"))


def role_named(name: str) -> Role | None:
    """The role of this name, whatever its capitals."""
    return Role.objects.filter(name__iexact=name).first()
