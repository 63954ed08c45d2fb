"""One radiusd process put together: what it stands on, how it starts, what runs beside the packets, how it ends."""

import asyncio
import contextlib
import fcntl
import gc
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import IO, Any

import psycopg

from demarc.base import clock
from demarc.base.seal import Opener
from demarc.radiusd import journal as journals
from demarc.radiusd import leftovers, snapshot, store_nas
from demarc.radiusd.acct import Accountant
from demarc.radiusd.auth import Authenticator, Deeds
from demarc.radiusd.coa import Sender
from demarc.radiusd.coa_wire import Wire
from demarc.radiusd.config import Config
from demarc.radiusd.counters import Counters
from demarc.radiusd.eap import EapServer
from demarc.radiusd.eap_certificate import Certificate
from demarc.radiusd.feed import Follower, connect
from demarc.radiusd.journal import Journal, Position
from demarc.radiusd.learning import Learning
from demarc.radiusd.leases import Leases, Leasing
from demarc.radiusd.logins import Row
from demarc.radiusd.model import Model
from demarc.radiusd.moving import Mover, Pupil
from demarc.radiusd.notes import Notes
from demarc.radiusd.oldserver import OldServers
from demarc.radiusd.online import Online
from demarc.radiusd.peers import Hearer
from demarc.radiusd.promises import Promises
from demarc.radiusd.server import AcctPort, AuthPort
from demarc.radiusd.status import Status
from demarc.radiusd.trace import Trace

DATABASE_WAIT_S = 5.0
LEASES_WAIT_S = 2.0
TIDY_S = 10.0
SIGHTINGS_S = 30.0
CHILD_AGAIN_S = 1.0
STOP_S = 5.0
COLLECT_AFTER = (10_000, 5, 1000)
"""Nearly nothing here is circular, and looking through 100,000 sessions holds up packets for tens of milliseconds."""

REPLAY_BATCH = 1000

log = logging.getLogger(__name__)


class Daemon:
    """One process of radiusd."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._counters, self._online = Counters(), Online()
        opener = Opener((config.keys / "radius.key").read_bytes())
        self._model = Model(opener)
        self._leases = Leases(self._model, Promises(config.journal))
        now = clock.now()
        self._journal = Journal(config.journal, first=int(now.timestamp()))
        self._acct = Accountant(self._model, self._online, self._leases, self._journal, self._counters, clock.now)
        notes = Notes()
        self._trace, self._pupil = Trace(notes, config.writer), Pupil(opener.public_key)
        self._learning = Learning(config)
        deeds = Deeds(self._cut, self._learning.learn, notes)
        self._auth = Authenticator(self._model, self._online, self._leases, self._counters, clock.now, deeds)
        self._certificate = Certificate(config, clock.now)
        self._eap = EapServer(self._auth, self._model, self._counters, notes, self._certificate.context)
        self._old = OldServers(config.bind, self._counters)
        self._mover = Mover(self._model, self._auth, self._old, self._pupil, self._counters, notes)
        self._follower = Follower(config.url, self._model, self._restore, config.writer)
        self._leasing = Leasing(config, self._leases, self._online, clock.now, f"{now.timestamp():.0f}")
        self._restored = False
        self._sender: Sender | None = None

    async def serve(self, auth_socket: socket.socket, acct_socket: socket.socket) -> None:
        """Answer until SIGTERM or SIGINT."""
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        status = Status(self._config, self._model, self._online, self._journal, self._counters, clock.now)
        status.more = self._figures
        wire = Wire(self._config.bind, self._counters)
        sender = self._sender = Sender(self._config, self._model, wire, clock.now, self._gone)
        ports = (
            AuthPort(auth_socket, self._model, self._online, self._counters, self._auth, self._mover),
            AcctPort(acct_socket, self._model, self._online, self._counters, self._acct, self._mover),
        )
        ports[0].eap = self._eap
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(work)
                for work in (
                    self._journal.run(),
                    self._follower.run(),
                    self._ship(),
                    status.run((auth_socket, acct_socket)),
                    self._begin(ports, sender),
                    self._tidy(),
                    self._tell_sightings(),
                    self._trace.run(self._config.url),
                    self._pupil.run(self._config.url),
                    self._learning.run(),
                )
            ]
            await stop.wait()
            for port in ports:
                port.close()
            for task in tasks:
                task.cancel()
        wire.close()
        self._old.close()
        self._journal.close()

    def _figures(self) -> dict[str, Any]:
        """What the status tells of moving in and of the trace; what was decided beyond what was written is untold."""
        decided = self._counters.auth - self._counters.eap["challenges"]
        return {
            "moving": dict(self._counters.moving),
            "old_servers": self._old.figures(),
            "decisions_written": self._trace.written,
            "eap": {**self._counters.eap, "under_way": len(self._eap.talks)},
            "eap_trouble": self._certificate.trouble,
            "decisions_untold": max(decided - self._trace.written - self._trace.waiting, 0),
        }

    async def _begin(self, ports: Sequence[AuthPort | AcctPort], sender: Sender) -> None:
        await asyncio.to_thread(self._certificate.context)  # made at the first start
        await self._read_model()
        gc.collect()
        gc.freeze()  # the model stays: no collection need look through it while packets wait
        gc.set_threshold(*COLLECT_AFTER)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._leasing.run())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leasing.ready.wait(), LEASES_WAIT_S)
            for port in ports:
                port.serve()
            self._counters.serving = True
            log.info("answering; %d subscribers, %d routers", len(self._model.logins), len(self._model.clients))
            group.create_task(sender.run())
            if self._config.index == 0:
                group.create_task(leftovers.ship(self._config))
            group.create_task(Hearer(self._config, self._acct, self._counters, clock.now).run())

    async def _read_model(self) -> None:
        """From the database; from the snapshot when it does not answer in time; else wait for it."""
        while not self._follower.loaded.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._follower.loaded.wait(), DATABASE_WAIT_S)
            if not self._follower.reading:
                break
        if self._follower.loaded.is_set():
            return
        rest = snapshot.load(self._config.snapshot, self._model)
        if rest is None:
            log.warning("no database and no snapshot: waiting for the database")
            await self._follower.loaded.wait()
            return
        log.warning("the database is away: starting from the snapshot")
        age_s = clock.now().timestamp() - self._config.snapshot.stat().st_mtime
        self._model.fresh_at = monotonic() - max(age_s, 0.0)
        self._restore(rest.sessions, rest.position)
        self._leases.recover(rest.blocks, self._online, clock.now())

    def _restore(self, sessions: Sequence[Row], position: Position) -> None:
        """Remember who is online: what the rows say, then what the journal says beyond `position`. Once."""
        if self._restored:
            return
        self._restored = True
        steady = monotonic()
        for row in sessions:
            self._acct.restore(row, steady)
        while True:
            found = list(journals.read(self._config.journal, position, REPLAY_BATCH))
            if not found:
                return
            for _, payload in found:
                with contextlib.suppress(ValueError):  # the shipper sets aside what cannot be read
                    self._acct.replay(payload, steady)
            position = found[-1][0]

    def _gone(self, key: tuple[int, str, str]) -> None:
        session = self._online.sessions.get(key)
        client = self._model.clients_by_id.get(key[0])
        if session is not None and client is not None:
            self._acct.close(session, client.partner_id)

    def _cut(self, key: tuple[int, str, str]) -> None:
        if self._sender is not None:
            self._sender.cut(key)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_S)
            for _ in chain(self._acct.forget_silent(monotonic()), self._online.forget_grants(monotonic())):
                await asyncio.sleep(0)
            self._eap.tidy(monotonic())
            await asyncio.to_thread(self._certificate.context)  # looked after also when nobody comes
            gc.collect(1)
            gc.freeze()  # what is left is logins and sessions: to look through a million of them would take a second

    async def _tell_sightings(self) -> None:
        """Write down which routers were heard, and whether they sign. Not urgent."""
        told_at = float("-inf")
        while True:
            await asyncio.sleep(SIGHTINGS_S)
            now = monotonic()
            rows = [
                {"id": client.id, "age_s": now - heard_at, "signs": client.signs}
                for client in self._model.clients.values()
                if (heard_at := self._online.heard.get(client.id, float("-inf"))) > told_at
            ]
            if not rows:
                continue
            with contextlib.suppress(psycopg.Error):
                async with await connect(self._config.url) as conn:
                    await conn.execute(store_nas.SEEN, {"rows": json.dumps(rows)})
                told_at = now

    async def _ship(self) -> None:
        """Keep the shipper running, in a process of its own."""
        command = (sys.executable, "-m", "demarc.radiusd.shipper", str(self._config.index), str(os.getpid()))
        while True:
            child = await asyncio.create_subprocess_exec(*command)
            try:
                code = await child.wait()
            except asyncio.CancelledError:
                child.terminate()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(child.wait(), STOP_S)
                raise
            log.error("the shipper ended with %s; starting it again", code)
            await asyncio.sleep(CHILD_AGAIN_S)


def lock(directory: Path) -> IO[str]:
    """Be the only one to write this journal. Raises BlockingIOError when another process is."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (directory / "writer.lock").open("w")
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.set_inheritable(file.fileno(), False)
    return file
