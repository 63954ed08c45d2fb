"""CoA and Disconnect as the NAS sees them, and its answers as we read them."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Network

import pytest

from demarc.wire import radius
from demarc.wire.radius import keys

SECRET = radius.Secret(b"xyzzy5461")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SESSION = radius.SessionIdentity(
    user_name="nemo",
    session_id="81c0001f",
    framed_ipv4=IPv4Address("10.1.2.3"),
    framed_ipv6_prefix=IPv6Network("2001:db8:1::/64"),
    calling_station_id="AA:BB:CC:DD:EE:FF",
    nas_ip=IPv4Address("192.0.2.1"),
    nas_identifier="bras1",
)


def the_nas_says(code: int, request: bytes, cause: int | None = None) -> bytes:
    attributes = radius.encode_attributes([("Error-Cause", cause)]) if cause else b""
    return radius.encode_reply(code, radius.decode(request), attributes, SECRET)


def test_a_disconnect_names_the_session_and_nothing_else():
    request = radius.decode(radius.disconnect_request(3, SESSION, NOON, SECRET))
    assert radius.authentic(request, SECRET)
    assert request.code == keys.DISCONNECT_REQUEST
    assert [key for key, _ in request.attributes] == [
        keys.MESSAGE_AUTHENTICATOR,
        keys.NAS_IP_ADDRESS,
        keys.NAS_IDENTIFIER,
        keys.USER_NAME,
        keys.ACCT_SESSION_ID,
        keys.CALLING_STATION_ID,
        keys.FRAMED_IP_ADDRESS,
        keys.FRAMED_IPV6_PREFIX,
        keys.EVENT_TIMESTAMP,
    ]
    assert request.moment(keys.EVENT_TIMESTAMP) == NOON


def test_what_is_not_known_of_a_session_is_left_out():
    request = radius.decode(radius.disconnect_request(3, radius.SessionIdentity("nemo"), NOON, SECRET))
    assert [key for key, _ in request.attributes][1:] == [keys.USER_NAME, keys.EVENT_TIMESTAMP]


def test_a_coa_carries_the_changes():
    changes = radius.encode_attributes([("Mikrotik-Address-List", "Reject_1")])
    request = radius.decode(radius.coa_request(3, SESSION, changes, NOON, SECRET))
    assert radius.authentic(request, SECRET)
    assert request.code == keys.COA_REQUEST
    assert request.text(keys.MIKROTIK_ADDRESS_LIST) == "Reject_1"


def test_a_repeated_request_is_the_same_bytes():
    assert radius.disconnect_request(3, SESSION, NOON, SECRET) == radius.disconnect_request(3, SESSION, NOON, SECRET)


@pytest.mark.parametrize(
    ("code", "cause", "acknowledged", "reason"),
    [
        (keys.DISCONNECT_ACK, None, True, ""),
        (keys.DISCONNECT_NAK, 503, False, "Session-Context-Not-Found"),
        (keys.DISCONNECT_NAK, None, False, ""),
        (keys.DISCONNECT_NAK, 599, False, "Error-Cause 599"),
    ],
)
def test_the_answer_is_read_with_its_reason(code, cause, acknowledged, reason):
    request = radius.disconnect_request(3, SESSION, NOON, SECRET)
    answer = radius.parse_answer(the_nas_says(code, request, cause), request, SECRET)
    assert (answer.acknowledged, answer.error_cause, answer.reason) == (acknowledged, cause, reason)


def test_an_answer_to_something_else_is_malformed():
    request = radius.disconnect_request(3, SESSION, NOON, SECRET)
    another = radius.disconnect_request(4, SESSION, NOON, SECRET)
    renumbered = radius.decode(request)
    renumbered.identifier = 9
    for datagram in (
        the_nas_says(keys.COA_ACK, request),
        the_nas_says(keys.DISCONNECT_ACK, another),
        the_nas_says(keys.DISCONNECT_ACK, request)[:19],
        radius.encode_reply(keys.DISCONNECT_ACK, renumbered, b"", SECRET),
        request,
    ):
        with pytest.raises(radius.Malformed):
            radius.parse_answer(datagram, request, SECRET)


def test_an_answer_with_another_secret_is_malformed():
    request = radius.disconnect_request(3, SESSION, NOON, SECRET)
    with pytest.raises(radius.Malformed):
        radius.parse_answer(the_nas_says(keys.DISCONNECT_ACK, request), request, radius.Secret(b"other"))
