"""Plans and services over the API. Parses, calls one action or query, answers."""

from datetime import date
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from demarc.base import clock
from demarc.base.models import Partner
from demarc.core.money import Money, format_plain, parse
from demarc.customers.models import Customer
from demarc.plans import actions, queries
from demarc.plans.models import Plan, PlanPrice, Service
from demarc.staff.apidoor import Page, Token, actor_of, given, listing, one, partner_of, scope

router = Router(tags=["plans"])


class ServiceSearch(Page):
    """Filters of the service list."""

    customer_id: int | None = None
    state: str = ""


class PlanShape(Schema):
    """Speeds in kbit/s from the customer's view; the price is a month's, gross."""

    name: str
    speed_down_kbps: int
    speed_up_kbps: int
    burst_percent: int = 0
    burst_threshold_percent: int = 75
    burst_time_s: int = 30
    priority: int = 8
    contention_ratio: int = 1
    tax_category: str = "standard"
    for_sale: bool = True


class PlanIn(PlanShape):
    """A new plan; without `valid_from` the price holds for all days."""

    partner_id: int
    price: str
    valid_from: date | None = None


class PlanChange(Schema):
    """Fields to change; those left out stay. The price is changed by its own operation."""

    name: str = ""
    speed_down_kbps: int = 0
    speed_up_kbps: int = 0
    burst_percent: int = 0
    burst_threshold_percent: int = 0
    burst_time_s: int = 0
    priority: int = 0
    contention_ratio: int = 0
    tax_category: str = ""
    for_sale: bool = True


class PriceIn(Schema):
    """A month's gross price from `valid_from` on."""

    valid_from: date
    price: str


class ServiceIn(Schema):
    """A new service, pending; `price` is a month's own price, else the plan's."""

    customer_id: int
    plan_id: int
    account_id: int | None = None
    price: str | None = None
    description: str = ""


class BlockIn(Schema):
    """Why staff block a customer."""

    reason: str = ""


@router.get("/plans", auth=Token("plans.see"), summary="Plans, newest first")
def plans(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    rows = queries.plan_list(scope(request), clock.now().date())
    return listing(rows, _plan, after=page.after, limit=page.limit)


@router.post("/plans", auth=Token("plans.edit"), summary="Create a plan", response={201: dict[str, Any]})
def create_plan(request: HttpRequest, payload: PlanIn) -> tuple[int, dict[str, Any]]:
    fields = given(payload)
    partner = one(request, Partner.objects.all(), partner_of(request, fields.pop("partner_id")), "partner")
    fields["price"] = parse(fields["price"], partner.currency, field="price").amount
    if fields.get("valid_from") is None:
        fields.pop("valid_from", None)
    plan = actions.create_plan(partner_id=partner.pk, by=actor_of(request), at=clock.now(), **fields)
    return 201, _plan(_read_plan(request, plan.pk))


@router.patch("/plans/{plan_id}", auth=Token("plans.edit"), summary="Change a plan's name, speeds or sale")
def update_plan(request: HttpRequest, plan_id: int, payload: PlanChange) -> dict[str, Any]:
    _read_plan(request, plan_id)
    actions.update_plan(plan_id, by=actor_of(request), at=clock.now(), **given(payload))
    return _plan(_read_plan(request, plan_id))


@router.post(
    "/plans/{plan_id}/prices",
    auth=Token("plans.edit"),
    summary="Set a price from a day on",
    response={201: dict[str, Any]},
)
def set_price(request: HttpRequest, plan_id: int, payload: PriceIn) -> tuple[int, dict[str, Any]]:
    plan = _read_plan(request, plan_id)
    amount = parse(payload.price, plan.currency, field="price").amount
    price = actions.set_price(
        plan_id, valid_from=payload.valid_from, amount=amount, by=actor_of(request), at=clock.now()
    )
    return 201, _price(price, plan.currency)


@router.get("/plans/{plan_id}/prices", auth=Token("plans.see"), summary="Every price a plan ever had")
def prices(request: HttpRequest, plan_id: int) -> dict[str, Any]:
    plan = _read_plan(request, plan_id)
    return {"items": [_price(price, plan.currency) for price in queries.prices(plan_id)[:200]], "next": None}


@router.get("/services", auth=Token("customers.see"), summary="Services, newest first")
def services(request: HttpRequest, search: Query[ServiceSearch]) -> dict[str, Any]:
    rows = queries.service_list(scope(request), clock.now().date())
    if search.customer_id is not None:
        rows = rows.filter(customer_id=search.customer_id)
    if search.state:
        rows = rows.filter(state=search.state)
    return listing(rows, _service, after=search.after, limit=search.limit)


@router.post("/services", auth=Token("customers.edit"), summary="Add a service", response={201: dict[str, Any]})
def add_service(request: HttpRequest, payload: ServiceIn) -> tuple[int, dict[str, Any]]:
    fields = given(payload)
    one(request, Customer.objects.all(), payload.customer_id, "customer")
    plan = _read_plan(request, payload.plan_id)
    price = fields.pop("price", None)
    if price is not None:
        fields["price_override"] = parse(price, plan.currency, field="price").amount
    service = actions.add_service(by=actor_of(request), at=clock.now(), **fields)
    return 201, _service(_read_service(request, service.pk))


@router.get("/services/{service_id}", auth=Token("customers.see"), summary="One service")
def service(request: HttpRequest, service_id: int) -> dict[str, Any]:
    return _service(_read_service(request, service_id))


@router.post("/services/{service_id}/pause", auth=Token("customers.edit"), summary="Pause a service")
def pause_service(request: HttpRequest, service_id: int) -> dict[str, Any]:
    _read_service(request, service_id)
    actions.pause_service(service_id, by=actor_of(request), at=clock.now())
    return _service(_read_service(request, service_id))


@router.post("/services/{service_id}/end", auth=Token("customers.edit"), summary="End a service for good")
def end_service(request: HttpRequest, service_id: int) -> dict[str, Any]:
    _read_service(request, service_id)
    actions.end_service(service_id, by=actor_of(request), at=clock.now())
    return _service(_read_service(request, service_id))


@router.post("/customers/{customer_id}/block", auth=Token("customers.edit"), summary="Block a customer by hand")
def block(request: HttpRequest, customer_id: int, payload: BlockIn) -> dict[str, Any]:
    one(request, Customer.objects.all(), customer_id, "customer")
    blocked = actions.block(customer_id, reason=payload.reason, by=actor_of(request), at=clock.now())
    return {"customer_id": customer_id, "block_id": blocked.pk, "since": blocked.set_at}


@router.post("/customers/{customer_id}/unblock", auth=Token("customers.edit"), summary="Lift a block by hand")
def unblock(request: HttpRequest, customer_id: int) -> dict[str, Any]:
    found = one(request, Customer.objects.all(), customer_id, "customer")
    actions.unblock(customer_id, by=actor_of(request), at=clock.now())
    found.refresh_from_db()
    return {"customer_id": customer_id, "status": found.status}


def _read_plan(request: HttpRequest, plan_id: int) -> Plan:
    return one(request, queries.plan_list(scope(request), clock.now().date()), plan_id, "plan")


def _read_service(request: HttpRequest, service_id: int) -> Service:
    return one(request, queries.service_list(scope(request), clock.now().date()), service_id, "service")


def _amount(minor: int | None, currency: str) -> str | None:
    return None if minor is None else format_plain(Money(minor, currency))


def _price(price: PlanPrice, currency: str) -> dict[str, Any]:
    amount = _amount(price.amount, currency)
    return {"id": price.pk, "valid_from": price.valid_from, "price": amount, "recorded_at": price.recorded_at}


def _plan(plan: Plan) -> dict[str, Any]:
    fields = {name: getattr(plan, name) for name in PlanShape.model_fields}
    price = _amount(getattr(plan, "price", None), plan.currency)
    return {"id": plan.pk, "partner_id": plan.partner_id, "currency": plan.currency, "price": price} | fields


def _service(service: Service) -> dict[str, Any]:
    return {
        "id": service.pk,
        "customer_id": service.customer_id,
        "account_id": service.account_id,
        "plan_id": service.plan_id,
        "plan": service.plan.name,
        "price": _amount(getattr(service, "price", None), service.plan.currency),
        "description": service.description,
        "state": service.state,
        "blocked_cause": service.blocked_cause,
        "access_since": service.access_since,
        "activated_at": service.activated_at,
    }
