"""Double entry: which account gives, which receives. Knows no tables; ids, keys and times of recording are
the caller's.

A balance is credits minus debits: positive on a payer means that it is the customer's money.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from demarc.core.charging import ServiceCharge
from demarc.core.errors import Refused
from demarc.core.money import MAX_AMOUNT, MixedCurrencies

MAX_TRANSFERS = 10_000
"""The most transfers that one entry may group."""


class AccountKind(StrEnum):
    """What an account of the ledger stands for."""

    PAYER = "payer"
    REVENUE = "revenue"
    TAX = "tax"
    CASH = "cash"
    CLEARING = "clearing"
    DEFERRED = "deferred"
    VOUCHER = "voucher"
    WRITEOFF = "writeoff"
    ROUNDING = "rounding"
    EXCHANGE = "exchange"


class TransferKind(StrEnum):
    """Why money moved."""

    CHARGE = "charge"
    PAYMENT = "payment"
    REFUND = "refund"
    CORRECTION = "correction"
    DOCUMENT = "document"
    TAX = "tax"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Account:
    """One account of the ledger; it holds one currency for ever."""

    id: int
    kind: AccountKind
    currency: str


class Transfer(NamedTuple):
    """`amount` > 0 minor units from the debited to the credited account, for the billing day `day`.

    The service and fact ids say what a charge rests on; other kinds have none.
    """

    debit: int
    credit: int
    currency: str
    amount: int
    kind: TransferKind
    day: date
    service_id: int | None = None
    price_fact_id: int | None = None
    service_fact_id: int | None = None


TILLS = frozenset({AccountKind.CASH, AccountKind.CLEARING, AccountKind.VOUCHER})
"""Where money from outside arrives and leaves."""


def charge(payer: Account, revenue: Account, line: ServiceCharge, day: date) -> Transfer:
    """The payer gives, revenue receives, for one service on one day, with the facts that it rests on.

    Refused when the amount is not more than zero or beyond MAX_AMOUNT; ValueError (a bug) when an account is
    of the wrong kind or the currencies differ.
    """
    _expect(payer, AccountKind.PAYER)
    _expect(revenue, AccountKind.REVENUE)
    return _transfer(payer, revenue, line.amount, day, TransferKind.CHARGE, line)


def payment(payer: Account, till: Account, amount: int, day: date) -> Transfer:
    """Money came in: debit the till or clearing account, credit the payer. Refused as `charge`."""
    _expect(payer, AccountKind.PAYER)
    _expect(till, *TILLS)
    return _transfer(till, payer, amount, day, TransferKind.PAYMENT)


def refund(payer: Account, till: Account, amount: int, day: date) -> Transfer:
    """Money went back: debit the payer, credit the till or clearing account. Refused as `charge`."""
    _expect(payer, AccountKind.PAYER)
    _expect(till, *TILLS)
    return _transfer(payer, till, amount, day, TransferKind.REFUND)


def correction(payer: Account, writeoff: Account, amount: int, day: date) -> Transfer:
    """Staff put a balance right: `amount` > 0 raises it (debit write-off), < 0 lowers it (debit the payer).

    Refused when it is zero or its size is beyond MAX_AMOUNT.
    """
    _expect(payer, AccountKind.PAYER)
    _expect(writeoff, AccountKind.WRITEOFF)
    debit, credit = (writeoff, payer) if amount > 0 else (payer, writeoff)
    return _transfer(debit, credit, abs(amount), day, TransferKind.CORRECTION)


def billed(payer: Account, house: Account, amount: int, day: date) -> Transfer:
    """A share of a document, of revenue or tax: the payer gives; of a credit (`amount` < 0) he receives.

    Refused when it is zero or its size is beyond MAX_AMOUNT.
    """
    _expect(payer, AccountKind.PAYER)
    _expect(house, AccountKind.REVENUE, AccountKind.TAX)
    debit, credit = (payer, house) if amount > 0 else (house, payer)
    return _transfer(debit, credit, abs(amount), day, TransferKind.DOCUMENT)


def tax_of_consumed(revenue: Account, tax: Account, amount: int, day: date) -> Transfer:
    """The tax in what was charged gross by the day leaves revenue. Refused as `charge`."""
    _expect(revenue, AccountKind.REVENUE)
    _expect(tax, AccountKind.TAX)
    return _transfer(revenue, tax, amount, day, TransferKind.TAX)


def moved(payer: Account, between: Account, amount: int, day: date) -> Transfer:
    """Money goes from one payer to another over a clearing account: one side of it, `amount` > 0 for who receives.

    Refused when it is zero or its size is beyond MAX_AMOUNT.
    """
    _expect(payer, AccountKind.PAYER)
    _expect(between, AccountKind.CLEARING)
    debit, credit = (between, payer) if amount > 0 else (payer, between)
    return _transfer(debit, credit, abs(amount), day, TransferKind.MOVED)


def entry(transfers: Iterable[Transfer]) -> tuple[Transfer, ...]:
    """Check transfers that are to be recorded together.

    ValueError (a bug) when there are none or too many, an amount is not a positive whole number within
    MAX_AMOUNT, both sides are one account, or one account meets two currencies.
    """
    checked = tuple(transfers)
    if not 0 < len(checked) <= MAX_TRANSFERS:
        raise ValueError(f"an entry has from 1 to {MAX_TRANSFERS} transfers, not {len(checked)}")
    currencies: dict[int, str] = {}
    for transfer in checked:
        if type(transfer.amount) is not int or not 0 < transfer.amount <= MAX_AMOUNT:
            raise ValueError(f"a transfer cannot carry {transfer.amount!r}")
        if transfer.debit == transfer.credit:
            raise ValueError(f"account {transfer.debit} cannot pay itself")
        for account in (transfer.debit, transfer.credit):
            if currencies.setdefault(account, transfer.currency) != transfer.currency:
                raise ValueError(f"account {account} meets {transfer.currency} and {currencies[account]}")
    return checked


def fold(transfers: Iterable[Transfer]) -> dict[int, int]:
    """The balance of every account that the transfers name, credits minus debits. The sum of all is zero."""
    balances: dict[int, int] = {}
    for transfer in transfers:
        balances[transfer.debit] = balances.get(transfer.debit, 0) - transfer.amount
        balances[transfer.credit] = balances.get(transfer.credit, 0) + transfer.amount
    return balances


def _expect(account: Account, *kinds: AccountKind) -> None:
    if account.kind not in kinds:
        raise ValueError(f"account {account.id} is of kind {account.kind}, not {' or '.join(sorted(kinds))}")


def _transfer(
    debit: Account, credit: Account, amount: int, day: date, kind: TransferKind, line: ServiceCharge | None = None
) -> Transfer:
    if debit.currency != credit.currency:
        raise MixedCurrencies(f"account {debit.id} holds {debit.currency}, {credit.id} {credit.currency}")
    if amount <= 0:
        raise Refused("The amount must be more than zero.", field="amount", code="amount_not_positive")
    if amount > MAX_AMOUNT:
        raise Refused("The amount is too large.", field="amount", code="amount_too_large")
    if line is None:
        return Transfer(debit.id, credit.id, debit.currency, amount, kind, day)
    facts = (line.service_id, line.price_fact_id, line.service_fact_id)
    return Transfer(debit.id, credit.id, debit.currency, amount, kind, day, *facts)
