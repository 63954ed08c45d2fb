"""What goes wrong around radiusd, for tests: its database away or slow, its disk full."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
from tests.cluster import Cluster

from demarc.project.config import DATABASE, RADIUS

KICK = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'demarc_radius'"


@contextmanager
def database_away(cluster: Cluster) -> Iterator[None]:
    """For radiusd: whoever is connected is thrown out, and nobody is let in."""
    with psycopg.connect(cluster.superuser_url, autocommit=True) as root:
        root.execute("ALTER ROLE demarc_radius NOLOGIN")
        root.execute(KICK)
        try:
            yield
        finally:
            root.execute("ALTER ROLE demarc_radius LOGIN")


class SlowLine:
    """A line to the cluster's socket that holds up all that is said to the database for `delay_s`."""

    def __init__(self, cluster: Cluster) -> None:
        self.delay_s = 0.0
        self._socket = str(next(cluster.config.socket.glob(".s.PGSQL.*[0-9]")))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        password = cluster.config.secret(f"database_{RADIUS}") or ""
        host = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.url = f"postgresql://{RADIUS}:{quote(password)}@{host}/{DATABASE}?sslmode=disable"

    def __enter__(self) -> "SlowLine":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for sock in [self._listening, *self._open]:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listening.accept()
                database = socket.socket(socket.AF_UNIX)
                database.connect(self._socket)
                self._open += [caller, database]
                for source, target, slow in ((caller, database, True), (database, caller, False)):
                    threading.Thread(target=self._carry, args=(source, target, slow), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, slow: bool) -> None:
        with suppress(OSError):
            while octets := source.recv(65536):
                if slow and self.delay_s:
                    time.sleep(self.delay_s)
                target.sendall(octets)
        for sock in (source, target):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


@contextmanager
def small_disk(directory: Path, kilobytes: int) -> Iterator[Path]:
    """A file system of so many kilobytes at `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(directory)], check=True)
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", str(directory)], check=True)
