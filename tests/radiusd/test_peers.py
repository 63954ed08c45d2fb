"""What processes tell one another of sessions: heard, believed where it is news, and over when it is over."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.radiusd.serving import ALICE, BOB, NOW, POOL, Serving, serving

from demarc.core.sessions import Event, Record
from demarc.radiusd import records
from demarc.radiusd.acct import Accountant
from demarc.radiusd.config import Config
from demarc.radiusd.online import Place
from demarc.radiusd.peers import PAYLOAD_BYTES_MAX, Hearer, announcements
from demarc.radiusd.tally import Item, Tally

OURS, THEIRS = "main/0", "second/0"
ADDRESS = "172.16.0.1"
LATER = NOW + timedelta(days=1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def hearer(server: Serving) -> Hearer:
    acct = Accountant(server.model, server.online, server.leases, server.kept, server.counters, lambda: NOW)
    config = Config(url="", data=server.directory, keys=server.directory)
    return Hearer(config, acct, server.counters, lambda: NOW)


def told(session: str, who: int, *, address: str | None = ADDRESS, age_s: float = 0, nas: int = 9) -> list:
    heard = NOW.timestamp() - age_s
    return [nas, session, "name", who, 100 + who, "02:00:00:00:00:09", "", address, heard - 10, heard]


def say(hearer: Hearer, *rows: list, writer: str = THEIRS) -> None:
    hearer.take(json.dumps([writer, rows]))


def others(server: Serving, who: int) -> int:
    return server.online.others(who, Place(1, b"here", b""), time.monotonic())


def test_a_session_elsewhere_counts_until_it_is_over(server, hearer):
    say(hearer, told("s1", ALICE))
    assert others(server, ALICE) == 1
    say(hearer, [9, "s1", "name"])
    assert others(server, ALICE) == 0


def test_one_that_was_last_heard_of_three_intervals_ago_does_not_count(server, hearer):
    say(hearer, told("s1", ALICE, age_s=1000))
    assert others(server, ALICE) == 0


def test_our_own_announcements_are_no_news_but_end_what_we_took_to_be_elsewhere(server, hearer):
    say(hearer, told("s1", ALICE), writer=OURS)
    assert others(server, ALICE) == 0
    say(hearer, told("s2", ALICE))
    say(hearer, [9, "s2", "name"], writer=OURS)
    assert others(server, ALICE) == 0


def test_an_address_of_ours_that_is_used_elsewhere_is_given_to_nobody(server, hearer):
    say(hearer, told("s1", ALICE))
    given = {server.leases.take(200 + number, (POOL,), LATER) for number in range(30)}
    assert IPv4Address(ADDRESS) not in given
    assert None in given  # thirty addresses, one of them hers
    say(hearer, [9, "s1", "name"])
    assert server.leases.take(300, (POOL,), LATER) == IPv4Address(ADDRESS)


def test_what_comes_too_late_takes_no_address_from_who_has_it_since(server, hearer):
    say(hearer, told("new", BOB))
    say(hearer, told("old", ALICE, age_s=60))
    assert server.online.at_address(IPv4Address(ADDRESS)).subscriber_id == BOB


def test_many_sessions_go_in_payloads_that_the_database_takes():
    work = Tally()
    for number in range(500):
        item = Item(
            records.Record(records.PACKET, 0, 1, 1, 5, 6, 0, "", b""), 1, f"s{number}", "ž" * 100, NOW, NOW,
            fact=Record(Event.START if number % 2 else Event.STOP, NOW),
        )  # fmt: skip
        work.add((1, 0, item.session_id, item.user_name), item)
    found = list(announcements(OURS, work, others=True))
    assert all(len(payload.encode()) <= PAYLOAD_BYTES_MAX for payload in found)
    rows = [row for payload in found for row in json.loads(payload)[1]]
    assert {row[1]: len(row) for row in rows} == {f"s{n}": 10 if n % 2 else 3 for n in range(500)}
    alone = [row for payload in announcements(OURS, work, others=False) for row in json.loads(payload)[1]]
    assert alone == [row for row in rows if len(row) == 3]
