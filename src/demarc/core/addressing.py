"""Address arithmetic and the leases that one node holds in memory. Knows no tables, attributes or routers."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from ipaddress import IPv4Address, IPv4Network


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Consecutive IPv4 addresses from `first` to `last`, both included."""

    first: IPv4Address
    last: IPv4Address

    def __len__(self) -> int:
        return int(self.last) - int(self.first) + 1

    def __contains__(self, address: IPv4Address) -> bool:
        return self.first <= address <= self.last


def usable(network: IPv4Network) -> Span:
    """The addresses of a network that hosts may have: all but network and broadcast; all of a /31 (RFC 3021)
    or /32."""
    if network.prefixlen >= 31:
        return Span(network.network_address, network.broadcast_address)
    return Span(network.network_address + 1, network.broadcast_address - 1)


def blocks(span: Span, size: int) -> list[Span]:
    """Cut `span` into disjoint blocks of `size` addresses, the last one possibly smaller."""
    starts = range(int(span.first), int(span.last) + 1, size)
    return [Span(IPv4Address(start), min(IPv4Address(start + size - 1), span.last)) for start in starts]


def overlap(spans: Iterable[Span]) -> tuple[Span, Span] | None:
    """The first two of `spans` that share an address, or None."""
    widest: Span | None = None
    for span in sorted(spans):
        if widest is not None and span.first <= widest.last:
            return widest, span
        widest = span if widest is None or span.last > widest.last else widest
    return None


@dataclass(slots=True)
class _Holding:
    service_id: int
    pool_id: int
    since: datetime | None = None
    sessions: set[Hashable] = field(default_factory=set)


class Leases:
    """The addresses that one node may hand out without asking anyone.

    Every verb is O(1), amortized. An address is free, or held by a service; held addresses that no accounting
    confirms become free again after `hold`. Blocks of an earlier life wait in quarantine, where they can only
    be confirmed, until their time has come.
    """

    def __init__(self, hold: timedelta, low_water: int) -> None:
        """`hold`: how long an unconfirmed address is kept; `low_water`: `wanted` names pools with fewer free
        ones."""
        self._hold = hold
        self._low_water = low_water
        self._free: dict[int, OrderedDict[IPv4Address, None]] = {}
        self._low: set[int] = set()
        self._pool_of: dict[IPv4Address, int] = {}
        self._held: dict[IPv4Address, _Holding] = {}
        self._last: dict[tuple[int, int], IPv4Address] = {}
        self._unconfirmed: OrderedDict[IPv4Address, None] = OrderedDict()
        self._waiting: list[tuple[datetime, int, Span]] = []

    def add(self, pool_id: int, block: Span) -> None:
        """A fresh block of a pool, leased to this node: its addresses can be taken at once."""
        for address in _addresses(block):
            self._pool_of[address] = pool_id
            if address not in self._held:
                self._put_back(address)

    def quarantine(self, pool_id: int, block: Span, until: datetime) -> None:
        """A block from before a restart: sessions may still live on it, so nothing is handed out before
        `until`."""
        self._pool_of.update(dict.fromkeys(_addresses(block), pool_id))
        heappush(self._waiting, (until, pool_id, block))

    def take(self, service_id: int, pool_id: int, now: datetime, *, another: bool = False) -> IPv4Address | None:
        """An address of the pool for the service: the one it holds or held last if nobody took it since, else
        the one that has been free longest; None when the pool is used up. `another`: not one that it holds
        already, for a second session at the same time."""
        self._expire(now)
        free = self._free.setdefault(pool_id, OrderedDict())
        mine = self._last.get((service_id, pool_id))
        holding = self._held.get(mine) if mine else None
        if mine and holding and holding.service_id == service_id and not another:
            if not holding.sessions:
                holding.since = now
                self._unconfirmed.move_to_end(mine)
            return mine
        address = mine if mine in free else next(iter(free), None)
        if address is not None:
            self._take(address, _Holding(service_id, pool_id, now))
            self._unconfirmed[address] = None
        self._measure(pool_id)
        return address

    def confirm(self, service_id: int, address: IPv4Address, session: Hashable) -> bool:
        """Accounting shows that `session` of the service is on the address. False: another service holds it,
        or the address is not of this node."""
        holding = self._held.get(address)
        if holding is None:
            pool_id = self._pool_of.get(address)
            if pool_id is None:
                return False
            holding = _Holding(service_id, pool_id)
            self._take(address, holding)
        if holding.service_id != service_id:
            return False
        holding.sessions.add(session)
        self._unconfirmed.pop(address, None)
        return True

    def release(self, address: IPv4Address, session: Hashable) -> None:
        """`session` ended. Ignored when a later session of the same or another service has the address by
        now."""
        holding = self._held.get(address)
        if holding is None or session not in holding.sessions:
            return
        holding.sessions.discard(session)
        if not holding.sessions:
            self._put_back(address)

    def wanted(self) -> tuple[int, ...]:
        """The pools that have fewer than `low_water` free addresses, so another block is needed."""
        return tuple(self._low)

    def _take(self, address: IPv4Address, holding: _Holding) -> None:
        self._free.setdefault(holding.pool_id, OrderedDict()).pop(address, None)
        self._held[address] = holding
        self._last[holding.service_id, holding.pool_id] = address
        self._measure(holding.pool_id)

    def _put_back(self, address: IPv4Address) -> None:
        """Last in the line of the free ones, so that it stays its holder's for as long as can be."""
        self._held.pop(address, None)
        self._unconfirmed.pop(address, None)
        pool_id = self._pool_of[address]
        self._free.setdefault(pool_id, OrderedDict())[address] = None
        self._measure(pool_id)

    def _measure(self, pool_id: int) -> None:
        if len(self._free[pool_id]) < self._low_water:
            self._low.add(pool_id)
        else:
            self._low.discard(pool_id)

    def _expire(self, now: datetime) -> None:
        """Free what nobody confirmed in time, and the quarantined blocks whose time has come."""
        while self._unconfirmed:
            address = next(iter(self._unconfirmed))
            since = self._held[address].since
            if since is not None and since + self._hold > now:
                break
            self._put_back(address)
        while self._waiting and self._waiting[0][0] <= now:
            _, pool_id, block = heappop(self._waiting)
            self.add(pool_id, block)


def _addresses(span: Span) -> Iterator[IPv4Address]:
    return map(IPv4Address, range(int(span.first), int(span.last) + 1))
