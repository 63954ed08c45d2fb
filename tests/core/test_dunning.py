"""Whom to remind and to block: by example, and against a diary that walks through every hour."""

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.core.dunning_oracle import DAY, bad_debt, diary

from demarc.core import dunning
from demarc.core.dunning import AccountFacts, Cause, DaysOff, Debt, Moment, Policy, Reminder

MONDAY = date(2024, 1, 1)
DEBT = Debt(1, "2024000001", date(2024, 1, 1), date(2024, 1, 15), 3100)
LATE = AccountFacts(1, -3100, 0, (DEBT,))
OFF = DaysOff()
SPAN = 40

days = st.integers(0, 25).map(lambda number: MONDAY + number * DAY)
debts = st.builds(
    Debt,
    st.integers(1, 5),
    st.just("1"),
    days,
    days,
    st.integers(1, 100),
    disputed=st.booleans(),
    one_time=st.booleans(),
)
reminders = st.lists(
    st.builds(Reminder, st.integers(-7, 20), st.integers(0, 23)), max_size=3, unique_by=lambda one: one.days
).map(tuple)
policies = st.builds(
    Policy,
    reminders=reminders,
    blocks=st.booleans(),
    grace_days=st.integers(0, 10),
    block_hour=st.integers(0, 23),
    on_weekends=st.booleans(),
    on_holidays=st.booleans(),
    threshold=st.integers(0, 150),
    one_time_blocks=st.booleans(),
    deactivate_after_days=st.integers(0, 12),
)
accounts = st.builds(
    AccountFacts,
    st.just(1),
    st.integers(-300, 50),
    st.integers(-100, 100),
    st.lists(debts, max_size=4, unique_by=lambda one: one.document_id).map(tuple),
    st.none() | days,
    st.none() | days,
)
closings = st.builds(DaysOff, st.just(frozenset({5, 6})), st.frozensets(days, max_size=6))


def lived(facts: AccountFacts, policy: Policy, off: DaysOff, first: date, count: int):
    """What core's decisions lead to when they are asked for every hour."""
    told = []
    for number in range(count):
        for hour in range(24):
            day = first + number * DAY
            outcome = dunning.decide(facts, policy, Moment(day, hour), off)
            told += [(day, hour, "remind", sending.debt.document_id) for sending in outcome.remind]
            sent = {(sending.debt.document_id, sending.reminder.days) for sending in outcome.remind}
            facts = replace(facts, reminded=facts.reminded | sent)
            if outcome.block:
                told.append((day, hour, "block", 0))
                facts = replace(facts, blocked_on=day)
            if outcome.deactivate:
                told.append((day, hour, "deactivate", 0))
                facts = replace(facts, deactivated=True)
    return told


@settings(max_examples=40)
@given(accounts, policies, closings)
def test_every_hour_s_decision_is_the_diary_s(facts, policy, off):
    assert sorted(lived(facts, policy, off, MONDAY, SPAN)) == sorted(diary(facts, policy, off, MONDAY, SPAN))


@settings(max_examples=80)
@given(accounts, policies, closings)
def test_a_simulation_that_skips_days_foresees_what_every_hour_would_bring(facts, policy, off):
    foreseen = [(event.day, event.what) for event in dunning.simulate([(facts, policy, off)], MONDAY, SPAN)]
    assert sorted(foreseen) == sorted((day, what) for day, _, what, _ in diary(facts, policy, off, MONDAY, SPAN))


@given(accounts, policies, days)
def test_what_must_be_paid_frees_and_a_cent_less_does_not_always(facts, policy, day):
    missing = dunning.shortfall(facts, policy, day)
    assert (missing > 0) == bad_debt(facts, policy, day)
    left = missing
    rest = []
    for debt in sorted(facts.debts, key=lambda one: (one.disputed, one.due_on, one.document_id)):
        paid = min(left, debt.amount)
        left -= paid
        rest.append(debt._replace(amount=debt.amount - paid))
    assert not bad_debt(replace(facts, balance=facts.balance + missing, debts=tuple(rest)), policy, day)


@given(accounts, policies, closings, days)
def test_who_is_blocked_is_told_a_debt_and_who_is_not_is_told_why_not(facts, policy, off, day):
    facts = replace(facts, blocked_on=None, promised_until=None)
    causes = [why.cause for why in dunning.explain(facts, policy, day, off)]
    assert (Cause.BLOCKS in causes) == bad_debt(facts, policy, day)
    if Cause.BLOCKS in causes:
        assert {Cause.OVERDUE, Cause.BELOW_LIMIT} <= set(causes)


def test_a_bill_of_the_first_is_due_on_the_fifteenth_and_blocks_on_the_sixteenth_at_the_hour():
    policy = Policy()
    assert not dunning.decide(LATE, policy, Moment(date(2024, 1, 15), 23), OFF).block
    assert not dunning.decide(LATE, policy, Moment(date(2024, 1, 16), 7), OFF).block
    assert dunning.decide(LATE, policy, Moment(date(2024, 1, 16), 8), OFF).block


def test_a_run_that_comes_late_in_the_day_blocks_and_one_on_a_saturday_waits_for_monday():
    saturday = date(2024, 1, 20)
    assert not dunning.decide(LATE, Policy(), Moment(saturday, 12), OFF).block
    assert dunning.decide(LATE, Policy(on_weekends=True), Moment(saturday, 12), OFF).block
    assert dunning.decide(LATE, Policy(), Moment(saturday + 2 * DAY, 8), OFF).block


def test_reminders_that_were_missed_for_days_are_sent_once_the_latest_only():
    policy = Policy(reminders=(Reminder(1), Reminder(2), Reminder(10)))
    for day, sent in ((18, [2]), (19, [2]), (20, [])):
        outcome = dunning.decide(LATE, policy, Moment(date(2024, 1, day), 12), OFF)
        assert [sending.reminder.days for sending in outcome.remind] == sent


def test_a_wave_may_be_three_times_the_usual_and_never_less_than_twenty():
    assert dunning.held_back([], 3, 20) == 20
    assert dunning.held_back([4, 5, 6], 3, 20) == 20
    assert dunning.held_back([10, 100, 12, 11, 90], 3, 20) == 36


def test_a_calendar_without_a_permitted_day_blocks_nobody():
    always = DaysOff(frozenset(range(7)))
    assert dunning.next_permitted(Policy(), MONDAY, always) is None
    assert list(dunning.simulate([(LATE, Policy(reminders=()), always)], MONDAY, 60)) == []
    assert not dunning.decide(LATE, Policy(), Moment(MONDAY + timedelta(days=30), 12), always).block
