"""What a router's answer means, and what is tried next (RFC 5176 section 3.5)."""

import pytest

from demarc.core.enforcement import Order, State, Verdict, judge

COA, DISCONNECT = Order.COA, Order.DISCONNECT


def test_consent_is_consent():
    assert judge(COA, True, None, 1) == Verdict(State.ACK)
    assert judge(DISCONNECT, True, None, 5) == Verdict(State.ACK)


@pytest.mark.parametrize("order", list(Order))
def test_a_session_that_the_router_does_not_know_is_gone(order):
    assert judge(order, False, 503, 1) == Verdict(State.GONE)


@pytest.mark.parametrize("cause", [401, 402, 404, 405, 406, 407, 501, 504, 508, None])
def test_a_change_that_is_refused_as_such_is_tried_as_a_cut(cause):
    assert judge(COA, False, cause, 1) == Verdict(State.NAK, cut=True)


@pytest.mark.parametrize("cause", [401, 501, 504, None])
def test_a_cut_that_is_refused_is_the_end(cause):
    assert judge(DISCONNECT, False, cause, 1) == Verdict(State.NAK)


def test_another_nas_than_the_one_meant_cuts_nothing_either():
    assert judge(COA, False, 403, 1) == Verdict(State.NAK)


@pytest.mark.parametrize("cause", [502, 505, 506, 507])
def test_not_now_is_asked_again_later(cause):
    assert judge(COA, False, cause, 1) == Verdict(State.LATER)


def test_silence_is_borne_once_and_then_a_cut_is_tried():
    assert judge(COA, None, None, 1) == Verdict(State.NO_ANSWER)
    assert judge(COA, None, None, 2) == Verdict(State.NO_ANSWER, cut=True)
    assert judge(DISCONNECT, None, None, 4) == Verdict(State.NO_ANSWER)
