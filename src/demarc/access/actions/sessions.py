"""Sessions: ending one, ending those that fell silent, and room for their history. Accounting itself is radiusd's."""

from datetime import date, datetime

from django.db import connection, transaction

from demarc.access.feed import wake_coa_sender
from demarc.access.models import CoaIntent, CoaKind, CoaState, SessionLive
from demarc.base import log
from demarc.base.actors import SYSTEM, Actor
from demarc.core.errors import Refused

OPEN = (CoaState.QUEUED, CoaState.SENT, CoaState.LATER, CoaState.NO_ANSWER, CoaState.IGNORED)
"""Still to be sent, or sent again; NAK, too, is an end, until somebody tries again."""

MISSED_INTERIMS = 3
MONTHS_AHEAD = 2
LOST_CARRIER = 2
"""Acct-Terminate-Cause (RFC 2866 section 5.10)."""

# By the database's clock, as the times that radiusd writes. The NAS must be otherwise alive: of one that is cut off
# nothing is known. Ended at the last sign of life, by the last counters; a late Stop amends the row.
CLOSE_STALE = """
WITH stale AS (
    SELECT live.id FROM access_sessionlive live JOIN access_nas nas ON nas.id = live.nas_id
    WHERE live.updated_at < now() - %(missed)s * nas.interim_s * interval '1 second'
        AND (nas.last_seen_at >= now() - nas.interim_s * interval '1 second'
            OR EXISTS (SELECT FROM access_sessionlive other
                       WHERE other.nas_id = nas.id
                         AND other.updated_at >= now() - nas.interim_s * interval '1 second'))
    ORDER BY live.id LIMIT %(limit)s FOR UPDATE OF live SKIP LOCKED
), gone AS (
    DELETE FROM access_sessionlive live USING stale WHERE live.id = stale.id RETURNING live.*
), moot AS (
    UPDATE access_coaintent intent
    SET state = CASE WHEN intent.kind = 'disconnect' AND intent.state = 'ack' THEN 'confirmed' ELSE 'gone' END,
        confirmed_at = CASE WHEN intent.kind = 'disconnect' AND intent.state = 'ack' THEN now() END
    FROM gone
    WHERE intent.nas_id = gone.nas_id AND intent.session_id = gone.session_id AND intent.user_name = gone.user_name
        AND intent.state IN ('queued', 'sent', 'ack', 'nak', 'later', 'no_answer', 'ignored')
)
INSERT INTO access_sessionlog
    (id, nas_id, boot_epoch, session_id, user_name, partner_id, subscriber_id, service_id, started_at, ended_at,
     event_at, calling_station, called_station, nas_port_id, vrf, framed_ipv4, framed_ipv6_prefix, delegated_prefix,
     framed_ipv6, session_time_s, input_octets, output_octets, terminate_cause,
     ending, counting)
SELECT id, nas_id, boot_epoch, session_id, user_name, partner_id, subscriber_id, service_id, started_at, updated_at,
     event_at, calling_station, called_station, nas_port_id, vrf, framed_ipv4, framed_ipv6_prefix, delegated_prefix,
     framed_ipv6, session_time_s, input_octets, output_octets, %(cause)s,
     'stale', counting
FROM gone
ON CONFLICT (nas_id, boot_epoch, session_id, user_name, started_at) DO NOTHING
"""
BATCH = 2000

PRUNE_FEED = "DELETE FROM access_feed WHERE at < now() - interval '1 day'"
MAKE_MONTH = "SELECT access_make_sessionlog_month(%(month)s)"


@transaction.atomic
def request_disconnect(session_id: int, *, by: Actor, at: datetime) -> CoaIntent:
    """Ask the session's router to cut it. Refused: the session has ended, or its router takes no CoA."""
    session = SessionLive.objects.select_related("nas__router", "service").filter(pk=session_id).first()
    if session is None:
        raise Refused("This session has ended already.", code="ended")
    return _order(session, CoaIntent(kind=CoaKind.DISCONNECT), "disconnected", by=by, at=at)


@transaction.atomic
def retry_intent(intent_id: int, *, by: Actor, at: datetime) -> CoaIntent:
    """Tell the router once more what it was told, from the beginning.

    Refused: the session has ended, it was told something newer, it did as it was told, or it takes no CoA.
    """
    old = CoaIntent.objects.get(pk=intent_id)
    mine = {"nas_id": old.nas_id, "session_id": old.session_id, "user_name": old.user_name}
    session = SessionLive.objects.select_related("nas__router", "service").filter(**mine).first()
    if session is None:
        raise Refused("This session has ended already.", code="ended")
    if CoaIntent.objects.filter(**mine, pk__gt=old.pk).exists():
        raise Refused("The router was told something newer since.", code="superseded")
    if old.state in (CoaState.ACK, CoaState.CONFIRMED):
        raise Refused("The router did as it was told.", code="done")
    same = {name: getattr(old, name) for name in ("kind", "unblock", "fair_use", "list_name", "rate_limit")}
    again = CoaIntent(**same)
    return _order(session, again, "order_retried", by=by, at=at)


def _order(session: SessionLive, intent: CoaIntent, verb: str, *, by: Actor, at: datetime) -> CoaIntent:
    """Address an intent to a session and put it in the place of what its router was told before."""
    if not session.nas.coa_enabled:
        raise Refused(f"The router {session.nas.router} takes no disconnect requests.", code="no_coa")
    mine = {"nas_id": session.nas_id, "session_id": session.session_id, "user_name": session.user_name}
    CoaIntent.objects.filter(**mine, state__in=OPEN).update(state=CoaState.SUPERSEDED)
    for name, value in mine.items():
        setattr(intent, name, value)
    intent.node, intent.subscriber_id, intent.framed_ipv4 = (
        session.nas.node,
        session.subscriber_id,
        session.framed_ipv4,
    )
    intent.save()
    subject = ("customer", session.service.customer_id) if session.service else ("router", session.nas.router_id)
    log.record(verb, by=by, at=at, subject=subject, partner_id=session.partner_id, user_name=session.user_name)
    wake_coa_sender()
    return intent


@transaction.atomic
def close_stale_sessions(*, by: Actor = SYSTEM, at: datetime) -> int:
    """Move sessions that missed several interim updates, on a router that is otherwise alive, to the history.

    How many there were, at most BATCH at a time; a log row when there were any. Refuses nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(CLOSE_STALE, {"missed": MISSED_INTERIMS, "limit": BATCH, "cause": LOST_CARRIER})
        closed = int(cursor.rowcount)
    if closed:
        log.record("stale_sessions_closed", by=by, at=at, subject=("access", None), sessions=closed)
    return closed


@transaction.atomic
def make_session_months(*, by: Actor = SYSTEM, at: datetime, first: date | None = None) -> list[date]:
    """Make the history's partitions from the month of `first` (default: of `at`) to two months ahead of `at`.

    The first days of those that were missing; a log row when there were any. Refuses nothing.
    """
    last_month = _month_number(at.date()) + MONTHS_AHEAD
    months = [date(n // 12, n % 12 + 1, 1) for n in range(_month_number(first or at.date()), last_month + 1)]
    made = []
    with connection.cursor() as cursor:
        for month in months:
            cursor.execute(MAKE_MONTH, {"month": month})
            if cursor.fetchone() == (True,):
                made.append(month)
    if made:
        log.record("session_months_made", by=by, at=at, subject=("access", None), months=made)
    return made


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1


@transaction.atomic
def prune_feed(*, by: Actor = SYSTEM, at: datetime) -> int:
    """Drop news that every radiusd has read, or must reload for: how many; a log row when there were any."""
    with connection.cursor() as cursor:
        cursor.execute(PRUNE_FEED)
        pruned = int(cursor.rowcount)
    if pruned:
        log.record("feed_pruned", by=by, at=at, subject=("access", None), rows=pruned)
    return pruned
