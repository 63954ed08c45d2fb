"""`demarc up` and the commands beside it, with all real processes."""

import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
from pathlib import Path
from subprocess import PIPE

import psycopg
import pytest
from tests.installation import DEMARC, Installation

from demarc.project import process
from demarc.project.config import Config

pytestmark = [pytest.mark.timeout(400), pytest.mark.xdist_group("up")]  # one installation for the file


@pytest.fixture(scope="module")
def running():
    """One installation for all tests that leave it running; bound beyond loopback, so with TLS."""
    installation = Installation(variables={"DEMARC_WEB_BIND": "0.0.0.0"})
    try:
        yield installation.start()
    finally:
        installation.remove()


@pytest.fixture
def fresh():
    installation = Installation()
    yield installation
    installation.remove()


def ask(installation, question):
    with psycopg.connect(Config(data=installation.data).app_url()) as conn:
        return conn.execute(question).fetchone()[0]


def children(installation):
    table = json.loads((installation.data / "run" / "status.json").read_text())["processes"]
    return {name: row["pid"] for name, row in table.items()}


def test_everything_runs_and_status_says_so(running):
    running.wait_until(lambda: running.status()["healthy"])
    told = running.run("status")
    assert told.returncode == 0
    assert [line.split()[:2] for line in told.stdout.splitlines()] == [
        ["ok", name] for name in ("processes", "ports", "database", "jobs", "billing", "log", "radius")
    ]


def test_the_first_login_is_printed_once_and_never_logged(running):
    password = re.search(r"password {2,}(\S+)", running.said())[1]
    assert len(password) >= 20
    for log in (running.data / "log").iterdir():
        assert password not in log.read_text()


def test_beyond_loopback_the_web_speaks_tls_with_the_fingerprint_that_was_printed(running):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", running.ports["web"]), 5) as plain,
        context.wrap_socket(plain) as secure,
    ):
        certificate = secure.getpeercert(binary_form=True)
    printed = re.search(r"SHA-256 ([0-9A-F:]{95})", running.said())[1]
    assert hashlib.sha256(certificate).hexdigest().upper() == printed.replace(":", "")
    assert (running.data / "tls" / "web.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["now", "later", "web", "radiusd", "pages"])
def test_a_process_that_dies_is_back_within_seconds(running, name):
    before = running.child(name)
    os.kill(before["pid"], signal.SIGKILL)
    running.wait_until(lambda: running.child(name)["restarts"] == before["restarts"] + 1)
    running.wait_until(lambda: running.child(name)["state"] == "running")
    running.wait_until(lambda: running.status()["healthy"])
    assert running.child(name)["pid"] != before["pid"]


def test_after_the_death_of_the_database_everything_finds_it_again(running):
    before = running.child("database")
    os.kill(before["pid"], signal.SIGKILL)
    running.wait_until(lambda: running.child("database")["restarts"] == before["restarts"] + 1)
    running.wait_until(lambda: running.status()["healthy"])


def test_a_process_that_keeps_dying_is_started_later_each_time_and_is_seen_in_status(fresh):
    with socket.socket(socket.AF_INET) as thief:
        fresh.start()
        os.kill(fresh.child("web")["pid"], signal.SIGSTOP)  # so that it cannot take the port back
        os.kill(fresh.child("web")["pid"], signal.SIGKILL)
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        fresh.wait_until(lambda: bound(thief, fresh.ports["web"]), 5)
        thief.listen()
        fresh.wait_until(lambda: fresh.child("web")["restarts"] >= 3)
        told = fresh.run("status")
        assert told.returncode == 1
    pauses = [float(pause) for pause in re.findall(r"web ended .* again in ([\d.]+) s", fresh.said())]
    assert pauses[:3] == sorted(pauses[:3])
    fresh.wait_until(lambda: fresh.status()["checks"]["ports"]["ok"])


def bound(thief, number):
    try:
        thief.bind(("127.0.0.1", number))
    except OSError:
        return False
    return True


def test_the_job_of_a_worker_that_died_is_taken_up_again(running):
    with psycopg.connect(Config(data=running.data).app_url()) as conn:
        conn.execute(
            "insert into procrastinate_jobs (queue_name, task_name, args, status)"
            """ values ('now', 'access.sync_services', '{"services": []}', 'doing')"""
        )
    running.wait_until(lambda: ask(running, "select count(*) from procrastinate_jobs where status = 'doing'") == 0)
    assert "a dead worker's job is taken up again" in running.said()


def test_a_second_demarc_on_the_same_directory_is_refused_in_one_sentence(running):
    refused = running.run("up", "--test")
    assert refused.returncode == 7
    assert refused.stderr == f"demarc: Demarc already runs on {running.data} (process {running.process.pid}).\n"


def test_a_token_is_printed_and_nothing_else(running):
    made = running.run("token", "crm", "--role", "API full")
    assert made.returncode == 0
    assert re.fullmatch(r"demarc_\S{20,}\n", made.stdout)
    refused = running.run("token", "crm", "--role", "Emperor")
    assert refused.returncode == 1
    assert "no role 'Emperor'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_clock_moves_in_a_test_directory_for_every_process(running):
    moved = running.run("clock", "--set", "2031-03-01T00:00:00+00:00")
    assert moved.stdout.startswith("2031-03-01T00:00:0")
    assert running.run("clock", "--advance", "1d").stdout.startswith("2031-03-02T00:00:0")
    (running.data / "clock_offset").unlink()


def test_ctrl_c_stops_everything_within_ten_seconds_and_the_next_start_keeps_all(fresh):
    fresh.start()
    pids = children(fresh)
    partner = ask(fresh, "select id from base_partner")
    began = time.monotonic()
    assert fresh.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 10
    assert [name for name, pid in pids.items() if process.alive(pid)] == []
    assert fresh.run("status").returncode == 1
    assert fresh.run("token", "crm", "--role", "API full").returncode == 7

    fresh.start()
    assert "password" not in fresh.said()
    assert ask(fresh, "select id from base_partner") == partner


def test_when_the_supervisor_is_killed_nothing_stays_behind_and_the_next_start_recovers(fresh):
    fresh.start()
    pids = children(fresh)
    fresh.stop(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(process.alive(pid) for pid in pids.values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [name for name, pid in pids.items() if process.alive(pid)] == []
    assert fresh.run("status").returncode == 1
    fresh.start()


def test_a_stop_during_the_start_is_heeded_at_once(fresh):
    fresh.start_only()
    fresh.wait_until(lambda: "ready to accept connections" in fresh.said())
    began = time.monotonic()
    assert fresh.stop() == 0
    assert time.monotonic() - began < 10
    assert not process.working_in(fresh.data / "pg" / "data")


def test_an_external_database_serves_as_well(cluster):
    cluster.make_database("external")
    installation = Installation(variables=cluster.environment("external"))
    try:
        installation.start()
        installation.wait_until(lambda: installation.status()["healthy"])
        assert "database" not in children(installation)
        assert not (installation.data / "pg").exists()
        said = installation.run("token", "crm", "--role", "API full")
        assert said.stdout.startswith("demarc_")
    finally:
        installation.remove()


@pytest.mark.parametrize(
    ("variables", "code", "words"),
    [
        ({"DEMARC_WEB_PORT": "http"}, 3, "DEMARC_WEB_PORT=http: must be a port"),
        ({"DEMARC_DATA": "/proc/none"}, 6, "The data directory /proc/none cannot be used"),
        ({"DEMARC_DATABASE_URL": "postgresql://app:hush@127.0.0.1:9/demarc"}, 9, "out of reach"),
        ({"DEMARC_WEB_BIND": "192.0.2.1"}, 4, "cannot be bound"),
    ],
)
def test_trouble_at_the_start_is_one_sentence_and_an_exit_code(fresh, variables, code, words):
    fresh.environ |= variables
    refused = fresh.run("up")
    assert refused.returncode == code
    assert words in refused.stderr
    assert refused.stderr.startswith("demarc: ")
    assert refused.stderr.count("\n") == 1
    assert "hush" not in refused.stderr


def test_a_busy_port_is_one_sentence(fresh):
    with socket.create_server(("127.0.0.1", fresh.ports["web"])):
        refused = fresh.run("up")
    assert refused.returncode == 4
    assert refused.stderr.endswith("is in use; choose another with DEMARC_WEB_PORT.\n")
    assert not Path(fresh.data / "pg").exists()


def test_a_database_that_goes_away_under_a_command_is_one_sentence(fresh):
    fresh.start()
    shell = subprocess.Popen([*DEMARC, "shell"], env=fresh.environ, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)
    shell.stdin.write("from django.db import connection\nconnection.cursor().execute('select pg_sleep(60)')\n")
    shell.stdin.close()
    fresh.wait_until(lambda: ask(fresh, "select count(*) from pg_stat_activity where query ~ '^select pg_sleep'") == 1)
    os.kill(fresh.child("database")["pid"], signal.SIGKILL)
    said = shell.stderr.read()
    assert shell.wait() == 9
    assert said.startswith("demarc: The database went away in the middle of the work")
    assert said.count("\n") == 1
