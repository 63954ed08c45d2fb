"""A whole running Demarc for tests that need real processes: `demarc up --test`, free ports, throw-away directory."""

import itertools
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEMARC = [sys.executable, "-m", "demarc.project.cli"]


def free_ports(count: int, kind: int = socket.SOCK_STREAM) -> list[int]:
    """Ports that nobody has, outside the range from which the kernel takes those of outgoing connections."""
    free = (number for number in random.sample(range(12_000, 32_000), 2_000) if is_free(number, kind))
    return list(itertools.islice(free, count))


def is_free(number: int, kind: int) -> bool:
    """Whether the port can be bound on every address."""
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("0.0.0.0", number))
        except OSError:
            return False
    return True


@dataclass
class Installation:
    """One data directory with its environment; started and stopped as often as a test likes."""

    flags: tuple[str, ...] = ("--test",)
    variables: dict[str, str] = field(default_factory=dict)
    data: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="demarc-up-", dir="/tmp")))
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.data.chmod(0o755)
        web, *pages = free_ports(5)
        auth, acct = free_ports(2, socket.SOCK_DGRAM)
        self.output = self.data.with_name(f"{self.data.name}.out")
        self.ports = {"web": web, "auth": auth, "acct": acct, "pages": pages}
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("DEMARC_")} | {
            "DEMARC_DATA": str(self.data),
            "DEMARC_WEB_PORT": str(web),
            "DEMARC_WEB_PROCESSES": "1",
            "DEMARC_RADIUS_AUTH_PORT": str(auth),
            "DEMARC_RADIUS_ACCT_PORT": str(acct),
            "DEMARC_PAGE_PORTS": ",".join(map(str, pages)),
            **self.variables,
        }

    def start(self, within_s: float = 150) -> "Installation":
        """Run `demarc up` and wait until it is ready."""
        self.start_only()
        self.wait_until(lambda: "ready: " in self.said(), within_s)
        return self

    def start_only(self) -> None:
        """Run `demarc up` and do not wait."""
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*DEMARC, "up", *self.flags], env=self.environ, stdout=output, stderr=subprocess.STDOUT
            )

    def said(self) -> str:
        """All that `up` has printed since its last start."""
        return self.output.read_text(errors="replace")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another demarc command on the same directory, as from a second shell."""
        return subprocess.run([*DEMARC, *arguments], env=self.environ, capture_output=True, text=True, check=False)

    def status(self) -> dict[str, Any]:
        """What `demarc status --json` says."""
        return json.loads(self.run("status", "--json").stdout)

    def child(self, name: str) -> dict[str, Any]:
        """One process as the supervisor knows it: pid, state, restarts."""
        return json.loads((self.data / "run" / "status.json").read_text())["processes"][name]

    def wait_until(self, true: Any, within_s: float = 60) -> None:
        """Wait for something to become true, while `up` runs; its output is in the failure."""
        deadline = time.monotonic() + within_s
        while not true():
            assert self.process is not None
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.1)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(15)

    def remove(self) -> None:
        """Stop what runs and leave nothing behind."""
        if self.process and self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        self.output.unlink(missing_ok=True)
