"""The past answered again by other rules."""

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from demarc.core.access import Accept, Answer, Cause, CauseRule, Check, NasRules, Policy, Reject, Request, Subscriber
from demarc.core.shadow import Recorded, replay

AT = datetime(2026, 3, 10, 12, tzinfo=UTC)
RULES = {cause: CauseRule(cause, f"Reject_{cause:d}", 60 + cause, 8101 + cause) for cause in Cause}
POLICY = Policy(RULES, nas={1: NasRules(pool_ids=(50,))})
ANA = Subscriber(7, 70)


def asked(check: Check = Check.PASS, subscriber: Subscriber | None = ANA, others: int = 0) -> Recorded:
    return Recorded(1, AT, Request("", check, 1), subscriber, others)


def answering(**answers: Answer) -> Policy:
    return replace(POLICY, nas={1: NasRules((50,), answers={Cause[name]: answer for name, answer in answers.items()})})


subscribers = st.none() | st.builds(
    Subscriber,
    id=st.integers(1, 99),
    service_id=st.integers(1, 99),
    blocked=st.none() | st.sampled_from(Cause),
    macs=st.sampled_from([frozenset(), frozenset({"02:00:00:00:00:01"})]),
    simultaneous=st.integers(0, 3),
)
requests = st.builds(
    Request, login=st.just(""), check=st.sampled_from(Check), nas_id=st.integers(1, 2), mac=st.just(""),
    needs_proof=st.booleans(),
)  # fmt: skip
pasts = st.lists(st.builds(Recorded, st.just(1), st.just(AT), requests, subscribers, st.integers(0, 4)), max_size=20)
policies = st.builds(
    lambda answers: replace(POLICY, nas={1: NasRules((50,), answers=answers)}),
    st.dictionaries(st.sampled_from(Cause), st.sampled_from(Answer)),
)


@given(pasts, policies)
def test_the_same_policy_changes_nothing(past, policy):
    assert list(replay(past, policy, policy)) == []


@given(pasts, policies, policies)
def test_what_changes_one_way_changes_back_the_other(past, one, other):
    there, back = list(replay(past, one, other)), list(replay(past, other, one))
    assert [(change.before, change.after) for change in there] == [(change.after, change.before) for change in back]


def test_a_wrong_password_that_would_get_the_reject_pool_is_named():
    past = [asked(Check.FAIL), asked(Check.PASS)]
    (change,) = replay(past, POLICY, answering(WRONG_PASSWORD=Answer.POOL))
    assert isinstance(change.before.answer, Reject)
    assert isinstance(change.after.answer, Accept)
    assert (change.after.answer.list_name, change.after.page_port) == ("Reject_4", 8105)


def test_a_lower_limit_turns_away_those_who_are_twice_online():
    twice = ANA._replace(simultaneous=2)
    past = [asked(subscriber=twice, others=0), asked(subscriber=twice, others=1)]
    (change,) = replay(past, POLICY, POLICY, session_limit=1)
    assert change.recorded.open_sessions == 1
    assert change.after.answer.why == "Already online: 1 of 1 sessions."


def test_another_page_for_the_same_list_is_a_change_too():
    blocked = asked(subscriber=ANA._replace(blocked=Cause.NO_MONEY))
    moved = replace(POLICY, rules=RULES | {Cause.NO_MONEY: replace(RULES[Cause.NO_MONEY], page_port=9000)})
    (change,) = replay([blocked], POLICY, moved)
    assert (change.before.page_port, change.after.page_port) == (8103, 9000)
    assert change.before.answer == change.after.answer
