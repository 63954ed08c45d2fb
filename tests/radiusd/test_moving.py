"""NASes whose customers are moving in: who is passed on to the old server, what is believed, what is learned."""

import json
import time
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest
from tests.radiusd.serving import ALICE, OLD_SECRET, SECRET, Serving, eventually, serving
from tests.sim.nas import PretendNas
from tests.sim.server import PretendServer

from demarc.base.seal import Opener
from demarc.radiusd import oldserver, snapshot
from demarc.radiusd.model import Model
from demarc.radiusd.oldserver import SOCKETS_MAX, UNDER_WAY_MAX
from demarc.wire.radius import (
    Packet,
    Secret,
    chap_request,
    decode,
    encode_attributes,
    encode_reply,
    keys,
    pap,
    pap_request,
    tlv,
)

OLGA = 9
"""She is a subscriber here too, but her password is to be learned."""


@pytest.fixture
def server(tmp_path) -> Iterator[Serving]:
    with serving(tmp_path) as running:
        yield running


@pytest.fixture
def old(server: Serving) -> Iterator[PretendServer]:
    """The old server, which accepts everybody, and gets those whom we do not know."""
    with PretendServer(OLD_SECRET) as running:
        running.answer = running.reply
        move(server, running)
        yield running


@pytest.fixture
def nas() -> Iterator[PretendNas]:
    with PretendNas() as one:
        yield one


def move(server: Serving, old: PretendServer, **facts: object) -> None:
    server.put_nases(server.nas(), moving=[server.moving("127.0.0.1", old.port, old.port, **facts)])


def accepting(old: PretendServer, **attributes: object) -> None:
    named = [(name.replace("_", "-"), value) for name, value in attributes.items()]
    old.answer = lambda request: old.reply(request, attributes=encode_attributes(named))


def kind(answer: object) -> str | None:
    return answer.kind if answer is not None else None


def test_one_whom_we_do_not_know_is_answered_by_the_old_server_through_us(server, old, nas):
    accepting(old, Framed_IP_Address=IPv4Address("10.9.9.9"), Mikrotik_Rate_Limit="3M/30M")
    answer = nas.log_in(server.auth, "olga", "omega", NAS_Port_Id="ether1")
    assert (answer.kind, answer["Framed-IP-Address"], answer["Mikrotik-Rate-Limit"]) == (
        "Access-Accept", IPv4Address("10.9.9.9"), "3M/30M",
    )  # fmt: skip
    heard = old.heard[0]
    assert heard.text(keys.NAS_PORT_ID) == "ether1"
    assert pap.reveal(heard.first[keys.USER_PASSWORD], heard.authenticator, old.key) == b"omega"
    assert heard.signature_at == 22, "signed, and first of all"
    assert server.counters.moving["accepted"] == 1


def test_those_whom_we_know_never_reach_it(server, old, nas):
    assert kind(nas.log_in(server.auth, "alice", "alpha")) == "Access-Accept"
    assert kind(nas.log_in(server.auth, "alice", "wrong")) == "Access-Reject"
    assert old.heard == []


def test_its_refusal_is_passed_back(server, old, nas):
    old.answer = lambda request: old.reply(request, keys.ACCESS_REJECT, encode_attributes([("Reply-Message", "No")]))
    answer = nas.log_in(server.auth, "olga", "omega")
    assert (answer.kind, answer["Reply-Message"]) == ("Access-Reject", "No")


def test_its_challenge_is_passed_back_with_its_state_and_the_next_round_goes_to_it(server, old, nas):
    def challenge_then_accept(request: Packet) -> list[bytes]:
        if request.first.get(keys.STATE) == b"round 1":
            return old.reply(request)
        return old.reply(request, keys.ACCESS_CHALLENGE, tlv(keys.STATE, b"round 1"))

    old.answer = challenge_then_accept
    assert nas.log_in(server.auth, "olga", "omega")["State"] == b"round 1"
    assert kind(nas.log_in(server.auth, "olga", "123456", State=b"round 1")) == "Access-Accept"


def test_a_chap_login_keeps_its_challenge_though_the_authenticator_is_another(server, old, nas):
    request = chap_request(1, bytes(range(16)), ("olga", "omega"), b"", Secret(SECRET.encode()))
    assert nas.ask(server.auth, request)
    assert old.heard[0].first[keys.CHAP_CHALLENGE] == bytes(range(16))
    assert old.heard[0].authenticator != bytes(range(16))


def test_three_copies_of_a_request_are_passed_on_once_and_the_fourth_gets_the_same_answer(server, old, nas):
    waiting: list[Packet] = []
    old.answer = lambda request: waiting.append(request) or []
    move(server, old, timeout_ms=4000)
    request = pap_request(7, b"q" * 16, ("olga", "omega"), b"", Secret(SECRET.encode()))
    for _ in range(3):
        nas._asking.sendto(request, server.auth)
    assert eventually(lambda: len(waiting) == 1)
    time.sleep(0.3)
    assert len(waiting) == 1
    old._sock.sendto(old.reply(waiting[0])[0], ("127.0.0.1", server_port(server)))
    nas._asking.settimeout(2)
    first = nas._asking.recv(4096)
    nas._asking.sendto(request, server.auth)
    assert nas._asking.recv(4096) == first
    assert old.count() == 1
    assert server.counters.repeated == 3


def server_port(server: Serving) -> int:
    """The port from which we asked the old server."""
    return server.old._sockets[0].getsockname()[1]


def test_a_forged_answer_is_dropped_and_the_right_one_still_counts(server, old, nas):
    stranger = Secret(b"not the secret")

    def forged_first(request: Packet) -> list[bytes]:
        own = encode_reply(keys.ACCESS_ACCEPT, request, b"", stranger)
        other = encode_reply(keys.ACCESS_ACCEPT, decode(pap_request(request.identifier, b"z" * 16, ("x", "y"), b"",
                             old.key)), b"", old.key)  # fmt: skip
        wrong_kind = encode_reply(keys.ACCOUNTING_RESPONSE, request, b"", old.key)
        return [own, other, wrong_kind, *old.reply(request, keys.ACCESS_REJECT)]

    old.answer = forged_first
    assert kind(nas.log_in(server.auth, "olga", "omega")) == "Access-Reject"
    assert server.counters.dropped["old_server_unverified"] == 3


def test_an_answer_from_elsewhere_is_not_looked_at(server, old, nas):
    move(server, old, timeout_ms=600)
    with PretendServer(OLD_SECRET) as elsewhere:

        def from_elsewhere(request: Packet) -> list[bytes]:
            elsewhere._sock.sendto(old.reply(request)[0], ("127.0.0.1", server_port(server)))
            return []

        old.answer = from_elsewhere
        assert nas.log_in(server.auth, "olga", "omega") is None
    assert server.dropped("old_server_unasked")


def test_one_that_signs_is_held_to_it(server, old, nas):
    move(server, old, timeout_ms=400)
    assert nas.log_in(server.auth, "olga", "omega")

    def unsigned(request: Packet) -> list[bytes]:
        states = b"".join(tlv(keys.PROXY_STATE, value) for value in request.get_all(keys.PROXY_STATE))
        start = bytes((2, request.identifier)) + (20 + len(states)).to_bytes(2, "big")
        return [start + old.key.after(start + request.authenticator + states) + states]

    old.answer = unsigned
    assert nas.log_in(server.auth, "olga", "omega") is None
    assert server.counters.dropped["old_server_unverified"] >= 1


def test_the_proxy_states_of_the_nas_come_back_in_order_and_ours_does_not(server, old, nas):
    given = tlv(keys.PROXY_STATE, b"first") + tlv(keys.PROXY_STATE, b"second")
    request = pap_request(3, b"p" * 16, ("olga", "omega"), given, Secret(SECRET.encode()))
    nas._asking.sendto(request, server.auth)
    nas._asking.settimeout(2)
    assert decode(nas._asking.recv(4096)).get_all(keys.PROXY_STATE) == [b"first", b"second"]
    assert old.heard[0].get_all(keys.PROXY_STATE)[:2] == [b"first", b"second"]
    assert len(old.heard[0].get_all(keys.PROXY_STATE)) == 3


def test_silence_of_the_old_server_is_ours_too_and_the_next_try_is_asked_anew(server, old, nas):
    old.answer = None
    move(server, old, timeout_ms=200)
    request = pap_request(3, b"p" * 16, ("olga", "omega"), b"", Secret(SECRET.encode()))
    assert nas.ask(server.auth, request, timeout_s=0.5) is None
    assert old.count() == 2, "the same packet, sent once more"
    assert old.heard[0].octets == old.heard[1].octets
    old.answer = old.reply
    assert kind(nas.ask(server.auth, request)) == "Access-Accept"


def test_a_dead_one_is_left_alone_and_asked_whether_it_lives(server, old, nas, monkeypatch):
    monkeypatch.setattr(oldserver, "PROBE_S", 0.2)
    old.answer = None
    move(server, old, timeout_ms=200)
    for number in range(3):
        assert nas.ask(server.auth, login(number), timeout_s=0.4) is None
    asked = old.count()
    assert nas.ask(server.auth, login(9), timeout_s=0.3) is None
    assert old.count() == asked, "no login reaches a dead server"
    assert server.dropped("old_server_dead")
    assert eventually(lambda: old.count(keys.STATUS_SERVER) > 0)
    old.answer = old.reply
    assert eventually(lambda: all(one["alive"] for one in server.old.figures()))
    assert kind(nas.ask(server.auth, login(10))) == "Access-Accept"


def login(number: int) -> bytes:
    return pap_request(number, bytes([number]) * 16, (f"olga{number}", "omega"), b"", Secret(SECRET.encode()))


def test_what_is_under_way_has_a_bound(server, old, nas):
    old.answer = None
    move(server, old, timeout_ms=5000)
    for number in range(UNDER_WAY_MAX + 60):
        authenticator = number.to_bytes(16, "big")
        nas._asking.sendto(
            pap_request(number % 256, authenticator, ("olga", "omega"), b"", Secret(SECRET.encode())), server.auth
        )
        if number % 32 == 31:
            time.sleep(0.005)
    assert server.dropped("old_server_full", 30)
    assert len(server.old._sockets) <= SOCKETS_MAX
    assert sum(map(len, server.old._under_way)) == UNDER_WAY_MAX


def test_a_secret_that_cannot_be_read_turns_nobody_away(server, old, nas):
    server.put_nases(server.nas(), moving=[server.moving("127.0.0.1", old.port, secret="00" * 120)])
    assert nas.ask(server.auth, login(1), timeout_s=0.3) is None
    assert server.dropped("old_server_unreadable")
    assert server.model.unreadable == {"secret of old server 7"}


def test_accounting_of_a_session_it_let_in_is_journaled_here_and_copied_there(server, old, nas):
    old.answer = lambda request: old.reply(request, keys.ACCOUNTING_RESPONSE)
    assert nas.account(server.acct, "Start", "olga", "81000001", Class=b"the old one's")
    assert nas.account(server.acct, "Start", "alice", "81000002")
    assert nas.account(server.acct, "Accounting-On", "", "")
    assert eventually(lambda: len(server.journaled()) == 3)
    assert eventually(lambda: old.count(keys.ACCOUNTING_REQUEST) == 2)
    assert [packet.text(keys.ACCT_SESSION_ID) for packet in old.heard] == ["81000001", ""]
    assert old.heard[0].first[keys.CLASS] == b"the old one's"


def test_accounting_is_answered_though_the_old_server_is_gone(server, old, nas):
    old.answer = None
    assert nas.account(server.acct, "Start", "olga", "81000001")
    assert eventually(lambda: len(server.journaled()) == 1)


# --- learning ---


@pytest.fixture
def olga(server: Serving) -> None:
    server.put(server.subscriber(OLGA, "olga", secret=""))


def learned(server: Serving, tmp_path) -> list[bytes]:
    opener = Opener((tmp_path / "keys" / "radius.key").read_bytes())
    place = f"access_subscriber.secret.{OLGA}"
    return [opener.open(bytes.fromhex(row["sealed"]), place) for row in server.pupil._waiting]


def test_a_login_that_the_old_server_accepts_teaches_its_password_once(server, old, nas, olga, tmp_path):
    for _ in range(2):
        assert kind(nas.log_in(server.auth, "olga", "omega")) == "Access-Accept"
    assert learned(server, tmp_path) == [b"omega"]
    assert server.counters.moving["learned"] == 1
    assert "omega" not in str(server.told())


def test_nothing_is_learned_from_a_refusal_from_chap_or_against_the_setting(server, old, nas, olga, tmp_path):
    nas.log_in(server.auth, "olga", "omega", "chap")
    old.answer = lambda request: old.reply(request, keys.ACCESS_REJECT)
    nas.log_in(server.auth, "olga", "omega")
    old.answer = old.reply
    move(server, old, learn=False)
    assert kind(nas.log_in(server.auth, "olga", "omega")) == "Access-Accept"
    assert learned(server, tmp_path) == []


@pytest.mark.parametrize("name", ["Reject_4", "reject_2", "SpLBL_blocked"])
def test_nothing_is_learned_from_an_accept_into_a_list_for_the_blocked(server, old, nas, olga, tmp_path, name):
    accepting(old, Mikrotik_Address_List=name)
    assert kind(nas.log_in(server.auth, "olga", "any password at all")) == "Access-Accept"
    assert learned(server, tmp_path) == []


def test_one_who_is_nobody_here_teaches_nothing(server, old, nas, tmp_path):
    assert kind(nas.log_in(server.auth, "stranger", "omega")) == "Access-Accept"
    assert learned(server, tmp_path) == []


def test_without_an_old_server_one_to_be_learned_is_turned_away(server, nas, olga):
    assert kind(nas.log_in(server.auth, "olga", "omega")) == "Access-Reject"
    assert kind(nas.log_in(server.auth, "olga", "omega", "mschapv2")) == "Access-Reject"
    assert server.model.unreadable == set()


# --- in front of everybody, and only listening ---


def test_in_front_of_the_old_server_its_answer_stands_and_the_difference_is_noted(server, old, nas):
    move(server, old, mode="compare")
    accepting(old, Framed_IP_Address=IPv4Address("198.51.100.7"), Mikrotik_Rate_Limit="2M/20M")
    assert nas.log_in(server.auth, "alice", "alpha")["Mikrotik-Rate-Limit"] == "2M/20M"
    (row,) = server.told()
    assert (row["answered_by"], row["outcome"], row["subscriber_id"]) == ("old", "accept", ALICE)
    assert row["differs"] == [
        "Speed: ours 10 Mbit/s down, 2 Mbit/s up; the old server's 20 Mbit/s down, 2 Mbit/s up"
    ]  # fmt: skip


def test_the_same_answer_is_no_difference_and_nothing_of_ours_was_given_away(server, old, nas):
    move(server, old, mode="compare")
    accepting(old, Framed_IP_Address=IPv4Address("172.16.0.9"), Mikrotik_Rate_Limit="2M/10M")
    assert nas.log_in(server.auth, "bob", "beta")
    assert server.told()[0]["differs"] == []
    assert server.counters.moving["same"] == 1
    assert server.leases.given == {}


def test_we_would_have_rejected_whom_it_accepts(server, old, nas):
    move(server, old, mode="compare")
    assert kind(nas.log_in(server.auth, "alice", "wrong")) == "Access-Accept"
    assert server.told()[0]["differs"] == [
        "Answer: ours reject: The password is wrong.; the old server's accept"
    ]  # fmt: skip


def test_one_that_only_listens_hears_and_notes_and_says_nothing(server, old, nas):
    move(server, old, mode="listen")
    assert nas.ask(server.auth, login(1), timeout_s=0.2, times=2) is None
    assert nas.log_in(server.auth, "alice", "alpha") is None
    assert nas.account(server.acct, "Start", "alice", "81000002", timeout_s=0.3) is None
    rows = server.told()
    assert [(row["login"], row["outcome"], row["answered_by"]) for row in rows] == [
        ("olga1", "reject", "nobody"), ("alice", "accept", "nobody"),
    ]  # fmt: skip
    assert old.heard == []
    assert server.journaled() == []


def test_the_old_server_is_known_from_the_snapshot_file_and_a_file_of_before_has_none(server, old, tmp_path):
    path = tmp_path / "snapshot.jsonl"
    for moving in ([], [["moving", server.moving("127.0.0.1", old.port)]]):
        lines = [["bookmark", [0, 0]], ["nas", server.nas()], *moving, ["end", None]]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        model = Model(Opener((tmp_path / "keys" / "radius.key").read_bytes()))
        assert snapshot.load(path, model)
        found = model.clients["127.0.0.1"].moving
        assert (found.auth_port if found else None) == (old.port if moving else None)
