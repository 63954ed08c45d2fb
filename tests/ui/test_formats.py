"""How values read: money in words, ages, speeds, and never a bare minus sign for what somebody owes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from demarc.ui import components, formats

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)


def plain(text: object) -> str:
    return str(text).replace("\xa0", " ")


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (2000, "EUR", "20.00 EUR"),
        (123456789, "EUR", "1,234,567.89 EUR"),
        (5, "EUR", "0.05 EUR"),
        (1500, "JPY", "1,500 JPY"),
        (1500, "BHD", "1.500 BHD"),
        (10**15, "EUR", "10,000,000,000,000.00 EUR"),
        (None, "EUR", "–"),
    ],
)
def test_money_has_its_currency_behind_and_its_own_decimals(amount, currency, words):
    assert plain(formats.money(amount, currency)) == words


@pytest.mark.parametrize(
    ("amount", "words"), [(2000, "Has 20.00 EUR"), (-1240, "Owes 12.40 EUR"), (0, "Has nothing"), (-1, "Owes 0.01 EUR")]
)
def test_a_balance_is_said_in_words(amount, words):
    assert plain(formats.balance(amount, "EUR")) == words


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=7), "7 s ago"),
        (timedelta(seconds=119), "1 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=3, hours=20), "3 d ago"),
        (-timedelta(minutes=5), "in 5 min"),
    ],
)
def test_an_age_is_rough_and_says_which_way(ago, words):
    assert plain(formats.age(NOW - ago, NOW)) == words


def test_what_never_was_is_never():
    assert formats.age(None, NOW) == "never"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7500, "2 h 5 min"), (90061, "1 d 1 h"), (86400, "1 d")],
)
def test_a_duration_has_its_two_largest_units(seconds, words):
    assert plain(formats.duration(seconds)) == words


@pytest.mark.parametrize(
    ("kbps", "words"),
    [
        (512, "512 kbit/s"),
        (5120, "5.12 Mbit/s"),
        (100_000, "100 Mbit/s"),
        (2_500_000, "2.5 Gbit/s"),
        (999, "999 kbit/s"),
    ],
)
def test_a_speed_is_written_as_it_is_sold(kbps, words):
    assert plain(formats.speed(kbps)) == words


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (999, "999 B"), (141_234_567, "141 MB"), (67_100_000_000, "67.1 GB")]
)
def test_octets_have_three_figures(count, words):
    assert plain(formats.octets(count)) == words


def test_days_months_and_rates():
    assert formats.day(date(2026, 11, 3)) == "3 Nov 2026"
    assert formats.day(None) == "–"
    assert formats.month(date(2026, 2, 28)) == "February 2026"
    assert plain(formats.percent(Decimal("0.21"))) == "21 %"
    assert plain(formats.percent(Decimal("0.055"))) == "5.5 %"
    assert formats.plural(1, "customer") == "1 customer"
    assert [formats.ordinal(day) for day in (1, 2, 3, 4, 11, 12, 13, 21, 30)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "30th"]
    )
    assert formats.plural(2000, "customer") == "2,000 customers"


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("UTC", "3 Nov 2026, 12:00:00 UTC"),
        ("Europe/Madrid", "3 Nov 2026, 13:00:00 CET"),
        ("America/Sao_Paulo", "3 Nov 2026, 09:00:00 UTC−03"),
    ],
)
def test_an_exact_time_names_its_zone_as_people_there_do(zone, words):
    with timezone.override(zone):
        assert formats.moment(NOW) == words


def test_a_part_of_a_page_lets_nobody_s_html_through():
    assert "&lt;b&gt;" in components.code("<b>")
    assert "&lt;b&gt;" in components.chip("active", "<b>")
    assert 'fill="#888888"' in components.swatch("red;}</style>")


def test_a_state_is_a_colour_a_shape_and_a_word():
    chip = components.chip("blocked")
    assert "chip-red" in chip
    assert "#ban" in chip
    assert "Blocked" in chip
