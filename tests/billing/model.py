"""Billing once more, as a dictionary: what each day of each service costs, and who paid what. No code of Demarc's.

A service is billed day by day; a day's amount is the difference of two rounded shares of its month. What a recurring
service is billed ahead is kept with the price that it was billed at.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache

from tests.core.naive import month_of, round_half_up

DAY = timedelta(days=1)

NEARLY_FREE = 15
"""So little a month that a day of it costs nothing."""


@dataclass
class Held:
    """A service: `billed` has, for each billed day, the month's price it was billed at."""

    plan: str
    active: bool
    own: int | None = None
    billed: dict[date, int] = field(default_factory=dict)
    left_as: tuple[str, int | None] | None = None
    by_the_day: date = date.min  # the last day that was paid by the day


@dataclass
class Payer:
    """An account: `prepaid`, or the next regular billing day."""

    prepaid: bool
    paid: int = 0
    charged: int = 0
    next_on: date | None = None
    held: dict[int, Held] = field(default_factory=dict)


@lru_cache(100_000)
def share(price: int, day: date, billing_day: int) -> int:
    """What a day costs of a month's price."""
    begin, end = month_of(day, billing_day)
    k, n = (day - begin).days, (end - begin).days
    return round_half_up(Fraction(price * (k + 1), n)) - round_half_up(Fraction(price * k, n))


class Model:
    """One provider. `today` is the day; all that people do happens at noon."""

    def __init__(self, today: date, prices: dict[str, int], billing_day: int) -> None:
        self.today = today
        self.prices = dict(prices)
        self.billing_day = billing_day
        self.payers: dict[int, Payer] = {}
        self.free_until: dict[str, date] = {}

    def balance(self, account: int) -> int:
        payer = self.payers[account]
        owed = sum(
            share(price, day, self.billing_day) for held in payer.held.values() for day, price in held.billed.items()
        )
        return payer.paid - payer.charged - owed

    def price(self, held: Held) -> int:
        return self.prices[held.plan] if held.own is None else held.own

    def waits(self, plan: str) -> bool:
        """Whether somebody may have the plan for nothing, or for less than half a cent until the next regular document,
        which is to bill it: without one, free days are not billed yet, and would cost what the plan costs by then
        (test_recurring has such a story)."""
        return self.today <= self.free_until.get(plan, date.min)

    def activate(self, account: int, service: int) -> None:
        payer = self.payers[account]
        held = payer.held[service]
        held.active = True
        self._note_free(held)
        if payer.prepaid:
            return
        if self.today in held.billed and held.left_as not in (None, (held.plan, held.own)):
            held.billed[self.today] = self.price(held)  # moved to another plan while it was away, within the day
        if payer.next_on is None:
            payer.next_on = month_of(self.today, self.billing_day)[1]
        self._bill(held, max(self.today, held.by_the_day + DAY), payer.next_on - DAY)

    def leave(self, account: int, service: int) -> None:
        """Paused or ended: today is the last day of use."""
        payer = self.payers[account]
        held = payer.held[service]
        held.active, held.left_as = False, (held.plan, held.own)
        if not payer.prepaid:
            held.billed = {day: price for day, price in held.billed.items() if day <= self.today}

    def change(self, account: int, service: int, plan: str, own: int | None) -> None:
        """Another plan or own price from today on."""
        payer = self.payers[account]
        held = payer.held[service]
        same = held.own is None and own is None and held.plan == plan
        held.plan, held.own = plan, own
        self._note_free(held)
        if not payer.prepaid and held.active and not same:
            for day in held.billed:
                if day >= self.today:
                    held.billed[day] = self.price(held)

    def next_day(self) -> None:
        """Midnight: prepaid days are charged, and documents that are due are issued."""
        self.today += DAY
        for payer in self.payers.values():
            if payer.prepaid:
                payer.charged += sum(
                    share(self.price(held), self.today, 1) for held in payer.held.values() if held.active
                )
            elif payer.next_on == self.today:
                payer.next_on = month_of(self.today, self.billing_day)[1]
                for held in payer.held.values():
                    if held.active:
                        self._bill(held, self.today, payer.next_on - DAY)

    def make_recurring(self, account: int) -> None:
        payer = self.payers[account]
        payer.prepaid = False
        for held in payer.held.values():
            held.by_the_day = self.today
            self._note_free(held)
        active = [held for held in payer.held.values() if held.active]
        if active:
            begun = self.today + DAY
            begin, end = month_of(begun, self.billing_day)
            payer.next_on = end if begin <= begun else begin
            for held in active:
                self._bill(held, begun, payer.next_on - DAY)

    def make_prepaid(self, account: int) -> None:
        payer = self.payers[account]
        payer.prepaid, payer.next_on = True, None
        for held in payer.held.values():  # what was billed through today is settled for good
            used = {day: price for day, price in held.billed.items() if day <= self.today}
            payer.charged += sum(share(price, day, self.billing_day) for day, price in used.items())
            held.billed = {}

    def _note_free(self, held: Held) -> None:
        if self.price(held) <= NEARLY_FREE:
            self.free_until[held.plan] = month_of(self.today + DAY, self.billing_day)[1]

    def _bill(self, held: Held, first: date, last: date) -> None:
        day = first
        while day <= last:
            held.billed.setdefault(day, self.price(held))
            day += DAY
