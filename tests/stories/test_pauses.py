"""Pauses, ends and new beginnings. A month costs 31.00: in January each day is 1.00."""

import pytest


@pytest.fixture
def told(begins):
    """(provider, Ana): she has January's 31.00 since the first."""
    isp = begins("2024-01-01")
    return isp, isp.sign_up("31.00")


def test_a_pause_is_credited_from_the_next_day_and_its_end_billed_from_that_day(told):
    isp, ana = told
    isp.until("2024-01-10")
    ana.does("pause")
    assert not ana.online
    assert ana.bills == ["31.00", "-21.00"]  # 11 to 31 January
    isp.until("2024-01-22")
    ana.does("activate")
    assert ana.online
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "-21.00", "10.00", "31.00"]  # 22 to 31 January


def test_a_vacation_is_planned_with_its_end(told):
    isp, ana = told
    isp.until("2024-01-05")
    ana.change(state="paused", when="2024-01-11")
    ana.change(state="active", when="2024-01-21")
    isp.until("2024-01-15")
    assert not ana.online
    isp.until("2024-02-01")
    assert ana.online
    assert ana.bills == ["31.00", "-21.00", "11.00", "31.00"]  # 11 to 31 back; 21 to 31 again


def test_what_was_billed_before_a_vacation_was_planned_is_sound_until_it_begins(told):
    isp, ana = told
    isp.until("2024-01-05")
    ana.change(state="paused", when="2024-01-11")
    assert ana.bills == ["31.00"]


def test_who_changes_his_plan_before_a_planned_vacation_comes_back_with_the_new_one(told):
    isp, ana = told
    isp.until("2024-01-05")
    ana.change(state="paused", when="2024-01-11")
    ana.change(state="active", when="2024-01-21")
    isp.until("2024-01-08")
    larger = isp.plan("62.00")
    ana.change(plan_id=larger)
    isp.until("2024-02-01")
    assert isp.get(f"/services/{ana.service}")["plan_id"] == larger
    # 8 to 31: 24 days at 1.00 more; 11 to 20 back at 2.00
    assert ana.bills == ["31.00", "24.00", "-20.00", "62.00"]


def test_who_pauses_before_a_planned_change_of_plan_stays_paused(told):
    isp, ana = told
    ana.change(plan_id=isp.plan("62.00"), when="2024-01-21")
    isp.until("2024-01-10")
    ana.does("pause")
    isp.until("2024-02-01")
    assert not ana.online
    assert ana.bills == ["31.00", "-21.00"]
    ana.does("activate")
    assert ana.bills == ["31.00", "-21.00", "62.00"]


def test_an_end_is_credited_to_the_day(told):
    isp, ana = told
    isp.until("2024-01-21")
    assert ana.foresee(state="ended") == ["-10.00"]  # 22 to 31 January
    ana.change(state="ended")
    isp.until("2024-03-01")
    assert ana.bills == ["31.00", "-10.00"]
    assert isp.refused(f"/services/{ana.service}/changes", {"state": "active"}) == "ended"


def test_an_end_that_is_planned_is_billed_to_its_day_only(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("29.00")
    isp.until("2024-01-20")
    ana.change(state="ended", when="2024-02-11")
    isp.until("2024-03-01")
    assert ana.bills == ["29.00", "10.00"]  # 1 to 10 February: 10 of 29 days
    assert isp.get(f"/services/{ana.service}")["state"] == "ended"


def test_who_ends_before_a_planned_change_of_plan_is_not_billed_again(told):
    isp, ana = told
    ana.change(plan_id=isp.plan("62.00"), when="2024-02-16")
    isp.until("2024-01-21")
    ana.does("end")
    assert isp.get(f"/services/{ana.service}/changes") == []
    isp.until("2024-03-01")
    assert ana.bills == ["31.00", "-10.00"]


def test_who_comes_back_after_weeks_pays_the_rest_of_that_month_and_the_fee(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00", reactivation_fee="7.00")
    isp.until("2024-01-21")
    ana.does("stop")
    isp.until("2024-03-11")
    assert ana.bills == ["31.00", "-10.00"]
    ana.does("activate")
    isp.until("2024-04-01")
    assert ana.bills == ["31.00", "-10.00", "28.00", "31.00"]  # 11 to 31 March, and the fee


def test_coming_back_on_a_planned_day_costs_the_fee_too(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00", reactivation_fee="7.00")
    isp.until("2024-01-21")
    ana.does("stop")
    ana.change(state="active", when="2024-02-16")
    isp.until("2024-03-01")
    # On the 1st, of 16 to 29 February: 31.00 - 31.00 x 15/29 = 31.00 - 16.03; then the fee with March
    assert ana.bills == ["31.00", "-10.00", "14.97", "38.00"]


def test_where_the_rules_give_nothing_back_a_pause_gives_nothing_back(begins):
    isp = begins("2024-01-01", credit_pause=False)
    ana = isp.sign_up("31.00")
    isp.until("2024-01-10")
    ana.does("pause")
    isp.until("2024-01-22")
    ana.does("activate")
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "31.00"]


def test_an_end_within_the_contract_costs_its_fee(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00", contract_months=12, cancellation_fee="50.00")
    isp.until("2024-01-21")
    ana.does("end")
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "-10.00", "50.00"]
