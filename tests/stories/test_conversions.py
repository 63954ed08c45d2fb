"""From prepaid days to documents and back. A month costs 31.00: in January each day is 1.00."""

import pytest
from tests.staff.world import logged_in, person


def convert(life, kind):
    return life.isp.post(f"/accounts/{life.account}/billing-type", {"billing_type": kind})


def foresee(life, kind):
    return life.isp.post(f"/accounts/{life.account}/billing-type/preview", {"billing_type": kind})


@pytest.fixture
def daily(begins):
    """(provider, Ana): prepaid since New Year's Eve with 100.00; it is 10 January, ten days are charged."""
    isp = begins("2023-12-31")
    ana = isp.sign_up("31.00", pays="prepaid", paid="100.00")
    isp.until("2024-01-10")
    return isp, ana


def test_from_days_to_documents_the_rest_of_the_month_is_billed(daily):
    isp, ana = daily
    foreseen = foresee(ana, "recurring")
    assert [one["gross"] for one in foreseen["documents"]] == ["21.00"]  # 11 to 31 January
    assert [one["amount"] for one in foreseen["transfers"]] == ["-21.00"]
    assert (ana.bills, ana.balance, ana.money["billing_type"]) == ([], "90.00", "prepaid")
    made = convert(ana, "recurring")
    assert made["billing_type"] == "recurring"
    assert (ana.bills, ana.open, ana.balance) == (["21.00"], ["0.00"], "69.00")
    isp.until("2024-02-01")
    assert (ana.bills, ana.balance) == (["21.00", "31.00"], "38.00")


def test_from_documents_to_days_what_is_billed_ahead_is_credited(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00", paid="100.00")
    isp.until("2024-01-21")
    assert [one["gross"] for one in foresee(ana, "prepaid")["documents"]] == ["-10.00"]
    convert(ana, "prepaid")
    assert (ana.bills, ana.balance) == (["31.00", "-10.00"], "79.00")
    isp.until("2024-02-01")
    # 22 to 31 January are 10.00; 1 February is 31.00 / 29 = 1.07
    assert (ana.bills, ana.balance) == (["31.00", "-10.00"], "67.93")


def test_one_who_paid_afterwards_is_billed_to_the_day_before_his_days_begin(begins):
    isp = begins("2024-01-11", postpaid=True)
    ana = isp.sign_up("31.00")
    isp.until("2024-01-20")
    convert(ana, "prepaid")
    assert ana.bills == ["10.00"]  # 11 to 20 January


def test_there_and_back_in_one_month_costs_that_month_once(daily):
    isp, ana = daily
    convert(ana, "recurring")
    isp.until("2024-01-20")
    convert(ana, "prepaid")
    isp.until("2024-01-31")
    assert ana.balance == "69.00"


def test_one_who_is_blocked_for_money_is_online_with_his_first_document(begins):
    isp = begins("2023-12-31")
    ana = isp.sign_up("31.00", pays="prepaid")
    isp.until("2024-01-01")
    assert not ana.online
    convert(ana, "recurring")
    assert (ana.online, ana.bills) == (True, ["31.00"])


def test_who_pays_so_already_is_told_so(daily):
    _, ana = daily
    path = f"/accounts/{ana.account}/billing-type"
    assert ana.isp.refused(path, {"billing_type": "prepaid"}) == "already_prepaid"
    assert ana.isp.refused(f"{path}/preview", {"billing_type": "prepaid"}) == "already_prepaid"


def test_the_page_of_a_conversion_and_the_api_foresee_the_same(daily):
    _, ana = daily
    page = logged_in(person("Financial manager", "fina")).get(f"/accounts/{ana.account}/billing-type/")
    assert "<b>Invoice of 21.00 EUR</b>" in page.content.decode().replace("\N{NO-BREAK SPACE}", " ")
    assert [one["gross"] for one in foresee(ana, "recurring")["documents"]] == ["21.00"]
    assert ana.bills == []


def test_there_and_back_twice_costs_the_month_once_and_only_the_last_documents_are_put_right(daily):
    isp, ana = daily
    for day, kind in (("10", "recurring"), ("15", "prepaid"), ("20", "recurring")):
        isp.until(f"2024-01-{day}")
        convert(ana, kind)
    assert (ana.bills, ana.balance) == (["21.00", "-16.00", "11.00"], "69.00")
    isp.until("2024-01-25")
    isp.post(f"/services/{ana.service}/price", {"price": "0.00", "valid_from": "2024-01-01"})
    assert (ana.bills[3:], ana.balance) == (["-11.00"], "80.00")


def test_one_who_is_blocked_for_money_goes_there_and_back_and_there_within_a_day(begins):
    isp = begins("2023-12-31")
    ana = isp.sign_up("31.00", pays="prepaid")
    isp.until("2024-01-01")
    for kind in ("recurring", "prepaid", "recurring"):
        convert(ana, kind)
    assert (ana.bills, ana.balance) == (["31.00", "-30.00", "30.00"], "-31.00")


def without_credit(begins):
    """(provider, Ana): her service is billed for January, and the contract credits nothing of what is left."""
    isp = begins("2024-01-01", credit_leave=False, credit_pause=False)
    return isp, isp.sign_up("31.00", paid="200.00")


def test_a_service_that_ended_without_credit_is_not_credited_by_a_conversion_either(begins):
    isp, ana = without_credit(begins)
    ana.takes(isp.plan("62.00"))
    isp.until("2024-01-10")
    ana.does("end")
    assert ana.bills == ["31.00", "62.00"]
    isp.until("2024-01-21")
    assert [one["gross"] for one in foresee(ana, "prepaid")["documents"]] == ["-20.00"]
    convert(ana, "prepaid")
    assert ana.bills == ["31.00", "62.00", "-20.00"]  # 22 to 31 January of the other one
    isp.until("2024-01-31")
    convert(ana, "recurring")
    isp.until("2024-02-01")
    assert (ana.bills[3:], ana.balance) == (["62.00"], "45.00")  # 200 - 31 - 62 for January, 62 for February


@pytest.mark.parametrize("leave", ["stop", "pause"])
def test_one_that_rests_without_credit_is_billed_to_the_conversion_and_pays_no_day_twice_when_taken_up(begins, leave):
    isp, ana = without_credit(begins)
    isp.until("2024-01-10")
    ana.does(leave)
    isp.until("2024-01-21")
    convert(ana, "prepaid")
    assert (ana.bills, ana.balance) == (["31.00", "-10.00"], "179.00")  # 11 to 21 January stay as they were billed
    isp.until("2024-01-25")
    ana.does("activate")
    isp.until("2024-01-31")
    assert ana.balance == "173.00"  # each day from 26 January on is 1.00


def test_an_end_that_is_planned_only_does_not_keep_days_billed_that_are_charged_by_the_day(begins):
    isp, ana = without_credit(begins)
    isp.until("2024-01-10")
    ana.change(when="2024-01-25", state="ended")
    isp.until("2024-01-21")
    convert(ana, "prepaid")
    assert ana.bills == ["31.00", "-10.00"]
    isp.until("2024-02-01")
    assert ana.balance == "176.00"  # 22 to 24 January by the day
