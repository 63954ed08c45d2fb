"""Who may pass which URL, and as whom. Every staff view stands behind `page`, or is marked `public`.

Knows requests and roles; no business noun.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from demarc.base import clock
from demarc.base.actors import Actor
from demarc.base.confinement import confined, confined_stream
from demarc.base.models import Partner
from demarc.staff import sessions
from demarc.staff.actions import note_seen
from demarc.staff.models import Login, LoginKind, Role
from demarc.staff.permissions import ALL, PERMISSIONS, spread
from demarc.staff.queries import has_second_factor, words_of, works_for
from demarc.ui import menu

PUBLIC = "public"
VIEWED_AS = "viewed_as"
"""Where a session keeps the id of the role as which its holder looks at the application."""
PROOF_LASTS = timedelta(minutes=15)

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
            if _lacks_second_factor(request, view):
                return redirect("security")
            if not permitted(request, permission):
                return forbidden(request, permission)
            if _only_looks(request, view):
                return forbidden(request, "")
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
        if _lacks_second_factor(request, view):
            return redirect("security")
        if _only_looks(request, view):
            return forbidden(request, "")
        return _let_in(view, request, *args, **kwargs)

    guarded.permission = "signed_in"  # type: ignore[attr-defined] # read by the test of URLs
    return guarded


def proven(view: View) -> View:
    """Only who has proved lately that he is who he was passes: stand it under `page`, before what shows secrets, gives
    money back, changes rights or takes many rows away. Others are asked for their password, and then are back here.

    What was sent by POST is not carried out afterwards: the page it came from is shown, to send it again.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if proved_lately(request) else ask_for_proof(request)

    guarded.proven = True  # type: ignore[attr-defined] # read by the test of doors
    return guarded


def while_viewing(view: View) -> View:
    """Carried out also for who views as a role, who else changes nothing: stand it under `signed_in`."""
    view.while_viewing = True  # type: ignore[attr-defined] # read by the doors
    return view


def before_second_factor(view: View) -> View:
    """Also who lacks the second factor that his role must have passes: stand it under `signed_in`."""
    view.before_second_factor = True  # type: ignore[attr-defined] # read by the doors
    return view


def proved_lately(request: HttpRequest) -> bool:
    """Whether the last proof is younger than PROOF_LASTS; a clock that was set back makes none younger."""
    then = sessions.proven_at(request)
    return then is not None and timedelta(0) <= clock.now() - then < PROOF_LASTS


def ask_for_proof(request: HttpRequest) -> HttpResponse:
    """The page that asks for a proof, leading back here; what was posted is dropped, and that is said."""
    back = request.get_full_path()
    if request.method != "GET":
        back = came_from(request)
        messages.warning(request, "Nothing was done yet: prove first that it is you, then send it again.")
    address = f"{reverse('prove')}?{urlencode({'next': back})}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    return redirect(address)


def came_from(request: HttpRequest) -> str:
    """The page of ours whose form this is, by what the browser says; else the dashboard."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(referer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


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


def words(request: HttpRequest) -> frozenset[str]:
    """All that the viewer may do: by his role, with what is his own besides; or as the role that he views as."""
    if not hasattr(request, "staff_words"):
        login, role = staff_login(request), viewed_as(request)
        held = spread(role.permissions) if role else words_of(login) if login else frozenset()
        unbound = login is not None and login.role is not None and login.role.bound and not scope(request)
        request.staff_words = frozenset() if unbound else held  # type: ignore[attr-defined] # kept for the request
    found: frozenset[str] = request.staff_words  # type: ignore[attr-defined] # set above
    return found


def viewed_as(request: HttpRequest) -> Role | None:
    """The role as which the viewer looks at the application; None: as himself."""
    if not hasattr(request, "viewed_as"):
        role_id = request.session.get(VIEWED_AS)
        login = staff_login(request) if role_id else None
        may_view = login is not None and ALL in words_of(login)
        found = Role.objects.filter(pk=int(role_id)).first() if role_id and may_view else None
        request.viewed_as = found  # type: ignore[attr-defined] # kept for the request
    role: Role | None = request.viewed_as  # type: ignore[attr-defined] # set above
    return role


def permitted(request: HttpRequest, permission: str) -> bool:
    """Whether the viewer may do what the permission names."""
    return permission in words(request)


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
        request.partner_ids = works_for(login) if login else []  # type: ignore[attr-defined] # kept for the request
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
        "role": viewed_as(request) or (login.role if login else None),
        "customer": login is None,
        "viewing": viewed_as(request),
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
    return {"may": May(request), "viewer": login, "menu": lines, "viewed_as": viewed_as(request)}


def _let_in(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """The view, with times shown in the viewer's zone, and confined to his partners' rows; and the session was seen."""
    if request.session.session_key:
        note_seen(request.session.session_key, getattr(request.session, "seen_at", None), at=clock.now())
    partner_ids, by = scope(request), actor_of(request)
    with timezone.override(zone(request)), confined(partner_ids, by):
        answer = view(request, *args, **kwargs)
    if partner_ids is not None and isinstance(answer, StreamingHttpResponse):
        pieces: Iterator[bytes] = iter(answer)
        answer.streaming_content = confined_stream(pieces, partner_ids, by)
    return answer


def _only_looks(request: HttpRequest, view: View) -> bool:
    """Whether the viewer views as a role and would change something: he who views changes nothing."""
    safe = request.method in ("GET", "HEAD", "OPTIONS") or getattr(view, "while_viewing", False)
    return not safe and viewed_as(request) is not None


def _lacks_second_factor(request: HttpRequest, view: View) -> bool:
    """Whether the viewer's role must have a second factor, he has none, and the page is not about getting one."""
    login = staff_login(request)
    if login is None or login.role is None or not login.role.second_factor:
        return False
    return not getattr(view, "before_second_factor", False) and not has_second_factor(login.pk)


def _ask_to_log_in(request: HttpRequest) -> HttpResponse:
    """The login page, leading back here; a fragment asks the browser to load the whole page anew."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401, headers={"HX-Refresh": "true"})
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
