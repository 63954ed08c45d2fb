"""The process that shows blocked customers why they are blocked: `python -m demarc.radiusd.pages`.

It puts the parts together: sockets, the read model and who keeps it, the pages. It must work without a database.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from demarc.radiusd.pages_follow import Follower
from demarc.radiusd.pages_html import LOGO_PATH, LOGO_TYPES, OWN_POLICY, Page, own_page, page
from demarc.radiusd.pages_http import Door, Limits, Request, Response, Visit
from demarc.radiusd.pages_model import Visitor
from demarc.radiusd.pages_own import OwnPage
from demarc.radiusd.pages_text import reader
from demarc.wire.ownpage import INDEX, content_type

OWN_PAGES_AGAIN_S = 2.0
BACKLOG = 512

log = logging.getLogger("demarc.radiusd.pages")


@dataclass(frozen=True, kw_only=True)
class PagesConfig:
    """What the pages process is told by its environment."""

    url: str
    data: Path
    bind: str = "0.0.0.0"  # noqa: S104 - blocked customers come from the access network
    ports: tuple[int, ...] = (8101, 8102, 8103, 8104)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> "PagesConfig":
        """Read DEMARC_*, which the supervisor has checked; KeyError names a variable that is missing."""
        given = {name: value for name, value in environ.items() if name.startswith("DEMARC_") and value}
        ports = given.get("DEMARC_PAGE_PORTS", ",".join(map(str, cls.ports)))
        return cls(
            url=given["DEMARC_RADIUS_URL"],
            data=Path(given["DEMARC_DATA"]),
            bind=given.get("DEMARC_PAGE_BIND", cls.bind),
            ports=tuple(int(port) for port in ports.split(",")),
        )

    @property
    def file(self) -> Path:
        """The read model as of some minutes ago, to start from when the database is away."""
        return self.data / "run" / "pages.jsonl"

    def own_folder(self, place: int) -> Path:
        """Where the administrator's own page for the n-th port lies."""
        return self.data / "pages" / str(place)


class Pages:
    """All ports of one process. `answer` is what the visitor of the n-th port gets."""

    def __init__(self, config: PagesConfig, limits: Limits | None = None) -> None:
        self.config = config
        self.follower = Follower(config.url, config.file)
        self.door = Door(limits or Limits())
        self.own = {place: OwnPage(config.own_folder(place)) for place, _ in enumerate(config.ports, 1)}

    async def serve(self, sockets: list[socket.socket], stop: asyncio.Event) -> None:
        """Answer until `stop`. The sockets listen already, one for each port."""
        loop = asyncio.get_running_loop()
        servers = [
            await loop.create_server(partial(Visit, self.door, partial(self.answer, place)), sock=sock, backlog=BACKLOG)
            for place, sock in enumerate(sockets, 1)
        ]
        async with asyncio.TaskGroup() as tasks:
            keepers = [tasks.create_task(self.follower.run()), tasks.create_task(self._keep_own_pages())]
            await stop.wait()
            for keeper in keepers:
                keeper.cancel()
        for server in servers:
            server.close()
        self.door.close()

    def answer(self, place: int, request: Request, address: str) -> Response:
        """The page for whoever comes from `address` to the `place`-th port, or one of its images."""
        visitor = self.follower.model.visit(address, self.config.ports[place - 1], place)
        own = self.own[place]
        if own.files and visitor.cause is not None:
            return self._own_answer(own, request, visitor)
        provider = visitor.provider
        if request.path == LOGO_PATH and provider and provider.logo and provider.logo_type in LOGO_TYPES:
            return Response(
                "200 OK", {"Content-Type": provider.logo_type, **_policy("default-src 'none'")}, provider.logo
            )
        reads = reader(request.accept_language, provider.language if provider else "")
        return _html(page(visitor, reads), reads.language)

    def _own_answer(self, own: OwnPage, request: Request, visitor: Visitor) -> Response:
        path = own.find(request.path)
        if path != INDEX:
            kind = content_type(path) or "application/octet-stream"
            return Response("200 OK", {"Content-Type": kind, **_policy(OWN_POLICY)}, own.files[path])
        reads = reader(request.accept_language, visitor.provider.language if visitor.provider else "")
        template = own.files[INDEX].decode("utf-8", errors="replace")
        return _html(own_page(template, visitor, reads), None)

    async def _keep_own_pages(self) -> None:
        while True:
            for own in self.own.values():
                await asyncio.to_thread(own.refresh)
            await asyncio.sleep(OWN_PAGES_AGAIN_S)


def _html(shown: Page, language: str | None) -> Response:
    headers = {"Content-Type": "text/html; charset=utf-8", **_policy(shown.policy)}
    if language:
        headers["Content-Language"] = language
    return Response("200 OK", headers, shown.html.encode())


def _policy(policy: str) -> dict[str, str]:
    return {"Content-Security-Policy": policy}


def listen(config: PagesConfig) -> list[socket.socket]:
    """One listening socket for each port. OSError, with the address in its text, when one cannot be had."""
    with contextlib.ExitStack() as undo:
        sockets = [undo.enter_context(_listen(config.bind, port)) for port in config.ports]
        undo.pop_all()
    return sockets


def _listen(bind: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ip_address(bind).version == 6 else socket.AF_INET
    try:
        return socket.create_server((bind, port), family=family, backlog=BACKLOG, dualstack_ipv6=bind == "::")
    except OSError as error:
        raise OSError(
            f"Port {port} of {bind} cannot be opened for the blocking pages: {os.strerror(error.errno or 0)}."
        ) from error


async def run(config: PagesConfig) -> None:
    """Serve until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pages = Pages(config)
    sockets = listen(config)
    pages.follower.start_from_file()
    log.info("blocking pages on %s, ports %s", config.bind, ", ".join(map(str, config.ports)))
    await pages.serve(sockets, stop)


def main() -> None:
    """The process; a port that is taken or a variable that is missing is one sentence and exit code 1."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        config = PagesConfig.from_environment()
    except KeyError as missing:
        sys.exit(f"{missing.args[0]} is not set.")
    try:
        asyncio.run(run(config))
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
