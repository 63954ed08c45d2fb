"""The REST API under /api/v1/: collects the rooms' routers and turns what goes wrong into problem answers."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from demarc import __version__
from demarc.access.api import router as access
from demarc.billing.api import router as billing
from demarc.core.errors import Refused
from demarc.customers.api import router as customers
from demarc.network.api import router as network
from demarc.plans.api import router as plans
from demarc.staff.apidoor import invalid, problem, refused

api = NinjaAPI(
    title="Demarc",
    version=__version__,
    description="Amounts are decimal strings in the account's currency. Lists answer with `items` and `next`: "
    "repeat the request with `after=next` until `next` is null. Problems are RFC 9457.",
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api",
)
for router in (customers, plans, billing, network, access):
    api.add_router("", router)


@api.exception_handler(Refused)
def on_refused(request: HttpRequest, refusal: Refused) -> HttpResponse:
    """An action would not do it; nothing of the request stays."""
    transaction.set_rollback(True)
    return refused(refusal)


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """The request is not of the operation's form."""
    return invalid(list(error.errors))


@api.exception_handler(AuthenticationError)
def on_unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """No token, or one that opens nothing."""
    answer = problem(401, "Unauthorized", detail="Send a valid API token: Authorization: Bearer TOKEN.")
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the framework itself refuses: a body that is no JSON, a token that may not."""
    return problem(error.status_code, "Forbidden" if error.status_code == 403 else "Bad request", detail=str(error))
