"""Workers that die at named places: kill -9 before or after a call of a function, two workers at once.

The failpoints are put in from here: the program knows nothing of them.
"""

import importlib
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple

from bench.campaigns.report import Failed

WORKERS = 2
ATTEMPTS = 4
"""So often two workers try, and die but for the last time; then one that is left alone."""


class Death(NamedTuple):
    """Where a worker dies: before or after the `count`-th call of a function, named with its module."""

    point: str
    count: int
    after: bool

    def __str__(self) -> str:
        return f"{self.point.rpartition('.')[2]} {'after' if self.after else 'before'}"


class Killer:
    """Draws the deaths and counts those that happened: `kills` by kind of work and place."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.kills: Counter[str] = Counter()

    def until_done(self, kind: str, points: Sequence[str], work: Callable[[int], Any]) -> Counter[str]:
        """Let workers die at `points` until one does the work to its end: the deaths. `work` is given the attempt's
        number. Bounded."""
        _no_connections()
        deaths: Counter[str] = Counter()
        for attempt in range(ATTEMPTS):
            wanted = [self._draw(points) if attempt < ATTEMPTS - 1 else None for _ in range(WORKERS)]
            for death, status in zip(wanted, _together(work, attempt, wanted), strict=True):
                if os.WIFSIGNALED(status) and death is not None:
                    deaths[str(death)] += 1
                elif status:
                    raise Failed(f"a worker of {kind} ended with {status}; it was to die at {death}")
        if _together(work, ATTEMPTS, [None]) != [0]:
            raise Failed(f"{kind} could not be finished")
        self.kills.update({f"{kind} {place}": count for place, count in deaths.items()})
        return deaths

    def _draw(self, points: Sequence[str]) -> Death:
        return Death(self.random.choice(points), self.random.randint(1, 4), self.random.random() < 0.5)


def _together(work: Callable[[int], Any], attempt: int, wanted: Sequence[Death | None]) -> list[int]:
    """Fork a worker for each, let all begin when the last is there, and wait: how each ended."""
    gate, opened = os.pipe()
    pids = [_worker(work, attempt, death, (gate, opened)) for death in wanted]
    os.close(gate)
    os.close(opened)
    return [os.waitpid(pid, 0)[1] for pid in pids]


def _worker(work: Callable[[int], Any], attempt: int, death: Death | None, gate: tuple[int, int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.close(gate[1])
        os.read(gate[0], 1)  # until the other end is closed everywhere
        _no_connections()
        if death is not None:
            _die_at(death)
        work(attempt)
        os._exit(0)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told and counted
        print(f"worker: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        os._exit(1)


def _die_at(death: Death) -> None:
    module_name, _, name = death.point.rpartition(".")
    module = importlib.import_module(module_name)
    inner: Callable[..., Any] = getattr(module, name)
    calls = [0]

    def outer(*args: Any, **kwargs: Any) -> Any:
        calls[0] += 1
        if calls[0] == death.count and not death.after:
            os.kill(os.getpid(), signal.SIGKILL)
        found = inner(*args, **kwargs)
        if calls[0] == death.count and death.after:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(module, name, outer)


def _no_connections() -> None:
    importlib.import_module("django.db").connections.close_all()
