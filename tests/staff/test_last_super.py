"""Two who each rely on the other to remain: of those who may do everything for all providers one stays."""

import threading
import time

import psycopg
import pytest
from django.db import connections, transaction
from tests.staff.world import person

from demarc.base import clock
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.project.config import OWNER
from demarc.staff.actions import switch
from demarc.staff.permissions import ALL
from demarc.staff.queries import super_administrators


@pytest.mark.django_db(transaction=True)
def test_of_two_who_switch_each_other_off_at_once_one_stays(cluster):
    sara, boss = (person("Super administrator", name) for name in ("sara", "boss"))
    told = []

    def switch_off(whom, by):
        switch(whom.pk, on=False, held={ALL}, by=Actor("staff", by.pk, str(by)), at=clock.now())

    def at_the_same_time():
        try:
            switch_off(boss, sara)
        except Refused as refused:
            told.append(refused.code)
        finally:
            connections.close_all()

    other = threading.Thread(target=at_the_same_time)
    with transaction.atomic():
        switch_off(sara, boss)
        other.start()
        with psycopg.connect(cluster.url(OWNER)) as conn:
            assert any(_waits(conn) or not other.is_alive() for _ in range(500))
    other.join(10)
    assert told == ["last_super"]
    assert list(super_administrators()) == [boss]


def _waits(conn: psycopg.Connection) -> bool:
    time.sleep(0.01)
    return conn.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").fetchone() == (True,)
