"""One-time codes: the vectors of the RFCs, what a clock may be off, and that a code is good once."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from demarc.core.onetime import code, key_address, key_text, matching_step, step_at

SECRET = b"12345678901234567890"
AT = datetime(2026, 11, 3, 12, 0, 10, tzinfo=UTC)

# RFC 4226 appendix D.
COUNTED = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")
# RFC 6238 appendix B, SHA-1, of whose eight digits the last six are ours.
TIMED = ((59, "94287082"), (1111111109, "07081804"), (1234567890, "89005924"), (20000000000, "65353130"))


@pytest.mark.parametrize(("count", "expected"), list(enumerate(COUNTED)))
def test_the_codes_of_rfc_4226(count, expected):
    assert code(SECRET, count) == expected


@pytest.mark.parametrize(("seconds", "expected"), TIMED)
def test_the_codes_of_rfc_6238(seconds, expected):
    assert code(SECRET, step_at(datetime.fromtimestamp(seconds, UTC))) == expected[-6:]


@pytest.mark.parametrize("off", [-30, 0, 30])
def test_a_phone_may_be_half_a_minute_off(off):
    shown = code(SECRET, step_at(AT + timedelta(seconds=off)))
    assert matching_step(SECRET, shown, at=AT) == step_at(AT) + off // 30


@pytest.mark.parametrize("off", [-60, 60])
def test_a_phone_may_not_be_a_minute_off(off):
    assert matching_step(SECRET, code(SECRET, step_at(AT + timedelta(seconds=off))), at=AT) is None


def test_a_code_is_good_once_and_none_before_it_afterwards():
    now = step_at(AT)
    assert matching_step(SECRET, code(SECRET, now), at=AT, after=now - 1) == now
    assert matching_step(SECRET, code(SECRET, now), at=AT, after=now) is None
    assert matching_step(SECRET, code(SECRET, now - 1), at=AT, after=now) is None
    assert matching_step(SECRET, code(SECRET, now + 1), at=AT, after=now) == now + 1


@pytest.mark.parametrize("given", ["", "12345", "1234567", "abcdef", "１２３４５６", "\x00"])
def test_what_is_no_code_is_refused_and_no_more(given):
    assert matching_step(SECRET, given, at=AT) is None


def test_the_qr_code_says_whose_key_it_is_whatever_the_name_holds():
    address = urlsplit(key_address(SECRET, issuer="My ISP", label="ana@x:1/é"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert address.path == "/My%20ISP:ana%40x%3A1%2F%C3%A9"
    assert parse_qs(address.query) == {"secret": [key_text(SECRET)], "issuer": ["My ISP"]}
