"""Address arithmetic and the leases that one node holds in memory. Knows no tables, attributes or routers."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
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
    raise NotImplementedError


def blocks(span: Span, size: int) -> list[Span]:
    """Cut `span` into disjoint blocks of `size` addresses, the last one possibly smaller."""
    raise NotImplementedError


def overlap(spans: Iterable[Span]) -> tuple[Span, Span] | None:
    """The first two of `spans` that share an address, or None."""
    raise NotImplementedError


class Leases:
    """The addresses that one node may hand out without asking anyone.

    Every verb is O(1), amortized. An address is free, or held by a service; held addresses that no accounting
    confirms become free again after `hold`. Blocks of an earlier life wait in quarantine, where they can only
    be confirmed, until their time has come.
    """

    def __init__(self, hold: timedelta, low_water: int) -> None:
        """`hold`: how long an unconfirmed address is kept; `low_water`: `wanted` names pools with fewer free
        ones."""
        raise NotImplementedError

    def add(self, pool_id: int, block: Span) -> None:
        """A fresh block of a pool, leased to this node: its addresses can be taken at once."""
        raise NotImplementedError

    def quarantine(self, pool_id: int, block: Span, until: datetime) -> None:
        """A block from before a restart: sessions may still live on it, so nothing is handed out before
        `until`."""
        raise NotImplementedError

    def take(self, service_id: int, pool_id: int, now: datetime, *, another: bool = False) -> IPv4Address | None:
        """An address of the pool for the service: the one it holds or held last if nobody took it since, else
        the one that has been free longest; None when the pool is used up. `another`: not one that it holds
        already, for a second session at the same time."""
        raise NotImplementedError

    def confirm(self, service_id: int, address: IPv4Address, session: Hashable) -> bool:
        """Accounting shows that `session` of the service is on the address. False: another service holds it,
        or the address is not of this node."""
        raise NotImplementedError

    def release(self, address: IPv4Address, session: Hashable) -> None:
        """`session` ended. Ignored when a later session of the same or another service has the address by
        now."""
        raise NotImplementedError

    def wanted(self) -> tuple[int, ...]:
        """The pools that have fewer than `low_water` free addresses, so another block is needed."""
        raise NotImplementedError
