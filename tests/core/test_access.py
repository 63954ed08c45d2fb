"""Who gets on the network and how: every cause against every answer, and what a stranger may never get."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.access import (
    MIN_INTERIM_S,
    PRESETS,
    USED_UP,
    Accept,
    Address,
    Answer,
    Cause,
    CauseRule,
    Check,
    NasRules,
    Policy,
    Reject,
    Request,
    Source,
    Subscriber,
    decide,
    jittered,
    normal_mac,
)

NOW = datetime(2024, 1, 1, 12, tzinfo=UTC)
NAS, OTHER_NAS = 1, 2
MAC = "AA:BB:CC:DD:EE:FF"
PAYING = Subscriber(
    id=5, service_id=50, routes=("192.0.2.0/29",), macs=frozenset({MAC}), down_kbps=100_000, up_kbps=20_000
)
LATE = PAYING._replace(blocked=Cause.NO_MONEY)
RULES = {p.cause: CauseRule(p.cause, p.list_name, 90 + p.cause, p.page_port) for p in PRESETS["demarc"]}


def policy(answer=None, **nas):
    answers = dict.fromkeys(Cause, answer) if answer else {}
    return Policy(
        rules=RULES, interim_s=300, blocked_session_timeout_s=120,
        nas={NAS: NasRules(pool_ids=(11, 12), answers=answers, **nas)},
    )  # fmt: skip


def asked(check=Check.PASS, **changes):
    return Request("eva", check, NAS, MAC)._replace(**changes)


def answer_to(request, subscriber, rules=None, open_sessions=0):
    return decide(request, subscriber, rules or policy(), open_sessions, NOW)


# --- who has used up his volume ---


@pytest.mark.parametrize(
    ("own", "source", "list_name"),
    [
        (None, Source.REJECT_POOL, "Reject_2"),
        (Answer.LIST, Source.POOL, "Reject_2"),
        (Answer.POOL, Source.REJECT_POOL, "Reject_2"),
        (Answer.REJECT, None, None),
    ],
)
def test_a_used_up_volume_has_an_answer_of_its_own_else_that_of_the_cause(own, source, list_name):
    answer = answer_to(asked(), LATE._replace(used_up=True), policy(Answer.POOL, used_up=own))
    assert answer.why == USED_UP
    assert answer.cause is Cause.NO_MONEY
    if own is Answer.REJECT:
        assert isinstance(answer, Reject)
    else:
        assert (answer.address.source, answer.list_name) == (source, list_name)


def test_that_answer_is_for_nobody_else():
    rules = policy(Answer.POOL, used_up=Answer.REJECT)
    assert isinstance(answer_to(asked(), LATE, rules), Accept)
    other_device = answer_to(asked(mac="00:00:00:00:00:01"), LATE._replace(used_up=True), rules)
    assert (other_device.cause, isinstance(other_device, Accept)) == (Cause.WRONG_MAC, True)


# --- a paying customer ---


def test_a_paying_customer_gets_an_address_of_the_router_and_the_speed_of_the_plan():
    answer = answer_to(asked(), PAYING)
    assert isinstance(answer, Accept)
    assert answer.address == Address(Source.POOL, pool_ids=(11, 12))
    assert (answer.down_kbps, answer.up_kbps, answer.routes) == (100_000, 20_000, ("192.0.2.0/29",))
    assert (answer.subscriber_id, answer.service_id) == (5, 50)
    assert (answer.cause, answer.list_name, answer.session_timeout_s) == (None, None, 0)
    assert 270 <= answer.interim_s <= 330


def test_the_address_is_the_static_one_then_the_plans_pool_then_the_routers():
    static = PAYING._replace(static_ipv4=IPv4Address("198.51.100.7"), pool_ids=(77,))
    assert answer_to(asked(), static).address == Address(Source.STATIC, ipv4=IPv4Address("198.51.100.7"))
    assert answer_to(asked(), PAYING._replace(pool_ids=(77,))).address == Address(Source.POOL, pool_ids=(77,))
    named = policy(framed_pool="homes")
    assert answer_to(asked(), PAYING, named).address == Address(Source.FRAMED_POOL, framed_pool="homes")
    assert answer_to(asked(nas_id=OTHER_NAS), PAYING).address == Address(Source.NAS)


def test_a_session_ends_when_access_ends_or_at_its_limit_whichever_is_first():
    ending = PAYING._replace(ends_at=NOW + timedelta(seconds=90, microseconds=1))
    assert answer_to(asked(), ending).session_timeout_s == 91
    assert answer_to(asked(), ending._replace(session_timeout_s=30)).session_timeout_s == 30
    assert answer_to(asked(), PAYING._replace(session_timeout_s=3600)).session_timeout_s == 3600
    assert answer_to(asked(), ending._replace(session_timeout_s=3600)).session_timeout_s == 91


def test_access_that_has_ended_is_not_active_although_nobody_blocked_it():
    assert answer_to(asked(), PAYING._replace(ends_at=NOW)).cause is Cause.NOT_ACTIVE


def test_a_second_session_is_rejected_when_one_is_allowed():
    answer = answer_to(asked(), PAYING, open_sessions=1)
    assert isinstance(answer, Reject)
    assert answer.why == "Already online: 1 of 1 sessions."
    assert isinstance(answer_to(asked(), PAYING._replace(simultaneous=2), open_sessions=1), Accept)
    assert isinstance(answer_to(asked(), PAYING._replace(simultaneous=0), open_sessions=99), Accept)


# --- everyone else, by the table ---

CALLERS = {
    Cause.NOT_FOUND: (asked(Check.UNKNOWN), None),
    Cause.NOT_ACTIVE: (asked(), PAYING._replace(blocked=Cause.NOT_ACTIVE)),
    Cause.NO_MONEY: (asked(), LATE),
    Cause.WRONG_MAC: (asked(mac="00:00:00:00:00:01"), PAYING),
    Cause.WRONG_PASSWORD: (asked(Check.FAIL), PAYING),
}
STRANGERS = {Cause.NOT_FOUND, Cause.WRONG_PASSWORD}


@pytest.mark.parametrize("cause", Cause)
def test_reject_means_access_reject_for_every_cause(cause):
    request, subscriber = CALLERS[cause]
    answer = answer_to(request, subscriber, policy(Answer.REJECT))
    assert isinstance(answer, Reject)
    assert answer.cause is cause


@pytest.mark.parametrize("cause", Cause)
def test_pool_means_an_address_of_the_reject_pool_on_the_list_for_a_while(cause):
    request, subscriber = CALLERS[cause]
    answer = answer_to(request, subscriber, policy(Answer.POOL))
    assert answer.address == Address(Source.REJECT_POOL, pool_ids=(90 + cause,))
    assert (answer.list_name, answer.session_timeout_s, answer.cause) == (f"Reject_{cause:d}", 120, cause)
    assert answer.routes == ()


@pytest.mark.parametrize("cause", Cause)
def test_list_keeps_the_own_address_but_never_for_a_stranger(cause):
    request, subscriber = CALLERS[cause]
    answer = answer_to(request, subscriber, policy(Answer.LIST))
    assert (answer.list_name, answer.session_timeout_s) == (f"Reject_{cause:d}", 120)
    if cause in STRANGERS:
        assert answer.address == Address(Source.REJECT_POOL, pool_ids=(90 + cause,))
        assert (answer.subscriber_id, answer.service_id, answer.down_kbps, answer.up_kbps) == (None, None, 0, 0)
    else:
        assert answer.address == Address(Source.POOL, pool_ids=(11, 12))
        assert (answer.subscriber_id, answer.down_kbps, answer.routes) == (5, 100_000, PAYING.routes)


def test_by_default_the_late_stay_on_the_list_and_strangers_stay_out():
    answers = {cause: answer_to(*CALLERS[cause]) for cause in Cause}
    assert isinstance(answers[Cause.NOT_FOUND], Reject)
    assert isinstance(answers[Cause.WRONG_PASSWORD], Reject)
    assert answers[Cause.WRONG_MAC].address.source is Source.REJECT_POOL
    assert answers[Cause.NO_MONEY].address.source is Source.POOL
    assert answers[Cause.NOT_ACTIVE].list_name == "Reject_1"


@pytest.mark.parametrize(("answer", "cause"), list(product(Answer, sorted(STRANGERS))))
def test_a_login_that_needs_proof_of_the_password_is_never_accepted_without_it(answer, cause):
    request, subscriber = CALLERS[cause]
    assert isinstance(answer_to(request._replace(needs_proof=True), subscriber, policy(answer)), Reject)


def test_a_blocked_customer_who_proved_the_password_may_be_accepted_with_mschapv2():
    assert answer_to(asked(needs_proof=True), LATE).list_name == "Reject_2"


def test_a_password_that_could_not_be_checked_lets_nobody_in_anywhere():
    for answer in Answer:
        assert isinstance(answer_to(asked(Check.UNKNOWN), LATE, policy(answer)), Reject)


def test_without_a_reject_pool_or_a_rule_the_answer_is_reject():
    bare = replace(policy(Answer.POOL), rules={c: replace(r, pool_id=None) for c, r in RULES.items()})
    assert isinstance(answer_to(asked(), LATE, bare), Reject)
    assert isinstance(answer_to(asked(), LATE, replace(policy(), rules={})), Reject)


def test_who_is_said_before_what_is_owed():
    assert answer_to(asked(Check.FAIL, mac=""), LATE).cause is Cause.WRONG_PASSWORD
    assert answer_to(asked(mac=""), LATE).cause is Cause.WRONG_MAC


def test_a_reject_pool_is_no_second_use_of_an_address_but_a_list_is():
    assert isinstance(answer_to(asked(), LATE, policy(Answer.POOL), open_sessions=1), Accept)
    assert isinstance(answer_to(asked(), LATE, policy(Answer.LIST), open_sessions=1), Reject)


def test_any_device_will_do_when_none_is_named():
    assert answer_to(asked(mac=""), PAYING._replace(macs=frozenset())).cause is None


@given(
    st.sampled_from(Check), st.sampled_from([None, PAYING, LATE]), st.sampled_from(Answer), st.booleans(),
    st.integers(0, 3), st.sampled_from([MAC, "", "00:00:00:00:00:01"]),
)  # fmt: skip
def test_nobody_without_the_password_is_ever_given_a_customers_address(check, who, answer, proof, open_sessions, mac):
    reply = answer_to(asked(check, needs_proof=proof, mac=mac), who, policy(answer), open_sessions)
    assert reply.why.endswith(".")
    if check is not Check.PASS and isinstance(reply, Accept):
        assert reply.address.source is Source.REJECT_POOL
        assert reply.subscriber_id is None
        assert not proof


# --- the shipped table, MACs and intervals ---


def test_the_table_as_shipped():
    rows = PRESETS["demarc"]
    assert [row.page_port for row in rows] == [8101, 8101, 8102, 8103, 8104]
    assert [row.list_name for row in rows] == ["Reject_0", "Reject_1", "Reject_2", "Reject_3", "Reject_4"]
    assert rows[0].network == IPv4Network("10.250.250.0/24")
    assert rows[4].network == IPv4Network("10.250.254.0/24")


def test_the_splynx_compatible_table_swaps_the_last_two_pages():
    assert [row.page_port for row in PRESETS["splynx"]] == [8101, 8101, 8102, 8104, 8103]


@pytest.mark.parametrize(
    "text", ["aa:bb:cc:dd:ee:ff", "AA-BB-CC-DD-EE-FF", "aabb.ccdd.eeff", "aabbccddeeff", " Aa:bB:cc:dd:ee:ff "]
)
def test_a_mac_is_one_mac_however_it_is_written(text):
    assert normal_mac(text) == MAC


@pytest.mark.parametrize(
    "text", ["", "aabbccddeef", "aabbccddeefff", "zz:bb:cc:dd:ee:ff", "192.168.1.100", "ａabbccddeeff"]
)
def test_what_is_no_mac_is_none(text):
    assert normal_mac(text) == ""


@given(st.integers(0, 86_400), st.integers(0, 10**12))
def test_an_interval_moves_by_a_tenth_at_most_and_never_below_a_minute(interval, subscriber):
    moved = jittered(interval, subscriber)
    assert moved == jittered(interval, subscriber)
    assert moved >= MIN_INTERIM_S
    assert moved == MIN_INTERIM_S or abs(moved - interval) <= interval // 10


def test_consecutive_subscribers_are_spread_over_the_whole_range():
    moved = [jittered(600, number) for number in range(1000)]
    assert (min(moved), max(moved)) == (540, 660)
    assert max(moved.count(value) for value in set(moved)) <= 12


def test_an_hour_after_a_storm_interims_come_evenly():
    """All came back within a minute. C-01: the fullest ten seconds have 1.3 times the mean at most."""
    random, per_ten_s = Random(1), Counter[int]()
    for subscriber in range(100_000):
        interval_s = jittered(300, subscriber)
        came_s = random.random() * 60
        nth = int((3600 - came_s) // interval_s) + 1
        while (at_s := came_s + nth * interval_s) < 3900:
            per_ten_s[int(at_s) // 10] += 1
            nth += 1
    assert max(per_ten_s.values()) / (per_ten_s.total() / 30) <= 1.3
