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
