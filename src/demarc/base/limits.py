"""What a date, an amount or a word may be before anything is done with it. Knows nothing of what they mean."""

from collections.abc import Sequence
from datetime import date

from demarc.core.errors import Refused

FIRST_DAY = date(2000, 1, 1)
"""Nothing is dated before it; `valid_from` of what holds from the beginning."""
LAST_DAY = date(2199, 12, 31)
PRICE_MAX = 10**12
"""The largest price and the largest single payment, in minor units."""


def fact_day(day: date, *, field: str = "valid_from") -> date:
    """The day, when the tables can hold it."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Refused(f"Choose a day from {FIRST_DAY} to {LAST_DAY}.", field=field, code="date_out_of_range")
    return day


def price(amount: int, *, field: str = "price") -> int:
    """A month's price in minor units: from 0 to PRICE_MAX."""
    return whole(amount, 0, PRICE_MAX, field=field)


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
