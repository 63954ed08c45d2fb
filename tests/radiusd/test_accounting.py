"""Accounting is acknowledged when the disk has it, once, and the memory of who is online follows it."""

import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import chain
from pathlib import Path

import pytest
from tests.radiusd.serving import ALICE, BOB, SECRET, Serving, eventually, serving
from tests.sim.nas import PretendNas

from demarc.radiusd.online import MISSED_INTERIMS
from demarc.wire.radius import Secret, accounting_request, decode, encode_attributes

ADDRESS = IPv4Address("172.16.0.5")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def nas() -> Iterator[PretendNas]:
    with PretendNas(secret=SECRET) as one:
        yield one


def start(session: str = "s1", login: str = "bob") -> bytes:
    pairs = [("Acct-Status-Type", 1), ("User-Name", login), ("Acct-Session-Id", session)]
    return accounting_request(7, encode_attributes(pairs), Secret(SECRET.encode()))


def test_what_is_acknowledged_is_in_the_journal_with_whose_it_is(server, nas):
    assert nas.account(server.acct, "Start", "bob", "s1", Framed_IP_Address=ADDRESS).kind == "Accounting-Response"
    record = server.journaled()[0]
    assert (record.nas_id, record.partner_id, record.subscriber_id, record.service_id) == (1, 1, BOB, 100 + BOB)
    assert record.arrived == server.now
    assert decode(record.octets).text(44) == "s1"


def test_a_repeated_request_is_answered_again_and_journaled_once(server, nas):
    packet = start()
    replies = {nas.ask(server.acct, packet).octets for _ in range(3)}
    assert len(replies) == 1
    assert len(server.journaled()) == 1


def test_nothing_is_acknowledged_that_the_disk_did_not_take(server, nas, tmp_path):
    """Then the router asks again, and is answered when the disk is well."""
    nas.ask(server.acct, start("before"))
    broken = server.kept._segment._fd
    server.kept._segment._fd = 10**6
    packet = start("lost")
    assert nas.ask(server.acct, packet, timeout_s=0.3) is None
    assert server.dropped("journal_failed")
    assert nas.ask(server.acct, packet)
    assert broken
    assert [decode(record.octets).text(44) for record in server.journaled()] == ["before", "lost"]


def test_a_full_queue_takes_nothing_more(server, nas, monkeypatch):
    monkeypatch.setattr("demarc.radiusd.journal.WAITING_MAX", 0)
    assert nas.ask(server.acct, start(), timeout_s=0.2) is None
    assert server.dropped("journal_full")
    assert server.journaled() == []


def test_another_secret_and_a_packet_without_session_hear_nothing(server, nas):
    with PretendNas(secret="another") as liar:
        assert liar.account(server.acct, "Start", "bob", "s1") is None
    assert nas.ask(server.acct, start(session=""), timeout_s=0.2) is None
    assert server.dropped("wrong_secret")
    assert server.dropped("malformed")
    assert server.journaled() == []


def test_statuses_that_we_do_not_know_are_acknowledged_all_the_same(server, nas):
    pairs = [("Acct-Status-Type", 12), ("Acct-Session-Id", "t1")]
    assert nas.ask(server.acct, accounting_request(1, encode_attributes(pairs), Secret(SECRET.encode())))


def test_our_class_tells_whose_session_it_is_also_under_another_name(server, nas):
    reply = nas.log_in(server.auth, "bob", "beta")
    nas.account(server.acct, "Start", "anonymous", "s1", Class=reply["Class"])
    assert server.journaled()[-1].subscriber_id == BOB


def test_the_list_that_a_session_was_let_in_with_is_kept(server, nas):
    reply = nas.log_in(server.auth, "dora", "delta")
    server.put(server.subscriber(3, "dora"))  # she pays before her Start comes
    nas.account(server.acct, "Start", "dora", "s1", Class=reply["Class"])
    nas.account(server.acct, "Start", "alice", "s2")
    assert [record.list_name for record in server.journaled()] == ["Reject_2", ""]


def test_a_class_of_another_provider_is_not_believed(server, nas):
    reply = nas.log_in(server.auth, "bob", "beta")
    server.put(server.subscriber(BOB, "bob", partner_id=2))
    nas.account(server.acct, "Start", "stranger", "s1", Class=reply["Class"])
    assert server.journaled()[-1].subscriber_id == 0


def test_who_is_online_follows_the_records(server, nas):
    nas.account(server.acct, "Start", "bob", "s1", Framed_IP_Address=ADDRESS)
    assert eventually(lambda: server.online.at_address(ADDRESS) is not None)
    assert server.online.at_address(ADDRESS).subscriber_id == BOB
    nas.account(server.acct, "Start", "alice", "s2", Framed_IP_Address=ADDRESS)
    assert server.online.at_address(ADDRESS).subscriber_id == ALICE
    assert len(server.online.sessions) == 1
    nas.account(server.acct, "Stop", "alice", "s2", Framed_IP_Address=ADDRESS)
    assert server.online.at_address(ADDRESS) is None


def test_an_address_that_comes_late_is_known_from_then_on(server, nas):
    nas.account(server.acct, "Start", "bob", "s1")
    nas.account(server.acct, "Interim-Update", "bob", "s1", Framed_IP_Address=ADDRESS, Acct_Session_Time=60)
    assert server.online.at_address(ADDRESS).key == (1, "s1", "bob")
    assert len(server.online.sessions) == 1


def test_a_restart_ends_what_was_on_before_it(server, nas):
    nas.account(server.acct, "Start", "bob", "s1")
    server.now = server.now.replace(minute=30)
    nas.account(server.acct, "Accounting-On", "", "")
    assert server.online.sessions == {}
    nas.account(server.acct, "Start", "bob", "s2")
    nas.account(server.acct, "Accounting-On", "", "", Acct_Delay_Time=10)
    assert list(server.online.sessions) == [(1, "s2", "bob")]


def test_sessions_that_fall_silent_are_over_unless_their_router_is_cut_off(server, nas):
    with PretendNas("127.0.0.2", secret=SECRET) as other:
        server.put_nases(server.nas(), server.nas("127.0.0.2", 2))
        nas.account(server.acct, "Start", "bob", "s1")
        other.account(server.acct, "Start", "alice", "s2")
    later = time.monotonic() + MISSED_INTERIMS * 300 + 1
    server.online.heard[1] = later - 10
    gone = chain.from_iterable(server.online.silent(later))
    assert [session.key for session in gone] == [(1, "s1", "bob")]
