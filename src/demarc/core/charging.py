"""The prepaid day: what it costs, whether it is charged or blocks, and how long a balance lasts.

Pure rules over facts that the caller has loaded; knows no database, no clock and no tax. Amounts are minor
units.

Every verb that touches an account (payment, block, stop, setting) first decides its days through today with
`due` and records the outcomes; only then does it change facts and call `retry`. So a late run sees what a
punctual one saw.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple, TypeVar

from demarc.core.money import half_up
from demarc.core.period import ONE_DAY, DayRule, day_share, days, last_of_month

RUNWAY_DAYS = 400
"""How far `runway` looks ahead."""


class LimitRule(StrEnum):
    """When a day blocks. COVER: the balance after the day's charge would fall below the minimal balance.
    STOP_AT_LIMIT: the balance at 00:00 is at or below it; the last day charged may then pass below it
    once."""

    COVER = "cover"
    STOP_AT_LIMIT = "stop_at_limit"


class Decision(StrEnum):
    """What was decided for one account and day. SKIPPED_BLOCKED: it was blocked already, so nothing was
    tried."""

    CHARGED = "charged"
    BLOCKED = "blocked"
    NOTHING_DUE = "nothing_due"
    SKIPPED_BLOCKED = "skipped_blocked"


@dataclass(frozen=True, slots=True)
class Fact:
    """A dated fact about a service.

    `valid_from` is the first day it is meant for; `seen_from` the first day whose 00:00 came after it was both
    valid and recorded (never before `valid_from`): what is entered at 10:00 for today decides tomorrow.
    """

    id: int
    valid_from: date
    seen_from: date


@dataclass(frozen=True, slots=True)
class PriceFact(Fact):
    """The monthly gross price of a service: of all that is held of it."""

    price_minor: int


@dataclass(frozen=True, slots=True)
class StateFact(Fact):
    """Whether a service is in use."""

    active: bool


SomeFact = TypeVar("SomeFact", bound=Fact)


class ServiceFacts(NamedTuple):
    """One service; `prices` and `states` sorted by (valid_from, recorded): the last one that applies is in
    force.

    `charged_through` is the last day it was charged for; such a day is never charged again.
    """

    service_id: int
    prices: tuple[PriceFact, ...]
    states: tuple[StateFact, ...]
    charged_through: date | None = None


class BlockedSpan(NamedTuple):
    """Days at whose 00:00 the account was already blocked, for whatever cause; `last` None: it still is."""

    first: date
    last: date | None


class AccountFacts(NamedTuple):
    """All that the prepaid day needs to know of one account.

    `decided_through` None: no day was decided yet; the first one is then the first that a service is active
    on. The two flags say what is true now and decide today; `blocked_spans` say what was true on earlier days
    and are needed only when those are still undecided.
    """

    account_id: int
    currency: str
    balance: int
    minimal_balance: int
    day_rule: DayRule
    limit_rule: LimitRule
    charge_activation_day: bool
    services: tuple[ServiceFacts, ...]
    decided_through: date | None
    blocked_for_money: bool = False
    blocked_by_hand: bool = False
    blocked_spans: tuple[BlockedSpan, ...] = ()


class ServiceCharge(NamedTuple):
    """One service's charge for one day, `amount` > 0, and the facts it rests on."""

    service_id: int
    amount: int
    price_fact_id: int
    service_fact_id: int


class DayOutcome(NamedTuple):
    """One decided day. `cost` is what the day costs, charged or (BLOCKED) not; `lines` only what was charged.

    `catch_up`: the day was over when it was decided.
    """

    day: date
    decision: Decision
    lines: tuple[ServiceCharge, ...]
    cost: int
    balance_after: int
    catch_up: bool


class Runway(NamedTuple):
    """`last_paid_day`: the last day the balance pays for if nothing changes; None: blocked now; RUNWAY_DAYS
    ahead means at least so long. `cost_next_day`: what tomorrow costs, or today when blocked."""

    last_paid_day: date | None
    cost_next_day: int


def day_charge(price_minor: int, day: date, rule: DayRule) -> int:
    """What `day` costs at a monthly price. Cumulative rounding: the days of a month sum to the price
    exactly."""
    k, n = day_share(day, rule)
    return half_up(price_minor * k, n) - half_up(price_minor * (k - 1), n)


def due(facts: AccountFacts, until: date, today: date) -> list[DayOutcome]:
    """Decide every undecided day through `until`, in order; [] when there is none.

    Days before `today` are caught up: charged even below the minimal balance unless the account was blocked.
    Today is decided by the limit rule. Days after today are a forecast that the caller must not record.
    """
    outcomes: list[DayOutcome] = []
    day, balance = _first_undecided(facts), facts.balance
    blocked = facts.blocked_for_money or facts.blocked_by_hand
    while day is not None and day <= until:
        late = day < today
        if _was_blocked(facts, day) if late else blocked:
            outcome = DayOutcome(day, Decision.SKIPPED_BLOCKED, (), 0, balance, late)
        else:
            outcome = _decide(facts, day, balance, _lines(facts, day), late)
            balance = outcome.balance_after
            blocked = blocked or outcome.decision is Decision.BLOCKED
        outcomes.append(outcome)
        day += ONE_DAY
    return outcomes


def retry(facts: AccountFacts, today: date) -> DayOutcome | None:
    """After a payment, a correction or a change of price, plan or setting: pay today in full, be active
    again.

    CHARGED or NOTHING_DUE lifts the block for money; BLOCKED: it does not suffice. None: nothing to retry,
    because the account is not blocked for money or is blocked by hand too. Days through today must have been
    decided.
    """
    _expect_decided(facts, today)
    if not facts.blocked_for_money or facts.blocked_by_hand:
        return None
    return _decide(facts, today, facts.balance, _lines(facts, today, known_now=True), late=False)


def activation(facts: AccountFacts, service_id: int, today: date) -> DayOutcome | None:
    """The day on which a service is activated, charged in full at once when `charge_activation_day` says so.

    Only that service is charged. BLOCKED: the balance does not carry it and nothing is charged. None: nothing
    to charge (setting off, account blocked, charged for today already). Days through today must have been
    decided; for a new account this decides today.
    """
    _expect_decided(facts, today)
    if not facts.charge_activation_day or facts.blocked_for_money or facts.blocked_by_hand:
        return None
    lines = tuple(line for line in _lines(facts, today, known_now=True) if line.service_id == service_id)
    return _decide(facts, today, facts.balance, lines, late=False) if lines else None


def shortfall(facts: AccountFacts, today: date) -> int:
    """The least payment after which `retry` lifts the block for money today; 0 when there is none to lift."""
    cost = _cost(_lines(facts, today, known_now=True))
    if not facts.blocked_for_money or cost == 0:
        return 0
    if facts.limit_rule is LimitRule.COVER:
        return max(0, facts.minimal_balance + cost - facts.balance)
    return max(0, facts.minimal_balance + 1 - facts.balance)


def runway(facts: AccountFacts, today: date) -> Runway:
    """Until when the balance lasts, exactly, by the same rules as `due` and with all facts known now."""
    if facts.blocked_for_money or facts.blocked_by_hand:
        return Runway(None, _cost(_lines(facts, today, known_now=True)))
    balance = facts.balance
    for outcome in due(facts, today, today):
        if outcome.decision is Decision.BLOCKED:
            return Runway(None, outcome.cost)
        balance = outcome.balance_after
    cost_next_day = _cost(_lines(facts, today + ONE_DAY))
    first, horizon = today + ONE_DAY, today + RUNWAY_DAYS * ONE_DAY
    while first <= horizon:
        last = min(last_of_month(first), horizon)
        cost = _cost_of_stretch(facts, first, last)
        if cost is not None and (cost == 0 or balance - cost >= facts.minimal_balance):
            balance -= cost
        else:
            for day in days(first, last):
                outcome = _decide(facts, day, balance, _lines(facts, day), late=False)
                if outcome.decision is Decision.BLOCKED:
                    return Runway(day - ONE_DAY, cost_next_day)
                balance = outcome.balance_after
        first = last + ONE_DAY
    return Runway(horizon, cost_next_day)


def _first_undecided(facts: AccountFacts) -> date | None:
    if facts.decided_through is not None:
        return facts.decided_through + ONE_DAY
    early = facts.charge_activation_day
    starts = (
        state.valid_from if early else state.seen_from
        for service in facts.services
        for state in service.states
        if state.active
    )
    return min(starts, default=None)


def _expect_decided(facts: AccountFacts, today: date) -> None:
    if facts.decided_through is not None and facts.decided_through < today:
        raise ValueError(f"account {facts.account_id} is decided through {facts.decided_through}, not {today}")


def _was_blocked(facts: AccountFacts, day: date) -> bool:
    return any(span.first <= day and (span.last is None or day <= span.last) for span in facts.blocked_spans)


def _decide(facts: AccountFacts, day: date, balance: int, lines: tuple[ServiceCharge, ...], late: bool) -> DayOutcome:
    cost = _cost(lines)
    if cost == 0:
        return DayOutcome(day, Decision.NOTHING_DUE, (), 0, balance, late)
    if facts.limit_rule is LimitRule.COVER:
        suffices = balance - cost >= facts.minimal_balance
    else:
        suffices = balance > facts.minimal_balance
    if suffices or late:
        return DayOutcome(day, Decision.CHARGED, lines, cost, balance - cost, late)
    return DayOutcome(day, Decision.BLOCKED, (), cost, balance, late)


def _lines(facts: AccountFacts, day: date, *, known_now: bool = False) -> tuple[ServiceCharge, ...]:
    """What the services cost on `day` by the facts that its 00:00 saw.

    With `known_now` (`day` is today) a service that was in use at 00:00 costs what it costs by the facts of this
    moment, and nothing when it was stopped since; a service activated today stays as free as it was.
    """
    lines = []
    for service in facts.services:
        state = _state_seen(service, day, facts.charge_activation_day)
        price = _price_seen(service, day)
        if known_now and state is not None and state.active:
            state, price = _latest(service.states, day), _latest(service.prices, day)
        if state is not None and state.active and price is not None:
            line = _line(service, state, price, day, facts.day_rule)
            if line is not None:
                lines.append(line)
    return tuple(lines)


def _line(service: ServiceFacts, state: StateFact, price: PriceFact, day: date, rule: DayRule) -> ServiceCharge | None:
    if service.charged_through is not None and day <= service.charged_through:
        return None
    amount = day_charge(price.price_minor, day, rule)
    return ServiceCharge(service.service_id, amount, price.id, state.id) if amount else None


def _cost(lines: tuple[ServiceCharge, ...]) -> int:
    return sum(line.amount for line in lines)


def _state_seen(service: ServiceFacts, day: date, early: bool) -> StateFact | None:
    for state in reversed(service.states):
        if state.seen_from <= day or (early and state.active and state.valid_from <= day):
            return state
    return None


def _price_seen(service: ServiceFacts, day: date) -> PriceFact | None:
    for price in reversed(service.prices):
        if price.seen_from <= day:
            return price
    # Nothing came before a first price, so it counts for the whole day it was entered on.
    return _latest(service.prices, day)


def _latest(facts: tuple[SomeFact, ...], day: date) -> SomeFact | None:
    for fact in reversed(facts):
        if fact.valid_from <= day:
            return fact
    return None


def _cost_of_stretch(facts: AccountFacts, first: date, last: date) -> int | None:
    """What the days from `first` to `last` of one month cost in all; None when a fact changes among them."""
    cost = 0
    for service in facts.services:
        if any(first < fact.seen_from <= last for fact in (*service.states, *service.prices)):
            return None
        state = _state_seen(service, first, facts.charge_activation_day)
        price = _price_seen(service, first)
        if state is not None and state.active and price is not None:
            cost += _stretch_charge(price.price_minor, first, last, facts.day_rule)
    return cost


def _stretch_charge(price_minor: int, first: date, last: date, rule: DayRule) -> int:
    """The sum of `day_charge` from `first` to `last`, days of one month, in one step."""
    if rule is DayRule.THIRTY and last.day == 31:
        beyond = day_charge(price_minor, last, rule)
        return beyond if first == last else beyond + _stretch_charge(price_minor, first, last - ONE_DAY, rule)
    k, n = day_share(last, rule)
    return half_up(price_minor * k, n) - half_up(price_minor * (first.day - 1), n)
