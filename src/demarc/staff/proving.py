"""How somebody shows a second factor, or his password once more: what pages that ask for it do alike."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from demarc.base import clock, log, throttle
from demarc.base.actors import Actor
from demarc.staff import actions, passkeys
from demarc.staff.adapter import limits_for, too_many
from demarc.staff.models import Login
from demarc.staff.pages import carried_out
from demarc.staff.queries import passkeys_of, stored_credential
from demarc.ui.forms import Form


def shown(request: HttpRequest, form: Form, login: Login, by: Actor) -> bool:
    """Whether the form holds what proves that it is `login`: a passkey's signature, a code, or (where the form has the
    field) the password. Tries are counted; a good one is given back. What is wrong stands in the form."""

    def act() -> None:
        given, at = form.cleaned_data, clock.now()
        if given.get("answer"):
            used = passkeys.used(request, given["answer"], credentials_of(login))
            actions.check_passkey(login.pk, used, by=by, at=at)
        elif given.get("password"):
            actions.show_password(login.pk, given["password"], by=by, at=at)
        else:
            actions.check_code(login.pk, given["code"], by=by, at=at)

    return counted(request, form, login.username, "code", ("login", login.pk), act)


def counted(
    request: HttpRequest, form: Form, name: str, what: str, subject: tuple[str, int | None], act: Callable[[], Any]
) -> bool:
    """Carry out what may be guessed at, and so is counted under `name` for this browser or network."""
    if not form.is_valid():
        return False
    limits = limits_for(request, name, what=what)
    refused_by = throttle.spend_each(limits, clock.now())
    if refused_by:
        form.add_error(None, too_many(refused_by))
        by = Actor("staff", subject[1] or 0, name, request.META.get("REMOTE_ADDR", ""))
        log.record_refused(f"{what}_throttled", by=by, at=clock.now(), subject=subject)
        return False
    if not carried_out(request, form, f"check_{what}", subject, act):
        return False
    for limit in limits:
        throttle.give_back(limit)
    return True


def passkey_question(request: HttpRequest, login: Login) -> dict[str, Any] | None:
    """What the browser's passkeys are asked; None: this person has none."""
    known = credentials_of(login)
    return passkeys.ask(request, known) if known else None


def credentials_of(login: Login) -> list[bytes]:
    """The passkeys of a person, as staff.passkeys reads them."""
    return [stored_credential(row) for row in passkeys_of(login.pk)]
