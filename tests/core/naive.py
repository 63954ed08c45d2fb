"""A second, naive way to bill: day by day with fractions, sharing no code with demarc.core. For small cases only."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Fact:
    day: date
    plan: int
    use: str  # billed, paused, left
    own_price: int | None = None
    quantity: int = 1


def billing_date(year: int, month: int, number: int) -> date:
    return date(year, month, min(number, monthrange(year, month)[1]))


def month_of(day: date, number: int) -> tuple[date, date]:
    """First day of the billing month of `day`, and of the next one."""
    year, month = day.year, day.month
    begin = billing_date(year, month, number)
    if begin > day:
        year, month = (year - 1, 12) if month == 1 else (year, month - 1)
        begin = billing_date(year, month, number)
    year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return begin, billing_date(year, month, number)


def round_half_up(amount: Fraction) -> int:
    return half_up(amount.numerator, amount.denominator)


def half_up(over: int, under: int) -> int:
    """over / under; a half goes away from zero."""
    return (2 * over + under) // (2 * under) if over >= 0 else -half_up(-over, under)


def price_on(prices: Sequence[tuple[date, int]], day: date) -> int:
    """The latest price that is valid; among those of one day the one recorded last."""
    valid = [(valid_from, place, amount) for place, (valid_from, amount) in enumerate(prices) if valid_from <= day]
    if not valid:
        first = min(valid_from for valid_from, _ in prices)
        return [amount for valid_from, amount in prices if valid_from == first][-1]
    return max(valid)[2]


def fact_on(facts: Sequence[Fact], day: date) -> Fact | None:
    valid = [(fact.day, place, fact) for place, fact in enumerate(facts) if fact.day <= day]
    return max(valid, key=lambda one: one[:2])[2] if valid else None


def worth_on(
    facts: Sequence[Fact],
    prices: dict[int, Sequence[tuple[date, int]]],
    discounts: Sequence[tuple[date, date | None, int, int]],
    day: date,
) -> Fraction | None:
    """What the month is worth by the facts of this day; None when the day is not billed."""
    return worth_of(fact_on(facts, day), prices, discounts, day)


def worth_of(
    fact: Fact | None,
    prices: dict[int, Sequence[tuple[date, int]]],
    discounts: Sequence[tuple[date, date | None, int, int]],
    day: date,
) -> Fraction | None:
    """The same, when it is known which fact is in force."""
    if fact is None or fact.use != "billed":
        return None
    price = fact.own_price if fact.own_price is not None else price_on(prices[fact.plan], day)
    worth = Fraction(price * fact.quantity)
    now = [one for one in discounts if one[0] <= day and (one[1] is None or day <= one[1])]
    percent = min(sum(one[2] for one in now), 10_000)
    worth = worth * (10_000 - percent) / 10_000 - sum(one[3] for one in now)
    return max(worth, Fraction(0))


def cost(facts, prices, discounts, first: date, last: date, number: int) -> int:
    """All days from first to last."""
    total = 0
    day = first
    while day <= last:
        worth = worth_on(facts, prices, discounts, day)
        if worth is not None:
            total += cost_of_day(worth, day, number)
        day += DAY
    return total


def cost_of_day(worth: Fraction, day: date, number: int) -> int:
    """The difference of two rounded shares of its month."""
    begin, end = month_of(day, number)
    k, under = (day - begin).days, worth.denominator * (end - begin).days
    return half_up(worth.numerator * (k + 1), under) - half_up(worth.numerator * k, under)
