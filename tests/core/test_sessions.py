"""One session's accounting: whatever the order, repetition or loss of packets, the totals are the same."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from demarc.core.sessions import (
    LINE_OCTETS_S,
    WINDOW,
    Ending,
    Event,
    Record,
    Session,
    apply,
    close_stale,
    epoch,
)

BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)
GIGA = 1 << 32


def record(event, after_s, octets_in=None, octets_out=None, **facts):
    at = BEGUN + timedelta(seconds=after_s)
    time = 0 if event in (Event.START, Event.ON, Event.OFF) else after_s
    return Record(event, at, time, octets_in, octets_out, **facts)


def told(*records):
    session = None
    for one in records:
        session = apply(session, one)
    return session


def test_a_session_begins_reports_and_ends():
    session = told(record(Event.START, 0), record(Event.INTERIM, 300, 1000, 9000), record(Event.STOP, 600, 2000, 18000))
    assert (session.octets_in, session.octets_out) == (2000, 18000)
    assert (session.started_at, session.ended_at) == (BEGUN, BEGUN + timedelta(seconds=600))
    assert session.ending is Ending.STOP


def test_a_stop_without_a_start_makes_a_closed_session_that_began_when_its_time_says():
    session = told(record(Event.STOP, 600, 5, 7, terminate_cause=1))
    assert (session.started_at, session.ended_at, session.octets_out) == (BEGUN, BEGUN + timedelta(seconds=600), 7)


def test_an_interim_after_the_stop_does_not_open_it_again():
    session = told(record(Event.START, 0), record(Event.STOP, 600, 2, 2), record(Event.INTERIM, 300, 1, 1))
    assert session.ended_at is not None
    assert session.octets_in == 2


def test_repeated_packets_count_once():
    packets = [record(Event.START, 0), record(Event.INTERIM, 300, 10, 10), record(Event.STOP, 600, 20, 20)]
    assert told(*packets, *packets, *packets) == told(*packets)


def test_a_narrow_counter_that_wraps_goes_on():
    session = told(
        record(Event.START, 0), record(Event.INTERIM, 300, 0, GIGA - 100), record(Event.INTERIM, 600, 0, 400)
    )
    assert session.octets_out == GIGA + 400


def test_a_counter_that_began_anew_adds_what_it_counted_since():
    session = told(
        record(Event.INTERIM, 300, 0, 50_000, giga_out=0, giga_in=0),
        record(Event.INTERIM, 600, 0, 400, giga_out=0, giga_in=0),
    )
    assert session.octets_out == 50_400


def test_gigawords_are_counted():
    session = told(record(Event.STOP, 600, 7, 5, giga_in=2, giga_out=3))
    assert (session.octets_in, session.octets_out) == (2 * GIGA + 7, 3 * GIGA + 5)


def test_a_session_without_counters_has_time_only():
    session = told(record(Event.START, 0), record(Event.INTERIM, 300))
    assert (session.octets_in, session.session_time_s) == (0, 300)


def test_accounting_on_closes_what_began_before_it():
    assert told(record(Event.START, 0), record(Event.ON, 60)).ending is Ending.REBOOT
    assert told(record(Event.START, 0), record(Event.OFF, -60)).ended_at is None
    assert apply(None, record(Event.ON, 0)) is None


def test_the_late_stop_of_a_rebooted_session_tells_how_it_really_ended():
    session = told(record(Event.START, 0), record(Event.ON, 600), record(Event.STOP, 500, 7, 7, terminate_cause=1))
    assert (session.ending, session.terminate_cause, session.octets_in) == (Ending.STOP, 1, 7)


def test_a_silent_session_is_closed_at_its_last_sign_of_life_and_opens_with_the_next_one():
    silent = close_stale(told(record(Event.START, 0), record(Event.INTERIM, 300, 1, 1)))
    assert (silent.ended_at, silent.ending) == (BEGUN + timedelta(seconds=300), Ending.STALE)
    assert apply(silent, record(Event.INTERIM, 300, 1, 1)).ended_at is not None
    assert apply(silent, record(Event.INTERIM, 900, 4, 4)).ended_at is None


def test_a_closed_session_is_not_closed_again():
    session = told(record(Event.STOP, 600, 1, 1))
    assert close_stale(session) == session


def test_an_epoch_counts_the_restarts_before_a_session():
    boots = [BEGUN, BEGUN + timedelta(hours=1)]
    assert [epoch(boots, BEGUN + timedelta(minutes=m)) for m in (-1, 0, 59, 60)] == [0, 1, 1, 2]


def state(session: Session):
    return (session.octets_in, session.octets_out, session.started_at, session.ended_at, session.session_time_s)


growth = st.lists(st.tuples(st.integers(1, 900), st.integers(0, 2**33), st.integers(0, 2**33)), min_size=1, max_size=4)


@given(growth=growth, wide=st.booleans(), stopped=st.booleans())
def test_any_order_of_the_same_packets_gives_the_same_session(growth, wide, stopped):
    packets, after_s, total = [record(Event.START, 0)], 0, [0, 0]
    for seconds, up, down in growth:
        after_s += seconds
        total[0] += up
        total[1] += down
        giga = {"giga_in": total[0] >> 32, "giga_out": total[1] >> 32} if wide else {}
        packets.append(record(Event.INTERIM, after_s, total[0] % GIGA, total[1] % GIGA, **giga))
    if stopped:
        packets[-1] = packets[-1]._replace(event=Event.STOP)
    seen = {state(told(*order)) for order in permutations(packets)}
    assert len(seen) == 1
    if wide:
        assert next(iter(seen))[:2] == tuple(total)


@given(st.lists(st.integers(0, 10**9), min_size=WINDOW + 1, max_size=60))
def test_a_long_session_in_order_sums_to_its_last_counter(steps):
    session, total = told(record(Event.START, 0)), 0
    for number, step in enumerate(steps):
        total += step
        session = apply(
            session,
            record(Event.INTERIM, 300 * (number + 1), total % GIGA, 0, giga_in=total >> 32, giga_out=0),
        )
    assert session.octets_in == total
    assert len(session.readings) <= WINDOW


# --- who, where and when, whatever comes first ---


def test_the_start_says_when_it_began_even_if_it_comes_last():
    late_clock = Record(Event.INTERIM, BEGUN + timedelta(seconds=300), 310, 1, 1)
    for order in permutations([record(Event.START, 0), late_clock, record(Event.STOP, 600, 2, 2)]):
        session = told(*order)
        assert (session.started_at, session.start_seen) == (BEGUN, True)


def test_without_a_start_the_earliest_moment_that_the_packets_imply_is_the_beginning():
    packets = [Record(Event.INTERIM, BEGUN + timedelta(seconds=300), time, 1, 1) for time in (299, 300, 298)]
    for order in permutations(packets):
        assert (told(*order).started_at, told(*order).start_seen) == (BEGUN, False)


def test_the_earlier_of_two_starts_counts():
    starts = [record(Event.START, 0), record(Event.START, 2)]
    assert told(*starts).started_at == told(*reversed(starts)).started_at == BEGUN


def test_what_a_packet_knows_fills_what_others_left_out():
    eva, adam = IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2")
    known = record(Event.START, 0, framed_ipv4=eva, calling_station="AA:BB:CC:DD:EE:FF")
    silent = record(Event.INTERIM, 300, 1, 1)
    for order in permutations([known, silent]):
        assert (told(*order).framed_ipv4, told(*order).calling_station) == (eva, "AA:BB:CC:DD:EE:FF")
    moved = record(Event.INTERIM, 300, 1, 1, framed_ipv4=adam)
    for order in permutations([known, moved]):
        assert told(*order).framed_ipv4 == adam


def test_the_last_of_several_stops_says_how_it_ended():
    stops = [record(Event.STOP, 600, 1, 1, terminate_cause=cause) for cause in (1, 4)]
    stops.append(record(Event.STOP, 500, 1, 1, terminate_cause=9))
    assert {(told(*order).ended_at, told(*order).terminate_cause) for order in permutations(stops)} == {
        (BEGUN + timedelta(seconds=600), 4)
    }


def test_accounting_on_at_the_very_start_closes_and_a_stop_is_never_taken_back():
    assert told(record(Event.START, 0), record(Event.ON, 0)).ending is Ending.REBOOT
    stopped = told(record(Event.STOP, 600, 1, 1, terminate_cause=1))
    assert told(record(Event.STOP, 600, 1, 1, terminate_cause=1), record(Event.ON, 700)) == stopped
    rebooted = told(record(Event.START, 0), record(Event.ON, 600), record(Event.INTERIM, 900, 5, 5))
    assert rebooted.ending is Ending.REBOOT


# --- counters ---


def test_a_packet_with_only_one_counter_counts_nothing():
    assert told(record(Event.INTERIM, 300, 5)).readings == ()
    assert told(record(Event.INTERIM, 300, None, 5)).readings == ()


def test_giga_words_on_either_side_or_reading_mean_that_nothing_wraps():
    for words in ({"giga_in": 0}, {"giga_out": 0}):
        narrow, wide = record(Event.INTERIM, 300, 0, 500), record(Event.INTERIM, 300, 0, 500, **words)
        after, wide_after = record(Event.INTERIM, 600, 0, 400), record(Event.INTERIM, 600, 0, 400, **words)
        assert told(wide, after).octets_out == told(narrow, wide_after).octets_out == 900
        assert told(narrow, wide, after).octets_out == told(wide, narrow, after).octets_out == 900


def test_a_counter_that_would_have_to_outrun_the_line_began_anew():
    second = timedelta(seconds=1)
    first = Record(Event.INTERIM, BEGUN + 300 * second, 300, 0, GIGA - 100)
    for seconds, total in ((1, GIGA - 100 + 400), (0, GIGA - 100)):
        later = Record(Event.INTERIM, first.at + seconds * second, 300 + seconds, 0, 400)
        assert told(first, later).octets_out == (GIGA + 400 if seconds else total)
    far = Record(Event.INTERIM, first.at + second, 301, 0, LINE_OCTETS_S)
    assert told(first, far).octets_out == GIGA - 100 + LINE_OCTETS_S


line_use = st.lists(
    st.tuples(st.integers(1, 900), st.integers(0, LINE_OCTETS_S), st.integers(0, LINE_OCTETS_S)),
    min_size=1,
    max_size=30,
)


def interims(line_use):
    """Narrow counters of a line that carried these rates, each for so many seconds."""
    packets, after_s, up, down = [], 0, 0, 0
    for seconds, up_rate, down_rate in line_use:
        after_s, up, down = after_s + seconds, up + seconds * up_rate, down + seconds * down_rate
        packets.append(record(Event.INTERIM, after_s, up % GIGA, down % GIGA))
    return packets


@given(line_use=line_use, data=st.data())
def test_packets_that_are_late_by_less_than_the_window_change_nothing(line_use, data):
    packets = interims(line_use)
    delays = data.draw(st.lists(st.integers(0, WINDOW - 1), min_size=len(packets), max_size=len(packets)))
    order = sorted(range(len(packets)), key=lambda place: (place + delays[place], place))
    in_order, shuffled = told(*packets), told(*(packets[place] for place in order))
    assert state(shuffled) == state(in_order)
    assert shuffled.readings == in_order.readings


@given(line_use=line_use, data=st.data())
def test_totals_never_fall_whatever_arrives(line_use, data):
    packets = interims(line_use)
    session, total = None, (0, 0)
    for packet in data.draw(st.permutations(packets)) + packets[:1]:
        session = apply(session, packet)
        assert session.octets_in >= total[0]
        assert session.octets_out >= total[1]
        total = (session.octets_in, session.octets_out)


@given(line_use.map(lambda uses: [(seconds % 26 + 1, up, down) for seconds, up, down in uses]))
def test_a_narrow_counter_read_often_enough_loses_nothing(line_use):
    session = told(*interims(line_use))
    assert session.octets_in == sum(seconds * rate for seconds, rate, _ in line_use)
    assert session.octets_out == sum(seconds * rate for seconds, _, rate in line_use)


def test_a_reading_older_than_the_window_is_ignored():
    packets = [record(Event.INTERIM, 300 * n, 1000 * n, 1000 * n) for n in range(1, WINDOW + 3)]
    session = told(*packets)
    assert apply(session, packets[0]) == session
    oldest_kept = session.readings[0].session_time_s
    assert apply(session, record(Event.INTERIM, oldest_kept, 999_999, 999_999)).octets_in == session.octets_in
    assert len(session.readings) == WINDOW
    exactly = told(*packets[:WINDOW])
    assert (len(exactly.readings), exactly.folded) == (WINDOW, False)
