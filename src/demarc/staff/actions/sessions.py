"""What is done to sessions, and to the browsers that are known again."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now

from demarc.base import log
from demarc.base.actors import Actor
from demarc.base.events import emit
from demarc.staff.models import Device, Session
from demarc.staff.queries import digest_of, handle_of

SEEN_NOTED = timedelta(minutes=1)
DEVICES_MAX = 50
EXPIRED_AT_ONCE = 1000


@transaction.atomic
def end_sessions(login_id: int, handles: Collection[str], *, by: Actor, at: datetime) -> int:
    """End these sessions of one person, named by `queries.handle_of`; answers how many there still were. Whoever is in
    one is asked to log in at his next click. Never refused."""
    rows = Session.objects.filter(login_id=login_id).only("session_key")
    keys = [row.session_key for row in rows if handle_of(row.session_key) in handles]
    ended, _ = Session.objects.filter(session_key__in=keys).delete()
    log.record("sessions_ended", by=by, at=at, subject=("login", login_id), count=ended)
    return ended


def note_seen(session_key: str, seen_at: datetime | None, *, at: datetime) -> None:
    """Remember when a session was seen last, at most once a minute, on a connection of its own: the row is not held
    while a request runs. No log row of its own; what is done in the session has one."""
    if seen_at is None or seen_at <= at - SEEN_NOTED:
        Session.objects.using("apart").filter(session_key=session_key).update(seen_at=at)


@transaction.atomic
def note_device(login_id: int, token: str, words: str, *, by: Actor, at: datetime) -> Device | None:
    """The person logged in by the browser that holds the cookie `token`. Answers with its row where it was known; where
    it was not and is not his first, he is told by mail. Never refused."""
    Session.objects.filter(
        pk__in=list(Session.objects.filter(expire_date__lt=Now()).values_list("pk", flat=True)[:EXPIRED_AT_ONCE])
    ).delete()
    seen = {"words": words, "address": by.address or None, "last_seen_at": at}
    known = Device.objects.select_for_update().filter(login_id=login_id, digest=digest_of(token)).first()
    if known is not None:
        Device.objects.filter(pk=known.pk).update(**seen)
        return known
    others = Device.objects.filter(login_id=login_id).order_by("-last_seen_at")
    surplus = list(others.values_list("pk", flat=True)[DEVICES_MAX - 1 :])
    told = others.exists()
    others.filter(pk__in=surplus).delete()
    made = Device.objects.create(login_id=login_id, digest=digest_of(token), first_seen_at=at, **seen)
    log.record("new_device", by=by, at=at, subject=("login", login_id), device=words)
    if told:
        emit("StaffLetterWanted", kind="new_device", login_id=login_id, device_id=made.pk)
    return None
