"""The page server against real sockets: browsers, the probes of phones, and all else that is redirected to it."""

import os
import random
import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.radiusd.pages_cast import (
    ACTIVES_ADDRESS,
    DEBTORS_ADDRESS,
    STRANGERS_ADDRESS,
    SUSPENDEDS_ADDRESS,
    Running,
    filled_model,
    running,
)

from demarc.radiusd.pages_http import Limits, Malformed, Request, parse, visitor_address

PROBES = [
    "/hotspot-detect.html",
    "/generate_204",
    "/gen_204",
    "/connecttest.txt",
    "/ncsi.txt",
    "/success.txt",
    "/canonical.html",
    "/library/test/success.html",
    "/check_network_status.txt",
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    logo = b"\x89PNG\r\n\x1a\n" + bytes(50_000)
    model = filled_model(logo=logo.hex(), logo_type="image/png")
    with running(tmp_path_factory.mktemp("data"), model) as pages:
        yield pages


def test_a_debtor_sees_his_debt_in_his_language(site):
    response, body = site.get("/any/path?x=1", Accept_Language="de-AT,de;q=0.9", Host="www.example.com")
    assert response.status == 200
    assert "12,40" in body
    assert "Guthaben aufgebraucht" in body
    assert response.headers["Content-Language"] == "de"


def test_the_address_is_the_sockets_and_no_header_changes_it(site):
    forged = {"X_Forwarded_For": DEBTORS_ADDRESS, "Forwarded": f"for={DEBTORS_ADDRESS}", "X_Real_IP": DEBTORS_ADDRESS}
    _, body = site.get(source=STRANGERS_ADDRESS, **forged)
    assert "12.40" not in body
    assert "Balance used up" in body


def test_everybody_sees_his_own_page(site):
    assert "You are back online" in site.get(source=ACTIVES_ADDRESS)[1]
    assert "Service not active" in site.get(source=SUSPENDEDS_ADDRESS)[1]
    labels = ["Service not active", "Balance used up", "Unknown device", "Wrong password"]
    for place, label in enumerate(labels, 1):
        assert label in site.get(place=place, source=STRANGERS_ADDRESS)[1]


def test_the_answer_may_not_be_stored_or_extended(site):
    response, body = site.get()
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Connection"] == "close"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert response.headers["Set-Cookie"] is None
    assert len(body.encode()) == int(response.headers["Content-Length"]) < 50_000


@pytest.mark.parametrize("path", PROBES)
def test_the_probes_of_phones_and_computers_find_no_open_internet(site, path):
    response, body = site.get(path)
    assert response.status == 200  # Android takes 2xx and 3xx other than 204 for a portal, and 511 for a broken network
    assert "<h1" in body


def test_head_is_get_without_the_body(site):
    response, body = site.get(method="HEAD")
    assert response.status == 200
    assert int(response.headers["Content-Length"]) > 1000
    assert body == ""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PROPFIND"])
def test_other_methods_are_not_answered_with_the_page(site, method):
    answer = site.say(f"{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello".encode())
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"Allow: GET, HEAD\r\n" in answer


def test_an_upload_that_goes_on_still_hears_why_it_is_refused(site):
    with site.connect() as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n")
        for _ in range(5):
            time.sleep(0.05)
            connection.sendall(bytes(10_000))
        assert connection.recv(65536).startswith(b"HTTP/1.1 405 ")


def test_the_logo_comes_from_the_same_place(site):
    response, _ = site.get("/demarc/logo")
    assert response.headers["Content-Type"] == "image/png"
    assert int(response.headers["Content-Length"]) == 50_008


@pytest.mark.parametrize(
    "request_line",
    [
        "GET / HTTP/1.0",
        "GET http://captive.apple.com/hotspot-detect.html HTTP/1.1",
        "GET * HTTP/1.1",
        "GET //../../etc/passwd HTTP/1.1",
        "GET /%2e%2e/%2e%2e/etc/passwd%00 HTTP/1.1",
        "GET /%ff%fe HTTP/1.1",
    ],
)
@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_odd_requests_get_the_page_too(site, request_line, ending):
    answer = site.say(f"{request_line}{ending}Host: x{ending}{ending}".encode())
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"12.40" in answer


def test_a_request_in_single_bytes_is_a_request(site):
    with site.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")


def test_a_visitor_who_closed_his_half_still_hears_the_answer(site):
    with site.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.endswith(b"</html>\n")


@pytest.mark.parametrize(
    "first_line",
    ["GET /", "GET / HTTP/2.0", "GET / FTP/1.1", "GET  / HTTP/1.1", "GET / x HTTP/1.1", "PRI * HTTP/2.0"],
)
def test_what_is_nearly_http_is_a_bad_request(site, first_line):
    assert site.say(f"{first_line}\r\n\r\n".encode()).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "start",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),  # TLS
        b"\x13BitTorrent protocol" + bytes(48),
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"GET\r\n\r\n",
        b"get / http/1.1\r\n\r\n",
        b"A" * 200,
        bytes(20_000),
        b"\r\n\x00GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_not_http_is_dropped_without_an_answer(site, start):
    began = time.monotonic()
    assert site.say(start) == b""
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 3000,
        b"\r\n" * 5000,
    ],
)
def test_more_than_8_kb_of_head_is_too_much(site, request_bytes):
    assert site.say(request_bytes).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("header", [b"\xff\xfe\x00", b"de;q=", b",,,,;;;", b"x" * 7000, b"{{ owed }}<script>"])
def test_any_accept_language_gets_a_page(site, header):
    answer = site.say(b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Language: " + header + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"script>" not in answer


def test_garbage_leaves_the_server_answering(site):
    noise = random.Random(8102)
    for _ in range(500):
        start = noise.choice([b"", b"GET ", b"GET / HTTP/1.1\r\n", b"HEAD "])
        with site.connect() as connection:
            connection.sendall(start + noise.randbytes(noise.randrange(1, 3000)))
            connection.close()
    assert site.get()[0].status == 200
    assert settles(lambda: len(site.pages.door), 0, within_s=6)


def test_slow_senders_are_ended_and_do_not_keep_others_out(tmp_path):
    with running(tmp_path, limits=Limits(connections=20, per_visitor=10, head_timeout_s=1)) as site:
        began = time.monotonic()
        slow = [site.connect(source=f"127.0.1.{number}") for number in range(1, 41)]
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\n")
        assert len(site.pages.door) <= 20
        assert site.get()[0].status == 200
        assert all(connection_ended(connection) for connection in slow)
        assert 0.9 < time.monotonic() - began < 5
        assert settles(lambda: len(site.pages.door), 0)


def test_a_trickle_is_not_a_way_to_stay(tmp_path):
    with running(tmp_path, limits=Limits(head_timeout_s=1)) as site, site.connect() as connection:
        began = time.monotonic()
        connection.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            trickle(connection, for_s=5)
        assert time.monotonic() - began < 3


def test_a_thousand_connections_are_cut_down_to_the_limit(site):
    limits = site.pages.door.limits
    opened = [site.connect(source=f"127.0.{2 + number % 250}.1") for number in range(1000)]
    assert settles(lambda: len(site.pages.door), limits.connections)
    assert site.get()[0].status == 200
    for connection in opened:
        connection.close()
    assert settles(lambda: len(site.pages.door), 0)


def test_one_address_gets_only_its_share(site):
    limits = site.pages.door.limits
    opened = [site.connect(source="127.0.3.3") for _ in range(100)]
    assert settles(lambda: len(site.pages.door), limits.per_visitor)
    assert site.get(source="127.0.3.3")[0].status == 200
    for connection in opened:
        connection.close()


def test_a_visitor_who_does_not_read_is_ended(tmp_path):
    model = filled_model(logo=(b"\x89PNG\r\n\x1a\n" + bytes(20_000_000)).hex(), logo_type="image/png")
    with running(tmp_path, model, Limits(write_timeout_s=1)) as site, site.connect() as connection:
        connection.sendall(b"GET /demarc/logo HTTP/1.1\r\nHost: x\r\n\r\n")
        assert settles(lambda: len(site.pages.door), 1)
        assert settles(lambda: len(site.pages.door), 0, within_s=4)


def test_a_large_answer_arrives_whole(tmp_path):
    logo = os.urandom(3_000_000)
    with running(tmp_path, filled_model(logo=logo.hex(), logo_type="image/png")) as site:
        answer = site.say(b"GET /demarc/logo HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.partition(b"\r\n\r\n")[2] == logo


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_both_kinds_of_visitors_come_in_by_one_door(tmp_path):
    with running(tmp_path, bind="::") as site:
        assert "12.40" in site.get(source=DEBTORS_ADDRESS)[1]
        assert "Balance used up" in site.get(source="::1")[1]


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_is_written_one_way(peer, address):
    assert visitor_address(peer) == address


@given(st.binary(max_size=400))
def test_any_head_is_a_request_or_malformed(head):
    try:
        request = parse(head)
    except Malformed:
        return
    assert isinstance(request, Request)


def trickle(connection: socket.socket, for_s: float) -> None:
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        connection.sendall(b"X: y\r\n")
        time.sleep(0.1)


def connection_ended(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True
    finally:
        connection.close()


def settles(value, expected, within_s: float = 5) -> bool:
    until = time.monotonic() + within_s
    while value() != expected:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
