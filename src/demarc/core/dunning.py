"""Whom to remind, whom to block and whom to let go for a debt, and why. Pure: facts of an account in, an outcome out.

Knows no database, no clock and no calendar of its own: the days off come with the question. Amounts are minor units.
An overdue document is one whose due day and grace are over; what is done happens at the policy's hour of a permitted
day, so a run that comes an hour or a week late does what a punctual one would do then.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from statistics import median_low
from typing import NamedTuple

from demarc.core.period import ONE_DAY

LATE_DAYS = 2
"""A reminder is sent so many days late at most; after that it would only confuse."""

SEARCH_DAYS = 60
"""So far ahead a permitted day is looked for; a calendar without any is a mistake, and then nobody is blocked."""


class Channel(StrEnum):
    """How a reminder goes out."""

    MAIL = "mail"
    SMS = "sms"
    BOTH = "both"


class Reminder(NamedTuple):
    """`days` relative to the day a document is due (-3: three days before), from `hour` on."""

    days: int
    hour: int = 9
    channel: Channel = Channel.MAIL


class Policy(NamedTuple):
    """The rules of dunning in force for an account on a day.

    `blocks` off: nobody is blocked or deactivated. `country`: ISO 3166 code whose holidays count, "" for none.
    `deactivate_after_days`: counted from the day he was in fact blocked; 0: never. Fees: 0 for none.
    """

    reminders: tuple[Reminder, ...] = (Reminder(-3), Reminder(1), Reminder(7))
    blocks: bool = True
    grace_days: int = 0
    block_hour: int = 8
    on_weekends: bool = False
    on_holidays: bool = False
    country: str = ""
    threshold: int = 0
    one_time_blocks: bool = False
    deactivate_after_days: int = 0
    blocking_fee: int = 0
    reactivation_fee: int = 0


class DaysOff(NamedTuple):
    """The days on which offices of a country are closed. `weekend`: as date.weekday() counts, Monday is 0."""

    weekend: frozenset[int] = frozenset({5, 6})
    holidays: frozenset[date] = frozenset()


class Moment(NamedTuple):
    """A day and an hour of it (0 to 23), in the provider's zone."""

    day: date
    hour: int


class Debt(NamedTuple):
    """An open document; `amount` is what is still to be paid. `one_time`: it bills no period of any service."""

    document_id: int
    number: str
    issued_on: date
    due_on: date
    amount: int
    disputed: bool = False
    one_time: bool = False


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What dunning needs to know of one account. `blocked_on`: the day he was in fact blocked for money.
    `promised_until`: he promised to pay until then. `reminded`: (document, days) of reminders that went out."""

    account_id: int
    balance: int
    minimal_balance: int
    debts: tuple[Debt, ...] = ()
    promised_until: date | None = None
    blocked_on: date | None = None
    deactivated: bool = False
    reminded: frozenset[tuple[int, int]] = frozenset()


class Cause(StrEnum):
    """One fact in the chain that says why somebody is blocked, or why not."""

    OVERDUE = "overdue"
    BELOW_LIMIT = "below_limit"
    BLOCKED = "blocked"
    DEACTIVATES = "deactivates"
    DEACTIVATED = "deactivated"
    NOTHING_OPEN = "nothing_open"
    DISPUTED = "disputed"
    ONE_TIME = "one_time"
    NOT_YET = "not_yet"
    SMALL = "small"
    WITHIN_LIMIT = "within_limit"
    PROMISED = "promised"
    SWITCHED_OFF = "switched_off"
    BLOCKS = "blocks"


class Why(NamedTuple):
    """A cause with what it is about: a document's number, a day, an amount, as far as it has one."""

    cause: Cause
    number: str = ""
    day: date | None = None
    amount: int | None = None


class Sending(NamedTuple):
    """A reminder to be sent about a document."""

    debt: Debt
    reminder: Reminder


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to happen at a moment. At most one of `block` and `deactivate`."""

    remind: tuple[Sending, ...] = ()
    block: bool = False
    deactivate: bool = False


def permitted(policy: Policy, day: date, off: DaysOff) -> bool:
    """Whether anybody may be blocked on this day."""
    if not policy.on_weekends and day.weekday() in off.weekend:
        return False
    return policy.on_holidays or day not in off.holidays


def next_permitted(policy: Policy, day: date, off: DaysOff) -> date | None:
    """This day, or the first one after it on which anybody may be blocked."""
    ahead = (day + timedelta(days=offset) for offset in range(SEARCH_DAYS))
    return next((one for one in ahead if permitted(policy, one, off)), None)


def overdue(facts: AccountFacts, policy: Policy, day: date) -> list[Debt]:
    """The debts that count against him on `day`: due and grace are over, he does not dispute them."""
    grace = timedelta(days=policy.grace_days)
    return [
        debt
        for debt in facts.debts
        if debt.amount > 0
        and not debt.disputed
        and (policy.one_time_blocks or not debt.one_time)
        and debt.due_on + grace < day
    ]


def owes(facts: AccountFacts, policy: Policy, day: date) -> bool:
    """Whether his debt is one to be blocked for, whatever the hour and whatever he promised."""
    if not policy.blocks or facts.balance >= facts.minimal_balance:
        return False
    return sum(debt.amount for debt in overdue(facts, policy, day)) >= max(policy.threshold, 1)


def shortfall(facts: AccountFacts, policy: Policy, day: date) -> int:
    """What he must pay so that no overdue debt is left, or his balance is within its limit; 0 when he owes nothing
    that he is blocked for. Money pays what is disputed last and the rest by age, so what is due earlier is in it."""
    if not owes(facts, policy, day):
        return 0
    counted = {debt.document_id for debt in overdue(facts, policy, day)}
    needed = reached = 0
    for debt in sorted(facts.debts, key=lambda one: (one.disputed, one.due_on, one.document_id)):
        reached += debt.amount
        if debt.document_id in counted:
            needed = reached
    return max(1, min(needed, facts.minimal_balance - facts.balance))


def promise_holds(facts: AccountFacts, day: date) -> bool:
    """Whether he is to be left alone on this day because of what he promised."""
    return facts.promised_until is not None and day <= facts.promised_until


def decide(facts: AccountFacts, policy: Policy, moment: Moment, off: DaysOff) -> Outcome:
    """What is to happen at this moment and has not happened yet."""
    remind = tuple(_reminders(facts, policy, moment))
    if promise_holds(facts, moment.day) or not owes(facts, policy, moment.day):
        return Outcome(remind)
    if moment.hour < policy.block_hour or not permitted(policy, moment.day, off):
        return Outcome(remind)
    if facts.blocked_on is None:
        return Outcome(remind, block=True)
    last = _deactivates_on(facts, policy)
    return Outcome(remind, deactivate=last is not None and last <= moment.day)


def explain(facts: AccountFacts, policy: Policy, day: date, off: DaysOff) -> list[Why]:
    """The chain of facts behind his state on a day: what he owes, what counts, and what follows from it and when."""
    if not facts.debts and facts.blocked_on is None:
        return [Why(Cause.NOTHING_OPEN)]
    chain = [_about(debt, policy, day, off) for debt in sorted(facts.debts, key=lambda one: one.due_on)]
    owed = sum(debt.amount for debt in overdue(facts, policy, day))
    if not policy.blocks:
        chain.append(Why(Cause.SWITCHED_OFF))
    elif owed and facts.balance >= facts.minimal_balance:
        chain.append(Why(Cause.WITHIN_LIMIT, amount=facts.minimal_balance))
    elif 0 < owed < policy.threshold:
        chain.append(Why(Cause.SMALL, amount=policy.threshold))
    elif owed:
        chain.append(Why(Cause.BELOW_LIMIT, amount=facts.minimal_balance))
    return chain + _consequences(facts, policy, day, off)


def held_back(sizes: Sequence[int], factor: int, least: int) -> int:
    """How many a wave may block before a person must look: `factor` times the usual size of the last ones, or `least`
    if that is more."""
    usual = median_low(sizes) if sizes else 0
    return max(least, factor * usual)


class Event(NamedTuple):
    """Something that a simulation foresees for an account."""

    day: date
    account_id: int
    what: str
    amount: int


def simulate(cases: Iterable[tuple[AccountFacts, Policy, DaysOff]], first: date, days: int) -> Iterator[Event]:
    """What would happen from `first` on for `days` days if nobody paid and nothing new were billed: events of kind
    remind, block and deactivate, account by account and each in order."""
    last = first + timedelta(days=days - 1)
    for facts, policy, off in cases:
        day: date | None = first
        while day is not None and day <= last:
            for hour in sorted({policy.block_hour, *(reminder.hour for reminder in policy.reminders)}):
                outcome = decide(facts, policy, Moment(day, hour), off)
                yield from _foreseen(facts, policy, day, outcome)
                facts = _after(facts, outcome, day)
            day = _next_event(facts, policy, day, off)


def _reminders(facts: AccountFacts, policy: Policy, moment: Moment) -> Iterator[Sending]:
    """Of each document the latest reminder that is due by now, unless it went out."""
    asked = [debt for debt in facts.debts if debt.amount > 0 and not debt.disputed]
    if promise_holds(facts, moment.day) or sum(debt.amount for debt in asked) < max(policy.threshold, 1):
        return
    for debt in asked:
        latest = _latest(debt, policy, moment)
        if latest is not None and (debt.document_id, latest.days) not in facts.reminded:
            yield Sending(debt, latest)


def _latest(debt: Debt, policy: Policy, moment: Moment) -> Reminder | None:
    due = []
    for reminder in policy.reminders:
        on = debt.due_on + timedelta(days=reminder.days)
        begun = on < moment.day or (on == moment.day and reminder.hour <= moment.hour)
        if begun and on >= debt.issued_on and (moment.day - on).days <= LATE_DAYS:
            due.append(reminder)
    return max(due, default=None)


def _deactivates_on(facts: AccountFacts, policy: Policy) -> date | None:
    if facts.blocked_on is None or facts.deactivated or not policy.deactivate_after_days:
        return None
    return facts.blocked_on + timedelta(days=policy.deactivate_after_days)


def _about(debt: Debt, policy: Policy, day: date, off: DaysOff) -> Why:
    """What an open document means on a day."""
    if debt.disputed:
        return Why(Cause.DISPUTED, debt.number, debt.due_on, debt.amount)
    if debt.one_time and not policy.one_time_blocks:
        return Why(Cause.ONE_TIME, debt.number, debt.due_on, debt.amount)
    first = debt.due_on + timedelta(days=policy.grace_days + 1)
    if first <= day:
        return Why(Cause.OVERDUE, debt.number, debt.due_on, debt.amount)
    return Why(Cause.NOT_YET, debt.number, next_permitted(policy, first, off), debt.amount)


def _consequences(facts: AccountFacts, policy: Policy, day: date, off: DaysOff) -> list[Why]:
    if facts.deactivated:
        return [Why(Cause.DEACTIVATED)]
    if facts.blocked_on is not None:
        leaves = _deactivates_on(facts, policy)
        blocked = [Why(Cause.BLOCKED, day=facts.blocked_on)]
        return blocked + ([Why(Cause.DEACTIVATES, day=leaves)] if leaves and owes(facts, policy, day) else [])
    if promise_holds(facts, day):
        chain = [Why(Cause.PROMISED, day=facts.promised_until)]
        day = (facts.promised_until or day) + ONE_DAY
    else:
        chain = []
    blocked_on = next_permitted(policy, day, off) if owes(facts, policy, day) else None
    return chain + ([Why(Cause.BLOCKS, day=blocked_on)] if blocked_on else [])


def _foreseen(facts: AccountFacts, policy: Policy, day: date, outcome: Outcome) -> Iterator[Event]:
    for sending in outcome.remind:
        yield Event(day, facts.account_id, "remind", sending.debt.amount)
    if outcome.block or outcome.deactivate:
        owed = sum(debt.amount for debt in overdue(facts, policy, day))
        yield Event(day, facts.account_id, "block" if outcome.block else "deactivate", owed)


def _after(facts: AccountFacts, outcome: Outcome, day: date) -> AccountFacts:
    """The account after what was foreseen has happened."""
    sent = frozenset((sending.debt.document_id, sending.reminder.days) for sending in outcome.remind)
    if not sent and not outcome.block and not outcome.deactivate:
        return facts
    return replace(
        facts,
        reminded=facts.reminded | sent,
        blocked_on=day if outcome.block else facts.blocked_on,
        deactivated=facts.deactivated or outcome.deactivate,
    )


def _next_event(facts: AccountFacts, policy: Policy, after: date, off: DaysOff) -> date | None:
    """The next day on which anything may happen, so that a simulation need not try them all."""
    coming = {debt.due_on + timedelta(days=reminder.days) for debt in facts.debts for reminder in policy.reminders}
    starts = {debt.due_on + timedelta(days=policy.grace_days + 1) for debt in facts.debts}
    if facts.promised_until is not None:
        coming.add(facts.promised_until + ONE_DAY)
    leaves = _deactivates_on(facts, policy)
    if owes(facts, policy, after) and not facts.deactivated and (facts.blocked_on is None or leaves):
        kept = facts.promised_until or after
        starts.add(max(after + ONE_DAY, kept + ONE_DAY, leaves or after))
    coming |= {day for start in starts if start > after and (day := next_permitted(policy, start, off))}
    return min((day for day in coming if day > after), default=None)
