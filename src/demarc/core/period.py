"""Billing days: how they share a month and when they begin in a zone. Knows no money and reads no clock."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


class DayRule(StrEnum):
    """How a month is cut into days: by its real length, or as thirty equal parts whatever the calendar
    says."""

    CALENDAR = "calendar"
    THIRTY = "thirty"


def days_in_month(day: date) -> int:
    """How many days the month of `day` has: 28 to 31."""
    return monthrange(day.year, day.month)[1]


def last_of_month(day: date) -> date:
    """The last day of the month of `day`."""
    return day.replace(day=days_in_month(day))


@lru_cache(maxsize=4096)
def day_share(day: date, rule: DayRule) -> tuple[int, int]:
    """(k, n): `day` is part k of the n parts of its month. Under THIRTY the 31st counts as part 1 again."""
    if rule is DayRule.CALENDAR:
        return day.day, days_in_month(day)
    return (1 if day.day == 31 else day.day), 30


def days(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included; none when `last` is earlier."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of `day` in `zone`: 00:00 there, or later where the clock skips midnight.

    It is given in UTC, because Python compares two times of one zone by the wall and not by the instant (PEP 495).
    """
    # A time inside a gap is read with the offset before it (fold 0), so this lands on the first instant after a gap
    # that begins at midnight; of two midnights fold 0 is the earlier.
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def billing_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day that `moment` (aware) belongs to in `zone`: the latest one whose first instant is not after it.

    That is the date on the wall, except where the clock goes back over midnight: a billing day never returns.
    """
    day = moment.astimezone(zone).date()
    following = day + ONE_DAY
    return following if start_of_day(following, zone) <= moment.astimezone(UTC) else day


def on_billing_day(month: date, billing_day_number: int) -> date:
    """The billing day of the month that `month` is in; a 29th, 30th or 31st that it lacks is its last day."""
    return month.replace(day=min(billing_day_number, days_in_month(month)))


@lru_cache(maxsize=4096)
def add_months(begin: date, months: int, billing_day_number: int) -> date:
    """The billing day `months` after the month of `begin`: 31 January, 28 February, 31 March, without drift."""
    index = begin.year * 12 + begin.month - 1 + months
    return on_billing_day(date(index // 12, index % 12 + 1, 1), billing_day_number)


@lru_cache(maxsize=4096)
def billing_month(day: date, billing_day_number: int) -> tuple[date, date]:
    """First and last day of the billing month that `day` is in: from a billing day to the eve of the next."""
    begin = on_billing_day(day, billing_day_number)
    if begin > day:
        begin = add_months(begin, -1, billing_day_number)
    return begin, add_months(begin, 1, billing_day_number) - ONE_DAY


def next_billing_day(after: date, billing_day_number: int) -> date:
    """The first billing day later than `after`."""
    return billing_month(after, billing_day_number)[1] + ONE_DAY


def instants(wall: datetime, zone: ZoneInfo) -> list[datetime]:
    """The instants (UTC) at which clocks in `zone` showed the naive time `wall`: one; two where the clock was set back
    over it; none where it was set forward."""
    both = [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
    return sorted({moment for moment in both if moment.astimezone(zone).replace(tzinfo=None) == wall})
