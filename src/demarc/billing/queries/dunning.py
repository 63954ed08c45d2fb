"""Reads of dunning for pages and programs: why somebody is blocked, the waves, what a policy would do."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from demarc.base.models import Partner
from demarc.billing.days_off import days_off
from demarc.billing.debts import Case, Guards, PolicyBook, load_cases
from demarc.billing.models import Outage, Promise, Wave, WaveState
from demarc.core import dunning
from demarc.core.dunning import AccountFacts, DaysOff, Event, Policy, Why
from demarc.core.period import billing_day

DAYS = 60
ACCOUNTS_MAX = 20_000
"""A simulation looks at so many accounts with open documents at most, and says so."""
CHUNK = 2000
KINDS = ("remind", "block", "deactivate")


WITH_DEBT = """
SELECT DISTINCT d.account_id FROM billing_document d
JOIN customers_account a ON a.id = d.account_id AND a.billing_type = 'recurring'
WHERE d.partner_id = %(partner)s AND d.open_amount > 0 ORDER BY d.account_id LIMIT %(most)s
"""


@dataclass(frozen=True)
class Standing:
    """One recurring account as dunning sees it now: `why` is the chain of facts."""

    case: Case
    why: list[Why]
    owed: int
    promise: Promise | None


class WhatIf(NamedTuple):
    """What a simulation changes: rules of the policy by name, and how many days after its date a document is due (None:
    as it is)."""

    rules: dict[str, Any]
    due_days: int | None = None


class ForeseenDay(NamedTuple):
    """One day of a simulation: how many are reminded, blocked and deactivated by the rules in force and by the changed
    ones, and what the newly blocked owe under the latter."""

    day: date
    now: tuple[int, int, int]
    then: tuple[int, int, int]
    amount: int


@dataclass
class Foresight:
    """What would happen if nobody paid. `events` are the changed rules's, in order of days; `cut`: there were more
    accounts with open documents than are looked at."""

    days: list[ForeseenDay]
    events: list[Event]
    accounts: int
    cut: bool
    blocked_now: int = field(default=0)
    blocked_then: int = field(default=0)


def policy_on(partner_id: int, day: date, account_id: int | None = None) -> tuple[Policy, Guards]:
    """The rules of dunning and the guards in force for a partner, or for one account, on a day."""
    book = PolicyBook.of([account_id] if account_id else (), [partner_id])
    return book.on(account_id, partner_id, day), book.guards(partner_id, day)


def standing(account_id: int, *, at: datetime) -> Standing | None:
    """Why an account is blocked, or when it will be; None for one that gets no documents."""
    case = load_cases([account_id], at=at).get(account_id)
    if case is None:
        return None
    today = case.payer.today
    promise = Promise.objects.filter(account_id=account_id, ended_at=None, until__gte=today).first()
    why = dunning.explain(case.facts, case.policy, today, case.off)
    return Standing(case, why, dunning.shortfall(case.facts, case.policy, today), promise)


def wave_list(partner_ids: Sequence[int] | None) -> QuerySet[Wave]:
    """The waves that the reader may see (None: all), newest first."""
    found = Wave.objects.select_related("partner").order_by("-day", "-id")
    return found if partner_ids is None else found.filter(partner_id__in=partner_ids)


def held_waves(partner_ids: Sequence[int] | None) -> QuerySet[Wave]:
    """Waves that wait for a person."""
    return wave_list(partner_ids).filter(state=WaveState.HELD)


def outage_list(partner_ids: Sequence[int] | None) -> QuerySet[Outage]:
    """Outages of ours that were noted, newest first."""
    found = Outage.objects.select_related("partner").order_by("-began_at", "-id")
    return found if partner_ids is None else found.filter(partner_id__in=partner_ids)


def foresee(partner: Partner, what_if: WhatIf, *, at: datetime, days: int = DAYS) -> Foresight:
    """What the partner's rules, and the same rules with something changed, would do over the next days, over his real
    accounts with open documents, if nobody paid and nothing new were billed."""
    today = billing_day(at, ZoneInfo(partner.zone))
    accounts = _with_debt(partner.pk)
    cut = len(accounts) > ACCOUNTS_MAX
    accounts = accounts[:ACCOUNTS_MAX]
    now: dict[date, list[int]] = {}
    then: dict[date, list[int]] = {}
    amounts: dict[date, int] = {}
    events: list[Event] = []
    for cases in _chunks(accounts, at):
        for event in dunning.simulate(((one.facts, one.policy, one.off) for one in cases), today, days):
            _count(now, event)
        for event in dunning.simulate((_changed(one, what_if) for one in cases), today, days):
            _count(then, event)
            events.append(event)
            if event.what == "block":
                amounts[event.day] = amounts.get(event.day, 0) + event.amount
    shown = [today + timedelta(days=number) for number in range(days)]
    rows = [
        ForeseenDay(day, _triple(now, day), _triple(then, day), amounts.get(day, 0))
        for day in shown
        if day in now or day in then
    ]
    events.sort(key=lambda event: (event.day, event.what, event.account_id))
    found = Foresight(rows, events, len(accounts), cut)
    found.blocked_now = sum(row.now[1] for row in rows)
    found.blocked_then = sum(row.then[1] for row in rows)
    return found


def foreseen_blocks(partner: Partner, what_if: WhatIf, *, at: datetime, days: int = DAYS) -> tuple[int, bool]:
    """How many of the partner's accounts the changed rules would block over the next days if nobody paid, and whether
    there were more with open documents than are looked at."""
    today = billing_day(at, ZoneInfo(partner.zone))
    accounts = _with_debt(partner.pk)
    blocked: set[int] = set()
    for cases in _chunks(accounts[:ACCOUNTS_MAX], at):
        events = dunning.simulate((_changed(one, what_if) for one in cases), today, days)
        blocked.update(event.account_id for event in events if event.what == "block")
    return len(blocked), len(accounts) > ACCOUNTS_MAX


def _with_debt(partner_id: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(WITH_DEBT, {"partner": partner_id, "most": ACCOUNTS_MAX + 1})
        return [row[0] for row in cursor.fetchall()]


def _chunks(accounts: Sequence[int], at: datetime) -> Iterator[list[Case]]:
    for start in range(0, len(accounts), CHUNK):
        yield list(load_cases(accounts[start : start + CHUNK], at=at).values())


def _changed(case: Case, what_if: WhatIf) -> tuple[AccountFacts, Policy, DaysOff]:
    """The account under other rules, its documents due on other days."""
    policy, facts = case.policy._replace(**what_if.rules), case.facts
    if what_if.due_days is not None:
        later = timedelta(days=what_if.due_days)
        facts = replace(facts, debts=tuple(debt._replace(due_on=debt.issued_on + later) for debt in facts.debts))
    return facts, policy, days_off(policy.country, case.payer.today.year)


def _count(counts: dict[date, list[int]], event: Event) -> None:
    counts.setdefault(event.day, [0, 0, 0])[KINDS.index(event.what)] += 1


def _triple(counts: dict[date, list[int]], day: date) -> tuple[int, int, int]:
    reminded, blocked, deactivated = counts.get(day, (0, 0, 0))
    return reminded, blocked, deactivated
