"""Days, their share of a month, and when they begin where clocks are moved at midnight."""

import zoneinfo
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.period import (
    DayRule,
    billing_day,
    day_share,
    days,
    days_in_month,
    last_of_month,
    start_of_day,
)

any_day = st.dates(date(1995, 1, 1), date(2037, 12, 31))

# Zones whose clocks are, or were, moved at or across midnight, and some where they never are.
ZONES = [
    zoneinfo.ZoneInfo(name)
    for name in (
        "America/Sao_Paulo", "America/Havana", "America/St_Johns", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia",
        "America/Nuuk", "America/Scoresbysund", "Asia/Tehran", "Europe/Prague", "UTC", "Asia/Kathmandu",
    )
]  # fmt: skip


@given(any_day)
def test_each_calendar_month_is_cut_into_its_own_days(day):
    assert day_share(day, DayRule.CALENDAR) == (day.day, monthrange(day.year, day.month)[1])
    assert days_in_month(day) == last_of_month(day).day


@given(any_day)
def test_a_thirty_day_month_counts_the_31st_as_the_first_again(day):
    k, n = day_share(day, DayRule.THIRTY)
    assert n == 30
    assert k == (day.day if day.day <= 30 else 1)


def test_days_run_from_first_to_last():
    assert list(days(date(2024, 2, 28), date(2024, 3, 1))) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]
    assert list(days(date(2024, 3, 2), date(2024, 3, 1))) == []


@pytest.mark.parametrize(
    ("zone", "day", "start"),
    [
        ("Europe/Prague", date(2025, 3, 30), datetime(2025, 3, 29, 23, tzinfo=UTC)),
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),  # 00:00 was skipped
        ("America/Havana", date(2024, 11, 3), datetime(2024, 11, 3, 4, tzinfo=UTC)),  # 00:00 came twice
        ("Pacific/Apia", date(2011, 12, 31), datetime(2011, 12, 30, 10, tzinfo=UTC)),  # the 30th never was
    ],
)
def test_a_day_starts_at_its_first_instant(zone, day, start):
    assert start_of_day(day, zoneinfo.ZoneInfo(zone)) == start


@given(st.sampled_from(ZONES), any_day)
def test_the_instant_before_a_day_belongs_to_an_earlier_one(zone, day):
    start = start_of_day(day, zone)
    assert billing_day(start, zone) >= day
    assert billing_day(start - timedelta(microseconds=1), zone) < day


@given(st.sampled_from(ZONES), any_day, st.integers(0, 26 * 60))
def test_billing_days_never_go_back(zone, day, minutes):
    moment = start_of_day(day, zone) + timedelta(minutes=minutes)
    before, after = billing_day(moment, zone), billing_day(moment + timedelta(minutes=1), zone)
    assert before <= after
    assert start_of_day(before, zone) <= moment < start_of_day(before + timedelta(days=1), zone)


def test_a_moment_given_in_the_zone_itself_is_the_same_moment():
    zone = zoneinfo.ZoneInfo("America/Havana")
    second_midnight = datetime(2024, 11, 3, 0, 30, fold=1, tzinfo=zone)
    assert billing_day(second_midnight, zone) == date(2024, 11, 3)
    assert billing_day(start_of_day(date(2024, 11, 3), zone).astimezone(zone), zone) == date(2024, 11, 3)


def test_a_clock_that_goes_back_over_midnight_does_not_bring_yesterday_back():
    # In St John's 2006-10-29 00:01 became 2006-10-28 23:01: the wall shows the 28th once more.
    zone = zoneinfo.ZoneInfo("America/St_Johns")
    moment = start_of_day(date(2006, 10, 29), zone) + timedelta(minutes=10)
    assert moment.astimezone(zone).date() == date(2006, 10, 28)
    assert billing_day(moment, zone) == date(2006, 10, 29)
