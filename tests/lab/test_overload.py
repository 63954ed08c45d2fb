"""More than can be answered, from one router or from a stranger: the others are answered all the same."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from tests.cluster import Cluster
from tests.radiusd.process import radiusd
from tests.radiusd.stage import SECRET, Stage, add_subscriber, set_stage
from tests.sim.nas import PretendNas

from demarc.project.config import RADIUS

pytestmark = [pytest.mark.lab, pytest.mark.slow]
LOUD, QUIET, STRANGER = "127.0.0.61", "127.0.0.62", "127.0.0.66"
LOGINS = 100

FLOOD = """
import os, socket, sys, time
from demarc.wire.radius import Secret, pap_request
address, port, secret, per_s = sys.argv[1], int(sys.argv[2]), Secret(sys.argv[3].encode()), int(sys.argv[4])
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
line.bind((address, 0))
line.connect(("127.0.0.1", port))
line.setblocking(False)
packets = [pap_request(n % 256, os.urandom(16), ("alice", "secret"), b"", secret) for n in range(40000)]
print("ready", flush=True)
began, sent = time.monotonic(), 0
while True:
    for packet in packets[sent % 40000 :][:100]:
        try:
            line.send(packet)
        except OSError:
            pass
    sent += 100
    time.sleep(max(0.0, began + sent / per_s - time.monotonic()))
"""


@pytest.fixture(scope="module")
def stage(committed: None) -> Stage:
    staged = set_stage(Path(settings.DEMARC_KEYS), addresses=(LOUD, QUIET))
    for name in ("alice", "bob"):
        add_subscriber(staged, name, "secret")
    return staged


@contextmanager
def flood(address: str, port: int, per_s: int) -> Iterator[None]:
    """Requests that all pass every check but for their sender being unknown, so many a second; more different ones
    than may wait, since one that is repeated waits once."""
    command = [sys.executable, "-c", FLOOD, address, str(port), SECRET, str(per_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("source", [LOUD, STRANGER])
def test_a_flood_from_one_address_does_not_cost_another_router_its_answers(source, stage, cluster: Cluster, tmp_path):
    keys = str(settings.DEMARC_KEYS)
    with radiusd(tmp_path, cluster.url(RADIUS), DEMARC_KEYS=keys) as server, PretendNas(QUIET, secret=SECRET) as nas:
        with flood(source, server.auth[1], per_s=50_000):
            time.sleep(1)
            waits, mute = [], 0
            for _ in range(LOGINS):
                began = time.monotonic()
                reply = nas.log_in(server.auth, "bob", "secret")
                assert reply is None or reply.kind == "Access-Accept"
                if reply is not None:
                    waits.append(time.monotonic() - began)
                mute += reply is None
                assert mute <= 0.05 * LOGINS, server.status()
                time.sleep(0.01)
            word = "too_many" if source == LOUD else "unknown_client"
            dropped = server.until(lambda status: status["dropped"].get(word, 0) > 1000)["dropped"]
        assert sorted(waits)[len(waits) // 2] < 0.3
        assert "bug" not in dropped
        began = time.monotonic()
        assert nas.log_in(server.auth, "bob", "secret").kind == "Access-Accept"
        assert time.monotonic() - began < 0.5  # nothing lingers
