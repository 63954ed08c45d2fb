"""The PostgreSQL under the data directory, with real servers."""

import os
import shutil
import signal
import stat
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from demarc.core.errors import Refused
from demarc.project import process
from demarc.project.config import APP, OWNER, RADIUS, Config
from demarc.project.postgres_binaries import Binaries, debian_binaries, own_copy, wheel_binaries
from demarc.project.private_postgres import MIB, PrivatePostgres, machine_memory, memory_settings
from demarc.project.roles import prepare_private

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def data():
    path = Path(tempfile.mkdtemp(prefix="demarc-pg-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(data):
    running = PrivatePostgres(data, test=True)
    running.start()
    yield running
    running.stop()


def ask(url, question):
    with psycopg.connect(url, autocommit=True) as conn:
        return conn.execute(question).fetchone()[0]


def test_it_listens_on_its_socket_alone_and_trusts_nobody(server, data):
    url = server.superuser_url
    assert ask(url, "show listen_addresses") == ""
    assert ask(url, "show data_checksums") == "on"
    assert ask(url, "select array_agg(distinct auth_method) from pg_hba_file_rules") == ["scram-sha-256"]
    assert stat.S_IMODE((data / "pg" / "socket").stat().st_mode) == 0o700
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace(url.split(":")[2].split("@")[0], "wrong"))


def test_it_keeps_fsync_on_unless_it_is_for_tests(data):
    server = PrivatePostgres(data)
    try:
        assert ask(server.start(), "show fsync") == "on"
        assert ask(server.superuser_url, "show full_page_writes") == "on"
    finally:
        server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes user")
def test_root_runs_it_as_the_system_user(server):
    assert Path(f"/proc/{server.process.pid}").stat().st_uid == process.User.named("demarc").uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes user")
def test_a_place_the_system_user_cannot_enter_is_refused_by_name(data):
    locked = data / "locked"
    locked.mkdir(mode=0o700)
    with pytest.raises(Refused, match=rf"user demarc, who cannot enter {locked} \(mode 700\)"):
        PrivatePostgres(locked / "data", test=True).start()


def test_a_committed_row_survives_the_death_of_the_server(server):
    with psycopg.connect(server.superuser_url) as conn:
        conn.execute("create table kept as select 7 as n")
    server.process.kill()
    server.process.wait()
    server.start()
    assert ask(server.superuser_url, "select n from kept") == 7


def test_a_killed_servers_backend_that_computes_does_not_keep_a_new_one_from_starting(server):
    conn = psycopg.connect(server.superuser_url, autocommit=True)
    conn.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 2000000000) a")
    backend = conn.info.backend_pid
    time.sleep(0.5)
    server.process.kill()
    server.process.wait()
    assert process.alive(backend)
    started = time.monotonic()
    server.start()
    assert time.monotonic() - started < 20
    assert not process.alive(backend)
    assert ask(server.superuser_url, "select 1") == 1


def test_it_dies_with_its_parent_and_can_be_started_again(data):
    script = (
        "import os, sys, pathlib; from demarc.project.private_postgres import PrivatePostgres;"
        "server = PrivatePostgres(pathlib.Path(sys.argv[1]), test=True); server.start();"
        "print(server.process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    read_end, write_end = os.pipe()
    parent = process.spawn([sys.executable, "-c", script, str(data)], output=write_end)
    os.close(write_end)
    with os.fdopen(read_end) as said:
        pid = int(said.readline())
    assert parent.wait() == -signal.SIGKILL
    server = PrivatePostgres(data, test=True)
    server.start()
    assert not process.alive(pid)
    server.stop()


def test_a_second_server_on_the_same_cluster_is_refused(server, data):
    second = PrivatePostgres(data, test=True)
    second.prepare()
    with pytest.raises(Refused, match="still runs") as refused:
        second.spawn()
    assert refused.value.code == "running"


def test_a_pid_file_that_names_a_stranger_does_not_stop_it(data):
    server = PrivatePostgres(data, test=True)
    server.start()
    pid_file = data / "pg" / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    shutil.chown(pid_file, pid_file.parent.owner(), pid_file.parent.group())
    began = time.monotonic()
    server.start()
    assert time.monotonic() - began < 5
    server.stop()


def test_stopping_ends_connections_within_seconds(server):
    idle = psycopg.connect(server.superuser_url)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 3.5
    with pytest.raises(psycopg.OperationalError):
        idle.execute("select 1")


def test_data_of_another_major_version_are_refused_in_one_sentence(data):
    debian = debian_binaries()
    if debian is None:
        pytest.skip("needs Debian's PostgreSQL")
    old = PrivatePostgres(data, test=True, binaries=debian)
    old.start()
    old.stop()
    with pytest.raises(Refused) as refused:
        PrivatePostgres(data, test=True).start()
    assert f"made by PostgreSQL {debian.major}" in refused.value.message
    assert refused.value.code == "database-version"


def test_new_data_get_the_newest_major_and_old_data_keep_their_own(tmp_path):
    newest, *older = wheel_binaries()
    assert own_copy(tmp_path, None).major == newest.major
    for binaries in older:
        assert own_copy(tmp_path, binaries.major).major == binaries.major
    assert not (tmp_path / str(newest.major) / "include").exists()


def test_a_copy_follows_the_wheels_minor_version(tmp_path):
    copy = own_copy(tmp_path, None)
    postgres = copy.bin / "postgres"
    postgres.unlink()
    postgres.write_text(f"#!/bin/sh\necho postgres '(PostgreSQL)' {copy.major}.0\n")
    postgres.chmod(0o755)
    assert Binaries.at(copy.bin).version == f"{copy.major}.0"
    assert own_copy(tmp_path, copy.major) == copy


def test_a_cluster_without_its_passwords_is_refused_and_not_made_anew(server, data):
    server.stop()
    shutil.rmtree(data / "secrets")
    with pytest.raises(Refused, match=r"passwords .* are gone"):
        server.start()


def test_a_damaged_cluster_is_refused_and_never_removed(server, data):
    server.stop()
    (data / "pg" / "data" / "PG_VERSION").unlink()
    with pytest.raises(Refused, match="is not a PostgreSQL cluster"):
        PrivatePostgres(data, test=True).start()
    assert (data / "pg" / "data" / "base").exists()


def test_a_path_too_long_for_a_socket_is_refused(tmp_path):
    with pytest.raises(Refused, match="bytes too long for sockets: choose a shorter one"):
        PrivatePostgres(tmp_path / ("x" * 100)).start()


def test_the_roles_may_be_prepared_again_and_again(server, data):
    config = Config(data=data)
    for _ in range(2):
        prepare_private(server.superuser_url, config)
    for role in (OWNER, APP, RADIUS):
        assert ask(config.private_url(role), "select current_user::text") == role
    assert ask(config.app_url(), "select pg_has_role('demarc_scoped', 'set')") is True
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(config.app_url(), "create table mine (n int)")


@pytest.mark.parametrize(("memory_mib", "buffers"), [(1024, "256MB"), (8192, "2048MB"), (65536, "4096MB")])
def test_the_server_takes_a_quarter_of_the_memory_and_no_more_than_four_gigabytes(memory_mib, buffers):
    assert memory_settings(memory_mib * MIB)["shared_buffers"] == buffers
    assert machine_memory() > 256 * MIB
