"""What goes on a document: lines, the tax of their sum, and the transfers that follow. Knows no database or calendar.

Tax is taken once per category and rate on the sum of the lines (EN 16931, BR-CO-17). Where prices include it, it is
what the rounded net leaves of the gross sum, for not every gross can be reached from a net in cents. Amounts are minor
units; on a credit they are negative.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from demarc.core.errors import Refused
from demarc.core.money import half_up
from demarc.core.tax import tax_in_gross


class Taxed(NamedTuple):
    """How a line is taxed. `included`: its amount is gross."""

    category: str
    rate: Decimal
    included: bool


class Part(NamedTuple):
    """A line as far as its money goes; `revenue` is the category of revenue that it belongs to."""

    amount: int
    taxed: Taxed
    revenue: str


class TaxSum(NamedTuple):
    """The tax of one category and rate."""

    category: str
    rate: Decimal
    net: int
    tax: int


class Totals(NamedTuple):
    """A document's sums. `revenues`: net by category of revenue; they and the taxes sum to the gross."""

    net: int
    tax: int
    gross: int
    taxes: tuple[TaxSum, ...]
    revenues: tuple[tuple[str, int], ...]


@lru_cache(maxsize=4096)
def totals(parts: tuple[Part, ...]) -> Totals:
    """The sums of a document; most of a run's are alike. Refused when a rate is not from 0 to 1."""
    groups: dict[Taxed, list[Part]] = {}
    for part in parts:
        groups.setdefault(part.taxed, []).append(part)
    taxes: dict[tuple[str, Decimal], TaxSum] = {}
    revenues: dict[str, int] = {}
    for taxed in sorted(groups):
        net, tax = split(sum(part.amount for part in groups[taxed]), taxed)
        key = (taxed.category, taxed.rate)
        before = taxes.get(key, TaxSum(*key, 0, 0))
        taxes[key] = TaxSum(*key, before.net + net, before.tax + tax)
        for revenue, share in _shares(groups[taxed], net):
            revenues[revenue] = revenues.get(revenue, 0) + share
    net = sum(one.net for one in taxes.values())
    tax = sum(one.tax for one in taxes.values())
    return Totals(net, tax, net + tax, tuple(taxes.values()), tuple(sorted(revenues.items())))


def split(amount: int, taxed: Taxed) -> tuple[int, int]:
    """(net, tax) of a sum, of either sign. Refused when the rate is not from 0 to 1."""
    if amount < 0:
        net, tax = split(-amount, taxed)
        return -net, -tax
    if taxed.included:
        return tax_in_gross(amount, taxed.rate)
    if not 0 <= taxed.rate <= 1:
        raise Refused("A tax rate must be from 0 to 100 %.", field="rate", code="tax_rate_out_of_range")
    part, whole = taxed.rate.as_integer_ratio()
    return amount, half_up(amount * part, whole)


def allocate(available: int, claims: Sequence[int]) -> list[int]:
    """Spread `available` over open sums in their order, the oldest first: what each gets."""
    given = []
    for claim in claims:
        part = max(min(available, claim), 0)
        given.append(part)
        available -= part
    return given


def _shares(parts: Sequence[Part], net: int) -> list[tuple[str, int]]:
    """The net of a group by category of revenue; the last one takes what rounding leaves."""
    amounts: dict[str, int] = {}
    for part in parts:
        amounts[part.revenue] = amounts.get(part.revenue, 0) + part.amount
    whole = sum(amounts.values())
    names = sorted(amounts)
    shares = [(name, half_up(amounts[name] * net, whole) if whole > 0 else 0) for name in names[:-1]]
    if whole < 0:
        shares = [(name, half_up(-amounts[name] * net, -whole)) for name in names[:-1]]
    return [*shares, (names[-1], net - sum(share for _, share in shares))]
