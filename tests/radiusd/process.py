"""A real radiusd process beside a database, for tests: started, watched through its status file, killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.installation import free_ports


@dataclass
class Radiusd:
    """A running radiusd. `auth` and `acct`: where its ports are."""

    running: subprocess.Popen[bytes]
    data: Path
    auth: tuple[str, int]
    acct: tuple[str, int]

    def status(self) -> dict[str, Any]:
        return json.loads((self.data / "run" / "radiusd.json").read_text())

    def log(self) -> str:
        return (self.data / "radiusd.log").read_text()

    def until(self, what: Callable[[dict[str, Any]], bool], within_s: float = 15) -> dict[str, Any]:
        """The status once `what` holds of it."""
        end = time.monotonic() + within_s
        while True:
            try:
                status = self.status()
            except (OSError, ValueError):
                status = {}
            if status.get("pid") == self.running.pid and what(status):
                return status
            assert self.running.poll() is None, f"radiusd ended: {self.log()[-3000:]}"
            assert time.monotonic() < end, f"not so in time: {status} {self.log()[-3000:]}"
            time.sleep(0.05)

    def shipped(self, within_s: float = 15) -> None:
        """Wait until all accounting that it acknowledged is in the database."""
        time.sleep(1.1)  # one status after what was acknowledged before the call
        self.until(lambda status: status["journal_backlog_bytes"] == 0, within_s)

    def kill(self) -> None:
        """As a power cut does: at once, with all its children."""
        os.killpg(self.running.pid, signal.SIGKILL)
        self.running.wait()

    def stop(self, within_s: float = 20) -> int:
        self.running.send_signal(signal.SIGTERM)
        return self.running.wait(within_s)


@contextmanager
def radiusd(data: Path, url: str, *, serving: bool = True, **variables: str) -> Iterator[Radiusd]:
    """Start one on free ports over `data`, whose keys are in `data`/keys; wait until it serves."""
    auth, acct = free_ports(2, socket.SOCK_DGRAM)
    (data / "run").mkdir(exist_ok=True)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DEMARC_")} | {
        "DEMARC_DATA": str(data),
        "DEMARC_RADIUS_URL": url,
        "DEMARC_RADIUS_BIND": "127.0.0.1",
        "DEMARC_RADIUS_AUTH_PORT": str(auth),
        "DEMARC_RADIUS_ACCT_PORT": str(acct),
        **variables,
    }
    with (data / "radiusd.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "demarc.radiusd"], env=environ, stderr=log, stdout=log, start_new_session=True
        )
    running = Radiusd(process, data, ("127.0.0.1", auth), ("127.0.0.1", acct))
    try:
        if serving:
            running.until(lambda status: status["serving"], within_s=30)
        yield running
    finally:
        if process.poll() is None:
            running.stop()
