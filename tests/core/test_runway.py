"""Until when a balance lasts, against the plain simulation of every day."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from tests.core.prepaid import ONE_DAY, START, account, prepaid_accounts, service

from demarc.core.charging import RUNWAY_DAYS, Decision, LimitRule, PriceFact, Runway, due, runway
from demarc.core.period import DayRule


def simulated(facts, today):
    """Every day to the horizon decided one by one."""
    story = due(facts, today + RUNWAY_DAYS * ONE_DAY, today)
    if story[0].decision is Decision.BLOCKED:
        return Runway(None, story[0].cost)
    tomorrow = due(facts._replace(balance=10**12), today + ONE_DAY, today)[-1].cost
    blocked = [o.day for o in story if o.decision is Decision.BLOCKED]
    return Runway(blocked[0] - ONE_DAY if blocked else story[-1].day, tomorrow)


@given(prepaid_accounts())
def test_the_runway_is_what_deciding_every_day_would_give(facts):
    assert runway(facts, START) == simulated(facts, START)


@given(st.integers(0, 40_000), st.integers(1, 9000), st.sampled_from(DayRule), st.sampled_from(LimitRule))
def test_the_runway_is_exact_over_many_months(balance, price, day_rule, limit_rule):
    facts = account(balance, service(price), day_rule=day_rule, limit_rule=limit_rule, decided_through=START - ONE_DAY)
    assert runway(facts, START) == simulated(facts, START)


def test_twenty_paid_on_the_last_of_the_month_lasts_to_the_fifteenth_of_the_next():
    facts = account(2000, service(4000), day_rule=DayRule.THIRTY, decided_through=date(2024, 3, 31))
    assert runway(facts, date(2024, 3, 31)) == Runway(date(2024, 4, 15), 133)


def test_a_customer_who_cannot_pay_tomorrow_lasts_until_today():
    facts = account(99, service(3100), decided_through=START)
    assert runway(facts, START) == Runway(START, 100)


def test_a_blocked_account_has_no_paid_day_and_needs_the_price_of_today():
    facts = account(10, service(3100), decided_through=START, blocked_for_money=True)
    assert runway(facts, START) == Runway(None, 100)


def test_a_balance_that_ends_the_day_before_the_horizon_is_seen_to_end():
    today = date(2024, 12, 28)  # 400 days before the first of a month
    facts = account(0, service(3000), day_rule=DayRule.THIRTY, decided_through=today)
    cost = sum(o.cost for o in due(facts._replace(balance=10**9), today + (RUNWAY_DAYS - 1) * ONE_DAY, today))
    assert runway(facts._replace(balance=cost), today).last_paid_day == date(2026, 1, 31)
    assert runway(facts._replace(balance=cost + 100), today).last_paid_day == date(2026, 2, 1)


def test_a_price_that_changes_on_the_last_of_a_month_counts_from_that_day():
    last = date(2024, 1, 31)
    raised = service(3100)
    raised = raised._replace(prices=(*raised.prices, PriceFact(2, last, last, 31_000)))
    facts = account(3099, raised, decided_through=START)
    assert runway(facts, START) == Runway(date(2024, 1, 30), 100)


def test_a_service_that_stops_does_not_shorten_the_rest():
    facts = account(12_100, service(3100), service(9000, service_id=2, until=START + ONE_DAY), decided_through=START)
    assert runway(facts, START) == simulated(facts, START)
    assert runway(facts, START).last_paid_day == date(2024, 4, 28)


def test_an_account_without_a_price_lasts_as_far_as_we_look():
    facts = account(-1, service(0), decided_through=START)
    assert runway(facts, START) == Runway(START + RUNWAY_DAYS * ONE_DAY, 0)
