"""Keeps a read model as fresh as the database: reads all of it once, then the rows that the feed names.

The reader remembers the pg_snapshot of its last poll and takes the news whose transaction that did not see, however
late it was committed: no gap, no stall. NOTIFY only wakes it; it polls every second too. Knows no packets.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.sql import SQL, Identifier

from demarc.radiusd import store, store_moving
from demarc.radiusd.journal import Position
from demarc.radiusd.logins import Row
from demarc.radiusd.model import Model, parse

CHANNEL = "demarc_feed"
POLL_S = 1.0
RETRY_S = 1.0
CONNECT_TIMEOUT_S = 5
RELOAD_S = 12 * 3600
"""The feed is kept for a day; one who has not read it for this long reads everything anew."""

SUBSCRIBER_KINDS = ("subscriber", "due")

log = logging.getLogger(__name__)
Connection = AsyncConnection[Any]
Restore = Callable[[Sequence[Row], Position], None]


class Follower:
    """One reader. `loaded` is set once the model has been read from the database; `reading`: the database answers.

    `restore` gets the sessions at each full reading, with the position of the journal `writer` at that moment.
    """

    def __init__(self, url: str, model: Model, restore: Restore | None = None, writer: str = "") -> None:
        self._url = url
        self._model = model
        self._restore = restore
        self._writer = writer
        self._seen = ""
        self._polled_at = float("-inf")
        self.reading = False
        self.loaded = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled; a database that is away is tried again every second."""
        while True:
            try:
                async with await connect(self._url) as conn:
                    await self._follow(conn)
            except psycopg.Error as error:
                log.warning("the database is away, answers come from memory: %s", " ".join(str(error).split()))
                self.reading = False
                self._seen = ""  # it may come back as a restored one, whose transactions count anew: read everything
            await asyncio.sleep(RETRY_S)

    async def _follow(self, conn: Connection) -> None:
        await listen(conn, CHANNEL)
        while True:
            if not self._seen or monotonic() - self._polled_at > RELOAD_S:
                await self.load(conn)
            else:
                await self._catch_up(conn)
            await woken(conn, POLL_S)

    async def load(self, conn: Connection) -> None:
        """Read everything, as of one moment."""
        self.reading = True
        async with conn.transaction():
            await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            seen = await _one(conn, store.SNAPSHOT_NOW)
            await self._load_network(conn)
            found: set[int] = set()
            async for rows in batches(conn, store.SUBSCRIBERS):
                self._model.put_subscribers(rows)
                found.update(row[0] for row in rows)
            self._model.logins.keep_only(found)
            await self._load_sessions(conn)
        self._mark(seen)
        self.loaded.set()

    async def _catch_up(self, conn: Connection) -> None:
        async with conn.transaction():
            await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            seen = await _one(conn, store.SNAPSHOT_NOW)
            news = await (await conn.execute(store.FEED, {"seen": self._seen})).fetchall()
            subscribers = sorted({int(str(key)) for kind, key in news if kind in SUBSCRIBER_KINDS})
            if any(kind not in SUBSCRIBER_KINDS for kind, _ in news):
                await self._load_network(conn)
            for start in range(0, len(subscribers), store.BATCH):
                await self._reread(conn, subscribers[start : start + store.BATCH])
        self._mark(seen)

    async def _reread(self, conn: Connection, ids: list[int]) -> None:
        rows = await _rows(conn, store.SUBSCRIBERS_NAMED, {"ids": ids})
        self._model.put_subscribers(rows)
        for gone in set(ids).difference(row[0] for row in rows):
            self._model.logins.drop(gone)

    async def _load_sessions(self, conn: Connection) -> None:
        """Who is online, for those who want to know; how far the journal is contained in that."""
        if self._restore is None:
            return
        sessions = [row async for rows in batches(conn, store.LIVE_SESSIONS) for row in rows]
        found = await (await conn.execute(store.BOOKMARK, {"writer": self._writer})).fetchone()
        self._restore(sessions, Position(*found) if found else Position())

    async def _load_network(self, conn: Connection) -> None:
        policies = await _rows(conn, store.POLICIES)
        pools = await _rows(conn, store.POOLS)
        nases, moving = await _rows(conn, store.NASES), await _rows(conn, store_moving.MOVING)
        self._model.put_network(policies, pools, nases, moving)

    def _mark(self, seen: str) -> None:
        self._seen = seen
        self._polled_at = self._model.fresh_at = monotonic()


async def connect(url: str) -> Connection:
    """An autocommit connection; a database that does not answer in time counts as away."""
    return await AsyncConnection.connect(
        url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name="demarc radiusd", prepare_threshold=2
    )


async def listen(conn: Connection, channel: str) -> None:
    """Let this connection be woken by NOTIFY on a channel."""
    await conn.execute(SQL("LISTEN {}").format(Identifier(channel)))


async def woken(conn: Connection, timeout_s: float) -> None:
    """Wait for a NOTIFY on this connection, at most so long."""
    async for _ in conn.notifies(timeout=timeout_s, stop_after=1):
        pass


async def batches(conn: Connection, query: str) -> AsyncIterator[list[Row]]:
    """A large table in batches by id, with room for packets between them."""
    after = 0
    while rows := await _rows(conn, query, {"after": after, "batch": store.BATCH}):
        yield rows
        after = rows[-1][0]
        await asyncio.sleep(0)


async def _rows(conn: Connection, query: str, values: dict[str, object] | None = None) -> list[Row]:
    return parse(await (await conn.execute(query, values)).fetchall())


async def _one(conn: Connection, query: str) -> str:
    row = await (await conn.execute(query)).fetchone()
    if row is None:
        raise psycopg.DatabaseError("no row")
    return str(row[0])
