"""The packet path on real sockets, its memory filled by hand: no database, so that a test takes milliseconds.

The cast: alice (active, static address), bob (active, of the pool), dora (no money), mac (bound to a device).
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demarc.base.seal import Opener, Sealer, make_keys
from demarc.core.access import PRESETS
from demarc.radiusd import journal, records
from demarc.radiusd.acct import Accountant
from demarc.radiusd.auth import Authenticator, Deeds
from demarc.radiusd.config import Config
from demarc.radiusd.counters import Counters
from demarc.radiusd.eap import EapServer
from demarc.radiusd.eap_certificate import Certificate, ensure
from demarc.radiusd.journal import Journal, Position
from demarc.radiusd.leases import Leases
from demarc.radiusd.model import Model
from demarc.radiusd.moving import Mover, Pupil
from demarc.radiusd.notes import Notes
from demarc.radiusd.oldserver import OldServers
from demarc.radiusd.online import Online
from demarc.radiusd.promises import Promises
from demarc.radiusd.server import AcctPort, AuthPort, listen
from demarc.radiusd.trace import row_of

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SECRET = "testing123-testing123"
OLD_SECRET = "the-old-servers-secret"
PARTNER, POOL = 1, 50
REJECT_POOLS = {cause: 60 + cause for cause in range(5)}
ALICE, BOB, DORA, MAC = 1, 2, 3, 4
PASSWORDS = {ALICE: "alpha", BOB: "beta", DORA: "delta", MAC: "mu"}
POLICY = {
    "name": "Valley Net",
    "causes": {
        str(int(preset.cause)): {
            "list": preset.list_name, "pool_id": REJECT_POOLS[int(preset.cause)], "page_port": preset.page_port
        }
        for preset in PRESETS["demarc"]
    },
    "blocked_session_timeout_s": 300,
}  # fmt: skip
POOLS = [
    [POOL, PARTNER, 1, "dynamic", 0, "172.16.0.1", "172.16.0.30"],
    *([pool, PARTNER, None, "reject", 0, f"10.250.{pool}.1", f"10.250.{pool}.254"] for pool in REJECT_POOLS.values()),
]


@dataclass
class Serving:
    """What runs. Change `now` to change the time that rules go by."""

    model: Model
    online: Online
    leases: Leases
    counters: Counters
    kept: Journal
    directory: Path
    sealer: Sealer
    pupil: Pupil
    now: datetime = NOW
    notes: Notes = field(default_factory=Notes)
    old: OldServers | None = None
    eap: EapServer | None = None
    cut: list[Any] = field(default_factory=list)
    learned: list[Any] = field(default_factory=list)
    auth: tuple[str, int] = ("", 0)
    acct: tuple[str, int] = ("", 0)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    @property
    def keys(self) -> Path:
        return self.directory.parent / "keys"

    def make_certificate(self) -> None:
        """As radiusd does before it serves: it takes a second at times."""
        ensure(self.keys, self.now)

    def nas(self, address: str = "127.0.0.1", nas_id: int = 1, **facts: Any) -> list[Any]:
        row = {
            "id": nas_id, "partner_id": PARTNER, "router_id": nas_id, "address": address,
            "secret": self.sealer.seal(SECRET.encode(), f"access_nas.secret.{nas_id}").hex(), "require": "auto",
            "signs": None, "coa_enabled": True, "coa_port": 3799, "interim_s": 300, "framed_pool": "",
            "nas_type": "mikrotik", "answers": None, "node": "main",
        } | facts  # fmt: skip
        return list(row.values())

    def subscriber(self, subscriber_id: int, login: str, **facts: Any) -> list[Any]:
        password = PASSWORDS.get(subscriber_id, "secret").encode()
        row = {
            "id": subscriber_id, "partner_id": PARTNER, "service_id": 100 + subscriber_id, "realm": "", "login": login,
            "secret": self.sealer.seal(password, f"access_subscriber.secret.{subscriber_id}").hex(), "macs": [],
            "limit": 1, "pool_id": None, "timeout": 0, "active": True, "cause": None, "static": None, "routes": [],
            "down": 10_000, "up": 2_000, "rate": "2M/10M", "owed": None, "currency": "",
        } | facts  # fmt: skip
        return list(row.values())

    def moving(self, host: str, auth_port: int, acct_port: int = 1, nas_id: int = 1, **facts: Any) -> list[Any]:
        """The old server of a NAS: it gets those whom we do not know, unless told otherwise."""
        row = {
            "id": 7, "nas_id": nas_id, "mode": "unknown", "host": host, "auth_port": auth_port, "acct_port": acct_port,
            "secret": self.sealer.seal(OLD_SECRET.encode(), "access_movingin.secret.7").hex(), "timeout_ms": 1000,
            "learn": True,
        } | facts  # fmt: skip
        return list(row.values())

    def put_nases(
        self, *rows: list[Any], policy: dict[str, Any] | None = None, moving: list[list[Any]] | None = None
    ) -> None:
        self.model.put_network([[PARTNER, policy or POLICY]], POOLS, rows, moving or [])

    def told(self) -> list[dict[str, Any]]:
        """What was noted of the decisions so far, as rows."""
        return [row_of(note, "test/0") for note in [*self.notes.odd, *self.notes.plain]]

    def put(self, *rows: list[Any]) -> None:
        self.model.put_subscribers(rows)

    def dropped(self, reason: str, count: int = 1, within_s: float = 2) -> bool:
        return eventually(lambda: self.counters.dropped[reason] >= count, within_s)

    def journaled(self) -> list[records.Record]:
        return [records.decode(payload) for _, payload in journal.read(self.directory, Position(), 10**6)]


def eventually(what: Callable[[], bool], within_s: float = 2) -> bool:
    until = time.monotonic() + within_s
    while not what():
        if time.monotonic() > until:
            return False
        time.sleep(0.005)
    return True


@contextmanager
def serving(directory: Path) -> Iterator[Serving]:
    make_keys(directory / "keys", "radius")
    model = Model(Opener((directory / "keys" / "radius.key").read_bytes()))
    online, leases, counters = Online(), Leases(model, Promises(directory / "journal")), Counters()
    sealer = Sealer((directory / "keys" / "radius.pub").read_bytes())
    pupil = Pupil((directory / "keys" / "radius.pub").read_bytes())
    kept = Journal(directory / "journal")
    running = Serving(model, online, leases, counters, kept, directory / "journal", sealer, pupil)
    running.put_nases(running.nas())
    running.put(
        running.subscriber(ALICE, "alice", static="198.51.100.7"),
        running.subscriber(BOB, "bob"),
        running.subscriber(DORA, "dora", cause=2),
        running.subscriber(MAC, "mac", macs=["02:00:00:00:00:01"]),
    )
    for pool in model.pools.values():
        leases.add(pool.id, pool.span)
    thread = threading.Thread(target=_run, args=(running,))
    sockets = listen("127.0.0.1", 0), listen("127.0.0.1", 0)
    running.auth, running.acct = sockets[0].getsockname(), sockets[1].getsockname()
    running.loop.call_soon(_serve, running, *sockets)
    thread.start()
    try:
        assert eventually(lambda: running.eap is not None)
        yield running
    finally:
        running.loop.call_soon_threadsafe(running.loop.stop)
        thread.join()
        for sock in sockets:
            sock.close()


def _run(running: Serving) -> None:
    task = running.loop.create_task(running.kept.run())
    running.loop.run_forever()
    task.cancel()
    if running.old:
        running.old.close()
    running.loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    running.kept.close()
    running.loop.close()


def _serve(running: Serving, auth_socket: socket.socket, acct_socket: socket.socket) -> None:
    def clock() -> datetime:
        return running.now

    deeds = Deeds(running.cut.append, lambda *learned: running.learned.append(learned), running.notes)
    auth = Authenticator(running.model, running.online, running.leases, running.counters, clock, deeds)
    acct = Accountant(running.model, running.online, running.leases, running.kept, running.counters, clock)
    running.old = OldServers("127.0.0.1", running.counters)
    mover = Mover(running.model, auth, running.old, running.pupil, running.counters, running.notes)
    port = AuthPort(auth_socket, running.model, running.online, running.counters, auth, mover)
    certificate = Certificate(Config(url="", data=running.keys, keys=running.keys), clock)
    port.eap = running.eap = EapServer(auth, running.model, running.counters, running.notes, certificate.context)
    port.serve()
    AcctPort(acct_socket, running.model, running.online, running.counters, acct, mover).serve()
