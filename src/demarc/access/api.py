"""RADIUS clients, logins and sessions over the API. Secrets go in and never come out."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AwareDatetime, Field, field_validator

from demarc.access import actions, history, one_less, queries
from demarc.access.holdings import MACS_MAX
from demarc.access.models import (
    CoaIntent,
    CoaKind,
    CoaState,
    Ending,
    Nas,
    RequireAuthenticator,
    SessionLive,
    SessionLog,
    Subscriber,
)
from demarc.base import clock
from demarc.core.errors import Refused
from demarc.network.models import Pool, PoolKind
from demarc.network.models import Router as NetworkRouter
from demarc.plans.models import Service
from demarc.staff.apidoor import Token, actor_of, one, scope, seen, within
from demarc.staff.apiforms import (
    Filter,
    Flag,
    Id,
    Input,
    Listing,
    Page,
    Search,
    Whole,
    given,
    left_out_stays,
    listing,
    private_listing,
)

router = Router()

LOSSES_MAX = 200

Macs = Annotated[list[str], Field(max_length=MACS_MAX)]


class NasIn(Input, json_schema_extra=left_out_stays):
    """How a router is a RADIUS client; what is left out stays as it is, or begins as auto, CoA on port 3799, accounting
    every 300 s. `framed_pool`: the router's own pool, from which it allocates."""

    address: str
    secret: str = ""
    require_authenticator: RequireAuthenticator = RequireAuthenticator.AUTO
    coa_enabled: Flag = True
    coa_port: Whole = 3799
    block_by: CoaKind = CoaKind.COA
    interim_s: Whole = 300
    framed_pool: str = ""
    node: str = "main"


class NasOut(Schema):
    """A router as a RADIUS client, without its secret."""

    id: int
    router_id: int
    address: str
    require_authenticator: RequireAuthenticator
    coa_enabled: bool
    coa_port: int
    block_by: CoaKind
    interim_s: int
    framed_pool: str
    node: str
    last_seen_at: datetime | None


class LoginChange(Input, json_schema_extra=left_out_stays):
    """What a login holds; fields left out stay. `static_ipv4` null: its address comes from a pool."""

    static_ipv4: str | None = None
    framed_ipv6_prefix: str | None = None
    delegated_prefix: str | None = None
    framed_ipv6: str | None = None
    macs: Macs = []
    bind_mac: Flag = False
    learn_macs: Whole = 0
    learn_replaces: Flag = False
    port: str = ""


class LoginIn(LoginChange, json_schema_extra=None):
    """A login for a service; `pool_id`: a dynamic pool of its own instead of its router's.

    `to_be_learned`: the password may be empty, the old RADIUS server is to teach it.
    """

    service_id: Id
    login: str
    password: str
    pool_id: Id | None = None
    simultaneous_limit: Whole = 1
    to_be_learned: Flag = False


class PasswordIn(Input):
    """A new password."""

    password: str


class LoginOut(Schema):
    """A login of a service, without its password; `cause` null: it has access."""

    id: int
    service_id: int
    login: str
    static_ipv4: str | None
    framed_ipv6_prefix: str | None
    delegated_prefix: str | None
    framed_ipv6: str | None
    macs: list[str]
    bind_mac: bool
    learn_macs: int
    learn_replaces: bool
    port: str
    pool_id: int | None
    simultaneous_limit: int
    active: bool
    cause: int | None
    since: datetime

    @staticmethod
    def resolve_port(login: Subscriber) -> str:
        return login.nas_port_id

    @field_validator("framed_ipv6_prefix", "delegated_prefix", mode="before")
    @classmethod
    def text(cls, value: object) -> object:
        """A network as it is written."""
        return None if value is None else str(value)


class LoginSearch(Page):
    """Whose logins."""

    service_id: Filter | None = None


class SessionOut(Schema):
    """A session; times by our clock, octets from the customer's view."""

    id: int
    nas_id: int
    service_id: int | None
    user_name: str
    session_id: str
    mac: str
    framed_ipv4: str | None
    started_at: datetime
    session_time_s: int
    upload_octets: int
    download_octets: int

    @staticmethod
    def resolve_mac(session: SessionLive | SessionLog) -> str:
        return session.calling_station

    @staticmethod
    def resolve_upload_octets(session: SessionLive | SessionLog) -> int:
        return session.input_octets

    @staticmethod
    def resolve_download_octets(session: SessionLive | SessionLog) -> int:
        return session.output_octets


class LiveOut(SessionOut):
    """A session that is on; `list`: the address list we put it in last."""

    updated_at: datetime
    router: str
    list: str

    @staticmethod
    def resolve_router(session: SessionLive) -> str:
        return session.nas.router.name

    @staticmethod
    def resolve_list(session: SessionLive) -> str:
        return session.list_name


class PastOut(SessionOut):
    """A session that ended; `terminate_cause` is the router's word (RFC 2866), `ending` how we learned of it."""

    ended_at: datetime
    terminate_cause: int
    ending: Ending


class SessionSearch(Page):
    """`q`: the beginning of a login or MAC, or an address."""

    q: Search = ""
    service_id: Filter | None = None


class PastSearch(Page):
    """Whose sessions; those that were on at any time from `since` to `until` (ISO 8601, with an offset)."""

    service_id: Filter
    router_id: Filter | None = None
    terminate_cause: Annotated[int, Field(ge=0, le=32767)] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class DisconnectOut(Schema):
    """What was asked of the router; `GET /services/{service_id}/router` tells what came of it."""

    intent_id: int
    state: CoaState

    @staticmethod
    def resolve_intent_id(intent: CoaIntent) -> int:
        return intent.pk


class ConfirmedOut(Schema):
    """What came of the last thing that a router was told, in words."""

    words: str
    at: datetime
    good: bool


class PoolUseOut(Schema):
    """Addresses of a pool: all, those in use, and those leased to RADIUS processes in blocks."""

    pool_id: int
    size: int
    used: int
    leased: int


class PoolLossOut(Schema):
    """A router with pools of its own dies: `sessions` hold addresses (or prefixes: `kind`) of those, `free` are there
    for them at the other routers of its site and in the pools that all share. `missing`: for how many sessions there is
    none now; `missing_at_peak`: how many it would have been when most was in use, within a month. `words`: the same."""

    router_id: int
    kind: PoolKind
    others: int
    sessions: int
    free: int
    missing: int
    peak_used: int
    peak_at: datetime
    missing_at_peak: int
    words: str


class PoolLossesOut(Schema):
    """What the death of each router would mean, the worst first, 200 at most."""

    items: list[PoolLossOut]


@router.get(
    "/nas",
    auth=Token("routers.see"),
    response=Listing[NasOut],
    tags=["network"],
    summary="RADIUS clients",
)
def nas_list(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(queries.nases(scope(request)), page)


@router.put(
    "/routers/{router_id}/nas",
    auth=Token("routers.edit"),
    response=NasOut,
    tags=["network"],
    summary="Make a router a RADIUS client, or change how it is one",
)
def save_nas(request: HttpRequest, router_id: int, payload: NasIn) -> Nas:
    one(request, NetworkRouter.objects.all(), router_id, "router")
    facts = {"secret": ""} | given(payload)
    return actions.save_nas(router_id=router_id, by=actor_of(request), at=clock.now(), **facts)


@router.get(
    "/routers/{router_id}/nas",
    auth=Token("routers.see"),
    response=NasOut,
    tags=["network"],
    summary="A router as a RADIUS client",
)
def read_nas(request: HttpRequest, router_id: int) -> Nas:
    one(request, NetworkRouter.objects.all(), router_id, "router")
    found = Nas.objects.filter(router_id=router_id).first()
    if found is None:
        raise Refused("This router is no RADIUS client yet.", code="unknown")
    return found


@router.get(
    "/pools/{pool_id}/use",
    auth=Token("pools.see"),
    response=PoolUseOut,
    tags=["network"],
    summary="How full a pool is",
)
def pool_use(request: HttpRequest, pool_id: int) -> dict[str, int]:
    one(request, Pool.objects.all(), pool_id, "pool")
    return {"pool_id": pool_id} | queries.pool_use([pool_id])[pool_id]._asdict()


@router.get(
    "/pool-losses",
    auth=Token("pools.see"),
    response=PoolLossesOut,
    tags=["network"],
    summary="Whether the pools bear the loss of each router",
)
def pool_losses(request: HttpRequest) -> dict[str, Any]:
    found = one_less.losses(scope(request), at=clock.now())[:LOSSES_MAX]
    items = [
        loss._asdict()
        | {"router_id": loss.router.pk, "missing": loss.missing, "words": loss.words}
        | {"peak_used": loss.peak.used, "peak_at": loss.peak.at}
        for loss in found
    ]
    return {"items": items}


@router.get(
    "/logins",
    auth=Token("services.see"),
    response=Listing[LoginOut],
    tags=["services"],
    summary="Logins, newest first",
)
def logins(request: HttpRequest, search: Query[LoginSearch]) -> dict[str, Any]:
    rows = within(request, Subscriber.objects.all())
    if search.service_id is not None:
        rows = rows.filter(service_id=search.service_id)
    return private_listing(request, "logins", rows, search)


@router.post(
    "/logins",
    auth=Token("services.edit"),
    response={201: LoginOut},
    tags=["services"],
    summary="Create a login; an address or MAC belongs to one active service",
)
def create_login(request: HttpRequest, payload: LoginIn) -> Subscriber:
    one(request, Service.objects.all(), payload.service_id, "service", field="service_id")
    return actions.create_subscriber(by=actor_of(request), at=clock.now(), **given(payload))


@router.get("/logins/{login_id}", auth=Token("services.see"), response=LoginOut, tags=["services"], summary="A login")
def login(request: HttpRequest, login_id: int) -> Subscriber:
    found = one(request, Subscriber.objects.select_related("service"), login_id, "login")
    seen(request, found.service.customer_id, found.partner_id, "login")
    return found


@router.patch(
    "/logins/{login_id}",
    auth=Token("services.edit"),
    response=LoginOut,
    tags=["services"],
    summary="Change a login's address and MACs",
)
def update_login(request: HttpRequest, login_id: int, payload: LoginChange) -> Subscriber:
    one(request, Subscriber.objects.all(), login_id, "login")
    return actions.set_addresses(login_id, by=actor_of(request), at=clock.now(), **given(payload))


@router.put(
    "/logins/{login_id}/password",
    auth=Token("services.edit"),
    response=LoginOut,
    tags=["services"],
    summary="Set a login's password; sessions stay on",
)
def set_password(request: HttpRequest, login_id: int, payload: PasswordIn) -> Subscriber:
    found = one(request, Subscriber.objects.all(), login_id, "login")
    actions.change_password(login_id, password=payload.password, by=actor_of(request), at=clock.now())
    return found


@router.get(
    "/sessions",
    auth=Token("sessions.see"),
    response=Listing[LiveOut],
    tags=["sessions"],
    summary="Sessions that are on, newest first",
)
def sessions(request: HttpRequest, search: Query[SessionSearch]) -> dict[str, Any]:
    rows = queries.online_sessions(scope(request), search.q)
    if search.service_id is not None:
        rows = rows.filter(service_id=search.service_id)
    return private_listing(request, "sessions", rows, search)


@router.get(
    "/sessions/past",
    auth=Token("sessions.see"),
    response=Listing[PastOut],
    tags=["sessions"],
    summary="A service's ended sessions, newest first",
)
def past_sessions(request: HttpRequest, search: Query[PastSearch]) -> dict[str, Any]:
    service = one(request, Service.objects.all(), search.service_id, "service", field="service_id")
    seen(request, service.customer_id, service.partner_id, "past sessions")
    wanted = history.Past(
        router_id=search.router_id, terminate_cause=search.terminate_cause, since=search.since, until=search.until
    )
    return listing(history.narrowed(SessionLog.objects.filter(service_id=service.pk), wanted), search)


@router.post(
    "/sessions/{session_id}/disconnect",
    auth=Token("sessions.edit"),
    response=DisconnectOut,
    tags=["sessions"],
    summary="Ask a session's router to cut it",
)
def disconnect(request: HttpRequest, session_id: int) -> CoaIntent:
    one(request, SessionLive.objects.all(), session_id, "session")
    return actions.request_disconnect(session_id, by=actor_of(request), at=clock.now())


@router.get(
    "/services/{service_id}/router",
    auth=Token("sessions.see"),
    response=ConfirmedOut,
    tags=["sessions"],
    summary="What the router of a service confirmed last",
)
def router_confirmed(request: HttpRequest, service_id: int) -> queries.Confirmed:
    found = one(request, Service.objects.all(), service_id, "service")
    seen(request, found.customer_id, found.partner_id, "router confirmed")
    told = queries.router_confirmed(service_id)
    if told is None:
        raise Refused("No router was told anything about this service yet.", code="unknown")
    return told
