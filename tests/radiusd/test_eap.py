"""802.1X on real sockets: whose a conversation is, what is bounded, what is told, and that others need not wait."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest
from tests.radiusd.serving import ALICE, BOB, PARTNER, SECRET, Serving, eventually, serving
from tests.sim.device import METHODS, Device
from tests.sim.nas import Heard, PretendNas
from tests.wire.radius.mutations import malformed

from demarc.radiusd import eap_line, eap_talks
from demarc.radiusd.eap import EapServer
from demarc.radiusd.eap_certificate import ensure
from demarc.wire.radius import Secret, decode, encode_attributes, encode_request, keys, pap, tlv
from demarc.wire.radius.eap import attributes, encode, joined
from demarc.wire.radius.eap.packet import MD5, PEAP, TTLS

KEY = Secret(SECRET.encode())
MAC, OTHER_MAC = "02:00:00:00:00:01", "02-00-00-00-00-02"
every_method = pytest.mark.parametrize("kind", METHODS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate, for making one takes a second at times."""
    directory = tmp_path_factory.mktemp("made")
    ensure(directory, datetime.now(UTC))
    return directory


@pytest.fixture
def server(tmp_path: Path, made: Path) -> Iterator[Serving]:
    shutil.copytree(made, tmp_path / "keys")
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def nas() -> Iterator[PretendNas]:
    with PretendNas(secret=SECRET) as one:
        yield one


def request(said: bytes, state: bytes = b"", outer: bytes = b"anonymous", **named) -> bytes:
    """An Access-Request with EAP, as a switch sends it."""
    found = tlv(keys.USER_NAME, outer) + attributes(said) if said else tlv(keys.USER_NAME, outer) + bytes((79, 2))
    found += tlv(keys.STATE, state) if state else b""
    found += encode_attributes((name.replace("_", "-"), value) for name, value in named.items())
    return encode_request(keys.ACCESS_REQUEST, os.urandom(1)[0], os.urandom(16), found, KEY)


def message(reply: Heard) -> bytes:
    return joined(decode(reply.octets))


def exchanges(server: Serving, nas: PretendNas, device: Device, **named) -> Iterator[tuple[Heard, bytes]]:
    """Each reply, and what the device says to it."""
    said, state = device.hello(), b""
    while said:
        reply = nas.ask(server.auth, request(said, state, device.outer, **named))
        assert reply is not None
        assert reply.octets[20] == keys.MESSAGE_AUTHENTICATOR
        goes_on = reply.kind == "Access-Challenge"
        state, said = reply.get("State"), device.answer(message(reply)) if goes_on else b""
        yield reply, said


def log_in(server: Serving, nas: PretendNas, device: Device, **named) -> Heard:
    """The last reply."""
    *_, (reply, _) = exchanges(server, nas, device, **named)
    return reply


def begun(server: Serving, nas: PretendNas, device: Device, rounds: int) -> tuple[bytes, bytes]:
    """A conversation after some rounds: its State, and what the device would say now."""
    reply, said = next(islice(exchanges(server, nas, device), rounds - 1, None))
    return reply["State"], said


def accepted(reply: Heard) -> Heard:
    assert reply.kind == "Access-Accept"
    return reply


# --- the same decision as by any other way to log in ---


@every_method
def test_an_accept_holds_what_pap_gets_and_eap_success_and_the_inner_name(server, nas, kind):
    reply = accepted(log_in(server, nas, Device("alice", "alpha", kind)))
    usual = accepted(nas.log_in(server.auth, "alice", "alpha"))
    for name in ("Framed-IP-Address", "Mikrotik-Rate-Limit", "Service-Type", "Acct-Interim-Interval"):
        assert reply[name] == usual[name]
    assert reply["User-Name"] == "alice"
    assert message(reply)[0] == 3
    assert reply["Class"][:2] == b"dm"


@pytest.mark.parametrize("kind", [PEAP, TTLS])
def test_the_routers_keys_are_the_devices(server, nas, kind):
    device = Device("alice", "alpha", kind)
    said, state = device.hello(), b""
    while True:
        asked = request(said, state, device.outer)
        reply = nas.ask(server.auth, asked)
        if reply.kind != "Access-Challenge":
            break
        state, said = reply["State"], device.answer(message(reply))
    receive, send = (
        pap.reveal_salted(accepted(reply)[f"MS-MPPE-{name}-Key"], asked[4:20], KEY) for name in ("Recv", "Send")
    )
    assert receive + send == device.msk()


@every_method
def test_eap_failure_is_in_every_reject(server, nas, kind):
    for device in (Device("alice", "wrong", kind), Device("nobody", "alpha", kind)):
        reply = log_in(server, nas, device)
        assert reply.kind == "Access-Reject"
        assert message(reply)[0] == 4
    assert server.counters.reject_causes == {"4": 1, "0": 1}


def test_who_may_be_online_once_is_let_in_once(server, nas):
    assert accepted(log_in(server, nas, Device("bob", "beta"), Calling_Station_Id=MAC, NAS_Port_Id="ether1"))
    again = log_in(server, nas, Device("bob", "beta"), Calling_Station_Id=OTHER_MAC, NAS_Port_Id="ether2")
    assert again.kind == "Access-Reject"
    assert server.counters.reject_causes["simultaneous"] == 1


def test_where_wrong_passwords_get_the_reject_pool_only_a_method_without_proof_can(server, nas):
    server.put_nases(server.nas(answers={"4": "pool"}))
    assert accepted(log_in(server, nas, Device("alice", "wrong", TTLS)))["Mikrotik-Address-List"] == "Reject_4"
    assert log_in(server, nas, Device("alice", "wrong", PEAP)).kind == "Access-Reject"


def test_a_mac_is_learned_from_802_1x_too(server, nas):
    server.put([*server.subscriber(BOB, "bob"), None, None, None, 1, False, ""])
    assert accepted(log_in(server, nas, Device("bob", "beta", TTLS), Calling_Station_Id=MAC))
    assert server.learned == [(BOB, MAC)]


def test_an_address_that_is_on_its_way_is_waited_for(server, nas):
    """The router asks again, as it does with PAP, and the same conversation ends well."""
    server.put_nases(server.nas(), policy=None)
    held = [server.subscriber(1000 + number, f"c{number}") for number in range(30)]
    server.put(*held, server.subscriber(BOB, "bob"))
    for number in range(30):
        given = accepted(nas.log_in(server.auth, f"c{number}", "secret"))["Framed-IP-Address"]
        nas.account(server.acct, "Start", f"c{number}", f"s{number}", Framed_IP_Address=given)
    device = Device("bob", "beta", TTLS)
    said, state, asked = device.hello(), b"", b""
    while (reply := nas.ask(server.auth, asked := request(said, state), timeout_s=0.4)) is not None:
        state, said = reply["State"], device.answer(message(reply))
    assert server.counters.dropped == {"address_arriving": 1}
    nas.account(server.acct, "Stop", "c7", "s7")
    assert accepted(nas.ask(server.auth, asked))["Framed-IP-Address"]
    assert len(server.eap.talks) == 0


# --- whose a conversation is ---


def test_a_state_is_worth_nothing_at_another_router(server, nas):
    server.put_nases(server.nas(), server.nas("127.0.0.2", 2))
    state, said = begun(server, nas, Device("alice", "alpha"), 3)
    with PretendNas("127.0.0.2", secret=SECRET) as other:
        reply = other.ask(server.auth, request(said, state))
    assert reply.kind == "Access-Reject"
    assert server.counters.reject_causes["eap_gone"] == 1
    assert nas.ask(server.auth, request(said, state)).kind == "Access-Challenge"


def test_nor_under_another_outer_name(server, nas):
    state, said = begun(server, nas, Device("alice", "alpha"), 3)
    assert nas.ask(server.auth, request(said, state, b"somebody"), timeout_s=0.3) is None
    assert server.dropped("eap_mixed")
    assert nas.ask(server.auth, request(said, state)).kind == "Access-Challenge"


def test_an_invented_state_starts_anew(server, nas):
    assert nas.ask(server.auth, request(encode(2, 7, PEAP, b"\0"), bytes(16))).kind == "Access-Reject"
    assert nas.ask(server.auth, request(encode(2, 7, PEAP, b"\0"))).kind == "Access-Reject"
    assert server.told()[0]["why"].startswith("This EAP conversation is not known here")


def test_states_cannot_be_guessed(server, nas):
    states = [begun(server, nas, Device("alice", "alpha"), 1)[0] for _ in range(20)]
    assert len(set(states)) == 20
    assert {len(state) for state in states} == {16}


def test_a_repeated_request_is_answered_alike_and_moves_nothing(server, nas):
    device = Device("alice", "alpha")
    state, said = begun(server, nas, device, 2)
    packet = request(said, state)
    replies = [nas.ask(server.auth, packet) for _ in range(3)]
    assert len({reply.octets for reply in replies}) == 1
    assert server.counters.repeated == 2
    device_goes_on = device.answer(message(replies[0]))
    assert nas.ask(server.auth, request(device_goes_on, state)).kind == "Access-Challenge"


def test_a_router_that_asks_again_in_a_new_packet_gets_the_same_request(server, nas):
    state, said = begun(server, nas, Device("alice", "alpha"), 2)
    first, second = (nas.ask(server.auth, request(said, state)) for _ in range(2))
    assert message(first) == message(second)
    old = encode(2, 200, PEAP, b"\0")
    assert nas.ask(server.auth, request(old, state), timeout_s=0.3) is None
    assert server.dropped("eap_stale")


def test_a_router_may_leave_the_first_question_to_us(server, nas):
    """EAP-Start (RFC 3579 section 2.1)."""
    reply = nas.ask(server.auth, request(b""))
    assert message(reply)[4] == 1
    device = Device("alice", "alpha")
    again = nas.ask(server.auth, request(device.answer(message(reply)), reply["State"]))
    assert message(again)[4] == PEAP


def test_eap_without_signature_hears_nothing(server, nas):
    said = tlv(keys.USER_NAME, b"alice") + attributes(Device("alice", "alpha").hello())
    packet = encode_request(keys.ACCESS_REQUEST, 1, os.urandom(16), said, KEY, signed=False)
    assert nas.ask(server.auth, packet, timeout_s=0.3) is None
    assert server.dropped("wrong_secret")


def test_proxy_state_comes_back_with_every_challenge(server, nas):
    reply = nas.ask(server.auth, request(Device("alice", "alpha").hello(), Proxy_State=b"through a proxy"))
    assert reply.kind == "Access-Challenge"
    assert reply["Proxy-State"] == b"through a proxy"


def test_a_router_waits_for_a_person_only_where_one_may_have_to_type(server, nas):
    replies = [reply for reply, _ in exchanges(server, nas, Device("alice", "alpha", MD5))]
    assert [reply.get("Session-Timeout") for reply in replies[:2]] == [None, 30]  # PEAP's start, MD5's challenge


def test_while_customers_move_in_ours_are_answered_here_and_unknown_outer_names_are_not(server, nas):
    device = Device("alice", "alpha")
    conversation = exchanges(server, nas, device)
    next(conversation)
    server.put_nases(server.nas(), moving=[server.moving("127.0.0.1", 9)])
    *_, (reply, _) = conversation  # begun before: it is ended here
    accepted(reply)
    accepted(log_in(server, nas, Device("alice", "alpha", outer="alice")))
    assert nas.ask(server.auth, request(Device("eve", "x", outer="eve").hello()), timeout_s=0.3) is None
    assert server.counters.moving["passed_on"] == 1


# --- bounds ---


def test_conversations_that_nobody_goes_on_with_are_forgotten_and_told(server, nas, monkeypatch):
    begun(server, nas, Device("alice", "alpha"), 3)
    server.loop.call_soon_threadsafe(server.eap.tidy, time.monotonic() + eap_talks.SILENT_S - 5)
    assert not eventually(lambda: len(server.eap.talks) == 0, 0.2)
    server.loop.call_soon_threadsafe(server.eap.tidy, time.monotonic() + eap_talks.SILENT_S + 1)
    assert eventually(lambda: len(server.eap.talks) == 0)
    row = server.told()[-1]
    assert (row["login"], row["outcome"], row["method"]) == ("anonymous", "silent", "eap")
    assert row["why"] == "The device stopped answering; many do when they do not trust the certificate. (EAP peap)"
    assert server.counters.eap["silent"] == 1


def test_one_router_cannot_take_all_the_room(server, nas, monkeypatch):
    monkeypatch.setattr(server.eap.talks, "_most", 10)
    server.put_nases(server.nas(), server.nas("127.0.0.2", 2))
    for number in range(8):
        nas.ask(server.auth, request(Device(f"c{number}", "x").hello()), timeout_s=0.1)
    assert len(server.eap.talks) == 5
    assert server.counters.dropped["eap_full"] == 3
    with PretendNas("127.0.0.2", secret=SECRET) as other:
        accepted(log_in(server, other, Device("alice", "alpha")))


def test_those_who_fell_silent_give_way(server, nas, monkeypatch):
    monkeypatch.setattr(server.eap.talks, "_most", 10)
    monkeypatch.setattr(eap_talks, "YIELDS_S", 0.0)
    for number in range(8):
        nas.ask(server.auth, request(Device(f"c{number}", "x").hello()))
    assert len(server.eap.talks) == 5
    accepted(log_in(server, nas, Device("alice", "alpha")))


def test_a_line_is_shared_by_routers_and_kept_for_those_who_go_on():
    line = eap_line.Line(8)
    job = lambda of: eap_line.Job(None, type("Nas", (), {"id": of}), 0.0, lambda reply: None)  # noqa: E731
    assert [line.put(job(1), goes_on=False) for _ in range(5)] == [True] * 4 + [False]
    assert [line.put(job(2), goes_on=True) for _ in range(5)] == [True] * 4 + [False]
    assert [line.take().client.id for _ in range(8)] == [1, 2] * 4
    assert line.count == 0


def test_others_log_in_at_once_while_hundreds_of_devices_shake_hands(server, nas):
    """Two hundred first messages of TLS at once; plain logins between them are answered in their turn."""
    states = [(Device(f"c{number}", "x"), number) for number in range(200)]
    ready = [begun(server, nas, device, 1) for device, _ in states]
    slowest = 0.0
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind((nas.address, 0))
        for state, said in ready:
            sock.sendto(request(said, state), server.auth)
        while server.eap._line.count or not slowest:
            began = time.monotonic()
            accepted(nas.log_in(server.auth, "alice", "alpha"))
            slowest = max(slowest, time.monotonic() - began)
    assert slowest < 0.1
    assert server.counters.dropped.total() == 0


def test_who_waits_too_long_is_dropped_and_counted(server, nas, monkeypatch):
    monkeypatch.setattr("demarc.radiusd.eap.PATIENCE_S", -1.0)
    packet = request(Device("alice", "alpha").hello())
    assert nas.ask(server.auth, packet, timeout_s=0.3) is None
    assert server.counters.dropped["eap_late"] == 1
    monkeypatch.setattr("demarc.radiusd.eap.PATIENCE_S", 1.0)
    assert nas.ask(server.auth, packet).kind == "Access-Challenge"  # the very same packet, come again


def test_a_full_line_is_counted(server, nas, monkeypatch):
    monkeypatch.setattr(server.eap._line, "_most", 0)
    assert nas.ask(server.auth, request(Device("alice", "alpha").hello()), timeout_s=0.3) is None
    assert server.counters.dropped["eap_busy"] == 1


# --- what is told ---


def test_the_trace_tells_what_was_inside_and_both_names(server, nas):
    log_in(server, nas, Device("alice", "alpha"))
    log_in(server, nas, Device("alice", "wrong", TTLS))
    by_why = {row["why"]: row for row in server.told()}
    assert set(by_why) == {
        "The customer is active. (EAP peap-mschapv2, outer name anonymous)",
        "The password is wrong. (EAP ttls-pap, outer name anonymous)",
    }
    for row in by_why.values():
        assert (row["login"], row["subscriber_id"], row["method"]) == ("alice", ALICE, "eap")
        assert "alpha" not in str(row)


def test_an_outer_name_that_no_database_holds_is_made_fit_for_it(server, nas):
    device = Device("alice", "alpha")
    device.outer = b"ev\0il\xff"
    accepted(log_in(server, nas, device))
    (row,) = server.told()
    assert row["why"] == "The customer is active. (EAP peap-mschapv2, outer name ev\ufffdil\ufffd)"


def test_counters_add_up(server, nas):
    log_in(server, nas, Device("alice", "alpha"))
    log_in(server, nas, Device("dora", "delta", MD5))
    counted = server.counters
    assert counted.eap["begun"] == 2
    assert counted.eap["peap-mschapv2"] == counted.eap["md5"] == 1
    assert counted.auth == counted.accepts + counted.rejects + counted.eap["challenges"]


def test_without_a_certificate_md5_still_works_and_peap_is_refused(server, nas):
    server.eap._context = lambda: None
    accepted(log_in(server, nas, Device("alice", "alpha", MD5)))
    assert log_in(server, nas, Device("alice", "alpha", PEAP)).kind == "Access-Reject"


def test_a_customer_of_another_provider_is_unknown_here(server, nas):
    server.put(server.subscriber(88, "stranger", partner_id=PARTNER + 1))
    assert log_in(server, nas, Device("stranger", "secret", TTLS)).kind == "Access-Reject"


# --- hostile packets ---


def test_mutated_eap_meets_no_bug_and_keeps_nobody_out(server, nas):
    """Real conversations' packets, changed and signed, from the network's side; a real login after each burst."""
    real = [request(said, state) for state, said in (begun(server, nas, Device("bob", "beta", kind), rounds)
                                                     for kind in METHODS for rounds in (1, 2))]  # fmt: skip
    for number, packet in enumerate(malformed(6000, 3, SECRET.encode(), [*real, request(b"")])):
        with socket.socket(type=socket.SOCK_DGRAM) as sock:
            sock.bind((nas.address, 0))
            if packet and packet[0] == 1:
                sock.sendto(packet, server.auth)
        if number % 500 == 0:
            accepted(log_in(server, nas, Device("alice", "alpha", METHODS[number // 500 % 3])))
    assert server.counters.dropped["bug"] == 0
    assert server.counters.dropped["malformed"] > 200
    assert server.counters.eap["begun"] > 20
    assert server.eap._line.count == 0
    assert isinstance(server.eap, EapServer)
