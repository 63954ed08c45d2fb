"""The ledger of an account as people read it: one growing line a month with its days beneath, and the other moves."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from demarc.base import sql
from demarc.billing.models import DayDecision, Document, DocumentLine, DocumentSource, Payment, TransferKind
from demarc.billing.wording import ONCE
from demarc.core.tax import tax_in_gross
from demarc.customers.models import Account
from demarc.plans.models import TaxRate
from demarc.plans.queries import tax_rate_on, tax_rates

MONTHS = """
SELECT date_trunc('month', t.day)::date,
    sum(CASE WHEN t.credit_account_id = l.id THEN t.amount ELSE -t.amount END)::bigint
FROM billing_transfer t JOIN billing_ledgeraccount l ON l.payer_id = t.account_id
WHERE t.account_id = %(account)s AND l.id IN (t.debit_account_id, t.credit_account_id) GROUP BY 1 ORDER BY 1
"""

TRANSFERS = """
SELECT t.day, t.kind, CASE WHEN t.credit_account_id = l.id THEN t.amount ELSE -t.amount END, t.recorded_at, t.entry_id,
    p.tax_category, p.name
FROM billing_transfer t
JOIN billing_ledgeraccount l ON l.payer_id = t.account_id
LEFT JOIN plans_servicefact f ON f.id = t.service_fact_id
LEFT JOIN plans_plan p ON p.id = f.plan_id
WHERE t.account_id = %(account)s AND t.day >= %(since)s AND l.id IN (t.debit_account_id, t.credit_account_id)
ORDER BY t.day, t.id
"""


class ChargedDay(NamedTuple):
    """One day: `decision` is charged, blocked, nothing_due or, when its activation was charged, first_day.

    `cost` is what the day costs, `charged` what was taken; `paid_at` when it was blocked first and paid later.
    """

    day: date
    decision: str
    cost: int
    charged: int
    catch_up: bool
    paid_at: datetime | None


class Movement(NamedTuple):
    """A payment, refund, correction or document; `amount` is signed as the customer sees it. `payment`, `document`: its
    row, if any."""

    day: date
    kind: str
    amount: int
    recorded_at: datetime
    payment: Payment | None
    document: Document | None = None


@dataclass(frozen=True)
class LedgerMonth:
    """One month: what was charged by the day and billed by documents, less what credit notes took back (gross, and the
    tax that it contains) and for which plans; its days, and the other movements."""

    first: date
    opening: int
    closing: int
    gross: int
    net: int
    tax: int
    plans: tuple[str, ...]
    days: tuple[ChargedDay, ...]
    movements: tuple[Movement, ...]


class Row(NamedTuple):
    """One transfer as TRANSFERS reads it; a charge has its plan."""

    day: date
    kind: str
    amount: int
    recorded_at: datetime
    entry_id: int
    tax_category: str | None
    plan: str | None


def ledger_months(account_id: int, *, months: int = 12) -> list[LedgerMonth]:
    """The newest months of an account in which anything happened, newest first; amounts in minor units."""
    account = Account.objects.get(pk=account_id)
    decided = DayDecision.objects.filter(account_id=account_id).order_by("day")
    sums = dict(sql.rows(MONTHS, account=account_id))
    for first in decided.dates("day", "month"):
        sums.setdefault(first, 0)
    firsts = sorted(sums)
    closings = dict(zip(firsts, accumulate(sums[first] for first in firsts), strict=True))
    shown = firsts[-months:]
    if not shown:
        return []
    rows = [Row(*row) for row in sql.rows(TRANSFERS, account=account_id, since=shown[0])]
    decisions = list(decided.filter(day__gte=shown[0]))
    payments = {payment.entry_id: payment for payment in Payment.objects.filter(account_id=account_id)}
    papers = Document.objects.filter(account_id=account_id, issued_on__gte=shown[0], entry_id__isnull=False)
    documents = {one.entry_id: one for one in papers.exclude(source=DocumentSource.CONSUMED)}
    plans = _plans_on(documents.values())
    rates = list(tax_rates(account.partner_id))
    found = []
    for first in reversed(shown):
        of_month = [row for row in rows if row.day.replace(day=1) == first]
        charges = [row for row in of_month if row.kind == "charge"]
        billed = [documents[entry] for entry in {row.entry_id for row in of_month} if entry in documents]
        net, tax = _split_tax(charges, rates)
        net, tax = net + sum(one.net for one in billed), tax + sum(one.tax for one in billed)
        found.append(
            LedgerMonth(
                first=first,
                opening=closings[first] - sums[first],
                closing=closings[first],
                gross=net + tax,
                net=net,
                tax=tax,
                plans=tuple(sorted({row.plan or "" for row in charges}.union(*(plans[one.pk] for one in billed)))),
                days=_days([one for one in decisions if one.day.replace(day=1) == first], charges),
                movements=_movements(of_month, payments, documents),
            )
        )
    return found


def _plans_on(documents: Iterable[Document]) -> dict[int, set[str]]:
    """What each document bills by the month, by the texts of its lines."""
    found: dict[int, set[str]] = defaultdict(set)
    lines = DocumentLine.objects.filter(document__in=[one.pk for one in documents], service_id__isnull=False)
    for document_id, text in lines.exclude(revenue=ONCE).values_list("document_id", "text").distinct():
        found[document_id].add(text)
    return found


def _movements(
    rows: Iterable[Row], payments: Mapping[int, Payment], documents: Mapping[int | None, Document]
) -> tuple[Movement, ...]:
    """All but charges; the shares of a document, of revenue and of taxes, are one movement."""
    found: dict[tuple[int, int], Movement] = {}
    for place, row in enumerate(row for row in rows if row.kind != TransferKind.CHARGE):
        key = (row.entry_id, 0 if row.kind == TransferKind.DOCUMENT else place + 1)
        before = found.get(key)
        amount = row.amount + (before.amount if before else 0)
        found[key] = Movement(
            row.day, row.kind, amount, row.recorded_at, payments.get(row.entry_id), documents.get(row.entry_id)
        )
    return tuple(found.values())


def _split_tax(charges: Iterable[Row], rates: Iterable[TaxRate]) -> tuple[int, int]:
    """(net, tax) of a month's charges: the tax is taken out of each category's sum at one rate, by subtraction."""
    rates = list(rates)
    gross: dict[tuple[str, Decimal], int] = defaultdict(int)
    for row in charges:
        category = row.tax_category or ""
        gross[category, tax_rate_on(rates, category, row.day)] -= row.amount
    parts = [tax_in_gross(amount, rate) for (_, rate), amount in gross.items()]
    return sum(net for net, _ in parts), sum(tax for _, tax in parts)


def _days(decisions: Iterable[DayDecision], charges: Iterable[Row]) -> tuple[ChargedDay, ...]:
    """The decided days, and those on which only an activation was charged."""
    charged: dict[date, int] = defaultdict(int)
    for row in charges:
        charged[row.day] -= row.amount
    found = {
        one.day: ChargedDay(one.day, one.decision, one.cost, charged[one.day], one.catch_up, one.paid_at)
        for one in decisions
    }
    for day, amount in charged.items():
        found.setdefault(day, ChargedDay(day, "first_day", amount, amount, False, None))
    return tuple(found[day] for day in sorted(found))
