"""A PostgreSQL of our own under the data directory: made, started, watched and stopped as our direct child.

It listens on a Unix socket inside the data directory and nowhere else, asks everyone for a SCRAM password,
keeps data checksums and never runs as root. It knows nothing of Demarc's roles and tables.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import psycopg

from demarc.core.errors import Refused
from demarc.project import process
from demarc.project.config import Config, write_private
from demarc.project.postgres_binaries import Binaries, own_copy
from demarc.project.process import User

SUPERUSER = "postgres"
SYSTEM_USER = "demarc"
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 107  # sun_path of unix(7), less the final zero
READY_S = 300.0  # a crash recovery may take minutes
LEAVE_S = 30.0
STOP_S = 3.0
BUILTIN_LOCALE_SINCE = 17
MIB = 1024 * 1024
REAL_SETTINGS = {
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "recovery_init_sync_method": "syncfs",  # after a crash: one call, not one per file
}
TEST_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
}


class PrivatePostgres:
    """The cluster in `<data>/pg`. `test=True` gives up safety for speed: for throw-away directories only.

    `binaries` replaces the wheel's programs, so that the tests can run on Debian's PostgreSQL too.
    """

    def __init__(self, data: Path, *, test: bool = False, binaries: Binaries | None = None) -> None:
        self._config = Config(data=data)
        self._test = test
        self._given_binaries = binaries
        self._home = data / "pg"
        self._cluster = self._home / "data"
        self.process: subprocess.Popen[bytes] | None = None

    @cached_property
    def _user(self) -> User | None:
        return _unprivileged_user()

    @cached_property
    def _binaries(self) -> Binaries:
        return self._given_binaries or own_copy(self._home, self._made_by())

    @property
    def superuser_url(self) -> str:
        """Where the cluster's superuser logs in."""
        return self._config.private_url(SUPERUSER, "postgres")

    def start(self) -> str:
        """Make the cluster when it is new, start it, wait until it answers; the superuser's URL."""
        self.prepare()
        self.wait_alone()
        self.spawn()
        self.wait_ready()
        return self.superuser_url

    def prepare(self) -> None:
        """Make everything that a start needs. Refuses what an operator has to mend, in one sentence."""
        self._check_socket_path()
        self._home.mkdir(mode=0o755, parents=True, exist_ok=True)
        if self._user:
            _check_way_in(self._home, self._user)
        if self._made_by() not in (None, self._binaries.major):
            raise Refused(
                f"The data in {self._cluster} were made by PostgreSQL {self._made_by()}, "
                f"but the programs are PostgreSQL {self._binaries.version}.",
                code="database-version",
            )
        self._own_directory(self._config.socket)
        if self._made_by() is None:
            self._initdb()
        elif self._config.secret(f"database_{SUPERUSER}") is None:
            raise Refused(
                f"{self._cluster} is there, but the passwords in {self._config.data / 'secrets'} are gone: "
                "bring them back from a backup.",
                code="database",
            )

    def spawn(self, output: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start the prepared server and return at once; its log lines go to `output`."""
        self._end_orphans()
        if self.lingering():
            raise Refused(f"A PostgreSQL still runs on {self._cluster}.", code="running")
        self._forget_stranger()
        settings = [f"--{name}={value}" for name, value in self._settings().items()]
        self.process = process.spawn(
            [str(self._binaries.bin / "postgres"), "-D", str(self._cluster), *settings],
            environ=_bare_environment(),
            user=self._user,
            output=output,
            death_signal=signal.SIGINT,  # a fast shutdown
        )
        return self.process

    def wait_alone(self, pump: Callable[[], None] = lambda: None) -> None:
        """Give a server that lost its supervisor the time to finish its shutdown."""
        deadline = time.monotonic() + LEAVE_S
        while self.lingering() and time.monotonic() < deadline:
            pump()
            self._end_orphans()
            time.sleep(0.1)

    def wait_ready(self, pump: Callable[[], None] = lambda: None) -> None:
        """Wait until the server takes a connection; `pump` is called meanwhile, to read what it says."""
        deadline = time.monotonic() + READY_S
        while True:
            pump()
            if self.process is None or self.process.poll() is not None:
                raise Refused(
                    "The private PostgreSQL stopped while it was starting; its log says why.", code="database"
                )
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.superuser_url, connect_timeout=5).close()
                return
            if time.monotonic() > deadline:
                raise Refused(f"The private PostgreSQL took longer than {READY_S:.0f} s to start.", code="database")
            time.sleep(0.05)

    def stop(self) -> None:
        """End connections and write a checkpoint; if that takes too long, stop at once and recover later."""
        if self.process is None:
            return
        process.stop(self.process, politely=signal.SIGINT, forcibly=signal.SIGQUIT, within_s=STOP_S)
        self.process = None

    def _made_by(self) -> int | None:
        if not self._cluster.exists():
            return None
        try:
            return int((self._cluster / "PG_VERSION").read_text())
        except (OSError, ValueError) as error:
            raise Refused(f"{self._cluster} is not a PostgreSQL cluster: {error}.", code="database") from error

    def _check_socket_path(self) -> None:
        length = len(os.fsencode(self._config.socket / SOCKET_NAME))
        if length > SOCKET_PATH_LIMIT:
            raise Refused(
                f"The path of the data directory is {length - SOCKET_PATH_LIMIT} bytes too long for sockets: "
                "choose a shorter one with --data.",
                code="directory",
            )

    def _own_directory(self, path: Path) -> None:
        path.mkdir(mode=0o700, exist_ok=True)
        if self._user:
            os.chown(path, self._user.uid, self._user.gid)

    def _initdb(self) -> None:
        """Make the cluster beside its place and move it in when complete: a half-made one is never used."""
        fresh = self._home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._own_directory(fresh)
        password = self._config.make_secret(f"database_{SUPERUSER}")
        with tempfile.TemporaryDirectory(dir=self._home) as private:
            note = Path(private) / "password"
            write_private(note, password)
            for path in (note.parent, note):
                if self._user:
                    os.chown(path, self._user.uid, self._user.gid)
            said = subprocess.run(
                self._initdb_command(fresh, note),
                env=_bare_environment(),
                user=self._user.uid if self._user else None,
                group=self._user.gid if self._user else None,
                extra_groups=() if self._user else None,
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
            )
        if said.returncode:
            reason = " ".join(said.stderr.split())
            raise Refused(f"The private PostgreSQL could not be made: {reason}", code="database")
        fresh.rename(self._cluster)

    def _initdb_command(self, target: Path, password_file: Path) -> list[str]:
        # The builtin provider sorts by code point on every machine alike; older ones take it from libc.
        locale = ["--locale=C.UTF-8"]
        if self._binaries.major >= BUILTIN_LOCALE_SINCE:
            locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return [
            str(self._binaries.bin / "initdb"),
            f"--pgdata={target}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--data-checksums",
            "--encoding=UTF8",
            *locale,
            *(["--no-sync"] if self._test else []),
        ]

    def _settings(self) -> dict[str, str]:
        return {
            "listen_addresses": "",
            "unix_socket_directories": str(self._config.socket),
            "unix_socket_permissions": "0700",
            "port": "5432",
            "password_encryption": "scram-sha-256",
            "logging_collector": "off",
            "log_destination": "stderr",
            "log_line_prefix": "",
            "log_checkpoints": "off",
            "log_timezone": "UTC",
            "timezone": "UTC",
            "jit": "off",
            "random_page_cost": "1.1",
            **memory_settings(machine_memory()),
            **(TEST_SETTINGS if self._test else REAL_SETTINGS),
        }

    def lingering(self) -> bool:
        """Whether a server that lost its supervisor still works on the cluster; only a fool starts a second one."""
        return bool(process.working_in(self._cluster))

    def _end_orphans(self) -> None:
        """End the backends of a server that was killed: one that computes does not notice, and keeps a new server
        from starting for as long as its query takes. Nothing it does counts, for what it shares is not written."""
        pids = process.working_in(self._cluster)
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((self._cluster / "postmaster.pid").read_text().splitlines()[0]) in pids:
                return  # it lives, and ends them itself
        orphans = [pid for pid in pids if process.program(pid) == "postgres"]
        for pid in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + process.KILL_WAIT_S
        while any(process.alive(pid) for pid in orphans) and time.monotonic() < deadline:
            time.sleep(0.01)

    def _forget_stranger(self) -> None:
        """Remove the pid file when its number is now another program's, as after a restart of the machine.

        PostgreSQL would take that one for the old server. The file of one that is simply gone stays: with it
        PostgreSQL makes sure that no old backend is attached to the shared memory.
        """
        pid_file = self._cluster / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            if Path("/proc", str(int(pid_file.read_text().splitlines()[0]))).exists():
                pid_file.unlink()


def memory_settings(memory_bytes: int) -> dict[str, str]:
    """PostgreSQL's memory for a machine of this size: a quarter for its own buffers, at most 4 GiB."""
    buffers = min(memory_bytes // 4, 4096 * MIB)
    return {
        "shared_buffers": f"{buffers // MIB}MB",
        "effective_cache_size": f"{memory_bytes // 2 // MIB}MB",
        "maintenance_work_mem": f"{max(64, min(memory_bytes // 16 // MIB, 512))}MB",
        "work_mem": "16MB",
    }


def machine_memory() -> int:
    """The memory of this machine, or of the container it runs in, in bytes."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return memory


def _bare_environment() -> dict[str, str]:
    """Nothing of ours: PG* variables would change what the server and initdb do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _unprivileged_user() -> User | None:
    """Whom the server runs as: ourselves, or a system user when we are root, whom PostgreSQL refuses."""
    if os.geteuid() != 0:
        return None
    with _alone_with(Path("/etc")):  # two useradd at once have made two users of one name
        made = User.named(SYSTEM_USER) or _make_user()
    if made is None:
        raise Refused(
            f"The private PostgreSQL does not run as root, and its user {SYSTEM_USER} could not be made: "
            f"make it with useradd --system {SYSTEM_USER}.",
            code="program",
        )
    return made


def _make_user() -> User | None:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir=/nonexistent"]
    with contextlib.suppress(OSError):
        subprocess.run([*command, "--shell=/usr/sbin/nologin", SYSTEM_USER], capture_output=True, check=False)
    return User.named(SYSTEM_USER)


@contextlib.contextmanager
def _alone_with(directory: Path) -> Iterator[None]:
    """No other process of ours is here at the same time."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _check_way_in(path: Path, user: User) -> None:
    """Refuse a place that the server's user cannot reach, naming the directory that stops it."""
    for parent in reversed((path, *path.parents)):
        entry = parent.stat()
        bit = 0o100 if entry.st_uid == user.uid else 0o010 if entry.st_gid == user.gid else 0o001
        if not entry.st_mode & bit:
            raise Refused(
                f"The private PostgreSQL runs as the user {user.name}, who cannot enter {parent} "
                f"(mode {entry.st_mode & 0o777:03o}): use another place with --data, or chmod o+x {parent}.",
                code="directory",
            )
