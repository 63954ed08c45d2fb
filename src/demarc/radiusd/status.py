"""How this process is, as a file that `demarc status` reads, written every second. Only tells."""

import asyncio
import json
import os
import socket
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from demarc.radiusd import journal
from demarc.radiusd.config import Config
from demarc.radiusd.counters import Counters
from demarc.radiusd.journal import Journal, Position
from demarc.radiusd.model import Model
from demarc.radiusd.online import Online

EVERY_S = 1.0
RECORD_BYTES = 256
"""A record's size when none was shipped yet to tell."""

_TABLES = (Path("/proc/net/udp"), Path("/proc/net/udp6"))


class Status:
    """Collects and writes. `more`: what others have to tell."""

    def __init__(
        self, config: Config, model: Model, online: Online, kept: Journal, counters: Counters,
        clock: Callable[[], datetime],
    ) -> None:  # fmt: skip
        self._config = config
        self._model = model
        self._online = online
        self._journal = kept
        self._counters = counters
        self._clock = clock
        self.more: Callable[[], dict[str, Any]] = dict

    async def run(self, sockets: Sequence[socket.socket]) -> None:
        """Write until cancelled."""
        self._config.status.parent.mkdir(parents=True, exist_ok=True)
        inodes = {str(os.fstat(sock.fileno()).st_ino) for sock in sockets}
        while True:
            self._write(inodes)
            await asyncio.sleep(EVERY_S)

    def _write(self, inodes: set[str]) -> None:
        fresh = self._config.status.with_name(f"{self._config.status.name}.new")
        try:
            fresh.write_text(json.dumps(self.figures(inodes)))
            fresh.replace(self._config.status)
        except OSError:
            return  # a full disk shows elsewhere: the journal says so

    def figures(self, inodes: set[str]) -> dict[str, Any]:
        """Everything, as JSON values."""
        counters, shipped = self._counters, _shipped(self._config.journal)
        backlog = journal.backlog_bytes(self._config.journal, Position(shipped["file"], shipped["offset"]))
        return {
            "at": self._clock().isoformat(),
            "pid": os.getpid(),
            "serving": counters.serving,
            "model_age_s": round(min(monotonic() - self._model.fresh_at, 1e9), 1),
            "subscribers": len(self._model.logins),
            "nases": len(self._model.clients),
            "unreadable": sorted(self._model.unreadable)[:20],
            "sessions": len(self._online.sessions),
            "journal_backlog_bytes": backlog,
            "journal_backlog_records": -(-backlog // max(shipped["mean_bytes"], 1)),
            "journal_trouble": self._journal.trouble,
            "journal_written": self._journal.written,
            "journal_shipped": shipped["shipped"],
            "journal_parked": shipped["parked"],
            "auth_total": counters.auth,
            "accept_total": counters.accepts,
            "reject_total": counters.rejects,
            "reject_causes": dict(counters.reject_causes),
            "acct_total": counters.acct,
            "repeated": counters.repeated,
            "coa_sent": counters.coa_sent,
            "told_of_elsewhere": counters.told,
            "dropped": dict(counters.dropped),
            "udp_drops": _drops(inodes),
            **self.more(),
        }


def _shipped(directory: Path) -> dict[str, int]:
    told: dict[str, int] = {"file": 0, "offset": 0, "shipped": 0, "parked": 0, "mean_bytes": RECORD_BYTES}
    try:
        told.update(json.loads((directory / "shipped.json").read_text()))
    except (OSError, ValueError):
        return told
    return told


def _drops(inodes: set[str]) -> int:
    """Datagrams that the kernel dropped because our buffers were full: nobody else would tell (column `drops`)."""
    total = 0
    for table in _TABLES:
        try:
            rows = [line.split() for line in table.read_text().splitlines()[1:]]
        except OSError:
            continue
        total += sum(int(row[-1]) for row in rows if row[9] in inodes)
    return total
