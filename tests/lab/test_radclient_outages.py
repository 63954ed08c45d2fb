"""radiusd without its database, killed in the middle of work, and under a flood of nonsense."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from tests.cluster import Cluster
from tests.radiusd.faults import database_away
from tests.radiusd.process import Radiusd, radiusd
from tests.radiusd.stage import SECRET, Stage, add_subscriber, set_stage
from tests.sim.nas import PretendNas
from tests.wire.radius.mutations import malformed

from demarc.access.models import SessionLive, SessionLog, Usage
from demarc.project.config import RADIUS
from demarc.radiusd.config import share_of

pytestmark = pytest.mark.lab
NAS = "127.0.0.31"


@pytest.fixture(scope="module")
def stage(committed: None) -> Stage:
    staged = set_stage(Path(settings.DEMARC_KEYS), addresses=(NAS,))
    add_subscriber(staged, "alice", "alpha", static_ipv4="198.51.100.7")
    add_subscriber(staged, "bob", "beta")
    return staged


@pytest.fixture
def nas(stage: Stage) -> Iterator[PretendNas]:
    for table in ("access_sessionlive", "access_sessionlog", "access_usage"):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
    with PretendNas(NAS, secret=SECRET) as one:
        yield one


@pytest.fixture
def url(cluster: Cluster) -> str:
    return cluster.url(RADIUS)


def start(data: Path, url: str):
    return radiusd(data, url, DEMARC_KEYS=str(settings.DEMARC_KEYS))


def test_without_the_database_all_goes_on_and_nothing_is_lost(cluster, url, nas, stage, tmp_path):
    with start(tmp_path, url) as server:
        assert nas.log_in(server.auth, "bob", "beta").kind == "Access-Accept"
        with database_away(cluster):
            time.sleep(1)
            for number in range(50):
                address = nas.log_in(server.auth, "bob", "beta")["Framed-IP-Address"]
                assert nas.account(server.acct, "Start", "bob", f"s{number}", Framed_IP_Address=address)
                counters = {"Acct_Session_Time": 60, "Acct_Input_Octets": 1, "Acct_Output_Octets": 10}
                assert nas.account(server.acct, "Stop", "bob", f"s{number}", **counters)
            assert nas.log_in(server.auth, "bob", "wrong").kind == "Access-Reject"
            assert server.until(lambda status: status["journal_backlog_records"] > 0)
        server.shipped()
    assert SessionLog.objects.count() == 50
    assert Usage.objects.get().output_octets == 500


def test_it_starts_without_the_database_and_knows_who_is_online(cluster, url, nas, stage, tmp_path):
    with start(tmp_path, url) as server:
        address = nas.log_in(server.auth, "bob", "beta", Calling_Station_Id="02:00:00:00:00:01")["Framed-IP-Address"]
        place = {"Calling_Station_Id": "02:00:00:00:00:01", "Framed_IP_Address": address}
        nas.account(server.acct, "Start", "bob", "s1", **place)
        wait_for_snapshot(tmp_path, server)
    with database_away(cluster), start(tmp_path, url) as server:
        assert nas.log_in(server.auth, "alice", "alpha")["Framed-IP-Address"] == IPv4Address("198.51.100.7")
        assert nas.log_in(server.auth, "bob", "beta", Calling_Station_Id="02:00:00:00:00:02").kind == "Access-Reject"
        again = nas.log_in(server.auth, "bob", "beta", Calling_Station_Id="02:00:00:00:00:01")
        assert again["Framed-IP-Address"] == address
        assert nas.account(server.acct, "Interim-Update", "bob", "s1", Acct_Session_Time=600, **place)
        assert server.status()["model_age_s"] > 0
    with start(tmp_path, url) as server:
        server.shipped()
    assert SessionLive.objects.get().session_time_s == 600


def wait_for_snapshot(data: Path, server: Radiusd) -> None:
    path = data / "radius" / "snapshot-0.jsonl"
    server.until(lambda _: path.exists(), within_s=20)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "beta" not in path.read_text()


def test_without_database_and_snapshot_it_waits_and_says_nothing(cluster, url, nas, stage, tmp_path):
    keys = str(settings.DEMARC_KEYS)
    with database_away(cluster), radiusd(tmp_path, url, serving=False, DEMARC_KEYS=keys) as server:
        server.until(lambda status: not status["serving"])
        assert nas.log_in(server.auth, "alice", "alpha") is None
        with psycopg.connect(cluster.superuser_url, autocommit=True) as root:
            root.execute("ALTER ROLE demarc_radius LOGIN")
        server.until(lambda status: status["serving"])
        assert nas.log_in(server.auth, "alice", "alpha").kind == "Access-Accept"


def test_kill_9_again_and_again_loses_nothing_that_was_acknowledged(cluster, url, nas, stage, tmp_path):
    acknowledged = 0
    for life in range(4):
        with start(tmp_path, url) as server:
            until = time.monotonic() + 1
            while time.monotonic() < until:
                session = f"life{life}-{acknowledged}"
                octets = {"Acct_Session_Time": 60, "Acct_Input_Octets": 1, "Acct_Output_Octets": 10}
                if nas.account(server.acct, "Stop", "bob", session, **octets):
                    acknowledged += 1
            server.kill()
    with start(tmp_path, url) as server:
        server.shipped()
    assert acknowledged > 100
    assert SessionLog.objects.count() == acknowledged
    assert Usage.objects.get().output_octets == 10 * acknowledged


def test_a_second_one_on_the_same_directory_is_refused_in_one_sentence(url, nas, stage, tmp_path):
    with start(tmp_path, url):
        with radiusd(tmp_path, url, serving=False, DEMARC_KEYS=str(settings.DEMARC_KEYS)) as second:
            assert second.running.wait(20) == 1
        assert "Another radiusd works in" in second.log()
        assert "Traceback" not in second.log()


def test_a_taken_port_is_one_sentence(url, nas, stage, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        with radiusd(
            tmp_path, url, serving=False, DEMARC_KEYS=str(settings.DEMARC_KEYS), DEMARC_RADIUS_AUTH_PORT=port
        ) as server:
            assert server.running.wait(20) == 1
    assert "Address already in use" in server.log()
    assert "Traceback" not in server.log()


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_malformed_packets_leave_it_answering_and_its_memory_flat(count, url, nas, stage, tmp_path):
    with start(tmp_path, url) as server:
        assert nas.log_in(server.auth, "alice", "alpha").kind == "Access-Accept"
        flood(server, nas, 2_000, seed=1)
        before = memory_kb(server)
        flood(server, nas, count, seed=2)
        assert nas.log_in(server.auth, "alice", "alpha").kind == "Access-Accept"
        assert nas.account(server.acct, "Start", "alice", "s1")
        status = server.until(lambda status: sum(status["dropped"].values()) > count / 4)
        assert "bug" not in status["dropped"]
        assert memory_kb(server) < before * 1.15
        assert "Traceback" not in server.log()
        server.shipped(within_s=120)


def flood(server: Radiusd, nas: PretendNas, count: int, seed: int) -> None:
    """From the NAS's own address, with its own secret, to both ports; slow enough that the kernel drops little."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((nas.address, 0))
        for number, datagram in enumerate(malformed(count, seed, SECRET.encode())):
            line.sendto(datagram, server.acct if number % 2 else server.auth)
            if number % 50 == 0:
                time.sleep(0.01)


def memory_kb(server: Radiusd) -> int:
    status = Path(f"/proc/{server.running.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def test_two_processes_share_the_ports_and_one_may_die(url, nas, stage, tmp_path):
    keys = str(settings.DEMARC_KEYS)
    with radiusd(tmp_path, url, serving=False, DEMARC_KEYS=keys, DEMARC_RADIUS_PROCESSES="2") as server:
        statuses = [tmp_path / "run" / name for name in ("radiusd.json", "radiusd-1.json")]
        eventually(lambda: all(path.exists() and json.loads(path.read_text())["serving"] for path in statuses))
        assert nas.log_in(server.auth, "alice", "alpha").kind == "Access-Accept"
        assert nas.account(server.acct, "Start", "alice", "s1")
        written = [json.loads(path.read_text()) for path in statuses]
        os.kill(written[0]["pid"], signal.SIGKILL)
        eventually(lambda: json.loads(statuses[0].read_text())["pid"] != written[0]["pid"])
        eventually(lambda: json.loads(statuses[0].read_text())["serving"])
        eventually(lambda: nas.log_in(server.auth, "alice", "alpha") is not None)
        eventually(lambda: SessionLive.objects.exists())
        assert (tmp_path / "radius" / f"journal-{share_of(NAS, 2)}").exists()
        assert server.stop() == 0


def eventually(what, within_s: float = 20) -> None:
    until = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < until, "not so in time"
        time.sleep(0.05)
