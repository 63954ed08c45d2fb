"""Who may pass which URL, and as whom. Every staff view stands behind `page`, or is marked `public`.

Knows requests and roles; no business noun.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone

from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.staff.models import Login, LoginKind
from demarc.staff.permissions import PERMISSIONS, grants
from demarc.ui import menu

PUBLIC = "public"

View = Callable[..., HttpResponseBase]
M = TypeVar("M", bound=Model)


def page(permission: str) -> Callable[[View], View]:
    """Only staff whose role grants `permission` pass; others are asked to log in, or told what they lack."""
    if permission not in PERMISSIONS:
        raise KeyError(f"{permission} is not in staff.permissions")

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return _ask_to_log_in(request)
            if not permitted(request, permission):
                return forbidden(request, permission)
            return _let_in(view, request, *args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined] # read by the test of URLs
        return guarded

    return decorate


def signed_in(view: View) -> View:
    """Any member of staff passes, whatever the role: pages about the viewer's own login."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _ask_to_log_in(request)
        if staff_login(request) is None:
            return forbidden(request, "")
        return _let_in(view, request, *args, **kwargs)

    guarded.permission = "signed_in"  # type: ignore[attr-defined] # read by the test of URLs
    return guarded


def public(view: View) -> View:
    """Anybody passes."""
    view.permission = PUBLIC  # type: ignore[attr-defined] # read by the test of URLs
    return view


def staff_login(request: HttpRequest) -> Login | None:
    """The member of staff behind the request; None for nobody and for a customer, whose door is another."""
    user = request.user
    return user if isinstance(user, Login) and user.kind == LoginKind.STAFF else None


def login_of(request: HttpRequest) -> Login:
    """The member of staff behind a request that passed a door."""
    login = staff_login(request)
    if login is None:
        raise PermissionDenied
    return login


def permitted(request: HttpRequest, permission: str) -> bool:
    """Whether the viewer's role grants it."""
    login = staff_login(request)
    return bool(login and login.role and grants(login.role.permissions, permission))


def actor_of(request: HttpRequest) -> Actor:
    """The viewer as the operation log names him."""
    login = staff_login(request)
    address = request.META.get("REMOTE_ADDR", "")
    request_id = getattr(request, "request_id", "")
    if login is None:
        return Actor("staff", 0, "nobody", address, request_id)
    return Actor("staff", login.pk, str(login), address, request_id)


def scope(request: HttpRequest) -> list[int] | None:
    """The partners whose rows the viewer may see; None: all."""
    if not hasattr(request, "partner_ids"):
        login = staff_login(request)
        ids = list(login.partners.values_list("id", flat=True)) if login else []
        request.partner_ids = ids or None  # type: ignore[attr-defined] # kept for the request
    partner_ids: list[int] | None = request.partner_ids  # type: ignore[attr-defined] # set above
    return partner_ids


def within(request: HttpRequest, rows: QuerySet[M], key: str = "partner_id") -> QuerySet[M]:
    """Those of `rows` that belong to the viewer's partners; every query of a page starts here."""
    partner_ids = scope(request)
    return rows if partner_ids is None else rows.filter(**{f"{key}__in": partner_ids})


def partners(request: HttpRequest) -> QuerySet[Partner]:
    """The partners that the viewer works for."""
    return within(request, Partner.objects.order_by("name"), "id")


def zone(request: HttpRequest) -> str | None:
    """Where the viewer's clock hangs: his own setting, else with the first of the partners that he works for."""
    login = staff_login(request)
    if login is None or login.zone:
        return login.zone if login else None
    return within(request, Partner.objects.order_by("id"), "id").values_list("zone", flat=True).first()


def forbidden(request: HttpRequest, permission: str) -> HttpResponse:
    """The page that says what is missing, and to whom to turn."""
    login = staff_login(request)
    lacking = {
        "lacks": PERMISSIONS.get(permission, ""),
        "role": login.role if login else None,
        "customer": login is None,
    }
    return render(request, "staff/forbidden.html", lacking, status=403)


class May:
    """What the viewer may do, for templates: `may.customers_edit`."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getitem__(self, word: str) -> bool:
        return permitted(self._request, word.replace("_", "."))


def viewer(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the viewer, what he may do, and his menu."""
    login = staff_login(request)
    if login is None:
        return {"may": May(request), "viewer": None, "menu": []}
    lines = menu.lines(lambda permission: permitted(request, permission), request.path)
    return {"may": May(request), "viewer": login, "menu": lines}


def _let_in(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """The view, with times shown in the viewer's zone."""
    with timezone.override(zone(request)):
        return view(request, *args, **kwargs)


def _ask_to_log_in(request: HttpRequest) -> HttpResponse:
    """The login page, leading back here; a fragment asks the browser to load the whole page anew."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
