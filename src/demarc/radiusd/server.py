"""The UDP ports: datagram -> known client? -> seen before? -> decode -> authentic? -> auth or acct -> datagram.

A socket is drained, up to a bound, each time it has something: three times as fast as asyncio's own datagram transport
(field facts, measured B). What is more than that bound waits by NAS (`waiting`). Knows sockets and duplicates; what the
answer is, auth and acct know.
"""

import asyncio
import logging
import socket
from functools import partial
from ipaddress import ip_address
from time import monotonic

from demarc.radiusd.acct import Accountant
from demarc.radiusd.auth import Authenticator, trusted
from demarc.radiusd.counters import Counters
from demarc.radiusd.eap import EapServer
from demarc.radiusd.model import Client, Mode, Model
from demarc.radiusd.moving import Mover
from demarc.radiusd.online import Online
from demarc.radiusd.waiting import ACCT_PATIENCE_S, HEADER, LOGIN_PATIENCE_S, Waiting
from demarc.wire.radius import Duplicates, Malformed, Origin, Packet, authentic, decode, encode_reply, keys

DRAIN_MAX = 64
"""Requests that are answered before the replies leave, all together: sent one by one each would wake its receiver. The
first waits two milliseconds for the last at most, and a third more are answered, by measurement."""

READ_MAX = 2048
"""Datagrams that are moved from the socket to the lines at once: three milliseconds."""

DATAGRAM_MAX = 4096
RECEIVE_BUFFER = 4 * 1024 * 1024
"""What waits in a full buffer of this size is still answered within a second, before RouterOS gives up (1.1 s)."""

BUG_LOG_S = 60.0
SO_RCVBUFFORCE = 33

Source = tuple[str, int]
log = logging.getLogger(__name__)


def listen(bind: str, port: int, *, shared: bool = False) -> socket.socket:
    """A UDP socket on a port, `shared` with more of ours. Raises OSError when it is taken or not ours to take."""
    family = socket.AF_INET6 if ip_address(bind).version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
    if shared:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.setblocking(False)
    sock.bind((bind, port))
    return sock


class Port:
    """One socket and what is common to both kinds of request."""

    kind: str
    request_code: int
    alive_code: int
    patience_s: float

    def __init__(self, sock: socket.socket, model: Model, online: Online, counters: Counters) -> None:
        self._sock = sock
        self._model = model
        self._heard = online.heard
        self._counters = counters
        self._seen = Duplicates()
        self._next_bug_at = float("-inf")
        self._replies: list[tuple[bytes, Source]] = []
        self._waiting = Waiting()
        self._loop: asyncio.AbstractEventLoop | None = None

    def serve(self) -> None:
        """Answer what comes, from now on; needs a running event loop."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._sock, self._drain)

    def close(self) -> None:
        """Take nothing more in. Answers that still wait for the disk can be sent."""
        if self._loop is not None:
            self._loop.remove_reader(self._sock)
            self._loop = None
        self._waiting.clear()
        self._flush()

    def handle(self, packet: Packet, client: Client, origin: Origin, now: float) -> None:
        """Deal with a request of this port's kind that was not seen before. `now`: the steady clock."""
        raise NotImplementedError

    def _drain(self) -> None:
        """Answer what there is; if that is too much at once, let it wait by NAS."""
        if self._waiting.count:
            self._read_ahead()  # `_work` is under way
            return
        receive, emptied = self._sock.recvfrom, False
        for _ in range(DRAIN_MAX):
            try:
                datagram, source = receive(DATAGRAM_MAX)
            except BlockingIOError:
                emptied = True
                break
            except OSError:  # an ICMP error that an earlier reply caused
                continue
            self._try(datagram, source)
        self._flush()
        if not emptied and self._read_ahead():
            asyncio.get_running_loop().call_soon(self._work)

    def _read_ahead(self) -> bool:
        """Empty the socket, up to a bound, into the lines; strangers and those beyond their part are dropped.

        Whether anybody waits.
        """
        receive, now, dropped = self._sock.recvfrom, monotonic(), self._counters.dropped
        for _ in range(READ_MAX):
            try:
                datagram, source = receive(DATAGRAM_MAX)
            except BlockingIOError:
                break
            except OSError:
                continue
            if self._model.client(source[0]) is None:
                dropped["unknown_client"] += 1
            elif self._waiting.holds(datagram, source):
                self._counters.repeated += 1
            elif not self._waiting.put(datagram, source, now):
                dropped["too_many"] += 1
        return self._waiting.count > 0

    def _work(self) -> None:
        """Answer some of those that wait, each NAS in turn; again and again until nobody does."""
        oldest = monotonic() - self.patience_s
        left = DRAIN_MAX
        while left and self._waiting.count:
            datagram = self._waiting.take()
            if datagram.came_at < oldest:
                self._counters.dropped["too_old"] += 1
                continue
            self._try(datagram.octets, datagram.source)
            left -= 1
        self._flush()
        if self._waiting.count:
            asyncio.get_running_loop().call_soon(self._work)

    def _try(self, datagram: bytes, source: Source) -> None:
        try:
            self._take(datagram, source)
        except Malformed:
            self._counters.dropped["malformed"] += 1
        except Exception:  # noqa: BLE001 - a bug that one packet meets must not cost the others their answers
            self._bug()

    def _bug(self) -> None:
        """Count it, and tell about one a minute: a flood of packets must not become a flood of logs."""
        self._counters.dropped["bug"] += 1
        if monotonic() >= self._next_bug_at:
            self._next_bug_at = monotonic() + BUG_LOG_S
            log.exception("a packet was dropped by a bug of ours")

    def _take(self, datagram: bytes, source: Source) -> None:
        client = self._model.client(source[0])
        if client is None:
            self._counters.dropped["unknown_client"] += 1
            return
        if len(datagram) < HEADER:
            raise Malformed("shorter than a header")
        now = monotonic()
        origin = (source[0], source[1], datagram[1], self.kind)
        reply = self._seen.lookup(origin, datagram[4:HEADER], now)
        if reply is not None:
            self._counters.repeated += 1
            if reply:
                self._reply(reply, origin)
            return
        packet = decode(datagram)
        if packet.code == self.request_code:
            self.handle(packet, client, origin, now)
        elif packet.code == keys.STATUS_SERVER:
            self._alive(packet, client, origin)
        else:
            self._counters.dropped["wrong_code"] += 1

    def _alive(self, packet: Packet, client: Client, origin: Origin) -> None:
        """Status-Server (RFC 5997): answered with an empty Accept or Accounting-Response."""
        if client.moving is not None and client.moving.mode is Mode.LISTEN:
            self._counters.moving["listened"] += 1
        elif authentic(packet, client.secret):
            self._reply(encode_reply(self.alive_code, packet, b"", client.secret), origin)
        else:
            self._counters.dropped["wrong_secret"] += 1

    def _reply(self, reply: bytes, origin: Origin) -> None:
        """Send it when the drain ends."""
        self._replies.append((reply, origin[:2]))

    def _flush(self) -> None:
        for reply, source in self._replies:
            self._send(reply, source)
        self._replies.clear()

    def _send(self, reply: bytes, source: Source) -> None:
        try:
            self._sock.sendto(reply, source)
        except OSError:
            self._counters.dropped["send_failed"] += 1  # the client repeats, and gets the kept answer


class AuthPort(Port):
    """Access-Requests, answered at once. `eap`: who answers those with EAP, None to refuse them."""

    kind = "auth"
    request_code = keys.ACCESS_REQUEST
    alive_code = keys.ACCESS_ACCEPT
    patience_s = LOGIN_PATIENCE_S

    def __init__(
        self, sock: socket.socket, model: Model, online: Online, counters: Counters, auth: Authenticator,
        mover: Mover | None = None,
    ) -> None:  # fmt: skip
        super().__init__(sock, model, online, counters)
        self._auth = auth
        self._mover = mover
        self.eap: EapServer | None = None

    def handle(self, packet: Packet, client: Client, origin: Origin, now: float) -> None:
        reason = trusted(packet, client)
        if reason:
            self._counters.dropped[reason] += 1
            return
        self._heard[client.id] = now
        moving, eap = client.moving, self.eap if keys.EAP_MESSAGE in packet.first else None
        if moving is not None and self._mover is not None and not (eap is not None and eap.knows(packet, client)):
            done = partial(self._done, origin, packet.authenticator)
            taken = self._mover.take(packet, client, moving, now, done)
            if taken:
                self._seen.begin(origin, packet.authenticator, now)
            if taken is not None:
                return
        if eap is not None:
            if eap.take(packet, client, now, partial(self._done, origin, packet.authenticator)):
                self._seen.begin(origin, packet.authenticator, now)
            return
        reply = self._auth.answer(packet, client, now)
        if reply is not None:
            self._seen.keep(origin, packet.authenticator, reply)
            self._reply(reply, origin)

    def _done(self, origin: Origin, authenticator: bytes, reply: bytes | None) -> None:
        """The answer to one that was passed on or took its time; without one, the client's next try is a new one."""
        if reply is None:
            self._seen.forget(origin)
            return
        self._seen.answer(origin, authenticator, reply)
        self._send(reply, origin[:2])

    def _flush(self) -> None:
        if self._replies:
            self._auth.write_down()
        super()._flush()


class AcctPort(Port):
    """Accounting-Requests, answered when the journal has them."""

    kind = "acct"
    request_code = keys.ACCOUNTING_REQUEST
    alive_code = keys.ACCOUNTING_RESPONSE
    patience_s = ACCT_PATIENCE_S

    def __init__(
        self, sock: socket.socket, model: Model, online: Online, counters: Counters, acct: Accountant,
        mover: Mover | None = None,
    ) -> None:  # fmt: skip
        super().__init__(sock, model, online, counters)
        self._acct = acct
        self._mover = mover

    def handle(self, packet: Packet, client: Client, origin: Origin, now: float) -> None:
        if not authentic(packet, client.secret):
            self._counters.dropped["wrong_secret"] += 1
            return
        self._heard[client.id] = now
        moving = client.moving
        if moving is not None and moving.mode is Mode.LISTEN:
            self._counters.moving["listened"] += 1
            return
        reply = encode_reply(keys.ACCOUNTING_RESPONSE, packet, b"", client.secret)
        if self._acct.take(packet, client, now, partial(self._done, origin, packet.authenticator, reply)):
            self._seen.begin(origin, packet.authenticator, now)
            if moving is not None and self._mover is not None:
                self._mover.copy(packet, client, moving)

    def _done(self, origin: Origin, authenticator: bytes, reply: bytes, kept: bool) -> None:
        if kept:
            self._seen.answer(origin, authenticator, reply)
            if self._loop is not None and not self._replies:
                self._loop.call_soon(self._flush)  # when all are there that the disk has now
            self._reply(reply, origin)
            if self._loop is None:
                self._flush()
        else:
            self._counters.dropped["journal_failed"] += 1
            self._seen.forget(origin)
