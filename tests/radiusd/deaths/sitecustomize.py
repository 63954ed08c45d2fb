"""Put on PYTHONPATH by a test: the process dies (kill -9) at the place that DEATH names, at the NTH time, only once.

DEATH is a place below and a number, as "journal.before_fsync:5"; DEATH_NOTE a file that is there once it has happened.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PLACE, _, NTH = os.environ.get("DEATH", ":0").partition(":")
NOTE = Path(os.environ.get("DEATH_NOTE", "/nonexistent/note"))
_times = 0


def die_in_time() -> None:
    global _times
    _times += 1
    if _times >= int(NTH) and not NOTE.exists():
        NOTE.write_text(PLACE)
        os.kill(os.getpid(), signal.SIGKILL)


def before(owner: Any, name: str) -> None:
    """Die instead of doing it."""
    original: Callable[..., Any] = getattr(owner, name)

    def mortal(*given: Any, **named: Any) -> Any:
        die_in_time()
        return original(*given, **named)

    setattr(owner, name, mortal)


def after(owner: Any, name: str) -> None:
    """Die when it is done, unless there was nothing to do."""
    original: Callable[..., Any] = getattr(owner, name)

    def mortal(*given: Any, **named: Any) -> Any:
        result = original(*given, **named)
        if result != 0:
            die_in_time()
        return result

    setattr(owner, name, mortal)


def torn_write() -> None:
    """Half of the octets are written, and then no more."""
    from demarc.radiusd.journal import Segment

    original = Segment.append

    def append(self: Segment, octets: bytes) -> None:
        if _times + 1 >= int(NTH) and not NOTE.exists():
            os.pwrite(self._fd, octets[: len(octets) // 2], self.size)
        die_in_time()
        original(self, octets)

    Segment.append = append  # type: ignore[method-assign]


def after_commit() -> None:
    """Die before more is read, when the rows of a batch were told of: they are there by then."""
    from demarc.radiusd import journal, peers

    announcements, read = peers.announcements, journal.read
    told = False

    def telling(*given: Any, **named: Any) -> Any:
        nonlocal told
        told = True
        return announcements(*given, **named)

    def mortal(*given: Any, **named: Any) -> Any:
        nonlocal told
        if told:
            told = False
            die_in_time()
        return read(*given, **named)

    peers.announcements, journal.read = telling, mortal  # type: ignore[assignment]


def _arm() -> None:
    from demarc.radiusd import journal, peers, server

    {
        "journal.torn": torn_write,
        "journal.before_fsync": lambda: before(journal.os, "fdatasync"),
        "journal.after_fsync": lambda: after(journal.Segment, "append"),
        "answer.after": lambda: after(server.AcctPort, "_send"),
        "ship.before_commit": lambda: before(peers, "announcements"),  # rows written, bookmark not moved
        "ship.after_commit": after_commit,
    }[PLACE]()


if PLACE and ("demarc.radiusd.shipper" in sys.orig_argv) == PLACE.startswith("ship."):
    _arm()
