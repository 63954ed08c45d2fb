"""What decides about documents over the API: billing calendars, own prices, discounts, and whether runs wait."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from demarc.base import clock
from demarc.base.models import Partner
from demarc.billing import actions, queries
from demarc.core.money import parse
from demarc.core.recurring import Rules
from demarc.customers import actions as customers
from demarc.customers.models import Account, RecurringTerms
from demarc.customers.queries import RecurringBook
from demarc.plans import actions as plans
from demarc.plans.models import Discount, Service
from demarc.staff.apidoor import Token, actor_of, one, seen
from demarc.staff.apiforms import (
    Amount,
    Day,
    Flag,
    Input,
    Key,
    Listing,
    Page,
    Whole,
    answered_once,
    given,
    left_out_stays,
    listing,
    shown,
)

Percent = Annotated[str, Field(pattern=r"^(100(\.0{1,2})?|[0-9]{1,2}(\.[0-9]{1,2})?)$", examples=["12.5"])]

router = Router(tags=["documents"])


class CalendarIn(Input, json_schema_extra=left_out_stays):
    """Rules to change from `valid_from` (default: today) on; those left out stay, null gives one back. `billing_day` 1
    to 31, 31 the last day of any month, 0 the day on which the first service began."""

    valid_from: Day | None = None
    billing_day: Whole | None = None
    period_months: Whole | None = None
    postpaid: Flag | None = None
    due_days: Whole | None = None
    own_first: Flag | None = None
    credit_pause: Flag | None = None
    credit_leave: Flag | None = None
    invoice_consumed: Flag | None = None


class CalendarOut(Schema):
    """The rules in force today. `own_first`: a service that begins within a period gets its own document at once.
    `credit_pause`, `credit_leave`: days billed ahead are given back at a pause, at a stop or end. `invoice_consumed`:
    a prepaid account gets an invoice, on the 1st, of what was charged in the month before."""

    billing_day: int
    period_months: int
    postpaid: bool
    due_days: int
    own_first: bool
    credit_pause: bool
    credit_leave: bool
    invoice_consumed: bool


class AutoIssueIn(Input):
    """Whether runs in which nothing is odd are issued without a person."""

    auto: Flag


class AutoIssueOut(Schema):
    """Whether runs in which nothing is odd are issued without a person."""

    auto: bool


class ServicePriceIn(Input):
    """A month's own price from `valid_from` (default: today) on, null for the plan's; and how many of it."""

    price: Amount | None = None
    quantity: Whole | None = None
    valid_from: Day | None = None


class ServicePriceOut(Schema):
    """What was agreed on for a service."""

    service_id: int
    price: str | None
    quantity: int
    valid_from: date


class DiscountIn(Input):
    """Either `percent` or `off`, an amount of each month; from `valid_from` (default: today) to `valid_to`."""

    percent: Percent | None = None
    off: Amount | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None


class DiscountEnd(Input):
    """Its last day; without one it is taken back as if it had never been given."""

    last_day: Day | None = None


class DiscountOut(Schema):
    """A discount; `percent` "0.00" where it is an amount off each month."""

    id: int
    service_id: int
    percent: str
    off: str
    valid_from: date
    valid_to: date | None
    withdrawn_at: datetime | None

    @staticmethod
    def resolve_percent(discount: Discount) -> str:
        return f"{discount.percent // 100}.{discount.percent % 100:02d}"

    @staticmethod
    def resolve_off(discount: Discount) -> str:
        return shown(discount.fixed, discount.service.account.currency)


@router.get(
    "/partners/{partner_id}/calendar",
    auth=Token("settings.see"),
    response=CalendarOut,
    summary="How a provider's recurring accounts are billed",
)
def partner_calendar(request: HttpRequest, partner_id: int) -> Rules:
    found = _partner(request, partner_id)
    return RecurringBook.of([], [partner_id]).on(0, partner_id, clock.today(found.zone))


@router.post(
    "/partners/{partner_id}/calendar",
    auth=Token("settings.edit"),
    response=CalendarOut,
    summary="Change how a provider's recurring accounts are billed",
)
def set_partner_calendar(request: HttpRequest, partner_id: int, payload: CalendarIn) -> Rules:
    found = _partner(request, partner_id)
    _set(request, found.pk, found.zone, payload)
    return RecurringBook.of([], [partner_id]).on(0, partner_id, clock.today(found.zone))


@router.get(
    "/accounts/{account_id}/calendar",
    auth=Token("customers.see"),
    response=CalendarOut,
    summary="How an account is billed: its own rules and its provider's",
)
def account_calendar(request: HttpRequest, account_id: int) -> Rules:
    found = one(request, Account.objects.all(), account_id, "account")
    seen(request, found.customer_id, found.partner_id, "calendar")
    return _in_force(found)


@router.post(
    "/accounts/{account_id}/calendar",
    auth=Token("terms.edit"),
    response=CalendarOut,
    summary="Change how one account is billed",
)
def set_account_calendar(request: HttpRequest, account_id: int, payload: CalendarIn) -> Rules:
    found = one(request, Account.objects.all(), account_id, "account")
    _set(request, found.partner_id, found.zone, payload, account_id=account_id)
    return _in_force(found)


@router.post(
    "/partners/{partner_id}/auto-issue",
    auth=Token("settings.edit"),
    response=AutoIssueOut,
    summary="Whether runs in which nothing is odd are issued without a person",
)
def set_auto_issue(request: HttpRequest, partner_id: int, payload: AutoIssueIn) -> dict[str, bool]:
    _partner(request, partner_id)
    actions.set_auto_issue(partner_id, auto=payload.auto, by=actor_of(request), at=clock.now())
    return {"auto": queries.auto_issue(partner_id)}


@router.post(
    "/services/{service_id}/price",
    auth=Token("terms.edit"),
    response={201: ServicePriceOut},
    tags=["services"],
    summary="Agree on a service's own price; what was billed since is put right by one document",
)
def set_service_price(
    request: HttpRequest, service_id: int, payload: ServicePriceIn, idempotency_key: Key
) -> HttpResponse:
    found = _service(request, service_id)
    currency = found.account.currency

    def make(key: str) -> ServicePriceOut:
        price = None if payload.price is None else parse(payload.price, currency, field="price").amount
        day = payload.valid_from or clock.today(found.account.zone)
        by, at = actor_of(request), clock.now()
        plans.set_service_price(service_id, price=price, quantity=payload.quantity, valid_from=day, by=by, at=at)
        fact = found.facts.filter(valid_from__lte=day).latest("valid_from", "id")
        told = None if fact.price_override is None else shown(fact.price_override, currency)
        return ServicePriceOut(service_id=service_id, price=told, quantity=fact.quantity, valid_from=day)

    return answered_once(request, idempotency_key, payload, make)


@router.get(
    "/services/{service_id}/discounts",
    auth=Token("services.see"),
    response=Listing[DiscountOut],
    tags=["services"],
    summary="A service's discounts, the withdrawn ones too, newest first",
)
def discounts(request: HttpRequest, service_id: int, page: Query[Page]) -> dict[str, Any]:
    found = _service(request, service_id)
    seen(request, found.customer_id, found.partner_id, "discounts")
    return listing(Discount.objects.filter(service=found).select_related("service__account"), page)


@router.post(
    "/services/{service_id}/discounts",
    auth=Token("terms.edit"),
    response={201: DiscountOut},
    tags=["services"],
    summary="Give a service of a recurring account a discount; what was billed is put right by one document",
)
def add_discount(request: HttpRequest, service_id: int, payload: DiscountIn, idempotency_key: Key) -> HttpResponse:
    found = _service(request, service_id)

    def make(key: str) -> DiscountOut:
        made = plans.add_discount(
            service_id=service_id,
            percent=parse(payload.percent, "EUR", field="percent").amount if payload.percent else 0,
            fixed=parse(payload.off, found.account.currency, field="off").amount if payload.off else 0,
            valid_from=payload.valid_from,
            valid_to=payload.valid_to,
            by=actor_of(request),
            at=clock.now(),
        )
        return DiscountOut.from_orm(made)

    return answered_once(request, idempotency_key, payload, make)


@router.post(
    "/discounts/{discount_id}/withdraw",
    auth=Token("terms.edit"),
    response=DiscountOut,
    tags=["services"],
    summary="End a discount; it can be done once, so it needs no Idempotency-Key",
)
def withdraw_discount(request: HttpRequest, discount_id: int, payload: DiscountEnd) -> Discount:
    one(request, Discount.objects.all(), discount_id, "discount", key="service__partner_id")
    return plans.withdraw_discount(discount_id, last_day=payload.last_day, by=actor_of(request), at=clock.now())


def _partner(request: HttpRequest, partner_id: int) -> Partner:
    return one(request, Partner.objects.all(), partner_id, "partner", key="id")


def _service(request: HttpRequest, service_id: int) -> Service:
    return one(request, Service.objects.select_related("account"), service_id, "service")


def _in_force(account: Account) -> Rules:
    book = RecurringBook.of([account.pk], [account.partner_id])
    return book.on(account.pk, account.partner_id, clock.today(account.zone))


def _set(
    request: HttpRequest, partner_id: int, zone: str, payload: CalendarIn, account_id: int | None = None
) -> RecurringTerms:
    rules = given(payload)
    rules["valid_from"] = payload.valid_from or clock.today(zone)
    by, at = actor_of(request), clock.now()
    return customers.set_recurring_terms(partner_id, account_id=account_id, by=by, at=at, **rules)
