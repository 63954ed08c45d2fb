"""Several hands at one pile of chunks."""

import os
import signal
from threading import Barrier, current_thread

import pytest
from django.db import connection

from demarc.base.hands import apart, each
from demarc.core.errors import Refused


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_one_hand_works_here_and_keeps_the_order() -> None:
    assert each(lambda n: (n, current_thread().name), range(3), hands=1) == [
        (n, current_thread().name) for n in range(3)
    ]


@pytest.mark.django_db(transaction=True)
def test_two_hands_work_at_once_each_with_a_connection_of_its_own() -> None:
    both = Barrier(2, timeout=10)  # breaks unless two are inside at the same time

    def work(_: int) -> int:
        both.wait()
        found = backend()
        both.wait()
        return found

    assert len({backend(), *each(work, range(2), hands=2)}) == 3


@pytest.mark.django_db(transaction=True)
def test_apart_they_are_processes_each_with_a_connection_of_its_own_and_ours_stays_as_it_was() -> None:
    before = backend()
    with apart():
        found = each(lambda n: (n, os.getpid(), backend()), range(100), hands=2)
    assert [n for n, _, _ in found] == list(range(100))
    assert os.getpid() not in {pid for _, pid, _ in found}
    assert before not in {pid for _, _, pid in found}
    assert len({pid for _, pid, _ in found}) == len({pid for _, _, pid in found}) <= 2
    assert backend() == before


@pytest.mark.django_db(transaction=True)
def test_an_error_apart_is_the_callers() -> None:
    def refuse(n: int) -> int:
        if n == 3:
            raise Refused("No such thing.", field="thing", code="unknown")
        return n

    with apart(), pytest.raises(Refused, match="No such thing") as refused:
        each(refuse, range(1000), hands=2)
    assert (refused.value.field, refused.value.code) == ("thing", "unknown")


@pytest.mark.django_db(transaction=True)
def test_a_hand_that_is_killed_is_told() -> None:
    def die(n: int) -> None:
        if n == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    with apart(), pytest.raises(RuntimeError, match="ended from outside"):
        each(die, range(10), hands=2)


@pytest.mark.django_db(transaction=True)
def test_an_error_ends_it_and_the_rest_is_left() -> None:
    tried: list[int] = []

    def work(n: int) -> None:
        tried.append(n)
        if n == 0:
            raise ValueError("spoiled")

    with pytest.raises(ValueError, match="spoiled"):
        each(work, range(10_000), hands=2)
    assert 0 < len(tried) < 10_000
