"""Billing by months: what days cost, what a change afterwards puts right; against a second, naive implementation."""

from datetime import date, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.core import naive

from demarc.core.coverage import Discount, PlanPrice, ServiceFact, Use, amends, changes, cost, gaps, timeline
from demarc.core.period import add_months, billing_month, next_billing_day

START = date(2024, 1, 1)
DAYS = st.integers(0, 800).map(lambda offset: START + timedelta(days=offset))
AMOUNTS = st.integers(0, 20_000)
FACTS = st.lists(
    st.tuples(DAYS, st.sampled_from([1, 2]), st.sampled_from(list(Use)[:3]), st.none() | AMOUNTS, st.integers(1, 3)),
    min_size=1,
    max_size=6,
)
PRICES = st.lists(st.tuples(DAYS, AMOUNTS), min_size=1, max_size=4)
DISCOUNTS = st.lists(
    st.tuples(DAYS, st.none() | st.integers(0, 400), st.integers(0, 6000), st.integers(0, 3000)), max_size=2
)


def line_of(facts, prices, discounts=()):
    own = [ServiceFact(number, *fact) for number, fact in enumerate(facts, 1)]
    listed = {
        plan: [PlanPrice(number, *price) for number, price in enumerate(some, 1)] for plan, some in prices.items()
    }
    return timeline(own, listed, [Discount(*one) for one in discounts])


def simple(*facts, price=10_000):
    return line_of([(day, 1, use, own, 1) for day, use, own in facts], {1: [(START, price)], 2: [(START, 2 * price)]})


@settings(max_examples=700, deadline=None)
@given(FACTS, PRICES, PRICES, DISCOUNTS, DAYS, st.integers(0, 200), st.integers(1, 31))
def test_days_cost_what_a_naive_count_says(facts, first_prices, second_prices, discounts, first, length, billing_day):
    discounts = [(day, None if days is None else day + timedelta(days=days), a, b) for day, days, a, b in discounts]
    last = first + timedelta(days=length)
    segments = cost(line_of(facts, {1: first_prices, 2: second_prices}, discounts), first, last, billing_day)
    told = [naive.Fact(day, plan, use.value, own, quantity) for day, plan, use, own, quantity in facts]
    expected = naive.cost(told, {1: first_prices, 2: second_prices}, discounts, first, last, billing_day)
    assert sum(segment.amount for segment in segments) == expected
    covered = [day for one in segments for day in range(one.first.toordinal(), one.last.toordinal() + 1)]
    assert len(covered) == len(set(covered))
    assert all(first.toordinal() <= day <= last.toordinal() for day in covered)


@settings(max_examples=700, deadline=None)
@given(FACTS, FACTS, PRICES, DISCOUNTS, st.integers(1, 31), st.booleans(), st.booleans())
@example([(START, 1, Use.BILLED, None, 1)], [(START, 1, Use.BILLED, None, 1)], [(START, 100)], [], 31, True, True)
def test_a_correction_leaves_what_the_facts_of_now_cost(facts, later, prices, discounts, billing_day, pause, leave):
    discounts = [(day, None if days is None else day + timedelta(days=days), a, b) for day, days, a, b in discounts]
    plans = {1: prices, 2: prices}
    before, after = line_of(facts, plans), line_of([*facts, *later], plans, discounts)
    first, last = START + timedelta(days=17), START + timedelta(days=400)
    billed = cost(before, first, last, billing_day)
    found = changes(after, billed, credit_pause=pause, credit_leave=leave)
    told = sum(line.amount for change in found for line in amends(change))
    held = sum(segment.amount for change in found for segment in change.after)
    gone = sum(segment.amount for change in found for segment in change.before)
    assert told == held - gone
    charges = [line for change in found for line in amends(change) if line.amount > 0]
    assert all(line.amount == sum(segment.amount for segment in line.segments) for line in charges)
    live = sorted({*billed} - {one for change in found for one in change.before})
    live += [segment for change in found for segment in change.after]
    assert changes(after, live, credit_pause=pause, credit_leave=leave) == []
    if pause and leave:
        live += gaps(after, live, first, last, billing_day)
        assert sum(one.amount for one in live) == sum(one.amount for one in cost(after, first, last, billing_day))


def test_the_parts_of_a_month_sum_to_its_price_however_it_is_cut():
    stretches = simple((START, Use.BILLED, None), price=3999)
    parts = [cost(stretches, date(2024, 3, day), date(2024, 3, day), 1)[0].amount for day in range(1, 32)]
    assert sum(parts) == 3999
    assert set(parts) == {129}


def test_the_worked_example_of_a_plan_change_credits_what_was_billed_less_what_was_used():
    at_200 = simple((date(2024, 10, 1), Use.BILLED, 20_000))
    billed = cost(at_200, date(2024, 10, 1), date(2024, 10, 31), 1)
    changed = simple((date(2024, 10, 1), Use.BILLED, 20_000), (date(2024, 10, 20), Use.BILLED, 10_000))
    (change,) = changes(changed, billed, credit_pause=True, credit_leave=True)
    credit, charge = amends(change)
    assert (credit.first, credit.last, credit.amount) == (date(2024, 10, 20), date(2024, 10, 31), -7742)
    assert (charge.first, charge.last, charge.amount) == (date(2024, 10, 20), date(2024, 10, 31), 3871)


def test_a_day_that_comes_to_a_price_is_told_without_those_that_had_it_already():
    begun = date(2024, 11, 22)
    billed = cost(
        simple((begun, Use.BILLED, 3100), (date(2024, 11, 23), Use.BILLED, 6200)), begun, date(2024, 11, 30), 1
    )
    (change,) = changes(simple((begun, Use.BILLED, 6200)), billed, credit_pause=True, credit_leave=True)
    credit, charge = amends(change)
    assert (credit.first, credit.last, credit.amount) == (begun, begun, -103)
    (told,) = charge.segments
    assert (told.first, told.last, told.amount, charge.amount) == (begun, begun, 207, 207)


def test_a_dearer_list_price_does_not_touch_months_that_are_billed():
    cheap = line_of([(START, 1, Use.BILLED, None, 1)], {1: [(START, 1000)]})
    dear = line_of([(START, 1, Use.BILLED, None, 1)], {1: [(START, 1000), (date(2024, 2, 10), 2000)]})
    billed = cost(cheap, date(2024, 2, 1), date(2024, 2, 29), 1)
    assert changes(dear, billed, credit_pause=True, credit_leave=True) == []


@pytest.mark.parametrize(("keeps", "amount"), [(True, 0), (False, -5161)])
def test_what_was_billed_ahead_of_a_pause_is_given_back_unless_the_terms_say_no(keeps, amount):
    paused = simple((START, Use.BILLED, 10_000), (date(2024, 3, 16), Use.PAUSED, 10_000))
    billed = cost(simple((START, Use.BILLED, 10_000)), date(2024, 3, 1), date(2024, 3, 31), 1)
    found = changes(paused, billed, credit_pause=not keeps, credit_leave=True)
    assert sum(line.amount for change in found for line in amends(change)) == amount


@pytest.mark.parametrize("number", [29, 30, 31])
def test_a_billing_day_at_the_end_of_the_month_does_not_drift_in_three_years(number):
    day = date(2024, 1, number)
    seen = []
    for _ in range(36):
        assert billing_month(day, number)[0] == day
        seen.append(day.day)
        assert next_billing_day(day, number) == add_months(day, 1, number)
        day = add_months(day, 1, number)
    assert (day.year, day.month, day.day) == (2027, 1, number)
    assert seen[:3] == [number, 29, number if number < 31 else 31]
