"""The REST API under /api/v1/: collects the rooms' routers and turns what goes wrong into problems (RFC 9457)."""

import logging
from collections.abc import Callable, Sequence
from functools import cached_property
from http.client import responses
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from demarc import __version__
from demarc.access.api import router as access
from demarc.access.api_decisions import router as decisions
from demarc.access.api_fair_use import router as fair_use
from demarc.access.api_nat import router as nat
from demarc.access.api_orders import router as orders
from demarc.billing.api import router as billing
from demarc.billing.api_changes import router as changes
from demarc.billing.api_conversion import router as conversions
from demarc.billing.api_credits import router as credits_
from demarc.billing.api_days import router as days
from demarc.billing.api_documents import router as documents
from demarc.billing.api_dunning import router as dunning
from demarc.billing.api_terms import router as calendars
from demarc.billing.api_waves import router as waves
from demarc.billing.api_whatif import router as what_if
from demarc.billing.api_why import router as explanations
from demarc.core.errors import Refused
from demarc.customers.api import router as customers
from demarc.messages.api import router as messages
from demarc.network.api import router as network
from demarc.plans.api import router as plans
from demarc.plans.api_services import router as services
from demarc.project.openapi import DESCRIPTION, PROBLEM_TYPE, TAGS, Document
from demarc.staff.api_log import router as log_entries
from demarc.staff.apidoor import WINDOW_S, TooMany, write_down_refused

ROOT = "/api/v1/"
STATUS_OF_CODE = {"unknown": 404, "forbidden": 403, "conflict": 409, "taken": 409, "overlap": 409}
DETAIL_OF_STATUS = {
    404: "There is nothing at this address.",
    405: "This address takes other methods; the header Allow names them.",
    500: "Something went wrong here, and it was written down.",
}
READS = ("GET", "HEAD", "OPTIONS")

logger = logging.getLogger(__name__)


class Api(NinjaAPI):
    """Its document is made once, and names operations as the code does."""

    @cached_property
    def document(self) -> OpenAPISchema:
        """The OpenAPI document."""
        return Document(self, ROOT.lstrip("/"))

    def get_openapi_schema(self, **_: Any) -> OpenAPISchema:
        """What /api/v1/openapi.json answers."""
        return self.document

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """The operation's function; rooms do not share names."""
        return operation.view_func.__name__


api = Api(
    title="Demarc",
    version=__version__,
    description=DESCRIPTION.strip(),
    docs_url=None,
    openapi_url="/openapi.json",
    openapi_extra={"tags": [{"name": name, "description": words} for name, words in TAGS.items()]},
    urls_namespace="api",
)
for router in (
    customers,
    plans,
    services,
    billing,
    days,
    documents,
    credits_,
    changes,
    conversions,
    what_if,
    explanations,
    calendars,
    dunning,
    waves,
    network,
    access,
    orders,
    decisions,
    fair_use,
    nat,
    messages,
    log_entries,
):
    api.add_router("", router)


def problem(request: HttpRequest, status: int, detail: str, **members: Any) -> JsonResponse:
    """A problem answer (RFC 9457 section 3)."""
    body = {"type": "about:blank", "title": responses.get(status, ""), "status": status, "detail": detail}
    body |= members | {"request_id": getattr(request, "request_id", "")}
    return JsonResponse(body, status=status, content_type=PROBLEM_TYPE)


def failed(request: HttpRequest, status: int, detail: str, **members: Any) -> JsonResponse:
    """A problem answer; nothing of what the operation wrote stays."""
    transaction.set_rollback(True)
    return problem(request, status, detail, **members)


@api.exception_handler(Refused)
def on_refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """An action would not do it: why, at which field, and who stands in the way."""
    members: dict[str, Any] = {"code": refusal.code}
    if refusal.field:
        members["errors"] = [{"field": refusal.field, "message": refusal.message}]
    if refusal.holder:
        members["holder"] = {"kind": refusal.holder[0], "id": refusal.holder[1]}
    if request.method not in READS:
        request.refusal = (refusal.code, refusal.field)  # type: ignore[attr-defined] # logged after it
    return failed(request, STATUS_OF_CODE.get(refusal.code, 422), refusal.message, **members)


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """The request is not of the operation's form: field by field."""
    errors = [{"field": _field(found["loc"]), "message": found["msg"]} for found in error.errors]
    return failed(request, 422, "Correct the fields named in errors.", code="invalid", errors=errors)


def _field(place: Sequence[str | int]) -> str:
    """The name of a field, as a program sent it, from where it lies: "body", "payload", "macs", 0."""
    return ".".join(str(part) for part in place[1:] if part != "payload") or str(place[0])


@api.exception_handler(AuthenticationError)
def on_unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """No token, or one that opens nothing."""
    answer = failed(request, 401, "Send a valid API token: Authorization: Bearer TOKEN.")
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(TooMany)
def on_too_many(request: HttpRequest, error: TooMany) -> HttpResponse:
    """The token, or the network, comes too often (RFC 6585 section 4)."""
    answer = failed(request, 429, error.message)
    answer.headers["Retry-After"] = str(WINDOW_S)
    return answer


@api.exception_handler(RequestDataTooBig)
def on_too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    """More than settings.DATA_UPLOAD_MAX_MEMORY_SIZE."""
    return failed(request, 413, "The request's body is too large.")


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """A token that may not, or a body that is no JSON."""
    if error.status_code == 403:
        request.refusal = ("forbidden", "")  # type: ignore[attr-defined] # logged after it
    return failed(request, error.status_code, error.message)


@api.exception_handler(Exception)
def on_bug(request: HttpRequest, error: Exception) -> HttpResponse:
    """A bug: told without its insides, which are in the process's own log."""
    logger.error("Request %s failed", getattr(request, "request_id", ""), exc_info=error)
    return failed(request, 500, f"{DETAIL_OF_STATUS[500]} Nothing of the request was done.")


def problems(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Django middleware: what the API refused is logged, and what fails outside its operations is a problem, too.

    After the request's transaction, so that the log row neither waits for it nor is lost with it.
    """

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not request.path.startswith(ROOT):
            return response
        if refusal := getattr(request, "refusal", None):
            write_down_refused(request, *refusal)
        if response.status_code < 400 or response.headers.get("Content-Type") == PROBLEM_TYPE:
            return response
        told = problem(request, response.status_code, DETAIL_OF_STATUS.get(response.status_code, "It was refused."))
        if "Allow" in response.headers:
            told.headers["Allow"] = response.headers["Allow"]
        return told

    return answer


def operations() -> list[tuple[str, str]]:
    """(method and path, permission) of every operation, for whoever asks who may do what."""
    found = [
        (f"{method.upper()} {path}", details.get("x-permission", ""))
        for path, methods in api.document["paths"].items()
        for method, details in methods.items()
    ]
    return [(label, word) for label, word in found if word]
