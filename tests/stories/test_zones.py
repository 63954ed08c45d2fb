"""Either side of midnight, at home and in UTC. A month costs 31.00: in January each day is 1.00."""

import pytest


@pytest.mark.parametrize(
    ("zone", "hour", "bill"),
    [
        ("Pacific/Auckland", 1, "15.00"),  # 12:00 of the 16th in UTC
        ("Pacific/Kiritimati", 0, "15.00"),  # 10:00 of the 16th in UTC
        ("America/Los_Angeles", 23, "15.00"),  # 07:00 of the 18th in UTC
        ("Pacific/Pago_Pago", 23, "15.00"),  # 10:00 of the 18th in UTC
    ],
)
def test_a_day_is_a_day_at_the_provider_s(begins, zone, hour, bill):
    isp = begins("2024-01-17", zone=zone, hour=hour)
    ana = isp.sign_up("31.00")
    assert ana.bills == [bill]  # 17 to 31 January
    assert ana.documents[0]["issued_on"] == "2024-01-17"
    isp.until("2024-02-01")
    assert ana.documents[1]["issued_on"] == "2024-02-01"


@pytest.mark.parametrize(("time", "first_day"), [("23:59", "2024-02-01"), ("00:01", "2024-02-02")])
def test_a_prepaid_life_that_begins_around_midnight_is_charged_from_the_next_one(begins, time, first_day):
    isp = begins("2024-01-31" if time == "23:59" else "2024-02-01", zone="Europe/Prague")
    isp.at(time)
    ana = isp.sign_up("29.00", pays="prepaid", paid="29.00")
    isp.until("2024-02-03")
    assert ana.days[0] == (first_day, "1.00")


@pytest.mark.parametrize(("day", "time", "charged"), [("2024-01-01", "23:59", 1), ("2024-01-02", "00:15", 1)])
def test_money_on_either_side_of_midnight_pays_the_day_it_came_on(begins, day, time, charged):
    isp = begins("2023-12-31", zone="America/Sao_Paulo")
    ana = isp.sign_up("31.00", pays="prepaid")
    isp.until(day)
    isp.at(time)
    assert not ana.online
    ana.pay("1.00")
    assert ana.online
    assert ana.days == [(day, "1.00")]
    assert ana.balance == "0.00"


@pytest.mark.parametrize(("begin", "end"), [("2024-03-29", "2024-04-02"), ("2024-10-25", "2024-10-29")])
def test_days_of_23_and_of_25_hours_are_charged_once(begins, begin, end):
    isp = begins(begin, zone="Europe/Prague")
    ana = isp.sign_up("31.00", pays="prepaid", paid="20.00")
    isp.until(end)
    assert len(ana.days) == len({day for day, _ in ana.days}) == 4


def test_what_is_planned_begins_at_midnight_over_there(begins):
    isp = begins("2024-01-01", zone="Pacific/Auckland")
    ana = isp.sign_up("31.00")
    ana.change(state="paused", when="2024-01-11")
    isp.until("2024-01-10")
    assert ana.online
    isp.until("2024-01-11")  # 11 January there is 10 January in UTC until 13:00
    assert not ana.online
    assert ana.bills == ["31.00", "-21.00"]
