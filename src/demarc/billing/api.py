"""Money over the API: balances, decided days, the ledger, payments, refunds, corrections. Amounts are strings."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from demarc.base import clock
from demarc.billing import actions, queries
from demarc.billing.models import DayDecision, Decision, Payment, PaymentMethod, Transfer, TransferKind
from demarc.core.money import parse
from demarc.customers.models import Account, BillingType
from demarc.plans.models import Service, ServiceState
from demarc.staff.apidoor import Token, actor_of, one, scope, seen
from demarc.staff.apiforms import (
    Amount,
    Day,
    Filter,
    Id,
    Input,
    Key,
    Listing,
    Page,
    answered_once,
    listing,
    private_listing,
    shown,
)

MONTH_AMOUNTS = ("opening", "closing", "gross", "net", "tax")

router = Router(tags=["money"])


class ActivatedOut(Schema):
    """A service in use; `blocked_cause` null: it has access."""

    id: int
    state: ServiceState
    activated_at: datetime | None
    blocked_cause: int | None


class AccountOut(Schema):
    """An account's money now. `next_day_costs`: null for recurring accounts, which are not charged by the day.
    `pays_until`: the last day that the balance pays for if nothing changes, null when blocked, when nothing is charged,
    and when the balance pays for all that still will be. `owed`: the least payment that brings a blocked one online."""

    id: int
    customer_id: int
    currency: str
    billing_type: BillingType
    balance: str
    minimal_balance: str
    next_day_costs: str | None
    pays_until: date | None
    owed: str
    blocked_for_money: bool
    blocked_by_staff: bool


class MonthOut(Schema):
    """A month: what was charged by the day and billed by documents, less what credit notes took back, gross, and the
    tax that it contains. `first` is its first day."""

    first: date
    opening: str
    closing: str
    gross: str
    net: str
    tax: str
    plans: list[str]


class PaymentSearch(Page):
    """Whose payments."""

    account_id: Filter | None = None


class PaymentOut(Schema):
    """Money received or, with a negative amount, given back of the payment `refunds`."""

    id: int
    account_id: int
    number: str
    amount: str
    currency: str
    method: PaymentMethod
    received_on: date
    comment: str
    refunds: int | None
    recorded_at: datetime
    recorded_by: str

    @staticmethod
    def resolve_amount(payment: Payment) -> str:
        return shown(payment.amount, payment.currency)

    @staticmethod
    def resolve_refunds(payment: Payment) -> int | None:
        return payment.refunds_id

    @staticmethod
    def resolve_recorded_by(payment: Payment) -> str:
        return payment.by_label


class PaymentIn(Input):
    """Money received; without `received_on` it is today. `currency`, if given, must be the account's."""

    account_id: Id
    amount: Amount
    method: PaymentMethod
    received_on: Day | None = None
    comment: str = ""
    currency: str | None = None


class RefundIn(Input):
    """How much of a payment is given back."""

    amount: Amount


class CorrectionIn(Input):
    """A positive amount raises the balance, a negative one lowers it."""

    amount: Amount
    reason: str


class TransferOut(Schema):
    """A movement of an account; what raises the balance is positive."""

    id: int
    entry_id: int
    day: date
    recorded_at: datetime
    kind: TransferKind
    amount: str
    currency: str
    service_id: int | None

    @staticmethod
    def resolve_amount(transfer: Transfer) -> str:
        raises = transfer.credit_account.payer_id == transfer.account_id
        return shown(transfer.amount if raises else -transfer.amount, transfer.currency)


class DayOut(Schema):
    """What was decided about a day at its 00:00. `paid_at`: it was blocked then, and paid later in the day."""

    id: int
    day: date
    decision: Decision
    cost: str
    balance_before: str
    catch_up: bool
    decided_at: datetime
    paid_at: datetime | None

    @staticmethod
    def resolve_cost(day: DayDecision) -> str:
        return shown(day.cost, day.account.currency)

    @staticmethod
    def resolve_balance_before(day: DayDecision) -> str:
        return shown(day.balance_before, day.account.currency)


@router.post(
    "/services/{service_id}/activate",
    auth=Token("services.edit"),
    response=ActivatedOut,
    tags=["services"],
    summary="Put a service in use; it can be done once, so it needs no Idempotency-Key",
)
def activate(request: HttpRequest, service_id: int) -> Service:
    one(request, Service.objects.all(), service_id, "service")
    return actions.activate(service_id, by=actor_of(request), at=clock.now())


@router.get(
    "/payments",
    auth=Token("payments.see"),
    response=Listing[PaymentOut],
    summary="Payments and refunds, newest first",
)
def payments(request: HttpRequest, search: Query[PaymentSearch]) -> dict[str, Any]:
    rows = queries.payment_list(scope(request))
    if search.account_id is not None:
        rows = rows.filter(account_id=search.account_id)
    return private_listing(request, "payments", rows, search)


@router.post("/payments", auth=Token("payments.edit"), response={201: PaymentOut}, summary="Receive a payment")
def receive(request: HttpRequest, payload: PaymentIn, idempotency_key: Key) -> HttpResponse:
    account = one(request, Account.objects.all(), payload.account_id, "account", field="account_id")

    def make(key: str) -> PaymentOut:
        payment = actions.receive(
            account_id=account.pk,
            amount=parse(payload.amount, account.currency).amount,
            method=payload.method,
            received_on=payload.received_on or clock.today(account.zone),
            comment=payload.comment,
            currency=payload.currency,
            key=key,
            by=actor_of(request),
            at=clock.now(),
        )
        return PaymentOut.from_orm(payment)

    return answered_once(request, idempotency_key, payload, make)


@router.get("/payments/{payment_id}", auth=Token("payments.see"), response=PaymentOut, summary="A payment")
def payment(request: HttpRequest, payment_id: int) -> Payment:
    found = one(request, Payment.objects.select_related("account"), payment_id, "payment")
    seen(request, found.account.customer_id, found.partner_id, "payment")
    return found


@router.post(
    "/payments/{payment_id}/refund",
    auth=Token("corrections.edit"),
    response={201: PaymentOut},
    summary="Give back all or part of a payment",
)
def refund(request: HttpRequest, payment_id: int, payload: RefundIn, idempotency_key: Key) -> HttpResponse:
    paid = one(request, Payment.objects.all(), payment_id, "payment")

    def make(key: str) -> PaymentOut:
        amount = parse(payload.amount, paid.currency).amount
        return PaymentOut.from_orm(
            actions.refund(payment_id, amount=amount, key=key, by=actor_of(request), at=clock.now())
        )

    return answered_once(request, idempotency_key, payload, make)


@router.post(
    "/accounts/{account_id}/corrections",
    auth=Token("corrections.edit"),
    response={201: TransferOut},
    summary="Put a balance right",
)
def correct(request: HttpRequest, account_id: int, payload: CorrectionIn, idempotency_key: Key) -> HttpResponse:
    account = one(request, Account.objects.all(), account_id, "account")

    def make(key: str) -> TransferOut:
        transfer = actions.correct(
            account_id,
            amount=parse(payload.amount, account.currency).amount,
            reason=payload.reason,
            key=key,
            by=actor_of(request),
            at=clock.now(),
        )
        return TransferOut.from_orm(transfer)

    return answered_once(request, idempotency_key, payload, make)


@router.get(
    "/accounts/{account_id}",
    auth=Token("accounts.see"),
    response=AccountOut,
    summary="An account's balance and how long it lasts",
)
def account(request: HttpRequest, account_id: int) -> dict[str, Any]:
    found = one(request, Account.objects.all(), account_id, "account")
    seen(request, found.customer_id, found.partner_id, "account")
    summary = queries.account_summary(account_id, at=clock.now())
    amounts = {
        "balance": summary.balance,
        "minimal_balance": summary.minimal_balance,
        "owed": summary.owed,
    }
    cost = None if summary.next_cost is None else shown(summary.next_cost, found.currency)
    return {
        "id": found.pk,
        "customer_id": found.customer_id,
        "currency": found.currency,
        "next_day_costs": cost,
        "billing_type": found.billing_type,
        "pays_until": summary.pays_until,
        "blocked_for_money": summary.blocked_for_money,
        "blocked_by_staff": summary.blocked_by_staff,
    } | _shown(amounts, found.currency)


@router.get(
    "/accounts/{account_id}/months",
    auth=Token("accounts.see"),
    response=list[MonthOut],
    summary="An account's last twelve months, newest first",
)
def months(request: HttpRequest, account_id: int) -> list[dict[str, Any]]:
    found = one(request, Account.objects.all(), account_id, "account")
    seen(request, found.customer_id, found.partner_id, "months")
    lines = queries.ledger_months(account_id)
    return [
        {"first": line.first, "plans": line.plans}
        | _shown({name: getattr(line, name) for name in MONTH_AMOUNTS}, found.currency)
        for line in lines
    ]


@router.get(
    "/accounts/{account_id}/ledger",
    auth=Token("accounts.see"),
    response=Listing[TransferOut],
    summary="Movements of an account, newest first",
)
def ledger(request: HttpRequest, account_id: int, page: Query[Page]) -> dict[str, Any]:
    found = one(request, Account.objects.all(), account_id, "account")
    seen(request, found.customer_id, found.partner_id, "ledger")
    return listing(Transfer.objects.filter(account_id=account_id).select_related("credit_account"), page)


@router.get(
    "/accounts/{account_id}/days",
    auth=Token("accounts.see"),
    response=Listing[DayOut],
    summary="What was decided about an account's prepaid days, newest first",
)
def days(request: HttpRequest, account_id: int, page: Query[Page]) -> dict[str, Any]:
    found = one(request, Account.objects.all(), account_id, "account")
    seen(request, found.customer_id, found.partner_id, "days")
    return listing(DayDecision.objects.filter(account_id=account_id).select_related("account"), page)


def _shown(amounts: Mapping[str, int], currency: str) -> dict[str, str]:
    return {name: shown(amount, currency) for name, amount in amounts.items()}
