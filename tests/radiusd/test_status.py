"""What radiusd tells of itself: its figures fit what happened, and what the kernel dropped is seen."""

import json
import os
import socket
from pathlib import Path

import pytest
from tests.radiusd.serving import SECRET, Serving, serving
from tests.sim.nas import PretendNas

from demarc.radiusd.config import Config
from demarc.radiusd.status import Status


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(url="", data=tmp_path, keys=tmp_path / "keys")


def status_of(server: Serving, config: Config) -> Status:
    return Status(config, server.model, server.online, server.kept, server.counters, lambda: server.now)


def test_figures_fit_what_happened(tmp_path, config):
    with serving(tmp_path) as server, PretendNas(secret=SECRET) as nas:
        nas.log_in(server.auth, "alice", "alpha")
        nas.log_in(server.auth, "alice", "wrong")
        nas.account(server.acct, "Start", "alice", "s1")
        figures = status_of(server, config).figures(set())
    assert (figures["auth_total"], figures["accept_total"], figures["reject_total"]) == (2, 1, 1)
    assert (figures["reject_causes"], figures["acct_total"], figures["sessions"]) == ({"4": 1}, 1, 1)
    assert (figures["subscribers"], figures["nases"], figures["at"]) == (4, 1, server.now.isoformat())
    json.dumps(figures)


def test_the_backlog_is_what_the_shipper_has_not_told_of(tmp_path, config):
    config.journal.parent.mkdir()
    (tmp_path / "journal").mkdir()
    config.journal.symlink_to(tmp_path / "journal")
    with serving(tmp_path) as server, PretendNas(secret=SECRET) as nas:
        for number in range(10):
            nas.account(server.acct, "Start", "alice", f"s{number}")
        figures = status_of(server, config).figures(set())
        size = figures["journal_backlog_bytes"]
        assert size > 500
        told = {"file": server.kept.position.file, "offset": server.kept.position.offset, "mean_bytes": size // 10}
        (config.journal / "shipped.json").write_text(json.dumps(told))
        figures = status_of(server, config).figures(set())
    assert (figures["journal_backlog_bytes"], figures["journal_backlog_records"]) == (0, 0)


def test_datagrams_that_the_kernel_dropped_are_counted(tmp_path, config):
    with serving(tmp_path) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as full:
        full.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        full.bind(("127.0.0.1", 0))
        for _ in range(100):
            full.sendto(b"x" * 500, full.getsockname())
        inode = str(os.fstat(full.fileno()).st_ino)
        assert status_of(server, config).figures({inode})["udp_drops"] > 50
        assert status_of(server, config).figures(set())["udp_drops"] == 0
