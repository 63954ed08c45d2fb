"""When `demarc status` calls a thing ill, told from what the processes and the database say."""

import os
import socket
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from demarc.project import status
from demarc.project.config import Config

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
RADIUSD = {"at": NOW.isoformat(), "model_age_s": 0.4, "subscribers": 7, "journal_backlog_records": 0}


@pytest.fixture
def conn(django_db_setup, cluster):
    """A connection of the app's to a migrated database; what a test writes is rolled back."""
    with closing(psycopg.connect(cluster.url())) as connection:
        yield connection


NEW_JOB = """
    insert into procrastinate_jobs (queue_name, task_name, args, status, scheduled_at)
    values (%s, 'task', '{}', %s, %s) returning id
"""
NEW_PARTNER = """
    insert into base_partner (name, zone, currency, language, phone, email, website)
    values ('ISP', %s, 'EUR', 'en', '', '', '') returning id
"""
NEW_DAY = """
    insert into billing_billingday (partner_id, day, started_at, finished_at, charged, blocked, nothing_due, parked)
    values (%s, %s, now(), now(), 0, 0, 0, 0)
"""


def job(conn, queue, *, waits, due=None, state="todo"):
    (number,) = conn.execute(NEW_JOB, (queue, state, due)).fetchone()
    born = datetime.now(UTC) - waits
    conn.execute("update procrastinate_events set at = %s where job_id = %s", (born, number))


def provider(conn, *, zone, last):
    (number,) = conn.execute(NEW_PARTNER, (zone,)).fetchone()
    if last:
        conn.execute(NEW_DAY, (number, last))


def test_a_demarc_that_does_not_run_is_one_line(tmp_path):
    (found,) = status.checks(Config(data=tmp_path))
    assert (found.name, found.ok) == ("processes", False)
    assert "start it with demarc up" in found.text


def test_a_journal_that_cannot_write_and_what_the_kernel_dropped_are_told_of_every_process():
    full = RADIUSD | {"journal_trouble": "No space left on device: /d", "udp_drops": 3}
    found = status.radius([RADIUSD, full], NOW)
    assert not found.ok
    for words in ("2 processes", "3 datagrams dropped by the kernel", "No space left on device"):
        assert words in found.text
    assert status.radius([RADIUSD, RADIUSD | {"udp_drops": 3}], NOW).ok


def test_a_certificate_that_devices_will_not_take_is_told():
    found = status.radius([RADIUSD | {"eap_trouble": "it has expired"}], NOW)
    assert "the certificate for 802.1X cannot be used: it has expired" in found.text
    assert found.ok  # all others log in


@pytest.mark.parametrize(
    ("row", "ok"),
    [
        ({"state": "running", "pid": os.getpid(), "restarts": 3}, True),
        ({"state": "running", "pid": 2**22 + 1, "restarts": 0}, False),
        ({"state": "restarting", "pid": None, "restarts": 1}, False),
    ],
)
def test_a_process_must_run_and_be_there(row, ok):
    found = status.processes({"supervisor": 1, "processes": {"web": row}})
    assert found.ok is ok
    assert ("not running: web" in found.text) is not ok


def test_a_silent_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as web, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radius:
        radius.bind(("127.0.0.1", 0))
        rows = [
            ["web", "TCP", "127.0.0.1", web.getsockname()[1]],
            ["radius", "UDP", "0.0.0.0", radius.getsockname()[1]],
        ]
        assert status.ports({"ports": rows}).ok
    found = status.ports({"ports": rows})
    assert len(found.figures["silent"]) == 2


@pytest.mark.parametrize(
    ("change", "ok"),
    [
        ({}, True),
        ({"at": (NOW - timedelta(seconds=6)).isoformat()}, False),
        ({"model_age_s": 31}, False),
        ({"journal_backlog_records": 100_001}, False),
    ],
)
def test_radiusd_must_report_be_fresh_and_ship(change, ok):
    assert status.radius([RADIUSD, RADIUSD | change], NOW).ok is ok


def test_a_radiusd_that_never_reported_is_ill():
    assert not status.radius([], NOW).ok


def test_a_job_that_waits_half_a_minute_in_the_queue_now_is_ill_and_elsewhere_is_not(conn):
    job(conn, "run", waits=timedelta(minutes=5))
    found = status.jobs(conn)
    assert found.ok
    assert found.figures["queues"]["run"]["waiting"] == 1
    job(conn, "now", waits=timedelta(seconds=40))
    assert not status.jobs(conn).ok


def test_a_job_for_later_does_not_wait_and_a_failed_one_is_counted(conn):
    job(conn, "now", waits=timedelta(hours=2), due=datetime.now(UTC) + timedelta(hours=1))
    job(conn, "now", waits=timedelta(hours=2), state="failed")
    found = status.jobs(conn)
    assert found.ok
    assert found.figures == {"queues": {}, "failed": 1}


@pytest.mark.parametrize(
    ("zone", "last", "ok"),
    [
        ("UTC", date(2026, 3, 2), True),
        ("UTC", date(2026, 3, 1), False),
        ("UTC", None, True),
        ("Pacific/Honolulu", date(2026, 3, 1), True),  # there it is still the evening before
        ("Asia/Tokyo", date(2026, 3, 1), False),
    ],
)
def test_the_last_billing_day_is_todays_in_the_providers_zone(conn, zone, last, ok):
    provider(conn, zone=zone, last=last)
    assert status.billing(conn, NOW).ok is ok


def test_after_midnight_the_billing_has_an_hour(conn):
    provider(conn, zone="UTC", last=date(2026, 3, 1))
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert status.billing(conn, midnight + timedelta(minutes=59)).ok
    assert not status.billing(conn, midnight + timedelta(minutes=61)).ok


def test_a_database_out_of_reach_is_one_sentence(tmp_path):
    config = Config(data=tmp_path, database_url="postgresql://app:hush@127.0.0.1:9/demarc")
    (found,) = status.of_database(config, NOW)
    assert (found.name, found.ok) == ("database", False)
    assert "hush" not in found.text


def test_an_old_radius_server_that_does_not_answer_is_told_of_and_is_no_fault_of_ours():
    ports = [{"id": 7, "kind": "auth", "alive": False}, {"id": 7, "kind": "acct", "alive": True}]
    check = status.radius([RADIUSD | {"old_servers": ports}], NOW)
    assert check.ok
    assert "1 of 2 ports of old servers do not answer" in check.text
    assert "old servers" not in status.radius([RADIUSD], NOW).text
