"""IPv6 prefixes from pools: given with the address, the same ones again, promised, and free when accounting says so."""

from ipaddress import IPv6Network

import pytest
from tests.radiusd.serving import ALICE, DORA, PARTNER, POOLS, SECRET, serving
from tests.sim.nas import PretendNas

from demarc.core.addressing import Prefixes
from demarc.radiusd.model import _span

LINE, ROUTER = 80, 81
SIX = [
    [LINE, PARTNER, 1, "prefix", 0, "2001:db8:0:10::", "2001:db8:0:13::", 64],
    [ROUTER, PARTNER, None, "delegated", 0, "2001:db8:100::", "2001:db8:100:300::", 56],
]
MAC_A = {"Calling_Station_Id": "02:00:00:00:00:0A"}
MAC_B = {"Calling_Station_Id": "02:00:00:00:00:0B"}


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.radiusd.serving.POOLS", [*POOLS, *SIX])
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def nas():
    with PretendNas(secret=SECRET) as pretending:
        yield pretending


def given(reply):
    return reply.get("Framed-IPv6-Prefix"), reply.get("Delegated-IPv6-Prefix")


def log_in(server, nas, login="bob", password="beta", **more):
    return given(nas.log_in(server.auth, login, password, **(MAC_A | more)))


def account(server, nas, status, session_id, login, six, **more):
    line, router = six
    facts = {"Framed_IPv6_Prefix": line, "Delegated_IPv6_Prefix": router} if line else {}
    assert nas.account(server.acct, status, login, session_id, **(MAC_A | facts | more))


def test_a_login_gets_a_prefix_for_the_line_and_one_for_its_router(server, nas):
    line, router = log_in(server, nas)
    assert line.subnet_of(IPv6Network("2001:db8:0:10::/62"))
    assert router.subnet_of(IPv6Network("2001:db8:100::/54"))
    assert (line.prefixlen, router.prefixlen) == (64, 56)


def test_who_asks_again_gets_the_same_ones_and_another_gets_others(server, nas):
    first = log_in(server, nas)
    assert log_in(server, nas) == first
    other = log_in(server, nas, "alice", "alpha", **MAC_B)
    assert not set(other) & set(first)


def test_what_is_held_for_good_is_given_and_only_the_rest_comes_from_pools(server, nas):
    own = ["2001:db8:0:7::/64", None, None]
    server.put([*server.subscriber(ALICE, "alice", static="198.51.100.7"), *own])
    line, router = log_in(server, nas, "alice", "alpha")
    assert line == IPv6Network(own[0])
    assert router.subnet_of(IPv6Network("2001:db8:100::/54"))


def test_who_is_blocked_gets_none(server, nas):
    assert nas.log_in(server.auth, "dora", "delta", **MAC_A).kind == "Access-Accept"
    assert log_in(server, nas, "dora", "delta") == (None, None)
    server.put(server.subscriber(DORA, "dora"))
    assert None not in log_in(server, nas, "dora", "delta")


def test_when_the_pool_is_used_up_ipv4_is_given_all_the_same(server, nas):
    for number in range(10, 16):
        server.put(server.subscriber(number, f"user{number}"))
        server.leases.used_up(LINE)
        server.leases.used_up(ROUTER)
        reply = nas.log_in(server.auth, f"user{number}", "secret", **MAC_A)
        assert reply["Framed-IP-Address"]
    assert given(reply) == (None, None)


def test_a_session_holds_its_prefixes_and_its_stop_frees_them(server, nas):
    six = log_in(server, nas)
    account(server, nas, "Start", "s1", "bob", (None, None))
    account(server, nas, "Interim-Update", "s1", "bob", six)  # the first to tell, as with dual stack
    (session,) = server.online.sessions.values()
    assert session.prefixes == six
    for number in range(10, 14):  # they and bob want one line prefix more than there are
        server.put(server.subscriber(number, f"user{number}"))
        server.leases.used_up(LINE)
        server.leases.used_up(ROUTER)
        last = log_in(server, nas, f"user{number}", "secret")
    assert last[0] is None
    account(server, nas, "Stop", "s1", "bob", six)
    assert log_in(server, nas, "user13", "secret")[0] == six[0]


def test_two_sessions_of_one_login_have_their_own_prefixes_and_keep_them(server, nas):
    server.put(server.subscriber(2, "bob", limit=2))
    one = log_in(server, nas, NAS_Port_Id="a")
    account(server, nas, "Start", "s1", "bob", one, NAS_Port_Id="a")
    two = log_in(server, nas, NAS_Port_Id="b", **MAC_B)
    assert not set(one) & set(two)
    assert log_in(server, nas, NAS_Port_Id="b", **MAC_B) == two
    assert log_in(server, nas, NAS_Port_Id="a") == one


def test_what_was_promised_is_the_service_s_after_a_restart(tmp_path, monkeypatch, nas):
    monkeypatch.setattr("tests.radiusd.serving.POOLS", [*POOLS, *SIX])
    with serving(tmp_path) as running:
        log_in(running, nas, "alice", "alpha")
        before = log_in(running, nas, **MAC_B)
    with serving(tmp_path) as running:
        blocks = [(LINE, *SIX[0][5:7]), (ROUTER, *SIX[1][5:7])]
        running.leases.recover(blocks, running.online, running.now)
        assert log_in(running, nas, **MAC_B) == before


def test_prefixes_are_numbered_by_their_leading_bits():
    span = _span("2001:db8:100::", "2001:db8:100:300::", 56)
    assert isinstance(span, Prefixes)
    assert len(span) == 4
    assert [span.place(number) for number in span.numbers()][-1] == IPv6Network("2001:db8:100:300::/56")
    assert IPv6Network("2001:db8:100:100::/56") in span
    assert IPv6Network("2001:db8:100:100::/64") not in span
