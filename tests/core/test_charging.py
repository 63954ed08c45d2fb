"""The prepaid day: the mission's numbers, the edges, and properties against an independent oracle."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.prepaid import ONE_DAY, START, account, booked, prepaid_accounts, punctual, service, unblocked

from demarc.core.charging import (
    BlockedSpan,
    Decision,
    LimitRule,
    PriceFact,
    ServiceCharge,
    StateFact,
    activation,
    day_charge,
    due,
    retry,
    shortfall,
)
from demarc.core.money import CURRENCIES, Money, format_plain
from demarc.core.period import DayRule, days, last_of_month

months = st.dates(date(2000, 1, 1), date(2099, 12, 1)).map(lambda day: day.replace(day=1))
prices = st.integers(0, 10**12)
rules = st.sampled_from(DayRule)


def rounded(value: Fraction) -> int:
    """The oracle's own half-up, by decimal."""
    return int((Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal(1), ROUND_HALF_UP))


def month_of(first: date) -> list[date]:
    return list(days(first, last_of_month(first)))


# --- what a day costs ---


@given(prices, months, st.sampled_from(sorted(CURRENCIES)))
def test_a_calendar_month_sums_to_the_price_in_any_currency(price, first, code):
    total = sum((Money(day_charge(price, day, DayRule.CALENDAR), code) for day in month_of(first)), Money(0, code))
    assert format_plain(total) == format_plain(Money(price, code))


@given(prices, months)
def test_a_thirty_day_month_sums_to_the_price_plus_or_minus_the_days_that_differ(price, first):
    charges = [day_charge(price, day, DayRule.THIRTY) for day in month_of(first)]
    assert sum(charges[:30]) == (price if len(charges) >= 30 else rounded(Fraction(price * len(charges), 30)))
    if len(charges) == 31:
        assert charges[30] == charges[0] == rounded(Fraction(price, 30))


@given(st.integers(0, 10**9), months, rules)
def test_every_day_is_within_one_minor_unit_of_its_exact_share(price, first, rule):
    length = 30 if rule is DayRule.THIRTY else len(month_of(first))
    for day in month_of(first):
        assert abs(day_charge(price, day, rule) - Fraction(price, length)) < 1


@given(st.integers(0, 10**9), months)
def test_any_days_up_to_k_sum_to_the_rounded_share_of_the_oracle(price, first):
    month = month_of(first)
    for k in range(1, len(month) + 1):
        taken = sum(day_charge(price, day, DayRule.CALENDAR) for day in month[:k])
        assert taken == rounded(Fraction(price * k, len(month)))


def test_forty_a_month_is_133_134_133_as_the_mission_has_it():
    october = month_of(date(2016, 10, 1))
    assert [day_charge(4000, day, DayRule.THIRTY) for day in october[:6]] == [133, 134, 133, 133, 134, 133]
    assert sum(day_charge(4000, day, DayRule.THIRTY) for day in october[:15]) == 2000
    assert day_charge(4000, october[30], DayRule.THIRTY) == 133


def test_forty_a_month_in_a_month_of_31_days_is_129_once_130():
    charges = [day_charge(4000, day, DayRule.CALENDAR) for day in month_of(date(2016, 10, 1))]
    assert charges.count(129) == 30
    assert charges.count(130) == 1
    assert sum(charges) == 4000


@pytest.mark.parametrize(("year", "length"), [(2023, 28), (2024, 29)])
def test_a_thirty_day_february_costs_only_its_days(year, length):
    charges = [day_charge(4000, day, DayRule.THIRTY) for day in month_of(date(year, 2, 1))]
    assert sum(charges) == rounded(Fraction(4000 * length, 30))


# --- the mission's story ---


def test_twenty_pays_exactly_fifteen_days_and_the_sixteenth_blocks():
    facts = account(2000, service(4000, since=date(2016, 10, 1)), day_rule=DayRule.THIRTY)
    _, story = punctual(facts, date(2016, 10, 1), date(2016, 10, 17))
    assert [o.decision for o in story] == [Decision.CHARGED] * 15 + [Decision.BLOCKED, Decision.SKIPPED_BLOCKED]
    assert story[14].balance_after == 0
    assert story[15].cost == 133
    assert story[15].lines == ()
    assert not any(o.catch_up for o in story)


def test_forty_becomes_3867_after_one_day():
    facts = account(4000, service(4000, since=date(2016, 10, 1)), day_rule=DayRule.THIRTY)
    assert due(facts, date(2016, 10, 1), date(2016, 10, 1))[0].balance_after == 3867


def test_a_calendar_october_leaves_65_cents_on_the_sixteenth():
    facts = account(2000, service(4000, since=date(2016, 10, 1)))
    _, story = punctual(facts, date(2016, 10, 1), date(2016, 10, 16))
    assert [o.decision for o in story] == [Decision.CHARGED] * 15 + [Decision.BLOCKED]
    assert story[-1].balance_after == 65


def test_a_charge_names_the_service_and_the_facts_it_rests_on():
    facts = account(2000, service(3100))
    assert due(facts, START, START)[0].lines == (ServiceCharge(1, 100, price_fact_id=1000, service_fact_id=100),)


# --- limits ---


def test_a_day_is_charged_when_it_leaves_exactly_the_minimal_balance():
    facts = account(100, service(3100))
    assert due(facts, START, START)[0].decision is Decision.CHARGED
    assert due(facts._replace(balance=99), START, START)[0].decision is Decision.BLOCKED


def test_a_negative_minimal_balance_is_a_credit_and_a_positive_one_a_deposit():
    facts = account(0, service(3100))
    assert due(facts._replace(minimal_balance=-100), START, START)[0].balance_after == -100
    assert due(facts._replace(balance=1099, minimal_balance=1000), START, START)[0].decision is Decision.BLOCKED


def test_stopping_at_the_limit_charges_until_the_balance_is_at_it():
    facts = account(250, service(3100), limit_rule=LimitRule.STOP_AT_LIMIT)
    _, story = punctual(facts, START, START + 3 * ONE_DAY)
    assert [o.balance_after for o in story] == [150, 50, -50, -50]
    assert story[3].decision is Decision.BLOCKED
    at_limit = facts._replace(balance=0)
    assert due(at_limit, START, START)[0].decision is Decision.BLOCKED


def test_all_services_of_an_account_are_paid_or_none():
    facts = account(150, service(3100), service(1550, service_id=2))
    outcome = due(facts, START, START)[0]
    assert (outcome.cost, outcome.balance_after) == (150, 0)
    assert [line.amount for line in outcome.lines] == [100, 50]
    short = due(facts._replace(balance=149), START, START)[0]
    assert (short.decision, short.lines, short.balance_after, short.cost) == (Decision.BLOCKED, (), 149, 150)


def test_a_service_that_costs_nothing_has_no_line():
    facts = account(1000, service(3100), service(0, service_id=2))
    assert [line.service_id for line in due(facts, START, START)[0].lines] == [1]


@pytest.mark.parametrize("limit_rule", LimitRule)
def test_a_day_without_a_charge_never_blocks(limit_rule):
    stopped = service(3100, until=START + ONE_DAY)
    for services in ((), (service(0),), (stopped,)):
        facts = account(-5000, *services, decided_through=START, limit_rule=limit_rule)
        (outcome,) = due(facts, START + ONE_DAY, START + ONE_DAY)
        assert (outcome.decision, outcome.balance_after) == (Decision.NOTHING_DUE, -5000)


# --- first and last days, prices that change ---


def entered_at_ten(day, fact_id=500, active=True):
    """A state entered in the middle of `day`, for that day."""
    return StateFact(fact_id, day, day + ONE_DAY, active)


def test_the_first_charge_falls_on_the_midnight_after_activation():
    activated = service(3100)._replace(states=(entered_at_ten(START),))
    facts = account(1000, activated)
    assert due(facts, START, START) == []
    assert due(facts, START + ONE_DAY, START + ONE_DAY)[0].day == START + ONE_DAY


def test_the_activation_day_is_charged_in_full_where_the_setting_says_so():
    activated = service(3100)._replace(
        states=(entered_at_ten(START),), prices=(PriceFact(9, START, START + ONE_DAY, 3100),)
    )
    facts = account(1000, activated, charge_activation_day=True)
    (outcome,) = due(facts, START, START)
    assert (outcome.day, outcome.cost) == (START, 100)
    assert activation(facts, 1, START) == outcome
    assert activation(facts._replace(charge_activation_day=False), 1, START) is None
    assert activation(booked(facts, [outcome]), 1, START) is None


def test_a_second_service_pays_its_activation_day_alone():
    second = service(1550, service_id=2)._replace(states=(entered_at_ten(START),))
    facts = booked(account(1000, service(3100)), due(account(1000, service(3100)), START, START))
    facts = facts._replace(services=(*facts.services, second), charge_activation_day=True)
    outcome = activation(facts, 2, START)
    assert [(line.service_id, line.amount) for line in outcome.lines] == [(2, 50)]
    assert activation(facts._replace(balance=49), 2, START).decision is Decision.BLOCKED
    assert activation(facts._replace(blocked_for_money=True), 2, START) is None


def test_a_service_stopped_during_a_day_has_paid_for_that_day_and_no_other():
    stopped = service(3100)
    stopped = stopped._replace(states=(*stopped.states, entered_at_ten(START + 2 * ONE_DAY, active=False)))
    _, story = punctual(account(1000, stopped), START, START + 4 * ONE_DAY)
    assert [o.cost for o in story] == [100, 100, 100, 0, 0]


@pytest.mark.parametrize("charge_activation_day", [False, True])
def test_stopped_and_started_again_on_one_day_is_one_charge(charge_activation_day):
    states = (entered_at_ten(START + ONE_DAY, 501, active=False), entered_at_ten(START + ONE_DAY, 502))
    restarted = service(3100)._replace(states=(*service(3100).states, *states))
    facts = account(1000, restarted, charge_activation_day=charge_activation_day)
    _, story = punctual(facts, START, START + 2 * ONE_DAY)
    assert [o.cost for o in story] == [100, 100, 100]


def test_each_day_costs_what_its_own_price_says():
    third = START + 2 * ONE_DAY
    changed = service(3100)._replace(prices=(PriceFact(1, START, START, 3100), PriceFact(2, third, third, 6200)))
    _, story = punctual(account(1000, changed), START, START + 3 * ONE_DAY)
    assert [(o.cost, o.lines[0].price_fact_id) for o in story] == [(100, 1), (100, 1), (200, 2), (200, 2)]


def test_a_price_entered_during_the_day_decides_the_next_one_even_in_a_late_run():
    prices_ = (PriceFact(1, START, START, 3100), PriceFact(2, START, START + ONE_DAY, 6200))
    outcomes = due(account(1000, service(3100)._replace(prices=prices_)), START + ONE_DAY, START + ONE_DAY)
    assert [o.cost for o in outcomes] == [100, 200]


def test_a_later_word_about_the_same_day_wins():
    prices_ = (PriceFact(1, START, START, 3100), PriceFact(2, START, START, 9300))
    assert due(account(1000, service(3100)._replace(prices=prices_)), START, START)[0].cost == 300


# --- late runs ---


def test_days_that_passed_are_charged_below_the_limit_and_today_blocks():
    today = START + 3 * ONE_DAY
    outcomes = due(account(150, service(3100)), today, today)
    assert [o.decision for o in outcomes] == [Decision.CHARGED] * 3 + [Decision.BLOCKED]
    assert [o.balance_after for o in outcomes] == [50, -50, -150, -150]
    assert [o.catch_up for o in outcomes] == [True, True, True, False]


def test_days_on_which_the_account_was_blocked_are_not_caught_up():
    spans = (BlockedSpan(START, START + ONE_DAY),)
    today = START + 3 * ONE_DAY
    outcomes = due(account(1000, service(3100), blocked_spans=spans), today, today)
    assert [o.cost for o in outcomes] == [0, 0, 100, 100]
    assert outcomes[0].decision is Decision.SKIPPED_BLOCKED


@pytest.mark.parametrize("flag", ["blocked_for_money", "blocked_by_hand"])
def test_an_account_that_is_blocked_is_not_tried_by_the_day_run(flag):
    facts = account(10**6, service(3100), **{flag: True})
    assert [o.decision for o in due(facts, START, START)] == [Decision.SKIPPED_BLOCKED]


def test_a_forecast_stops_charging_at_the_day_that_blocks():
    outcomes = due(account(250, service(3100)), START + 4 * ONE_DAY, START)
    assert [o.cost for o in outcomes] == [100, 100, 100, 0, 0]
    assert outcomes[3].decision is Decision.SKIPPED_BLOCKED


# --- trying again ---


def blocked_account(balance=50, **settings):
    facts = account(balance, service(3100), **settings)
    return booked(facts, due(facts, START, START))


def test_a_payment_that_suffices_pays_today_in_full():
    facts = blocked_account()._replace(balance=100)
    outcome = retry(facts, START)
    assert (outcome.decision, outcome.balance_after) == (Decision.CHARGED, 0)
    after = unblocked(facts, outcome)
    assert due(after, START, START) == []
    assert retry(after, START) is None


def test_a_payment_that_does_not_suffice_changes_nothing():
    outcome = retry(blocked_account()._replace(balance=99), START)
    assert (outcome.decision, outcome.balance_after) == (Decision.BLOCKED, 99)


def test_at_the_limit_one_unit_above_it_suffices():
    facts = blocked_account(balance=0, limit_rule=LimitRule.STOP_AT_LIMIT)
    assert shortfall(facts, START) == 1
    assert retry(facts, START).decision is Decision.BLOCKED
    assert retry(facts._replace(balance=1), START).balance_after == -99


def test_a_payment_does_not_lift_a_block_by_hand():
    assert retry(blocked_account()._replace(balance=10**6, blocked_by_hand=True), START) is None


def test_a_lower_price_entered_today_counts_for_the_retry():
    facts = blocked_account()
    cheaper = facts.services[0]._replace(prices=(*facts.services[0].prices, PriceFact(2, START, START + ONE_DAY, 1550)))
    assert retry(facts._replace(services=(cheaper,)), START).cost == 50


def test_a_service_stopped_today_is_not_paid_by_the_retry():
    facts = blocked_account()
    stopped = facts.services[0]._replace(states=(*facts.services[0].states, entered_at_ten(START, active=False)))
    assert retry(facts._replace(services=(stopped,)), START).decision is Decision.NOTHING_DUE


def test_a_plan_changed_today_is_still_paid_by_the_retry():
    facts = blocked_account()
    moved = facts.services[0]._replace(states=(*facts.services[0].states, entered_at_ten(START, fact_id=777)))
    outcome = retry(facts._replace(services=(moved,), balance=100), START)
    assert outcome.lines[0].service_fact_id == 777


def test_a_retry_before_the_day_run_is_a_bug():
    facts = blocked_account()
    for verb in (lambda day: retry(facts, day), lambda day: activation(facts, 1, day)):
        with pytest.raises(ValueError, match="is decided through"):
            verb(START + ONE_DAY)


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**7), st.integers(-(10**4), 10**4), st.sampled_from(LimitRule))
def test_the_shortfall_is_the_least_payment_that_suffices(balance, price, minimal, limit_rule):
    facts = account(
        balance, service(price), minimal_balance=minimal, limit_rule=limit_rule, decided_through=START,
        blocked_for_money=True,
    )  # fmt: skip
    missing = shortfall(facts, START)
    assert retry(facts._replace(balance=balance + missing), START).decision is not Decision.BLOCKED
    if missing:
        assert retry(facts._replace(balance=balance + missing - 1), START).decision is Decision.BLOCKED


# --- properties of whole stories ---


@given(prepaid_accounts(), st.lists(st.integers(0, 80), max_size=12), st.integers(0, 80))
def test_any_repetition_and_interleaving_of_runs_decides_the_same_days_alike(facts, asked, late_by):
    today = START + late_by * ONE_DAY
    whole = due(facts, today, today)
    pieces, state = [], facts
    for offset in [*asked, late_by, late_by]:
        outcomes = due(state, min(START + offset * ONE_DAY, today), today)
        pieces += outcomes
        state = booked(state, outcomes)
    assert pieces == whole
    assert [o.day for o in whole] == list(days(START, today))


@given(prepaid_accounts(), st.integers(1, 80), st.integers(0, 80))
def test_a_late_run_differs_from_a_punctual_one_only_by_what_it_catches_up(facts, length, late):
    last = START + length * ONE_DAY
    _, punctually = punctual(facts, START, last)
    gap = START + min(late, length) * ONE_DAY
    first_part = punctual(facts, START, gap - ONE_DAY)[0]
    catching_up = due(first_part, last, last)
    for outcome in catching_up:
        on_time = punctually[(outcome.day - START).days]
        if on_time.decision in (Decision.CHARGED, Decision.NOTHING_DUE):
            assert (outcome.lines, outcome.cost) == (on_time.lines, on_time.cost)
        else:
            assert outcome.catch_up or outcome.decision is not Decision.CHARGED


def oracle(facts, first: date, last: date) -> list[tuple[str, int, int]]:
    """Punctual days once more, written apart from the code under test: (decision, cost, balance after)."""
    balance, blocked, story = facts.balance, False, []
    for day in days(first, last):
        length = 30 if facts.day_rule == "thirty" else len(month_of(day.replace(day=1)))
        k = 1 if facts.day_rule == "thirty" and day.day == 31 else day.day
        cost = 0
        for one in facts.services:
            in_use = [s for s in one.states if s.seen_from <= day]
            known = [p for p in one.prices if p.seen_from <= day]
            if in_use and in_use[-1].active:
                price = known[-1].price_minor
                cost += rounded(Fraction(price * k, length)) - rounded(Fraction(price * (k - 1), length))
        if blocked:
            story.append(("skipped_blocked", 0, balance))
        elif cost == 0:
            story.append(("nothing_due", 0, balance))
        elif (
            (balance <= facts.minimal_balance)
            if facts.limit_rule == "stop_at_limit"
            else (balance < facts.minimal_balance + cost)
        ):
            blocked = True
            story.append(("blocked", cost, balance))
        else:
            balance -= cost
            story.append(("charged", cost, balance))
    return story


@given(prepaid_accounts(), st.integers(0, 80))
def test_punctual_days_are_what_the_oracle_says(facts, length):
    last = START + length * ONE_DAY
    _, story = punctual(facts, START, last)
    assert [(o.decision.value, o.cost, o.balance_after) for o in story] == oracle(facts, START, last)


@given(prepaid_accounts(), st.integers(0, 80))
def test_the_balance_falls_by_exactly_the_lines_that_were_charged(facts, length):
    after, story = punctual(facts, START, START + length * ONE_DAY)
    assert facts.balance - after.balance == sum(line.amount for o in story for line in o.lines)
    assert all((o.decision is Decision.CHARGED) == bool(o.lines) for o in story)
    if facts.limit_rule is LimitRule.COVER:
        assert all(o.balance_after >= facts.minimal_balance for o in story if o.decision is Decision.CHARGED)
