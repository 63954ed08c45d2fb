"""Moving in from Debian's FreeRADIUS, behind us as the old server and in front of us as a proxy."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.radiusd.serving import OLD_SECRET, SECRET, Serving, eventually, serving
from tests.sim import freeradius
from tests.sim.freeradius import FreeRadius
from tests.sim.nas import PretendNas

from demarc.base.seal import Opener
from demarc.wire.radius import Secret, decode, keys, mschap, mschapv2_request, pap, verify_reply

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not freeradius.available(), reason="needs freeradius"),
]

OLGA = 9
USERS = """
olga Cleartext-Password := "omega"
    Framed-IP-Address = 10.9.9.9,
    Mikrotik-Rate-Limit = "3M/30M",
    Tunnel-Password:1 = "the tunnel's own"
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreeRadius]:
    with freeradius.old_server(tmp_path_factory.mktemp("old"), OLD_SECRET, USERS) as running:
        yield running


@pytest.fixture
def server(tmp_path: Path, old: FreeRadius) -> Iterator[Serving]:
    """We, with the old server behind us; olga is here, but her password is not."""
    with serving(tmp_path) as running:
        running.put(running.subscriber(OLGA, "olga", secret=""))
        running.put_nases(running.nas(), moving=[running.moving("127.0.0.1", old.auth, old.acct, timeout_ms=3000)])
        yield running


@pytest.fixture
def nas() -> Iterator[PretendNas]:
    with PretendNas() as one:
        yield one


@pytest.mark.parametrize("method", ["pap", "chap", "mschapv2"])
def test_a_login_of_each_kind_that_freeradius_knows_passes_and_a_wrong_one_does_not(server, nas, method):
    answer = nas.log_in(server.auth, "olga", "omega", method)
    assert (answer.kind, answer["Framed-IP-Address"], answer["Mikrotik-Rate-Limit"]) == (
        "Access-Accept", IPv4Address("10.9.9.9"), "3M/30M",
    )  # fmt: skip
    assert nas.log_in(server.auth, "olga", "wrong", method).kind == "Access-Reject"


def test_freeradius_s_mppe_keys_and_tunnel_password_reach_the_nas_under_its_own_secret(server, nas):
    secret, authenticator = Secret(SECRET.encode()), os.urandom(16)
    asked = mschapv2_request(5, authenticator, ("olga", "omega"), b"", secret)
    nas._asking.sendto(asked, server.auth)
    nas._asking.settimeout(5)
    reply = decode(nas._asking.recv(4096))
    assert verify_reply(reply, authenticator, secret)

    request = decode(asked)
    hashed, response = mschap.nt_hash("omega"), request.first[keys.MS_CHAP2_RESPONSE]
    expected = mschap.mppe_keys_v2(response, hashed)
    shown = [
        pap.reveal_salted(reply.first[key], authenticator, secret)
        for key in (keys.MS_MPPE_SEND_KEY, keys.MS_MPPE_RECV_KEY)
    ]
    assert tuple(shown) == expected
    proof = mschap.success(response, request.first[keys.MS_CHAP_CHALLENGE], b"olga", hashed)
    assert reply.first[keys.MS_CHAP2_SUCCESS] == proof
    tunnel = reply.first[keys.TUNNEL_PASSWORD]
    assert pap.reveal_salted(tunnel[1:], authenticator, secret) == b"the tunnel's own"


def test_her_first_pap_login_teaches_her_password_and_then_we_answer_ourselves(server, nas, tmp_path):
    assert nas.log_in(server.auth, "olga", "omega").kind == "Access-Accept"
    (row,) = server.pupil._waiting
    sealed = row["sealed"]
    opener = Opener((tmp_path / "keys" / "radius.key").read_bytes())
    assert opener.open(bytes.fromhex(sealed), f"access_subscriber.secret.{OLGA}") == b"omega"
    server.put(server.subscriber(OLGA, "olga", secret=sealed))
    answer = nas.log_in(server.auth, "olga", "omega")
    assert (answer.kind, answer["Mikrotik-Rate-Limit"]) == ("Access-Accept", "2M/10M")
    assert server.counters.moving["passed_on"] == 1


def test_accounting_of_her_session_is_in_the_old_server_s_detail_too(server, nas, old):
    assert nas.account(server.acct, "Start", "olga", "8100beef")
    assert eventually(lambda: "8100beef" in old.detail(), 5)
    assert len(server.journaled()) == 1


def test_with_another_secret_than_the_old_server_s_there_is_silence_and_it_is_taken_for_dead(server, nas, old):
    wrong = server.sealer.seal(b"another secret", "access_movingin.secret.7").hex()
    facts = {"secret": wrong, "timeout_ms": 300}
    server.put_nases(server.nas(), moving=[server.moving("127.0.0.1", old.auth, old.acct, **facts)])
    for _ in range(3):
        assert nas.log_in(server.auth, "olga", "omega", "chap") is None
    assert [(one["alive"], one["unanswered"]) for one in server.old.figures()] == [(False, 3)]


def test_a_freeradius_proxy_in_front_gets_every_proxy_state_back_in_order(server, tmp_path):
    with freeradius.proxy(tmp_path / "proxy", SECRET, server.auth[1]) as front:
        for login, password in (("olga", "omega"), ("alice", "alpha")):
            said = subprocess.run(
                ["radclient", "-x", "-t", "3", "-r", "1", f"127.0.0.1:{front.auth}", "auth", SECRET],
                input=f"User-Name={login},User-Password={password},Message-Authenticator=0x00,"
                "Proxy-State=0x0102,Proxy-State=0x0304",
                capture_output=True, text=True, timeout=30,
            ).stdout  # fmt: skip
            _, received, reply = said.partition("Received Access-Accept")
            assert received, said + front.log()
            assert [line.split()[-1] for line in reply.splitlines() if "Proxy-State" in line] == ["0x0102", "0x0304"]


def test_status_server_finds_freeradius_alive_again(server, nas, old, monkeypatch):
    monkeypatch.setattr("demarc.radiusd.oldserver.PROBE_S", 0.2)
    assert nas.log_in(server.auth, "olga", "omega").kind == "Access-Accept"
    (one,) = server.old._servers.values()
    one.dead_until = server.loop.time() + 60
    server.loop.call_soon_threadsafe(server.old._probe_later, one)
    assert eventually(lambda: server.old.figures()[0]["alive"], 5)
    assert nas.log_in(server.auth, "olga", "omega", **{"NAS_Port": 7}).kind == "Access-Accept"


def test_all_that_she_was_sent_is_told_but_no_password_and_no_key(server, nas):
    nas.log_in(server.auth, "olga", "omega", "mschapv2")
    nas.log_in(server.auth, "olga", "omega")
    told = str(server.told())
    assert "Mikrotik-Rate-Limit = 3M/30M" in told
    assert "MS-MPPE-Send-Key, 34 octets" in told
    assert "omega" not in told
    assert "tunnel's own" not in told


@pytest.mark.skipif(not shutil.which("eapol_test"), reason="needs eapoltest")
@pytest.mark.parametrize(("password", "ended"), [("omega", "SUCCESS"), ("wrong", "FAILURE")])
def test_eap_which_we_do_not_speak_yet_passes_in_all_its_rounds(server, tmp_path, password, ended):
    network = f'network={{\n key_mgmt=IEEE8021X\n eap=MD5\n identity="olga"\n password="{password}"\n}}\n'
    (tmp_path / "eap.conf").write_text(network)
    said = subprocess.run(
        ["eapol_test", "-n", "-t", "8", "-c", str(tmp_path / "eap.conf"), "-a", "127.0.0.1", "-p",
         str(server.auth[1]), "-s", SECRET],
        capture_output=True, text=True, timeout=30,
    ).stdout  # fmt: skip
    assert said.strip().endswith(ended), said[-2000:]
    assert {row["outcome"] for row in server.told()} == {"challenge", "accept" if ended == "SUCCESS" else "reject"}
