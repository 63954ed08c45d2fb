"""A client that repeats itself is answered again, and works nothing twice (RFC 5080 section 2.2.2)."""

from hypothesis import given
from hypothesis import strategies as st

from demarc.wire.radius import Duplicates

NAS = ("192.0.2.1", 40000, 7, "auth")
FIRST, SECOND = b"a" * 16, b"b" * 16


def test_a_new_request_is_new():
    assert Duplicates().lookup(NAS, FIRST, 100.0) is None


def test_a_repeated_request_is_kept_silent_about_while_it_is_worked_on():
    seen = Duplicates()
    seen.begin(NAS, FIRST, 100.0)
    assert seen.lookup(NAS, FIRST, 100.1) == b""


def test_a_repeated_request_gets_the_same_answer():
    seen = Duplicates()
    seen.begin(NAS, FIRST, 100.0)
    seen.answer(NAS, FIRST, b"accept")
    assert seen.lookup(NAS, FIRST, 104.9) == b"accept"


def test_another_authenticator_is_another_request_and_replaces_the_first():
    seen = Duplicates()
    seen.begin(NAS, FIRST, 100.0)
    seen.answer(NAS, FIRST, b"accept")
    assert seen.lookup(NAS, SECOND, 101.0) is None
    seen.begin(NAS, SECOND, 101.0)
    assert seen.lookup(NAS, FIRST, 101.1) is None
    assert seen.lookup(NAS, SECOND, 101.1) == b""


def test_looking_changes_nothing():
    """A forged packet only ever gets as far as lookup."""
    seen = Duplicates()
    seen.begin(NAS, FIRST, 100.0)
    seen.answer(NAS, FIRST, b"accept")
    assert seen.lookup(NAS, SECOND, 100.1) is None
    assert seen.lookup(NAS, FIRST, 100.2) == b"accept"


def test_an_answer_that_comes_too_late_is_not_given_to_the_next_request():
    seen = Duplicates()
    seen.begin(NAS, FIRST, 100.0)
    seen.begin(NAS, SECOND, 101.0)
    seen.answer(NAS, FIRST, b"for the first")
    assert seen.lookup(NAS, SECOND, 101.1) == b""


def test_an_answer_to_what_was_dropped_meanwhile_is_dropped_too():
    seen = Duplicates()
    seen.answer(NAS, FIRST, b"accept")
    assert len(seen) == 0


def test_a_request_that_could_not_be_answered_is_worked_on_anew():
    seen = Duplicates()
    seen.begin(NAS, FIRST, 100.0)
    seen.forget(NAS)
    assert seen.lookup(NAS, FIRST, 100.1) is None


def test_each_part_of_the_tuple_tells_requests_apart():
    seen = Duplicates()
    seen.begin(NAS, FIRST, 100.0)
    for other in (
        ("192.0.2.2", 40000, 7, "auth"),
        ("192.0.2.1", 40001, 7, "auth"),
        ("192.0.2.1", 40000, 8, "auth"),
        ("192.0.2.1", 40000, 7, "acct"),
    ):
        assert seen.lookup(other, FIRST, 100.1) is None


@given(
    start=st.floats(0, 1e6),
    steps=st.lists(st.floats(0.0, 7.0), max_size=40),
    age=st.floats(0.0, 40.0),
)
def test_an_answer_lives_at_least_five_seconds_and_at_most_thirty(start, steps, age):
    """Whatever else happens meanwhile, as long as the memory suffices."""
    seen = Duplicates()
    now = start
    for number, step in enumerate(steps):
        now += step
        other = ("198.51.100.1", number, 0, "auth")
        seen.lookup(other, FIRST, now)
        seen.begin(other, FIRST, now)
    seen.lookup(NAS, FIRST, now)
    seen.begin(NAS, FIRST, now)
    seen.answer(NAS, FIRST, b"accept")
    last = now + age
    while now + 1.0 < last:
        now += 1.0
        seen.lookup(("198.51.100.2", 0, 0, "auth"), FIRST, now)
    found = seen.lookup(NAS, FIRST, last)
    if age < 4.999:
        assert found == b"accept"
    if age > 30:
        assert found is None


def test_memory_is_bounded_and_the_newest_are_kept():
    seen = Duplicates(capacity=100)
    for number in range(10_000):
        origin = ("192.0.2.1", number, 0, "auth")
        assert seen.lookup(origin, FIRST, 100.0) is None
        seen.begin(origin, FIRST, 100.0)
        assert len(seen) <= 101
    kept = [number for number in range(10_000) if seen.lookup(("192.0.2.1", number, 0, "auth"), FIRST, 100.0) == b""]
    assert kept == list(range(kept[0], 10_000))
    assert len(kept) >= 50


def test_after_a_long_silence_nothing_old_is_left():
    seen = Duplicates()
    seen.lookup(NAS, FIRST, 100.0)
    seen.begin(NAS, FIRST, 100.0)
    assert seen.lookup(NAS, FIRST, 1000.0) is None
    assert len(seen) == 0
