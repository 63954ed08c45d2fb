"""Real programs for life stories: radclient, the API over HTTP, and a customer's own machine in a network namespace."""

import itertools
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

_numbers = itertools.count(1)


@dataclass
class Api:
    """Calls of the REST API with one token; `answer.status` other than expected fails with the problem's text."""

    base: str
    token: str
    keys: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    timeout_s: float = 60

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/api/v1{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())

    def get(self, path: str) -> Any:
        status, answer = self.call("GET", path)
        assert status == 200, answer
        return answer

    def post(self, path: str, body: Any = None, **options: Any) -> Any:
        status, answer = self.call("POST", path, {} if body is None else body, **options)
        assert status in (200, 201), answer
        return answer

    def put(self, path: str, body: Any) -> Any:
        status, answer = self.call("PUT", path, body)
        assert status in (200, 201), answer
        return answer


def radclient(address: str, port: int, secret: str, kind: str, attributes: str, *options: str) -> str:
    """What Debian's radclient prints with -x: the request, and the reply if one came."""
    command = ["radclient", "-x", "-r", "1", "-t", "2", *options, f"{address}:{port}", kind, secret]
    done = subprocess.run(command, input=attributes, capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr


@contextmanager
def customers_machine(address: str) -> Iterator[tuple[str, list[str]]]:
    """A network namespace that has `address`: yields our end's address, and how to run things there."""
    number = next(_numbers)
    name, ours, theirs = f"demarc-cust{number}", f"dmc-h{number}", f"dmc-c{number}"
    gateway = address.rsplit(".", 1)[0] + (".1" if not address.endswith(".1") else ".254")
    commands = [
        ["ip", "netns", "add", name],
        ["ip", "link", "add", ours, "type", "veth", "peer", "name", theirs],
        ["ip", "link", "set", theirs, "netns", name],
        ["ip", "addr", "add", f"{gateway}/32", "dev", ours],
        ["ip", "link", "set", ours, "up"],
        ["ip", "route", "add", f"{address}/32", "dev", ours],
        ["ip", "-n", name, "addr", "add", f"{address}/32", "dev", theirs],
        ["ip", "-n", name, "link", "set", theirs, "up"],
        ["ip", "-n", name, "route", "add", f"{gateway}/32", "dev", theirs],
    ]
    try:
        for command in commands:
            subprocess.run(command, check=True, capture_output=True)
        yield gateway, ["ip", "netns", "exec", name]
    finally:
        for command in (["ip", "netns", "del", name], ["ip", "link", "del", ours]):
            with suppress(OSError):
                subprocess.run(command, capture_output=True)


def page(inside: list[str], address: str, port: int, language: str = "en") -> str:
    """A page as the customer's browser would ask for it, from his machine, for whatever address he had in mind."""
    source = (
        "import http.client,sys;c=http.client.HTTPConnection(sys.argv[1],int(sys.argv[2]),timeout=10);"
        "c.request('GET','/news',headers={'Host':'news.example','Accept-Language':sys.argv[3]});"
        "r=c.getresponse();sys.stdout.buffer.write(r.read())"
    )
    command = [*inside, "python3", "-c", source, address, str(port), language]
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout.decode()
