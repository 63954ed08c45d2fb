"""Debian's radclient against a real radiusd on a real database: who gets on, who does not, and who hears nothing."""

import shutil
import subprocess

import pytest
from tests.radiusd.stage import SECRET, add_nas, answer

from demarc.access.feed import tell_radius
from demarc.access.models import SessionLive, SessionLog, Usage

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not shutil.which("radclient"), reason="needs freeradius-utils"),
]


def ask(where: tuple[str, int], kind: str, attributes: str, secret: str = SECRET) -> str:
    """What radclient prints; it verifies the reply itself."""
    told = subprocess.run(
        ["radclient", "-x", "-t", "1", "-r", "2", f"{where[0]}:{where[1]}", kind, secret],
        input=attributes, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    _, received, reply = told.stdout.partition("Received ")
    return reply if received else told.stdout + told.stderr


@pytest.mark.parametrize("method", ["User-Password", "CHAP-Password", "MS-CHAP-Password"])
def test_an_active_customer_gets_his_address_and_speed(server, method):
    reply = ask(server.auth, "auth", f'User-Name = "alice"\n{method} = "alpha"\nFramed-Protocol = PPP\n')
    assert reply.startswith("Access-Accept")
    assert "Framed-IP-Address = 198.51.100.7" in reply
    assert 'Mikrotik-Rate-Limit = "2M/10M"' in reply
    assert "Acct-Interim-Interval" in reply
    assert reply.index("Message-Authenticator") < reply.index("Service-Type")


def test_a_customer_without_a_static_address_keeps_the_same_one_of_the_routers_pool(server):
    replies = [ask(server.auth, "auth", 'User-Name = "bob"\nUser-Password = "beta"\n') for _ in range(2)]
    addresses = {line for reply in replies for line in reply.splitlines() if "Framed-IP-Address" in line}
    assert len(addresses) == 1
    assert "172.16." in addresses.pop()


def test_a_blocked_customer_is_let_in_on_the_list_for_a_while(server):
    reply = ask(server.auth, "auth", 'User-Name = "dora"\nUser-Password = "delta"\n')
    assert reply.startswith("Access-Accept")
    assert 'Mikrotik-Address-List = "Reject_2"' in reply
    assert "Session-Timeout = 300" in reply


@pytest.mark.parametrize(("login", "password"), [("alice", "wrong"), ("nobody", "alpha")])
def test_a_wrong_password_and_an_unknown_login_are_rejected(server, login, password):
    reply = ask(server.auth, "auth", f'User-Name = "{login}"\nUser-Password = "{password}"\n')
    assert reply.startswith("Access-Reject")
    assert "Framed-IP-Address" not in reply


def test_the_wrong_device_gets_an_address_of_the_reject_pool(server):
    reply = ask(
        server.auth, "auth", 'User-Name = "mac"\nUser-Password = "mu"\nCalling-Station-Id = "02-00-00-00-00-02"\n'
    )
    assert "Framed-IP-Address = 10.250.253." in reply
    assert 'Mikrotik-Address-List = "Reject_3"' in reply
    right = ask(
        server.auth, "auth", 'User-Name = "mac"\nUser-Password = "mu"\nCalling-Station-Id = "02-00-00-00-00-01"\n'
    )
    assert "Framed-IP-Address = 172.16." in right


def test_a_router_with_another_secret_hears_nothing(server):
    reply = ask(server.auth, "auth", 'User-Name = "alice"\nUser-Password = "alpha"\n', secret="something-else")
    assert "No reply" in reply
    server.until(lambda status: status["dropped"].get("wrong_secret", 0) > 0)


def test_an_unknown_address_hears_nothing(server):
    reply = ask(
        server.auth,
        "auth",
        'User-Name = "alice"\nUser-Password = "alpha"\nPacket-Src-IP-Address = 127.0.0.77\n',
    )
    assert "No reply" in reply
    server.until(lambda status: status["dropped"].get("unknown_client", 0) > 0)


def test_status_server_is_answered_on_both_ports(server):
    assert ask(server.auth, "status", "Message-Authenticator = 0x00\n").startswith("Access-Accept")
    assert ask(server.acct, "status", "Message-Authenticator = 0x00\n").startswith("Accounting-Response")


def test_a_new_router_and_its_answers_are_known_within_seconds(server, stage):
    nas = add_nas(stage, "127.0.0.9", "another-secret", nas_type="generic")
    answer(nas, 4, "pool")
    tell_radius("nas", [nas.pk])
    server.until(lambda status: status["nases"] == 2)
    request = 'User-Name = "alice"\nUser-Password = "wrong"\nPacket-Src-IP-Address = 127.0.0.9\n'
    reply = ask(server.auth, "auth", request, secret="another-secret")
    assert reply.startswith("Access-Accept")
    assert "Framed-IP-Address = 10.250.254." in reply
    assert 'Filter-Id = "Reject_4"' in reply


def test_a_session_is_on_counted_and_over(server):
    session = 'User-Name = "alice"\nAcct-Session-Id = "81000001"\nFramed-IP-Address = 198.51.100.7\n'
    assert ask(server.acct, "acct", session + "Acct-Status-Type = Start\n").startswith("Accounting-Response")
    server.shipped()
    live = SessionLive.objects.get()
    assert (live.user_name, live.framed_ipv4, live.subscriber.login) == ("alice", "198.51.100.7", "alice")
    counters = "Acct-Session-Time = {}\nAcct-Input-Octets = {}\nAcct-Output-Octets = {}\n"
    ask(server.acct, "acct", session + "Acct-Status-Type = Interim-Update\n" + counters.format(300, 1000, 5000))
    server.shipped()
    live.refresh_from_db()
    assert (live.session_time_s, live.input_octets, live.output_octets) == (300, 1000, 5000)
    stop = "Acct-Status-Type = Stop\nAcct-Terminate-Cause = User-Request\n" + counters.format(400, 2000, 9000)
    ask(server.acct, "acct", session + stop)
    server.shipped()
    assert not SessionLive.objects.exists()
    past = SessionLog.objects.get()
    assert (past.input_octets, past.output_octets, past.terminate_cause, past.ending) == (2000, 9000, 1, "stop")
    used = Usage.objects.get()
    assert (used.service_id, used.input_octets, used.output_octets) == (live.service_id, 2000, 9000)
