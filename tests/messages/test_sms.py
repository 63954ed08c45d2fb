"""SMS leave through a real HTTP gateway, each place escaped for where it stands, and never into our own network."""

import json
import socket
from dataclasses import replace
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings
from tests import cast
from tests.cast import AT, STAFF
from tests.messages.scene import MINUTE, TOKEN, live, only, reader, send, tell

from demarc.core.errors import Refused, Unreachable
from demarc.messages import actions
from demarc.messages import sms as gateways
from demarc.messages.models import SmsGateway
from demarc.messages.sms import Gateway, number_of, public_address
from demarc.messages.troubles import Rejected

BY_SMS = {"payment_received": ["sms"]}
ODD = 'Ünï & "quoted" {token}\n+%'


@pytest.fixture
def isp(db, sms):
    return live(cast.partner("Costa"), sms=sms, channels=BY_SMS)


def test_an_sms_is_asked_for_with_everything_in_its_place(isp, sms):
    (message,) = tell(reader(isp))
    assert send() == {"sent": 1}
    (asked,) = sms.asked
    assert asked.method == "POST"
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Host"] == f"127.0.0.1:{sms.port}"
    fields = {name: values[0] for name, values in parse_qs(asked.body).items()}
    assert fields == {
        "to": "+34600111222",
        "from": "ISP",
        "id": message.public_id.hex,
        "text": "Costa: we received €20.00. You have €12.40 to your credit.",
    }


@pytest.mark.parametrize(
    ("body_form", "body", "read"),
    [
        ("form", "text={text}", lambda body: parse_qs(body)["text"][0]),
        ("json", '{"m": [{"text": "{text}"}]}', lambda body: json.loads(body)["m"][0]["text"]),
        ("text", "{text}", lambda body: body),
    ],
)
def test_a_text_stays_a_text_in_every_form_of_body(sms, body_form, body, read):
    place = Gateway("POST", sms.url, body_form=body_form, body=body, loopback=True, token=TOKEN)
    gateways.send(place, to="1", text=ODD, message_id="x")
    assert read(sms.asked[0].body) == ODD, "and a place within it is not filled"


def test_by_get_the_text_is_in_the_address(sms):
    place = Gateway("GET", f"{sms.url}?key={{token}}&to={{to}}&text={{text}}", loopback=True, token=TOKEN)
    gateways.send(place, to="+34", text=ODD, message_id="x")
    query = parse_qs(urlsplit(sms.asked[0].path).query)
    assert (query["text"], query["to"], query["key"]) == ([ODD], ["+34"], [TOKEN])


@pytest.mark.parametrize(
    ("status", "answer", "state", "words"),
    [
        (200, "ERR 5 <b>no credit", "failed", "does not hold 'OK'"),
        (400, "bad number", "failed", "answered 400: bad number"),
        (302, "", "failed", "answered 302"),
        (429, "slow down", "waiting", "answered 429"),
        (503, "later", "waiting", "answered 503"),
    ],
)
def test_what_the_gateway_says_decides(isp, sms, status, answer, state, words):
    actions.save_sms_gateway(isp.pk, success_text="OK", by=STAFF, at=AT)
    sms.status, sms.answer = status, answer
    tell(reader(isp))
    assert send() == {state: 1}
    message = only()
    assert words in message.trouble
    assert TOKEN not in message.trouble


def test_a_gateway_that_hangs_up_may_have_sent_it_so_staff_decide(isp, sms):
    sms.silent = True
    tell(reader(isp))
    assert send() == {"failed": 1}
    assert "nobody knows whether it sent this" in only().trouble
    assert send(AT + MINUTE) == {}
    assert len(sms.asked) == 1


def test_a_gateway_that_is_off_is_tried_later(isp, sms):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    actions.save_sms_gateway(isp.pk, url=f"http://127.0.0.1:{port}/", by=STAFF, at=AT)
    tell(reader(isp))
    assert send() == {"waiting": 1}
    assert only().trouble == "The SMS gateway does not answer, or its certificate is not trusted."


def test_a_redirect_is_not_followed(isp, sms):
    sms.status, sms.location = 307, f"http://127.0.0.1:{sms.port}/inside"
    tell(reader(isp))
    assert send() == {"failed": 1}
    assert [asked.path for asked in sms.asked] == ["/send"]


def test_an_endless_answer_is_cut(sms):
    sms.answer = "x" * 5_000_000
    gateways.send(Gateway("GET", f"{sms.url}?{{text}}", loopback=True), to="1", text="t", message_id="x")


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),
        *("255.255.255.255", "192.0.2.1", "::", "fe80::1", "fc00::1", "ff02::1", "2001:db8::1"),
        *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1"),
    ],
)
def test_no_gateway_is_within_our_own_network(address):
    assert not public_address(ip_address(address), loopback=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_one_only_when_it_may_be(address):
    assert not public_address(ip_address(address), loopback=False)
    assert public_address(ip_address(address), loopback=True)


def test_public_addresses_are_fine():
    assert public_address(ip_address("93.184.215.14"), loopback=False)
    assert public_address(ip_address("2606:4700::1111"), loopback=False)


@pytest.mark.parametrize("host", ["localhost", "127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"])
def test_a_name_or_an_odd_spelling_of_this_machine_is_not_asked(sms, host):
    place = Gateway("GET", f"http://{host}:{sms.port}/?{{text}}", loopback=False)
    with pytest.raises((Rejected, Unreachable)):
        gateways.send(place, to="1", text="t", message_id="x")
    assert sms.asked == []


def test_a_name_with_one_private_address_among_public_ones_is_not_asked(monkeypatch):
    mixed = [(2, 1, 6, "", (address, 80)) for address in ("93.184.215.14", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: mixed)
    with pytest.raises(Rejected, match="private network"):
        gateways.send(Gateway("GET", "http://sms.example.com/?{text}"), to="1", text="t", message_id="x")


def test_the_name_is_looked_up_once_so_it_cannot_change_its_mind(sms, monkeypatch):
    """The one that was checked is the one that is asked."""
    looked: list[str] = []
    original = socket.getaddrinfo

    def look_up(host, *args, **more):
        looked.append(host)
        return original("127.0.0.1" if host == "sms.example.com" else host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    url = f"http://sms.example.com:{sms.port}/?{{text}}"
    gateways.send(Gateway("GET", url, loopback=True), to="1", text="t", message_id="x")
    assert looked.count("sms.example.com") == 1
    assert sms.asked[0].headers["Host"] == f"sms.example.com:{sms.port}"


def test_the_permission_for_this_machine_is_void_in_a_directory_for_real_work(isp, sms, monkeypatch, tmp_path):
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, data=tmp_path))
    tell(reader(isp))
    assert send() == {"failed": 1}
    assert "private network" in only().trouble
    assert sms.asked == []
    with pytest.raises(Refused, match="Only a demo or a test"):
        actions.save_sms_gateway(isp.pk, loopback=True, by=STAFF, at=AT)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"url": "ftp://sms.example.com/{text}"}, "url"),
        ({"url": "sms.example.com/{text}"}, "url"),
        ({"url": "http://user:pass@sms.example.com/{text}"}, "url"),
        ({"url": "http://{to}/{text}"}, "url"),
        ({"url": "http://[::1/{text}"}, "url"),
        ({"url": "http://sms.example.com:99999/{text}"}, "url"),
        ({"url": "http://sms.example.com/", "body": "to={to}"}, "body"),
        ({"headers": "Host: inside.example.com"}, "headers"),
        ({"headers": "X: {text}"}, "headers"),
        ({"headers": "no colon"}, "headers"),
        ({"headers": "X: é"}, "headers"),
        ({"method": "DELETE"}, "method"),
        ({"body_form": "xml"}, "body_form"),
        ({"method": "GET", "body": "{text}"}, "body"),
    ],
)
def test_a_gateway_that_cannot_be_is_refused_at_its_field(isp, facts, field):
    with pytest.raises(Refused) as refused:
        actions.save_sms_gateway(isp.pk, **facts, by=STAFF, at=AT)
    assert refused.value.field == field


def test_the_token_is_sealed(isp):
    row = SmsGateway.objects.get()
    assert TOKEN.encode() not in bytes(row.token)


@pytest.mark.parametrize(
    ("phone", "number"),
    [
        ("+34 600 111-222", "+34600111222"),
        ("(972) 36.00/00", "972360000"),
        ("call me", ""),
        ("1234", ""),
        ("+" * 9, ""),
    ],
)
def test_a_phone_number_is_made_dense_or_is_none(phone, number):
    assert number_of(phone) == number
