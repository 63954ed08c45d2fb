"""What a login is answered: by cause, router and method; who hears nothing; and twice the same to the same request."""

import os
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.radiusd.serving import ALICE, BOB, POLICY, POOL, REJECT_POOLS, SECRET, Serving, serving
from tests.sim.nas import Heard, PretendNas

from demarc.radiusd import online
from demarc.wire.radius import Secret, encode_attributes, encode_request, keys, pap, pap_request, tlv

MAC, OTHER_MAC = "02:00:00:00:00:01", "02-00-00-00-00-02"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def nas() -> Iterator[PretendNas]:
    with PretendNas(secret=SECRET) as one:
        yield one


def accepted(reply: Heard | None) -> Heard:
    assert reply is not None
    assert reply.kind == "Access-Accept"
    return reply


def rejected(reply: Heard | None) -> Heard:
    assert reply is not None
    assert reply.kind == "Access-Reject"
    return reply


@pytest.mark.parametrize("method", ["pap", "chap", "mschapv2"])
def test_an_active_customer_gets_in_by_any_method(server, nas, method):
    reply = accepted(nas.log_in(server.auth, "alice", "alpha", method, Framed_Protocol=1))
    assert reply["Framed-IP-Address"] == IPv4Address("198.51.100.7")
    assert reply["Mikrotik-Rate-Limit"] == "2M/10M"
    assert 270 <= reply["Acct-Interim-Interval"] <= 330
    assert reply.get("Mikrotik-Address-List") is None
    assert reply.octets[20] == keys.MESSAGE_AUTHENTICATOR


def test_ms_chap_v2_gets_its_proof_and_keys(server, nas):
    reply = accepted(nas.log_in(server.auth, "alice", "alpha", "mschapv2"))
    assert reply["MS-CHAP2-Success"][1:3] == b"S="
    assert {"MS-MPPE-Send-Key", "MS-MPPE-Recv-Key", "MS-MPPE-Encryption-Types"} <= set(reply.attributes)
    assert b"E=691" in rejected(nas.log_in(server.auth, "alice", "wrong", "mschapv2"))["MS-CHAP-Error"]
    assert b"E=691" in rejected(nas.log_in(server.auth, "nobody", "wrong", "mschapv2"))["MS-CHAP-Error"]


@pytest.mark.parametrize(
    ("login", "password", "mac", "cause"),
    [("nobody", "x", "", 0), ("dora", "delta", "", 2), ("mac", "mu", OTHER_MAC, 3), ("alice", "wrong", "", 4)],
)
def test_each_cause_is_answered_as_the_router_is_set(server, nas, login, password, mac, cause):
    request = {"Calling_Station_Id": mac} if mac else {}
    server.put_nases(server.nas(answers={str(cause): "reject"}))
    assert rejected(nas.log_in(server.auth, login, password, **request)).attributes.keys() == {"Message-Authenticator"}
    server.put_nases(server.nas(answers={str(cause): "pool"}))
    reply = accepted(nas.log_in(server.auth, login, password, **request))
    assert str(reply["Framed-IP-Address"]).startswith(f"10.250.{REJECT_POOLS[cause]}.")
    assert (reply["Mikrotik-Address-List"], reply["Session-Timeout"]) == (f"Reject_{cause}", 300)
    server.put_nases(server.nas(answers={str(cause): "list"}))
    reply = accepted(nas.log_in(server.auth, login, password, **request))
    assert reply["Mikrotik-Address-List"] == f"Reject_{cause}"


def test_a_list_is_called_what_the_provider_calls_it(server, nas):
    causes = POLICY["causes"] | {"2": {"list": "no_money", "pool_id": None, "page_port": 8102}}
    server.put_nases(server.nas(), policy=POLICY | {"causes": causes})
    assert accepted(nas.log_in(server.auth, "dora", "delta"))["Mikrotik-Address-List"] == "no_money"


def test_a_router_of_another_make_gets_attributes_that_it_reads(server, nas):
    server.put_nases(server.nas(nas_type="generic"))
    reply = accepted(nas.log_in(server.auth, "dora", "delta"))
    assert reply["Filter-Id"] == "Reject_2"
    assert (reply["WISPr-Bandwidth-Max-Down"], reply["WISPr-Bandwidth-Max-Up"]) == (10_000_000, 2_000_000)
    assert not [name for name in reply.attributes if name.startswith("Mikrotik")]


def with_answers(nas_type: str, **texts: str) -> dict:
    usual = {"block": "list", "second": "refuse"}
    return POLICY | {"answers": {nas_type: usual | texts}}


def test_what_a_provider_wrote_for_a_make_is_what_its_routers_get(server, nas):
    policy = with_answers("cisco", online="Cisco-AVPair = ip:police={up_bps}/{down_bps}", block="pool")
    server.put_nases(server.nas(nas_type="cisco"), policy=policy)
    assert accepted(nas.log_in(server.auth, "alice", "alpha"))["Cisco-AVPair"] == "ip:police=2000000/10000000"
    blocked = accepted(nas.log_in(server.auth, "dora", "delta"))
    assert str(blocked["Framed-IP-Address"]).startswith("10.250.62.")


def test_a_router_s_own_answer_goes_before_that_of_its_make(server, nas):
    policy = with_answers("mikrotik", block="pool")
    server.put_nases(server.nas(answers={"2": "reject"}), policy=policy)
    assert nas.log_in(server.auth, "dora", "delta").kind == "Access-Reject"


def test_a_template_that_cannot_be_read_is_named_and_the_shipped_one_used(server, nas):
    server.put_nases(server.nas(), policy=with_answers("mikrotik", online="Nonsense = 1"))
    assert accepted(nas.log_in(server.auth, "alice", "alpha"))["Mikrotik-Rate-Limit"] == "2M/10M"
    assert any("mikrotik" in what for what in server.model.unreadable)


def test_where_the_old_session_gives_way_the_new_one_is_let_in_and_the_oldest_cut(server, nas):
    server.put_nases(server.nas(), policy=with_answers("mikrotik", second="replace"))
    login_at(server, nas, "bob", "beta", "02:00:00:00:00:0a", session="old")
    assert not server.cut
    accepted(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id="02:00:00:00:00:0b"))
    assert server.cut == [(1, "old", "bob")]


def test_a_router_that_takes_no_disconnect_cannot_give_way(server, nas):
    server.put_nases(server.nas(coa_enabled=False), policy=with_answers("mikrotik", second="replace"))
    login_at(server, nas, "bob", "beta", "02:00:00:00:00:0a", session="old")
    reply = nas.log_in(server.auth, "bob", "beta", Calling_Station_Id="02:00:00:00:00:0b")
    assert (reply.kind, server.cut) == ("Access-Reject", [])


def login_at(server, nas, login, password, station, session):
    reply = accepted(nas.log_in(server.auth, login, password, Calling_Station_Id=station))
    nas.account(
        server.acct, "Start", login, session, Calling_Station_Id=station,
        Framed_IP_Address=reply["Framed-IP-Address"],
    )  # fmt: skip


def test_a_wrong_password_is_judged_anew_when_the_rules_or_the_password_change(server, nas):
    server.put_nases(server.nas(answers={"4": "reject"}))
    for _ in range(2):
        rejected(nas.log_in(server.auth, "alice", "wrong"))
    accepted(nas.log_in(server.auth, "alice", "alpha"))
    rejected(nas.log_in(server.auth, "alice", "wrong"))
    server.put_nases(server.nas(answers={"4": "pool"}))
    assert accepted(nas.log_in(server.auth, "alice", "wrong"))["Mikrotik-Address-List"] == "Reject_4"
    assert accepted(nas.log_in(server.auth, "alice", "alpha")).get("Mikrotik-Address-List") is None


def test_a_wrong_password_never_learns_about_the_customer(server, nas):
    server.put_nases(server.nas(answers={"4": "list", "2": "list"}))
    reply = accepted(nas.log_in(server.auth, "alice", "wrong"))
    assert reply["Framed-IP-Address"] != IPv4Address("198.51.100.7")
    assert reply.get("Mikrotik-Rate-Limit") is None
    assert rejected(nas.log_in(server.auth, "alice", "wrong", "mschapv2"))


def test_who_may_be_online_once_is_let_in_once(server, nas):
    assert accepted(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=MAC, NAS_Port_Id="ether1"))
    assert rejected(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=OTHER_MAC, NAS_Port_Id="ether2"))
    # The same device on the same port reconnects before its Stop has come.
    assert accepted(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=MAC, NAS_Port_Id="ether1"))
    nas.account(server.acct, "Start", "bob", "s1", Calling_Station_Id=MAC, NAS_Port_Id="ether1")
    assert rejected(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=OTHER_MAC, NAS_Port_Id="ether2"))
    nas.account(server.acct, "Stop", "bob", "s1", Calling_Station_Id=MAC, NAS_Port_Id="ether1")
    assert accepted(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=OTHER_MAC, NAS_Port_Id="ether2"))


def test_a_customer_whose_concentrator_died_comes_in_by_another_one(server, nas):
    server.put_nases(server.nas(), server.nas("127.0.0.2", 2))
    nas.account(server.acct, "Start", "bob", "s1", Calling_Station_Id=MAC, NAS_Port_Id="ether1")
    with PretendNas("127.0.0.2", secret=SECRET) as other:
        assert accepted(other.log_in(server.auth, "bob", "beta", Calling_Station_Id=MAC, NAS_Port_Id="ether7"))
        assert rejected(other.log_in(server.auth, "bob", "beta", Calling_Station_Id=OTHER_MAC, NAS_Port_Id="ether8"))


def test_a_session_that_says_nothing_any_more_does_not_count(server, nas):
    nas.account(server.acct, "Start", "bob", "s1", Calling_Station_Id=MAC)
    assert rejected(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=OTHER_MAC))
    server.online.sessions[1, "s1", "bob"].heard_at -= online.MISSED_INTERIMS * 300 + 1
    assert accepted(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=OTHER_MAC))


def test_an_accept_whose_session_never_began_does_not_lock_the_customer_out(server, nas, monkeypatch):
    monkeypatch.setattr(online, "GRANT_S", 0.05)
    assert accepted(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=MAC))
    time.sleep(0.1)
    assert accepted(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=OTHER_MAC))


def test_somebody_in_the_reject_pool_under_a_customers_name_locks_him_not_out(server, nas):
    server.put_nases(server.nas(answers={"4": "pool"}))
    stranger = accepted(nas.log_in(server.auth, "bob", "wrong", Calling_Station_Id=OTHER_MAC))
    nas.account(
        server.acct, "Start", "bob", "s1", Framed_IP_Address=stranger["Framed-IP-Address"], Calling_Station_Id=OTHER_MAC
    )
    assert accepted(nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=MAC))
    assert server.journaled()[-1].subscriber_id == 0


def test_a_second_session_of_a_family_gets_an_address_of_its_own(server, nas):
    server.put(server.subscriber(BOB, "bob", limit=2))
    places = [{"Calling_Station_Id": mac} for mac in (MAC, OTHER_MAC)]
    replies = [accepted(nas.log_in(server.auth, "bob", "beta", **place)) for place in places]
    assert replies[0]["Framed-IP-Address"] != replies[1]["Framed-IP-Address"]


def test_an_address_goes_to_somebody_else_only_when_its_session_is_over(server, nas):
    seen = set()
    for number in range(30):
        server.put(server.subscriber(1000 + number, f"c{number}"))
        reply = accepted(
            nas.log_in(server.auth, f"c{number}", "secret", Calling_Station_Id=f"02:00:00:00:01:{number:02x}")
        )
        seen.add(reply["Framed-IP-Address"])
        nas.account(server.acct, "Start", f"c{number}", f"s{number}", Framed_IP_Address=reply["Framed-IP-Address"])
    assert len(seen) == 30
    server.put(server.subscriber(2000, "last"))
    packet = pap_request(200, os.urandom(16), ("last", "secret"), b"", Secret(SECRET.encode()))
    assert nas.ask(server.auth, packet, timeout_s=0.2) is None  # a block may be on its way: he asks again
    server.leases.used_up(POOL)
    assert rejected(nas.ask(server.auth, packet))
    nas.account(server.acct, "Stop", "c7", "s7", Framed_IP_Address=sorted(seen)[0])
    reply = accepted(nas.log_in(server.auth, "last", "secret"))
    assert reply["Framed-IP-Address"] in seen


def test_a_framed_pool_is_named_and_the_router_allocates(server, nas):
    server.put_nases(server.nas(framed_pool="home"))
    reply = accepted(nas.log_in(server.auth, "bob", "beta"))
    assert (reply["Framed-Pool"], reply.get("Framed-IP-Address")) == ("home", None)


def test_logins_with_a_realm_and_with_a_windows_domain(server, nas):
    server.put(server.subscriber(77, "eve", realm="valley.example"))
    assert accepted(nas.log_in(server.auth, "eve@valley.example", "secret"))
    assert rejected(nas.log_in(server.auth, "eve", "secret"))
    assert accepted(nas.log_in(server.auth, "OFFICE\\alice", "alpha"))


def test_a_customer_of_another_provider_is_unknown_here(server, nas):
    server.put(server.subscriber(88, "stranger", partner_id=2))
    assert rejected(nas.log_in(server.auth, "stranger", "secret"))


def test_a_repeated_request_gets_the_very_same_reply_and_is_worked_on_once(server, nas):
    packet = pap_request(9, os.urandom(16), ("bob", "beta"), b"", Secret(SECRET.encode()))
    replies = {nas.ask(server.auth, packet).octets for _ in range(5)}
    assert len(replies) == 1
    assert (server.counters.auth, server.counters.repeated) == (1, 4)


def test_another_request_with_the_same_identifier_is_another(server, nas):
    for login in ("alice", "bob"):
        password = {"alice": "alpha", "bob": "beta"}[login]
        packet = pap_request(9, os.urandom(16), (login, password), b"", Secret(SECRET.encode()))
        accepted(nas.ask(server.auth, packet))
    assert server.counters.auth == 2


# --- who hears nothing ---


def test_unknown_addresses_and_other_secrets_hear_nothing(server):
    with PretendNas("127.0.0.88", secret=SECRET) as stranger:
        assert stranger.ask(server.auth, login_packet(SECRET), timeout_s=0.2) is None
    with PretendNas(secret="another") as liar:
        assert liar.ask(server.auth, login_packet("another"), timeout_s=0.2) is None
    assert server.dropped("unknown_client")
    assert server.dropped("wrong_secret")


def login_packet(secret: str, *, signed: bool = True, extra: bytes = b"") -> bytes:
    authenticator = os.urandom(16)
    attributes = tlv(keys.USER_NAME, b"alice") + tlv(
        keys.USER_PASSWORD, pap.hide(b"alpha", authenticator, Secret(secret.encode()))
    )
    return encode_request(
        keys.ACCESS_REQUEST, 7, authenticator, attributes + extra, Secret(secret.encode()), signed=signed
    )


def test_an_unsigned_login_with_another_secret_hears_nothing(server, nas):
    """Without a signature only the noise of the password shows it."""
    for _ in range(20):
        assert nas.ask(server.auth, login_packet("another", signed=False), timeout_s=0.02) is None
    assert server.dropped("wrong_secret", 15)


def test_a_router_that_must_sign_and_does_not_hears_nothing(server, nas):
    server.put_nases(server.nas(require="yes"))
    assert nas.ask(server.auth, login_packet(SECRET, signed=False), timeout_s=0.2) is None
    assert server.dropped("unsigned")
    assert nas.ask(server.auth, login_packet(SECRET))


def test_a_router_that_once_signed_is_held_to_it(server, nas):
    assert nas.ask(server.auth, login_packet(SECRET, signed=False))
    server.put_nases(server.nas(require="no"))
    server.put_nases(server.nas(require="auto"))
    assert nas.ask(server.auth, login_packet(SECRET))
    server.put_nases(server.nas(require="auto"))  # what was learned outlives news about routers
    assert nas.ask(server.auth, login_packet(SECRET, signed=False), timeout_s=0.2) is None


def test_an_unsigned_login_may_not_carry_proxy_state(server, nas):
    """That is where CVE-2024-3596 hides its bytes."""
    server.put_nases(server.nas(require="no"))
    extra = encode_attributes([("Proxy-State", b"x" * 40)])
    assert nas.ask(server.auth, login_packet(SECRET, signed=False, extra=extra), timeout_s=0.2) is None
    reply = nas.ask(server.auth, login_packet(SECRET, extra=extra))
    assert reply["Proxy-State"] == b"x" * 40


def test_accounting_on_the_wrong_port_and_nonsense_are_counted(server, nas):
    assert nas.account(server.auth, "Start", "alice", "s1") is None
    assert nas.ask(server.auth, b"nonsense" * 5, timeout_s=0.1) is None
    assert server.dropped("wrong_code")
    assert server.dropped("malformed")
    assert nas.log_in(server.auth, "alice", "alpha")


def test_a_subscriber_whose_secret_cannot_be_read_is_rejected_and_named(server, nas):
    server.put(server.subscriber(ALICE, "alice", secret="00"))
    assert rejected(nas.log_in(server.auth, "alice", "alpha"))
    assert server.model.unreadable == {"subscriber 1"}


def test_a_stranger_keeps_his_address_in_the_reject_pool_and_shares_it_with_nobody(server, nas):
    server.put_nases(server.nas(answers={"0": "pool"}))
    addresses = [
        accepted(nas.log_in(server.auth, f"stranger{number}", "x", Calling_Station_Id=f"02:00:00:00:02:{number:02x}"))[
            "Framed-IP-Address"
        ]
        for number in (1, 2, 1, 2)
    ]
    assert addresses[:2] == addresses[2:]
    assert len(set(addresses)) == 2


def test_invented_names_do_not_fill_the_memory(server, nas, monkeypatch):
    monkeypatch.setattr("demarc.radiusd.leases.STRANGERS_MAX", 3)
    server.put_nases(server.nas(answers={"0": "pool"}))
    for number in range(10):
        nas.log_in(server.auth, f"invented{number}", "x")
    assert len(server.leases._strangers) == 3


SIX = ["2001:db8:0:7::/64", "2001:db8:700::/56", "2001:db8::7"]


def test_ipv6_that_a_customer_holds_is_given_to_him(server, nas):
    server.put([*server.subscriber(ALICE, "alice", static="198.51.100.7"), *SIX])
    reply = accepted(nas.log_in(server.auth, "alice", "alpha"))
    given = [reply[name] for name in ("Framed-IPv6-Prefix", "Delegated-IPv6-Prefix", "Framed-IPv6-Address")]
    assert [str(one) for one in given] == SIX


def test_a_blocked_customer_has_no_way_around_by_ipv6(server, nas):
    server.put([*server.subscriber(ALICE, "alice", static="198.51.100.7", cause=2), *SIX])
    reply = accepted(nas.log_in(server.auth, "alice", "alpha"))
    assert reply["Mikrotik-Address-List"] == "Reject_2"
    assert not [name for name in reply.attributes if "IPv6" in name]


def bound(server, **facts) -> None:
    """bob's MACs are learned, or he is bound to a port."""
    tail = {"learns": 0, "relearns": False, "port": ""} | facts
    server.put([*server.subscriber(BOB, "bob", macs=tail.pop("macs", [])), None, None, None, *tail.values()])


def came(server, nas, station: str = "02:00:00:00:00:01", **attributes) -> str:
    reply = nas.log_in(server.auth, "bob", "beta", Calling_Station_Id=station, **attributes)
    return "in" if reply.get("Mikrotik-Address-List") is None and reply.kind == "Access-Accept" else "wrong device"


def test_the_first_macs_are_learned_and_others_stay_out(server, nas):
    bound(server, learns=2)
    first, second, third = (f"02:00:00:00:00:0{n}" for n in (1, 2, 3))
    nas_of_many(server)
    assert [came(server, nas, one) for one in (first, second, first, third)] == ["in", "in", "in", "wrong device"]
    assert server.learned == [(BOB, first), (BOB, second)]


def test_where_the_oldest_gives_way_a_further_mac_is_learned_too(server, nas):
    bound(server, learns=1, relearns=True, macs=["02:00:00:00:00:01"])
    assert came(server, nas, "02:00:00:00:00:09") == "in"
    assert server.learned == [(BOB, "02:00:00:00:00:09")]


def test_nothing_is_learned_from_one_with_a_wrong_password_or_without_a_mac(server, nas):
    bound(server, learns=2)
    assert nas.log_in(server.auth, "bob", "wrong", Calling_Station_Id="02:00:00:00:00:01").kind == "Access-Reject"
    assert came(server, nas, "unknown") == "wrong device"
    assert server.learned == []


def nas_of_many(server) -> None:
    """The same port, so that each login takes the place of the one before."""
    server.put_nases(server.nas(), policy=with_answers("mikrotik", second="replace"))


@pytest.mark.parametrize(
    "attributes",
    [
        {"NAS_Port_Id": "olt1/3"},
        {"ADSL_Agent_Circuit_Id": b"olt1/3"},
        {"ADSL_Agent_Remote_Id": b"olt1/3"},
        {"Agent_Circuit_Id": b"olt1/3"},
        {"Cisco_AVPair": "circuit-id-tag=olt1/3"},
    ],
)
def test_one_who_is_bound_to_a_line_comes_in_there_and_nowhere_else(server, nas, attributes):
    bound(server, port="olt1/3")
    assert came(server, nas, **attributes) == "in"
    assert came(server, nas, **{name: _another(value) for name, value in attributes.items()}) == "wrong device"
    assert came(server, nas) == "wrong device"


def _another(value):
    return value.replace(b"1/3", b"1/4") if isinstance(value, bytes) else value.replace("1/3", "1/4")


def test_a_circuit_that_is_no_text_is_written_in_hex(server, nas):
    bound(server, port="0x00040007ff")
    assert came(server, nas, ADSL_Agent_Circuit_Id=bytes.fromhex("00040007ff")) == "in"
