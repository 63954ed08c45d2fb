"""One session's accounting: packets in any order, repeated or missing, to one state. Knows no packets, tables
or clock.

The same records in any order give the same state, as long as none arrives later than WINDOW newer counter
readings.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address
from itertools import pairwise
from typing import NamedTuple

WINDOW = 8
"""How many counter readings a session keeps; a reading older than all of them is acknowledged and ignored."""


class Event(IntEnum):
    """Acct-Status-Type (RFC 2866 section 5.1)."""

    START = 1
    STOP = 2
    INTERIM = 3
    ON = 7
    OFF = 8


_START, _STOP = Event.START, Event.STOP
_RESTARTS = (Event.ON, Event.OFF)

LOST_CARRIER = 2
NAS_REBOOT = 11
"""Acct-Terminate-Cause (RFC 2866 section 5.10)."""

LINE_OCTETS_S = 160_000_000
"""More than a gigabit line carries; a 32-bit counter that seems to have counted more was reset instead."""


class Ending(StrEnum):
    """How we learned that a session is over: the NAS said so, the NAS restarted, or nothing was heard for too
    long."""

    STOP = "stop"
    REBOOT = "reboot"
    STALE = "stale"


class Record(NamedTuple):
    """One accounting record about a session.

    `at`: when it happened (arrival minus Acct-Delay-Time). Counters as sent, 32 bit; None when the NAS sends
    none; giga words None when absent. Input is what came from the customer, so upload (RFC 2866 section 5.3).
    """

    event: Event
    at: datetime
    session_time_s: int = 0
    octets_in: int | None = None
    octets_out: int | None = None
    giga_in: int | None = None
    giga_out: int | None = None
    terminate_cause: int | None = None
    framed_ipv4: IPv4Address | None = None
    calling_station: str = ""


class Reading(NamedTuple):
    """Both counters at one session time, octets; `wide`: the NAS sends giga words, so they do not wrap at
    2^32."""

    session_time_s: int
    octets_in: int
    octets_out: int
    wide: bool


class Session(NamedTuple):
    """The state of one session; `octets_in` and `octets_out` are its totals, whatever the counters did.

    `start_seen`: `started_at` is the NAS's word; else it is the earliest moment that the session times imply.
    `readings` in order of session time; `base_in` and `base_out` are the totals at the first of them;
    `folded`: older ones are contained in the base already.
    """

    started_at: datetime
    start_seen: bool
    updated_at: datetime
    session_time_s: int
    octets_in: int = 0
    octets_out: int = 0
    ended_at: datetime | None = None
    ending: Ending | None = None
    terminate_cause: int | None = None
    framed_ipv4: IPv4Address | None = None
    calling_station: str = ""
    readings: tuple[Reading, ...] = ()
    base_in: int = 0
    base_out: int = 0
    folded: bool = False


End = tuple[datetime | None, Ending | None, int | None]
"""When and how a session ended, and its Acct-Terminate-Cause."""

Count = tuple[int, int, tuple[Reading, ...], int, int, bool]
"""A session's octets_in, octets_out, readings, base_in, base_out and folded."""


def epoch(boots: Sequence[datetime], session_started_at: datetime) -> int:
    """How many restarts of the NAS (`boots`, sorted) came at or before the start of the session."""
    return bisect_right(boots, session_started_at)


def apply(session: Session | None, record: Record) -> Session | None:
    """The session after `record`; None when there is none and the record (Accounting-On or -Off) starts none.

    A Stop without a Start makes a closed session; nothing but a later Stop changes how a stopped session
    ended; a session closed for silence is open again when a record about a later moment arrives.
    Accounting-On and -Off close a session that started before them and say nothing about one that started
    after.
    """
    event, at = record.event, record.at
    if event in _RESTARTS:
        return None if session is None else _rebooted(session, record)
    implied = at - timedelta(seconds=record.session_time_s)
    if session is None:
        session = Session(started_at=implied, start_seen=False, updated_at=at, session_time_s=0)
    starts = event is _START
    if starts:
        started = min(session.started_at, at) if session.start_seen else at
    else:
        started = session.started_at if session.start_seen else min(session.started_at, implied)
    octets_in, octets_out, readings, base_in, base_out, folded = _counted(session, record)
    ended_at, ending, terminate_cause = _ended(session, record) if event is _STOP else _heard(session, record)
    newer = at >= session.updated_at
    return Session(  # made once: a few hundred thousand an hour, and each _replace costs as much as all of this
        started_at=started,
        start_seen=session.start_seen or starts,
        updated_at=at if newer else session.updated_at,
        session_time_s=max(session.session_time_s, record.session_time_s),
        octets_in=octets_in,
        octets_out=octets_out,
        ended_at=ended_at,
        ending=ending,
        terminate_cause=terminate_cause,
        framed_ipv4=record.framed_ipv4 if record.framed_ipv4 and newer else session.framed_ipv4 or record.framed_ipv4,
        calling_station=session.calling_station or record.calling_station,
        readings=readings,
        base_in=base_in,
        base_out=base_out,
        folded=folded,
    )


def close_stale(session: Session) -> Session:
    """Close an open session that was silent for too long, at its last sign of life. A late Stop amends it."""
    if session.ended_at is not None:
        return session
    return session._replace(ended_at=session.updated_at, ending=Ending.STALE, terminate_cause=LOST_CARRIER)


def _rebooted(session: Session, record: Record) -> Session:
    if session.ended_at is not None or session.started_at > record.at:
        return session
    return session._replace(ended_at=record.at, ending=Ending.REBOOT, terminate_cause=NAS_REBOOT)


def _ended(session: Session, record: Record) -> End:
    """The NAS's own word on the end; the latest such word counts, so that the order of two does not matter."""
    known = (session.ended_at, session.terminate_cause or 0)
    if session.ending is Ending.STOP and (record.at, record.terminate_cause or 0) <= known:
        return session.ended_at, session.ending, session.terminate_cause
    return record.at, Ending.STOP, record.terminate_cause


def _heard(session: Session, record: Record) -> End:
    """A sign of life opens a session again that was closed for silence alone."""
    if session.ending is Ending.STALE and session.ended_at is not None and record.at > session.ended_at:
        return None, None, None
    return session.ended_at, session.ending, session.terminate_cause


def _counted(session: Session, record: Record) -> Count:
    """Put the record's counters in their place among the readings, and add up."""
    before = (
        session.octets_in,
        session.octets_out,
        session.readings,
        session.base_in,
        session.base_out,
        session.folded,
    )
    if record.octets_in is None or record.octets_out is None:
        return before
    reading = Reading(
        record.session_time_s,
        record.octets_in + ((record.giga_in or 0) << 32),
        record.octets_out + ((record.giga_out or 0) << 32),
        record.giga_in is not None or record.giga_out is not None,
    )
    if session.folded and reading.session_time_s <= session.readings[0].session_time_s:
        return before  # so old that newer ones contain it
    base, total = (session.base_in, session.base_out), (session.octets_in, session.octets_out)
    last = session.readings[-1] if session.readings else None
    if last is not None and reading.session_time_s > last.session_time_s:  # as they come, nearly always
        readings = (*session.readings, reading)
        total = _plus(total, last, reading)
    else:
        readings = _inserted(session.readings, reading)
        if not session.folded:
            base = (readings[0].octets_in, readings[0].octets_out)
        total = base
        for older, newer in pairwise(readings):
            total = _plus(total, older, newer)
    if len(readings) <= WINDOW:
        return *total, readings, *base, session.folded
    return *total, readings[1:], *_plus(base, readings[0], readings[1]), True


def _inserted(readings: tuple[Reading, ...], reading: Reading) -> tuple[Reading, ...]:
    """In order of session time; two of one moment become one, with the larger of each counter."""
    place = bisect_left(readings, reading.session_time_s, key=_session_time)
    if place < len(readings) and readings[place].session_time_s == reading.session_time_s:
        other = readings[place]
        both = Reading(
            reading.session_time_s,
            max(other.octets_in, reading.octets_in),
            max(other.octets_out, reading.octets_out),
            other.wide or reading.wide,
        )
        return (*readings[:place], both, *readings[place + 1 :])
    return (*readings[:place], reading, *readings[place:])


def _session_time(reading: Reading) -> int:
    return reading.session_time_s


def _plus(total: tuple[int, int], older: Reading, newer: Reading) -> tuple[int, int]:
    seconds = newer.session_time_s - older.session_time_s
    narrow = not (older.wide or newer.wide)
    return (
        total[0] + _grown(older.octets_in, newer.octets_in, seconds, narrow),
        total[1] + _grown(older.octets_out, newer.octets_out, seconds, narrow),
    )


def _grown(before: int, after: int, seconds: int, narrow: bool) -> int:
    """What a counter counted between two readings. One that went down has wrapped at 2^32, when it is narrow and the
    line could carry that much; else it began anew at 0 (field rule to RFC 2869 section 5.1)."""
    if after >= before:
        return after - before
    wrapped = after + (1 << 32) - before
    if narrow and 0 < wrapped <= seconds * LINE_OCTETS_S:
        return wrapped
    return after
