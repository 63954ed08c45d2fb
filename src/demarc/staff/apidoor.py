"""The API's door: bearer tokens, what each may do and see, and what of it is written down. Knows no business noun."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer

from demarc.base import clock, log
from demarc.base.actors import Actor
from demarc.base.confinement import confine
from demarc.base.models import Partner
from demarc.base.throttle import Limit, network_of, spend
from demarc.core.errors import Refused
from demarc.staff.actions import note_use
from demarc.staff.models import ApiToken
from demarc.staff.permissions import PERMISSIONS, spread
from demarc.staff.queries import opens, scopes_of, token_named, used_within, works_for

WINDOW_S = 60
REQUESTS = 600
"""How many requests a token has in a window."""
WRONG_TOKENS = 30
"""How many requests with a token that opens nothing, or nothing from there, a network has in a window; each is written
down."""
BIGINT = 2**63

M = TypeVar("M", bound=Model)


class TooMany(HttpError):
    """Requests come faster than the limit; they are welcome again after the window."""

    def __init__(self) -> None:
        super().__init__(429, "That were too many requests; wait as long as Retry-After says.")


class Token(HttpBearer):
    """Lets a token pass whose role grants `permission`; hang it on an operation as `auth=Token("customers.see")`."""

    openapi_scheme = "bearer"

    def __init__(self, permission: str) -> None:
        if permission not in PERMISSIONS:
            raise KeyError(f"{permission} is not in staff.permissions")
        self.permission = permission
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """The token's row, or None (401). One that comes too often (429) or may not do this (403) is told so. From here
        on the request is confined to the rows of the token's partners."""
        at = clock.now()
        known = token_named(token)
        if known is None or not opens(known, at):
            _write_down_wrong(request, known, at)
            return None
        request.auth = known  # type: ignore[attr-defined] # as ninja does
        if not used_within(known.networks, request.META.get("REMOTE_ADDR", "")):
            _count_wrong(request, at)  # not from the budget of those who may: it may be stolen
            raise HttpError(403, "This token may not be used from this address.")
        if not spend(Limit(f"api:{known.pk}", REQUESTS, WINDOW_S), at):
            raise TooMany
        note_use(known, at=at)
        _refuse_without(request, self.permission)
        confine(scope(request), actor_of(request))
        return known


def _refuse_without(request: HttpRequest, permission: str) -> None:
    """Tell a token that lacks the permission so (403), and whether its role or its scopes lack it."""
    token = token_of(request)
    if permission not in spread(token.role.permissions):
        raise HttpError(403, f"This token's role does not grant {permission}.")
    if permission not in scopes_of(token):
        raise HttpError(403, f"This token's scopes do not name {permission}.")
    if token.role.bound and not scope(request):
        raise HttpError(403, f"This token's role is for named providers only, and it has none: no {permission}.")


def words(request: HttpRequest) -> frozenset[str]:
    """All that the token may do."""
    return scopes_of(token_of(request))


def _write_down_wrong(request: HttpRequest, known: ApiToken | None, at: datetime) -> None:
    """A request with a token that is unknown, revoked or expired: counted, and in the operation log."""
    _count_wrong(request, at)
    address = request.META.get("REMOTE_ADDR", "")
    label, subject_id = (known.name, known.pk) if known else ("unknown token", None)
    by = Actor("token", subject_id or 0, label, address, getattr(request, "request_id", ""))
    log.record_refused("token_refused", by=by, at=at, subject=("token", subject_id))


def _count_wrong(request: HttpRequest, at: datetime) -> None:
    """One request more of this network that opens nothing. Above the limit it is told so (429)."""
    network = network_of(request.META.get("REMOTE_ADDR", ""))
    if not spend(Limit(f"api-wrong:{network}", WRONG_TOKENS, WINDOW_S), at):
        raise TooMany


def token_of(request: HttpRequest) -> ApiToken:
    """The token that opened the door."""
    token: ApiToken = request.auth  # type: ignore[attr-defined] # set by Token
    return token


def actor_of(request: HttpRequest) -> Actor:
    """The token as the operation log names it."""
    token = token_of(request)
    return Actor("token", token.pk, token.name, request.META.get("REMOTE_ADDR", ""), getattr(request, "request_id", ""))


def scope(request: HttpRequest) -> list[int] | None:
    """The partners whose rows the token may see; None: all."""
    if not hasattr(request, "partner_ids"):
        request.partner_ids = works_for(token_of(request))  # type: ignore[attr-defined] # kept for the request
    partner_ids: list[int] | None = request.partner_ids  # type: ignore[attr-defined] # set above
    return partner_ids


def within(request: HttpRequest, rows: QuerySet[M], key: str = "partner_id") -> QuerySet[M]:
    """Those of `rows` that belong to the token's partners; every query of the API starts here."""
    partner_ids = scope(request)
    return rows if partner_ids is None else rows.filter(**{f"{key}__in": partner_ids})


def one(
    request: HttpRequest, rows: QuerySet[M], row_id: int, noun: str, *, key: str = "partner_id", field: str = ""
) -> M:
    """The row of this id among those the token may see. Refused (404): there is none; at `field` of the body, if that
    names it."""
    found = within(request, rows, key).filter(pk=row_id).first() if 0 < row_id < BIGINT else None
    if found is None:
        raise Refused(f"There is no {noun} {row_id}.", code="unknown", field=field)
    return found


def partner_for(request: HttpRequest, partner_id: int) -> Partner:
    """The partner that a new row is for. Refused (404): there is none, or the token does not work for him."""
    return one(request, Partner.objects.all(), partner_id, "partner", key="id", field="partner_id")


def seen(request: HttpRequest, customer_id: int, partner_id: int, what: str) -> None:
    """Write down that the token's holder read something about one customer."""
    by, at = actor_of(request), clock.now()
    log.record("viewed", by=by, at=at, subject=("customer", customer_id), partner_id=partner_id, page=what)


def listed(request: HttpRequest, noun: str, count: int, filters: Mapping[str, Any]) -> None:
    """Write down that the token's holder read a list about people: which, by what filter, how many rows."""
    picked = {name: value for name, value in filters.items() if value not in (None, "")}
    log.record("listed", by=actor_of(request), at=clock.now(), subject=(noun, None), filter=picked, count=count)


def write_down_refused(request: HttpRequest, code: str, field: str) -> None:
    """Write down, apart from the request's own transaction, what the token's holder was refused."""
    by, at = actor_of(request), clock.now()
    what = f"{request.method} {request.path}"
    log.record_refused("refused", by=by, at=at, subject=("token", by.id), what=what, code=code, field=field)
