"""Faults under load: no valid login is refused, and what was acknowledged is in the database exactly once."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from tests.cluster import Cluster
from tests.radiusd.faults import SlowLine, database_away, small_disk
from tests.radiusd.load import LONGER, Router, Seen, at_work
from tests.radiusd.process import Radiusd, radiusd
from tests.radiusd.stage import SECRET, Stage, add_subscriber, set_stage
from tests.sim.nas import PretendNas

from demarc.access.models import Feed, PoolBlock, SessionLog, Subscriber, Usage
from demarc.project.config import RADIUS
from demarc.radiusd.config import share_of

pytestmark = [pytest.mark.lab, pytest.mark.slow]
NAS = "127.0.0.71"
DEATHS = str(Path(__file__).parents[1] / "radiusd" / "deaths")
LOGINS = [f"n{number}" for number in range(8)]
AGAIN = 12
"""How often a router repeats an accounting record, a second apart."""


@pytest.fixture(scope="module")
def stage(committed: None) -> Stage:
    staged = set_stage(Path(settings.DEMARC_KEYS), addresses=(NAS,))
    for name in LOGINS:
        add_subscriber(staged, name, "secret")
    return staged


@pytest.fixture
def nas(stage: Stage) -> Iterator[PretendNas]:
    for table in ("sessionlive", "sessionlog", "usage", "bookmark", "lease"):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM access_{table}")
    PoolBlock.objects.update(owner="", free_after=None)
    with PretendNas(NAS, secret=SECRET) as one:
        yield one


def start(data: Path, url: str, **variables: str):
    return radiusd(data, url, DEMARC_KEYS=str(settings.DEMARC_KEYS), **variables)


def router(nas: PretendNas, server: Radiusd, seen: Seen) -> Router:
    return Router(nas, [(server.auth, server.acct)], LOGINS, seen, threading.Event())


def everything_is_right(seen: Seen, at_least: int) -> None:
    assert not seen.troubles
    assert seen.let_in > at_least
    assert (seen.refused, seen.mute, seen.twice) == ([], [], [])
    logged = list(SessionLog.objects.values_list("session_id", flat=True))
    assert len(logged) == len(set(logged))
    assert seen.stopped <= set(logged)
    stops = SessionLog.objects.filter(ending="stop").count()
    assert sum(Usage.objects.values_list("output_octets", flat=True)) == 10 * stops


def test_the_database_goes_and_comes_back_under_load(nas, stage, cluster: Cluster, tmp_path):
    seen, url = Seen(), cluster.url(RADIUS)
    with start(tmp_path, url) as server:

        def away() -> None:
            with database_away(cluster):
                time.sleep(3 * LONGER)
                Subscriber.objects.filter(login="n0").update(active=False, cause=2)
                blocked = Subscriber.objects.get(login="n0")
                late = add_subscriber(stage, "late", "secret")
                for one in (blocked, late):
                    Feed.objects.create(kind="subscriber", key=str(one.pk))

        at_work([router(nas, server, seen)], 6, away)
        came_back = time.monotonic()
        heard(nas, server, "late", lambda reply: reply.kind == "Access-Accept")
        heard(nas, server, "n0", lambda reply: reply.get("Mikrotik-Address-List") == "Reject_2")
        assert time.monotonic() - came_back < 5
        server.shipped(within_s=30)
    Subscriber.objects.filter(login="n0").update(active=True, cause=None)
    assert seen.slowest_s < 1
    everything_is_right(seen, at_least=100)


def heard(nas: PretendNas, server: Radiusd, login: str, right) -> None:
    end = time.monotonic() + 5
    while not right(nas.log_in(server.auth, login, "secret")):
        assert time.monotonic() < end, f"{login} is not known in time"
        time.sleep(0.05)


def test_a_database_that_takes_two_seconds_for_everything_holds_up_no_login(nas, stage, cluster: Cluster, tmp_path):
    seen = Seen()
    with SlowLine(cluster) as line, start(tmp_path, line.url) as server:
        at_work([router(nas, server, seen)], 9, lambda: setattr(line, "delay_s", 2.0))
        assert seen.slowest_s < 1
        line.delay_s = 0.0
        server.shipped(within_s=40)
    everything_is_right(seen, at_least=100)


def test_a_full_disk_stops_acknowledgements_and_nothing_else_until_there_is_room(nas, stage, cluster, tmp_path):
    with small_disk(tmp_path / "radius", 1024) as disk, start(tmp_path, cluster.url(RADIUS)) as server:
        stop(nas, server, "before")
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 1024)
        last = 0
        while last < 3000 and stop(nas, server, f"room{last}", timeout_s=0.5):  # the journal has some left
            last += 1
        refused = [number for number in range(40) if not stop(nas, server, f"full{number}", timeout_s=0.1)]
        assert refused
        assert nas.log_in(server.auth, "n1", "secret").kind == "Access-Accept"
        assert "No space left" in server.until(lambda status: status["journal_trouble"])["journal_trouble"]
        filler.unlink()
        assert stop(nas, server, "after", times=3)
        server.until(lambda status: not status["journal_trouble"])
        server.shipped()
    logged = list(SessionLog.objects.values_list("session_id", flat=True))
    taken = {f"full{number}" for number in range(40)} - {f"full{number}" for number in refused}
    room = {f"room{number}" for number in range(last)}
    assert sorted(logged) == sorted({"before", "after", *taken, *room})


@pytest.mark.parametrize(
    "place",
    [
        "journal.torn:10", "journal.before_fsync:10", "journal.after_fsync:10", "answer.after:10",
        "ship.before_commit:1", "ship.after_commit:1",
    ],
)  # fmt: skip
def test_kill_9_between_any_two_steps_loses_and_doubles_nothing(place, nas, stage, cluster: Cluster, tmp_path):
    note = tmp_path / "note"
    variables = {
        "PYTHONPATH": ":".join([DEATHS, os.environ.get("PYTHONPATH", "")]), "DEATH": place, "DEATH_NOTE": str(note),
        "DEMARC_RADIUS_PROCESSES": "2",
    }  # fmt: skip
    index = share_of(NAS, 2)
    path = tmp_path / "run" / (f"radiusd-{index}.json" if index else "radiusd.json")
    with start(tmp_path, cluster.url(RADIUS), serving=False, **variables) as server:
        wait(lambda: path.exists() and json.loads(path.read_text())["serving"])
        for number in range(40):
            assert stop(nas, server, f"s{number}", times=AGAIN, timeout_s=1.0)
        wait(note.exists)
        wait(lambda: SessionLog.objects.count() == 40)
        time.sleep(0.5)
    assert SessionLog.objects.count() == 40
    assert sum(Usage.objects.values_list("output_octets", flat=True)) == 400


def stop(nas: PretendNas, server: Radiusd, session: str, **options) -> object:
    octets = {"Acct_Session_Time": 60, "Acct_Input_Octets": 1, "Acct_Output_Octets": 10}
    return nas.account(server.acct, "Stop", "n0", session, **octets, **options)


def wait(what, within_s: float = 25) -> None:
    end = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.05)
