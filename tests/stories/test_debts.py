"""Late payers: blocked, promised, contested, stopped. Bills of the first are due on the 15th; a month costs 31.00."""

import pytest


@pytest.fixture
def told(begins):
    """(provider, Larry): his 31.00 of Monday, 1 January were due on Monday the 15th; blocking is on workdays at 8."""
    isp = begins("2024-01-01", duns=True)
    return isp, isp.sign_up("31.00")


def test_he_is_blocked_on_the_day_after_and_back_when_he_pays(told):
    isp, larry = told
    isp.until("2024-01-15")
    assert larry.online
    isp.until("2024-01-16")
    assert not larry.online
    assert (larry.money["owed"], larry.money["blocked_for_money"]) == ("31.00", True)
    larry.pay("31.00")
    assert larry.online


def test_a_part_does_not_bring_him_back_and_the_rest_does(told):
    isp, larry = told
    isp.until("2024-01-16")
    larry.pay("30.00")
    assert (larry.online, larry.money["owed"]) == (False, "1.00")
    larry.pay("1.00")
    assert larry.online


def test_a_promise_holds_to_its_last_day_and_the_weekend_after_it(told):
    isp, larry = told
    isp.until("2024-01-16")
    isp.post(f"/accounts/{larry.account}/promise", {"until": "2024-01-19"})
    assert larry.online
    isp.until("2024-01-21")  # a Sunday
    assert larry.online
    isp.until("2024-01-22")
    assert not larry.online


def test_a_promise_that_is_kept_is_forgotten(told):
    isp, larry = told
    isp.until("2024-01-16")
    isp.post(f"/accounts/{larry.account}/promise", {"until": "2024-01-19"})
    isp.until("2024-01-18")
    larry.pay("31.00")
    isp.until("2024-01-26")
    assert larry.online
    assert larry.why_blocked == []


def test_what_he_contests_blocks_nobody_until_it_is_settled(told):
    isp, larry = told
    (bill,) = larry.documents
    isp.post(f"/documents/{bill['id']}/dispute", {"reason": "He says it never worked."})
    isp.until("2024-01-18")
    assert larry.online
    isp.post(f"/documents/{bill['id']}/dispute/end", {"reason": "It did."})
    isp.until("2024-01-19")
    assert not larry.online


def test_a_friday_s_debt_blocks_on_monday(begins):
    isp = begins("2024-01-05", duns=True)
    larry = isp.sign_up("31.00")
    isp.until("2024-01-21")
    assert larry.online  # due on Friday the 19th, over since Saturday
    isp.until("2024-01-22")
    assert not larry.online


def test_after_ten_days_his_services_are_stopped_and_payment_takes_them_up_again(told):
    isp, larry = told
    isp.dunning(deactivate_after_days=10)
    isp.until("2024-01-26")  # blocked on the 16th
    assert isp.get(f"/services/{larry.service}")["state"] == "stopped"
    assert larry.bills == ["31.00", "-5.00"]  # 27 to 31 January
    isp.until("2024-02-05")
    assert larry.bills == ["31.00", "-5.00"]
    larry.pay("26.00")
    assert larry.online
    # 5 to 29 February: 31.00 - 31.00 x 4/29 = 31.00 - 4.28
    assert larry.bills == ["31.00", "-5.00", "26.72"]


def test_he_hears_why_fact_by_fact(told):
    isp, larry = told
    isp.until("2024-01-16")
    (why,) = larry.why_blocked
    number = larry.documents[0]["number"]
    assert (why["account_id"], why["service_id"], why["owed"]) == (larry.account, None, "31.00")
    assert any(number in words and "15 Jan 2024" in words and "it counts" in words for words in why["words"])
    assert (
        why["customer_words"][0]
        == f"Your invoice {number} was due on 15 Jan 2024; 31.00\N{NO-BREAK SPACE}EUR is not paid yet."
    )
    assert not any("limit" in words for words in why["customer_words"])
    assert isp.api.call("PATCH", f"/customers/{larry.customer}", {"language": "es"}).status_code == 200
    (why,) = larry.why_blocked
    owed = "31,00\N{NO-BREAK SPACE}EUR"
    assert (
        why["customer_words"][0]
        == f"Su factura {number} venció el 15 ene 2024; quedan 31,00\N{NO-BREAK SPACE}EUR por pagar."
    )
    assert why["customer_words"][-1].startswith(f"Su acceso vuelve en unos segundos cuando lleguen {owed}.")
