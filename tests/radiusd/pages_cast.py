"""The blocking pages in front of real sockets, with a small cast: who owes, who is active again, a stranger."""

import asyncio
import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from demarc.radiusd.pages import Pages, PagesConfig, listen
from demarc.radiusd.pages_http import Limits
from demarc.radiusd.pages_model import PagesModel

NOWHERE = "postgresql://demarc_radius@127.0.0.1:1/demarc"
CAUSES = {
    "0": {"list": "Reject_0", "pool_id": 10, "page_port": 8101},
    "1": {"list": "Reject_1", "pool_id": 11, "page_port": 8101},
    "2": {"list": "Reject_2", "pool_id": 12, "page_port": 8102},
    "3": {"list": "Reject_3", "pool_id": 13, "page_port": 8103},
    "4": {"list": "Reject_4", "pool_id": 14, "page_port": 8104},
}
DEBTOR, ACTIVE, SUSPENDED, STATIC, OUT_OF_TUNE = 101, 102, 103, 104, 105
DEBTORS_ADDRESS, ACTIVES_ADDRESS, SUSPENDEDS_ADDRESS, STATIC_ADDRESS = (
    "127.0.0.2",
    "127.0.0.3",
    "127.0.0.4",
    "127.0.0.5",
)
STRANGERS_ADDRESS = "127.0.0.99"


def provider_row(partner_id: int = 1, **facts: Any) -> list[Any]:
    row = {
        "name": "Valley Net",
        "language": "en",
        "phone": "+420 123 456 789",
        "email": "help@valley.example",
        "website": "https://valley.example/",
        "title": "",
        "message": "",
        "how_to_pay": "",
        "colour": "#0054a6",
        "logo": "",
        "logo_type": "",
        "causes": CAUSES,
    } | facts
    return [partner_id, *row.values()]


def session_row(
    number: int, subscriber: int | None, ipv4: str | None, *, list_name: str = "", partner: int = 1, **ipv6: str
) -> list[Any]:
    networks = [ipv6.get(name) for name in ("address6", "prefix", "delegated")]
    return [number, partner, subscriber, list_name, ipv4, *networks, 1_700_000_000 + number]


def pool_row(pool_id: int, first: str, last: str, *, partner: int = 1, vrf: int = 0) -> list[Any]:
    return [pool_id, partner, None, "reject", vrf, first, last, 32]


def filled_model(**facts: Any) -> PagesModel:
    model = PagesModel()
    model.put_providers([provider_row(**facts)])
    model.put_pools([pool_row(12, "10.250.252.1", "10.250.252.254"), pool_row(14, "10.250.254.1", "10.250.254.254")])
    model.put_standings(
        [
            [DEBTOR, 1, 2, 1240, "EUR", None],
            [ACTIVE, 1, None, None, "", None],
            [SUSPENDED, 1, 1, None, "", None],
            [STATIC, 1, 2, 500, "EUR", STATIC_ADDRESS],
            [OUT_OF_TUNE, 1, 2, 990, "EUR", None],
        ]
    )
    model.put_sessions(
        [
            session_row(1, DEBTOR, DEBTORS_ADDRESS, list_name="Reject_2"),
            session_row(2, ACTIVE, ACTIVES_ADDRESS),
            session_row(3, SUSPENDED, SUSPENDEDS_ADDRESS, list_name="Reject_1"),
        ]
    )
    return model


@dataclass
class Running:
    """A running pages process without its process: all ports on loopback."""

    pages: Pages
    ports: list[int]

    def port(self, place: int) -> int:
        return self.ports[place - 1]

    def connect(self, place: int = 2, source: str = DEBTORS_ADDRESS) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port(place)), timeout=10, source_address=(source, 0))

    def get(
        self, path: str = "/", place: int = 2, source: str = DEBTORS_ADDRESS, method: str = "GET", **headers: str
    ) -> tuple[http.client.HTTPResponse, str]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        server = "::1" if ":" in source else "127.0.0.1"
        connection = http.client.HTTPConnection(server, self.port(place), timeout=10, source_address=(source, 0))
        connection.request(method, path, headers=sent)
        response = connection.getresponse()
        body = response.read().decode("utf-8", errors="replace")
        connection.close()
        return response, body

    def say(self, data: bytes, place: int = 2, source: str = DEBTORS_ADDRESS) -> bytes:
        """All that comes back until the server closes; what is reset counts as nothing."""
        with self.connect(place, source) as connection:
            try:
                connection.sendall(data)
                return b"".join(iter(lambda: connection.recv(65536), b""))
            except ConnectionError:
                return b""


@contextmanager
def running(
    data: Path, model: PagesModel | None = None, limits: Limits | None = None, bind: str = "127.0.0.1"
) -> Iterator[Running]:
    """Serve `model` on four free ports, the database being out of reach."""
    config = PagesConfig(url=NOWHERE, data=data, bind=bind, ports=(0, 0, 0, 0))
    sockets = listen(config)
    ports = [each.getsockname()[1] for each in sockets]
    pages = Pages(replace(config, ports=tuple(ports)), limits)
    pages.follower.model = model or filled_model()
    for own in pages.own.values():
        own.refresh()
    started, stop = threading.Event(), []

    async def serve() -> None:
        event = asyncio.Event()
        stop.append((asyncio.get_running_loop(), event))
        started.set()
        await pages.serve(sockets, event)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    started.wait(10)
    try:
        yield Running(pages, ports)
    finally:
        loop, event = stop[0]
        loop.call_soon_threadsafe(event.set)
        thread.join(10)
        assert not thread.is_alive()


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
