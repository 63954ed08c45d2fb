"""Records that clients leave incomplete. What a full one says is in vectors/freeradius.txt."""

import pytest

from demarc.wire import radius
from demarc.wire.radius import keys

SECRET = radius.Secret(b"xyzzy5461")


def record(*pairs: tuple[str, radius.Value]) -> radius.AccountingRecord:
    datagram = radius.accounting_request(1, radius.encode_attributes(pairs), SECRET)
    return radius.parse_accounting(radius.decode(datagram))


def test_what_is_missing_is_zero_empty_or_none():
    start = record(("Acct-Status-Type", 1), ("Acct-Session-Id", "a"))
    assert (start.user_name, start.nas_ip, start.framed_ipv4, start.classes) == ("", None, None, ())
    assert (start.input_octets, start.session_time_s, start.delay_s, start.gigawords) == (0, 0, 0, False)
    assert start.event_timestamp is None
    assert start.terminate_cause is None


@pytest.mark.parametrize("name", ["Acct-Input-Gigawords", "Acct-Output-Gigawords"])
def test_gigawords_of_one_direction_show_that_the_client_counts_them(name):
    interim = record(("Acct-Status-Type", 3), ("Acct-Session-Id", "a"), (name, 0))
    assert interim.gigawords


def test_counters_reach_sixty_four_bits():
    full = (1 << 32) - 1
    stop = record(
        ("Acct-Status-Type", 2),
        ("Acct-Session-Id", "a"),
        ("Acct-Input-Octets", full),
        ("Acct-Input-Gigawords", full),
    )
    assert stop.input_octets == (1 << 64) - 1


def test_a_port_above_two_billion_is_not_negative():
    start = record(("Acct-Status-Type", 1), ("Acct-Session-Id", "a"), ("NAS-Port", 0xF0000001))
    assert start.nas_port == 0xF0000001


@pytest.mark.parametrize(
    "pairs",
    [
        [("Acct-Session-Id", "a")],
        [("Acct-Status-Type", 1)],
        [("Acct-Status-Type", 3), ("Acct-Session-Id", "\0")],
    ],
)
def test_without_status_or_session_it_is_malformed(pairs):
    with pytest.raises(radius.Malformed):
        record(*pairs)


@pytest.mark.parametrize("status", [7, 8])
def test_a_nas_that_starts_or_stops_needs_no_session(status):
    assert record(("Acct-Status-Type", status)).session_id == ""


def test_a_login_is_no_accounting():
    login = radius.encode_request(
        keys.ACCESS_REQUEST, 1, bytes(16), radius.encode_attributes([("Acct-Status-Type", 1)]), SECRET
    )
    with pytest.raises(radius.Malformed):
        radius.parse_accounting(radius.decode(login))
