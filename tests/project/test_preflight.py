"""What stops a start before it began: each trouble is one sentence with its own exit code."""

import os
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

from demarc.core.errors import Refused
from demarc.project.config import Config
from demarc.project.preflight import check_port, check_room, make_directory, ports, sole_user
from demarc.project.trouble import EXIT_CODES, exit_code


def port_named(variable, **settings):
    config = Config(data=Path("/nowhere"), **settings)
    return next(port for port in ports(config) if port.variable == variable)


@contextmanager
def held(kind):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        yield taken.getsockname()[1]


@contextmanager
def small_disk(path, options):
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path]).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_busy_web_port_is_refused_with_the_variable_that_moves_it():
    with held(socket.SOCK_STREAM) as number, pytest.raises(Refused) as refused:
        check_port(port_named("DEMARC_WEB_PORT", web_port=number))
    assert refused.value.message == (
        f"TCP port {number} on 127.0.0.1 (for web) is in use; choose another with DEMARC_WEB_PORT."
    )
    assert exit_code(refused.value) == 4


def test_a_busy_radius_port_is_refused_too():
    with held(socket.SOCK_DGRAM) as number, pytest.raises(Refused, match=f"UDP port {number} .* is in use"):
        check_port(port_named("DEMARC_RADIUS_AUTH_PORT", radius_auth_port=number))


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(Refused, match="cannot be bound"):
        check_port(port_named("DEMARC_WEB_PORT", web_bind="192.0.2.1", web_port=18000))


def test_a_free_port_stays_free_after_the_look():
    with held(socket.SOCK_STREAM) as number:
        pass
    for _ in range(2):
        check_port(port_named("DEMARC_WEB_PORT", web_port=number))


def test_a_disk_that_is_nearly_full_is_refused(tmp_path):
    with small_disk(tmp_path, "size=10m"), pytest.raises(Refused) as refused:
        check_room(tmp_path)
    assert "MB left" in refused.value.message
    assert exit_code(refused.value) == 5


def test_a_disk_without_any_room_is_refused(tmp_path):
    with small_disk(tmp_path, "size=1m"):
        with pytest.raises(OSError, match="No space"):
            (tmp_path / "filler").write_bytes(b"x" * 2_000_000)
        with pytest.raises(Refused) as refused:
            make_directory(Config(data=tmp_path / "data"), demo=False, test=False)
    assert refused.value.code == "disk"


def test_a_disk_that_is_read_only_is_refused(tmp_path):
    with small_disk(tmp_path, "size=10m,ro"), pytest.raises(Refused) as refused:
        make_directory(Config(data=tmp_path / "data"), demo=False, test=False)
    assert "Read-only file system" in refused.value.message
    assert exit_code(refused.value) == 6


def test_a_file_in_the_way_of_the_directory_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="cannot be used: Not a directory"):
        make_directory(Config(data=tmp_path / "file" / "data"), demo=False, test=False)


def test_a_directory_of_real_work_never_becomes_a_demo(tmp_path):
    config = Config(data=tmp_path)
    make_directory(config, demo=False, test=False)
    config.make_secret("django")
    with pytest.raises(Refused, match="was made without --demo"):
        make_directory(config, demo=True, test=False)
    assert not (tmp_path / "DEMO").exists()


def test_a_demo_directory_may_be_started_again_with_and_without_the_flag(tmp_path):
    config = Config(data=tmp_path)
    for demo in (True, False, True):
        make_directory(config, demo=demo, test=False)
        config.make_secret("django")
    assert (tmp_path / "DEMO").exists()


def test_a_second_demarc_on_one_directory_is_refused_by_the_first_ones_number(tmp_path):
    config = Config(data=tmp_path)
    make_directory(config, demo=False, test=False)
    with sole_user(config), pytest.raises(Refused) as refused, sole_user(config):
        pass
    assert refused.value.message == f"Demarc already runs on {tmp_path} (process {os.getpid()})."
    assert exit_code(refused.value) == 7
    with sole_user(config):
        pass


def test_no_two_troubles_share_an_exit_code():
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
