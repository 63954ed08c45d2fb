"""Why, over the API: of each prepaid day, movement, document line and block; for staff and for the customer."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from demarc.base import clock
from demarc.billing import queries, why_words
from demarc.billing.customer_words import Told
from demarc.billing.models import DayDecision, Decision, Document, DocumentLine, Transfer, TransferKind
from demarc.billing.queries import why
from demarc.billing.queries.why import Charge, WhyBlocked
from demarc.billing.wording import Words
from demarc.customers.models import Customer
from demarc.staff.apidoor import Token, one, seen
from demarc.staff.apiforms import shown

LINES_MAX = 200

router = Router(tags=["money"])


class FactOut(Schema):
    """A dated fact: from which day on it is so, and who wrote it down when."""

    valid_from: date
    recorded_at: datetime
    recorded_by: str


class ChargeOut(Schema):
    """A service's charge of a prepaid day: part `nth` of `parts` of a month of `quantity` times `price`. `own_price`:
    that was agreed on with the customer. `in_use` and `priced` are the facts that it rests on."""

    service_id: int
    plan: str
    amount: str
    price: str
    quantity: int
    own_price: bool
    nth: int
    parts: int
    in_use: FactOut
    priced: FactOut


class WhyDayOut(Schema):
    """Why a prepaid day was charged, blocked or free, by the rules that were seen when it was decided. `charges`: what
    each service was charged or, when nothing was `charged`, would have been."""

    day: date
    decision: Decision
    cost: str
    balance_before: str
    minimal_balance: str
    day_rule: str
    limit_rule: str
    charged: bool
    charges: list[ChargeOut]
    words: list[str]
    customer_words: list[str]


class WhyMoveOut(Schema):
    """Why a movement is on the account; what stands behind it as far as there is such a thing."""

    transfer_id: int
    kind: TransferKind
    amount: str
    charge: ChargeOut | None
    document_id: int | None
    payment_id: int | None
    words: list[str]
    customer_words: list[str]


class WhyLineOut(Schema):
    """How a document's line came to its amount, in words; `customer_words` in the customer's language."""

    line_id: int
    text: str
    amount: str
    words: list[str]
    customer_words: list[str]


class WhyBlockedOut(Schema):
    """A reason why something has no access: the customer (both ids null), an account or a service. `owed`: the least
    payment that opens the account."""

    account_id: int | None
    service_id: int | None
    since: date
    owed: str | None
    words: list[str]
    customer_words: list[str]


@router.get(
    "/days/{day_id}/why",
    auth=Token("accounts.see"),
    response=WhyDayOut,
    summary="Why a prepaid day was charged or blocked, fact by fact",
)
def why_day(request: HttpRequest, day_id: int) -> dict[str, Any]:
    rows = DayDecision.objects.select_related("account__customer__partner")
    row = one(request, rows, day_id, "day", key="account__partner_id")
    account, currency = row.account, row.account.currency
    seen(request, account.customer_id, account.partner_id, "day")
    day = why.why_day(account, row.day)
    return {
        "day": row.day,
        "decision": row.decision,
        "cost": shown(row.cost, currency),
        "balance_before": shown(row.balance_before, currency),
        "minimal_balance": shown(day.terms.minimal_balance, currency),
        "day_rule": day.terms.day_rule,
        "limit_rule": day.terms.limit_rule,
        "charged": day.charged,
        "charges": [_charge(charge, currency) for charge in day.charges],
        "words": why_words.day_staff(day),
        "customer_words": Told(account.customer).day(day),
    }


@router.get(
    "/transfers/{transfer_id}/why",
    auth=Token("accounts.see"),
    response=WhyMoveOut,
    summary="Why a movement is on an account",
)
def why_transfer(request: HttpRequest, transfer_id: int) -> dict[str, Any]:
    row = one(
        request,
        Transfer.objects.select_related("account__customer__partner", "credit_account"),
        transfer_id,
        "transfer",
    )
    seen(request, row.account.customer_id, row.partner_id, "transfer")
    move, currency = why.why_move(row), row.currency
    return {
        "transfer_id": row.pk,
        "kind": row.kind,
        "amount": shown(move.amount, currency),
        "charge": None if move.charge is None else _charge(move.charge, currency),
        "document_id": None if move.document is None else move.document.pk,
        "payment_id": None if move.payment is None else move.payment.pk,
        "words": why_words.move_staff(move, currency),
        "customer_words": Told(row.account.customer).move(move),
    }


@router.get(
    "/documents/{document_id}/why",
    auth=Token("documents.see"),
    response=list[WhyLineOut],
    tags=["documents"],
    summary="How each line of a document came to its amount",
)
def why_document(request: HttpRequest, document_id: int) -> list[dict[str, Any]]:
    found = one(request, queries.document_list(None), document_id, "document")
    seen(request, found.account.customer_id, found.partner_id, "document")
    lines = DocumentLine.objects.filter(document=found).order_by("seq")[:LINES_MAX]
    return [_line(line, found) for line in lines]


@router.get(
    "/customers/{customer_id}/why-blocked",
    auth=Token("customers.see"),
    response=list[WhyBlockedOut],
    tags=["customers"],
    summary="Why a customer, an account or a service has no access now; empty when all have",
)
def why_blocked(request: HttpRequest, customer_id: int) -> list[dict[str, Any]]:
    found = one(request, Customer.objects.all(), customer_id, "customer")
    seen(request, found.pk, found.partner_id, "block")
    return [_blocked(block, found) for block in why.why_blocked(found, at=clock.now())]


def _charge(charge: Charge, currency: str) -> dict[str, Any]:
    exact = {name: getattr(charge, name) for name in ("service_id", "plan", "quantity", "nth", "parts")}
    amounts = {"amount": shown(charge.amount, currency), "price": shown(charge.price, currency)}
    facts = {"in_use": charge.held._asdict(), "priced": charge.listed._asdict()}
    return exact | amounts | facts | {"own_price": charge.own}


def _line(line: DocumentLine, document: Document) -> dict[str, Any]:
    customer = document.account.customer
    language = customer.language or document.partner.language
    told: Sequence[list[str]] = [
        Words(spoken, document.currency).why(line.derivation, amount=line.amount, revenue=line.revenue)
        for spoken in ("en", language)
    ]
    named = {"line_id": line.pk, "text": line.text, "amount": shown(line.amount, document.currency)}
    return named | {"words": told[0], "customer_words": told[1]}


def _blocked(found: WhyBlocked, customer: Customer) -> dict[str, Any]:
    account_id = found.block.account_id if found.block else None
    return {
        "account_id": account_id,
        "service_id": found.service.pk if found.service else None,
        "since": found.since,
        "owed": shown(found.owed, found.currency) if found.currency else None,
        "words": why_words.block_staff(found),
        "customer_words": Told(customer).block(found),
    }
