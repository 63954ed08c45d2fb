"""Decisions taken down on the packet path and told in full: bounded, escaped nowhere, and without a password."""

import asyncio
import json
import random
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from tests.radiusd.serving import ALICE, DORA, SECRET, Serving, serving
from tests.sim.nas import PretendNas

from demarc.project.config import RADIUS
from demarc.radiusd import notes as noting
from demarc.radiusd import trace as tracing
from demarc.radiusd.notes import Notes
from demarc.radiusd.trace import Trace, row_of, told
from demarc.wire.radius import Secret, encode_attributes, encode_request, keys, pap, pap_request, tlv

KEY = Secret(SECRET.encode())


@pytest.fixture
def server(tmp_path) -> Iterator[Serving]:
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def nas() -> Iterator[PretendNas]:
    with PretendNas() as one:
        yield one


def test_an_accept_tells_every_step(server, nas):
    nas.log_in(server.auth, "alice", "alpha", Calling_Station_Id="02:00:00:00:00:01", NAS_Port_Id="ether1")
    (row,) = server.told()
    assert row["at"].startswith("2026-03-10T12:00")
    sent = row.pop("sent")
    del row["at"]
    assert row == {
        "node": "test/0", "nas_id": 1, "partner_id": 1, "subscriber_id": ALICE, "login": "alice", "found": "exact",
        "method": "pap", "credentials": "pass", "needs_proof": False, "station": "02:00:00:00:00:01",
        "port": "ether1", "mac_rule": "any", "others": 0, "session_limit": 1, "cause": None, "outcome": "accept",
        "answered_by": "us", "why": "The customer is active.", "address": "198.51.100.7", "address_from": "static",
        "old": [], "differs": [],
    }  # fmt: skip
    assert sent[:2] == ["Framed-IP-Address = 198.51.100.7", "Service-Type = 2"]
    assert "Mikrotik-Rate-Limit = 2M/10M" in sent


def test_what_went_another_way_says_why(server, nas):
    nas.ask(server.auth, encode_request(keys.ACCESS_REQUEST, 99, b"n" * 16, noise(), KEY, signed=False), timeout_s=0.2)
    nas.log_in(server.auth, "DOMAIN\\dora", "delta")
    nas.log_in(server.auth, "mac", "mu", Calling_Station_Id="02:00:00:00:00:99")
    nas.log_in(server.auth, "alice", "wrong", "mschapv2")
    nas.log_in(server.auth, "nobody", "x", "chap")
    nas.log_in(server.auth, "alice", "alpha", NAS_Port_Id="one")
    nas.log_in(server.auth, "alice", "alpha", NAS_Port_Id="another")
    told_of = [(row["found"], row["method"], row["credentials"], row["cause"], row["outcome"]) for row in server.told()]
    assert told_of == [
        ("none", "pap", "noise", None, "silent"),
        ("exact", "mschap2", "fail", 4, "reject"),
        ("none", "chap", "unknown", 0, "reject"),
        ("exact", "pap", "pass", None, "reject"),
        ("domain", "pap", "pass", 2, "limited"),
        ("exact", "pap", "pass", 3, "limited"),
        ("exact", "pap", "pass", None, "accept"),
    ]
    rows = server.told()
    assert rows[3]["why"] == "Already online: 1 of 1 sessions."
    assert (rows[4]["subscriber_id"], rows[4]["address_from"]) == (DORA, "pool")
    assert (rows[5]["mac_rule"], rows[5]["address_from"]) == ("other", "reject_pool")


def noise() -> bytes:
    hidden = pap.hide(b"any password", b"n" * 16, Secret(b"another secret"))
    return tlv(keys.USER_NAME, b"zoe") + tlv(keys.USER_PASSWORD, hidden)


def test_a_pool_that_is_used_up_is_told(server, nas):
    for number in range(32):
        server.put(server.subscriber(100 + number, f"user{number}"))
        nas.ask(server.auth, pap_request(number, bytes([number]) * 16, (f"user{number}", "secret"), b"", KEY))
    words = {row["why"] for row in server.told()}
    assert "An address was on its way; the router asks again." in words


def test_in_a_flood_plain_accepts_stop_at_the_bound_and_rejects_never_do(server, nas, monkeypatch):
    monkeypatch.setattr("demarc.radiusd.auth.PLAIN_MAX", 5)
    for number in range(20):
        nas.ask(server.auth, pap_request(number, bytes([number]) * 16, ("alice", "alpha"), b"", KEY))
    for number in range(20, 30):
        nas.ask(server.auth, pap_request(number, bytes([number]) * 16, ("alice", "wrong"), b"", KEY))
    outcomes = [row["outcome"] for row in server.told()]
    assert (outcomes.count("accept"), outcomes.count("reject")) == (5, 10)
    trace = Trace(server.notes, "test/0")
    trace.collect()
    assert (server.notes.plain, len(server.notes.odd), trace.waiting) == ([], 0, 15)


def test_memory_has_a_bound_on_both_sides(server, nas):
    nas.log_in(server.auth, "alice", "wrong")
    (note,) = server.notes.odd
    notes = Notes()
    trace = Trace(notes, "test/0")
    for _ in range(20):
        notes.odd.extend([note] * 2 * noting.ODD_MAX)
        trace.collect()
    assert len(notes.odd) == 0
    assert len(trace.latest) == tracing.REMEMBERED


def test_random_octets_in_every_attribute_are_told_without_a_complaint(server, nas):
    dice = random.Random(7)
    for number in range(200):
        name, station, port = (dice.randbytes(dice.randint(1, 253)) for _ in range(3))
        hidden = pap.hide(dice.randbytes(12), b"r" * 15 + bytes([number]), KEY)
        given = (
            tlv(keys.USER_NAME, name) + tlv(keys.USER_PASSWORD, hidden) + tlv(keys.CALLING_STATION_ID, station)
            + tlv(keys.NAS_PORT_ID, port) + tlv(dice.choice((8, 27, 97, 250)), dice.randbytes(dice.randint(1, 30)))
        )  # fmt: skip
        nas.ask(server.auth, encode_request(1, number, b"r" * 15 + bytes([number]), given, KEY))
    rows = server.told()
    assert len(rows) == 200
    for row in rows:
        assert "\0" not in json.dumps(row, ensure_ascii=False)
        assert len(row["login"]) <= 253
        assert len(row["station"]) <= 80
        assert len(row["port"]) <= 120


def test_octets_are_told_by_their_length_alone():
    given = tlv(keys.USER_PASSWORD, b"s" * 16) + tlv(keys.CLASS, b"c" * 5) + tlv(keys.MS_MPPE_SEND_KEY, b"k" * 34)
    given += encode_attributes([("Session-Timeout", 300)]) + tlv(250, b"xx") + tlv(keys.FRAMED_IP_ADDRESS, b"123")
    assert list(told(given)) == [
        "User-Password, 16 octets", "Class, 5 octets", "MS-MPPE-Send-Key, 34 octets", "Session-Timeout = 300",
        "Attribute 250, 2 octets", "Framed-IP-Address, 3 octets",
    ]  # fmt: skip


def test_a_note_that_cannot_be_told_is_counted_and_the_others_are_written(server, nas, cluster, django_db_setup):
    nas.log_in(server.auth, "alice", "wrong")
    (note,) = server.notes.odd
    notes = Notes()
    trace = Trace(notes, "test/0")
    notes.odd.extend([note, ("not", "a", "note"), note])

    async def write() -> None:
        conn = await psycopg.AsyncConnection.connect(cluster.url(RADIUS))
        try:
            trace.collect()
            await trace.write(conn)
            await conn.rollback()
        finally:
            await conn.close()

    asyncio.run(write())
    assert (trace.written, trace.bugs, trace.waiting) == (2, 1, 0)


def test_the_time_is_the_one_that_the_rules_went_by(server, nas):
    server.now += timedelta(days=1)
    nas.log_in(server.auth, "alice", "alpha")
    assert row_of(server.notes.plain[0], "x")["at"].startswith("2026-03-11T12:00")
