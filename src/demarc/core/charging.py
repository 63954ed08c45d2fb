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
from typing import NamedTuple

from demarc.core.money import half_up
from demarc.core.period import DayRule, day_share

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
class PriceFact:
    """A monthly gross price of a service.

    `valid_from` is the first day it is meant for; `seen_from` the first day whose 00:00 came after it was
    both valid and recorded (never before `valid_from`): a price entered at 10:00 for today decides tomorrow,
    not today.
    """

    id: int
    valid_from: date
    seen_from: date
    price_minor: int


@dataclass(frozen=True, slots=True)
class StateFact:
    """Whether a service is in use; days as in PriceFact. Activated at 10:00 of a day, it is first seen the
    day after."""

    id: int
    valid_from: date
    seen_from: date
    active: bool


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """One service; `prices` and `states` sorted by (valid_from, recorded): the last one that applies is in
    force.

    `charged_through` is the last day it was charged for; such a day is never charged again.
    """

    service_id: int
    prices: tuple[PriceFact, ...]
    states: tuple[StateFact, ...]
    charged_through: date | None = None


@dataclass(frozen=True, slots=True)
class BlockedSpan:
    """Days at whose 00:00 the account was already blocked, for whatever cause; `last` None: it still is."""

    first: date
    last: date | None


@dataclass(frozen=True, slots=True)
class AccountFacts:
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


@dataclass(frozen=True, slots=True)
class ServiceCharge:
    """One service's charge for one day, `amount` > 0, and the facts it rests on."""

    service_id: int
    amount: int
    price_fact_id: int
    service_fact_id: int


@dataclass(frozen=True, slots=True)
class DayOutcome:
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
    raise NotImplementedError


def retry(facts: AccountFacts, today: date) -> DayOutcome | None:
    """After a payment, a correction or a change of price, plan or setting: pay today in full and be active
    again.

    CHARGED or NOTHING_DUE lifts the block for money; BLOCKED: it does not suffice. None: nothing to retry,
    because the account is not blocked for money or is blocked by hand too. Days through today must have been
    decided.
    """
    raise NotImplementedError


def activation(facts: AccountFacts, service_id: int, today: date) -> DayOutcome | None:
    """The day on which a service is activated, charged in full at once, when `charge_activation_day` says so.

    Only that service is charged. BLOCKED: the balance does not carry it, nothing is charged. None: nothing to
    charge (setting off, account blocked, already charged for today). Days through today must have been
    decided.
    """
    raise NotImplementedError


def shortfall(facts: AccountFacts, today: date) -> int:
    """The least payment after which `retry` makes a blocked account active today; 0 when nothing is
    missing."""
    raise NotImplementedError


def runway(facts: AccountFacts, today: date) -> Runway:
    """Until when the balance lasts, exactly, by the same rules as `due` and with all facts known now."""
    raise NotImplementedError
