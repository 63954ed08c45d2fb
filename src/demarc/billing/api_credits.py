"""Taking a whole invoice back, over the API: looked at first, then done. Amounts are strings."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from demarc.base import clock
from demarc.billing import actions, queries
from demarc.billing.api_documents import DocumentOut
from demarc.billing.models import Document
from demarc.staff.apidoor import Token, actor_of, one, seen
from demarc.staff.apiforms import Input, Key, answered_once, shown

router = Router(tags=["documents"])


class CreditIn(Input):
    """Why; it is kept in the operation log."""

    reason: str = ""


class CreditLineOut(Schema):
    """A line of a credit note. `included`: its amount includes the tax."""

    text: str
    amount: str
    included: bool
    tax_category: str
    rate: Decimal


class PaidOut(Schema):
    """A document that the freed money pays, and how much of it."""

    number: str
    amount: str


class ForeseenCreditOut(Schema):
    """The credit note that an invoice would get. `open`: what is to be paid of the invoice now; after it, nothing.
    `pays`: what the freed money pays; the rest stays on the account. `opens`: who is blocked for money is online."""

    document_id: int
    currency: str
    lines: list[CreditLineOut]
    net: str
    tax: str
    gross: str
    open: str
    balance_before: str
    balance_after: str
    pays: list[PaidOut]
    opens: bool


@router.post(
    "/documents/{document_id}/credit",
    auth=Token("corrections.edit"),
    response={201: DocumentOut},
    summary="Take a whole invoice back with a credit note; its days are billed to nobody",
)
def credit(request: HttpRequest, document_id: int, payload: CreditIn, idempotency_key: Key) -> HttpResponse:
    _document(request, document_id)

    def make(key: str) -> DocumentOut:
        made = actions.credit(document_id, reason=payload.reason, by=actor_of(request), at=clock.now())
        return DocumentOut.from_orm(queries.document_list(None).get(pk=made.document_id))

    return answered_once(request, idempotency_key, payload, make)


@router.post(
    "/documents/{document_id}/credit/preview",
    auth=Token("corrections.edit"),
    response=ForeseenCreditOut,
    summary="The credit note that an invoice would get, and what becomes of the money; stores nothing",
)
def foresee_credit(request: HttpRequest, document_id: int) -> dict[str, Any]:
    document = _document(request, document_id)
    seen(request, document.account.customer_id, document.partner_id, "credit")
    foreseen = actions.foresee_credit(document_id, by=actor_of(request), at=clock.now())
    note, currency = foreseen.note, document.currency
    amounts = {"net": note.net, "tax": note.tax, "gross": note.gross, "open": document.open_amount}
    amounts |= {"balance_before": foreseen.balance_before, "balance_after": foreseen.balance_after}
    exact = ("text", "included", "tax_category", "rate")
    return {
        "document_id": document_id,
        "currency": currency,
        "lines": [
            {name: getattr(line, name) for name in exact} | {"amount": shown(line.amount, currency)}
            for line in foreseen.lines
        ],
        "pays": [{"number": number, "amount": shown(amount, currency)} for number, amount in foreseen.pays],
        "opens": foreseen.opens,
    } | {name: shown(amount, currency) for name, amount in amounts.items()}


def _document(request: HttpRequest, document_id: int) -> Document:
    found: Document = one(request, queries.document_list(None), document_id, "document")
    return found
