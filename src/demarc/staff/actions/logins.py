"""What is done to the people who may log in: made, named, given a new password."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.staff.actions.roles import set_role
from demarc.staff.models import Login, LoginKind, Role, Session
from demarc.staff.passwords import set_password
from demarc.staff.permissions import covers
from demarc.staff.queries import refuse_last_super, role_of, super_administrators, words_of
from demarc.staff.shipped import SUPER_ADMINISTRATOR

LANGUAGES = ("", "en", "es")


@dataclass(frozen=True, slots=True)
class Place:
    """What somebody does here: the ids of his role and of the providers he works for; none: all of them."""

    role: int
    partners: tuple[int, ...]


@transaction.atomic
def ensure_super_administrator(*, by: Actor, at: datetime) -> tuple[str, str] | None:
    """Make the login `admin` with a random password when nobody may do everything: (name, password), else None."""
    if super_administrators().exists():
        return None
    password = secrets.token_urlsafe(15)
    username = _free_username("admin")
    create_login(username=username, password=password, role=SUPER_ADMINISTRATOR, by=by, at=at)
    return username, password


@transaction.atomic
def create_login(
    *, username: str, password: str, role: str, by: Actor, at: datetime, everywhere: bool = True, **facts: str
) -> Login:
    """A new person of staff, who works for all providers, or for none as yet. `facts`: name, email, zone.

    Refused: username taken, role unknown, password too weak.
    """
    username = username.strip()
    if not username or Login.objects.filter(username__iexact=username).exists():
        raise Refused(f"The user name {username!r} is taken; choose another.", field="username", code="taken")
    held = role_of(role)
    login = Login(username=username, kind=LoginKind.STAFF, role=held, everywhere=everywhere, **facts)
    set_password(login, password, field="password")
    try:
        with transaction.atomic():
            login.save()
    except IntegrityError as error:  # row security hides who has it
        raise Refused(
            f"The user name {username!r} is taken; choose another.", field="username", code="taken"
        ) from error
    log.record("created", by=by, at=at, subject=("login", login.pk), role=held.name)
    return login


@transaction.atomic
def add_person(
    username: str, password: str, *, place: Place, held: Collection[str], by: Actor, at: datetime, **facts: str
) -> Login:
    """A new person of staff with his role and providers; `held`: what the one may do who adds him; `facts` as above.

    Refused: as `create_login` and `set_role` are.
    """
    name = Role.objects.get(pk=place.role).name
    everywhere = not place.partners
    login = create_login(username=username, password=password, role=name, by=by, at=at, everywhere=everywhere, **facts)
    return set_role(login.pk, role=place.role, partners=place.partners, held=held, by=by, at=at)


@transaction.atomic
def switch(login_id: int, *, on: bool, held: Collection[str], by: Actor, at: datetime) -> Login:
    """A person may log in again, or may no more and is logged out everywhere.

    Refused: he may do more than `held`; it is oneself; he is the last who may do everything.
    """
    login: Login = Login.objects.select_for_update(of=("self",)).select_related("role").get(pk=login_id)
    if not covers(held, words_of(login)):
        raise Refused("This person may do more than you.", code="above")
    if not on and by.kind == "staff" and by.id == login_id:
        raise Refused("You cannot switch yourself off.", code="oneself")
    if not on:
        refuse_last_super(login)
    login.is_active = on
    login.save(update_fields=["is_active"])
    ended, _ = (0, {}) if on else Session.objects.filter(login_id=login_id).delete()
    log.record("switched_on" if on else "switched_off", by=by, at=at, subject=("login", login_id), sessions_ended=ended)
    return login


@transaction.atomic
def save_profile(login_id: int, *, name: str, zone: str, language: str, by: Actor, at: datetime) -> None:
    """What the holder is called and how he reads times and mail; empty: as his provider. Refused: no such zone."""
    if zone and zone not in available_timezones():
        raise Refused("Choose a time zone of the list.", field="zone", code="zone")
    if language not in LANGUAGES:
        raise Refused("Choose a language of the list.", field="language", code="language")
    login = Login.objects.select_for_update().get(pk=login_id)
    before = log.snapshot(login)
    login.name = texts.one_line(name, field="name", length_max=150)
    login.zone, login.language = zone, language
    login.save(update_fields=["name", "zone", "language"])
    log.record("profile_saved", by=by, at=at, subject=("login", login_id), changed=log.changes(before, login))


@transaction.atomic
def change_email(login_id: int, email: str, *, by: Actor, at: datetime) -> None:
    """Where mail to the holder goes from now on, new passwords above all; empty: nowhere. Refused: no address."""
    email = email.strip()
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise Refused("This is no e-mail address.", field="email", code="email") from error
    login = Login.objects.select_for_update().get(pk=login_id)
    before = log.snapshot(login)
    login.email = email
    login.save(update_fields=["email"])
    log.record("email_changed", by=by, at=at, subject=("login", login_id), changed=log.changes(before, login))


@transaction.atomic
def change_own_password(login_id: int, *, old: str, new: str, by: Actor, at: datetime) -> None:
    """The holder sets a new password; all his sessions end, so the caller begins the present one anew.

    Refused: the old one is wrong, the new one too weak.
    """
    login = Login.objects.select_for_update().get(pk=login_id)
    if not login.check_password(old):
        raise Refused("This is not your present password.", field="old", code="wrong_password")
    set_password(login, new, field="new")
    login.save(update_fields=["password"])
    ended, _ = Session.objects.filter(login_id=login_id).delete()
    log.record("password_changed", by=by, at=at, subject=("login", login_id), sessions_ended=ended)


@transaction.atomic
def show_password(login_id: int, password: str, *, by: Actor, at: datetime) -> None:
    """The holder proves once more that he is who he was. Refused: this is not his password."""
    if not Login.objects.get(pk=login_id).check_password(password):
        raise Refused("This is not your password.", field="password", code="wrong_password")
    log.record("password_shown", by=by, at=at, subject=("login", login_id))


def _free_username(wanted: str) -> str:
    taken = set(Login.objects.filter(username__istartswith=wanted).values_list("username", flat=True))
    return next(name for name in (wanted, *(f"{wanted}{n}" for n in range(2, 1000))) if name not in taken)
