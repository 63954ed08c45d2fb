"""Several hands at one pile of chunks."""

from threading import Barrier, current_thread

import pytest
from django.db import connection

from demarc.base.hands import each


def test_one_hand_works_here_and_keeps_the_order() -> None:
    assert each(lambda n: (n, current_thread().name), range(3), hands=1) == [
        (n, current_thread().name) for n in range(3)
    ]


@pytest.mark.django_db(transaction=True)
def test_two_hands_work_at_once_each_with_a_connection_of_its_own() -> None:
    both = Barrier(2, timeout=10)  # breaks unless two are inside at the same time

    def backend(_: int) -> int:
        both.wait()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        both.wait()
        return int(pid)

    backends = each(backend, range(2), hands=2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backends.append(cursor.fetchone()[0])
    assert len(set(backends)) == 3


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
