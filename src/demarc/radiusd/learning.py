"""Writes down the MACs that were taken as a customer's own. Not urgent: here they count at once."""

import asyncio
import contextlib

import psycopg

from demarc.radiusd import store_learning
from demarc.radiusd.config import Config
from demarc.radiusd.feed import connect

WRITE_S = 1.0
WAITING_MAX = 10_000


class Learning:
    """What one process learned and the database does not know yet."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._waiting: dict[tuple[int, str], None] = {}

    def learn(self, subscriber_id: int, mac: str) -> None:
        """This MAC is his. When too many wait it is learned again at a later login."""
        if len(self._waiting) < WAITING_MAX:
            self._waiting[subscriber_id, mac] = None

    async def run(self) -> None:
        """Write until cancelled; while the database is away they wait."""
        while True:
            await asyncio.sleep(WRITE_S)
            if self._waiting:
                with contextlib.suppress(psycopg.Error):
                    await self._write()

    async def _write(self) -> None:
        async with await connect(self._config.url) as conn:
            for subscriber_id, mac in list(self._waiting):
                await conn.execute(store_learning.LEARN, {"subscriber": subscriber_id, "mac": mac})
                del self._waiting[subscriber_id, mac]
