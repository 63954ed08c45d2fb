"""The only reader of the clock. Everything else is handed the time; no rule lives here.

A data directory made with --demo or --test carries a marker file; only there may the file `clock_offset`
move the time, for every process on that directory alike. Anywhere else the file is ignored.
"""

import json
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from demarc.core.period import billing_day

MARKERS = ("DEMO", "TEST")
OFFSET_FILE = "clock_offset"
REREAD_S = 0.2


class Clock:
    """The time in one data directory, looking for a moved clock at most every REREAD_S seconds."""

    def __init__(self, data: Path | None) -> None:
        self._data = data
        self._offset = timedelta(0)
        self._mtime_ns: int | None = None
        self._looked_s = float("-inf")

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        if self._data is not None and time.monotonic() - self._looked_s >= REREAD_S:
            self._look(self._data)
        return datetime.now(UTC) + self._offset

    def _look(self, data: Path) -> None:
        self._looked_s = time.monotonic()
        try:
            mtime_ns = (data / OFFSET_FILE).stat().st_mtime_ns
        except OSError:
            self._offset, self._mtime_ns = timedelta(0), None
            return
        if mtime_ns != self._mtime_ns:
            self._mtime_ns = mtime_ns
            self._offset = read_offset(data)


def movable(data: Path) -> bool:
    """Whether this data directory may have a clock of its own."""
    return any((data / marker).exists() for marker in MARKERS)


def read_offset(data: Path) -> timedelta:
    """How far the clock of this data directory runs ahead of the machine's."""
    if not movable(data):
        return timedelta(0)
    try:
        return timedelta(seconds=json.loads((data / OFFSET_FILE).read_text())["offset_s"])
    except FileNotFoundError:
        return timedelta(0)


def move_to(data: Path, instant: datetime) -> None:
    """Let the clock of this data directory show `instant` now and run on from there.

    Raises PermissionError for a directory that was not made with --demo or --test.
    """
    if not movable(data):
        raise PermissionError(f"{data} was made for real work: its clock cannot be moved")
    offset_s = (instant - datetime.now(UTC)).total_seconds()
    fresh = data / f"{OFFSET_FILE}.new"
    fresh.write_text(json.dumps({"offset_s": offset_s}))
    fresh.replace(data / OFFSET_FILE)


def _directory() -> Path | None:
    named = os.environ.get("DEMARC_DATA")
    return Path(named) if named else None


_clock = Clock(_directory())
now = _clock.now


def today(zone: str) -> date:
    """The billing day that it is now in a zone."""
    return billing_day(now(), ZoneInfo(zone))
