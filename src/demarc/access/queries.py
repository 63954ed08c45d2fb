"""Reads of the access room: who is online, who was, what routers confirmed, how full pools are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from ipaddress import ip_address
from operator import or_
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet, prefetch_related_objects

from demarc.access.models import CoaIntent, CoaKind, CoaState, FairUseState, Nas, SessionLive, SessionLog, Subscriber
from demarc.core.access import Cause
from demarc.network.models import CauseRule, Pool
from demarc.plans.models import Service, ServiceState

PAST_MAX = 500
MAC_BETWEEN = re.compile("[:.-]")
MAC_DIGITS = re.compile("[0-9A-F]{4,12}")
"""Two octets at least: a shorter beginning is of too many."""
ENDINGS = {
    1: "hung up",
    2: "line lost",
    3: "service lost",
    4: "nothing sent for long",
    5: "its time was up",
    6: "cut by an administrator",
    7: "router switched off",
    8: "port fault",
    9: "router fault",
    10: "router ended it",
    11: "router restarted",
    12: "port no longer needed",
    13: "port given to another",
    14: "suspended",
    15: "router could not serve it",
    16: "called back",
    17: "device did something wrong",
    18: "ended by a host",
}
"""Why a session ended, by Acct-Terminate-Cause (RFC 2866 section 5.10)."""
CAUSES = {
    Cause.NOT_FOUND: "not found",
    Cause.NOT_ACTIVE: "blocked or not active",
    Cause.NO_MONEY: "no money",
    Cause.WRONG_MAC: "wrong MAC",
    Cause.WRONG_PASSWORD: "wrong password",
}
ERROR_CAUSES = {
    401: "unsupported attribute",
    402: "missing attribute",
    403: "it is another NAS",
    404: "invalid request",
    405: "unsupported service",
    406: "unsupported extension",
    407: "invalid attribute value",
    501: "administratively prohibited",
    502: "not routable",
    503: "no such session",
    504: "the session cannot be removed",
    505: "other proxy error",
    506: "resources unavailable",
    507: "request initiated",
    508: "several sessions match",
}
"""Error-Cause (RFC 5176 section 3.5)."""

POOL_USE = """
SELECT pool.id,
    CASE family(pool.network) WHEN 4 THEN pool.last - pool.first + 1
        ELSE 1::bigint << (pool.prefix_length - masklen(pool.network)) END,
    CASE pool.kind
        WHEN 'static' THEN (SELECT count(*) FROM access_staticaddress a
                            WHERE a.active AND a.vrf = pool.vrf AND a.address <<= pool.network::inet)
        WHEN 'prefix' THEN (SELECT count(*) FROM access_sessionlive live
                            WHERE live.vrf = pool.vrf AND live.framed_ipv6_prefix <<= pool.network::inet)
        WHEN 'delegated' THEN (SELECT count(*) FROM access_sessionlive live
                               WHERE live.vrf = pool.vrf AND live.delegated_prefix <<= pool.network::inet)
        ELSE (SELECT count(*) FROM access_sessionlive live
              WHERE live.vrf = pool.vrf AND live.framed_ipv4 <<= pool.network::inet
                AND live.framed_ipv4 BETWEEN pool.first AND pool.last)
    END,
    (SELECT coalesce(sum(block.size), 0) FROM access_poolblock block
     WHERE block.pool_id = pool.id AND block.owner <> '')
FROM network_pool pool WHERE pool.id = ANY(%(pools)s)
"""

UNCONFIRMED = """
SELECT last.* FROM access_sessionlive live
CROSS JOIN LATERAL (
    SELECT intent.* FROM access_coaintent intent
    WHERE intent.subscriber_id = live.subscriber_id AND intent.nas_id = live.nas_id
        AND intent.session_id = live.session_id AND intent.state <> 'superseded'
    ORDER BY intent.id DESC LIMIT 1
) last
WHERE (last.state IN ('nak', 'no_answer', 'later', 'ignored', 'not_sent')
        OR last.state IN ('queued', 'sent') AND last.created_at < now() - interval '1 minute')
    AND (%(partners)s::bigint[] IS NULL OR live.partner_id = ANY(%(partners)s))
ORDER BY last.id DESC LIMIT %(limit)s
"""
HEADWAY = (CoaState.QUEUED, CoaState.SENT, CoaState.ACK, CoaState.CONFIRMED, CoaState.GONE, CoaState.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class LoginState:
    """A login and how it stands, in words."""

    subscriber: Subscriber
    words: str
    since: datetime
    online: bool

    @property
    def ipv6(self) -> list[str]:
        """What it holds of IPv6."""
        one = self.subscriber
        held = (one.framed_ipv6_prefix, one.delegated_prefix, one.framed_ipv6)
        return [str(address) for address in held if address]


class Confirmed(NamedTuple):
    """What came of the last thing a router was told, in words, and when. `retry`: the intent that may be told again."""

    words: str
    at: datetime
    good: bool
    retry: int | None = None


class PoolUse(NamedTuple):
    """Addresses of a pool: all, in use by sessions or services, and leased to radiusd in blocks."""

    size: int
    used: int
    leased: int


def logins_of(service_id: int) -> list[LoginState]:
    """The logins of a service, each with its state in words."""
    logins = Subscriber.objects.filter(service_id=service_id).select_related("service", "nas", "pool").order_by("login")
    online = set(SessionLive.objects.filter(service_id=service_id).values_list("subscriber_id", flat=True))
    lists = dict(CauseRule.objects.filter(partner__services=service_id).values_list("cause", "list_name"))
    return [LoginState(one, _state(one, lists), one.since, one.pk in online) for one in logins]


def _state(login: Subscriber, lists: dict[int, str]) -> str:
    if login.service.state == ServiceState.ENDED:
        return "ended; its addresses are free"
    if login.cause is None:
        slowed = login.fair_use == FairUseState.SLOWED
        return "slowed: the month's volume is used up" if slowed else "has access"
    list_name = lists.get(login.cause)
    return f"blocked: {why(login)}" + (f" ({list_name})" if list_name else "")


def why(login: Subscriber) -> str:
    """Why a login that is blocked is, in a few words."""
    if login.fair_use == FairUseState.BLOCKED:
        return "volume used up"
    return CAUSES[Cause(login.cause or 0)]


def nases(partner_ids: Sequence[int] | None) -> QuerySet[Nas]:
    """The NASes of these partners (None: all), by router."""
    found = Nas.objects.select_related("router", "partner").order_by("router__name", "id")
    return found if partner_ids is None else found.filter(partner_id__in=partner_ids)


def online_sessions(partner_ids: Sequence[int] | None, search: str = "") -> QuerySet[SessionLive]:
    """The sessions that are on, newest first; `search`: a login's beginning, an address, or a MAC's beginning."""
    found = SessionLive.objects.select_related("nas__router", "service__customer", "subscriber")
    if partner_ids is not None:
        found = found.filter(partner_id__in=partner_ids)
    if search := search.strip():
        match = Q(user_name__istartswith=search)
        found = found.filter(match | held if (held := holding(search)) else match)
    return found.order_by("-started_at", "-id")


def holding(text: str) -> Q | None:
    """The sessions that are on with this address, or with a MAC that begins so; None: it is neither."""
    try:
        address = ip_address(text.strip())
    except ValueError:
        digits = MAC_BETWEEN.sub("", text.strip()).upper()
        if not MAC_DIGITS.fullmatch(digits):
            return None
        pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
        return reduce(or_, (Q(calling_station__istartswith=between.join(pairs)) for between in (":", "-", "")))
    if address.version == 6:
        return Q(framed_ipv6=str(address))
    return Q(vrf__in={0, *Pool.objects.values_list("vrf", flat=True).distinct()}, framed_ipv4=str(address))


def past_sessions(
    *, service_id: int | None = None, subscriber_id: int | None = None, limit: int = 50, before: datetime | None = None
) -> list[SessionLog]:
    """The ended sessions of a service or of one login, newest first, at most PAST_MAX; `before`: started before then,
    to read on."""
    if service_id is None and subscriber_id is None:
        raise ValueError("past sessions of what?")
    found = SessionLog.objects.order_by("-started_at", "-id")
    if service_id is not None:
        found = found.filter(service_id=service_id)
    if subscriber_id is not None:
        found = found.filter(subscriber_id=subscriber_id)
    if before is not None:
        found = found.filter(started_at__lt=before)
    return list(found[: min(limit, PAST_MAX)])


def ending(session: SessionLog) -> str:
    """Why a session ended, in words."""
    return ENDINGS.get(session.terminate_cause, "not said")


def router_confirmed(service_id: int) -> Confirmed | None:
    """What came of the last thing that a router was told about a session of the service; None: nothing was told."""
    intents = CoaIntent.objects.filter(subscriber__service_id=service_id).exclude(state=CoaState.SUPERSEDED)
    intent = intents.order_by("-id").first()
    return None if intent is None else confirmation(intent)


def confirmation(intent: CoaIntent) -> Confirmed:
    """What came of an intent, in words."""
    what = "disconnect" if intent.kind == CoaKind.DISCONNECT else "access" if intent.unblock else "block"
    at = intent.confirmed_at or intent.answered_at or intent.sent_at or intent.created_at
    tries = "1 try" if intent.tries == 1 else f"{intent.tries} tries"
    words = {
        CoaState.QUEUED: f"{what}: waiting to be sent",
        CoaState.SENT: f"{what}: sent, no answer yet ({tries})",
        CoaState.ACK: f"{what}: router confirmed {_after(intent.answered_at, intent)}",
        CoaState.CONFIRMED: f"{what}: {_proven(intent)}",
        CoaState.NAK: f"{what}: refused: {_error(intent.error_cause)}",
        CoaState.LATER: f"{what}: refused for now: {_error(intent.error_cause)}",
        CoaState.NO_ANSWER: f"{what}: no answer after {tries}",
        CoaState.GONE: f"{what}: the session was over already",
        CoaState.IGNORED: f"{what}: router confirmed it, but accounting shows that it did not do it",
        CoaState.SUPERSEDED: f"{what}: replaced by a newer one",
        CoaState.NOT_SENT: f"{what}: the router takes no CoA",
    }[CoaState(intent.state)]
    good = intent.state in HEADWAY
    return Confirmed(words, at, good, None if good or intent.state == CoaState.NOT_SENT else intent.pk)


def _proven(intent: CoaIntent) -> str:
    """Accounting may tell it without the router having answered."""
    seen = f"seen in accounting {_after(intent.confirmed_at, intent)}"
    return f"router confirmed {_after(intent.answered_at, intent)}, {seen}" if intent.answered_at else seen


def _after(then: datetime | None, intent: CoaIntent) -> str:
    if then is None:
        return ""
    tenths = round((then - intent.created_at).total_seconds() * 10)
    return f"{tenths // 10}.{tenths % 10} s after" if tenths < 600 else f"{tenths // 600} min after"


def _error(cause: int | None) -> str:
    return "no reason given" if cause is None else f"{cause} {ERROR_CAUSES.get(cause, '')}".strip()


def unconfirmed(partner_ids: Sequence[int] | None, limit: int = 50) -> list[CoaIntent]:
    """Sessions still on that a router did not treat as it was told: the last word of each is no answer, a refusal, or
    that it still waits after a minute."""
    found = list(CoaIntent.objects.raw(UNCONFIRMED, {"partners": partner_ids and list(partner_ids), "limit": limit}))
    prefetch_related_objects(found, "nas__router", "subscriber__service__customer")
    return found


def services_without_money() -> list[int]:
    """All services that are blocked for money, by id."""
    blocked = Service.objects.filter(blocked_cause=Cause.NO_MONEY).order_by("id")
    return list(blocked.values_list("pk", flat=True))


def pool_use(pool_ids: Sequence[int]) -> dict[int, PoolUse]:
    """How full each of these pools is."""
    with connection.cursor() as cursor:
        cursor.execute(POOL_USE, {"pools": list(pool_ids)})
        return {row[0]: PoolUse(int(row[1]), int(row[2]), int(row[3])) for row in cursor.fetchall()}
