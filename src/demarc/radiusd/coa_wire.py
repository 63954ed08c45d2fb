"""The socket that CoA and Disconnect leave by: requests out, repeated with the same bytes, answers matched to them.

Knows RFC 5080's timers and no intent.
"""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from ipaddress import ip_address
from typing import NamedTuple

from demarc.radiusd.counters import Counters
from demarc.radiusd.model import Client
from demarc.wire.radius import Answer, Malformed, parse_answer

DATAGRAM_MAX = 4096
IDENTIFIERS = 256
TURN_S = 0.5
"""Who is not answered in that time lets others go on: a router that has not heard of him bears no burden."""

Turn = AbstractAsyncContextManager[None]


class Timers(NamedTuple):
    """RFC 5080 section 2.2.1: IRT, MRT, MRD in seconds, and MRC."""

    first_s: float = 2.0
    longest_s: float = 16.0
    give_up_s: float = 30.0
    sends_max: int = 5


RFC_5080 = Timers()


def waits(
    timers: Timers = RFC_5080, jitter: Callable[[], float] = lambda: random.uniform(-0.1, 0.1)
) -> Iterator[float]:
    """How long to wait for an answer after each sending, in seconds; `jitter` gives -0.1 to 0.1."""
    wait_s, left_s = timers.first_s * (1 + jitter()), timers.give_up_s
    for _ in range(timers.sends_max):
        if left_s <= 0:
            return
        yield min(wait_s, left_s)
        left_s -= wait_s
        wait_s = min(wait_s * (2 + jitter()), timers.longest_s * (1 + jitter()))


class Wire:
    """One socket: requests out, answers matched to them."""

    def __init__(self, bind: str, counters: Counters, timers: Timers = RFC_5080) -> None:
        family = socket.AF_INET6 if ip_address(bind).version == 6 else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_DGRAM)
        self._sock.setblocking(False)
        self._sock.bind((bind, 0))
        self._counters = counters
        self._timers = timers
        self._waiting: dict[tuple[str, int], asyncio.Future[bytes]] = {}
        self._next: Counter[str] = Counter()
        asyncio.get_running_loop().add_reader(self._sock, self._read)

    async def ask(self, client: Client, make: Callable[[int], bytes], turn: Turn | None = None) -> Answer | None:
        """Send what `make` makes of an identifier until it is answered; None when it never was. Each sending waits
        for its `turn` and has it for TURN_S at most."""
        place = self._place(client.address)
        if place is None:
            return None
        packet = make(place[1])
        try:
            for wait_s in waits(self._timers):
                async with turn or nullcontext():
                    if not self._waiting[place].done():  # not answered while it waited for its turn
                        self._send(packet, client)
                    answer = await self._answer(place, min(wait_s, TURN_S), packet, client)
                answer = answer or await self._answer(place, wait_s - TURN_S, packet, client)
                if answer is not None:
                    return answer
            return None
        finally:
            self._waiting.pop(place, None)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._sock)
        self._sock.close()

    def _place(self, address: str) -> tuple[str, int] | None:
        """A free identifier towards this NAS; None if all 256 are in use."""
        for _ in range(IDENTIFIERS):
            self._next[address] = (self._next[address] + 1) % IDENTIFIERS
            place = (address, self._next[address])
            if place not in self._waiting:
                self._waiting[place] = asyncio.get_running_loop().create_future()
                return place
        return None

    async def _answer(self, place: tuple[str, int], wait_s: float, packet: bytes, client: Client) -> Answer | None:
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        while (left_s := until - loop.time()) > 0:
            done, _ = await asyncio.wait({self._waiting[place]}, timeout=left_s)
            if not done:
                return None
            try:
                return parse_answer(self._waiting[place].result(), packet, client.secret)
            except Malformed:
                self._counters.dropped["coa_answer"] += 1
                self._waiting[place] = loop.create_future()
        return None

    def _send(self, packet: bytes, client: Client) -> None:
        self._counters.coa_sent += 1
        try:
            self._sock.sendto(packet, (client.address, client.coa_port))
        except OSError:
            self._counters.dropped["coa_send"] += 1  # not reachable now; it is repeated like a lost packet

    def _read(self) -> None:
        try:
            datagram, source = self._sock.recvfrom(DATAGRAM_MAX)
        except OSError:
            return
        waiting = self._waiting.get((source[0].removeprefix("::ffff:"), datagram[1] if len(datagram) > 1 else -1))
        if waiting is not None and not waiting.done():
            waiting.set_result(datagram)
