"""`python -m demarc.radiusd.pages` beside a real database: news within seconds, and pages also when it is gone."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from tests.cluster import Cluster
from tests.radiusd.pages_cast import NOWHERE, free_ports
from tests.radiusd.stage import START, Stage, add_subscriber, set_stage

from demarc.access.models import Feed, SessionLive, Subscriber
from demarc.base.models import Partner
from demarc.network.models import BlockingPage
from demarc.project.config import RADIUS

pytestmark = pytest.mark.django_db(transaction=True)

DEBTORS_ADDRESS = "127.0.0.2"
NAMES = ("dora.debtor", "Customer dora", "s3cret-of-dora")


@dataclass
class Process:
    running: subprocess.Popen[bytes]
    ports: list[int]
    log: Path

    def page(self, place: int = 2, source: str = DEBTORS_ADDRESS) -> str:
        try:
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.ports[place - 1], timeout=5, source_address=(source, 0)
            )
            connection.request("GET", "/generate_204")
            body = connection.getresponse().read().decode()
        except ConnectionError:
            return ""
        connection.close()
        return body

    def shows(self, words: str, within_s: float = 5, **asked: object) -> bool:
        until = time.monotonic() + within_s
        while words not in self.page(**asked):
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        return True


@contextmanager
def pages_process(data: Path, url: str) -> Iterator[Process]:
    ports = free_ports(4)
    (data / "run").mkdir(exist_ok=True)
    with (data / "pages.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "demarc.radiusd.pages"], env=variables(data, url, ports), stderr=log
        )
    try:
        yield Process(process, ports, data / "pages.log")
    finally:
        process.kill()
        process.wait()


def variables(data: Path, url: str, ports: list[int]) -> dict[str, str]:
    return {
        **os.environ,
        "DEMARC_DATA": str(data),
        "DEMARC_RADIUS_URL": url,
        "DEMARC_PAGE_BIND": "127.0.0.1",
        "DEMARC_PAGE_PORTS": ",".join(map(str, ports)),
    }


@pytest.fixture
def stage() -> Stage:
    staged = set_stage(Path(settings.DEMARC_KEYS))
    Partner.objects.filter(pk=staged.partner.pk).update(phone="+420 123 456 789")
    BlockingPage.objects.create(partner=staged.partner, how_to_pay="At the desk.")
    return staged


@pytest.fixture
def debtor(stage: Stage) -> Subscriber:
    subscriber = add_subscriber(stage, "dora.debtor", "s3cret-of-dora", cause=2, owed=1240, owed_currency="EUR")
    go_online(stage, subscriber, DEBTORS_ADDRESS, list_name="Reject_2")
    return subscriber


def go_online(stage: Stage, subscriber: Subscriber, address: str, **facts: str) -> None:
    SessionLive.objects.create(
        nas=stage.nases[0], boot_epoch=0, session_id=address, user_name=subscriber.login, partner=stage.partner,
        subscriber=subscriber, service=subscriber.service, started_at=START, updated_at=START, framed_ipv4=address,
        **facts,
    )  # fmt: skip


def test_news_reach_the_page_in_seconds(cluster: Cluster, stage: Stage, debtor: Subscriber, tmp_path: Path):
    with pages_process(tmp_path, cluster.url(RADIUS)) as process:
        assert process.shows("€12.40", within_s=15)
        assert "At the desk." in process.page()
        go_online(stage, debtor, "127.0.0.77")
        assert process.shows("€12.40", source="127.0.0.77")

        Subscriber.objects.filter(pk=debtor.pk).update(cause=None, owed=None)
        Feed.objects.create(kind="subscriber", key=debtor.pk)
        assert process.shows("You are back online")

        BlockingPage.objects.update(how_to_pay="At the new desk.")
        Feed.objects.create(kind="policy", key=stage.partner.pk)
        assert process.shows("At the new desk.", source="127.0.0.99")
        assert "Valley Net" in process.page(source="127.0.0.99")

        process.running.send_signal(signal.SIGTERM)
        assert process.running.wait(5) == 0


def test_it_starts_without_the_database_and_names_nobody(cluster: Cluster, debtor: Subscriber, tmp_path: Path):
    with pages_process(tmp_path, cluster.url(RADIUS)) as process:
        assert process.shows("€12.40", within_s=15)
        file = tmp_path / "run" / "pages.jsonl"
        assert eventually(file.exists)
    with pages_process(tmp_path, NOWHERE) as process:
        assert process.shows("€12.40", within_s=15)
        shown = "".join(process.page(place, source) for place in (1, 2, 3, 4) for source in ("127.0.0.2", "127.0.0.3"))
    assert file.stat().st_mode & 0o077 == 0
    for kept in (shown, file.read_text(), process.log.read_text()):
        assert not any(name in kept for name in NAMES)


def test_a_torn_file_is_no_reason_not_to_start(tmp_path: Path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "pages.jsonl").write_text('["providers", [[1, "Vall')
    with pages_process(tmp_path, NOWHERE) as process:
        assert process.shows("Balance used up", within_s=15)
        assert process.running.poll() is None


def test_it_goes_on_while_the_database_is_away_and_follows_it_again(
    cluster: Cluster, debtor: Subscriber, tmp_path: Path
):
    with pages_process(tmp_path, cluster.url(RADIUS)) as process:
        assert process.shows("€12.40", within_s=15)
        keep_out(cluster, RADIUS)
        assert eventually(lambda: "the database is away" in process.log.read_text())
        assert "€12.40" in process.page()
        Subscriber.objects.filter(pk=debtor.pk).update(owed=7700)
        let_in(cluster, RADIUS)
        assert process.shows("€77.00", within_s=10)
        assert process.log.read_text().count("the database is away") == 1


def test_a_busy_port_is_one_sentence(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "demarc.radiusd.pages"],
            env=variables(tmp_path, NOWHERE, [port]),
            capture_output=True,
            timeout=20,
        )
    assert ended.returncode == 1
    assert ended.stderr.decode() == (
        f"Port {port} of 127.0.0.1 cannot be opened for the blocking pages: Address already in use.\n"
    )


def keep_out(cluster: Cluster, role: str) -> None:
    with psycopg.connect(cluster.superuser_url, autocommit=True) as conn:
        conn.execute(f"alter role {role} nologin")
        conn.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = %s", (role,))


def let_in(cluster: Cluster, role: str) -> None:
    with psycopg.connect(cluster.superuser_url, autocommit=True) as conn:
        conn.execute(f"alter role {role} login")


def eventually(true, within_s: float = 5) -> bool:
    until = time.monotonic() + within_s
    while not true():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
