"""Another machine becomes a RADIUS node: one token, one code, one command."""

import os
import signal
import socket
import subprocess
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from tests.installation import DEMARC, free_ports
from tests.radiusd.stage import SECRET, add_subscriber, set_stage
from tests.sim.nas import PretendNas

from demarc.access.actions import let_node_join
from demarc.access.models import Bookmark
from demarc.base.actors import SYSTEM
from demarc.base.models import OperationLog
from demarc.core.errors import Refused
from demarc.project.commands import invite
from demarc.project.config import RADIUS, Config
from demarc.project.joining import PREFIX, Joining, join, make_token, read_token

AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
TOLD = Joining(node="east", url="postgresql://demarc_radius:s3cret@db/demarc", key=b"k" * 32, until=AT)


def test_the_token_tells_all_with_its_code_and_nothing_without():
    token, code = make_token(TOLD)
    assert read_token(f" {token}\n", code.lower().replace("-", " "), AT) == TOLD
    assert "s3cret" not in token
    assert make_token(TOLD)[0] != token


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token, code: (token, code[:-1] + ("A" if code[-1] != "A" else "B")),
        lambda token, code: (token[:-8] + "AAAAAAAA", code),
        lambda token, code: (PREFIX, code),
        lambda token, code: ("not a token", code),
        lambda token, code: (make_token(TOLD)[0], code),
    ],
)
def test_another_code_or_a_changed_token_is_refused(spoil):
    with pytest.raises(Refused, match="do not fit") as refused:
        read_token(*spoil(*make_token(TOLD)), AT)
    assert refused.value.code == "node"


def test_a_token_is_good_for_its_time_only():
    with pytest.raises(Refused, match="too old"):
        read_token(*make_token(TOLD), AT + timedelta(seconds=1))


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize("name", ["main", "known", "a/b", "a b", "", "n" * 41])
def test_a_name_that_is_taken_or_cannot_be_is_refused(name):
    Bookmark.objects.create(node="known/0")
    with pytest.raises(Refused):
        let_node_join(name, by=SYSTEM, at=AT)


@pytest.mark.usefixtures("pages")
def test_letting_a_node_join_is_in_the_operation_log():
    assert let_node_join(" east ", by=SYSTEM, at=AT) == "east"
    assert OperationLog.objects.get(verb="let join").subject_kind == "node"


def test_a_directory_in_use_is_not_made_a_node(tmp_path):
    (tmp_path / "secrets").mkdir()
    with pytest.raises(Refused, match="is in use"):
        join(Config(data=tmp_path), TOLD)


def test_a_database_without_tables_is_named_and_nothing_is_left_behind(cluster, tmp_path):
    told = replace(TOLD, url=cluster.url(RADIUS, "postgres"))
    with pytest.raises(Refused, match="no Demarc's"):
        join(Config(data=tmp_path), told)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def first_machine(committed: None, cluster, tmp_path) -> dict[str, str]:
    """What the first machine's `demarc` finds in its environment: a database that others reach, and the key."""
    staged = set_stage(Path(settings.DEMARC_KEYS), addresses=("127.0.0.50",))
    add_subscriber(staged, "alice", "alpha")
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "keys").symlink_to(settings.DEMARC_KEYS)
    return clean() | cluster.environment() | {"DEMARC_DATA": str(tmp_path / "first")}


def clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("DEMARC_")}


@contextmanager
def running(environ: dict[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`demarc radius`, until it says that it is ready."""
    process = subprocess.Popen(
        [*DEMARC, "radius", *arguments], env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        said = ""
        assert process.stdout
        while "ready: RADIUS node east" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


@pytest.mark.slow
def test_a_machine_joins_with_one_command_and_is_a_node_from_then_on(first_machine, tmp_path):
    made = subprocess.run([*DEMARC, "invite", "east"], env=first_machine, capture_output=True, text=True, check=True)
    token = next(word for word in made.stdout.split() if word.startswith(PREFIX))
    code = made.stdout.split()[-1]
    auth, acct = free_ports(2, socket.SOCK_DGRAM)
    second = clean() | {
        "DEMARC_DATA": str(tmp_path / "second"), "DEMARC_RADIUS_BIND": "127.0.0.1",
        "DEMARC_RADIUS_AUTH_PORT": str(auth), "DEMARC_RADIUS_ACCT_PORT": str(acct),
    }  # fmt: skip
    with PretendNas("127.0.0.50", secret=SECRET) as nas:
        with running(second | {"DEMARC_JOIN_CODE": code}, "--join", token):
            logs_in(nas, auth)
            assert nas.account(("127.0.0.1", acct), "Start", "alice", "s1")
            until(lambda: Bookmark.objects.filter(node="east/0").exists())
        with running(second):
            logs_in(nas, auth)
            status = subprocess.run([*DEMARC, "status"], env=second, capture_output=True, text=True)
            assert status.returncode == 0, status.stdout
            assert "1 subscribers" in status.stdout
            up = subprocess.run([*DEMARC, "up"], env=second, capture_output=True, text=True)
            assert (up.returncode, "RADIUS node east" in up.stderr) == (13, True)
    assert (tmp_path / "second" / "keys" / "radius.key").stat().st_mode & 0o777 == 0o600
    third = second | {"DEMARC_DATA": str(tmp_path / "third"), "DEMARC_JOIN_CODE": code}
    again = subprocess.run([*DEMARC, "radius", "--join", token], env=third, capture_output=True, text=True)
    assert again.returncode == 13
    assert "has joined already" in again.stderr


def logs_in(nas: PretendNas, port: int) -> None:
    until(lambda: (reply := nas.log_in(("127.0.0.1", port), "alice", "alpha")) and reply.kind == "Access-Accept")


def until(what, within_s: float = 20) -> None:
    end = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.1)


def test_a_private_database_is_no_place_for_two_machines_to_meet(tmp_path):
    with pytest.raises(Refused, match="this machine only"):
        invite.run(Namespace(config=Config(data=tmp_path), database=None, name="west"))


def test_a_machine_that_never_joined_is_told_how(tmp_path):
    environ = clean() | {"DEMARC_DATA": str(tmp_path)}
    said = subprocess.run([*DEMARC, "radius"], env=environ, capture_output=True, text=True)
    assert (said.returncode, "demarc invite NAME" in said.stderr) == (13, True)
