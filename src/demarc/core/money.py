"""Money as whole minor units and a currency, and the one way it is rounded. Knows nothing of ledgers, prices
or days."""

import re
from dataclasses import dataclass
from typing import Self

from demarc.core.errors import Refused

MAX_AMOUNT = 10**15
"""The largest amount, in minor units, that one transfer may carry."""
MAX_ENTERED = 10**12
"""The largest amount, in minor units, that anyone may enter, either side of zero: a price, a payment, a limit."""

_NO_MINOR_UNIT = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_HUNDREDTHS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
    COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
    MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER
    ZAR ZMW ZWG
"""
_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"

_WRITTEN = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")


@dataclass(frozen=True, slots=True)
class Currency:
    """`code` by ISO 4217; `digits` is how many decimals its minor unit has: 0, 2 or 3."""

    code: str
    digits: int


CURRENCIES: dict[str, Currency] = {
    code: Currency(code, digits)
    for digits, codes in ((0, _NO_MINOR_UNIT), (2, _HUNDREDTHS), (3, _THOUSANDTHS))
    for code in codes.split()
}
"""The currencies people pay with (ISO 4217 list one, without funds, metals and test codes)."""


def currency(code: str) -> Currency:
    """The currency with this ISO 4217 code; Refused when there is none."""
    found = CURRENCIES.get(code)
    if found is None:
        raise Refused(
            f"{code!r} is not a currency; use a three-letter ISO 4217 code such as EUR.",
            field="currency",
            code="currency_unknown",
        )
    return found


class MixedCurrencies(ValueError):
    """Two amounts in different currencies met in one sum: a bug in the caller, never a person's mistake."""


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in minor units of `currency` (2000, "EUR" is twenty euro). Different currencies never mix."""

    amount: int
    currency: str

    def _same(self, other: Self) -> int:
        if self.currency != other.currency:
            raise MixedCurrencies(f"{self.currency} and {other.currency} do not add up")
        return other.amount

    def __add__(self, other: Self) -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Self) -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.amount * times, self.currency)

    def __lt__(self, other: Self) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Self) -> bool:
        return self.amount <= self._same(other)


def half_up(numerator: int, denominator: int) -> int:
    """`numerator` / `denominator` to the nearest whole number; a half goes away from zero. `denominator` >
    0."""
    if numerator < 0:
        return -half_up(-numerator, denominator)
    return (2 * numerator + denominator) // (2 * denominator)


def parse(text: str, currency_code: str, *, field: str = "amount") -> Money:
    """Read an amount as people type it: digits, at most one dot, an optional minus ("20", "20.00", "-3.5").

    Commas and spaces inside are refused, not guessed: "1,234" is a thousand in one country and little more
    than one in another. Refused also when there are more decimals than the currency has or it passes
    MAX_ENTERED.
    """
    unit = currency(currency_code)
    example = format_plain(Money(123450, currency_code))
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise Refused(
            f"Write the amount in digits, like {example}: a dot before decimals, nothing between thousands.",
            field=field,
            code="amount_unreadable",
        )
    sign, whole, decimals = found[1], found[2], found[3] or ""
    if len(decimals) > unit.digits:
        allowed = f"at most {unit.digits} decimals" if unit.digits else "no decimals"
        raise Refused(
            f"{unit.code} has {allowed}; write the amount like {example}.",
            field=field,
            code="amount_too_precise",
        )
    digits = (whole + decimals.ljust(unit.digits, "0")).lstrip("0") or "0"
    if len(digits) > len(str(MAX_ENTERED)) or int(digits) > MAX_ENTERED:
        limit = format_plain(Money(MAX_ENTERED, currency_code))
        raise Refused(
            f"The amount is too large; the limit is {limit} {unit.code}.",
            field=field,
            code="amount_too_large",
        )
    return Money(-int(digits) if sign else int(digits), currency_code)


def format_plain(money: Money) -> str:
    """The amount alone, for programs and forms: dot, all decimals of the currency, no grouping ("20.00",
    "-0.05")."""
    digits = currency(money.currency).digits
    sign = "-" if money.amount < 0 else ""
    if digits == 0:
        return f"{sign}{abs(money.amount)}"
    whole, rest = divmod(abs(money.amount), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d}"
