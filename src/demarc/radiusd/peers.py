"""Sessions elsewhere: what the radiusd processes, of this node and of others, tell one another of who is online.

A shipper announces the sessions that a batch was about, by NOTIFY in the batch's own transaction, if there is another
process: heard when it is true, and not before. Whoever listens reads all sessions first, and again now and then.
Simultaneous use is so exact within a process, and a fraction of a second behind the others; an address of ours that a
session elsewhere is on, after its NAS turned to another node, is not handed out. Asks nothing on the packet path.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from time import monotonic
from typing import Any

import psycopg

from demarc.radiusd import store, store_shipping
from demarc.radiusd.acct import Accountant
from demarc.radiusd.config import Config
from demarc.radiusd.counters import Counters
from demarc.radiusd.feed import Connection, batches, connect, listen
from demarc.radiusd.online import Key
from demarc.radiusd.tally import Tally

CHANNEL = "demarc_sessions"
PAYLOAD_BYTES_MAX = 7900
"""PostgreSQL takes less than 8000."""

BATCH_MAX = "5s"
KEY_LENGTH = 3
RETRY_S = 1.0
RELOAD_S = 3600.0
"""What ended without accounting, as the silent do, is announced by nobody."""

_compact = json.JSONEncoder(separators=(",", ":")).encode
log = logging.getLogger(__name__)
Told = Sequence[Any]


def announcements(writer: str, work: Tally, *, others: bool) -> Iterator[str]:
    """The payloads that tell of these sessions: `[writer, [[nas, session id, user name, ...], ...]]`.

    A session that is on has subscriber, service, station, port, address, start and last sign of life (seconds since
    1970) besides; one that is over has nothing more. Without `others` only those that are over: our own process may
    have read them while they were on (see Hearer.take).
    """
    head = f"[{json.dumps(writer)},["
    told: list[str] = []
    size = len(head)
    for row in _rows(work, others=others):
        text = _compact(row)
        if told and size + len(text) + len(told) + 2 > PAYLOAD_BYTES_MAX:
            yield f"{head}{','.join(told)}]]"
            told, size = [], len(head)
        told.append(text)
        size += len(text)
    if told:
        yield f"{head}{','.join(told)}]]"


def _rows(work: Tally, *, others: bool) -> Iterator[list[Any]]:
    for (nas_id, _, session_id, user_name), held in work.held.items():
        key = [nas_id, session_id, user_name]
        if not held.open:
            yield key
        elif others and held.heard is not None:
            session, row = held.session, held.row
            address = str(session.framed_ipv4) if session.framed_ipv4 else None
            place = [row["calling_station"], row["nas_port_id"], address]
            times = [session.started_at.timestamp(), session.updated_at.timestamp()]
            yield [*key, row["subscriber_id"], row["service_id"], *place, *times]


class Hearer:
    """Listens to the others, and tells `acct` who is online with them."""

    def __init__(self, config: Config, acct: Accountant, counters: Counters, clock: Callable[[], datetime]) -> None:
        self._url = config.url
        self._writer = config.writer
        self._acct = acct
        self._counters = counters
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled; a database that is away is tried again every second."""
        while True:
            try:
                async with await connect(self._url) as conn:
                    await conn.execute(f"SET lock_timeout = '{BATCH_MAX}'")
                    await listen(conn, CHANNEL)
                    while True:
                        await self._register(conn)
                        await self._read_all(conn)
                        await self._hear(conn, monotonic() + RELOAD_S)
            except psycopg.Error as error:
                log.warning("sessions elsewhere wait for the database: %s", " ".join(str(error).split()))
            await asyncio.sleep(RETRY_S)

    async def _register(self, conn: Connection) -> None:
        """Make it known that we listen, and wait for the batches of those who did not know it when they began."""
        await conn.execute(store_shipping.REGISTER, {"writer": self._writer})
        try:
            await conn.execute(store_shipping.BATCHES_UNDER_WAY, {"writer": self._writer})
        except psycopg.errors.LockNotAvailable:
            log.warning("a batch of another process takes longer than %s; what it tells may be missed", BATCH_MAX)

    async def _hear(self, conn: Connection, until: float) -> None:
        async for notice in conn.notifies(timeout=max(until - monotonic(), 0.0)):
            self.take(notice.payload)

    async def _read_all(self, conn: Connection) -> None:
        """All that are on, as the database has them; those elsewhere that it has no more are over.

        An announcement that came in between is heard afterwards.
        """
        found: set[Key] = set()
        async for rows in batches(conn, store.LIVE_SESSIONS):
            steady, now_s = monotonic(), self._clock().timestamp()
            for row in rows:
                _, nas_id, session_id, user_name, subscriber_id, service_id, station, port, _, address, *times = row[
                    :12
                ]
                told = (nas_id, session_id, user_name, subscriber_id, service_id, station, port, address, *times)
                found.add(told[:3])
                self._acct.elsewhere(told, steady, now_s, read=True)
        self._acct.keep_elsewhere(found)

    def take(self, payload: str) -> None:
        """One announcement. Of our own only what is over matters, for we may have read it when it was still on."""
        writer, rows = json.loads(payload)
        steady, now_s = monotonic(), self._clock().timestamp()
        for row in rows:
            if len(row) == KEY_LENGTH:
                self._acct.over_elsewhere((row[0], row[1], row[2]), ours=writer == self._writer)
            elif writer != self._writer:
                self._acct.elsewhere(row, steady, now_s)
                self._counters.told += 1
