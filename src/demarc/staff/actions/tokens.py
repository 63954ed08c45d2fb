"""What is done to programs' keys."""

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.staff.models import ApiToken
from demarc.staff.queries import digest_of, role_of

TOKEN_MARK = "demarc_"  # noqa: S105 - what tokens begin with, so that a leaked one can be recognised
PREFIX_LENGTH = 12
USE_NOTED = timedelta(minutes=1)


@transaction.atomic
def create_token(
    name: str, role: str, *, by: Actor, at: datetime, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new API token and its text, which is shown this once and not kept. Refused: role unknown, name empty."""
    if not name.strip():
        raise Refused("Give the token a name that says which program uses it.", field="name")
    name = texts.name(name)
    plaintext = TOKEN_MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name,
        prefix=plaintext[:PREFIX_LENGTH],
        digest=digest_of(plaintext),
        role=role_of(role),
        created_at=at,
        created_by_label=by.label,
        expires_at=expires_at,
    )
    log.record("created", by=by, at=at, subject=("token", token.pk), name=token.name, role=token.role.name)
    return token, plaintext


@transaction.atomic
def revoke_token(token_id: int, *, by: Actor, at: datetime) -> None:
    """The token opens nothing from now on. Refused: it was revoked before."""
    token = ApiToken.objects.select_for_update().get(pk=token_id)
    if token.revoked_at:
        raise Refused("This token was revoked before.", code="already_revoked")
    token.revoked_at = at
    token.save(update_fields=["revoked_at"])
    log.record("revoked", by=by, at=at, subject=("token", token_id), name=token.name)


def note_use(token: ApiToken, *, at: datetime) -> None:
    """Remember when the token was last used, at most once a minute, on a connection of its own: the token's row is
    not held while its requests run. No log row of its own; what the token does has one."""
    due = Q(last_used_at=None) | Q(last_used_at__lte=at - USE_NOTED)
    if token.last_used_at is None or token.last_used_at <= at - USE_NOTED:
        ApiToken.objects.using("apart").filter(due, pk=token.pk).update(last_used_at=at)
