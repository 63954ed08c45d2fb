"""Plans, prices and taxes over the API. Parses, calls one action or query, answers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from demarc.base import clock
from demarc.base.models import Partner
from demarc.core.money import parse
from demarc.plans import actions, queries
from demarc.plans.models import FEES, Plan, PlanKind, PlanPrice, TaxRate
from demarc.staff.apidoor import Token, actor_of, one, partner_for, scope
from demarc.staff.apiforms import (
    Amount,
    Day,
    Flag,
    Id,
    Input,
    Listing,
    Page,
    Whole,
    given,
    left_out_stays,
    listing,
    shown,
)

router = Router()


class PlanOut(Schema):
    """A tariff: speeds in kbit/s from the customer's view, today's price of a month, its fees and its contract."""

    id: int
    partner_id: int
    name: str
    currency: str
    price: str | None
    speed_down_kbps: int
    speed_up_kbps: int
    burst_percent: int
    burst_threshold_percent: int
    burst_time_s: int
    priority: int
    contention_ratio: int
    tax_category: str
    price_includes_tax: bool
    kind: PlanKind
    contract_months: int
    setup_fee: str
    change_fee: str
    cancellation_fee: str
    reactivation_fee: str
    for_sale: bool

    @staticmethod
    def resolve_price(plan: Any) -> str | None:
        return None if plan.price is None else shown(plan.price, plan.currency)

    @staticmethod
    def resolve_setup_fee(plan: Plan) -> str:
        return shown(plan.setup_fee, plan.currency)

    @staticmethod
    def resolve_change_fee(plan: Plan) -> str:
        return shown(plan.change_fee, plan.currency)

    @staticmethod
    def resolve_cancellation_fee(plan: Plan) -> str:
        return shown(plan.cancellation_fee, plan.currency)

    @staticmethod
    def resolve_reactivation_fee(plan: Plan) -> str:
        return shown(plan.reactivation_fee, plan.currency)


class PlanChange(Input, json_schema_extra=left_out_stays):
    """Fields to change; those left out stay. The price is changed by its own operation."""

    name: str = ""
    speed_down_kbps: Whole = 0
    speed_up_kbps: Whole = 0
    burst_percent: Whole = 0
    burst_threshold_percent: Whole = 75
    burst_time_s: Whole = 30
    priority: Whole = 8
    contention_ratio: Whole = 1
    tax_category: str = "standard"
    price_includes_tax: Flag = True
    contract_months: Whole = 0
    setup_fee: Amount = "0.00"
    change_fee: Amount = "0.00"
    cancellation_fee: Amount = "0.00"
    reactivation_fee: Amount = "0.00"
    for_sale: Flag = True


class PlanIn(PlanChange, json_schema_extra=None):
    """A new plan; `price` is a month's (of kind one_time: that of the thing sold); without `valid_from` it holds for
    all days. Only internet has speeds, and needs them."""

    partner_id: Id
    name: str
    price: Amount
    kind: PlanKind = PlanKind.INTERNET
    valid_from: Day | None = None


class PriceIn(Input):
    """A month's gross price from `valid_from` on."""

    valid_from: Day
    price: Amount


class PriceOut(Schema):
    """A price as it was recorded; for one day the newest recorded wins."""

    id: int
    valid_from: date
    price: str
    recorded_at: datetime
    recorded_by: str

    @staticmethod
    def resolve_price(price: PlanPrice) -> str:
        return shown(price.amount, price.plan.currency)

    @staticmethod
    def resolve_recorded_by(price: PlanPrice) -> str:
        return price.by_label


class PricedOut(PriceOut):
    """A price as it was set. `billed_days` of `billed_services` are billed already at another one from its day on, and
    stay so; an own price of a service, from that day, puts right its documents."""

    billed_services: int
    billed_days: int


class TaxIn(Input):
    """The rate of a tax category from `valid_from` on, as a fraction: "0.21" for 21 %."""

    category: str
    valid_from: Day
    rate: Annotated[str, Field(pattern=r"^[0-9](\.[0-9]{1,6})?$", examples=["0.21"])]


class TaxOut(Schema):
    """A tax rate as it was recorded; it is taken out of the gross price."""

    id: int
    category: str
    valid_from: date
    rate: Decimal


@router.get("/plans", auth=Token("plans.see"), response=Listing[PlanOut], tags=["plans"], summary="Plans, newest first")
def plans(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(queries.plan_list(scope(request), clock.now().date()), page)


@router.post("/plans", auth=Token("plans.edit"), response={201: PlanOut}, tags=["plans"], summary="Create a plan")
def create_plan(request: HttpRequest, payload: PlanIn) -> Plan:
    partner = partner_for(request, payload.partner_id)
    fields = _fields(payload, partner.currency)
    fields.pop("partner_id")
    fields["price"] = parse(payload.price, partner.currency, field="price").amount
    if payload.valid_from is None:
        fields.pop("valid_from", None)
    made = actions.create_plan(partner_id=partner.pk, by=actor_of(request), at=clock.now(), **fields)
    return _plan(request, made.pk)


@router.get("/plans/{plan_id}", auth=Token("plans.see"), response=PlanOut, tags=["plans"], summary="A plan")
def plan(request: HttpRequest, plan_id: int) -> Plan:
    return _plan(request, plan_id)


@router.patch(
    "/plans/{plan_id}",
    auth=Token("plans.edit"),
    response=PlanOut,
    tags=["plans"],
    summary="Change a plan; new speeds reach its customers at once",
)
def update_plan(request: HttpRequest, plan_id: int, payload: PlanChange) -> Plan:
    fields = _fields(payload, _plan(request, plan_id).currency)
    actions.update_plan(plan_id, by=actor_of(request), at=clock.now(), **fields)
    return _plan(request, plan_id)


@router.get(
    "/plans/{plan_id}/prices",
    auth=Token("plans.see"),
    response=Listing[PriceOut],
    tags=["plans"],
    summary="Every price a plan ever had, the newest recorded first",
)
def prices(request: HttpRequest, plan_id: int, page: Query[Page]) -> dict[str, Any]:
    _plan(request, plan_id)
    return listing(queries.prices(plan_id).select_related("plan"), page)


@router.post(
    "/plans/{plan_id}/prices",
    auth=Token("plans.edit"),
    response={201: PricedOut},
    tags=["plans"],
    summary="Set a plan's price from a day on",
)
def set_price(request: HttpRequest, plan_id: int, payload: PriceIn) -> PlanPrice:
    found = _plan(request, plan_id)
    amount = parse(payload.price, found.currency, field="price").amount
    price, billed = actions.set_price(
        plan_id, valid_from=payload.valid_from, amount=amount, by=actor_of(request), at=clock.now()
    )
    for name, value in billed._asdict().items():  # the answer is read from the price
        setattr(price, f"billed_{name}", value)
    return price


@router.get(
    "/partners/{partner_id}/taxes",
    auth=Token("settings.see"),
    response=Listing[TaxOut],
    tags=["partners"],
    summary="Every tax rate a provider ever had, the newest recorded first",
)
def taxes(request: HttpRequest, partner_id: int, page: Query[Page]) -> dict[str, Any]:
    _partner(request, partner_id)
    return listing(queries.tax_rates(partner_id), page)


@router.post(
    "/partners/{partner_id}/taxes",
    auth=Token("settings.edit"),
    response={201: TaxOut},
    tags=["partners"],
    summary="Set a tax rate from a day on",
)
def set_tax(request: HttpRequest, partner_id: int, payload: TaxIn) -> TaxRate:
    _partner(request, partner_id)
    fields = given(payload) | {"rate": Decimal(payload.rate)}
    return actions.set_tax(partner_id, by=actor_of(request), at=clock.now(), **fields)


def _partner(request: HttpRequest, partner_id: int) -> Partner:
    return one(request, Partner.objects.all(), partner_id, "partner", key="id")


def _fields(payload: PlanChange, currency: str) -> dict[str, Any]:
    """What the request names, fees in minor units."""
    fields = given(payload)
    return fields | {fee: parse(fields[fee], currency, field=fee).amount for fee in FEES if fee in fields}


def _plan(request: HttpRequest, plan_id: int) -> Plan:
    return one(request, queries.plan_list(scope(request), clock.now().date()), plan_id, "plan")
