"""Tells NASes to change or end sessions: claims intents from the database, sends them, repeats, records the answers.

It alone sends CoA and Disconnect, since many NASes take them only from the RADIUS server's address. Why somebody is
told something is decided elsewhere; here a newer intent about a session makes an older one void.
"""

import asyncio
import json
import logging
import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, ip_address

import psycopg

from demarc.radiusd import store_coa
from demarc.radiusd.config import Config
from demarc.radiusd.counters import Counters
from demarc.radiusd.feed import Connection, connect, listen, woken
from demarc.radiusd.model import Client, Model
from demarc.wire.radius import (
    Answer,
    Malformed,
    SessionIdentity,
    Value,
    coa_request,
    disconnect_request,
    encode_attributes,
    parse_answer,
)
from demarc.wire.radius.coa import SESSION_NOT_FOUND

CHANNEL = "demarc_coa"
POLL_S = 1.0
RETRY_S = 1.0
DATAGRAM_MAX = 4096
IDENTIFIERS = 256
CLAIM_MAX = 256
PER_NAS_MAX = 64
"""Intents that are under way to one NAS; the rest waits in the database, so that a dead NAS holds up no other."""

AT_ONCE_PER_NAS = 16
"""Of these, how many are on the wire at a time; lifting a block need not wait for its turn."""

FIRST_WAIT_S, LONGEST_WAIT_S, GIVE_UP_S, SENDS_MAX = 2.0, 16.0, 30.0, 5
"""RFC 5080 section 2.2.1: IRT, MRT, MRD and MRC."""

AGAIN_S = (30.0, 120.0, 600.0, 1800.0)
"""How long to wait with an intent that got no answer before it is sent once more."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Intent:
    """A row of access_coaintent. `session`: NAS, Acct-Session-Id, User-Name."""

    id: int
    nas_id: int
    kind: str
    unblock: bool
    list_name: str
    rate_limit: str
    user_name: str
    session_id: str
    framed_ipv4: str | None
    tries: int

    @property
    def session(self) -> tuple[int, str, str]:
        return (self.nas_id, self.session_id, self.user_name)


def waits(jitter: Callable[[], float] = lambda: random.uniform(-0.1, 0.1)) -> Iterator[float]:
    """How long to wait for an answer after each sending, in seconds; `jitter` gives -0.1 to 0.1."""
    wait_s, left_s = FIRST_WAIT_S * (1 + jitter()), GIVE_UP_S
    for _ in range(SENDS_MAX):
        if left_s <= 0:
            return
        yield min(wait_s, left_s)
        left_s -= wait_s
        wait_s = min(wait_s * (2 + jitter()), LONGEST_WAIT_S * (1 + jitter()))


def request(intent: Intent, client: Client, identifier: int, at: datetime) -> bytes:
    """The packet. A disconnect names the session and nothing else (RFC 5176 section 3)."""
    nas_ip = ip_address(client.address)
    identity = SessionIdentity(
        user_name=intent.user_name,
        session_id=intent.session_id,
        framed_ipv4=IPv4Address(intent.framed_ipv4) if intent.framed_ipv4 else None,
        nas_ip=nas_ip if isinstance(nas_ip, IPv4Address) else None,
    )
    if intent.kind == "disconnect":
        return disconnect_request(identifier, identity, at, client.secret)
    changes: list[tuple[str, Value]] = []
    if intent.list_name:
        changes.append(("Mikrotik-Address-List" if client.mikrotik else "Filter-Id", intent.list_name))
    if intent.rate_limit and client.mikrotik:
        changes.append(("Mikrotik-Rate-Limit", intent.rate_limit))
    return coa_request(identifier, identity, encode_attributes(changes), at, client.secret)


class Wire:
    """One socket: requests out, answers matched to them."""

    def __init__(self, bind: str, counters: Counters) -> None:
        family = socket.AF_INET6 if ip_address(bind).version == 6 else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.bind((bind, 0))
        self._counters = counters
        self._waiting: dict[tuple[str, int], asyncio.Future[bytes]] = {}
        self._next: Counter[str] = Counter()
        asyncio.get_running_loop().add_reader(self._sock, self._read)

    async def ask(self, client: Client, make: Callable[[int], bytes]) -> Answer | None:
        """Send what `make` makes of an identifier until it is answered; None when it never was."""
        place = self._place(client.address)
        if place is None:
            return None
        packet = make(place[1])
        try:
            for wait_s in waits():
                self._send(packet, client)
                answer = await self._answer(place, wait_s, packet, client)
                if answer is not None:
                    return answer
            return None
        finally:
            self._waiting.pop(place, None)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()

    def _place(self, address: str) -> tuple[str, int] | None:
        """A free identifier towards this NAS; None if all 256 are in use."""
        for _ in range(IDENTIFIERS):
            self._next[address] = (self._next[address] + 1) % IDENTIFIERS
            place = (address, self._next[address])
            if place not in self._waiting:
                self._waiting[place] = asyncio.get_running_loop().create_future()
                return place
        return None

    async def _answer(self, place: tuple[str, int], wait_s: float, packet: bytes, client: Client) -> Answer | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while (left_s := until - loop.time()) > 0:
            self._waiting[place] = loop.create_future()
            try:
                datagram = await asyncio.wait_for(self._waiting[place], left_s)
                return parse_answer(datagram, packet, client.secret)
            except TimeoutError:
                return None
            except Malformed:
                self._counters.dropped["coa_answer"] += 1
        return None

    def _send(self, packet: bytes, client: Client) -> None:
        self._counters.coa_sent += 1
        try:
            self._sock.sendto(packet, (client.address, client.coa_port))
        except OSError:
            self._counters.dropped["coa_send"] += 1  # not reachable now; it is repeated like a lost packet

    def _read(self) -> None:
        try:
            datagram, source = self._sock.recvfrom(DATAGRAM_MAX)
        except OSError:
            return
        waiting = self._waiting.get((source[0].removeprefix("::ffff:"), datagram[1] if len(datagram) > 1 else -1))
        if waiting is not None and not waiting.done():
            waiting.set_result(datagram)


class Sender:
    """Works off the intents of the NASes whose packets reach this process. `gone`: called with a session that its NAS
    does not know any more."""

    def __init__(
        self, config: Config, model: Model, wire: Wire, clock: Callable[[], datetime],
        gone: Callable[[tuple[int, str, str]], None],
    ) -> None:  # fmt: skip
        self._config = config
        self._model = model
        self._wire = wire
        self._clock = clock
        self._gone = gone
        self._tasks: dict[tuple[int, str, str], asyncio.Task[None]] = {}
        self._under_way: Counter[int] = Counter()
        self._turns: dict[int, asyncio.Semaphore] = {}
        self._results: list[tuple[Intent, str, int | None]] = []
        self._told = asyncio.Event()

    async def run(self) -> None:
        """Claim and send until cancelled; a database that is away is tried again every second."""
        recorder = asyncio.create_task(self._record())
        try:
            while True:
                try:
                    async with await connect(self._config.url) as conn:
                        await self._claim_on(conn)
                except psycopg.Error as error:
                    log.warning("CoA waits for the database: %s", " ".join(str(error).split()))
                await asyncio.sleep(RETRY_S)
        finally:
            for task in [recorder, *self._tasks.values()]:
                task.cancel()

    async def _claim_on(self, conn: Connection) -> None:
        await listen(conn, CHANNEL)
        mine = [client.id for client in self._model.clients.values() if self._config.owns(client.address)]
        await conn.execute(store_coa.ORPHANS, {"node": self._config.node, "nases": mine})
        while True:
            count = await self._claim(conn)
            if count < CLAIM_MAX:
                await woken(conn, POLL_S)

    async def _claim(self, conn: Connection) -> int:
        nases = [
            client.id
            for client in self._model.clients.values()
            if client.coa_enabled and self._under_way[client.id] < PER_NAS_MAX and self._config.owns(client.address)
        ]
        values = {"node": self._config.node, "nases": nases, "limit": CLAIM_MAX}
        intents = [Intent(*row) for row in await (await conn.execute(store_coa.CLAIM, values)).fetchall()]
        for intent in sorted(intents, key=lambda intent: (not intent.unblock, intent.id)):
            older = self._tasks.get(intent.session)
            if older is not None:
                older.cancel()
            self._tasks[intent.session] = asyncio.create_task(self._deliver(intent))
            self._under_way[intent.nas_id] += 1
        return len(intents)

    async def _deliver(self, intent: Intent) -> None:
        try:
            client = self._model.clients_by_id.get(intent.nas_id)
            answer = await self._in_turn(intent, client) if client else None
            self._results.append((intent, *self._verdict(intent, answer)))
        except asyncio.CancelledError:
            self._results.append((intent, "superseded", None))
            raise
        finally:
            self._told.set()
            self._under_way[intent.nas_id] -= 1
            if self._tasks.get(intent.session) is asyncio.current_task():
                del self._tasks[intent.session]

    async def _in_turn(self, intent: Intent, client: Client) -> Answer | None:
        def make(identifier: int) -> bytes:
            return request(intent, client, identifier, self._clock())

        if intent.unblock:
            return await self._wire.ask(client, make)
        async with self._turns.setdefault(client.id, asyncio.Semaphore(AT_ONCE_PER_NAS)):
            return await self._wire.ask(client, make)

    def _verdict(self, intent: Intent, answer: Answer | None) -> tuple[str, int | None]:
        if answer is None:
            return "no_answer", None
        if answer.error_cause == SESSION_NOT_FOUND:
            self._gone(intent.session)
            if intent.kind == "disconnect":
                return "ack", answer.error_cause  # gone already, which is what was wanted
        return "ack" if answer.acknowledged else "nak", answer.error_cause

    async def _record(self) -> None:
        while True:
            try:
                async with await connect(self._config.url) as conn:
                    while True:
                        await self._told.wait()
                        self._told.clear()
                        await self._write(conn)
            except psycopg.Error as error:
                log.warning("CoA answers wait for the database: %s", " ".join(str(error).split()))
                self._told.set()
            await asyncio.sleep(RETRY_S)

    async def _write(self, conn: Connection) -> None:
        results = list(self._results)
        if not results:
            return
        rows = [
            {"id": intent.id, "state": state, "error_cause": cause, "again_s": AGAIN_S[min(intent.tries, 4) - 1]}
            for intent, state, cause in results
        ]
        listed = [
            {
                "nas_id": intent.nas_id,
                "session_id": intent.session_id,
                "user_name": intent.user_name,
                "list_name": intent.list_name,
            }
            for intent, state, _ in results
            if state == "ack" and intent.kind == "coa"
        ]
        async with conn.transaction():
            await conn.execute(store_coa.RECORD, {"rows": json.dumps(rows)})
            if listed:
                await conn.execute(store_coa.PUT_IN_LIST, {"rows": json.dumps(listed)})
        del self._results[: len(results)]
