"""What a date, an amount or a word may be before anything is done with it. Knows nothing of what they mean."""

from collections.abc import Sequence
from datetime import date

from demarc.core.errors import Refused
from demarc.core.money import MAX_ENTERED, Money, format_plain

FIRST_DAY = date(2000, 1, 1)
"""Nothing is dated before it; `valid_from` of what holds from the beginning."""
LAST_DAY = date(2199, 12, 31)
PRICE_MAX = MAX_ENTERED
"""The largest price and the largest single payment, in minor units."""


def fact_day(day: date, *, field: str = "valid_from") -> date:
    """The day, when the tables can hold it."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Refused(f"Choose a day from {FIRST_DAY} to {LAST_DAY}.", field=field, code="date_out_of_range")
    return day


def price(amount: int, *, field: str = "price") -> int:
    """A month's price in minor units: from 0 to PRICE_MAX."""
    if amount < 0:
        raise Refused("A price cannot be negative.", field=field, code="out_of_range")
    if amount > PRICE_MAX:
        raise Refused("The price is too large.", field=field, code="out_of_range")
    return amount


def money(amount: int, least: int, most: int, currency: str, *, field: str) -> int:
    """An amount in minor units within its range."""
    if type(amount) is not int or not least <= amount <= most:
        first, last = (format_plain(Money(one, currency)) for one in (least, most))
        raise Refused(f"Choose an amount from {first} to {last} {currency}.", field=field, code="out_of_range")
    return amount


def whole(number: int, least: int, most: int, *, field: str) -> int:
    """A whole number within its range."""
    if type(number) is not int or not least <= number <= most:
        raise Refused(f"Choose a whole number from {least} to {most}.", field=field, code="out_of_range")
    return number


def word(chosen: str, known: Sequence[str], *, field: str) -> str:
    """One of the words that are known."""
    if chosen not in known:
        raise Refused(f"{chosen!r} is not one of {', '.join(known)}.", field=field, code="unknown_word")
    return chosen
