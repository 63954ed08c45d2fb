"""Work on chunks with several hands, each with a database connection of its own: threads, or processes of a command."""

import gc
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import Synchronized
from queue import Empty, SimpleQueue
from signal import SIG_IGN, SIGINT, signal
from typing import Any, TypeVar

from django.db import connection, connections

T = TypeVar("T")
R = TypeVar("R")
HANDS = 2
"""One computes while PostgreSQL writes for the other; a third finds nothing left to do."""

_APART: ContextVar[bool] = ContextVar("apart", default=False)
_INHERITED: list[Any] = []
"""Connections of the process before the fork: never used here, never closed here."""


@contextmanager
def apart() -> Iterator[None]:
    """Let more hands be processes, which compute at the same time. For commands that have no other thread: a fork
    copies the locks that others hold."""
    before = _APART.set(True)
    try:
        yield
    finally:
        _APART.reset(before)


def each(work: Callable[[T], R], things: Iterable[T], *, hands: int = HANDS) -> list[R]:
    """What `work` gives for each of the things, in their order.

    One hand, or one thing, is worked on here. More hands are threads, or processes within `apart`: they do not see what
    a transaction of the caller has written, and would wait for ever for a row that it holds; what processes give must
    be picklable. An error of `work` is raised once the others have put down what they hold; the rest is left.
    """
    all_things = list(things)
    if hands == 1 or len(all_things) < 2:
        return [work(thing) for thing in all_things]
    done = (_in_processes if _APART.get() else _in_threads)(work, all_things, min(hands, len(all_things)))
    return [done[place] for place in range(len(all_things))]


def _in_threads(work: Callable[[T], R], things: Sequence[T], hands: int) -> dict[int, R]:
    waiting: SimpleQueue[int] = SimpleQueue()
    for place in range(len(things)):
        waiting.put(place)
    done: dict[int, R] = {}

    def hand() -> None:
        try:
            with suppress(Empty):
                while True:
                    place = waiting.get_nowait()
                    done[place] = work(things[place])
        except BaseException:
            _drain(waiting)
            raise
        finally:
            connection.close()

    with ThreadPoolExecutor(hands) as pool:
        for finished in [pool.submit(hand) for _ in range(hands)]:
            finished.result()
    return done


def _drain(waiting: SimpleQueue[int]) -> None:
    with suppress(Empty):
        while True:
            waiting.get_nowait()


def _in_processes(work: Callable[[T], R], things: Sequence[T], hands: int) -> dict[int, R]:
    fork = multiprocessing.get_context("fork")
    taken = fork.Value("q", 0)
    done: dict[int, R] = {}
    failed: BaseException | None = None
    at_work = {}
    for _ in range(hands):
        mine, theirs = fork.Pipe(duplex=False)
        process = fork.Process(target=_hand_apart, args=(work, things, taken, theirs), daemon=True)
        process.start()
        theirs.close()
        at_work[mine] = process
    while at_work:
        for mine in set(at_work).intersection(wait(list(at_work))):
            try:
                place, given, error = mine.recv()
                failed = failed or error
                done[place] = given
            except EOFError:
                process = at_work.pop(mine)
                process.join()
                if process.exitcode and failed is None:
                    failed = RuntimeError(f"A process of this command was ended from outside ({process.exitcode}).")
    if failed is not None:
        raise failed
    return done


def _hand_apart(work: Callable[[T], R], things: Sequence[T], taken: "Synchronized[int]", told: Connection) -> None:
    """A process of its own until nothing is left to take: tells (place, result, error)."""
    signal(SIGINT, SIG_IGN)  # it ends with the process that asked
    for alias in connections:
        _INHERITED.append(connections[alias])
        del connections[alias]
    gc.freeze()  # what was there before stays where it is: a collection would copy it all
    while (place := _take(taken, 1)) < len(things):
        try:
            told.send((place, work(things[place]), None))
        except Exception as error:  # noqa: BLE001 - raised in the process that asked
            _take(taken, len(things))
            told.send((place, None, error))
    connections.close_all()


def _take(taken: "Synchronized[int]", count: int) -> int:
    with taken.get_lock():
        place = taken.value
        taken.value += count
    return place
