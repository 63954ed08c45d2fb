"""A pretend SMS gateway: takes HTTP requests, keeps them, and answers as it is told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class SmsGateway:
    """What it was asked, and what it answers. `silent`: it takes the request and hangs up."""

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    status: int = 200
    answer: str = "OK queued"
    location: str = ""
    silent: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/send"


class Handler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self) -> None:
        place: SmsGateway = self.server.place
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        place.asked.append(Asked(self.command, self.path, dict(self.headers), body))
        if place.silent:
            self.close_connection = True
            return
        self.send_response(place.status)
        if place.location:
            self.send_header("Location", place.location)
        self.end_headers()
        self.wfile.write(place.answer.encode())

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args: Any) -> None:
        return


class Server(ThreadingHTTPServer):
    place: SmsGateway


@contextmanager
def sms_gateway(**facts: Any) -> Iterator[SmsGateway]:
    """A running one."""
    place = SmsGateway(**facts)
    server = Server(("127.0.0.1", 0), Handler)
    server.place, place.port = place, server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield place
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
