"""The addresses this process may hand out: blocks leased from the pools ahead of need, given from memory."""

from datetime import datetime
from ipaddress import IPv4Address


class Leases:
    def take(self, service_id: int, pool_ids: tuple[int, ...], now: datetime) -> IPv4Address | None:
        raise NotImplementedError

    def arriving(self, pool_ids: tuple[int, ...]) -> bool:
        raise NotImplementedError
