"""Plans, services, taxes and blocks by hand over the API. Parses, calls one action or query, answers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from demarc.base import clock
from demarc.base.models import Partner
from demarc.core.money import parse
from demarc.customers.models import Customer
from demarc.plans import actions, queries
from demarc.plans.models import Plan, PlanPrice, Service, ServiceState, TaxRate
from demarc.staff.apidoor import Token, actor_of, one, partner_for, scope, seen
from demarc.staff.apiforms import (
    Amount,
    Day,
    Filter,
    Flag,
    Id,
    Input,
    Listing,
    Page,
    Whole,
    given,
    listing,
    private_listing,
    shown,
)

router = Router()


class PlanOut(Schema):
    """A tariff: speeds in kbit/s from the customer's view, and today's gross price of a month."""

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
    for_sale: bool

    @staticmethod
    def resolve_price(plan: Any) -> str | None:
        return None if plan.price is None else shown(plan.price, plan.currency)


class PlanChange(Input):
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
    for_sale: Flag = True


class PlanIn(PlanChange):
    """A new plan; `price` is a month's, gross; without `valid_from` it holds for all days."""

    partner_id: Id
    name: str
    price: Amount
    speed_down_kbps: Whole
    speed_up_kbps: Whole
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


class ServiceOut(Schema):
    """What a customer holds. `price` is its month of today; `blocked_cause` null: it has access."""

    id: int
    customer_id: int
    account_id: int
    plan_id: int
    plan: str
    price: str | None
    description: str
    state: ServiceState
    blocked_cause: int | None
    access_since: datetime
    activated_at: datetime | None
    ended_at: datetime | None

    @staticmethod
    def resolve_plan(service: Any) -> str:
        name: str = service.plan.name
        return name

    @staticmethod
    def resolve_price(service: Any) -> str | None:
        return None if service.price is None else shown(service.price, service.account.currency)


class ServiceSearch(Page):
    """Whose services, in which state."""

    customer_id: Filter | None = None
    state: ServiceState | None = None


class ServicePlanIn(Input):
    """The plan to move to; `price` is a month's own price, else the plan's."""

    plan_id: Id
    price: Amount | None = None


class ServiceIn(ServicePlanIn):
    """A new service, pending; without `account_id` the customer's first account pays."""

    customer_id: Id
    account_id: Id | None = None
    description: str = ""


class BlockIn(Input):
    """Why staff block a customer."""

    reason: str = ""


class AccessOut(Schema):
    """How a customer stands now."""

    customer_id: int
    status: str
    status_since: datetime


@router.get("/plans", auth=Token("plans.see"), response=Listing[PlanOut], tags=["plans"], summary="Plans, newest first")
def plans(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(queries.plan_list(scope(request), clock.now().date()), page)


@router.post("/plans", auth=Token("plans.edit"), response={201: PlanOut}, tags=["plans"], summary="Create a plan")
def create_plan(request: HttpRequest, payload: PlanIn) -> Plan:
    fields = given(payload)
    partner = partner_for(request, fields.pop("partner_id"))
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
    _plan(request, plan_id)
    actions.update_plan(plan_id, by=actor_of(request), at=clock.now(), **given(payload))
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
    response={201: PriceOut},
    tags=["plans"],
    summary="Set a plan's price from a day on",
)
def set_price(request: HttpRequest, plan_id: int, payload: PriceIn) -> PlanPrice:
    found = _plan(request, plan_id)
    amount = parse(payload.price, found.currency, field="price").amount
    return actions.set_price(
        plan_id, valid_from=payload.valid_from, amount=amount, by=actor_of(request), at=clock.now()
    )


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


@router.get(
    "/services",
    auth=Token("customers.see"),
    response=Listing[ServiceOut],
    tags=["services"],
    summary="Services, newest first",
)
def services(request: HttpRequest, search: Query[ServiceSearch]) -> dict[str, Any]:
    rows = queries.service_list(scope(request), clock.now().date())
    if search.customer_id is not None:
        rows = rows.filter(customer_id=search.customer_id)
    if search.state:
        rows = rows.filter(state=search.state)
    return private_listing(request, "services", rows, search)


@router.post(
    "/services",
    auth=Token("customers.edit"),
    response={201: ServiceOut},
    tags=["services"],
    summary="Give a customer a service; it costs nothing until it is activated",
)
def add_service(request: HttpRequest, payload: ServiceIn) -> Service:
    one(request, Customer.objects.all(), payload.customer_id, "customer", field="customer_id")
    fields = _with_price(request, payload)
    return _service(request, actions.add_service(by=actor_of(request), at=clock.now(), **fields).pk)


@router.get(
    "/services/{service_id}",
    auth=Token("customers.see"),
    response=ServiceOut,
    tags=["services"],
    summary="A service",
)
def service(request: HttpRequest, service_id: int) -> Service:
    found = _service(request, service_id)
    seen(request, found.customer_id, found.partner_id, "service")
    return found


@router.post(
    "/services/{service_id}/plan",
    auth=Token("customers.edit"),
    response=ServiceOut,
    tags=["services"],
    summary="Move a service to another plan: its speeds now, its price from the next day",
)
def change_plan(request: HttpRequest, service_id: int, payload: ServicePlanIn) -> Service:
    _service(request, service_id)
    actions.change_plan(service_id, by=actor_of(request), at=clock.now(), **_with_price(request, payload))
    return _service(request, service_id)


@router.post(
    "/services/{service_id}/pause",
    auth=Token("customers.edit"),
    response=ServiceOut,
    tags=["services"],
    summary="Pause a service for its customer: no access, no charge",
)
def pause_service(request: HttpRequest, service_id: int) -> Service:
    _service(request, service_id)
    actions.pause_service(service_id, by=actor_of(request), at=clock.now())
    return _service(request, service_id)


@router.post(
    "/services/{service_id}/stop",
    auth=Token("customers.edit"),
    response=ServiceOut,
    tags=["services"],
    summary="Stop a service for the provider: no access, no charge",
)
def stop_service(request: HttpRequest, service_id: int) -> Service:
    _service(request, service_id)
    actions.stop_service(service_id, by=actor_of(request), at=clock.now())
    return _service(request, service_id)


@router.post(
    "/services/{service_id}/end",
    auth=Token("customers.edit"),
    response=ServiceOut,
    tags=["services"],
    summary="End a service for good; its addresses are free",
)
def end_service(request: HttpRequest, service_id: int) -> Service:
    _service(request, service_id)
    actions.end_service(service_id, by=actor_of(request), at=clock.now())
    return _service(request, service_id)


@router.post(
    "/customers/{customer_id}/block",
    auth=Token("customers.edit"),
    response=AccessOut,
    tags=["customers"],
    summary="Block a customer by hand, until unblocked by hand",
)
def block(request: HttpRequest, customer_id: int, payload: BlockIn) -> dict[str, Any]:
    one(request, Customer.objects.all(), customer_id, "customer")
    actions.block(customer_id, reason=payload.reason, by=actor_of(request), at=clock.now())
    return _access(customer_id)


@router.post(
    "/customers/{customer_id}/unblock",
    auth=Token("customers.edit"),
    response=AccessOut,
    tags=["customers"],
    summary="Lift a block; where money is missing, until the next 00:00",
)
def unblock(request: HttpRequest, customer_id: int) -> dict[str, Any]:
    one(request, Customer.objects.all(), customer_id, "customer")
    actions.unblock(customer_id, by=actor_of(request), at=clock.now())
    return _access(customer_id)


@router.post(
    "/customers/{customer_id}/deactivate",
    auth=Token("customers.edit"),
    response=AccessOut,
    tags=["customers"],
    summary="Stop all services of a customer who left",
)
def deactivate(request: HttpRequest, customer_id: int) -> dict[str, Any]:
    one(request, Customer.objects.all(), customer_id, "customer")
    actions.deactivate_customer(customer_id, by=actor_of(request), at=clock.now())
    return _access(customer_id)


def _partner(request: HttpRequest, partner_id: int) -> Partner:
    return one(request, Partner.objects.all(), partner_id, "partner", key="id")


def _plan(request: HttpRequest, plan_id: int, field: str = "") -> Plan:
    return one(request, queries.plan_list(scope(request), clock.now().date()), plan_id, "plan", field=field)


def _service(request: HttpRequest, service_id: int) -> Service:
    return one(request, queries.service_list(scope(request), clock.now().date()), service_id, "service")


def _with_price(request: HttpRequest, payload: ServicePlanIn) -> dict[str, Any]:
    """The service's facts, with its own price, if any, in minor units of its plan's currency."""
    currency = _plan(request, payload.plan_id, field="plan_id").currency
    facts = given(payload)
    price = facts.pop("price", None)
    return facts if price is None else facts | {"price_override": parse(price, currency, field="price").amount}


def _access(customer_id: int) -> dict[str, Any]:
    found = Customer.objects.get(pk=customer_id)
    return {"customer_id": found.pk, "status": found.status, "status_since": found.status_since}
