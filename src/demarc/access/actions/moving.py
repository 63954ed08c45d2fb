"""Moving in from another RADIUS server: where it is, the passwords it teaches us, and the record of decisions.

Its secret is sealed here and opened by radiusd alone; so is what radiusd learned, which is only moved from row to row.
"""

from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TypedDict, Unpack

from django.db import connection, transaction

from demarc.access.feed import tell_radius
from demarc.access.models import Learned, MovingIn, MovingMode, Nas, Subscriber
from demarc.base import log, texts
from demarc.base.actors import SYSTEM, Actor
from demarc.base.numbering import take_ids
from demarc.base.vault import seal_for_radius
from demarc.core.errors import Refused

SECRET_LENGTH_MAX = 128
LEARNED_BATCH = 500
DECISIONS_KEPT_DAYS = 7
DAYS_AHEAD = 2

MAKE_DAY = "SELECT access_make_decision_day(%(day)s)"
DROP_DAYS = "SELECT access_drop_decision_days(%(before)s)"
LEARNED_GONE = "DELETE FROM access_learned WHERE id = ANY(%(ids)s)"


class OldServer(TypedDict, total=False):
    """The other server. `timeout_ms`: how long its answer is waited for; `learn`: passwords of PAP logins."""

    host: str
    auth_port: int
    acct_port: int
    timeout_ms: int
    learn: bool


@transaction.atomic
def save_moving_in(
    *, router_id: int, mode: str, secret: str, by: Actor, at: datetime, **facts: Unpack[OldServer]
) -> MovingIn:
    """Say what happens to a NAS's packets while its customers move here; an empty `secret` keeps the present one.

    Refused: the router is no RADIUS client, the mode needs a server and none is named, or not its secret, a number out
    of range, or the server is the NAS itself.
    """
    nas = Nas.objects.select_for_update(of=("self",)).filter(router_id=router_id).first()
    if nas is None:
        raise Refused("Make the router a RADIUS client first.", code="no_nas")
    known = MovingIn.objects.filter(nas=nas).first()
    moving = known or MovingIn(pk=take_ids("access_movingin_id_seq", 1)[0], nas=nas)
    before = log.snapshot(moving)
    moving.mode = mode
    for name, value in facts.items():
        setattr(moving, name, value)
    moving.host = _host(moving.host or "", nas)
    if secret:
        clear = texts.one_line(secret, field="secret", length_max=SECRET_LENGTH_MAX)
        moving.secret = seal_for_radius(clear, f"access_movingin.secret.{moving.pk}")
    _check(moving)
    moving.save()
    told = {"changed": log.changes(before, moving)}
    log.record("moving_in_saved", by=by, at=at, subject=("router", router_id), partner_id=nas.partner_id, **told)
    tell_radius("nas", [nas.pk])
    return moving


def _host(text: str, nas: Nas) -> str | None:
    if not text.strip():
        return None
    try:
        address = ip_address(text.strip())
    except ValueError as error:
        raise Refused(f"{text} is not an IP address.", field="host") from error
    if address.is_multicast or address.is_unspecified:
        raise Refused(f"No server is at {address}.", field="host")
    if str(address) == nas.address:
        raise Refused("This is the router itself.", field="host")
    return str(address)


def _check(moving: MovingIn) -> None:
    if moving.mode not in MovingMode.values:
        raise Refused(f"Choose one of {', '.join(MovingMode.values)}.", field="mode")
    if moving.mode in (MovingMode.UNKNOWN, MovingMode.COMPARE):
        if moving.host is None:
            raise Refused("Name the server that packets are passed on to.", field="host")
        if not moving.secret:
            raise Refused("Give the secret that the old server knows us by.", field="secret")
    for field in ("auth_port", "acct_port"):
        if not 1 <= getattr(moving, field) <= 65535:
            raise Refused("A port is a number from 1 to 65535.", field=field)
    if not 200 <= moving.timeout_ms <= 5000:
        raise Refused("An answer is waited for 200 to 5000 milliseconds.", field="timeout_ms")


@transaction.atomic
def take_learned_passwords(*, by: Actor = SYSTEM, at: datetime) -> int:
    """Give logins that have no password yet the one that radiusd saw accepted: how many, at most LEARNED_BATCH.

    A login that has got one meanwhile keeps it. One log row for each. Refuses nothing.
    """
    found = list(Learned.objects.select_for_update(skip_locked=True).order_by("id")[:LEARNED_BATCH])
    waiting = Subscriber.objects.select_for_update(of=("self",)).select_related("service").order_by("id")
    logins = {one.pk: one for one in waiting.filter(pk__in=[row.subscriber_id for row in found], secret=b"")}
    for row in found:
        login = logins.get(row.subscriber_id)
        if login is None:
            continue
        login.secret, login.learned_at = bytes(row.sealed), row.at
        login.save(update_fields=["secret", "learned_at"])
        customer = ("customer", login.service.customer_id)
        told = {"login": login.login, "nas": row.nas_id}
        log.record("password_learned", by=by, at=at, subject=customer, partner_id=login.partner_id, **told)
    with connection.cursor() as cursor:
        cursor.execute(LEARNED_GONE, {"ids": [row.pk for row in found]})
    if logins:
        tell_radius("subscriber", list(logins))
    return len(logins)


@transaction.atomic
def keep_decisions(*, by: Actor = SYSTEM, at: datetime) -> int:
    """Make room for the decisions of the next days and drop those older than a week: how many days were dropped.

    A log row when anything was made or dropped. Refuses nothing.
    """
    today, made = at.date(), 0
    with connection.cursor() as cursor:
        for ahead in range(DAYS_AHEAD + 1):
            cursor.execute(MAKE_DAY, {"day": today + timedelta(days=ahead)})
            made += cursor.fetchone() == (True,)
        cursor.execute(DROP_DAYS, {"before": today - timedelta(days=DECISIONS_KEPT_DAYS)})
        (dropped,) = cursor.fetchone() or (0,)
    if made or dropped:
        log.record("decision_days_kept", by=by, at=at, subject=("access", None), made=made, dropped=dropped)
    return int(dropped)
