"""A new password for who forgot his: a code by mail, good once and for half an hour.

It is a code to be typed and not a link: no address of this installation need be known or trusted, and nothing secret
stands in a browser's history. It replaces the password alone; a second factor is asked as ever.
"""

import base64
import secrets
from datetime import datetime, timedelta

from django.db import transaction

from demarc.base import log
from demarc.base.actors import Actor
from demarc.base.events import emit
from demarc.core.errors import Refused
from demarc.staff.models import Login, ResetCode, Session
from demarc.staff.passwords import set_password
from demarc.staff.queries import digest_of, who_may_reset

RESET_BYTES = 15
RESET_LASTS = timedelta(minutes=30)


@transaction.atomic
def want_reset(named: str, *, by: Actor, at: datetime) -> None:
    """Somebody who says that he is `named` (user name or e-mail address) forgot his password. Mail goes to whoever it
    is; the caller is told nothing about that. Never refused."""
    login = who_may_reset(named)
    log.record("reset_asked", by=by, at=at, subject=("login", login.pk if login else None))
    if login:
        emit("StaffLetterWanted", kind="reset", login_id=login.pk)


@transaction.atomic
def make_reset_code(login_id: int, *, by: Actor, at: datetime) -> str:
    """A code for the letter that is about to be sent, in groups of four; any older one is void. Never refused."""
    letters = base64.b32encode(secrets.token_bytes(RESET_BYTES)).decode().lower()
    ResetCode.objects.filter(login_id=login_id).delete()
    ResetCode.objects.create(login_id=login_id, digest=digest_of(letters), made_at=at, expires_at=at + RESET_LASTS)
    log.record("reset_code_made", by=by, at=at, subject=("login", login_id))
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


@transaction.atomic
def reset_password(code: str, new: str, *, by: Actor, at: datetime) -> Login:
    """The holder of a mailed code sets a new password; the code is used up and all his sessions end.

    Refused: the code is wrong, used or too old; the person no longer works here; the password is too weak.
    """
    letters = "".join(code.split()).replace("-", "").lower()
    found = ResetCode.objects.select_for_update().filter(digest=digest_of(letters), expires_at__gt=at).first()
    held = Login.objects.select_for_update().filter(is_active=True)
    login: Login | None = held.filter(pk=found.login_id).first() if found else None
    if login is None:
        raise Refused(
            "This code is wrong, was used, or is older than half an hour. Ask for a new one.",
            field="code",
            code="wrong_code",
        )
    set_password(login, new, field="new")
    login.save(update_fields=["password"])
    ResetCode.objects.filter(login_id=login.pk).delete()
    ended, _ = Session.objects.filter(login_id=login.pk).delete()
    log.record("password_reset", by=by, at=at, subject=("login", login.pk), sessions_ended=ended)
    return login
