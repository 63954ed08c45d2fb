"""Plans changed up and down, numbers and discounts. A month costs 31.00: in January each day is 1.00."""

import pytest
from tests.staff.world import logged_in, person


@pytest.fixture
def told(begins):
    """(provider, Ana): she has paid nothing and has January's 31.00 since the first."""
    isp = begins("2024-01-01")
    return isp, isp.sign_up("31.00")


def test_up_in_mid_month_charges_the_difference_to_its_end(told):
    isp, ana = told
    larger = isp.plan("62.00")
    isp.until("2024-01-17")
    # 17 to 31 January: 15 days of 1.00 back, 15 days of 2.00 charged
    assert ana.foresee(plan_id=larger) == ["15.00"]
    assert ana.bills == ["31.00"]
    ana.change(plan_id=larger)
    assert ana.bills == ["31.00", "15.00"]
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "15.00", "62.00"]


def test_down_in_mid_month_gives_the_difference_back(told):
    isp, ana = told
    smaller = isp.plan("15.50")
    isp.until("2024-01-17")
    assert ana.foresee(plan_id=smaller) == ["-7.50"]  # 15.00 back, 15 days of 0.50 charged
    ana.change(plan_id=smaller)
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "-7.50", "15.50"]
    assert ana.balance == "-39.00"


def test_up_and_down_again_on_one_day_costs_nothing(told):
    isp, ana = told
    first = isp.get(f"/services/{ana.service}")["plan_id"]
    isp.until("2024-01-17")
    ana.change(plan_id=isp.plan("62.00"))
    ana.change(plan_id=first)
    assert ana.bills == ["31.00", "15.00", "-15.00"]
    assert ana.balance == "-31.00"


def test_up_at_the_end_of_the_period_credits_and_charges_nothing(told):
    isp, ana = told
    larger = isp.plan("62.00")
    isp.until("2024-01-17")
    assert ana.foresee(plan_id=larger, when="period_end") == []
    assert ana.change(plan_id=larger, when="period_end")["on"] == "2024-02-01"
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "62.00"]


def test_up_on_a_day_of_the_month_that_is_billed_is_put_right_on_that_day(told):
    isp, ana = told
    larger = isp.plan("62.00")
    assert ana.foresee(plan_id=larger, when="2024-01-17") == ["15.00"]
    ana.change(plan_id=larger, when="2024-01-17")
    isp.until("2024-01-16")
    assert ana.bills == ["31.00"]
    isp.until("2024-01-17")
    assert ana.bills == ["31.00", "15.00"]


def test_up_on_a_day_of_a_month_to_come_is_billed_with_that_month(told):
    isp, ana = told
    isp.until("2024-01-20")
    ana.change(plan_id=isp.plan("62.00"), when="2024-02-16")
    isp.until("2024-02-17")
    # 1 to 15 February: 31.00 x 15/29 = 16.03; 16 to 29: 62.00 - 62.00 x 15/29 = 62.00 - 32.07 = 29.93
    assert ana.bills == ["31.00", "45.96"]


def test_what_was_planned_is_taken_back(told):
    isp, ana = told
    larger = isp.plan("62.00")
    ana.change(plan_id=larger, when="2024-01-17")
    (planned,) = isp.get(f"/services/{ana.service}/changes")
    assert (planned["on"], planned["plan_id"], planned["state"]) == ("2024-01-17", larger, "active")
    assert isp.post(f"/services/{ana.service}/changes/take-back", {"on": "2024-01-17"}) == []
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "31.00"]


def test_what_was_planned_for_a_month_that_is_billed_and_then_taken_back_is_charged_again(told):
    isp, ana = told
    ana.change(state="ended", when="2024-02-16")
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "16.03"]  # 15 of 29 days
    isp.post(f"/services/{ana.service}/changes/take-back", {"on": "2024-02-16"})
    isp.until("2024-02-16")
    assert ana.bills == ["31.00", "16.03", "14.97"]  # the rest of February's 31.00


def test_two_of_it_from_mid_month_on(told):
    isp, ana = told
    isp.until("2024-01-17")
    assert ana.foresee(quantity=2) == ["15.00"]
    ana.change(quantity=2)
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "15.00", "62.00"]


def test_three_of_it_from_a_day_to_come_on(told):
    isp, ana = told
    ana.change(quantity=3, when="2024-02-01")
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "93.00"]


def test_a_change_of_plan_keeps_the_number_that_is_planned(told):
    isp, ana = told
    ana.change(quantity=2, when="2024-02-01")
    isp.until("2024-01-17")
    ana.change(plan_id=isp.plan("62.00"))
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "15.00", "124.00"]  # two at 62.00


def test_a_discount_counts_from_its_day(told):
    isp, ana = told
    isp.until("2024-01-17")
    isp.post(f"/services/{ana.service}/discounts", {"percent": "10"})
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "-1.50", "27.90"]  # a tenth of 15.00, of 31.00


def test_the_fee_of_a_change_is_foreseen_and_comes_with_the_next_document(told):
    isp, ana = told
    larger = isp.plan("62.00", change_fee="10.00")
    isp.until("2024-01-17")
    foreseen = isp.post(f"/services/{ana.service}/changes/preview", {"plan_id": larger})
    assert [fee["amount"] for fee in foreseen["fees"]] == ["10.00"]
    ana.change(plan_id=larger)
    isp.until("2024-02-01")
    assert ana.bills == ["31.00", "15.00", "72.00"]


def words(answer):
    return answer.content.decode().replace("\N{NO-BREAK SPACE}", " ").replace("\N{EN DASH}", "-")


def test_the_page_of_a_change_says_what_the_api_says_also_when_another_is_planned_before_it(told):
    isp, ana = told
    middle, large = isp.plan("46.50"), isp.plan("62.00")
    ana.change(plan_id=middle, when="2024-01-12")
    assert ana.foresee(plan_id=large, when="2024-01-22") == ["5.00"]  # 22 to 31 January: 10 x (2.00 - 1.50)
    manager = logged_in(person("Manager", "marta"))
    page = words(manager.post(f"/services/{ana.service}/plan/", {"plan_id": large, "when": "day", "on": "2024-01-22"}))
    assert "An invoice of 5.00 EUR is issued on 22 Jan 2024" in page
    ana.change(plan_id=large, when="2024-01-22")
    isp.until("2024-01-23")
    assert ana.bills == ["31.00", "10.00", "5.00"]


def test_the_page_of_a_price_from_a_day_to_come_says_what_that_day_bills(told):
    isp, ana = told
    given = {"price": "46.50", "quantity": 1, "valid_from": "2024-01-22"}
    page = words(logged_in(person("Manager", "marta")).post(f"/services/{ana.service}/price/", given))
    assert "An invoice of 5.00 EUR is issued on 22 Jan 2024" in page
    isp.post(f"/services/{ana.service}/price", given)
    isp.until("2024-01-23")
    assert ana.bills == ["31.00", "5.00"]
