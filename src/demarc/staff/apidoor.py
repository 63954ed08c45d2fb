"""The API's door: bearer tokens, what each may do, and problem answers (RFC 9457). Knows no business noun."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest, JsonResponse
from ninja import Schema
from ninja.errors import HttpError
from ninja.security import HttpBearer

from demarc.base import clock
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.staff.models import ApiToken
from demarc.staff.permissions import PERMISSIONS, grants
from demarc.staff.queries import token_for

KEY_LENGTH_MAX = 100
LIMIT_MAX = 200
STATUS_OF_CODE = {"unknown": 404, "conflict": 409, "taken": 409, "held": 409, "overlap": 409}

M = TypeVar("M", bound=Model)


class Page(Schema):
    """Which page of a list is wanted: the rows behind `after`, at most `limit` (and LIMIT_MAX)."""

    after: int | None = None
    limit: int = 50


class Token(HttpBearer):
    """Lets a token pass whose role grants `permission`; hang it on an operation as `auth=Token("customers.see")`."""

    openapi_scheme = "bearer"

    def __init__(self, permission: str) -> None:
        if permission not in PERMISSIONS:
            raise KeyError(f"{permission} is not in staff.permissions")
        self.permission = permission
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """The token's row, or None (401). A token that may not do this is told so (403)."""
        found = token_for(token, at=clock.now())
        if found is None:
            return None
        if not grants(found.role.permissions, self.permission):
            raise HttpError(403, f"This token's role does not grant {self.permission}.")
        return found


def token_of(request: HttpRequest) -> ApiToken:
    """The token that opened the door."""
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    return token


def actor_of(request: HttpRequest) -> Actor:
    """The token as the operation log names it."""
    token = token_of(request)
    return Actor("token", token.pk, token.name, request.META.get("REMOTE_ADDR", ""), getattr(request, "request_id", ""))


def scope(request: HttpRequest) -> list[int] | None:
    """The partners whose rows the token may see; None: all."""
    return list(token_of(request).partners.values_list("id", flat=True)) or None


def within(request: HttpRequest, rows: QuerySet[M], key: str = "partner_id") -> QuerySet[M]:
    """Those of `rows` that belong to the token's partners; every query of the API starts here."""
    partner_ids = scope(request)
    return rows if partner_ids is None else rows.filter(**{f"{key}__in": partner_ids})


def one(request: HttpRequest, rows: QuerySet[M], row_id: int, noun: str) -> M:
    """The row of this id among those the token may see. Refused (404): there is none."""
    found = within(request, rows).filter(pk=row_id).first() if 0 < row_id < 2**63 else None
    if found is None:
        raise Refused(f"There is no {noun} {row_id}.", code="unknown")
    return found


def partner_of(request: HttpRequest, partner_id: int) -> int:
    """The partner that a new row is for. Refused: the token does not work for it."""
    partner_ids = scope(request)
    if partner_ids is not None and partner_id not in partner_ids:
        raise Refused(f"There is no partner {partner_id}.", field="partner_id", code="unknown")
    return partner_id


def idempotency_key(request: HttpRequest) -> str:
    """The Idempotency-Key of a request that moves money, made the token's own. Refused: missing or too long."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not key or len(key) > KEY_LENGTH_MAX or not key.isprintable():
        raise Refused(
            f"Send an Idempotency-Key header of 1 to {KEY_LENGTH_MAX} characters, the same again when you repeat the "
            "request, so that the money moves once.",
            field="Idempotency-Key",
            code="idempotency_key",
        )
    return f"api:{token_of(request).pk}:{key}"


def problem(status: int, title: str, **members: Any) -> JsonResponse:
    """A problem answer, RFC 9457 section 3."""
    body = {"type": "about:blank", "title": title, "status": status} | members
    return JsonResponse(body, status=status, content_type="application/problem+json")


def refused(refusal: Refused) -> JsonResponse:
    """What an action would not do, at the field that is to blame, with who stands in the way."""
    members: dict[str, Any] = {"detail": refusal.message, "code": refusal.code}
    if refusal.field:
        members["errors"] = [{"field": refusal.field, "message": refusal.message}]
    if refusal.holder:
        members["holder"] = {"kind": refusal.holder[0], "id": refusal.holder[1]}
    return problem(STATUS_OF_CODE.get(refusal.code, 422), "Refused", **members)


def invalid(errors: list[Mapping[str, Any]]) -> JsonResponse:
    """A request whose shape is wrong, field by field."""
    found = [{"field": ".".join(str(part) for part in error["loc"][1:]), "message": error["msg"]} for error in errors]
    return problem(422, "Invalid request", detail="Correct the fields named in errors.", errors=found)


def listing(
    rows: QuerySet[M], shape: Callable[[M], dict[str, Any]], *, after: int | None, limit: int
) -> dict[str, Any]:
    """A page of at most `limit` rows, the newest first, from behind the row `after` on (keyset pagination by id)."""
    limit = max(1, min(limit, LIMIT_MAX))
    wanted = rows.order_by("-pk") if after is None else rows.filter(pk__lt=after).order_by("-pk")
    found = list(wanted[: limit + 1])
    items = [shape(row) for row in found[:limit]]
    return {"items": items, "next": found[limit - 1].pk if len(found) > limit else None}


def given(payload: Schema) -> dict[str, Any]:
    """The fields that the request names, and no others."""
    return payload.model_dump(exclude_unset=True)
