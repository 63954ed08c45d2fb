"""The ledger as beancount text: every entry, and at the end what each stored balance must be. Reads only.

Beancount (https://beancount.github.io) counts from the house's side: what customers have paid ahead is a liability.
`bean-check` refuses the text when an entry does not sum to zero or a balance is not what its entries say.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from django.db import connection

from demarc.core.money import CURRENCIES, Money, format_plain

ROOTS = {
    "payer": "Liabilities:Customers",
    "revenue": "Income:Revenue",
    "tax": "Liabilities:Tax",
    "cash": "Assets:Cash",
    "clearing": "Assets:Clearing",
    "deferred": "Liabilities:Deferred",
    "voucher": "Liabilities:Vouchers",
    "writeoff": "Expenses:WriteOff",
    "rounding": "Expenses:Rounding",
    "exchange": "Equity:Exchange",
}
READ = 5000

ACCOUNTS = "SELECT id, kind, currency, balance FROM billing_ledgeraccount ORDER BY id"
FIRST = "SELECT min(day), max(day) FROM billing_transfer"
TRANSFERS = """
SELECT entry_id, day, kind, debit_account_id, credit_account_id, currency, amount FROM billing_transfer
ORDER BY entry_id, seq
"""


def lines() -> Iterator[str]:
    """The text, line by line, in a few megabytes whatever the size of the ledger. Call it in a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST)
        first, last = cursor.fetchone()
        cursor.execute(ACCOUNTS)
        accounts = cursor.fetchall()
    names = {account_id: f"{ROOTS[kind]}:A{account_id}" for account_id, kind, _, _ in accounts}
    yield 'option "title" "Demarc"'
    if first is None:
        return
    for account_id, _, currency, _ in accounts:
        yield f"{first} open {names[account_id]} {currency}"
    yield from _entries(names)
    for account_id, _, currency, balance in accounts:
        if balance is not None:
            yield f"{_after(last)} balance {names[account_id]} {_plain(-balance, currency)} ~ 0 {currency}"


def _entries(names: dict[int, str]) -> Iterator[str]:
    for entry_id, transfers in groupby(_transfers(), key=lambda row: row[0]):
        rows = list(transfers)
        yield f'{rows[0][1]} * "{rows[0][2]} {entry_id}"'
        for _, _, _, debit, credit, currency, amount in rows:
            yield f"  {names[debit]}  {_plain(amount, currency)} {currency}"
            yield f"  {names[credit]}  {_plain(-amount, currency)} {currency}"


def _transfers() -> Iterator[Any]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(TRANSFERS)
        while rows := cursor.fetchmany(READ):
            yield from rows


def _plain(amount: int, currency: str) -> str:
    return format_plain(Money(amount, currency)) if currency in CURRENCIES else str(amount)


def _after(day: date) -> date:
    return day + timedelta(days=1)
