"""Our answer beside the old server's."""

from dataclasses import replace
from ipaddress import IPv4Address

from demarc.core.addressing import Span
from demarc.core.moving import Answered, Rate, differences

POOL = Span(IPv4Address("10.0.0.1"), IPv4Address("10.0.0.9"))
INSIDE, OUTSIDE = IPv4Address("10.0.0.5"), IPv4Address("10.0.1.5")
OURS = Answered(True, spans=(POOL,), rate=Rate(1_000_000, 5_000_000))


def what(ours: Answered, theirs: Answered) -> list[str]:
    return [difference.what for difference in differences(ours, theirs)]


def test_any_address_of_our_pools_is_the_same_and_another_is_not():
    theirs = replace(OURS, spans=(), address=INSIDE)
    assert what(OURS, theirs) == []
    assert what(OURS, replace(theirs, address=OUTSIDE)) == ["Address"]
    assert what(OURS, replace(theirs, address=None)) == ["Address"]
    assert what(OURS, replace(theirs, address=None, framed_pool="home")) == ["Address"]


def test_a_static_address_and_a_pool_of_the_router_are_compared_by_name():
    static = Answered(True, address=INSIDE)
    assert what(static, Answered(True, address=INSIDE)) == []
    assert what(static, Answered(True, address=OUTSIDE)) == ["Address"]
    assert what(Answered(True, framed_pool="home"), Answered(True, framed_pool="home")) == []
    assert what(Answered(True, framed_pool="home"), Answered(True, framed_pool="work")) == ["Address"]


def test_speed_and_list_are_named_as_people_say_them():
    theirs = replace(OURS, spans=(), address=INSIDE, rate=Rate(1_500_000, 0), list_name="Reject_2")
    assert [tuple(one) for one in differences(OURS, theirs)] == [
        ("List", "none", "Reject_2"),
        ("Speed", "5 Mbit/s down, 1 Mbit/s up", "no limit down, 1500 kbit/s up"),
    ]


def test_when_one_rejects_nothing_else_counts_and_two_rejects_are_the_same():
    reject = Answered(False, "The password is wrong.", rate=Rate(1, 1))
    assert [tuple(one) for one in differences(reject, OURS)] == [
        ("Answer", "reject: The password is wrong.", "accept")
    ]  # fmt: skip
    assert what(reject, Answered(False, "No")) == []
