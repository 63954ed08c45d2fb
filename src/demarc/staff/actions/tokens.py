"""What is done to programs' keys."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.db import transaction
from django.db.models import Q

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.staff.models import ApiToken, Role
from demarc.staff.permissions import PERMISSIONS, covers, spread
from demarc.staff.queries import digest_of, providers_named, role_of

TOKEN_MARK = "demarc_"  # noqa: S105 - what tokens begin with, so that a leaked one can be recognised
PREFIX_LENGTH = 12
USE_NOTED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """What narrows a token: words besides which nothing of its role holds (None: all of it), the networks it may be
    used from and the ids of its providers (none: all). `held`: what its maker may do; None: the machine's owner."""

    scopes: frozenset[str] | None = None
    networks: tuple[str, ...] = ()
    partners: tuple[int, ...] = ()
    held: frozenset[str] | None = None


ANYTHING = Limits()


@transaction.atomic
def create_token(
    name: str,
    role: str,
    *,
    by: Actor,
    at: datetime,
    expires_at: datetime | None = None,
    limits: Limits = ANYTHING,
) -> tuple[ApiToken, str]:
    """A new API token and its text, which is shown this once and not kept.

    Refused: role unknown, name empty, a limit that is none, more than the one may do who makes it or than the role
    holds, a role for named providers without one.
    """
    if not name.strip():
        raise Refused("Give the token a name that says which program uses it.", field="name")
    name, held, providers = texts.name(name), role_of(role), providers_named(limits.partners)
    _refuse_beyond(limits, held)
    if expires_at is not None and expires_at <= at and limits.held is not None:
        raise Refused("Choose a day to come.", field="expires_on", code="past")
    plaintext = TOKEN_MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        name=name,
        prefix=plaintext[:PREFIX_LENGTH],
        digest=digest_of(plaintext),
        role=held,
        scopes=None if limits.scopes is None else sorted(limits.scopes),
        networks=[_network(one) for one in limits.networks],
        everywhere=not providers,
        created_at=at,
        created_by_label=by.label,
        expires_at=expires_at,
    )
    token.partners.set(providers)
    told = {"scopes": token.scopes, "networks": token.networks, "partners": sorted(limits.partners)}
    log.record("created", by=by, at=at, subject=("token", token.pk), name=token.name, role=held.name, **told)
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


def _refuse_beyond(limits: Limits, role: Role) -> None:
    """Refused: scopes as below; more than its maker may do; for all providers with a role for named ones."""
    if limits.scopes is not None:
        _refuse_scopes(limits.scopes, role)
    may_do = spread(role.permissions if limits.scopes is None else limits.scopes)
    if limits.held is not None and not covers(limits.held, may_do):
        raise Refused("You cannot give a token what you may not do yourself.", field="role", code="above")
    if limits.held is not None and role.bound and not limits.partners:
        raise Refused(f"{role.name} is for named providers; choose them.", field="partners", code="unbound")


def _refuse_scopes(scopes: frozenset[str], role: Role) -> None:
    """Refused: no word; one that is none; one that the role lacks, which would hold on the day that the role gets it
    and that nobody would be asked about then."""
    if scopes - PERMISSIONS.keys():
        raise Refused("One of the rights is none that there is.", field="words", code="unknown_word")
    if not scopes:
        raise Refused("Check at least one right that the role holds; else it may do nothing.", code="nothing")
    beyond = sorted(scopes - spread(role.permissions))
    if beyond:
        raise Refused(f"{role.name} does not hold “{PERMISSIONS[beyond[0]]}”.", field="words", code="beyond_role")


def _network(text: str) -> str:
    """The network as it is kept. Refused: it is none."""
    try:
        return str(ip_network(text.strip(), strict=False))
    except ValueError as error:
        told = f"{text.strip()[:60]!r} is no address and no network."
        raise Refused(told, field="networks", code="network") from error


def note_use(token: ApiToken, *, at: datetime) -> None:
    """Remember when the token was last used, at most once a minute, on a connection of its own: the token's row is
    not held while its requests run. No log row of its own; what the token does has one."""
    due = Q(last_used_at=None) | Q(last_used_at__lte=at - USE_NOTED)
    if token.last_used_at is None or token.last_used_at <= at - USE_NOTED:
        ApiToken.objects.using("apart").filter(due, pk=token.pk).update(last_used_at=at)
