"""Corrections dated back: each gives exactly one document, however many it corrects. A month costs 31.00."""

import pytest


@pytest.fixture
def told(begins):
    """(provider, Ana): it is 10 April, and she was billed 31.00 for each month since January."""
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    isp.until("2024-04-10")
    return isp, ana


def since_then(life):
    """What was billed after the four regular documents, and by documents of which kind."""
    return [(one["kind"], one["gross"]) for one in life.documents[4:]]


def test_a_lower_price_for_three_months_is_one_credit_note(told):
    isp, ana = told
    isp.post(f"/services/{ana.service}/price", {"price": "21.00", "valid_from": "2024-02-01"})
    assert since_then(ana) == [("credit_note", "-30.00")]  # 10.00 each of February, March, April
    credit = ana.documents[4]
    assert (credit["first_day"], credit["last_day"]) == ("2024-02-01", "2024-04-30")
    assert credit["corrects"] == ana.documents[3]["id"]
    isp.until("2024-05-01")
    assert ana.bills[5:] == ["21.00"]


def test_a_higher_price_for_three_months_is_one_invoice(told):
    isp, ana = told
    isp.post(f"/services/{ana.service}/price", {"price": "62.00", "valid_from": "2024-02-01"})
    assert since_then(ana) == [("invoice", "93.00")]


def test_a_price_from_a_day_within_a_month_counts_days(told):
    isp, ana = told
    isp.post(f"/services/{ana.service}/price", {"price": "62.00", "valid_from": "2024-03-17"})
    assert since_then(ana) == [("invoice", "46.00")]  # 17 to 31 March: 15.00; April: 31.00


def test_a_number_for_two_months_is_one_invoice(told):
    isp, ana = told
    isp.post(f"/services/{ana.service}/price", {"quantity": 2, "valid_from": "2024-03-01"})
    assert since_then(ana) == [("invoice", "62.00")]


def test_a_discount_for_two_months_is_one_credit_note(told):
    isp, ana = told
    given = {"percent": "10", "valid_from": "2024-02-01", "valid_to": "2024-03-31"}
    isp.post(f"/services/{ana.service}/discounts", given)
    assert since_then(ana) == [("credit_note", "-6.20")]  # 3.10 of February, 3.10 of March


def test_a_discount_that_should_never_have_been_is_one_invoice(begins):
    isp = begins("2024-01-01")
    ana = isp.sign_up("31.00")
    given = isp.post(f"/services/{ana.service}/discounts", {"percent": "10"})
    isp.until("2024-04-10")
    assert ana.bills == ["31.00", "-3.10", "27.90", "27.90", "27.90"]
    isp.post(f"/discounts/{given['id']}/withdraw")
    assert ana.bills[5:] == ["12.40"]  # four times 3.10


def test_the_same_price_again_is_no_document(told):
    isp, ana = told
    for _ in range(2):
        isp.post(f"/services/{ana.service}/price", {"price": "21.00", "valid_from": "2024-02-01"})
    assert since_then(ana) == [("credit_note", "-30.00")]


def test_a_price_set_by_mistake_and_put_back_leaves_the_balance_as_it_was(told):
    isp, ana = told
    isp.post(f"/services/{ana.service}/price", {"price": "21.00", "valid_from": "2024-02-01"})
    isp.post(f"/services/{ana.service}/price", {"price": None, "valid_from": "2024-02-01"})
    assert since_then(ana) == [("credit_note", "-30.00"), ("invoice", "30.00")]
    assert ana.balance == "-124.00"


def test_a_list_price_dated_back_says_what_is_billed_already_and_leaves_it_so(begins):
    isp = begins("2024-01-01")
    plan = isp.plan("31.00")
    ana, ben, free = isp.known(), isp.known("prepaid"), isp.known()
    ben.pay("100.00")
    for life in (ana, ben):
        life.takes(plan)
    free.takes(plan, price="5.00")
    isp.until("2024-01-10")
    told = isp.post(f"/plans/{plan}/prices", {"valid_from": "2024-01-06", "price": "62.00"})
    # Ana's 6 to 31 January are billed ahead, Ben paid 6 to 10 January by the day
    assert (told["price"], told["billed_services"], told["billed_days"]) == ("62.00", 2, 26 + 5)
    assert (ana.bills, ben.balance) == (["31.00"], "91.00")
    isp.post(f"/services/{ana.service}/price", {"price": "62.00", "valid_from": "2024-01-06"})
    assert ana.bills == ["31.00", "26.00"]
    isp.until("2024-02-01")
    assert ana.bills[2:] == ["62.00"]


def test_a_list_price_of_a_day_that_nobody_was_billed_for_has_nothing_to_say(begins):
    isp = begins("2024-01-01")
    plan = isp.plan("31.00")
    isp.known().takes(plan)
    for day, price in (("2024-02-01", "62.00"), ("2024-01-01", "31.00")):
        told = isp.post(f"/plans/{plan}/prices", {"valid_from": day, "price": price})
        assert (told["billed_services"], told["billed_days"]) == (0, 0)
