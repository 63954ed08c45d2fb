"""What is looked at before anything starts: the data directory, its lock, room on the disk, free ports."""

import errno
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demarc.core.errors import Refused
from demarc.project.config import Config

FREE_BYTES_MIN = 200_000_000
PROBE_BYTES = 4096


@dataclass(frozen=True)
class Port:
    """An address to be bound, and the variable that moves it."""

    what: str
    kind: socket.SocketKind
    bind: str
    number: int
    variable: str

    @property
    def family(self) -> socket.AddressFamily:
        """IPv6 when the address has a colon."""
        return socket.AF_INET6 if ":" in self.bind else socket.AF_INET

    @property
    def transport(self) -> str:
        """The word for its kind."""
        return "TCP" if self.kind == socket.SOCK_STREAM else "UDP"


def ports(config: Config) -> list[Port]:
    """Everything that a running Demarc listens on."""
    tcp, udp = socket.SOCK_STREAM, socket.SOCK_DGRAM
    radius = [
        Port("radius", udp, config.radius_bind, config.radius_auth_port, "DEMARC_RADIUS_AUTH_PORT"),
        Port("radius", udp, config.radius_bind, config.radius_acct_port, "DEMARC_RADIUS_ACCT_PORT"),
    ]
    if config.joined:
        return radius
    return [
        Port("web", tcp, config.web_bind, config.web_port, "DEMARC_WEB_PORT"),
        *radius,
        *(Port("pages", tcp, config.page_bind, number, "DEMARC_PAGE_PORTS") for number in config.page_ports),
    ]


def make_directory(config: Config, *, demo: bool, test: bool) -> None:
    """Make the data directory, with its marker when it is for the demo or for tests. Refuses one that is no use."""
    markers = [name for name, wanted in (("DEMO", demo), ("TEST", test)) if wanted]
    used = (config.data / "secrets").exists()
    try:
        config.data.mkdir(mode=0o755, parents=True, exist_ok=True)
        for directory in (config.run, config.logs):
            directory.mkdir(mode=0o750, exist_ok=True)
        for name in markers:
            if used and not (config.data / name).exists():
                raise Refused(
                    f"{config.data} was made without --{name.lower()}: give it a directory of its own with --data.",
                    code="directory",
                )
            (config.data / name).touch()
        probe = config.run / "probe"
        probe.write_bytes(b"x" * PROBE_BYTES)
        probe.unlink()
    except OSError as error:
        message = f"The data directory {config.data} cannot be used: {error.strerror} ({error.filename})."
        raise Refused(message, code="disk" if error.errno == errno.ENOSPC else "directory") from error


@contextmanager
def sole_user(config: Config) -> Iterator[None]:
    """Hold the data directory; refuses while another Demarc does. The kernel lets go when we die."""
    with (config.run / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            message = f"Demarc already runs on {config.data} (process {lock.read().strip() or 'unknown'})."
            raise Refused(message, code="running") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def check_room(directory: Path) -> None:
    """Refuse a disk that is nearly full: a database that meets its end there stops in the middle of work."""
    free = shutil.disk_usage(directory).free
    if free < FREE_BYTES_MIN:
        raise Refused(
            f"The disk of {directory} has {free // 1_000_000} MB left; "
            f"Demarc needs at least {FREE_BYTES_MIN // 1_000_000} MB.",
            code="disk",
        )


def check_port(port: Port) -> None:
    """Refuse a port that cannot be bound, saying which variable chooses another."""
    with socket.socket(port.family, port.kind) as probe:
        if port.kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((port.bind, port.number))
            if port.kind == socket.SOCK_STREAM:
                probe.listen(1)
        except OSError as error:
            reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be bound: {error.strerror}"
            raise Refused(
                f"{port.transport} port {port.number} on {port.bind} (for {port.what}) {reason}; "
                f"choose another with {port.variable}.",
                field=port.variable,
                code="port",
            ) from error
