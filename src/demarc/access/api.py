"""NAS clients, logins and sessions over the API. Secrets go in and never come out."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from demarc.access import actions, queries
from demarc.access.models import Nas, SessionLive, SessionLog, Subscriber
from demarc.base import clock
from demarc.core.errors import Refused
from demarc.network.models import Router as NetworkRouter
from demarc.plans.models import Service
from demarc.staff.apidoor import LIMIT_MAX, Page, Token, actor_of, given, listing, one, scope

router = Router(tags=["access"])


class NasIn(Schema):
    """How a router is a RADIUS client; an empty secret keeps the present one."""

    address: str
    secret: str = ""
    require_authenticator: str = "auto"
    coa_enabled: bool = True
    coa_port: int = 3799
    block_by: str = "coa"
    interim_s: int = 300
    framed_pool: str = ""


class LoginIn(Schema):
    """A login for a service; without `static_ipv4` its address comes from a pool."""

    service_id: int
    login: str
    password: str
    static_ipv4: str | None = None
    macs: list[str] = []
    bind_mac: bool = False
    pool_id: int | None = None
    simultaneous_limit: int = 1


class PasswordIn(Schema):
    """A new password."""

    password: str


class SessionSearch(Page):
    """Filter of the online list: the beginning of a login or MAC, or an address."""

    q: str = ""


class PastSearch(Schema):
    """Whose ended sessions; `before` reads on."""

    service_id: int
    before: datetime | None = None
    limit: int = 50


@router.put("/routers/{router_id}/nas", auth=Token("network.edit"), summary="Make a router a RADIUS client")
def save_nas(request: HttpRequest, router_id: int, payload: NasIn) -> dict[str, Any]:
    one(request, NetworkRouter.objects.all(), router_id, "router")
    facts = {"secret": ""} | given(payload)
    return _nas(actions.save_nas(router_id=router_id, by=actor_of(request), at=clock.now(), **facts))


@router.get("/nas", auth=Token("network.see"), summary="RADIUS clients, newest first")
def nases(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(queries.nases(scope(request)), _nas, after=page.after, limit=page.limit)


@router.post("/logins", auth=Token("customers.edit"), summary="Create a login", response={201: dict[str, Any]})
def create_login(request: HttpRequest, payload: LoginIn) -> tuple[int, dict[str, Any]]:
    one(request, Service.objects.all(), payload.service_id, "service")
    return 201, _login(actions.create_subscriber(by=actor_of(request), at=clock.now(), **given(payload)))


@router.get("/logins", auth=Token("customers.see"), summary="Logins, newest first")
def logins(request: HttpRequest, page: Query[Page], service_id: int | None = None) -> dict[str, Any]:
    partner_ids = scope(request)
    rows = Subscriber.objects.all() if service_id is None else Subscriber.objects.filter(service_id=service_id)
    rows = rows if partner_ids is None else rows.filter(partner_id__in=partner_ids)
    return listing(rows, _login, after=page.after, limit=page.limit)


@router.post("/logins/{login_id}/password", auth=Token("customers.edit"), summary="Change a login's password")
def change_password(request: HttpRequest, login_id: int, payload: PasswordIn) -> dict[str, Any]:
    found = one(request, Subscriber.objects.all(), login_id, "login")
    actions.change_password(login_id, password=payload.password, by=actor_of(request), at=clock.now())
    return _login(found)


@router.get("/sessions", auth=Token("sessions.see"), summary="Sessions online, newest first")
def sessions(request: HttpRequest, search: Query[SessionSearch]) -> dict[str, Any]:
    rows = queries.online_sessions(scope(request), search.q)
    return listing(rows, _session, after=search.after, limit=search.limit)


@router.get("/sessions/past", auth=Token("sessions.see"), summary="Ended sessions of a service, newest first")
def past_sessions(request: HttpRequest, search: Query[PastSearch]) -> dict[str, Any]:
    one(request, Service.objects.all(), search.service_id, "service")
    limit = max(1, min(search.limit, LIMIT_MAX))
    found = queries.past_sessions(service_id=search.service_id, before=search.before, limit=limit)
    return {"items": [_past(row) for row in found], "next": found[-1].started_at if len(found) == limit else None}


@router.post("/sessions/{session_id}/disconnect", auth=Token("sessions.edit"), summary="Disconnect a session")
def disconnect(request: HttpRequest, session_id: int) -> dict[str, Any]:
    one(request, SessionLive.objects.all(), session_id, "session")
    intent = actions.request_disconnect(session_id, by=actor_of(request), at=clock.now())
    return {"intent_id": intent.pk, "state": intent.state}


@router.get("/services/{service_id}/router", auth=Token("sessions.see"), summary="What the router confirmed last")
def router_confirmed(request: HttpRequest, service_id: int) -> dict[str, Any]:
    one(request, Service.objects.all(), service_id, "service")
    found = queries.router_confirmed(service_id)
    if found is None:
        raise Refused("No router was told anything about this service yet.", code="unknown")
    return {"words": found.words, "at": found.at, "good": found.good}


def _nas(nas: Nas) -> dict[str, Any]:
    shown = ("address", "require_authenticator", "coa_enabled", "coa_port", "block_by", "interim_s", "framed_pool")
    return {"id": nas.pk, "router_id": nas.router_id, "last_seen_at": nas.last_seen_at} | {
        name: getattr(nas, name) for name in shown
    }


def _login(login: Subscriber) -> dict[str, Any]:
    shown = ("service_id", "login", "realm", "static_ipv4", "macs", "bind_mac", "pool_id", "simultaneous_limit")
    state = {"active": login.active, "cause": login.cause, "since": login.since}
    return {"id": login.pk} | {name: getattr(login, name) for name in shown} | state


def _session(session: SessionLive) -> dict[str, Any]:
    return _shared(session) | {
        "updated_at": session.updated_at,
        "router": session.nas.router.name,
        "list": session.list_name,
    }


def _past(session: SessionLog) -> dict[str, Any]:
    return _shared(session) | {"ended_at": session.ended_at, "terminate_cause": session.terminate_cause}


def _shared(session: SessionLive | SessionLog) -> dict[str, Any]:
    shown = ("id", "nas_id", "service_id", "user_name", "session_id", "started_at", "framed_ipv4", "session_time_s")
    octets = {"upload_octets": session.input_octets, "download_octets": session.output_octets}
    return {name: getattr(session, name) for name in shown} | {"mac": session.calling_station} | octets
