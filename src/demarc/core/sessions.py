"""One session's accounting: packets in any order, repeated or missing, to one state. Knows no packets, tables
or clock.

The same records in any order give the same state, as long as none arrives later than WINDOW newer counter
readings.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address

WINDOW = 8
"""How many counter readings a session keeps; a reading older than all of them is acknowledged and ignored."""


class Event(IntEnum):
    """Acct-Status-Type (RFC 2866 section 5.1)."""

    START = 1
    STOP = 2
    INTERIM = 3
    ON = 7
    OFF = 8


class Ending(StrEnum):
    """How we learned that a session is over: the NAS said so, the NAS restarted, or nothing was heard for too
    long."""

    STOP = "stop"
    REBOOT = "reboot"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What makes a session one. `boot_epoch` (see `epoch`) tells apart ids that a NAS uses again after a
    restart."""

    nas_id: int
    boot_epoch: int
    acct_session_id: str
    user_name: str


@dataclass(frozen=True, slots=True)
class Record:
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


@dataclass(frozen=True, slots=True)
class Reading:
    """Both counters at one session time, octets; `wide`: the NAS sends giga words, so they do not wrap at
    2^32."""

    session_time_s: int
    octets_in: int
    octets_out: int
    wide: bool


@dataclass(frozen=True, slots=True)
class Session:
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
    raise NotImplementedError


def close_stale(session: Session) -> Session:
    """Close an open session that was silent for too long, at its last sign of life. A late Stop amends it."""
    raise NotImplementedError
