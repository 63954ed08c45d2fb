"""Lives by the day. A month costs 31.00: in January each day is 1.00."""

import pytest


@pytest.fixture
def told(begins):
    """(provider, Ana): prepaid since New Year's Eve with 31.00."""
    isp = begins("2023-12-31")
    return isp, isp.sign_up("31.00", pays="prepaid", paid="31.00")


def test_a_month_s_money_lasts_a_month_to_the_day(told):
    isp, ana = told
    assert ana.money["pays_until"] == "2024-01-31"
    isp.until("2024-01-31")
    assert (ana.balance, ana.online) == ("0.00", True)
    isp.until("2024-02-01")
    assert (ana.balance, ana.online, ana.money["owed"]) == ("0.00", False, "1.07")  # 31.00 / 29
    ana.pay("1.07")
    assert (ana.balance, ana.online) == ("0.00", True)


def test_a_part_of_a_day_does_not_open_it(begins):
    isp = begins("2023-12-31")
    ana = isp.sign_up("31.00", pays="prepaid")
    isp.until("2024-01-01")
    ana.pay("0.50")
    assert (ana.online, ana.money["owed"]) == (False, "0.50")
    ana.pay("0.50")
    assert (ana.online, ana.balance) == (True, "0.00")


def test_a_limit_below_zero_is_used_up_first(begins):
    isp = begins("2023-12-31")
    ana = isp.sign_up("31.00", pays="prepaid")
    isp.post(f"/accounts/{ana.account}/terms", {"minimal_balance": "-5.00"})
    isp.until("2024-01-06")
    assert (ana.balance, ana.online, len(ana.days)) == ("-5.00", False, 5)


def test_a_price_that_rises_is_charged_from_its_day(told):
    isp, ana = told
    plan = isp.get(f"/services/{ana.service}")["plan_id"]
    isp.post(f"/plans/{plan}/prices", {"valid_from": "2024-01-11", "price": "62.00"})
    isp.until("2024-01-12")
    assert [cost for _, cost in ana.days][-3:] == ["1.00", "2.00", "2.00"]
    assert ana.balance == "17.00"  # 31.00 - 10 x 1.00 - 2 x 2.00


def test_a_change_of_plan_that_is_planned_is_charged_from_its_day(told):
    isp, ana = told
    ana.change(plan_id=isp.plan("62.00"), when="2024-01-11")
    isp.until("2024-01-11")
    assert ana.days[-2:] == [("2024-01-10", "1.00"), ("2024-01-11", "2.00")]


def test_a_pause_costs_nothing_from_the_next_day_on(told):
    isp, ana = told
    isp.until("2024-01-10")
    ana.does("pause")
    isp.until("2024-01-20")
    ana.does("activate")
    isp.until("2024-01-22")
    # 1 to 10, then 21 and 22; 20 was free, since it was paused at its midnight
    assert [day[-2:] for day, _ in ana.days][-3:] == ["10", "21", "22"]
    assert ana.balance == "19.00"


def test_the_day_of_activation_may_be_charged_and_must_then_be_covered(begins):
    isp = begins("2024-01-01")
    isp.post(f"/partners/{isp.partner_id}/terms", {"valid_from": "2020-01-01", "charge_activation_day": True})
    ana = isp.known("prepaid")
    made = isp.post("/services", {"customer_id": ana.customer, "plan_id": isp.plan("31.00")})
    assert isp.refused(f"/services/{made['id']}/activate") == "first_day_not_covered"
    ana.pay("1.00")
    isp.post(f"/services/{made['id']}/activate")
    assert ana.balance == "0.00"


def test_a_day_says_why_it_cost_what_it_cost(told):
    isp, ana = told
    isp.until("2024-01-10")
    day = isp.get(f"/accounts/{ana.account}/days")["items"][0]
    why = isp.get(f"/days/{day['id']}/why")
    assert (why["day"], why["decision"], why["cost"]) == ("2024-01-10", "charged", "1.00")
    assert (why["balance_before"], why["minimal_balance"]) == ("22.00", "0.00")
    (charge,) = why["charges"]
    assert (charge["price"], charge["nth"], charge["parts"], charge["own_price"]) == ("31.00", 10, 31, False)
    assert charge["in_use"]["valid_from"] == "2023-12-31"
    assert charge["priced"]["valid_from"] == "2020-01-01"
    assert any("part 10 of 31 at 31.00" in words for words in why["words"])
    assert len(why["customer_words"]) == 1
    transfer = isp.get(f"/accounts/{ana.account}/ledger")["items"][0]
    moved = isp.get(f"/transfers/{transfer['id']}/why")
    assert (moved["kind"], moved["amount"], moved["charge"]) == ("charge", "-1.00", charge)


def test_a_block_says_why_and_what_opens_it(begins):
    isp = begins("2023-12-31")
    ana = isp.sign_up("31.00", pays="prepaid", paid="0.40")
    isp.until("2024-01-01")
    (why,) = ana.why_blocked
    assert (why["account_id"], why["since"], why["owed"]) == (ana.account, "2024-01-01", "0.60")
    assert any("the balance was 0.40" in words and "costs 1.00" in words for words in why["words"])
    assert why["words"][-1] == "A payment of 0.60\N{NO-BREAK SPACE}EUR opens it."
    assert why["customer_words"][0].startswith("On 1 Jan 2024 you had 0.40")
    isp.post(f"/customers/{ana.customer}/block", {"reason": "Moved away"})
    (by_staff, _) = ana.why_blocked
    assert "Moved away" in by_staff["words"][0]
    assert not any("Moved away" in words for words in by_staff["customer_words"])


def test_two_of_a_service_cost_twice_its_price_each_day(begins):
    isp = begins("2023-12-31")
    ana = isp.known("prepaid")
    ana.pay("31.00")
    ana.takes(isp.plan("31.00"))
    ana.change(quantity=2)
    assert ana.money["pays_until"] == "2024-01-15"  # 15 x 2.00; the last 1.00 carries no day
    isp.until("2024-01-15")
    assert (ana.balance, ana.online, {cost for _, cost in ana.days}) == ("1.00", True, {"2.00"})
    isp.until("2024-01-16")
    assert (ana.balance, ana.online, ana.money["owed"]) == ("1.00", False, "1.00")
    (why,) = ana.why_blocked
    assert any("costs 2.00" in words for words in why["words"])
    days = isp.get(f"/accounts/{ana.account}/days")["items"]
    blocked, charged = (isp.get(f"/days/{day['id']}/why") for day in days[:2])
    assert [(why["decision"], why["charged"]) for why in (blocked, charged)] == [("blocked", False), ("charged", True)]
    for why in (blocked, charged):  # what was tried is told as what was charged
        (charge,) = why["charges"]
        assert (charge["price"], charge["quantity"], charge["amount"]) == ("31.00", 2, "2.00")
        assert any("at 2 × 31.00" in words for words in why["words"])
    assert "of your 2 × 31.00" in charged["customer_words"][0]


def test_an_own_price_and_a_number_that_changes_are_charged_from_the_next_midnight(begins):
    isp = begins("2023-12-31")
    ana = isp.sign_up("62.00", pays="prepaid", paid="100.00")
    isp.until("2024-01-02")
    isp.post(f"/services/{ana.service}/price", {"price": "31.00", "quantity": 3})
    isp.until("2024-01-04")
    assert [cost for _, cost in ana.days] == ["2.00", "2.00", "3.00", "3.00"]
    plan = isp.get(f"/services/{ana.service}")["plan_id"]
    isp.post(f"/services/{ana.service}/price", {"price": None, "quantity": 2})
    isp.post(f"/plans/{plan}/prices", {"valid_from": "2024-01-07", "price": "31.00"})
    isp.until("2024-01-08")
    assert [cost for _, cost in ana.days][4:] == ["4.00", "4.00", "2.00", "2.00"]
