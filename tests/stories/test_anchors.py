"""Billing days late in the month, over three years: no gap, no overlap, no drift. A month costs 31.00."""

import itertools
from datetime import date, timedelta

import pytest


def months_of(life):
    return [(date.fromisoformat(one["first_day"]), date.fromisoformat(one["last_day"])) for one in life.documents]


@pytest.mark.parametrize(
    ("number", "first_part", "februaries"),
    [
        (29, "28.00", ["2024-02-29", "2025-02-28", "2026-02-28"]),  # 1 to 28 January of 29 December to 28 January
        (30, "29.00", ["2024-02-29", "2025-02-28", "2026-02-28"]),
        (31, "30.00", ["2024-02-29", "2025-02-28", "2026-02-28"]),
    ],
)
def test_three_years(begins, number, first_part, februaries):
    isp = begins("2024-01-01", billing_day=number)
    ana = isp.sign_up("31.00", paid="2000.00")
    isp.until("2026-12-31")
    assert ana.bills == [first_part] + ["31.00"] * 36
    months = months_of(ana)
    assert all(after[0] - before[1] == timedelta(days=1) for before, after in itertools.pairwise(months))
    issued = [one["issued_on"] for one in ana.documents]
    assert [day for day in issued if day[5:7] == "02"] == februaries
    assert {day[8:] for day in issued[1:] if day[5:7] in ("01", "03", "05", "07", "08", "10", "12")} == {str(number)}
    # 2000.00 - first part - 36 x 31.00
    assert ana.balance == {"28.00": "856.00", "29.00": "855.00", "30.00": "854.00"}[first_part]


def test_quarters_from_the_last_of_november_begin_on_last_days(begins):
    isp = begins("2023-11-30", billing_day=31, period_months=3)
    ana = isp.sign_up("31.00", paid="2000.00")
    isp.until("2024-12-01")
    assert [one["issued_on"] for one in ana.documents] == [
        "2023-11-30", "2024-02-29", "2024-05-31", "2024-08-31", "2024-11-30",
    ]  # fmt: skip
    assert set(ana.bills) == {"93.00"}


def test_the_31st_on_which_he_began_stays_his_day_through_the_short_months(begins):
    isp = begins("2024-01-31", billing_day=0)
    ana = isp.sign_up("31.00", paid="2000.00")
    isp.until("2024-05-31")
    assert [one["issued_on"] for one in ana.documents] == [
        "2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31",
    ]  # fmt: skip
    assert set(ana.bills) == {"31.00"}
