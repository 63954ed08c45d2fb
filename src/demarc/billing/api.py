"""Money over the API: balances, the ledger, payments, refunds, corrections. Amounts are decimal strings."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from ninja import Query, Router, Schema

from demarc.base import clock
from demarc.billing import actions, queries
from demarc.billing.models import Payment, Transfer
from demarc.core.money import Money, format_plain, parse
from demarc.core.period import billing_day
from demarc.customers.models import Account
from demarc.plans.models import Service
from demarc.staff.apidoor import Page, Token, actor_of, idempotency_key, listing, one, within

router = Router(tags=["money"])


class PaymentIn(Schema):
    """Money received; `method` is cash, bank or card; without `received_on` it is today."""

    account_id: int
    amount: str
    method: str
    received_on: date | None = None
    comment: str = ""
    currency: str | None = None


class RefundIn(Schema):
    """How much of a payment is given back."""

    amount: str


class CorrectionIn(Schema):
    """A positive amount raises the balance, a negative one lowers it."""

    amount: str
    reason: str


class PaymentSearch(Page):
    """Whose payments."""

    account_id: int | None = None


@router.post("/services/{service_id}/activate", auth=Token("customers.edit"), summary="Put a service in use")
def activate(request: HttpRequest, service_id: int) -> dict[str, Any]:
    one(request, Service.objects.all(), service_id, "service")
    service = actions.activate(service_id, by=actor_of(request), at=clock.now())
    return {"id": service.pk, "state": service.state, "blocked_cause": service.blocked_cause}


@router.get("/payments", auth=Token("money.see"), summary="Payments, newest first")
def payments(request: HttpRequest, search: Query[PaymentSearch]) -> dict[str, Any]:
    rows = within(request, Payment.objects.all())
    if search.account_id is not None:
        rows = rows.filter(account_id=search.account_id)
    return listing(rows, _payment, after=search.after, limit=search.limit)


@router.post(
    "/payments",
    auth=Token("money.edit"),
    summary="Receive a payment; needs an Idempotency-Key header",
    response={201: dict[str, Any]},
)
def receive(request: HttpRequest, payload: PaymentIn) -> tuple[int, dict[str, Any]]:
    key = idempotency_key(request)
    account = one(request, Account.objects.all(), payload.account_id, "account")
    payment = actions.receive(
        account_id=account.pk,
        amount=parse(payload.amount, account.currency).amount,
        method=payload.method,
        received_on=payload.received_on or billing_day(clock.now(), ZoneInfo(account.zone)),
        comment=payload.comment,
        currency=payload.currency,
        key=key,
        by=actor_of(request),
        at=clock.now(),
    )
    return 201, _payment(payment)


@router.post(
    "/payments/{payment_id}/refund",
    auth=Token("money.edit"),
    summary="Give back all or part of a payment; needs an Idempotency-Key header",
    response={201: dict[str, Any]},
)
def refund(request: HttpRequest, payment_id: int, payload: RefundIn) -> tuple[int, dict[str, Any]]:
    key = idempotency_key(request)
    payment = one(request, Payment.objects.all(), payment_id, "payment")
    amount = parse(payload.amount, payment.currency).amount
    return 201, _payment(actions.refund(payment_id, amount=amount, key=key, by=actor_of(request), at=clock.now()))


@router.post(
    "/accounts/{account_id}/corrections",
    auth=Token("money.edit"),
    summary="Put a balance right; needs an Idempotency-Key header",
    response={201: dict[str, Any]},
)
def correct(request: HttpRequest, account_id: int, payload: CorrectionIn) -> tuple[int, dict[str, Any]]:
    key = idempotency_key(request)
    account = one(request, Account.objects.all(), account_id, "account")
    transfer = actions.correct(
        account_id,
        amount=parse(payload.amount, account.currency).amount,
        reason=payload.reason,
        key=key,
        by=actor_of(request),
        at=clock.now(),
    )
    return 201, _transfer(transfer)


@router.get("/accounts/{account_id}", auth=Token("money.see"), summary="An account's balance and how long it lasts")
def account(request: HttpRequest, account_id: int) -> dict[str, Any]:
    found = one(request, Account.objects.all(), account_id, "account")
    summary = queries.account_summary(account_id, at=clock.now())
    return {
        "id": found.pk,
        "customer_id": found.customer_id,
        "currency": found.currency,
        "billing_type": found.billing_type,
        "balance": format_plain(Money(summary.balance, found.currency)),
        "minimal_balance": format_plain(Money(summary.minimal_balance, found.currency)),
        "pays_until": summary.pays_until,
        "next_day_costs": format_plain(Money(summary.next_cost, found.currency)),
    }


@router.get("/accounts/{account_id}/ledger", auth=Token("money.see"), summary="Transfers of an account, newest first")
def ledger(request: HttpRequest, account_id: int, page: Query[Page]) -> dict[str, Any]:
    one(request, Account.objects.all(), account_id, "account")
    rows = within(request, Transfer.objects.filter(account_id=account_id)).select_related("credit_account")
    return listing(rows, _transfer, after=page.after, limit=page.limit)


def _payment(payment: Payment) -> dict[str, Any]:
    return {
        "id": payment.pk,
        "account_id": payment.account_id,
        "number": payment.number,
        "amount": format_plain(Money(payment.amount, payment.currency)),
        "currency": payment.currency,
        "method": payment.method,
        "received_on": payment.received_on,
        "comment": payment.comment,
        "refunds": payment.refunds_id,
    }


def _transfer(transfer: Transfer) -> dict[str, Any]:
    """The amount is signed as the customer sees it: what raises the balance is positive."""
    sign = 1 if transfer.credit_account.payer_id == transfer.account_id else -1
    return {
        "id": transfer.pk,
        "entry_id": transfer.entry_id,
        "day": transfer.day,
        "recorded_at": transfer.recorded_at,
        "kind": transfer.kind,
        "amount": format_plain(Money(sign * transfer.amount, transfer.currency)),
        "currency": transfer.currency,
        "service_id": transfer.service_id,
    }
