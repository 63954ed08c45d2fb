"""Keeps the pages' read model up to date: all of it now and then, the news every second, a file for bad days.

Without a database the model stays as it is; after a start without one it comes from the file. It answers nobody.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import LiteralString

import psycopg

from demarc.radiusd import store, store_pages
from demarc.radiusd.feed import SUBSCRIBER_KINDS, Connection, batches, connect
from demarc.radiusd.logins import Row
from demarc.radiusd.model import parse
from demarc.radiusd.pages_model import PagesModel

POLL_S = 1.0
RETRY_S = 1.0
ALL_AGAIN_S = 60.0
"""How long an ended session, or a fact that no news names, may be believed."""

SAVE_AGAIN_S = 300.0
PATIENCE_S = 60.0
OVERLAP_S = 5.0
"""Sessions are read again from so long before the newest one known: transactions do not end in order."""

_LAST_LINE = "end"

log = logging.getLogger(__name__)


class Follower:
    """A full reading replaces `model`; news changes it in place."""

    def __init__(self, url: str, file: Path) -> None:
        self.model = PagesModel()
        self._url = url
        self._file = file
        self._saved_at = float("-inf")
        self._seen = ""

    def start_from_file(self) -> None:
        """Take the model from the file, unless there is none that is whole."""
        fresh, kind = PagesModel(), ""
        try:
            with self._file.open(encoding="utf-8") as lines:
                for line in lines:
                    kind, rows = json.loads(line)
                    _take(fresh, kind, rows)
        except (OSError, ValueError, TypeError, LookupError) as error:
            log.info("no read model from an earlier life: %s", error)
            return
        if kind == _LAST_LINE:
            self.model = fresh

    async def run(self) -> None:
        """Follow until cancelled. A database that goes away is mentioned once, and once when it is back."""
        away = False
        while True:
            try:
                async with await connect(self._url) as conn:
                    await self._read_all(conn)
                    if away:
                        log.warning("the database is back")
                    away = False
                    await self._keep_up(conn)
            except (psycopg.Error, OSError, TimeoutError) as error:
                if not away:
                    log.warning("the database is away, pages come from memory: %s", " ".join(str(error).split()))
                away = True
            await asyncio.sleep(RETRY_S)

    async def _keep_up(self, conn: Connection) -> None:
        read_at = monotonic()
        while True:
            if monotonic() - self._saved_at > SAVE_AGAIN_S:
                await self._save(conn)
            await asyncio.sleep(POLL_S)
            if monotonic() - read_at > ALL_AGAIN_S:
                await self._read_all(conn)
                read_at = monotonic()
            else:
                await self._read_news(conn)

    async def _read_all(self, conn: Connection) -> None:
        fresh = PagesModel()
        async with asyncio.timeout(PATIENCE_S):
            self._seen = await _snapshot(conn)
            async for kind, rows in _everything(conn):
                _take(fresh, kind, rows)
        self.model = fresh

    async def _read_news(self, conn: Connection) -> None:
        async with asyncio.timeout(PATIENCE_S):
            seen = await _snapshot(conn)
            news = await (await conn.execute(store.FEED, {"seen": self._seen})).fetchall()
            ids = sorted({int(str(key)) for kind, key in news if kind in SUBSCRIBER_KINDS})
            if any(kind not in SUBSCRIBER_KINDS for kind, _ in news):
                self.model.put_providers(await _rows(conn, store_pages.PROVIDERS))
                self.model.put_pools(await _rows(conn, store_pages.POOLS))
            for start in range(0, len(ids), store.BATCH):
                await self._read_again(conn, ids[start : start + store.BATCH])
            since = self.model.sessions_until - OVERLAP_S
            self.model.put_sessions(await _rows(conn, store_pages.SESSIONS_SINCE, {"since": since}))
            self._seen = seen

    async def _read_again(self, conn: Connection, ids: list[int]) -> None:
        rows = await _rows(conn, store_pages.STANDINGS_NAMED, {"ids": ids})
        self.model.put_standings(rows)
        for gone in set(ids).difference(row[0] for row in rows):
            self.model.drop_standing(gone)

    async def _save(self, conn: Connection) -> None:
        """Write everything to the file. A disk that is full costs the file, not the pages."""
        self._saved_at = monotonic()
        fresh = self._file.with_suffix(".new")
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
                async with asyncio.timeout(PATIENCE_S):
                    async for kind, rows in _everything(conn):
                        out.write(json.dumps([kind, rows]) + "\n")
                out.write(json.dumps([_LAST_LINE, []]) + "\n")
            fresh.replace(self._file)
        except OSError as error:
            log.warning("the read model could not be saved: %s", error)


def _take(model: PagesModel, kind: str, rows: list[Row]) -> None:
    take = {
        "providers": model.put_providers,
        "pools": model.put_pools,
        "standings": model.put_standings,
        "sessions": model.put_sessions,
    }
    if kind != _LAST_LINE:
        take[kind](rows)


async def _everything(conn: Connection) -> AsyncIterator[tuple[str, list[Row]]]:
    yield "providers", await _rows(conn, store_pages.PROVIDERS)
    yield "pools", await _rows(conn, store_pages.POOLS)
    async for rows in batches(conn, store_pages.STANDINGS):
        yield "standings", rows
    async for rows in batches(conn, store_pages.SESSIONS):
        yield "sessions", rows


async def _rows(conn: Connection, query: LiteralString, values: dict[str, object] | None = None) -> list[Row]:
    return parse(await (await conn.execute(query, values)).fetchall())


async def _snapshot(conn: Connection) -> str:
    row = await (await conn.execute(store.SNAPSHOT_NOW)).fetchone()
    if row is None:
        raise psycopg.DatabaseError("no snapshot")
    return str(row[0])
