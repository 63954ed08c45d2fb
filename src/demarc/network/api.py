"""Routers and pools over the API. Parses, calls one action or query, answers."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from demarc.base import clock
from demarc.network import actions, queries
from demarc.network.models import Pool
from demarc.network.models import Router as NetworkRouter
from demarc.staff.apidoor import Page, Token, actor_of, given, listing, one, partner_of, scope

router = Router(tags=["network"])


class RouterIn(Schema):
    """A new router; `nas_type` is mikrotik or generic."""

    partner_id: int
    name: str
    nas_type: str = "mikrotik"
    site_id: int | None = None


class RouterChange(Schema):
    """Fields to change; those left out stay."""

    name: str = ""
    nas_type: str = ""
    site_id: int | None = None


class PoolIn(Schema):
    """A network whose addresses from `first` to `last` are given out; `kind` is dynamic, static or reject."""

    partner_id: int
    name: str
    network: str
    kind: str = "dynamic"
    first: str | None = None
    last: str | None = None
    router_id: int | None = None
    vrf: int = 0


@router.get("/routers", auth=Token("network.see"), summary="Routers, newest first")
def routers(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(queries.routers(scope(request)), _router, after=page.after, limit=page.limit)


@router.post("/routers", auth=Token("network.edit"), summary="Create a router", response={201: dict[str, Any]})
def create_router(request: HttpRequest, payload: RouterIn) -> tuple[int, dict[str, Any]]:
    fields = given(payload)
    partner_id = partner_of(request, fields.pop("partner_id"))
    made = actions.create_router(partner_id=partner_id, by=actor_of(request), at=clock.now(), **fields)
    return 201, _router(made)


@router.get("/routers/{router_id}", auth=Token("network.see"), summary="One router")
def read_router(request: HttpRequest, router_id: int) -> dict[str, Any]:
    return _router(one(request, queries.routers(scope(request)), router_id, "router"))


@router.patch("/routers/{router_id}", auth=Token("network.edit"), summary="Change a router")
def update_router(request: HttpRequest, router_id: int, payload: RouterChange) -> dict[str, Any]:
    one(request, queries.routers(scope(request)), router_id, "router")
    return _router(actions.update_router(router_id, by=actor_of(request), at=clock.now(), **given(payload)))


@router.get("/pools", auth=Token("network.see"), summary="Address pools, newest first")
def pools(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(queries.pools(scope(request)), _pool, after=page.after, limit=page.limit)


@router.post("/pools", auth=Token("network.edit"), summary="Create a pool", response={201: dict[str, Any]})
def create_pool(request: HttpRequest, payload: PoolIn) -> tuple[int, dict[str, Any]]:
    fields = given(payload)
    partner_id = partner_of(request, fields.pop("partner_id"))
    made = actions.create_pool(partner_id=partner_id, by=actor_of(request), at=clock.now(), **fields)
    made.refresh_from_db()
    return 201, _pool(made)


def _router(router: NetworkRouter) -> dict[str, Any]:
    return {
        "id": router.pk,
        "partner_id": router.partner_id,
        "name": router.name,
        "nas_type": router.nas_type,
        "site_id": router.site_id,
    }


def _pool(pool: Pool) -> dict[str, Any]:
    return {
        "id": pool.pk,
        "partner_id": pool.partner_id,
        "router_id": pool.router_id,
        "name": pool.name,
        "kind": pool.kind,
        "vrf": pool.vrf,
        "network": str(pool.network),
        "first": pool.first,
        "last": pool.last,
    }
