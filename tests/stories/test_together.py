"""Accounts that pay through another. A month costs each 31.00."""

import pytest


@pytest.fixture
def told(begins):
    """(provider, mother, son): both have January's 31.00; he paid 40.00, she nothing."""
    isp = begins("2024-01-01", duns=True)
    mother, son = isp.sign_up("31.00"), isp.sign_up("31.00")
    son.pay("40.00")
    return isp, mother, son


def link(isp, mother, son):
    return isp.post(f"/accounts/{son.account}/parent", {"parent_id": mother.account})


def test_what_he_has_goes_over_and_she_gets_one_document_for_both(told):
    isp, mother, son = told
    foreseen = isp.post(f"/accounts/{son.account}/parent/preview", {"parent_id": mother.account})
    assert [one["amount"] for one in foreseen["transfers"]] == ["-9.00", "9.00"]  # 40.00 less 31.00
    assert son.balance == "9.00"
    made = link(isp, mother, son)
    assert [one["amount"] for one in made["transfers"]] == ["-9.00", "9.00"]
    assert (son.balance, mother.balance, mother.open) == ("0.00", "-22.00", ["22.00"])
    isp.until("2024-02-01")
    assert (mother.bills, son.bills) == (["31.00", "62.00"], ["31.00"])


def test_what_he_changes_is_put_right_on_her_documents(told):
    isp, mother, son = told
    link(isp, mother, son)
    isp.until("2024-01-17")
    son.change(plan_id=isp.plan("62.00"))
    assert (mother.bills, son.bills) == (["31.00", "15.00"], ["31.00"])


def test_when_she_does_not_pay_both_are_blocked_and_both_come_back(told):
    isp, mother, son = told
    link(isp, mother, son)
    isp.until("2024-01-16")
    assert (mother.online, son.online) == (False, False)
    mother.pay("22.00")
    assert (mother.online, son.online) == (True, True)


def test_apart_again_each_has_his_own_document(told):
    isp, mother, son = told
    link(isp, mother, son)
    mother.pay("200.00")
    isp.until("2024-02-10")
    isp.post(f"/accounts/{son.account}/parent/end")
    isp.until("2024-03-01")
    assert (mother.bills, son.bills) == (["31.00", "62.00", "31.00"], ["31.00", "31.00"])


def test_who_cannot_pay_together_is_told_why(told):
    isp, mother, son = told
    grandmother, daily = isp.sign_up("31.00"), isp.known("prepaid")
    path = f"/accounts/{mother.account}/parent"
    assert isp.refused(path, {"parent_id": mother.account}) == "same"
    assert isp.refused(path, {"parent_id": daily.account}) == "prepaid"
    assert isp.refused(f"{path}/end") == "not_linked"
    link(isp, mother, son)
    assert isp.refused(path, {"parent_id": grandmother.account}) == "deep"
    assert isp.refused(f"/accounts/{son.account}/billing-type", {"billing_type": "prepaid"}) == "linked"


@pytest.fixture
def daily_son(begins):
    """(provider, mother, son): she is billed since the 1st, he paid by the day; it is 10 January."""
    isp = begins("2023-12-31")
    mother, son = isp.sign_up("31.00"), isp.sign_up("31.00", pays="prepaid", paid="100.00")
    isp.until("2024-01-10")
    return isp, mother, son


def pay_together(isp, mother, son):
    isp.post(f"/accounts/{son.account}/billing-type", {"billing_type": "recurring"})
    link(isp, mother, son)


def test_days_that_he_paid_himself_are_not_billed_to_her_when_something_changes_later(daily_son):
    isp, mother, son = daily_son
    pay_together(isp, mother, son)
    assert (son.bills, mother.bills) == (["21.00"], ["1.00", "31.00"])  # 31 December; January
    isp.until("2024-01-12")
    son.change(plan_id=isp.plan("62.00"))
    assert mother.bills[2:] == ["20.00"]  # 12 to 31 January at 1.00 more, and none of the first ten days
    isp.until("2024-02-01")
    assert mother.bills[3:] == ["93.00"]


def test_a_price_agreed_on_backwards_reaches_to_where_his_documents_began(daily_son):
    isp, mother, son = daily_son
    pay_together(isp, mother, son)
    isp.post(f"/services/{son.service}/price", {"price": "0.00", "valid_from": "2024-01-01"})
    assert mother.bills[2:] == ["-21.00"]


def test_who_is_paused_while_the_accounts_are_linked_is_billed_from_when_he_is_back(daily_son):
    isp, mother, son = daily_son
    son.does("pause")
    pay_together(isp, mother, son)
    isp.until("2024-01-22")
    son.does("activate")
    assert (son.bills, mother.bills[2:]) == ([], ["10.00"])


def test_apart_again_he_is_put_right_from_his_own_first_day(daily_son):
    isp, mother, son = daily_son
    pay_together(isp, mother, son)
    isp.until("2024-01-20")
    isp.post(f"/accounts/{son.account}/parent/end")
    isp.post(f"/services/{son.service}/price", {"price": "62.00", "valid_from": "2024-01-01"})
    assert (son.bills, mother.bills[2:]) == (["21.00", "21.00"], [])


def test_what_is_sold_to_him_once_is_on_her_next_document(daily_son):
    isp, mother, son = daily_son
    isp.post(f"/accounts/{son.account}/billing-type", {"billing_type": "recurring"})
    item = {"text": "Router", "amount": "50.00"}
    isp.post(f"/accounts/{son.account}/items", item)
    link(isp, mother, son)
    isp.until("2024-02-01")
    assert mother.bills[2:] == ["112.00"]
    isp.post(f"/accounts/{son.account}/items", item | {"text": "Cable", "now": True})
    assert (son.bills, mother.bills[3:]) == (["21.00"], ["50.00"])


def test_his_payment_that_had_gone_over_to_her_comes_back_from_her(told):
    isp, mother, son = told
    link(isp, mother, son)
    paid = son.pay("50.00")  # 22.00 of it paid her first document
    assert (son.balance, mother.balance, mother.open) == ("0.00", "28.00", ["0.00"])
    isp.post(f"/payments/{paid['id']}/refund", {"amount": "20.00"})
    assert (son.balance, mother.balance, mother.open) == ("0.00", "8.00", ["0.00"])
    isp.post(f"/payments/{paid['id']}/refund", {"amount": "30.00"})
    assert (son.balance, mother.balance, mother.open) == ("0.00", "-22.00", ["22.00"])
    isp.until("2024-01-16")
    assert (mother.online, son.online) == (False, False)
