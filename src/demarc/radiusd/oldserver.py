"""Talking to other RADIUS servers as their client: requests out, answers matched and verified, silence noticed.

Sockets of its own with 256 identifiers each towards one server, a bound on all that is under way, and a server that
does not answer is left alone for a while and asked whether it lives (Status-Server, RFC 5997). Knows no logins.
"""

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from typing import Any

from demarc.radiusd.counters import Counters
from demarc.radiusd.model import Moving
from demarc.wire.radius import Malformed, Packet, decode, keys, status_server, verify_reply

IDENTIFIERS = 256
SOCKETS_MAX = 8
UNDER_WAY_MAX = 1536
DRAIN_MAX = 64
DATAGRAM_MAX = 4096
DEAD_AFTER = 3
"""Requests in a row that got no answer."""

DEAD_S = 15.0
PROBE_S = 2.0
AUTH, ACCT = "auth", "acct"
ANSWERS = {
    AUTH: (keys.ACCESS_ACCEPT, keys.ACCESS_REJECT, keys.ACCESS_CHALLENGE),
    ACCT: (keys.ACCOUNTING_RESPONSE,),
}

Address = tuple[str, int]
Done = Callable[[Packet | None], None]
Make = Callable[[int], bytes]


@dataclass(slots=True)
class Server:
    """One port of an old server. `signs`: it has signed an answer, so one without signature is not its. `dead_until`
    on the loop's clock; `counts`: asked, answered, unanswered, unverified."""

    moving: Moving
    kind: str
    address: Address
    signs: bool = False
    silent: int = 0
    dead_until: float = 0.0
    probing: bool = False
    counts: Counter[str] = field(default_factory=Counter)

    def same(self, moving: Moving) -> bool:
        """Whether it is still the one that is named."""
        return self.address == _address(moving, self.kind) and self.moving.sealed == moving.sealed


@dataclass(slots=True)
class _Asked:
    """A request under way. `waits`: how long to wait after each further sending."""

    server: Server
    datagram: bytes
    waits: list[float]
    done: Done
    timer: asyncio.TimerHandle | None = None


class OldServers:
    """All old servers that this process talks to."""

    def __init__(self, bind: str, counters: Counters) -> None:
        """`bind`: the address that they know us by; needs a running event loop only when something is asked."""
        self._bind = bind
        self._counters = counters
        self._servers: dict[tuple[int, str], Server] = {}
        self._sockets: list[socket.socket] = []
        self._under_way: list[dict[tuple[Address, int], _Asked]] = []
        self._next: Counter[Address] = Counter()
        self._loop: asyncio.AbstractEventLoop | None = None

    def ask(self, moving: Moving, kind: str, make: Make, waits: Sequence[float], done: Done) -> bool:
        """Send what `make` makes for an identifier, again after each wait but the last.

        `done` gets the verified answer, None when there is none after all. False: it cannot be asked now, and `done` is
        not called.

        Raises Malformed when `make` does.
        """
        server = self._server(moving, kind)
        if server.dead_until > asyncio.get_running_loop().time():
            self._counters.dropped["old_server_dead"] += 1
            return False
        return self._send(server, make, waits, done)

    def figures(self) -> list[dict[str, Any]]:
        """How each port of a server does, for the status."""
        return [
            {"id": server.moving.id, "kind": server.kind, "alive": server.dead_until == 0.0, **server.counts}
            for server in self._servers.values()
        ]

    def close(self) -> None:
        """Forget what is under way. For the end."""
        for under_way in self._under_way:
            for asked in under_way.values():
                if asked.timer:
                    asked.timer.cancel()
        for sock in self._sockets:
            if self._loop is not None:
                self._loop.remove_reader(sock)
            sock.close()
        self._sockets, self._under_way = [], []

    def _server(self, moving: Moving, kind: str) -> Server:
        server = self._servers.get((moving.id, kind))
        if server is None or not server.same(moving):
            server = self._servers[moving.id, kind] = Server(moving, kind, _address(moving, kind))
        server.moving = moving
        return server

    def _send(self, server: Server, make: Make, waits: Sequence[float], done: Done) -> bool:
        place = self._free(server.address)
        if place is None:
            self._counters.dropped["old_server_full"] += 1
            return False
        which, identifier = place
        asked = _Asked(server, make(identifier), list(waits), done)
        self._under_way[which][server.address, identifier] = asked
        server.counts["asked"] += 1
        self._out(which, identifier, asked)
        return True

    def _free(self, address: Address) -> tuple[int, int] | None:
        """A socket and an identifier that no request to this address uses; the one that rested longest."""
        if sum(map(len, self._under_way)) >= UNDER_WAY_MAX:
            return None
        family = _family(address)
        for which in range(SOCKETS_MAX):
            if which == len(self._sockets):
                self._open(family)
            if self._sockets[which].family != family:
                continue
            under_way = self._under_way[which]
            for _ in range(IDENTIFIERS):
                self._next[address] += 1
                identifier = self._next[address] % IDENTIFIERS
                if (address, identifier) not in under_way:
                    return which, identifier
        return None

    def _open(self, family: socket.AddressFamily) -> None:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        if ip_address(self._bind).version == (6 if family == socket.AF_INET6 else 4):
            sock.bind((self._bind, 0))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, partial(self._drain, len(self._sockets)))
        self._sockets.append(sock)
        self._under_way.append({})

    def _out(self, which: int, identifier: int, asked: _Asked) -> None:
        try:
            self._sockets[which].sendto(asked.datagram, asked.server.address)
        except OSError:
            self._counters.dropped["old_server_unsent"] += 1  # as if lost on the way
        wait_s = asked.waits.pop(0)
        asked.timer = asyncio.get_running_loop().call_later(wait_s, self._late, which, identifier, asked)

    def _late(self, which: int, identifier: int, asked: _Asked) -> None:
        if asked.waits:
            self._out(which, identifier, asked)
            return
        del self._under_way[which][asked.server.address, identifier]
        server = asked.server
        server.counts["unanswered"] += 1
        server.silent += 1
        if server.silent >= DEAD_AFTER:
            server.dead_until = asyncio.get_running_loop().time() + DEAD_S
            self._probe_later(server)
        asked.done(None)

    def _drain(self, which: int) -> None:
        for _ in range(DRAIN_MAX):
            try:
                datagram, source = self._sockets[which].recvfrom(DATAGRAM_MAX)
            except BlockingIOError:
                return
            except OSError:  # an ICMP error that an earlier request caused
                continue
            try:
                self._take(which, decode(datagram), source[:2])
            except Malformed:
                self._counters.dropped["old_server_malformed"] += 1

    def _take(self, which: int, reply: Packet, source: Address) -> None:
        asked = self._under_way[which].get((source, reply.identifier))
        if asked is None:
            self._counters.dropped["old_server_unasked"] += 1
            return
        server = asked.server
        if not _genuine(reply, asked):
            server.counts["unverified"] += 1
            self._counters.dropped["old_server_unverified"] += 1
            return  # forged, or the secrets differ; the right one may still come
        del self._under_way[which][source, reply.identifier]
        if asked.timer:
            asked.timer.cancel()
        server.counts["answered"] += 1
        server.silent, server.dead_until = 0, 0.0
        if asked.datagram[0] == keys.ACCESS_REQUEST and keys.EAP_MESSAGE not in reply.first:
            server.signs = server.signs or bool(reply.signature_at)
        asked.done(reply)

    def _probe_later(self, server: Server) -> None:
        if not server.probing:
            server.probing = True
            asyncio.get_running_loop().call_later(PROBE_S, self._probe, server)

    def _probe(self, server: Server) -> None:
        """Ask one that is taken for dead whether it lives, until it does or its time is over."""
        server.probing = False
        secret, now = server.moving.secret, asyncio.get_running_loop().time()
        current = self._servers.get((server.moving.id, server.kind)) is server
        if secret is None or not current or server.dead_until <= now or not self._sockets:
            return
        self._send(
            server, lambda identifier: status_server(identifier, os.urandom(16), secret), (PROBE_S,), _nothing_more
        )
        self._probe_later(server)


def _nothing_more(reply: Packet | None) -> None:
    """That it answered is all there was to learn."""


def _genuine(reply: Packet, asked: _Asked) -> bool:
    """Whether the answer was made for what we asked, by one who knows the secret.

    One who has signed before always does (CVE-2024-3596); EAP is never without signature (RFC 3579 section 3.1).
    """
    server, secret = asked.server, asked.server.moving.secret
    if secret is None or reply.code not in ANSWERS[server.kind]:
        return False
    signs = server.signs and asked.datagram[0] == keys.ACCESS_REQUEST
    if (signs or keys.EAP_MESSAGE in reply.first) and not reply.signature_at:
        return False
    return verify_reply(reply, asked.datagram[4:20], secret)


def _address(moving: Moving, kind: str) -> Address:
    return moving.host, moving.auth_port if kind == AUTH else moving.acct_port


def _family(address: Address) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address[0] else socket.AF_INET
