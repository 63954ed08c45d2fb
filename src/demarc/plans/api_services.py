"""Services and blocks by hand over the API. Parses, calls one action or query, answers."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from demarc.base import clock
from demarc.core.money import parse
from demarc.customers.models import Customer
from demarc.plans import actions, queries
from demarc.plans.models import Service, ServiceState
from demarc.staff.apidoor import Token, actor_of, one, scope, seen
from demarc.staff.apiforms import Amount, Filter, Id, Input, Listing, Page, given, private_listing, shown

router = Router(tags=["services"])


class ServiceOut(Schema):
    """What a customer holds. `price` is its month of today; `blocked_cause` null: it has access, unless the month's
    volume is used up (`/services/{id}/used`)."""

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


@router.get(
    "/services",
    auth=Token("services.see"),
    response=Listing[ServiceOut],
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
    auth=Token("services.edit"),
    response={201: ServiceOut},
    summary="Give a customer a service; it costs nothing until it is activated",
)
def add_service(request: HttpRequest, payload: ServiceIn) -> Service:
    one(request, Customer.objects.all(), payload.customer_id, "customer", field="customer_id")
    fields = _with_price(request, payload)
    return _service(request, actions.add_service(by=actor_of(request), at=clock.now(), **fields).pk)


@router.get(
    "/services/{service_id}",
    auth=Token("services.see"),
    response=ServiceOut,
    summary="A service",
)
def service(request: HttpRequest, service_id: int) -> Service:
    found = _service(request, service_id)
    seen(request, found.customer_id, found.partner_id, "service")
    return found


@router.post(
    "/services/{service_id}/plan",
    auth=Token("services.edit"),
    response=ServiceOut,
    summary="Move a service to another plan: its speeds now, its price from the next day",
)
def change_plan(request: HttpRequest, service_id: int, payload: ServicePlanIn) -> Service:
    _service(request, service_id)
    actions.change_plan(service_id, by=actor_of(request), at=clock.now(), **_with_price(request, payload))
    return _service(request, service_id)


@router.post(
    "/services/{service_id}/pause",
    auth=Token("services.edit"),
    response=ServiceOut,
    summary="Pause a service for its customer: no access, no charge",
)
def pause_service(request: HttpRequest, service_id: int) -> Service:
    _service(request, service_id)
    actions.pause_service(service_id, by=actor_of(request), at=clock.now())
    return _service(request, service_id)


@router.post(
    "/services/{service_id}/stop",
    auth=Token("services.edit"),
    response=ServiceOut,
    summary="Stop a service for the provider: no access, no charge",
)
def stop_service(request: HttpRequest, service_id: int) -> Service:
    _service(request, service_id)
    actions.stop_service(service_id, by=actor_of(request), at=clock.now())
    return _service(request, service_id)


@router.post(
    "/services/{service_id}/end",
    auth=Token("services.edit"),
    response=ServiceOut,
    summary="End a service for good; its addresses are free",
)
def end_service(request: HttpRequest, service_id: int) -> Service:
    _service(request, service_id)
    actions.end_service(service_id, by=actor_of(request), at=clock.now())
    return _service(request, service_id)


@router.post(
    "/customers/{customer_id}/block",
    auth=Token("blocks.edit"),
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
    auth=Token("blocks.edit"),
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
    auth=Token("services.edit"),
    response=AccessOut,
    tags=["customers"],
    summary="Stop all services of a customer who left",
)
def deactivate(request: HttpRequest, customer_id: int) -> dict[str, Any]:
    one(request, Customer.objects.all(), customer_id, "customer")
    actions.deactivate_customer(customer_id, by=actor_of(request), at=clock.now())
    return _access(customer_id)


def _service(request: HttpRequest, service_id: int) -> Service:
    return one(request, queries.service_list(scope(request), clock.now().date()), service_id, "service")


def _with_price(request: HttpRequest, payload: ServicePlanIn) -> dict[str, Any]:
    """The service's facts, with its own price, if any, in minor units of its plan's currency."""
    plans = queries.plan_list(scope(request), clock.now().date())
    currency = one(request, plans, payload.plan_id, "plan", field="plan_id").currency
    facts = given(payload)
    price = facts.pop("price", None)
    return facts if price is None else facts | {"price_override": parse(price, currency, field="price").amount}


def _access(customer_id: int) -> dict[str, Any]:
    found = Customer.objects.get(pk=customer_id)
    return {"customer_id": found.pk, "status": found.status, "status_since": found.status_since}
