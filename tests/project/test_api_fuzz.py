"""Two thousand requests made from the API's own document, most of them nonsense somewhere: never our fault.

The seed is kept, so a failure is the same failure tomorrow; DEMARC_FUZZ_SEED and DEMARC_FUZZ_REQUESTS ask for others.
"""

import json
import os
import random
from collections import Counter
from urllib.parse import quote

import pytest
from tests.project.api_scene import problem, program
from tests.project.api_world import ID, OPERATIONS, SAMPLES, Operation, isp, resolved

from demarc.billing.models import LedgerAccount, Transfer
from demarc.staff import apidoor

pytestmark = [pytest.mark.usefixtures("committed"), pytest.mark.slow]

SEED = int(os.environ.get("DEMARC_FUZZ_SEED", "20240531"))
REQUESTS = int(os.environ.get("DEMARC_FUZZ_REQUESTS", "3000"))

HOSTILE = [
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**63) - 1,
    10**30,
    1.5,
    -0.0,
    1e308,
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "\u202e",
    "é\u0301",
    "💥" * 70,
    "a" * 130,
    "a" * 70_000,
    "'; DROP TABLE billing_transfer; --",
    "%s %(x)s {0} {{",
    "<script>",
    "0",
    "-1",
    "1e400",
    "NaN",
    "Infinity",
    "9" * 400,
    "0.001",
    "-0.00",
    "99999999999999999999.99",
    "10000000000.00",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2199-12-31",
    "2024-02-30",
    "2024-05-31T00:00:00Z",
    "127.0.0.1",
    "0.0.0.0/0",
    "10.0.0.1/33",
    "255.255.255.255/32",
    "::/0",
    "fe80::1%eth0",
    "ff:ff:ff:ff:ff:ff",
    "Europe/Prague",
    "../../etc/passwd",
    "XAU",
    [],
    [None],
    ["a"] * 300,
    [["a"]],
    {},
    {"a": {"b": []}},
]
RAW_BODIES = [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"a":1}{"b":2}', b"[" * 5000, b"1" * 6000, b'"\\ud800"']
RAW_KEYS = ["", " ", "k" * 200, "é", "\x7f", "a b", "k"]


class Maker:
    """Requests for an ISP of which one of everything exists."""

    def __init__(self, seed: int, ids: dict[str, int]) -> None:
        self.dice = random.Random(seed)
        self.ids = ids

    def often(self) -> bool:
        """In four of five places a request is as it should be, so that nonsense gets far."""
        return self.dice.random() < 0.8

    def value(self, name: str, schema: dict) -> object:
        """A value for a field: usually one of its kind, else anything."""
        return self.fitting(name, resolved(schema)) if self.often() else self.dice.choice(HOSTILE)

    def fitting(self, name: str, schema: dict) -> object:
        if ID.fullmatch(name) or name == "cause":
            return self.ids.get(name, 1)
        if name in SAMPLES:
            return SAMPLES[name]
        if "anyOf" in schema:
            return self.fitting(name, resolved(self.dice.choice(schema["anyOf"])))
        if "enum" in schema:
            return self.dice.choice(schema["enum"])
        if schema.get("type") == "array":
            return [self.value(name, schema["items"]) for _ in range(self.dice.randrange(4))]
        made = {
            "integer": self.dice.choice([0, 1, 2, 80, 4096, 65536, 10**6]),
            "boolean": self.dice.random() < 0.5,
            "null": None,
            "string": f"{name} {self.dice.randrange(10**6)}",
        }
        return made.get(schema.get("type", "string"))

    def body(self, operation: Operation) -> object:
        """A body with what is required, some of the rest, and now and then a field too many or none of all this."""
        if self.dice.random() < 0.05:
            return self.dice.choice(RAW_BODIES)
        schema = operation.body
        required = set(schema.get("required", []))
        fields = {
            name: self.value(name, one)
            for name, one in schema.get("properties", {}).items()
            if name in required or self.dice.random() < 0.4
        }
        if fields and self.dice.random() < 0.05:
            fields.pop(self.dice.choice(sorted(fields)))
        if self.dice.random() < 0.03:
            fields[str(self.dice.choice(HOSTILE))[:100]] = 1
        return fields if schema else None

    def path(self, operation: Operation) -> str:
        """The operation's path, with filters behind."""
        values = {name: self.in_address(self.value(name, {"type": "integer"})) for name in operation.path_names}
        path = operation.path.removeprefix("/api/v1").format_map(values)
        filters = [
            f"{name}={self.in_address(self.value(name, one['schema']))}"
            for name, one in operation.parameters.items()
            if one["in"] == "query" and (one["required"] or self.dice.random() < 0.5)
        ]
        return path + ("?" + "&".join(filters) if filters else "")

    @staticmethod
    def in_address(value: object) -> str:
        return quote(str(value).encode(errors="surrogatepass")[:300], safe="")

    def key(self) -> str:
        """New, used before, or none."""
        return f"key-{self.dice.randrange(200)}" if self.often() else self.dice.choice(RAW_KEYS)


@pytest.fixture
def fuzzed(monkeypatch):
    """An ISP and a program that may do everything there, as fast as it can."""
    monkeypatch.setattr(apidoor, "REQUESTS", 10**6)
    _, ids = isp(1)
    return program("Super administrator"), Maker(SEED, ids)


def test_no_request_is_our_fault_and_every_refusal_says_why(fuzzed):
    caller, maker = fuzzed
    statuses, succeeded = Counter(), set()
    for turn in range(REQUESTS):
        operation = maker.dice.choice(list(OPERATIONS.values()))
        path, body, key = maker.path(operation), maker.body(operation), maker.key()
        answer = caller.call(operation.method, path, body, key=key)
        asked = f"seed {SEED}, request {turn}: {operation.method} {path} key {key!r} {str(body)[:2000]}"
        assert answer.status_code < 500, asked
        statuses[answer.status_code] += 1
        if answer.status_code < 300:
            succeeded.add(operation.id)
            assert answer["Content-Type"] == "application/pdf" or json.loads(answer.content) is not None
        else:
            assert answer.status_code in (400, 401, 404, 405, 409, 413, 422), asked
            told = problem(answer, answer.status_code)
            assert len(told["detail"]) > 10, asked
            assert all(error["field"] and error["message"] for error in told.get("errors", [])), asked
    assert len(succeeded) > len(OPERATIONS) * 0.8, sorted(set(OPERATIONS) - succeeded)
    assert sum(count for status, count in statuses.items() if status < 300) > REQUESTS * 0.15, statuses
    for account in LedgerAccount.objects.filter(kind="payer"):
        moves = Transfer.objects.filter(account_id=account.payer_id)
        raised = sum(move.amount for move in moves if move.credit_account_id == account.pk)
        lowered = sum(move.amount for move in moves if move.debit_account_id == account.pk)
        assert account.balance == raised - lowered
