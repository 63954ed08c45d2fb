"""`demarc up`: prepares everything, starts every process, restarts what dies, stops all in order.

One thread. Children belong to the kernel's care too: should this process be killed, they are told to stop.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from demarc import __version__
from demarc.base import clock
from demarc.base.seal import make_keys, make_signing_keys
from demarc.core.errors import Refused
from demarc.project import process
from demarc.project.certificate import ensure_certificate
from demarc.project.config import Config
from demarc.project.console import Console
from demarc.project.preflight import check_port, check_room, make_directory, ports, sole_user
from demarc.project.private_postgres import PrivatePostgres
from demarc.project.programs import Program, environment, programs
from demarc.project.roles import check_external, prepare_private

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
SETTLED_S = 60.0
CHILDREN_STOP_S = 6.0  # with the database's 3 s everything ends within 10 s
TICK_S = 1.0
SEAL_AUDIENCES = ("radius", "log", "messages", "staff")
LOG_SIGNER = "log-signer"

Start = Callable[[], subprocess.Popen[bytes]]
StartWriting = Callable[[int], subprocess.Popen[bytes]]


class Stopping(Exception):
    """Someone asked us to stop while we were still starting."""


@dataclass
class Child:
    """A process that shall always run."""

    name: str
    start: Start
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    pause_s: float = FIRST_PAUSE_S
    started_s: float = 0.0
    start_at_s: float = 0.0
    since: datetime = field(default_factory=clock.now)
    last_exit: int | None = None

    @property
    def state(self) -> str:
        """The word for `status`."""
        return "running" if self.process else "restarting"

    def begun(self, started: subprocess.Popen[bytes]) -> None:
        """Note that it runs."""
        self.process, self.started_s, self.since = started, time.monotonic(), clock.now()

    def ended(self, code: int | None) -> None:
        """Note that it does not, and when to start it again: later each time, until it has settled."""
        settled = self.process is not None and time.monotonic() - self.started_s >= SETTLED_S
        self.pause_s = FIRST_PAUSE_S if settled else self.pause_s
        self.process, self.last_exit, self.since = None, code, clock.now()
        self.start_at_s = time.monotonic() + self.pause_s
        self.pause_s = min(self.pause_s * 2, LONGEST_PAUSE_S)
        self.restarts += 1


class Supervisor:
    """One running Demarc."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._console = Console(config.logs)
        self._database = PrivatePostgres(config.data) if config.private_database else None
        self._children: list[Child] = []
        self._stopping = False
        self._ready = False
        self._written = ""

    def run(self, *, demo: bool) -> int:
        """Run until asked to stop; 0 when that is how it ended."""
        with self._signals():
            try:
                self._prepare(demo=demo)
                self._children += [self._child(program) for program in programs(self._config)]
                while not self._stopping:
                    self._look_after_all()
            except Stopping:
                pass
            finally:
                self._stop()
        return 0

    def _prepare(self, *, demo: bool) -> None:
        """Everything before the first process: secrets, keys, database, roles, migrations, the first login.

        A RADIUS node beside the first one has its key, and starts without its database, too.
        """
        config = self._config
        if config.joined:
            return
        config.make_secret("django")
        for audience in SEAL_AUDIENCES:
            make_keys(config.keys, audience)
        make_signing_keys(config.keys, LOG_SIGNER)
        if config.web_tls:
            self._console.say(f"web certificate SHA-256 {ensure_certificate(config)}")
        if self._database:
            self._start_database(self._database)
        else:
            check_external(config)
        self._finish("migrate", "migrate")
        self._finish("first-start", "first-start", *(["--demo"] if demo else []), shown_only=True)

    def _start_database(self, database: PrivatePostgres) -> None:
        database.prepare()
        database.wait_alone(self._pump_or_stop)
        child = Child("database", self._piped("database", database.spawn))
        self._children.append(child)
        self._try_to_start(child, may_fail=False)
        database.wait_ready(self._pump_or_stop)
        prepare_private(database.superuser_url, self._config)

    def _finish(self, name: str, *arguments: str, shown_only: bool = False) -> None:
        """Run one of our own commands to its end. `shown_only`: what it says is a secret and goes into no log."""
        command = [sys.executable, "-m", "demarc.project.cli", *arguments]
        environ = os.environ | self._config.environment()
        if shown_only:
            running = process.spawn(command, environ=environ, output=None)
        else:
            running = self._piped(name, lambda output: process.spawn(command, environ=environ, output=output))()
        try:
            while running.poll() is None:
                self._pump_or_stop()
        finally:
            process.stop(running, politely=signal.SIGTERM, within_s=CHILDREN_STOP_S)
        self._console.pump(0)
        if running.returncode:
            raise Refused(f"The step {name} failed; what it said stands above.", code="step")

    def _child(self, program: Program) -> Child:
        environ = environment(self._config, program.login)

        def start(output: int) -> subprocess.Popen[bytes]:
            return process.spawn(program.command, environ=environ, output=output)

        return Child(program.name, self._piped(program.name, start))

    def _piped(self, name: str, start: StartWriting) -> Start:
        """`start`, given a pipe of the console's to write to."""

        def started() -> subprocess.Popen[bytes]:
            output = self._console.pipe(name)
            try:
                return start(output)
            finally:
                os.close(output)

        return started

    def _look_after_all(self) -> None:
        for child in self._children:
            if child.process and child.process.poll() is not None:
                self._bury(child, child.process)
            if child.process is None and time.monotonic() >= child.start_at_s:
                self._try_to_start(child)
        if not self._ready and self._answers():
            self._ready = True
            self._console.say(f"ready: {self._config.ready_word}")
        self._write_status()
        waits = [child.start_at_s - time.monotonic() for child in self._children if child.process is None]
        self._console.pump(max(0.0, min([*waits, TICK_S if self._ready else 0.1])))

    def _bury(self, child: Child, dead: subprocess.Popen[bytes]) -> None:
        process.end_group(dead)
        child.ended(dead.returncode)
        self._console.say(
            f"{child.name} ended ({dead.returncode}); it starts again in {child.start_at_s - time.monotonic():.1f} s"
        )

    def _try_to_start(self, child: Child, *, may_fail: bool = True) -> None:
        try:
            child.begun(child.start())
        except (OSError, Refused) as error:
            if not may_fail:
                raise
            child.ended(None)
            self._console.say(f"{child.name} could not be started: {error}")

    def _answers(self) -> bool:
        """Whether the web takes connections; on a RADIUS node, whether radiusd is there."""
        if self._config.joined:
            return all(child.process is not None for child in self._children)
        host = self._config.web_bind
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        with contextlib.suppress(OSError), socket.create_connection((host, self._config.web_port), 0.2):
            return True
        return False

    def _write_status(self) -> None:
        """Leave for `demarc status` what only we know; only when it changed."""
        known = {
            "supervisor": os.getpid(),
            "version": __version__,
            "ready": self._ready,
            "ports": [[port.what, port.transport, port.bind, port.number] for port in ports(self._config)],
            "processes": {
                child.name: {
                    "state": child.state,
                    "pid": child.process.pid if child.process else None,
                    "restarts": child.restarts,
                    "since": child.since.isoformat(timespec="seconds"),
                    "last_exit": child.last_exit,
                }
                for child in self._children
            },
        }
        text = json.dumps(known, indent=1)
        if text == self._written:
            return
        with contextlib.suppress(OSError):  # a full disk; the processes matter more
            fresh = self._config.run / "status.json.new"
            fresh.write_text(text)
            fresh.replace(self._config.run / "status.json")
            self._written = text

    def _pump_or_stop(self) -> None:
        self._console.pump(0.05)
        if self._stopping:
            raise Stopping

    def _stop(self) -> None:
        """First everything that works on the database, all at once; then the database."""
        others = [child.process for child in self._children if child.process and child.name != "database"]
        for running in others:
            if running.poll() is None:
                running.terminate()
        deadline = time.monotonic() + CHILDREN_STOP_S
        while any(running.poll() is None for running in others) and time.monotonic() < deadline:
            self._console.pump(0.05)
        for running in others:
            process.stop(running, politely=signal.SIGKILL, within_s=process.KILL_WAIT_S)
        if self._database:
            self._database.stop()
        self._console.pump(0)
        (self._config.run / "status.json").unlink(missing_ok=True)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """SIGTERM, Ctrl-C and a closed terminal stop us; these and a child's death also end a wait at once."""

        def ask_to_stop(number: int, frame: object) -> None:
            self._stopping = True

        ours, wake = socket.socketpair()
        for end in (ours, wake):
            end.setblocking(False)
        self._console.wake_on(ours.fileno())
        before = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        kept = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        kept[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)
            ours.close()
            wake.close()


def up(config: Config, *, demo: bool, test: bool) -> int:
    """Check that everything can run here, then run it. Refuses in one sentence what an operator must mend."""
    make_directory(config, demo=demo, test=test)
    with sole_user(config):
        check_room(config.data)
        for port in ports(config):
            check_port(port)
        return Supervisor(config).run(demo=demo)
