"""What is done to logins and tokens. Each verb writes one row of the operation log, never with a secret in it."""

import secrets
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.staff.models import ApiToken, Login, LoginKind, Role
from demarc.staff.queries import SUPER_ADMINISTRATOR, digest_of, role_named, super_administrators

TOKEN_MARK = "demarc_"  # noqa: S105 - what tokens begin with, so that a leaked one can be recognised
PREFIX_LENGTH = 12
USE_NOTED = timedelta(minutes=1)


@transaction.atomic
def ensure_super_administrator(*, by: Actor, at: datetime) -> tuple[str, str] | None:
    """Make the login `admin` with a random password when nobody may do everything: (name, password), else None."""
    if super_administrators():
        return None
    password = secrets.token_urlsafe(15)
    username = _free_username("admin")
    create_login(username=username, password=password, role=SUPER_ADMINISTRATOR, by=by, at=at)
    return username, password


@transaction.atomic
def create_login(*, username: str, password: str, role: str, by: Actor, at: datetime, **facts: str) -> Login:
    """A new person of staff. `facts`: name, email, zone. Refused: username taken, role unknown, password too weak."""
    username = username.strip()
    if not username or Login.objects.filter(username__iexact=username).exists():
        raise Refused(f"The user name {username!r} is taken; choose another.", field="username", code="taken")
    held = _role(role)
    login = Login(username=username, kind=LoginKind.STAFF, role=held, **facts)
    _set_password(login, password, field="password")
    login.save()
    log.record("created", by=by, at=at, subject=("login", login.pk), role=held.name)
    return login


@transaction.atomic
def change_own_password(login_id: int, *, old: str, new: str, by: Actor, at: datetime) -> None:
    """The holder sets a new password. Refused: the old one is wrong, the new one too weak."""
    login = Login.objects.select_for_update().get(pk=login_id)
    if not login.check_password(old):
        raise Refused("This is not your present password.", field="old", code="wrong_password")
    _set_password(login, new, field="new")
    login.save(update_fields=["password"])
    log.record("password_changed", by=by, at=at, subject=("login", login_id))


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
        role=_role(role),
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


def _role(name: str) -> Role:
    role = role_named(name)
    if role is None:
        known = ", ".join(Role.objects.order_by("name").values_list("name", flat=True))
        raise Refused(f"There is no role {name!r}; the roles are: {known}.", field="role", code="role_unknown")
    return role


def _set_password(login: Login, password: str, *, field: str) -> None:
    try:
        validate_password(password, login)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), field=field, code="password_weak") from error
    login.set_password(password)


def _free_username(wanted: str) -> str:
    taken = set(Login.objects.filter(username__istartswith=wanted).values_list("username", flat=True))
    return next(name for name in (wanted, *(f"{wanted}{n}" for n in range(2, 1000))) if name not in taken)
