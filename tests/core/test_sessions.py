"""One session's accounting: whatever the order, repetition or loss of packets, the totals are the same."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from demarc.core.sessions import WINDOW, Ending, Event, Record, Session, apply, close_stale, epoch

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
    assert told(record(Event.STOP, 600, 0, 5, giga_in=0, giga_out=3)).octets_out == 3 * GIGA + 5


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
        last = packets[-1]
        packets[-1] = Record(Event.STOP, *[getattr(last, name) for name in list(Record.__slots__)[1:]])
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
