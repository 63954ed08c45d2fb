"""Reads about decisions and moving in: why somebody was answered so, step by step, who is answered by whom, and what
would change under other rules. Writes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from demarc.access.actions.policy import BLOCKED_SESSION_TIMEOUT_S
from demarc.access.fair_use import fair_use_block
from demarc.access.models import AnsweredBy, Decision, FairUseState, MovingIn, MovingMode, Nas, Outcome, Subscriber
from demarc.access.models_fair_use import FairUseBlock
from demarc.access.queries import CAUSES
from demarc.core import access
from demarc.core.access import Accept, Answer, Cause, CauseRule, Check, NasRules, Policy, Request, Source
from demarc.core.shadow import Recorded, Seen, replay
from demarc.network.models import Pool, PoolKind, RouterCause
from demarc.network.queries import cause_rules, preset_rows

DECISIONS_SHOWN_MAX = 5000
REPLAYED_MAX = 10_000
CHANGES_SHOWN_MAX = 200
UNKNOWN_SHOWN_MAX = 50

METHODS = {
    "pap": "PAP",
    "chap": "CHAP",
    "mschap1": "MS-CHAP",
    "mschap2": "MS-CHAPv2",
    "eap": "EAP",
    "none": "No password was sent",
}
CREDENTIALS = {
    "pass": "the password is right",
    "fail": "the password is wrong",
    "unknown": "it could not be checked",
    "noise": "it is noise, as when the secrets differ",
}
SOURCES = {
    Source.STATIC: "the login's static address",
    Source.POOL: "a pool of ours",
    Source.REJECT_POOL: "the reject pool of the cause",
    Source.FRAMED_POOL: "a pool of the router, by name",
    Source.NAS: "the router, as it is set up",
}
MOVED = """
SELECT d.nas_id,
    count(*) FILTER (WHERE d.answered_by = 'us'),
    count(*) FILTER (WHERE d.answered_by = 'old' AND d.outcome <> 'silent'),
    count(*) FILTER (WHERE d.answered_by = 'old' AND d.outcome = 'silent'),
    count(*) FILTER (WHERE d.answered_by = 'nobody'),
    count(*) FILTER (WHERE cardinality(d.differs) > 0)
FROM access_decision d WHERE d.nas_id = ANY(%(nases)s) AND d.at >= %(since)s GROUP BY d.nas_id
"""

STRANGERS = """
SELECT d.login, d.nas_id, max(d.at), count(*), count(*) FILTER (WHERE d.outcome IN ('accept', 'limited'))
FROM access_decision d
WHERE d.nas_id = ANY(%(nases)s) AND d.at >= %(since)s AND d.subscriber_id IS NULL AND d.answered_by <> 'us'
GROUP BY d.login, d.nas_id ORDER BY max(d.at) DESC LIMIT %(limit)s
"""


class Step(NamedTuple):
    """One thing that was looked at, what was found, and whether that spoke for the caller (None: neither)."""

    title: str
    words: str
    good: bool | None = None


class Moved(NamedTuple):
    """Since a moment: how many logins through a NAS we answered, the old server, nobody in time, nobody at all
    (listening), and how many answers differ."""

    us: int = 0
    old: int = 0
    unanswered: int = 0
    heard: int = 0
    differing: int = 0


class Stranger(NamedTuple):
    """A name that is nobody's here, as the old server gets it."""

    login: str
    nas_id: int
    last_at: datetime
    times: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Change:
    """A past request whose answer would be another, in words."""

    decision: Decision
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Other rules for one NAS. Empty preset: the table as it is; no limit: as each login has; causes missing in
    `answers`: as set now."""

    preset: str = ""
    session_limit: int | None = None
    answers: dict[Cause, Answer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many requests were answered again, how many answers would change, and the latest of these."""

    requests: int
    changed: int
    changes: list[Change]


def decisions(partner_ids: Sequence[int] | None, since: datetime, search: str = "") -> QuerySet[Decision]:
    """The decisions since a moment, newest first; `search`: a login's beginning, or all of a MAC or an address."""
    found = Decision.objects.filter(at__gte=since)
    if partner_ids is not None:
        found = found.filter(partner_id__in=partner_ids)
    if search := search.strip():
        match = Q(login__startswith=search) | Q(station__iexact=search)
        found = found.filter(match | Q(address=search) if _is_address(search) else match)
    return found.order_by("-at", "-id")


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def steps(decision: Decision, router: str) -> list[Step]:
    """What was looked at, in the order of core.access.decide."""
    found = {"exact": "Found", "domain": "Found without the domain in front", "none": "Nobody's here"}[decision.found]
    method = METHODS.get(decision.method, decision.method)
    proof = " An Accept must prove that we know it." if decision.needs_proof else ""
    checked = CREDENTIALS[decision.credentials]
    made = [
        Step("Router", f"{router or 'A router that is gone'}, known by its address"),
        Step("Login", f"{decision.login or 'No name'}. {found}.", decision.found != "none"),
        Step("Password", f"{method}: {checked}.{proof}", _good(decision.credentials)),
    ]
    if decision.found != "none" and decision.credentials == "pass":
        made += _as_customer(decision)
    made.append(_answer(decision))
    if decision.answered_by == AnsweredBy.OLD:
        made.append(Step("Old server", decision.why, decision.outcome in (Outcome.ACCEPT, Outcome.LIMITED)))
    return made


def _good(credentials: str) -> bool | None:
    return None if credentials == "unknown" else credentials == "pass"


def _as_customer(decision: Decision) -> list[Step]:
    macs = {"any": "Any device may connect", "listed": "One of the login's", "other": "Not one of the login's"}
    station = decision.station or "No device named"
    limit = decision.session_limit
    full = 0 < limit <= decision.others
    allowed = f"{limit} at once is the limit" if limit else "there is no limit"
    blocked = decision.cause is not None and decision.cause != Cause.WRONG_MAC
    return [
        Step("Device", f"{station}. {macs[decision.mac_rule]}.", decision.mac_rule != "other"),
        Step(
            "State",
            _blocked(decision) if blocked else "Not blocked.",
            not blocked,
        ),
        Step("Sessions", f"{decision.others} others are on; {allowed}.", not full),
    ]


def _blocked(decision: Decision) -> str:
    if decision.why == access.USED_UP:
        return "Blocked: the month's volume is used up."
    return f"Blocked: {CAUSES[Cause(decision.cause or 0)]}."


def _answer(decision: Decision) -> Step:
    words = Outcome(decision.outcome).label
    if decision.answered_by == AnsweredBy.OLD:
        return Step("Passed on", "The router got the old server's answer.")
    if decision.answered_by == AnsweredBy.NOBODY:
        return Step("Answer", f"None was sent, we only listen. It would have been: {words.lower()}. {decision.why}")
    source = SOURCES.get(Source(decision.address_from)) if decision.address_from else None
    where = f" Address from {source}{f': {decision.address}' if decision.address else ''}." if source else ""
    return Step("Answer", f"{words}. {decision.why}{where}", decision.outcome == Outcome.ACCEPT)


def moving_nases(partner_ids: Sequence[int] | None) -> list[MovingIn]:
    """The NASes with an old server that is used, by router, of these partners (None: all)."""
    found = MovingIn.objects.exclude(mode=MovingMode.OFF).select_related("nas__router").order_by("nas__router__name")
    return list(found if partner_ids is None else found.filter(nas__partner_id__in=partner_ids))


def moved(nas_ids: Sequence[int], since: datetime) -> dict[int, Moved]:
    """NAS -> who answered its logins since then."""
    with connection.cursor() as cursor:
        cursor.execute(MOVED, {"nases": list(nas_ids), "since": since})
        return {row[0]: Moved(*row[1:]) for row in cursor.fetchall()}


def strangers(nas_ids: Sequence[int], since: datetime) -> list[Stranger]:
    """The names that went to the old server and are nobody's here, the latest first, at most UNKNOWN_SHOWN_MAX."""
    with connection.cursor() as cursor:
        cursor.execute(STRANGERS, {"nases": list(nas_ids), "since": since, "limit": UNKNOWN_SHOWN_MAX})
        return [Stranger(*row) for row in cursor.fetchall()]


def to_be_learned(partner_ids: Sequence[int] | None) -> tuple[int, int]:
    """How many logins of these partners (None: all) have no password yet, and how many learned theirs."""
    found = Subscriber.objects.all() if partner_ids is None else Subscriber.objects.filter(partner_id__in=partner_ids)
    return found.filter(secret=b"").count(), found.filter(learned_at__isnull=False).count()


# --- the past under other rules ---


def what_would_change(nas: Nas, what_if: WhatIf, *, since: timedelta, at: datetime, limit: int) -> Replayed:
    """The NAS's latest requests, at most `limit` and REPLAYED_MAX, answered again. Refused: there is no such preset."""
    before, after = _policy(nas, WhatIf()), _policy(nas, what_if)
    rows = (
        Decision.objects.filter(nas_id=nas.pk, at__gte=at - since).exclude(credentials="noise").order_by("-at", "-id")
    )
    recorded = {row.pk: row for row in rows[: min(limit, REPLAYED_MAX)]}
    past = _recorded(recorded.values())
    changed = list(replay(past, before, after, session_limit=what_if.session_limit))
    shown = [
        Change(recorded[one.recorded.id], _seen(one.before), _seen(one.after)) for one in changed[:CHANGES_SHOWN_MAX]
    ]
    return Replayed(len(recorded), len(changed), shown)


def _recorded(rows: Iterable[Decision]) -> list[Recorded]:
    known = list(rows)
    subscribers = Subscriber.objects.in_bulk({row.subscriber_id for row in known if row.subscriber_id})
    rules = {key: _rule(subscriber) for key, subscriber in subscribers.items()}
    return [
        Recorded(
            row.pk,
            row.at,
            Request("", Check(row.credentials), row.nas_id, access.normal_mac(row.station), row.needs_proof),
            rules.get(row.subscriber_id) if row.subscriber_id else None,
            row.others,
        )
        for row in known
    ]


def _rule(subscriber: Subscriber) -> access.Subscriber:
    """As radiusd has it in memory."""
    cause = subscriber.cause if subscriber.cause is not None or subscriber.active else Cause.NOT_ACTIVE
    return access.Subscriber(
        id=subscriber.pk,
        service_id=subscriber.service_id,
        blocked=None if cause is None else Cause(cause),
        used_up=subscriber.fair_use == FairUseState.BLOCKED,
        static_ipv4=IPv4Address(subscriber.static_ipv4) if subscriber.static_ipv4 else None,
        routes=tuple(subscriber.routes),
        macs=frozenset(map(access.normal_mac, subscriber.macs)) if subscriber.bind_mac else frozenset(),
        down_kbps=subscriber.down_kbps,
        up_kbps=subscriber.up_kbps,
        pool_ids=(subscriber.pool_id,) if subscriber.pool_id else (),
        simultaneous=subscriber.simultaneous_limit,
        session_timeout_s=subscriber.session_timeout_s,
    )


def _policy(nas: Nas, what_if: WhatIf) -> Policy:
    rules = {Cause(row.cause): row for row in cause_rules(nas.partner_id)}
    table = {cause: CauseRule(cause, row.list_name, row.pool_id, row.page_port) for cause, row in rules.items()}
    if what_if.preset:
        for row in preset_rows(what_if.preset):
            pool_id = rules[row.cause].pool_id if row.cause in rules else None
            table[row.cause] = CauseRule(row.cause, row.list_name, pool_id, row.page_port)
    answers = {Cause(row.cause): Answer(row.answer) for row in RouterCause.objects.filter(router_id=nas.router_id)}
    dynamic = Pool.objects.filter(partner_id=nas.partner_id, kind=PoolKind.DYNAMIC).order_by("id")
    own = dynamic.filter(router_id=nas.router_id).values_list("pk", flat=True)
    shared = dynamic.filter(router__isnull=True).values_list("pk", flat=True)
    block = fair_use_block(nas.partner_id, nas.router.nas_type)
    used_up = Answer.LIST if block == FairUseBlock.CUT else Answer(block) if block else None
    answers |= what_if.answers
    nas_rules = NasRules((*own, *shared), framed_pool=nas.framed_pool, answers=answers, used_up=used_up)
    return Policy(table, nas.interim_s, BLOCKED_SESSION_TIMEOUT_S, {nas.pk: nas_rules})


def _seen(seen: Seen) -> str:
    answer = seen.answer
    if not isinstance(answer, Accept):
        return f"Rejected. {answer.why}"
    if answer.cause is None:
        return "Accepted."
    return f"Accepted in {answer.list_name}, address from {SOURCES[answer.address.source]}, page {seen.page_port}."
