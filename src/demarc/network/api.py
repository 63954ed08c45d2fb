"""New providers, routers, pools and what the blocked meet, over the API. Parses, calls one action or query, answers."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema

from demarc.base import clock
from demarc.base.models import Partner
from demarc.core.access import Cause
from demarc.core.errors import Refused
from demarc.customers.actions import create_partner
from demarc.customers.api import PartnerOut
from demarc.customers.api import router as customers
from demarc.network import actions, queries
from demarc.network.models import CauseAnswer, CauseRule, NasType, Pool, PoolKind, Site
from demarc.network.models import Router as NetworkRouter
from demarc.staff.apidoor import Token, actor_of, one, partner_for, scope, within
from demarc.staff.apiforms import Id, Input, Listing, Page, Whole, given, left_out_stays, listing

router = Router(tags=["network"])


class PartnerIn(Input):
    """A new provider. `preset`: how its cause table begins."""

    name: str
    zone: str
    currency: str
    language: str = "en"
    preset: Literal["demarc", "splynx"] = "demarc"


class SiteIn(Input):
    """A place where routers stand."""

    partner_id: Id
    name: str


class SiteOut(Schema):
    """A place where routers stand."""

    id: int
    partner_id: int
    name: str


class RouterChange(Input, json_schema_extra=left_out_stays):
    """Fields to change; those left out stay."""

    name: str = ""
    nas_type: NasType = NasType.MIKROTIK
    site_id: Id | None = None


class RouterIn(RouterChange, json_schema_extra=None):
    """A new router."""

    partner_id: Id
    name: str


class RouterOut(Schema):
    """A device that customers connect through."""

    id: int
    partner_id: int
    name: str
    nas_type: NasType
    site_id: int | None


class PoolChange(Input, json_schema_extra=left_out_stays):
    """Fields to change; a pool's addresses are fixed. Without a router it is for all of them."""

    name: str = ""
    router_id: Id | None = None


class PoolIn(PoolChange, json_schema_extra=None):
    """A network whose addresses from `first` to `last` (default: all hosts) are given out; or, of the kinds prefix and
    delegated, an IPv6 network of which sessions get prefixes of `prefix_length` (default: 64 and 56)."""

    partner_id: Id
    name: str
    network: str
    kind: PoolKind = PoolKind.DYNAMIC
    first: str | None = None
    last: str | None = None
    prefix_length: Whole | None = None
    vrf: Whole = 0


class PoolOut(Schema):
    """A network whose addresses are given to sessions (dynamic), to one service each (static) or to the blocked; or
    IPv6 prefixes of `prefix_length` to sessions, for the line (prefix) or the customer's router (delegated)."""

    id: int
    partner_id: int
    router_id: int | None
    name: str
    kind: PoolKind
    vrf: int
    network: str
    prefix_length: int
    first: str
    last: str

    @staticmethod
    def resolve_network(pool: Pool) -> str:
        return str(pool.network)


class CauseChange(Input, json_schema_extra=left_out_stays):
    """Fields to change in a row of the cause table; those left out stay."""

    list_name: str = ""
    pool_id: Id | None = None
    page_port: Whole = 0


class CauseOut(Schema):
    """A row of the cause table: cause, address list, reject pool, port of the page."""

    cause: Cause
    list_name: str
    pool_id: int | None
    page_port: int


class PresetIn(Input):
    """Which shipped cause table to follow; pools chosen before are kept."""

    preset: Literal["demarc", "splynx"]


class AnswerIn(Input):
    """What a router's customers get for a cause; null: the default."""

    answer: CauseAnswer | None


class AnswersOut(Schema):
    """What a router's customers get, by cause."""

    router_id: int
    answers: dict[Cause, CauseAnswer]


@customers.post(
    "/partners",
    auth=Token("settings.edit"),
    response={201: PartnerOut},
    tags=["partners"],
    summary="Create a provider with default billing rules and a cause table",
)
def new_partner(request: HttpRequest, payload: PartnerIn) -> Partner:
    if scope(request) is not None:
        raise Refused("This token works for some providers only; it cannot make another.", code="forbidden")
    by, at = actor_of(request), clock.now()
    facts = payload.model_dump()
    preset = facts.pop("preset")
    made = create_partner(by=by, at=at, **facts)
    actions.set_up_partner(made.pk, preset=preset, by=by, at=at)
    return made


@router.get(
    "/partners/{partner_id}/causes",
    auth=Token("blocking.see"),
    response=list[CauseOut],
    summary="A provider's cause table",
)
def causes(request: HttpRequest, partner_id: int) -> list[CauseRule]:
    _partner(request, partner_id)
    return queries.cause_rules(partner_id)


@router.put(
    "/partners/{partner_id}/causes",
    auth=Token("blocking.edit"),
    response=list[CauseOut],
    summary="Fill the cause table by a preset",
)
def set_causes(request: HttpRequest, partner_id: int, payload: PresetIn) -> list[CauseRule]:
    _partner(request, partner_id)
    actions.set_up_partner(partner_id, preset=payload.preset, by=actor_of(request), at=clock.now())
    return queries.cause_rules(partner_id)


@router.patch(
    "/partners/{partner_id}/causes/{cause}",
    auth=Token("blocking.edit"),
    response=CauseOut,
    summary="Change a row of the cause table",
)
def set_cause(request: HttpRequest, partner_id: int, cause: int, payload: CauseChange) -> CauseRule:
    _partner(request, partner_id)
    _cause(cause)
    return actions.set_cause_rule(partner_id, cause, by=actor_of(request), at=clock.now(), **given(payload))


@router.get("/sites", auth=Token("routers.see"), response=Listing[SiteOut], summary="Sites, newest first")
def sites(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(within(request, Site.objects.all()), page)


@router.post("/sites", auth=Token("routers.edit"), response={201: SiteOut}, summary="Create a site")
def create_site(request: HttpRequest, payload: SiteIn) -> Site:
    partner = partner_for(request, payload.partner_id)
    return actions.create_site(partner_id=partner.pk, name=payload.name, by=actor_of(request), at=clock.now())


@router.get("/routers", auth=Token("routers.see"), response=Listing[RouterOut], summary="Routers, newest first")
def routers(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(queries.routers(scope(request)), page)


@router.post("/routers", auth=Token("routers.edit"), response={201: RouterOut}, summary="Create a router")
def create_router(request: HttpRequest, payload: RouterIn) -> NetworkRouter:
    fields = given(payload)
    partner = partner_for(request, fields.pop("partner_id"))
    return actions.create_router(partner_id=partner.pk, by=actor_of(request), at=clock.now(), **fields)


@router.get("/routers/{router_id}", auth=Token("routers.see"), response=RouterOut, summary="A router")
def read_router(request: HttpRequest, router_id: int) -> NetworkRouter:
    return _router(request, router_id)


@router.patch("/routers/{router_id}", auth=Token("routers.edit"), response=RouterOut, summary="Change a router")
def update_router(request: HttpRequest, router_id: int, payload: RouterChange) -> NetworkRouter:
    _router(request, router_id)
    return actions.update_router(router_id, by=actor_of(request), at=clock.now(), **given(payload))


@router.get(
    "/routers/{router_id}/answers",
    auth=Token("routers.see"),
    response=AnswersOut,
    summary="What a router's customers get for each cause",
)
def answers(request: HttpRequest, router_id: int) -> dict[str, Any]:
    return _answers(_router(request, router_id))


@router.put(
    "/routers/{router_id}/answers/{cause}",
    auth=Token("routers.edit"),
    response=AnswersOut,
    summary="Choose what a router's customers get for a cause",
)
def set_answer(request: HttpRequest, router_id: int, cause: int, payload: AnswerIn) -> dict[str, Any]:
    found = _router(request, router_id)
    _cause(cause)
    actions.set_router_cause(router_id, cause, answer=payload.answer, by=actor_of(request), at=clock.now())
    return _answers(found)


@router.get("/pools", auth=Token("pools.see"), response=Listing[PoolOut], summary="Address pools, newest first")
def pools(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(queries.pools(scope(request)), page)


@router.post("/pools", auth=Token("pools.edit"), response={201: PoolOut}, summary="Create a pool")
def create_pool(request: HttpRequest, payload: PoolIn) -> Pool:
    fields = given(payload)
    partner = partner_for(request, fields.pop("partner_id"))
    return actions.create_pool(partner_id=partner.pk, by=actor_of(request), at=clock.now(), **fields)


@router.get("/pools/{pool_id}", auth=Token("pools.see"), response=PoolOut, summary="A pool")
def pool(request: HttpRequest, pool_id: int) -> Pool:
    return one(request, Pool.objects.all(), pool_id, "pool")


@router.patch(
    "/pools/{pool_id}",
    auth=Token("pools.edit"),
    response=PoolOut,
    summary="Rename a pool, or give it to another router",
)
def update_pool(request: HttpRequest, pool_id: int, payload: PoolChange) -> Pool:
    one(request, Pool.objects.all(), pool_id, "pool")
    return actions.update_pool(pool_id, by=actor_of(request), at=clock.now(), **given(payload))


def _partner(request: HttpRequest, partner_id: int) -> Partner:
    return one(request, Partner.objects.all(), partner_id, "partner", key="id")


def _router(request: HttpRequest, router_id: int) -> NetworkRouter:
    return one(request, NetworkRouter.objects.all(), router_id, "router")


def _cause(cause: int) -> None:
    if cause not in list(Cause):
        raise Refused("Causes are numbered 0 to 4.", field="cause", code="unknown")


def _answers(found: NetworkRouter) -> dict[str, Any]:
    return {"router_id": found.pk, "answers": queries.router_answers([found.partner_id])[found.pk]}
