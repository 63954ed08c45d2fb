"""The installation that a campaign works on: its people, its database, its processes by name, and how it comes to rest.

Reads the database and the files that any operator could read; writes nothing but the test clock.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from tests.installation import Installation

from demarc.base import clock
from demarc.project.config import Config
from demarc.project.process import alive
from demarc.radiusd import journal
from demarc.radiusd.journal import Position

SECRET = "campaign-secret-of-the-nas"
SHIPPER = "demarc.radiusd.shipper"
SUPERVISED = ("database", "radiusd", "pages", "web", "now", "later")

BOOKMARK = 'SELECT file, "offset" FROM access_bookmark WHERE node = %(writer)s'
JOBS = """
SELECT count(*) FROM procrastinate_jobs
WHERE status = 'doing' OR (status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= now() + interval '5 minutes'))
"""
SUBSCRIBERS = "SELECT count(*) FROM access_subscriber"
INTENTS = "SELECT count(*) FROM access_coaintent WHERE state IN ('queued', 'sent', 'no_answer') AND tries < 5"


@dataclass
class Ground:
    """A running Demarc with the people of bench.campaigns.people."""

    demarc: Installation
    people: dict[str, Any]
    _conn: psycopg.Connection[Any] | None = None

    # --- its database ---

    def ask(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows, as the app sees them; psycopg.Error while the database is away."""
        if self._conn is None or self._conn.closed:
            self._conn = psycopg.connect(Config(data=self.demarc.data).app_url(), autocommit=True, connect_timeout=5)
        return self._conn.execute(query, values).fetchall()

    def count(self, query: str, **values: Any) -> int:
        """The only figure of the only row."""
        return int(self.ask(query, **values)[0][0])

    # --- its clock ---

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.people["zone"])

    def now(self) -> datetime:
        """The time there."""
        return clock.Clock(self.demarc.data).now()

    def turn_midnight(self) -> date:
        """Move the clock to five past the next 00:00 of the provider's zone; the day that begins."""
        day = self.now().astimezone(self.zone).date() + timedelta(days=1)
        clock.move_to(self.demarc.data, datetime.combine(day, time_of_day(0, 5), self.zone))
        return day

    # --- its processes ---

    def known(self) -> dict[str, dict[str, Any]]:
        """The supervisor's table of processes."""
        table: dict[str, dict[str, Any]] = json.loads((self.demarc.data / "run" / "status.json").read_text())
        return table["processes"]

    def pid(self, name: str) -> int | None:
        """The process of this name (the supervisor's names, and "shipper"); None while there is none."""
        if name == "shipper":
            parent = self.pid("radiusd")
            return next((pid for pid in children(parent) if SHIPPER in command(pid)), None) if parent else None
        pid: int | None = self.known()[name]["pid"]
        return pid if pid is not None and alive(pid) else None

    def told(self) -> dict[str, Any]:
        """What radiusd says of itself."""
        said: dict[str, Any] = json.loads((self.demarc.data / "run" / "radiusd.json").read_text())
        return said

    def absent(self) -> str:
        """Which process is not there, or is not answering yet, in words; empty when all do."""
        for name in (*SUPERVISED, "shipper"):
            if not self.pid(name):
                return f"{name} does not run"
        try:
            told = self.told()
            self.ask("SELECT 1")
        except (OSError, ValueError, psycopg.Error) as error:
            return " ".join(str(error).split())
        return "" if told["serving"] and told["pid"] == self.pid("radiusd") else "radiusd does not answer yet"

    # --- its work ---

    def unshipped(self) -> bool:
        """Whether the journal holds a record that is not in the database."""
        rows = self.ask(BOOKMARK, writer="main/0")
        after = Position(*rows[0]) if rows else Position()
        return any(journal.read(self.demarc.data / "radius" / "journal-0", after, 1))

    def unrest(self) -> str:
        """What is still going on, in words; empty when nothing is."""
        if absent := self.absent():
            return absent
        try:
            if self.unshipped():
                return "the journal is not drained"
            if jobs := self.count(JOBS):
                return f"{jobs} jobs are not done"
            if intents := self.count(INTENTS):
                return f"{intents} CoA intents are not answered"
            if self.told()["subscribers"] != self.count(SUBSCRIBERS):
                return "radiusd has not read all subscribers"
        except (OSError, ValueError, psycopg.Error) as error:
            return " ".join(str(error).split())
        return ""

    def come_to_rest(self, within_s: float) -> str:
        """Wait until nothing is going on; what still was when the time was up."""
        return wait(self.unrest, within_s)


def wait(unrest: Callable[[], str], within_s: float) -> str:
    """Ask until the answer is empty; the last answer when the time was up."""
    deadline = time.monotonic() + within_s
    while (left := unrest()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def children(parent: int) -> list[int]:
    """The processes that a process started."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            if int(entry.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(entry.parent.name))
    return found


def command(pid: int) -> str:
    """A process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def kill(pids: Sequence[int]) -> None:
    """As a power cut does; they are dead when this returns."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while any(alive(pid) for pid in pids):
        time.sleep(0.001)


@contextmanager
def ground(neighbours: int, subscribers: int, nases: Sequence[tuple[str, int]]) -> Iterator[Ground]:
    """Start a new installation and people it. After a failure its data directory stays, for whoever looks into it."""
    demarc = Installation()
    try:
        demarc.start(within_s=120)
        named = [f"{address}={port}" for address, port in nases]
        made = subprocess.run(
            [sys.executable, "-m", "bench.campaigns.people", str(neighbours), str(subscribers), *named],
            env=demarc.environ, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        yield Ground(demarc, json.loads(made.stdout))
    except BaseException:
        if demarc.process and demarc.process.poll() is None:
            demarc.stop()
        print(f"\nthe data stay in {demarc.data}, the output in {demarc.output}", file=sys.stderr)
        raise
    demarc.remove()
