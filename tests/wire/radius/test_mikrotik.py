"""Rate limits from a plan's speeds. What the text means when read is in vectors/rate_limit.txt."""

import pytest

from demarc.wire.radius import Burst, UpDown, parse_rate_limit, rate_limit

BURST = Burst(UpDown(4_000_000, 20_000_000), UpDown(1_500_000, 7_500_000), UpDown(16, 16))


def test_upload_comes_first_because_the_router_receives_it():
    assert rate_limit(2_000, 10_000) == "2M/10M"


def test_speeds_that_are_no_whole_megabits_are_in_kilobits():
    assert rate_limit(512, 1_536) == "512k/1536k"


def test_a_burst_a_priority_and_a_guarantee_follow_in_the_order_of_the_grammar():
    text = rate_limit(2_000, 10_000, BURST, 5, UpDown(1_000, 5_000))
    assert text == "2M/10M 4M/20M 1500k/7500k 16/16 5 1M/5M"


def test_a_guarantee_without_burst_is_preceded_by_a_burst_of_nothing():
    assert rate_limit(2_000, 10_000, limit_at_kbps=UpDown(1_000, 2_000)) == "2M/10M 0/0 0/0 0/0 8 1M/2M"


def test_zero_is_unlimited():
    assert rate_limit(0, 0) == "0/0"
    assert rate_limit(0, 0, limit_at_kbps=UpDown(1, 1)) == "0/0 0/0 0/0 0/0 8 1k/1k"


@pytest.mark.parametrize(
    "wrong",
    [
        {"up_kbps": -1},
        {"priority": 0},
        {"priority": 9},
        {"limit_at_kbps": UpDown(2_001, 1)},
        {"limit_at_kbps": UpDown(1, 10_001)},
    ],
)
def test_what_a_router_would_refuse_is_refused_here(wrong):
    with pytest.raises(ValueError):
        rate_limit(**({"up_kbps": 2_000, "down_kbps": 10_000} | wrong))


def test_what_is_written_is_read_back():
    text = rate_limit(2_000, 10_000, BURST, 5, UpDown(1_000, 5_000))
    assert str(parse_rate_limit(text)) == text
    assert parse_rate_limit(text).burst == BURST
