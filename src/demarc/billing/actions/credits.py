"""An invoice taken back whole: its credit note, what had paid it free again, its days given to the customer.

The days stay covered, at no price: no later document bills them again, and no change credits them a second time.
"""

from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Max, Sum

from demarc.base import log, sql, texts
from demarc.base.actors import Actor
from demarc.billing import bulk
from demarc.billing.accounts import open_payers
from demarc.billing.actions.conversion import move_to_parents
from demarc.billing.actions.documents import ADD_ALLOCATIONS, SETTLE, Issued, Ready, issue
from demarc.billing.actions.reassess import reassess
from demarc.billing.books import live_covers
from demarc.billing.facts import Payer, payers
from demarc.billing.models import (
    Allocation,
    Document,
    DocumentKind,
    DocumentLine,
    DocumentSource,
    DocumentTax,
    LedgerAccount,
)
from demarc.billing.rehearsal import rehearsed
from demarc.core.coverage import PERCENT
from demarc.core.errors import Refused
from demarc.core.invoicing import Part, Taxed, totals
from demarc.core.recurring import Cover, Draft, Line
from demarc.customers.queries import accounts_blocked_for_money

WHAT_PAID = """
SELECT payment_id, credit_note_id, sum(amount)::bigint FROM billing_allocation
WHERE document_id = %(document)s GROUP BY payment_id, credit_note_id HAVING sum(amount) <> 0 ORDER BY 1, 2
"""


class ForeseenCredit(NamedTuple):
    """The credit note of an invoice as it would be written; the account's balance before and after it; which other
    documents the money that it frees would pay, and how much (minor units); whether the account is online again."""

    note: Document
    lines: list[DocumentLine]
    taxes: list[DocumentTax]
    balance_before: int
    balance_after: int
    pays: list[tuple[str, int]]
    opens: bool


@transaction.atomic
def credit(document_id: int, *, reason: str = "", by: Actor, at: datetime) -> Issued:
    """Take a whole invoice back with a credit note of today. What had paid it pays the oldest debts, else it stays on
    the account; who is blocked for money and owes nothing overdue any more is online again.

    Its days are given: nobody bills them again, and the service stays as it is. Something given back besides, with the
    customer owing the invoice, is a negative item (`bill_item`). Refused: unknown document, no invoice, of consumed
    days or of a change, nothing to credit, credited already (the credit note is named), days of it put right since,
    balance beyond the limit.
    """
    reason = texts.one_line(reason, field="reason", length_max=300)
    account_id = Document.objects.filter(pk=document_id).values_list("account_id", flat=True).first()
    if account_id is None:
        raise Refused("There is no such document.", field="document_id", code="unknown")
    open_payers([account_id])
    payer = payers([account_id], at=at, lock=True)[account_id]
    document = Document.objects.get(pk=document_id)
    lines = list(DocumentLine.objects.filter(document=document).order_by("seq"))
    _check(document)
    covers = _covers(document, lines)
    bulk.check_balance(payer.balance + document.gross)
    if payer.decided_through is not None and payer.decided_through < payer.today:
        bulk.settle([account_id], until=None, by=by, at=at)  # so that a late run ends as a punctual one
        payer = payers([account_id], at=at)[account_id]
    _release(document, at)
    ready = Ready(payer, _draft(document, lines, covers, payer), DocumentSource.MANUAL, _key(document_id))
    (made,) = issue([ready], by=by, at=at)
    bulk.retry(accounts_blocked_for_money(account_ids=[account_id]), by=by, at=at)
    reassess([account_id], by=by, at=at)
    move_to_parents([account_id], at=at)
    told = {"amount": document.gross, "currency": document.currency, "credit_note": made.number, "reason": reason}
    log.record("credited", by=by, at=at, subject=("document", document_id), partner_id=document.partner_id, **told)
    return made


def foresee_credit(document_id: int, *, by: Actor, at: datetime) -> ForeseenCredit:
    """What `credit` would do. Keeps nothing. Refused as that."""

    def done() -> ForeseenCredit:
        newest = Allocation.objects.aggregate(newest=Max("pk"))["newest"] or 0
        invoice = Document.objects.filter(pk=document_id).first()
        before = _standing(invoice)
        note = Document.objects.get(pk=credit(document_id, by=by, at=at).document_id)
        after = _standing(note)
        paid = Allocation.objects.filter(pk__gt=newest, document__account=note.account_id)
        others = paid.exclude(document=document_id).values_list("document__number").annotate(paid=Sum("amount"))
        return ForeseenCredit(
            note,
            list(note.lines.order_by("seq")),
            list(note.taxes.order_by("category", "rate")),
            before[0],
            after[0],
            list(others.order_by("document__number")),
            before[1] and not after[1],
        )

    return rehearsed(done)


def _standing(document: Document | None) -> tuple[int, bool]:
    """The balance of a document's account, and whether it is blocked for money."""
    if document is None:
        return 0, False
    found = LedgerAccount.objects.filter(payer=document.account_id).values_list("balance", flat=True).first()
    return found or 0, bool(accounts_blocked_for_money(account_ids=[document.account_id]))


def _check(document: Document) -> None:
    earlier = Document.objects.filter(key=_key(document.pk)).first()
    if earlier is not None:
        raise Refused(f"It is credited already, by {earlier.number}.", code="credited")
    if document.kind != DocumentKind.INVOICE:
        raise Refused("Only an invoice can be credited.", code="not_an_invoice")
    if document.source == DocumentSource.CONSUMED:
        raise Refused("Its days were charged from the balance; correct the balance instead.", code="consumed")
    if document.source == DocumentSource.CHANGE:
        raise Refused("It bills a change of a service; change the service back instead.", code="change")
    if document.gross <= 0:
        raise Refused("There is nothing on it to credit.", code="nothing")


def _covers(document: Document, lines: list[DocumentLine]) -> list[Cover]:
    """The days that the invoice covers, all of them. Refused when some were put right since."""
    services = sorted({line.service_id for line in lines if line.service_id and line.derivation})
    since = document.first_day or document.issued_on
    live = live_covers((service_id, since) for service_id in services)
    found = [one for one in live if one.document_id == document.pk]
    if len(found) != sum(len(line.derivation) for line in lines):
        raise Refused(
            "Days of it were put right by a later document. Give back the rest as something billed once, below zero.",
            code="corrected",
        )
    return found


def _release(document: Document, at: datetime) -> None:
    """What had paid it is free, and all of it open."""
    paid = sql.rows(WHAT_PAID, document=document.pk)
    sql.insert(ADD_ALLOCATIONS, ((document.pk, payment, note, -amount, at) for payment, note, amount in paid))
    sql.execute(SETTLE, documents=sql.array([document.pk]), left_open=sql.array([document.gross]))


def _draft(document: Document, lines: list[DocumentLine], covers: list[Cover], payer: Payer) -> Draft:
    """Line by line what was billed, below zero and taxed as it was; each cover replaced by one of no price."""
    taken = tuple(_taken_back(line) for line in lines)
    kept = []
    for cover in covers:
        free = cover.segment._replace(basis=cover.segment.basis._replace(percent=PERCENT), amount=0)
        kept.append((cover.service_id, free, cover.part._replace(amount=0)))
    sums = totals(tuple(line.part for line in taken))
    return Draft(payer.today, payer.today, taken, sums, {}, document.pk, tuple(covers), tuple(kept))


def _taken_back(line: DocumentLine) -> Line:
    """An item's line names no service: only days of services are replaced."""
    part = Part(-line.amount, Taxed(line.tax_category, line.rate, line.included), line.revenue)
    service_id = line.service_id if line.derivation else None
    return Line(line.text, part, line.first_day, line.last_day, service_id)


def _key(document_id: int) -> str:
    return f"credit:{document_id}"
