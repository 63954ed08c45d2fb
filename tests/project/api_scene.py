"""Programs that use the API: tokens of several roles, and an ISP with one of everything that an operation can name."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from django.http import HttpResponse
from django.test import Client
from tests import cast
from tests.cast import STAFF

from demarc.base import clock
from demarc.base.models import Partner
from demarc.network import actions as network
from demarc.staff.actions import create_token
from demarc.staff.models import ApiToken

ROOT = "/api/v1"
_numbers = count(1)


@dataclass
class Program:
    """A program with a token; every request is a real one through Django's whole stack."""

    token: str = ""
    row: ApiToken | None = None
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def call(self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str) -> HttpResponse:
        """`body`: JSON-able, or bytes as they are. `path` below /api/v1."""
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if key:
            headers["Idempotency-Key"] = key
        return self.client.generic(
            method,
            ROOT + path,
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode(),
            content_type=JSON,
            headers=headers,
        )

    def get(self, path: str) -> Any:
        """The answer's JSON, which must be a good one."""
        return good(self.call("GET", path))

    def post(self, path: str, body: Any = None, *, key: str = "") -> Any:
        return good(self.call("POST", path, {} if body is None else body, key=key))

    def put(self, path: str, body: Any) -> Any:
        return good(self.call("PUT", path, body))

    def patch(self, path: str, body: Any) -> Any:
        return good(self.call("PATCH", path, body))


JSON = "application/json"


def good(answer: HttpResponse) -> Any:
    assert answer.status_code in (200, 201, 202), (answer.status_code, answer.content.decode())
    return answer.json()


def program(role: str = "API full", *partners: Partner, expires_at: datetime | None = None) -> Program:
    """A program with a fresh token of this role, for these partners only if any are named."""
    row, plaintext = create_token(f"{role} test", role, by=STAFF, at=clock.now(), expires_at=expires_at)
    row.partners.set(partners)
    return Program(plaintext, row)


def partner(zone: str = "UTC", **facts: Any) -> Partner:
    """A provider of the test's own, with a cause table."""
    made = cast.partner(f"Provider {next(_numbers)}", zone=zone, **facts)
    network.set_up_partner(made.pk, by=STAFF, at=clock.now())
    return made


def problem(answer: HttpResponse, status: int) -> Any:
    """The problem in an answer, which must be one of this status."""
    assert answer.status_code == status, (answer.status_code, answer.content.decode())
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert told["request_id"] == answer.headers["X-Request-ID"]
    return told
