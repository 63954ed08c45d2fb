"""Invoices taken back whole: the money is free, the days are given, and nothing bills or credits them again."""

import pytest

from demarc.billing.models import Allocation, Transfer


@pytest.fixture
def told(begins):
    """(provider, Ana): it is 10 April, and she was billed 31.00 for each month since January."""
    isp = begins("2024-01-01")
    isp.tax("0.21")
    ana = isp.sign_up("31.00")
    isp.until("2024-04-10")
    return isp, ana


def credited(isp, life, number):
    """The credit note of the document of this place."""
    return isp.post(f"/documents/{life.documents[number]['id']}/credit")


def test_an_open_invoice_is_taken_back_with_its_tax_and_owed_no_more(told):
    isp, ana = told
    april = ana.documents[3]
    note = credited(isp, ana, 3)
    assert (note["kind"], note["gross"], note["corrects"]) == ("credit_note", "-31.00", april["id"])
    assert (note["net"], note["tax"]) == (f"-{april['net']}", f"-{april['tax']}")
    assert (note["first_day"], note["last_day"]) == ("2024-04-01", "2024-04-30")
    assert ana.open == ["31.00", "31.00", "31.00", "0.00", "0.00"]  # and not the oldest one
    assert ana.documents[3]["state"] == "credited"
    assert ana.balance == "-93.00"


def test_it_is_credited_once(told):
    isp, ana = told
    credited(isp, ana, 3)
    april, note = ana.documents[3]["id"], ana.documents[4]["id"]
    moved = Transfer.objects.count()
    assert isp.refused(f"/documents/{april}/credit") == "credited"
    assert isp.refused(f"/documents/{note}/credit") == "not_an_invoice"
    assert Transfer.objects.count() == moved


def test_its_days_are_neither_billed_again_nor_credited_twice(told):
    isp, ana = told
    credited(isp, ana, 3)
    ana.does("pause")
    isp.until("2024-04-15")
    ana.does("activate")
    ana.change(plan_id=isp.plan("62.00"))
    ana.does("end")
    assert ana.bills[5:] == []
    isp.until("2024-06-01")
    assert ana.bills[5:] == []


def test_the_service_goes_on_and_the_next_month_is_billed_as_ever(told):
    isp, ana = told
    credited(isp, ana, 3)
    isp.until("2024-05-02")
    assert ana.bills[5:] == ["31.00"]
    ana.change(plan_id=isp.plan("62.00"))
    assert ana.bills[6:] == ["30.00"]  # of May, 30 days; none of April's


def test_what_had_paid_it_pays_the_oldest_debt_and_the_rest_stays_on_the_account(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    ana.pay("31.00")
    isp.until("2024-03-10")
    assert ana.open == ["0.00", "31.00", "31.00"]
    credited(isp, ana, 0)
    assert ana.open == ["0.00", "0.00", "31.00", "0.00"]
    assert ana.balance == "-31.00"
    paid = Allocation.objects.filter(document=ana.documents[0]["id"]).values_list("payment__number", "amount")
    assert sorted(amount for _, amount in paid) == [-3100, 3100, 3100]
    credited(isp, ana, 1)
    credited(isp, ana, 2)
    assert set(ana.open) == {"0.00"}
    assert ana.balance == "31.00"


def test_an_account_blocked_for_it_is_online_at_once(begins):
    isp = begins("2024-01-01", duns=True)
    ana = isp.sign_up("31.00")
    isp.until("2024-01-25")
    assert not ana.online
    credited(isp, ana, 0)
    assert ana.online
    assert ana.balance == "0.00"


def test_a_fee_and_an_item_are_taken_back_with_the_days(begins):
    isp = begins("2024-01-01")
    ana = isp.known()
    isp.post(f"/accounts/{ana.account}/items", {"text": "Router", "amount": "50.00"})
    ana.takes(isp.plan("31.00", setup_fee="10.00"))
    assert sum(float(bill) for bill in ana.bills) == 91
    for number in range(len(ana.bills)):
        credited(isp, ana, number)
    assert ana.balance == "0.00"
    isp.until("2024-02-01")
    assert ana.bills[-1] == "31.00"


def test_days_put_right_since_cannot_be_credited_with_the_rest(told):
    isp, ana = told
    ana.change(plan_id=isp.plan("62.00"))
    assert isp.refused(f"/documents/{ana.documents[3]['id']}/credit") == "corrected"
    assert isp.refused(f"/documents/{ana.documents[4]['id']}/credit") == "change"
    assert len(ana.bills) == 5


def test_given_days_end_with_the_documents_when_the_account_becomes_prepaid_and_recurring_again(told):
    isp, ana = told
    credited(isp, ana, 3)
    ana.pay("200.00")
    isp.post(f"/accounts/{ana.account}/billing-type", {"billing_type": "prepaid"})
    assert ana.bills[5:] == []
    isp.until("2024-04-20")
    assert ana.days[0][0] == "2024-04-11"
    isp.post(f"/accounts/{ana.account}/billing-type", {"billing_type": "recurring"})
    isp.until("2024-05-02")
    assert ana.bills[5:] == ["10.33", "31.00"]  # 21 to 30 April, then May


def test_a_price_of_the_past_that_came_later_leaves_given_days_alone(told):
    isp, ana = told
    credited(isp, ana, 3)
    isp.post(f"/services/{ana.service}/price", {"price": "21.00", "valid_from": "2024-03-01"})
    assert ana.bills[5:] == ["-10.00"]  # March's, not April's
