"""Spans of addresses, and leases of which no two services ever hold the same one."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from demarc.core.addressing import Leases, Span, blocks, overlap, usable

NOW = datetime(2024, 1, 1, tzinfo=UTC)
HOLD = timedelta(minutes=10)
LATER = NOW + HOLD
POOL = 1
EVA, ADAM = 100, 200


def span(first, last):
    return Span(IPv4Address(first), IPv4Address(last))


def ip(last_octet):
    return IPv4Address("10.0.0.0") + last_octet


def leases(size=4, low_water=0):
    fresh = Leases(HOLD, low_water)
    fresh.add(POOL, Span(ip(1), ip(size)))
    return fresh


# --- spans ---


@pytest.mark.parametrize(
    ("network", "first", "last", "size"),
    [
        ("10.250.250.0/24", "10.250.250.1", "10.250.250.254", 254),
        ("172.16.0.0/20", "172.16.0.1", "172.16.15.254", 4094),
        ("192.0.2.0/31", "192.0.2.0", "192.0.2.1", 2),
        ("192.0.2.7/32", "192.0.2.7", "192.0.2.7", 1),
    ],
)
def test_hosts_may_have_all_but_network_and_broadcast(network, first, last, size):
    found = usable(IPv4Network(network))
    assert found == span(first, last)
    assert len(found) == size
    assert IPv4Address(first) in found
    assert IPv4Address(last) in found
    assert IPv4Address(first) - 1 not in found
    assert IPv4Address(last) + 1 not in found


@given(st.integers(0, 2**32 - 1000), st.integers(1, 1000), st.integers(1, 1200))
def test_blocks_cover_a_span_once(start, length, size):
    whole = Span(IPv4Address(start), IPv4Address(start + length - 1))
    cut = blocks(whole, size)
    assert [number for block in cut for number in block.numbers()] == list(whole.numbers())
    assert all(len(block) == size for block in cut[:-1])
    assert len(cut[-1]) <= size
    assert overlap(reversed(cut)) is None


def test_the_last_address_there_is_can_be_in_a_block():
    assert blocks(span("255.255.255.250", "255.255.255.255"), 4)[-1] == span("255.255.255.254", "255.255.255.255")


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=6))
def test_spans_overlap_when_two_share_an_address(pieces):
    spans = [Span(ip(first), ip(first + more)) for first, more in pieces]
    numbers = [number for one in spans for number in one.numbers()]
    found = overlap(spans)
    assert (found is not None) == (len(numbers) != len(set(numbers)))
    if found:
        assert set(found[0].numbers()) & set(found[1].numbers())


# --- leases ---


def test_a_service_gets_its_address_again_and_others_get_others():
    book = leases()
    first = book.take(EVA, POOL, NOW)
    assert book.take(EVA, POOL, NOW) == first
    assert book.take(ADAM, POOL, NOW) != first


def test_an_address_that_was_given_back_is_kept_for_its_last_holder_as_long_as_can_be():
    book = leases(size=3)
    mine = book.take(EVA, POOL, NOW)
    book.confirm(EVA, mine, "s1")
    book.release(mine, "s1")
    assert mine not in {book.take(ADAM, POOL, NOW), book.take(300, POOL, NOW)}
    assert book.take(EVA, POOL, NOW) == mine


def test_a_pool_that_is_used_up_gives_nothing_until_something_comes_back():
    book = leases(size=1)
    only = book.take(EVA, POOL, NOW)
    assert book.take(ADAM, POOL, NOW) is None
    assert book.take(ADAM, 99, NOW) is None
    assert book.take(ADAM, POOL, LATER) == only
    assert book.take(EVA, POOL, LATER) is None


def test_what_nobody_confirms_comes_back_after_the_hold_and_what_is_confirmed_stays():
    book = leases(size=2)
    silent, heard = book.take(EVA, POOL, NOW), book.take(ADAM, POOL, NOW)
    assert book.confirm(ADAM, heard, "s1")
    assert book.take(300, POOL, LATER - timedelta(seconds=1)) is None
    assert book.take(300, POOL, LATER) == silent
    assert book.take(400, POOL, LATER + 9 * HOLD) == silent


def test_asking_again_renews_the_hold():
    book = leases(size=1)
    book.take(EVA, POOL, NOW)
    book.take(EVA, POOL, NOW + HOLD / 2)
    assert book.take(ADAM, POOL, LATER) is None


def test_the_stop_of_an_old_session_does_not_free_the_address_of_a_new_one():
    book = leases(size=1)
    address = book.take(EVA, POOL, NOW)
    book.confirm(EVA, address, "old")
    assert book.take(EVA, POOL, NOW) == address  # she reconnects before her Stop arrives
    book.confirm(EVA, address, "old")  # an interim that was on its way
    book.release(address, "old")
    assert book.take(ADAM, POOL, NOW) is None
    book.confirm(EVA, address, "new")
    book.release(address, "old")
    assert book.take(ADAM, POOL, LATER) is None
    book.release(address, "new")
    assert book.take(ADAM, POOL, LATER) == address


def test_a_reconnect_that_never_starts_leaves_the_session_that_lives_on():
    book = leases(size=1)
    address = book.take(EVA, POOL, NOW)
    book.confirm(EVA, address, "s1")
    book.take(EVA, POOL, NOW)
    assert book.take(ADAM, POOL, LATER) is None
    book.release(address, "s1")
    assert book.take(ADAM, POOL, LATER) == address


def test_a_second_session_at_the_same_time_gets_another_address():
    book = leases(size=2)
    first = book.take(EVA, POOL, NOW)
    second = book.take(EVA, POOL, NOW, another=True)
    assert second not in (first, None)
    assert book.take(EVA, POOL, NOW, another=True) is None


def test_accounting_from_the_wrong_service_or_address_confirms_nothing():
    book = leases(size=1)
    address = book.take(EVA, POOL, NOW)
    assert not book.confirm(ADAM, address, "s1")
    assert not book.confirm(ADAM, ip(99), "s1")
    book.release(address, "s1")
    book.release(ip(99), "s1")
    assert book.take(ADAM, POOL, NOW) is None


def test_a_session_that_is_seen_on_a_free_address_has_it():
    book = leases(size=1)
    assert book.confirm(EVA, ip(1), "s1")
    assert book.take(ADAM, POOL, LATER) is None
    assert book.take(EVA, POOL, LATER) == ip(1)


def test_a_block_from_before_a_restart_waits_but_for_those_who_are_on_it():
    book = Leases(HOLD, 1)
    book.quarantine(POOL, Span(ip(1), ip(2)), LATER)
    assert book.take(ADAM, POOL, NOW) is None
    assert book.confirm(EVA, ip(1), "s1")
    assert book.take(EVA, POOL, NOW) == ip(1)
    assert book.take(ADAM, POOL, LATER) == ip(2)
    assert book.take(300, POOL, LATER) is None


def test_a_pool_below_its_mark_wants_another_block():
    book = leases(size=3, low_water=2)
    assert book.wanted() == ()
    book.take(EVA, POOL, NOW)
    assert book.wanted() == ()
    book.take(ADAM, POOL, NOW)
    assert book.wanted() == (POOL,)
    book.add(POOL, Span(ip(11), ip(14)))
    assert book.wanted() == ()
    book.quarantine(7, Span(ip(21), ip(24)), LATER)
    assert book.wanted() == (7,)


class LeasesInUse(RuleBasedStateMachine):
    """Services come, confirm, go and forget; the model knows only who was told what and when."""

    @initialize()
    def begin(self):
        self.now = NOW
        self.book = leases(size=4)
        self.book.quarantine(POOL, Span(ip(11), ip(12)), NOW + 3 * HOLD)
        self.told = {}  # address -> (service, until when at least)
        self.live = {}  # address -> (service, sessions)
        self.seen = set()  # addresses that a session was ever on
        self.sessions = 0

    @rule(service=st.integers(1, 8), another=st.booleans())
    def take(self, service, another):
        address = self.book.take(service, POOL, self.now, another=another)
        if address is None:
            return
        assert self.live.get(address, (service,))[0] == service
        holder, until = self.told.get(address, (service, self.now))
        assert holder == service or until <= self.now
        assert address < ip(11) or self.now >= NOW + 3 * HOLD or address in self.seen
        self.told[address] = (service, self.now + HOLD)

    @rule(service=st.integers(1, 8), number=st.sampled_from([1, 2, 3, 4, 11, 12, 50]), reuse=st.booleans())
    def confirm(self, service, number, reuse):
        address = ip(number)
        self.sessions += not reuse
        taken_by_other = self.live.get(address, (service,))[0] != service
        if self.book.confirm(service, address, self.sessions):
            assert not taken_by_other
            assert number != 50
            self.live.setdefault(address, (service, set()))[1].add(self.sessions)
            self.seen.add(address)
        else:
            assert number == 50 or taken_by_other or self.told[address][0] != service

    @rule(data=st.data())
    def stop(self, data):
        if self.live:
            address = data.draw(st.sampled_from(sorted(self.live)))
            session = data.draw(st.sampled_from(sorted(self.live[address][1])))
            self.book.release(address, session)
            self.live[address][1].discard(session)
            if not self.live[address][1]:
                service, _ = self.live.pop(address)
                if self.told.get(address, (0, self.now))[1] <= self.now or self.told[address][0] != service:
                    self.told.pop(address, None)
                else:
                    self.told[address] = (service, self.now)

    @rule(minutes=st.integers(1, 12))
    def wait(self, minutes):
        self.now += timedelta(minutes=minutes)

    @invariant()
    def nobody_else_gets_an_address_with_a_live_session(self):
        for address, (service, _) in self.live.items():
            assert self.book.confirm(service, address, min(self.live[address][1]))


TestLeasesInUse = LeasesInUse.TestCase
TestLeasesInUse.settings = settings(max_examples=40, stateful_step_count=30)


def test_a_promise_of_an_earlier_life_holds_its_address_until_its_time_has_come():
    book = Leases(HOLD, 1)
    book.add(POOL, Span(ip(1), ip(2)))
    book.promise(7, ip(1), NOW + HOLD)
    assert book.take(8, POOL, NOW) == ip(2)
    assert book.take(9, POOL, NOW) is None
    assert book.take(7, POOL, NOW) == ip(1)
    book.promise(9, ip(1), NOW + HOLD)  # too late: another has it
    assert not book.confirm(9, ip(1), "s")
    book.promise(9, ip(77), NOW + HOLD)  # not of this node
    assert book.take(9, POOL, NOW + 2 * HOLD) in (ip(1), ip(2))
