"""What the shipper takes from records that clients leave incomplete. What a full one says is in the vectors."""

from datetime import UTC, datetime

import pytest

from demarc.radiusd import records, tally
from demarc.wire import radius
from demarc.wire.radius import keys

SECRET = radius.Secret(b"xyzzy5461")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def prepared(octets: bytes) -> tally.Item | None:
    return tally.prepare(
        records.encode(records.Record(records.PACKET, records.microseconds(NOON), 1, 1, 0, 0, 0, "", octets))
    )


def record(*pairs: tuple[str, radius.Value]) -> tally.Item | None:
    return prepared(radius.accounting_request(1, radius.encode_attributes(pairs), SECRET))


def test_what_is_missing_is_zero_empty_or_none():
    start = record(("Acct-Status-Type", 1), ("Acct-Session-Id", "a"))
    assert (start.user_name, start.at, start.started) == ("", NOON, NOON)
    fact = start.fact
    assert (fact.octets_in, fact.giga_in, fact.framed_ipv4, fact.terminate_cause) == (None, None, None, None)
    assert (fact.session_time_s, fact.calling_station) == (0, "")


@pytest.mark.parametrize(("name", "giga"), [("Acct-Input-Gigawords", (0, None)), ("Acct-Output-Gigawords", (None, 0))])
def test_gigawords_of_one_direction_show_that_the_client_counts_them(name, giga):
    interim = record(("Acct-Status-Type", 3), ("Acct-Session-Id", "a"), (name, 0))
    assert (interim.fact.giga_in, interim.fact.giga_out) == giga


def test_counters_go_as_far_as_the_columns():
    full = (1 << 32) - 1
    counted = [("Acct-Input-Octets", full), ("Acct-Input-Gigawords", full)]
    stop = record(("Acct-Status-Type", 2), ("Acct-Session-Id", "a"), *counted)
    assert (stop.fact.octets_in, stop.fact.giga_in) == (full, tally.GIGAWORDS_MAX)


def test_a_port_above_two_billion_is_not_negative():
    octets = radius.accounting_request(1, radius.encode_attributes([("NAS-Port", 0xF0000001)]), SECRET)
    assert radius.decode(octets).integer(keys.NAS_PORT) == 0xF0000001


@pytest.mark.parametrize(
    "pairs",
    [
        [("Acct-Session-Id", "a")],
        [("Acct-Status-Type", 1)],
        [("Acct-Status-Type", 3), ("Acct-Session-Id", "\0")],
    ],
)
def test_without_status_or_session_it_is_no_news(pairs):
    assert record(*pairs) is None


@pytest.mark.parametrize("status", [7, 8])
def test_a_nas_that_starts_or_stops_needs_no_session(status):
    restart = record(("Acct-Status-Type", status))
    assert (restart.session_id, restart.reboot) == ("", True)


def test_a_login_is_no_accounting():
    said = radius.encode_attributes([("Acct-Status-Type", 1), ("Acct-Session-Id", "a")])
    assert prepared(radius.encode_request(keys.ACCESS_REQUEST, 1, bytes(16), said, SECRET)) is None
