"""Work on chunks with several hands: threads, each with a database connection of its own."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from django.db import connection

T = TypeVar("T")
R = TypeVar("R")
HANDS = 2
"""One computes while PostgreSQL writes for the other; a third finds nothing left to do."""


def each(work: Callable[[T], R], things: Iterable[T], *, hands: int = HANDS) -> list[R]:
    """What `work` gives for each of the things, in their order.

    One hand, or one thing, is worked on here. More hands are threads: they do not see what a transaction of the caller
    has written, and would wait for ever for a row that it holds. An error of `work` is raised once the others have put
    down what they hold; the rest is left.
    """
    all_things = list(things)
    if hands == 1 or len(all_things) < 2:
        return [work(thing) for thing in all_things]
    waiting: SimpleQueue[tuple[int, T]] = SimpleQueue()
    for numbered in enumerate(all_things):
        waiting.put(numbered)
    done: dict[int, R] = {}

    def hand() -> None:
        try:
            with suppress(Empty):
                while True:
                    place, thing = waiting.get_nowait()
                    done[place] = work(thing)
        except BaseException:
            _drain(waiting)
            raise
        finally:
            connection.close()

    with ThreadPoolExecutor(hands) as pool:
        for finished in [pool.submit(hand) for _ in range(hands)]:
            finished.result()
    return [done[place] for place in range(len(all_things))]


def _drain(waiting: SimpleQueue[tuple[int, T]]) -> None:
    with suppress(Empty):
        while True:
            waiting.get_nowait()
