"""Several processes and several nodes on one database: what one knows the other knows, and either may die."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from tests.cluster import Cluster
from tests.radiusd.load import Router, Seen, at_work
from tests.radiusd.process import Radiusd, radiusd
from tests.radiusd.stage import SECRET, Stage, add_subscriber, set_stage
from tests.sim.nas import PretendNas

from demarc.access.models import CoaIntent, Nas, PoolBlock, SessionLive, SessionLog, Usage
from demarc.project.config import RADIUS
from demarc.radiusd.config import share_of

pytestmark = pytest.mark.lab
EVEN, ODD = "127.0.0.40", "127.0.0.41"
HERE, THERE = "02:00:00:00:00:01", "02:00:00:00:00:02"


@pytest.fixture(scope="module")
def stage(committed: None) -> Stage:
    staged = set_stage(Path(settings.DEMARC_KEYS), addresses=(EVEN, ODD))
    for name in ("alice", "bob", *(f"e{n}" for n in range(8)), *(f"o{n}" for n in range(8))):
        add_subscriber(staged, name, "secret")
    return staged


@pytest.fixture
def nases(stage: Stage) -> Iterator[tuple[PretendNas, PretendNas]]:
    """Two routers, empty tables, free pools."""
    for table in ("sessionlive", "sessionlog", "usage", "bookmark", "lease", "coaintent"):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM access_{table}")
    PoolBlock.objects.update(owner="", free_after=None)
    with PretendNas(EVEN, secret=SECRET) as even, PretendNas(ODD, secret=SECRET) as odd:
        yield even, odd


@pytest.fixture
def url(cluster: Cluster) -> str:
    return cluster.url(RADIUS)


@contextmanager
def node(directory: Path, url: str, name: str, **variables: str) -> Iterator[Radiusd]:
    data = directory / name
    data.mkdir(exist_ok=True)
    with radiusd(data, url, DEMARC_KEYS=str(settings.DEMARC_KEYS), DEMARC_NODE=name, **variables) as running:
        yield running


def until(what, within_s: float = 5) -> float:
    """How long it took to become true."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < within_s, "not so in time"
        time.sleep(0.02)
    return time.monotonic() - began


def test_a_session_on_one_node_counts_on_the_other_within_a_second_and_so_does_its_end(nases, url, tmp_path):
    even, odd = nases
    with node(tmp_path, url, "main") as first, node(tmp_path, url, "second") as second:
        here, there = {"Calling_Station_Id": HERE}, {"Calling_Station_Id": THERE}
        address = even.log_in(first.auth, "alice", "secret", **here)["Framed-IP-Address"]
        assert even.account(first.acct, "Start", "alice", "s1", Framed_IP_Address=address, **here)
        refused_after_s = until(lambda: odd.log_in(second.auth, "alice", "secret", **there).kind == "Access-Reject")
        assert refused_after_s < 1
        assert even.account(first.acct, "Stop", "alice", "s1", Acct_Session_Time=1, Framed_IP_Address=address, **here)
        let_in_after_s = until(lambda: odd.log_in(second.auth, "alice", "secret", **there).kind == "Access-Accept")
        assert let_in_after_s < 1


def test_a_node_that_starts_later_knows_who_is_online_and_hears_when_they_go(nases, url, tmp_path):
    even, odd = nases
    with node(tmp_path, url, "main") as first:
        address = even.log_in(first.auth, "alice", "secret", Calling_Station_Id=HERE)["Framed-IP-Address"]
        place = {"Framed_IP_Address": address, "Calling_Station_Id": HERE}
        assert even.account(first.acct, "Start", "alice", "s1", **place)
        until(SessionLive.objects.exists)
        with node(tmp_path, url, "second") as second:
            assert odd.log_in(second.auth, "alice", "secret", Calling_Station_Id=THERE).kind == "Access-Reject"
            assert even.account(first.acct, "Stop", "alice", "s1", Acct_Session_Time=1, **place)
            until(lambda: odd.log_in(second.auth, "alice", "secret", Calling_Station_Id=THERE).kind == "Access-Accept")


def test_a_router_that_turns_to_the_other_node_leaves_its_address_to_nobody_else(nases, url, tmp_path):
    even, _ = nases
    with node(tmp_path, url, "main") as first, node(tmp_path, url, "second") as second:
        address = even.log_in(first.auth, "alice", "secret", Calling_Station_Id=HERE)["Framed-IP-Address"]
        place = {"Framed_IP_Address": address, "Calling_Station_Id": HERE}
        assert even.account(second.acct, "Start", "alice", "s1", **place)
        first.until(lambda status: status["told_of_elsewhere"] > 0)
        first.until(lambda status: status["sessions"] == 1)
        assert even.account(second.acct, "Stop", "alice", "s1", Acct_Session_Time=1, **place)
        first.until(lambda status: status["sessions"] == 0)


@pytest.mark.parametrize(("state", "heard"), [("queued", "never"), ("sent", "an hour ago")])
def test_the_orders_of_a_node_that_is_dead_are_sent_by_another(nases, url, tmp_path, state, heard):
    even, _ = nases
    nas = Nas.objects.get(address=EVEN)
    Nas.objects.filter(pk=nas.pk).update(coa_port=even.port)
    order(nas, "lost", node="east", state=state)
    order(nas, "new", node="east", state="queued", waited_s=0)
    order(nas, "another's", node="west", state="queued")
    said = [("west/0", "now()")] + ([("east/0", "now() - interval '1 hour'")] if heard != "never" else [])
    with connection.cursor() as cursor:
        for name, at in said:
            cursor.execute(f'INSERT INTO access_bookmark (node, file, "offset", at) VALUES (%s, 0, 0, {at})', [name])
    with node(tmp_path, url, "main"):
        until(lambda: CoaIntent.objects.filter(node="east", state="ack").count() == 2, within_s=20)
    assert {one["Acct-Session-Id"] for one in even.heard} == {"lost", "new"}
    assert CoaIntent.objects.get(node="west").state == "queued"


def order(nas: Nas, session_id: str, *, waited_s: int = 120, **facts: str) -> None:
    """As it was left: due for `waited_s`, by the database's clock."""
    one = CoaIntent.objects.create(nas=nas, kind="disconnect", session_id=session_id, user_name=session_id, **facts)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE access_coaintent SET due_at = now() - %s * interval '1 s', sent_at = now() - %s * interval '1 s'"
            " WHERE id = %s",
            [waited_s, waited_s, one.pk],
        )


def everything_is_right(seen: Seen, at_least: int) -> None:
    """No valid login refused or left alone, every acknowledged record there once, no address in two hands."""
    assert not seen.troubles
    assert seen.let_in > at_least
    assert not seen.refused
    assert not seen.mute
    assert not seen.twice
    logged = list(SessionLog.objects.values_list("session_id", flat=True))
    assert len(logged) == len(set(logged))
    assert seen.stopped <= set(logged)
    stops = SessionLog.objects.filter(ending="stop").count()
    assert sum(Usage.objects.values_list("output_octets", flat=True)) == 10 * stops


def test_one_of_two_processes_dies_under_load(nases, url, tmp_path):
    (tmp_path / "main").mkdir()
    keys = str(settings.DEMARC_KEYS)
    with radiusd(
        tmp_path / "main", url, serving=False, DEMARC_KEYS=keys, DEMARC_RADIUS_PROCESSES="2"
    ) as server:  # fmt: skip
        statuses = [tmp_path / "main" / "run" / name for name in ("radiusd.json", "radiusd-1.json")]
        until(lambda: all(path.exists() and told(path)["serving"] for path in statuses), within_s=30)
        seen = Seen()
        routers = crew(nases, [(server.auth, server.acct)], seen)
        at_work(routers, 9, lambda: os.kill(told(statuses[share_of(EVEN, 2)])["pid"], signal.SIGKILL))
        until(lambda: all(told(path)["serving"] and not told(path)["journal_backlog_bytes"] for path in statuses), 20)
        time.sleep(1.2)  # one more status
        until(lambda: not any(told(path)["journal_backlog_bytes"] for path in statuses), 20)
    everything_is_right(seen, at_least=200)


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP])
def test_one_of_two_nodes_dies_or_freezes_under_load(blow, nases, url, tmp_path):
    with node(tmp_path, url, "main") as first, node(tmp_path, url, "second") as second:
        seen = Seen()
        both = [(first.auth, first.acct), (second.auth, second.acct)]
        at_work(crew(nases, both, seen), 9, lambda: os.killpg(first.running.pid, blow))
        if blow == signal.SIGSTOP:
            os.killpg(first.running.pid, signal.SIGCONT)
            first.shipped()
        else:
            first.running.wait()
        second.shipped()
    with node(tmp_path, url, "main") as first:  # what it had acknowledged before it died
        first.shipped()
    everything_is_right(seen, at_least=200)


def told(path: Path) -> dict:
    return json.loads(path.read_text())


def crew(nases: tuple[PretendNas, PretendNas], servers: list, seen: Seen) -> list[Router]:
    """Each router with eight customers, all turning to the first server first."""
    even, odd = nases
    stop = threading.Event()
    return [
        Router(nas, servers, [f"{letter}{n}" for n in range(8)], seen, stop)
        for nas, letter in ((even, "e"), (odd, "o"))
    ]
