"""A small HTTP/1.1 server that answers each connection once, and what it may cost us: sizes, times and counts.

All TCP of blocked customers arrives here, whatever it was meant for: TLS, mail, games, floods. What does not begin like
an HTTP request is dropped without an answer. It knows nothing of pages: one function answers.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import cast
from urllib.parse import unquote

HEAD_BYTES_MAX = 8192
LEFT_OVER_BYTES_MAX = 65_536
CHUNK_BYTES = 32_768

_METHOD = re.compile(rb"[A-Z]{1,16}(?: |$)")
_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (\S+) HTTP/1\.[0-9]", re.ASCII)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(r"\r?\n")
_ORIGIN = re.compile(r"[a-z]+://[^/?]*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Request:
    """What the answer depends on. `path` without the query, percent-decoded."""

    method: str
    path: str
    accept_language: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    status: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how long. `per_visitor` counts an IPv4 address, or an IPv6 /64."""

    connections: int = 512
    per_visitor: int = 16
    head_timeout_s: float = 5
    write_timeout_s: float = 30
    linger_s: float = 1


Answer = Callable[[Request, str], Response]
"""(request, the visitor's address) -> response."""


class Malformed(ValueError):
    """The bytes are no HTTP request; the message is what the sender is told."""


def parse(head: bytes) -> Request:
    """Read the request line and the one header that matters. Malformed when it is no request (RFC 9112 section 3)."""
    line, *fields = _LINE_END.split(head.decode("latin-1"))
    found = _REQUEST_LINE.fullmatch(line)
    if found is None:
        raise Malformed("The first line is not an HTTP/1 request line.")
    languages = ""
    for field in fields:
        name, _, value = field.partition(":")
        if name.lower() == "accept-language":
            languages = value.strip()
    target = _ORIGIN.sub("", found[2], count=1)
    return Request(found[1], unquote(target.partition("?")[0], errors="replace"), languages)


def plain(status: str, text: str, **headers: str) -> Response:
    """A short answer for programs."""
    return Response(status, {"Content-Type": "text/plain; charset=utf-8", **headers}, f"{text}\n".encode())


def pieces(response: Response, *, with_body: bool) -> Iterator[bytes | memoryview]:
    """What to send, piece by piece, after which the connection ends.

    The body is not copied: it may be large and on its way to many. No Date: nothing of it may be stored (RFC 9110
    section 6.6.1).
    """
    headers = {
        **response.headers,
        "Content-Length": str(len(response.body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Connection": "close",
    }
    lines = (f"HTTP/1.1 {response.status}", *(f"{name}: {value}" for name, value in headers.items()), "", "")
    yield "\r\n".join(lines).encode("latin-1")
    body = memoryview(response.body if with_body else b"")
    for start in range(0, len(body), CHUNK_BYTES):
        yield body[start : start + CHUNK_BYTES]


def visitor_address(peer: str) -> str:
    """The socket's source address in one way of writing: IPv4 inside IPv6 is IPv4, and no zone."""
    address = ip_address(peer.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


class Door:
    """The connections that are open, on all ports together. When there are too many, whoever has been silent longest
    goes first, so that slow senders cannot keep others out."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._open: dict[Visit, None] = {}
        self._by_visitor: defaultdict[str, dict[Visit, None]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, visit: "Visit") -> bool:
        """Whether there is room for one more connection; it may cost a silent one its place."""
        same = self._by_visitor.get(visit.visitor, {})
        if len(same) >= self.limits.per_visitor and not self._make_room(same):
            return False
        if len(self._open) >= self.limits.connections and not self._make_room(self._open):
            return False
        self._open[visit] = self._by_visitor[visit.visitor][visit] = None
        return True

    def leave(self, visit: "Visit") -> None:
        """Forget a connection, if it is known."""
        self._open.pop(visit, None)
        same = self._by_visitor.get(visit.visitor, {})
        same.pop(visit, None)
        if not same:
            self._by_visitor.pop(visit.visitor, None)

    def close(self) -> None:
        """End all that are open."""
        for visit in list(self._open):
            visit.abort()

    def _make_room(self, among: dict["Visit", None]) -> bool:
        silent = next((visit for visit in among if visit.waiting), None)
        if silent is None:
            return False
        silent.abort()
        return True


class Visit(asyncio.Protocol):
    """One connection: a request comes, an answer goes. `waiting`: the request is not complete yet."""

    def __init__(self, door: Door, answer: Answer) -> None:
        self._door = door
        self._answer = answer
        self._received = bytearray()
        self._unsent: Iterator[bytes | memoryview] = iter(())
        self._transport: asyncio.Transport
        self._paused = False
        self._lingers = False
        self._finished = False
        self._timer: asyncio.TimerHandle | None = None
        self.waiting = True
        self.visitor = ""
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=CHUNK_BYTES)
        peer = transport.get_extra_info("peername")
        if peer is None:  # gone already
            self._transport.abort()
            return
        self.address = visitor_address(peer[0])
        self.visitor = self.address if "." in self.address else str(IPv6Network((self.address, 64), strict=False))
        if not self._door.admit(self):
            self._transport.abort()
            return
        self._abort_after(self._door.limits.head_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        self._door.leave(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self.waiting:
            if len(self._received) > LEFT_OVER_BYTES_MAX:
                self.abort()
            return
        start = self._received.lstrip(b"\r\n")  # an empty line before is forgiven (RFC 9112 section 2.2)
        if start and not _METHOD.match(start[:17]):
            self.abort()
            return
        end = _HEAD_END.search(start)
        if end or len(self._received) > HEAD_BYTES_MAX:
            self._respond(bytes(start[: end.start()]) if end else None, more=not end or end.end() < len(start))

    def eof_received(self) -> bool:
        """A visitor who has said all may still listen."""
        if self.waiting or self._finished:
            self._transport.close()
        self._lingers = False
        return True

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._send()

    def abort(self) -> None:
        """End the connection now, whatever is still to be said."""
        self._transport.abort()
        self._door.leave(self)

    def _respond(self, head: bytes | None, *, more: bool) -> None:
        self.waiting = False
        request, response = self._decide(head)
        # Closing while the visitor still sends would take the answer from him (RFC 9112 section 9.6).
        self._lingers = more or request.method not in ("GET", "HEAD")
        self._unsent = pieces(response, with_body=request.method != "HEAD")
        self._abort_after(self._door.limits.write_timeout_s)
        self._send()

    def _decide(self, head: bytes | None) -> tuple[Request, Response]:
        nobody = Request("", "")
        if head is None or len(head) > HEAD_BYTES_MAX:
            return nobody, plain("431 Request Header Fields Too Large", "The request is too large.")
        try:
            request = parse(head)
        except Malformed as error:
            return nobody, plain("400 Bad Request", str(error))
        if request.method not in ("GET", "HEAD"):
            return request, plain("405 Method Not Allowed", "Only GET and HEAD are answered here.", Allow="GET, HEAD")
        return request, self._answer(request, self.address)

    def _send(self) -> None:
        while not self._paused and not self._finished:
            piece = next(self._unsent, None)
            if piece is not None:
                self._transport.write(piece)
            else:
                self._finish()

    def _finish(self) -> None:
        self._finished = True
        if self._lingers:
            self._transport.write_eof()
            self._abort_after(self._door.limits.linger_s)
        else:
            self._transport.close()

    def _abort_after(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.abort)
