"""Amounts as people type and read them, and the one rounding."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.errors import Refused
from demarc.core.money import (
    CURRENCIES,
    MAX_ENTERED,
    MixedCurrencies,
    Money,
    currency,
    format_plain,
    half_up,
    parse,
)

any_currency = st.sampled_from(sorted(CURRENCIES))
any_amount = st.integers(-MAX_ENTERED, MAX_ENTERED)


@pytest.mark.parametrize(
    ("text", "code", "amount"),
    [
        ("20", "EUR", 2000),
        ("20.00", "EUR", 2000),
        (" 20.5 ", "EUR", 2050),
        ("-3.5", "EUR", -350),
        ("0", "EUR", 0),
        ("-0", "EUR", 0),
        ("007", "EUR", 700),
        ("1500", "JPY", 1500),
        ("1.5", "KWD", 1500),
        ("1.234", "KWD", 1234),
        ("10000000000.00", "EUR", MAX_ENTERED),
    ],
)
def test_an_amount_is_read_into_minor_units(text, code, amount):
    assert parse(text, code) == Money(amount, code)


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("", "EUR", "amount_unreadable"),
        ("1,234.50", "EUR", "amount_unreadable"),
        ("20,00", "EUR", "amount_unreadable"),
        ("1 000", "EUR", "amount_unreadable"),
        ("1e3", "EUR", "amount_unreadable"),
        ("+5", "EUR", "amount_unreadable"),
        (".5", "EUR", "amount_unreadable"),
        ("5.", "EUR", "amount_unreadable"),
        ("٢٠", "EUR", "amount_unreadable"),
        ("NaN", "EUR", "amount_unreadable"),
        ("20\n.00", "EUR", "amount_unreadable"),
        ("20.001", "EUR", "amount_too_precise"),
        ("20.0", "JPY", "amount_too_precise"),
        ("10000000000.01", "EUR", "amount_too_large"),
        ("-10000000000.01", "EUR", "amount_too_large"),
        ("9" * 5000, "EUR", "amount_too_large"),
        ("20", "XXX", "currency_unknown"),
        ("20", "eur", "currency_unknown"),
    ],
)
def test_what_is_not_clearly_an_amount_is_refused_with_a_reason(text, code, word):
    with pytest.raises(Refused) as refused:
        parse(text, code)
    assert refused.value.code == word
    assert refused.value.message.endswith(".")


def test_a_refusal_shows_how_to_write_it_in_that_currency():
    with pytest.raises(Refused, match=r"like 1234\.50") as refused:
        parse("twenty", "EUR", field="paid")
    assert refused.value.field == "paid"
    with pytest.raises(Refused, match=r"JPY has no decimals; write the amount like 123450\."):
        parse("1.5", "JPY")


def test_an_amount_that_is_too_large_is_told_the_limit_that_payments_and_prices_have():
    with pytest.raises(Refused, match=r"the limit is 10000000000\.00 EUR") as refused:
        parse("10000000000000.00", "EUR")
    assert refused.value.code == "amount_too_large"
    assert parse("10000000000.00", "EUR").amount == MAX_ENTERED


@given(any_amount, any_currency)
def test_what_is_written_plainly_is_read_back_the_same(amount, code):
    money = Money(amount, code)
    text = format_plain(money)
    assert parse(text, code) == money
    assert Decimal(text).scaleb(CURRENCIES[code].digits) == amount


def test_an_amount_is_written_with_all_its_decimals():
    assert format_plain(Money(2000, "EUR")) == "20.00"
    assert format_plain(Money(-5, "EUR")) == "-0.05"
    assert format_plain(Money(1500, "JPY")) == "1500"
    assert format_plain(Money(1, "BHD")) == "0.001"


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**6))
def test_a_half_is_rounded_away_from_zero_as_decimal_does_it(numerator, denominator):
    exact = Fraction(numerator, denominator)
    nearest = half_up(numerator, denominator)
    assert abs(exact - nearest) <= Fraction(1, 2)
    assert abs(nearest) >= abs(exact) or abs(exact - nearest) < Fraction(1, 2)


@given(st.integers(-(10**9), 10**9))
def test_halves_are_rounded_like_decimals_half_up(tenths):
    assert half_up(tenths, 10) == (Decimal(tenths) / 10).quantize(Decimal(1), ROUND_HALF_UP)


def test_money_of_two_currencies_never_mixes():
    euro, dollar = Money(1, "EUR"), Money(1, "USD")
    for mix in (lambda: euro + dollar, lambda: euro - dollar, lambda: euro < dollar, lambda: euro <= dollar):
        with pytest.raises(MixedCurrencies):
            mix()
    assert euro != dollar


def test_money_of_one_currency_adds_compares_and_multiplies():
    five, two = Money(5, "EUR"), Money(2, "EUR")
    assert five + two == Money(7, "EUR")
    assert two - five == Money(-3, "EUR")
    assert -five == Money(-5, "EUR")
    assert five * 3 == Money(15, "EUR")
    assert two < five
    assert not five < five
    assert two <= two
    assert max(two, five) == five


def test_every_currency_has_the_minor_unit_that_iso_4217_gives_it():
    assert len(CURRENCIES) > 150
    assert {c.digits for c in CURRENCIES.values()} == {0, 2, 3}
    assert currency("CLP").digits == 0
    assert currency("TND").digits == 3
    assert all(code in CURRENCIES for code in ["EUR", "USD", "CZK", "GBP", "BRL", "RUB", "PLN", "MXN", "ARS", "ZAR"])


def test_no_currency_in_use_today_is_missing():
    tenders = {
        name
        for current in get_global("territory_currencies").values()
        for name, _start, end, tender in current
        if end is None and tender
    }
    retired_or_informal = {"ANG", "GGP", "IMP", "JEP", "FOK", "KID", "TVD", "CUC", "HRK", "ZWL", "SLL", "MRO", "STD"}
    assert tenders - retired_or_informal - set(CURRENCIES) == set()
