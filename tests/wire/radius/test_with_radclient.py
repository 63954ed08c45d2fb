"""The codec behind ten lines of UDP, asked by Debian's radclient."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest
from tests.wire.radius.said import said

from demarc.wire import radius
from demarc.wire.radius import keys, mschap

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not shutil.which("radclient"), reason="radclient is not installed (freeradius-utils)"),
]

SECRET = radius.Secret(b"xyzzy5461")
PASSWORDS = {b"nemo": "arctangent", b"User": "clientPass", b"kun": "žluťoučký kůň, který úpěl ďábelské ódy"}
PROFILE = radius.encode_attributes(
    [
        ("Framed-IP-Address", IPv4Address("10.1.2.3")),
        ("Mikrotik-Rate-Limit", radius.rate_limit(2_000, 10_000)),
        ("Acct-Interim-Interval", 600),
    ]
)


def answer(datagram: bytes) -> bytes | None:
    request = radius.decode(datagram)
    if not radius.authentic(request, SECRET):
        return None
    if request.code == keys.ACCOUNTING_REQUEST:
        assert said(request).session_id
        return radius.encode_reply(keys.ACCOUNTING_RESPONSE, request, b"", SECRET)
    if request.code == keys.STATUS_SERVER:
        return radius.encode_reply(keys.ACCESS_ACCEPT, request, b"", SECRET)
    granted = log_in(request)
    if granted is None:
        return radius.encode_reply(keys.ACCESS_REJECT, request, b"", SECRET)
    return radius.encode_reply(keys.ACCESS_ACCEPT, request, granted, SECRET)


def log_in(request: radius.Packet) -> bytes | None:
    name = request.get(keys.USER_NAME) or b""
    password = PASSWORDS.get(name, "")
    if (hidden := request.get(keys.USER_PASSWORD)) is not None:
        held = radius.pap.reveal(hidden, request.authenticator, SECRET) == password.encode()
        return PROFILE if held else None
    if (response := request.get(keys.MS_CHAP_RESPONSE)) is not None:
        challenge = request.get(keys.MS_CHAP_CHALLENGE) or b""
        return version_1(request, response, challenge, password)
    if (response := request.get(keys.MS_CHAP2_RESPONSE)) is not None:
        challenge = request.get(keys.MS_CHAP_CHALLENGE) or b""
        return version_2(request, response, challenge, password)
    return PROFILE if radius.chap.verify(request, password.encode()) else None


def version_1(request: radius.Packet, response: bytes, challenge: bytes, password: str) -> bytes | None:
    hashed = mschap.nt_hash(password)
    if not mschap.verify_v1(response, challenge, hashed):
        return None
    hidden = radius.pap.hide(mschap.mppe_keys_v1(password, hashed), request.authenticator, SECRET)
    return PROFILE + radius.tlv(keys.MS_CHAP_MPPE_KEYS, hidden)


def version_2(request: radius.Packet, response: bytes, challenge: bytes, password: str) -> bytes | None:
    name, hashed = request.get(keys.USER_NAME) or b"", mschap.nt_hash(password)
    if not mschap.verify_v2(response, challenge, name, hashed):
        return None
    send, receive = mschap.mppe_keys_v2(response, hashed)
    return (
        PROFILE
        + radius.tlv(keys.MS_CHAP2_SUCCESS, mschap.success(response, challenge, name, hashed))
        + radius.tlv(keys.MS_MPPE_SEND_KEY, radius.pap.hide_salted(send, b"\x01\x02", request.authenticator, SECRET))
        + radius.tlv(keys.MS_MPPE_RECV_KEY, radius.pap.hide_salted(receive, b"\x01\x03", request.authenticator, SECRET))
    )


@pytest.fixture
def server() -> Iterator[str]:
    """Address and port of a server that answers with `answer`."""
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("127.0.0.1", 0))
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            datagram, source = door.recvfrom(5000)
            reply = answer(datagram) if datagram else None
            if reply:
                door.sendto(reply, source)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"127.0.0.1:{door.getsockname()[1]}"
    stopping.set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
        waker.sendto(b"", door.getsockname())
    thread.join()
    door.close()


def radclient(server: str, kind: str, *lines: str, secret: str = "xyzzy5461", tries: int = 5) -> str:
    """What radclient prints; it verifies authenticators and signatures itself and prints nothing of a bad reply."""
    run = subprocess.run(
        ["radclient", "-x", "-r", str(tries), "-t", "1", server, kind, secret],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=20,
    )
    return run.stdout + run.stderr


SIGNED = "Message-Authenticator = 0x00"


@pytest.mark.parametrize("signature", [(), (SIGNED,)], ids=["unsigned", "signed"])
def test_pap(server, signature):
    said = radclient(server, "auth", 'User-Name = "nemo"', 'User-Password = "arctangent"', *signature)
    assert "Received Access-Accept" in said
    assert "Framed-IP-Address = 10.1.2.3" in said
    assert 'Mikrotik-Rate-Limit = "2M/10M"' in said
    assert "Message-Authenticator = 0x" in said.split("Received")[1]


def test_pap_with_a_long_password_beyond_ascii(server):
    said = radclient(server, "auth", 'User-Name = "kun"', f'User-Password = "{PASSWORDS[b"kun"]}"')
    assert "Received Access-Accept" in said


def test_a_wrong_password_is_rejected(server):
    said = radclient(server, "auth", 'User-Name = "nemo"', 'User-Password = "arctangens"')
    assert "Received Access-Reject" in said


def test_chap(server):
    assert "Received Access-Accept" in radclient(server, "auth", 'User-Name = "nemo"', 'CHAP-Password = "arctangent"')
    assert "Received Access-Reject" in radclient(server, "auth", 'User-Name = "nemo"', 'CHAP-Password = "arctangens"')


def test_mschap_version_1_with_keys(server):
    said = radclient(server, "auth", 'User-Name = "User"', 'MS-CHAP-Password = "clientPass"')
    assert "Received Access-Accept" in said
    assert "MS-CHAP-MPPE-Keys = 0x76a152936096d78341c00c584bd2d91c4017a2a12fa59f3f" in said


def test_mschap_version_2_with_keys(server):
    """radclient hides and reveals with its own code: the keys it prints are those of RFC 3079."""
    said = radclient(
        server,
        "auth",
        'User-Name = "User"',
        "MS-CHAP-Challenge = 0x5b5d7c7d7b3f2f3e3c2c602132262628",
        "MS-CHAP2-Response = 0x010021402324255e262a28295f2b3a337c7e0000000000000000"
        "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df",
        SIGNED,
    )
    assert "Received Access-Accept" in said
    assert "MS-CHAP2-Success = 0x01" + b"S=407A5589115FD0D6209F510FE9C04566932CDA56".hex() in said
    assert "MS-MPPE-Send-Key = 0x8b7cdc149b993a1ba118cb153f56dccb" in said
    assert "MS-MPPE-Recv-Key = 0xd5f0e9521e3ea9589645e86051c82226" in said


def test_a_wrong_secret_gets_no_answer_when_the_request_is_signed(server):
    said = radclient(
        server, "auth", 'User-Name = "nemo"', 'User-Password = "arctangent"', SIGNED, secret="other", tries=1
    )
    assert "No reply" in said


@pytest.mark.parametrize("signature", [(), (SIGNED,)], ids=["unsigned", "signed"])
def test_accounting_is_acknowledged(server, signature):
    said = radclient(
        server, "acct", "Acct-Status-Type = Start", 'Acct-Session-Id = "1"', 'User-Name = "nemo"', *signature
    )
    assert "Received Accounting-Response" in said


def test_accounting_with_a_wrong_secret_gets_no_answer(server):
    said = radclient(server, "acct", "Acct-Status-Type = Start", 'Acct-Session-Id = "1"', secret="other", tries=1)
    assert "No reply" in said


def test_a_status_server_is_answered(server):
    said = radclient(server, "status", SIGNED)
    assert "Received Access-Accept" in said


def test_proxy_states_come_back(server):
    said = radclient(
        server,
        "auth",
        'User-Name = "nemo"',
        'User-Password = "arctangent"',
        "Proxy-State = 0x0102",
        "Proxy-State = 0xff",
    )
    assert said.split("Received")[1].count("Proxy-State") == 2
