"""How a child process is started, watched and ended. Knows nothing of what the children do."""

import contextlib
import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1  # prctl(2)
KILL_WAIT_S = 2.0

_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class User:
    """The operating-system user that a child runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def named(cls, name: str) -> "User | None":
        """The user of this name, if the system has one."""
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return cls(name, entry.pw_uid, entry.pw_gid)


def spawn(
    command: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    user: User | None = None,
    output: int | None = subprocess.DEVNULL,
    death_signal: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own: a Ctrl-C reaches only us, its descendants can be ended as one.

    When we die, whatever the cause, the kernel sends it `death_signal`. Both its outputs go to `output`, or to ours
    when that is None.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        env=None if environ is None else dict(environ),
        cwd="/",
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=() if user else None,
        start_new_session=True,
        # Runs after the change of user, as it must: that change makes the kernel forget the death signal.
        preexec_fn=_die_with_parent(death_signal, os.getpid()),
    )


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill what a dead child left behind in its session: an orphan would keep its port or its lock."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def stop(process: subprocess.Popen[bytes], *, politely: int, within_s: float, forcibly: int = signal.SIGKILL) -> bool:
    """Ask the child to end, make it when it has not done so in time; whether it ended by itself."""
    if process.poll() is None:
        process.send_signal(politely)
    try:
        process.wait(within_s)
        ended = True
    except subprocess.TimeoutExpired:
        process.send_signal(forcibly)
        process.wait(KILL_WAIT_S)
        ended = False
    end_group(process)
    return ended


def alive(pid: int) -> bool:
    """Whether a process of this id runs; one that is dead and not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in "ZX"


def working_in(directory: Path) -> list[int]:
    """The processes that we may look at whose working directory this is, as it is of all of PostgreSQL's."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if entry.readlink() == directory:
                found.append(int(entry.parent.name))
    return found


def program(pid: int) -> str:
    """The name of the file that a process runs; empty when it is gone."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/exe").readlink().name
    return ""


def _die_with_parent(death_signal: int, parent: int) -> Callable[[], None] | None:
    if _libc is None:
        return None
    prctl = _libc.prctl

    def after_fork() -> None:
        prctl(PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # it died before the kernel knew
            os._exit(1)

    return after_fork
