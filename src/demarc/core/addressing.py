"""Address arithmetic and the leases that one node holds in memory. Knows no tables, attributes or routers."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from itertools import pairwise
from typing import TypeVar

Place = IPv4Address | IPv6Network
"""What is leased: an IPv4 address, or an IPv6 prefix."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Consecutive IPv4 addresses from `first` to `last`, both included."""

    first: IPv4Address
    last: IPv4Address

    def __len__(self) -> int:
        return int(self.last) - int(self.first) + 1

    def __contains__(self, address: IPv4Address) -> bool:
        return self.first <= address <= self.last

    def numbers(self) -> range:
        """The addresses as whole numbers."""
        return range(int(self.first), int(self.last) + 1)

    def between(self, first: int, last: int) -> "Span":
        """A part of it, by numbers."""
        return Span(IPv4Address(first), IPv4Address(last))

    def place(self, number: int) -> IPv4Address:
        """The address with this number."""
        return IPv4Address(number)


@dataclass(frozen=True, slots=True, order=True)
class Prefixes:
    """Consecutive IPv6 prefixes of one length, from `first` to `last`, both included. They are numbered by their
    leading bits, so that they are leased like addresses."""

    first: IPv6Network
    last: IPv6Network

    def __len__(self) -> int:
        return len(self.numbers())

    def __contains__(self, prefix: IPv6Network) -> bool:
        return prefix.prefixlen == self.first.prefixlen and self.first <= prefix <= self.last

    def numbers(self) -> range:
        """The prefixes as whole numbers."""
        return range(number_of(self.first), number_of(self.last) + 1)

    def between(self, first: int, last: int) -> "Prefixes":
        """A part of them, by numbers."""
        return Prefixes(self.place(first), self.place(last))

    def place(self, number: int) -> IPv6Network:
        """The prefix with this number."""
        length = self.first.prefixlen
        return IPv6Network((number << (128 - length), length))


Block = TypeVar("Block", Span, Prefixes)


def number_of(place: Place) -> int:
    """An address, or the leading bits of a prefix, as a whole number."""
    if isinstance(place, IPv4Address):
        return int(place)
    return int(place.network_address) >> (128 - place.prefixlen)


def prefixes(network: IPv6Network, length: int) -> Prefixes:
    """All prefixes of this length in a network that is not longer."""
    span = Prefixes(IPv6Network((network.network_address, length)), IPv6Network((network.network_address, length)))
    first = number_of(span.first)
    return span.between(first, first + (1 << (length - network.prefixlen)) - 1)


def usable(network: IPv4Network) -> Span:
    """The addresses that hosts may have: all but network and broadcast; all of a /31 (RFC 3021) or /32."""
    edge = 0 if network.prefixlen >= 31 else 1
    return Span(network.network_address + edge, network.broadcast_address - edge)


def blocks(span: Block, size: int) -> list[Block]:
    """Cut `span` into disjoint blocks of `size` addresses or prefixes, the last one possibly smaller."""
    numbers = span.numbers()
    return [span.between(at, min(at + size - 1, numbers[-1])) for at in numbers[::size]]


def overlap(spans: Iterable[Span]) -> tuple[Span, Span] | None:
    """The first two of `spans` that share an address, lower one first, or None."""
    return next((pair for pair in pairwise(sorted(spans)) if pair[1].first <= pair[0].last), None)


@dataclass(slots=True)
class _Held:
    address: Place
    service_id: int
    pool_id: int
    sessions: set[Hashable] = field(default_factory=set)


class Leases:
    """The addresses, or the IPv6 prefixes of one length, that one node may hand out without asking anyone.

    Every verb takes constant time (amortized). An address is free, or held by a service; one that was handed out
    and that no new session confirms becomes free again after `hold`. Blocks of an earlier life wait in quarantine
    until their time has come: only the sessions that are still on them can confirm an address and so free it.
    """

    def __init__(self, hold: timedelta, low_water: int) -> None:
        """`hold`: how long an unconfirmed address is kept; `wanted` names pools with fewer than `low_water` free."""
        self._hold = hold
        self._low_water = low_water
        # Addresses are whole numbers in here: an IPv4Address hashes and compares ten times slower.
        self._pool_of: dict[int, int] = {}
        self._place: dict[int, Callable[[int], Place]] = {}
        self._free: dict[int, OrderedDict[int, None]] = {}
        self._held: dict[int, _Held] = {}
        self._unconfirmed: OrderedDict[int, datetime] = OrderedDict()
        self._last: dict[tuple[int, int], int] = {}
        self._quarantined: list[tuple[datetime, int, Span | Prefixes]] = []
        self._settled_at: datetime | None = None
        self._until: datetime | None = None

    def add(self, pool_id: int, block: Span | Prefixes) -> None:
        """A fresh block of a pool, leased to this node: its addresses can be taken at once."""
        free = self._free.setdefault(pool_id, OrderedDict())
        self._place[pool_id] = block.place
        for address in block.numbers():
            self._pool_of[address] = pool_id
            if address not in self._held:
                free[address] = None

    def quarantine(self, pool_id: int, block: Span | Prefixes, until: datetime) -> None:
        """A block from before a restart: sessions may still live on it, so nothing is handed out before `until`."""
        self._free.setdefault(pool_id, OrderedDict())
        self._place[pool_id] = block.place
        self._pool_of.update(dict.fromkeys(block.numbers(), pool_id))
        heappush(self._quarantined, (until, pool_id, block))

    def promise(self, service_id: int, address: Place, until: datetime) -> None:
        """An address that an earlier life handed out: it is the service's until then, unless another has it now."""
        number = number_of(address)
        pool_id = self._pool_of.get(number)
        if pool_id is None or number in self._held:
            return
        self._free[pool_id].pop(number, None)
        self._held[number] = _Held(address, service_id, pool_id)
        self._last[service_id, pool_id] = number
        self._unconfirmed[number] = until

    def take(self, service_id: int, pool_id: int, now: datetime, *, another: bool = False) -> Place | None:
        """An address of the pool for the service, None when the pool is used up.

        It is the one that the service holds or held last, if nobody else has it now, else the one that has been
        free longest. `another`: not one that it holds already, for a second session at the same time.
        """
        if now is not self._settled_at:  # the same object for all that comes at one moment
            self._settle(now)
        free = self._free.setdefault(pool_id, OrderedDict())
        address = self._last.get((service_id, pool_id), -1)
        held = self._held.get(address)
        if held is None or held.service_id != service_id or another:
            if address not in free:
                if not free:
                    return None
                address = next(iter(free))
            del free[address]
            held = self._held[address] = _Held(self._place[pool_id](address), service_id, pool_id)
            self._last[service_id, pool_id] = address
        self._unconfirmed[address] = self._until or now + self._hold
        self._unconfirmed.move_to_end(address)
        return held.address

    def confirm(self, service_id: int, address: Place, session: Hashable) -> bool:
        """Accounting shows that `session` of the service is on the address.

        False: another service holds it, or the address is not of this node.
        """
        number = number_of(address)
        pool_id = self._pool_of.get(number)
        if pool_id is None:
            return False
        held = self._held.get(number)
        if held is None:
            held = self._held[number] = _Held(address, service_id, pool_id)
            self._last[service_id, pool_id] = number
            self._free[pool_id].pop(number, None)
        if held.service_id != service_id:
            return False
        if session not in held.sessions:
            held.sessions.add(session)
            self._unconfirmed.pop(number, None)
        return True

    def release(self, address: Place, session: Hashable) -> None:
        """`session` ended. The address stays held while another session is on it or was just given it."""
        number = number_of(address)
        held = self._held.get(number)
        if held is not None and session in held.sessions:
            held.sessions.remove(session)
            if number not in self._unconfirmed:
                self._put_back(number, held)

    def wanted(self) -> tuple[int, ...]:
        """The pools that have fewer than `low_water` free addresses, so another block is needed."""
        return tuple(pool_id for pool_id in self._free if self.short_of(pool_id))

    def short_of(self, pool_id: int) -> bool:
        """Whether this pool is among the `wanted`."""
        return len(self._free.get(pool_id, ())) < self._low_water

    def _settle(self, now: datetime) -> None:
        """Take back what nobody confirmed in time, and open the blocks whose quarantine is over."""
        self._settled_at, self._until = now, now + self._hold
        while self._unconfirmed:
            address, until = next(iter(self._unconfirmed.items()))
            if until > now:
                break
            del self._unconfirmed[address]
            self._put_back(address, self._held[address])
        while self._quarantined and self._quarantined[0][0] <= now:
            _, pool_id, block = heappop(self._quarantined)
            self.add(pool_id, block)

    def _put_back(self, address: int, held: _Held) -> None:
        """Free again when no session is left on it; last in line, so that it stays its holder's as long as can be."""
        if not held.sessions:
            del self._held[address]
            self._free[held.pool_id][address] = None
