"""Tells NASes to change or end sessions: claims intents from the database, sends them, and records what came of each.

It alone sends CoA and Disconnect, since many NASes take them only from the RADIUS server's address. Why somebody is
told something is decided elsewhere, what an answer means in core.enforcement; whether accounting bears it out, the
shipper sees. A newer intent about a session makes an older one void.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Address, ip_address
from time import monotonic
from typing import NamedTuple

import psycopg

from demarc.core.enforcement import Order, State, Verdict, judge
from demarc.radiusd import store_coa
from demarc.radiusd.coa_wire import Wire
from demarc.radiusd.config import Config
from demarc.radiusd.feed import Connection, connect, listen, woken
from demarc.radiusd.model import Client, Model
from demarc.wire.radius import (
    Answer,
    SessionIdentity,
    coa_request,
    disconnect_request,
    encode_attributes,
    templates,
)

CHANNEL = "demarc_coa"
POLL_S = 1.0
RETRY_S = 1.0
CLAIM_MAX = 256
PER_NAS_MAX = 192
"""Intents that are under way to one NAS; the rest waits in the database, so that a dead NAS holds up no other. They
leave identifiers free for blocks to be lifted."""

LOOK_S = 15.0
"""How often it is looked for nodes that do not send their orders any more; they are sent from here then."""

SILENT_S = 300.0
WAITED_S = 60.0
"""A node is dead that has said nothing for so long while an order waits for it; half a minute of that is RFC 5080's."""

CUTS_MAX = 4096
"""Sessions to end that wait for the database; after a storm's worth the rest is left to the next login."""

Session = tuple[int, str, str]
"""NAS, Acct-Session-Id, User-Name."""

log = logging.getLogger(__name__)


class Pace(NamedTuple):
    """What one NAS is spared: `at_once` on the wire, `per_s` begun each second. Lifting a block waits for neither.
    `again_s`: how long an intent rests after each round that came to nothing."""

    at_once: int = 16
    per_s: float = 200.0
    again_s: tuple[float, ...] = (30.0, 120.0, 600.0, 1800.0)


USUAL_PACE = Pace()


@dataclass(frozen=True, slots=True)
class Intent:
    """A row of access_coaintent."""

    id: int
    nas_id: int
    kind: str
    unblock: bool
    fair_use: bool
    list_name: str
    rate_limit: str
    user_name: str
    session_id: str
    framed_ipv4: str | None
    tries: int

    @property
    def session(self) -> Session:
        return (self.nas_id, self.session_id, self.user_name)


class Result(NamedTuple):
    """`error_cause` None: the answer named none, or there was none."""

    intent: Intent
    verdict: Verdict
    error_cause: int | None = None


def request(intent: Intent, client: Client, identifier: int, at: datetime) -> bytes:
    """The packet. A disconnect names the session and nothing else (RFC 5176 section 3); it is sent, too, for a change
    that this make has no attributes for."""
    nas_ip = ip_address(client.address)
    identity = SessionIdentity(
        user_name=intent.user_name,
        session_id=intent.session_id,
        framed_ipv4=IPv4Address(intent.framed_ipv4) if intent.framed_ipv4 else None,
        nas_ip=nas_ip if isinstance(nas_ip, IPv4Address) else None,
    )
    changes = _changes(intent, client) if intent.kind == Order.COA else b""
    if not changes:
        return disconnect_request(identifier, identity, at, client.secret)
    return coa_request(identifier, identity, changes, at, client.secret)


def _changes(intent: Intent, client: Client) -> bytes:
    answers = client.answers
    if intent.fair_use:
        lines = answers.coa_fair_restore if intent.unblock else answers.coa_fair_use
    else:
        lines = answers.coa_restore if intent.unblock else answers.coa_block
    facts = templates.facts_of_rate(intent.rate_limit, login=intent.user_name, list_name=intent.list_name)
    return encode_attributes(templates.render(lines, facts))


class Gate:
    """Lets the orders of one NAS through at its pace, in the order they came. `room`: for those that have been sent,
    and are not answered yet."""

    def __init__(self, pace: Pace) -> None:
        self.room = asyncio.Semaphore(PER_NAS_MAX)
        self._turns = asyncio.Semaphore(pace.at_once)
        self._apart_s = 1 / pace.per_s
        self._next_at = float("-inf")

    async def __aenter__(self) -> None:
        await self._turns.acquire()
        now = asyncio.get_running_loop().time()
        self._next_at, wait_s = max(self._next_at, now) + self._apart_s, self._next_at - now
        if wait_s > 0:
            try:
                await asyncio.sleep(wait_s)
            except asyncio.CancelledError:
                self._turns.release()
                raise

    async def __aexit__(self, *_: object) -> None:
        self._turns.release()


class Sender:
    """Works off the intents of the NASes whose packets reach this process. `gone`: called with a session that its NAS
    does not know any more."""

    def __init__(
        self, config: Config, model: Model, wire: Wire, clock: Callable[[], datetime],
        gone: Callable[[Session], None], pace: Pace = USUAL_PACE,
    ) -> None:  # fmt: skip
        self._config = config
        self._model = model
        self._wire = wire
        self._clock = clock
        self._gone = gone
        self._pace = pace
        self._tasks: dict[Session, asyncio.Task[None]] = {}
        self._under_way: Counter[int] = Counter()
        self._gates: dict[int, Gate] = {}
        self._results: list[Result] = []
        self._cuts: list[Session] = []
        self._dead: list[str] = []
        self._look_at = 0.0
        self._told = asyncio.Event()

    def cut(self, session: Session) -> None:
        """Let a session of ours be ended, since another takes its place. It waits for its turn as a block does."""
        if len(self._cuts) < CUTS_MAX:
            self._cuts.append(session)
            self._told.set()

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
        await self._again(conn, self._config.node, since_s=0.0)
        self._look_at = float("-inf")
        while True:
            if monotonic() >= self._look_at:
                await self._look_for_dead(conn)
            count = max([await self._claim(conn, node) for node in (self._config.node, *self._dead)])
            if count < CLAIM_MAX:
                await woken(conn, POLL_S)

    async def _again(self, conn: Connection, node: str, since_s: float) -> None:
        """What this node sent longer than `since_s` ago, and never heard an answer to, waits again."""
        mine = [client.id for client in self._model.clients.values() if self._config.owns(client.address)]
        await conn.execute(store_coa.ORPHANS, {"node": node, "nases": mine, "since_s": since_s})

    async def _look_for_dead(self, conn: Connection) -> None:
        """Routers take orders from any of their RADIUS servers: better from here than never."""
        self._look_at = monotonic() + LOOK_S
        values = {"node": self._config.node, "silent_s": SILENT_S, "waited_s": WAITED_S}
        dead = [node for (node,) in await (await conn.execute(store_coa.DEAD_NODES, values)).fetchall()]
        if dead and dead != self._dead:
            log.warning("sending the orders of nodes that are silent: %s", ", ".join(dead))
        self._dead = dead
        for node in dead:
            await self._again(conn, node, since_s=WAITED_S)

    async def _claim(self, conn: Connection, node: str) -> int:
        mine = [c.id for c in self._model.clients.values() if c.coa_enabled and self._config.owns(c.address)]
        values = {
            "node": node,
            "nases": [nas_id for nas_id in mine if self._under_way[nas_id] < PER_NAS_MAX],
            "urgent": [nas_id for nas_id in mine if self._under_way[nas_id] < 2 * PER_NAS_MAX],
            "limit": CLAIM_MAX,
        }
        intents = [Intent(*row) for row in await (await conn.execute(store_coa.CLAIM, values)).fetchall()]
        for intent in sorted(intents, key=lambda intent: (not intent.unblock, intent.id)):
            older = self._tasks.get(intent.session)
            if older is not None:
                older.cancel()
            self._under_way[intent.nas_id] += 1
            self._tasks[intent.session] = asyncio.create_task(self._deliver(intent))
        return len(intents)

    async def _deliver(self, intent: Intent) -> None:
        try:
            client = self._model.clients_by_id.get(intent.nas_id)
            answer = await self._in_turn(intent, client) if client else None
            self._results.append(self._result(intent, answer))
        except asyncio.CancelledError:
            self._results.append(Result(intent, Verdict(State.SUPERSEDED)))
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
        gate = self._gates.get(client.id)
        if gate is None:
            gate = self._gates[client.id] = Gate(self._pace)
        async with gate.room:
            return await self._wire.ask(client, make, gate)

    def _result(self, intent: Intent, answer: Answer | None) -> Result:
        cause = answer.error_cause if answer else None
        verdict = judge(Order(intent.kind), answer.acknowledged if answer else None, cause, intent.tries)
        if verdict.state is State.GONE:
            self._gone(intent.session)
        return Result(intent, verdict, cause)

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
        if self._cuts:
            cuts = [dict(zip(("nas_id", "session_id", "user_name"), session, strict=True)) for session in self._cuts]
            await conn.execute(store_coa.CUT, {"rows": json.dumps(cuts)})
            del self._cuts[: len(cuts)]
        results = list(self._results)
        if not results:
            return
        rows = [self._row(result) for result in results]
        listed = [
            {
                "nas_id": intent.nas_id,
                "session_id": intent.session_id,
                "user_name": intent.user_name,
                "list_name": intent.list_name,
            }
            for intent, verdict, _ in results
            if verdict.state is State.ACK and intent.kind == Order.COA
        ]
        async with conn.transaction():
            await conn.execute(store_coa.RECORD, {"rows": json.dumps(rows)})
            if listed:
                await conn.execute(store_coa.PUT_IN_LIST, {"rows": json.dumps(listed)})
        del self._results[: len(results)]

    def _row(self, result: Result) -> dict[str, object]:
        rests = self._pace.again_s
        return {
            "id": result.intent.id,
            "state": result.verdict.state.value,
            "error_cause": result.error_cause,
            "again_s": rests[min(result.intent.tries, len(rests)) - 1],
            "cut": result.verdict.cut,
        }
