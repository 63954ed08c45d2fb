"""The addresses and IPv6 prefixes this process may hand out: blocks leased from pools ahead of need, given from memory.

Which address whom is core.addressing; blocks come from the database and who has which address goes there, behind the
packets (see `Leasing`). A restart goes on with its blocks: who is online keeps his address, and so does for a while who
was promised one just before (see `promises`). Where that is not known for sure, the old blocks wait.
"""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Network
from time import monotonic
from typing import Any

import psycopg

from demarc.core import addressing
from demarc.core.addressing import Place, Prefixes, Span, number_of
from demarc.radiusd import store_leases
from demarc.radiusd.config import Config
from demarc.radiusd.feed import Connection, connect
from demarc.radiusd.model import Client, Model
from demarc.radiusd.online import Online
from demarc.radiusd.promises import Promises
from demarc.wire.radius import Packet, keys

HOLD_MIN = timedelta(minutes=10)
LOW_WATER_MIN, LOW_WATER_MAX = 8, 4096
"""A quarter of the pool is kept ready, within these: enough for what is asked while a block is fetched."""

POLL_S = 0.5
RETRY_S = 1.0
EMPTY_S = 10.0
"""How long a pool counts as used up after the database had no free block of it."""

PERSIST_MAX = 1000
STRANGERS_MAX = 8192
EARLIER_STRANGERS = 1 << 40
"""Strangers are numbered anew in each life; those of the last one are nobody's any more."""

log = logging.getLogger(__name__)


class Leases:
    """What of the pools is in our hands."""

    def __init__(self, model: Model, promises: Promises) -> None:
        self._model = model
        self._promises = promises
        self._books: dict[int, addressing.Leases] = {}
        self._never_filled: set[int] = set()
        self._block_size: dict[int, int] = {}
        self._empty_until: dict[int, float] = {}
        self._strangers: OrderedDict[tuple[int, bytes], int] = OrderedDict()
        self.given: dict[tuple[int, int], Place] = {}
        self.short = asyncio.Event()

    def take(
        self, service_id: int, pool_ids: tuple[int, ...], now: datetime, *, another: bool = False
    ) -> IPv4Address | None:
        """An address for the service from the first of these pools that has one; `another`: none it has already."""
        place = self._take(service_id, pool_ids, now, another)
        return place if isinstance(place, IPv4Address) else None

    def take_prefix(
        self, service_id: int, pool_ids: tuple[int, ...], now: datetime, *, another: bool = False
    ) -> IPv6Network | None:
        """The same for an IPv6 prefix, from pools of those."""
        place = self._take(service_id, pool_ids, now, another)
        return place if isinstance(place, IPv6Network) else None

    def _take(self, service_id: int, pool_ids: tuple[int, ...], now: datetime, another: bool) -> Place | None:
        for pool_id in pool_ids:
            book = self._books.get(pool_id) or self._book(pool_id)
            if book is None:
                continue
            address = book.take(service_id, pool_id, now, another=another)
            if address is not None and not self._promises.note(pool_id, service_id, address, now):
                return address  # the one he had: nothing is less, nothing is new
            if book.short_of(pool_id):
                self.short.set()
            if address is not None:
                if service_id > 0:
                    self.given[pool_id, service_id] = address
                return address
        return None

    def stranger(self, packet: Packet, client: Client) -> int:
        """A number (negative) for somebody without a service, by his device or name: asking again he keeps his address.

        Only so many are remembered; names are free to invent, addresses are not.
        """
        who = (client.id, packet.first.get(keys.CALLING_STATION_ID) or packet.first.get(keys.USER_NAME, b""))
        number = self._strangers.pop(who, None)
        if number is None:
            full = len(self._strangers) >= STRANGERS_MAX
            number = self._strangers.popitem(last=False)[1] if full else -1 - len(self._strangers)
        self._strangers[who] = number
        return number

    def arriving(self, pool_ids: tuple[int, ...]) -> bool:
        """Whether one of these pools may have an address in a moment."""
        return any(pool in self._books and self._empty_until.get(pool, 0) < monotonic() for pool in pool_ids)

    def confirm(self, service_id: int, address: Place, session: Hashable) -> None:
        """Accounting shows the session on the address."""
        pool = self._model.pool_of(address)
        if pool is not None and pool.id in self._books:
            self._books[pool.id].confirm(service_id, address, session)

    def release(self, address: Place, session: Hashable) -> None:
        """The session on the address ended."""
        pool = self._model.pool_of(address)
        if pool is not None and pool.id in self._books:
            self._books[pool.id].release(address, session)

    def add(self, pool_id: int, block: Span | Prefixes) -> None:
        """A fresh block."""
        book, part = self._book(pool_id), self._part(pool_id, block)
        if book is not None and part is not None:
            book.add(pool_id, part)
            self._never_filled.discard(pool_id)
            self._block_size[pool_id] = len(block)

    def recover(self, blocks: Iterable[Sequence[Any]], online: Online, now: datetime, *, ours: bool = True) -> None:
        """Take blocks (pool, first, last) of an earlier life, `ours` or another process's: what may be in use waits.

        With our own, that is what was promised lately; with the others all that nobody is online with.
        """
        for pool_id, first, last in blocks:
            block = self.block(pool_id, first, last)
            book, part = self._book(pool_id), self._part(pool_id, block) if block else None
            if book is None or part is None:
                continue
            if ours and self._promises.whole:
                book.add(pool_id, part)
            else:
                book.quarantine(pool_id, part, now + self.hold)
        self._confirm_all(online)
        for pool_id, service_id, number, at_s in self._promises.told:
            until = datetime.fromtimestamp(at_s, UTC) + self.hold
            book = self._books.get(pool_id)
            if book is not None and until > now:
                address = self._model.pools[pool_id].span.place(number)
                book.promise(service_id if service_id > 0 else service_id - EARLIER_STRANGERS, address, until)

    def _confirm_all(self, online: Online) -> None:
        for session in online.sessions.values():
            if session.service_id is not None:
                for place in session.held():
                    self.confirm(session.service_id, place, session.key)

    def write_down(self) -> None:
        """To be called before an answer leaves: what it promises is known to our next life."""
        self._promises.write()

    def wanted(self) -> list[int]:
        """The pools that need another block and may have one."""
        now = monotonic()
        return [
            pool_id for pool_id, book in self._books.items()
            if (book.wanted() or pool_id in self._never_filled) and self._empty_until.get(pool_id, 0) < now
        ]  # fmt: skip

    def blocks_at_once(self, pool_id: int) -> int:
        """How many blocks to fetch together: as many addresses as are kept ready; one, until their size is known."""
        return max(self._ready(pool_id) // self._block_size.get(pool_id, LOW_WATER_MAX), 1)

    def used_up(self, pool_id: int) -> None:
        """The database has no free block of this pool now."""
        self._empty_until[pool_id] = monotonic() + EMPTY_S

    @property
    def hold(self) -> timedelta:
        """How long an address that nobody confirms is kept: two interim intervals of the slowest NAS."""
        interim_s = max((client.interim_s for client in self._model.clients.values()), default=0)
        return max(HOLD_MIN, timedelta(seconds=2 * interim_s))

    def prepare(self) -> None:
        """Open a book for each pool that sessions get addresses from, so that blocks are there before they are asked
        for."""
        for pool in self._model.pools.values():
            if pool.kind != "static":
                self._book(pool.id)

    def _book(self, pool_id: int) -> addressing.Leases | None:
        book = self._books.get(pool_id)
        if book is None and pool_id in self._model.pools:
            book = self._books[pool_id] = addressing.Leases(self.hold, self._ready(pool_id))
            self._never_filled.add(pool_id)
        return book

    def _ready(self, pool_id: int) -> int:
        pool = self._model.pools.get(pool_id)
        return min(max(len(pool.span) // 4, LOW_WATER_MIN), LOW_WATER_MAX) if pool else LOW_WATER_MIN

    def block(self, pool_id: int, first: str, last: str) -> Span | Prefixes | None:
        """A block as the database writes it; None when its pool is no more."""
        pool = self._model.pools.get(pool_id)
        return pool.block(first, last) if pool else None

    def _part(self, pool_id: int, block: Span | Prefixes) -> Span | Prefixes | None:
        """The part of a block that is in the pool, whose range may have been changed."""
        pool = self._model.pools.get(pool_id)
        if pool is None:
            return None
        first = max(number_of(block.first), number_of(pool.span.first))
        last = min(number_of(block.last), number_of(pool.span.last))
        return block.between(first, last) if first <= last else None


class Leasing:
    """Fetches blocks before they are needed and writes down who has which address. Off the packet path."""

    def __init__(
        self, config: Config, leases: Leases, online: Online, clock: Callable[[], datetime], life: str
    ) -> None:
        self._config = config
        self._leases = leases
        self._online = online
        self._clock = clock
        self._owner = f"{config.writer}/{life}"
        self._written: dict[tuple[int, int], Place] = {}
        self._adopted = False
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; a database that is away is tried again every second."""
        while True:
            try:
                async with await connect(self._config.url) as conn:
                    await self._work(conn)
            except psycopg.Error as error:
                log.warning("address blocks wait for the database: %s", " ".join(str(error).split()))
            await asyncio.sleep(RETRY_S)

    async def _work(self, conn: Connection) -> None:
        while True:
            self._leases.prepare()
            if not self._adopted:
                await self._adopt(conn)
            self._leases.short.clear()
            while wanted := self._leases.wanted():
                for pool_id in wanted:
                    await self._claim(conn, pool_id)
            self.ready.set()
            await self._persist(conn)
            try:
                await asyncio.wait_for(self._leases.short.wait(), POLL_S)
            except TimeoutError:
                continue

    async def _adopt(self, conn: Connection) -> None:
        """Take over the blocks of our earlier lives, and, as process 0, of processes that are no more."""
        config = self._config
        values = {
            "owner": self._owner,
            "ours": f"{config.writer}/",
            "node": config.node,
            "beyond": None if config.index else config.processes,
        }
        blocks = await (await conn.execute(store_leases.ADOPT, values)).fetchall()
        for ours in (True, False):
            of_whom = [row[:3] for row in blocks if row[3] is ours]
            self._leases.recover(of_whom, self._online, self._clock(), ours=ours)
        self._adopted = True

    async def _claim(self, conn: Connection, pool_id: int) -> None:
        values = {"owner": self._owner, "pool": pool_id, "limit": self._leases.blocks_at_once(pool_id)}
        blocks = await (await conn.execute(store_leases.CLAIM, values)).fetchall()
        for first, last in blocks:
            block = self._leases.block(pool_id, first, last)
            if block is not None:
                self._leases.add(pool_id, block)
        if not blocks:
            self._leases.used_up(pool_id)

    async def _persist(self, conn: Connection) -> None:
        """Write who has which address, where it is not what was written last."""
        given, self._leases.given = self._leases.given, {}
        fresh = {key: address for key, address in given.items() if self._written.get(key) != address}
        found = sorted(fresh)
        try:
            for start in range(0, len(found), PERSIST_MAX):
                rows = [
                    {"pool_id": key[0], "service_id": key[1], "address": str(fresh[key])}
                    for key in found[start : start + PERSIST_MAX]
                ]
                await conn.execute(store_leases.PERSIST, {"rows": json.dumps(rows), "at": self._clock()})
        except psycopg.Error:
            self._leases.given = fresh | self._leases.given
            raise
        self._written.update(fresh)
