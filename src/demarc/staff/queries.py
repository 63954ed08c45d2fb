"""Reads of logins, roles and tokens. Never answers with a password or a token's digest."""

import hashlib
from datetime import datetime

from django.db.models import Q

from demarc.staff.models import ApiToken, Login, LoginKind, Role

SUPER_ADMINISTRATOR = "Super administrator"


def digest_of(plaintext: str) -> bytes:
    """What is kept of a token. It is 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(plaintext.encode()).digest()


def token_for(plaintext: str, *, at: datetime) -> ApiToken | None:
    """The token that this text opens at this moment, with its role; None when unknown, revoked or expired."""
    alive = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=at))
    return ApiToken.objects.select_related("role").filter(alive, digest=digest_of(plaintext)).first()


def super_administrators() -> "list[Login]":
    """The logins that may do everything and are not switched off."""
    logins = Login.objects.filter(kind=LoginKind.STAFF, role__name=SUPER_ADMINISTRATOR, is_active=True)
    return list(logins.order_by("id"))


def role_named(name: str) -> Role | None:
    """The role of this name, whatever its capitals."""
    return Role.objects.filter(name__iexact=name).first()
