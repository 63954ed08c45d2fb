"""Programs' keys: who made them, what each may do, from where and until when. Knows no business noun."""

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from demarc.base import clock
from demarc.base.models import Partner
from demarc.core.errors import Refused
from demarc.staff import actions
from demarc.staff.actions.tokens import Limits
from demarc.staff.doors import actor_of, page, partners, proven, scope, words, zone
from demarc.staff.forms import SureForm
from demarc.staff.forms_rights import TokenForm, boxes_checked, matrix
from demarc.staff.models import ApiToken, Role
from demarc.staff.pages import carried_out
from demarc.staff.permissions import covers, spread
from demarc.staff.queries import opens, scopes_of
from demarc.ui.forms import form_page, posted

SHOWN = 200


@page("tokens.edit")
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens of the viewer's providers, those that open something first."""
    at = clock.now()
    rows = list(_mine(request).prefetch_related("partners").order_by("revoked_at", "-id")[:SHOWN])
    listed = [(one, _state(one, at), len(one.scopes or ())) for one in rows]
    return render(request, "staff/tokens.html", {"tokens": listed, "shown": SHOWN})


@page("tokens.edit")
@proven
def new_token(request: HttpRequest) -> HttpResponse:
    """A key with its limits; its text is shown in the answer and nowhere else, ever."""
    form = TokenForm(posted(request))
    mine = words(request)
    roles = list(Role.objects.order_by("name"))
    form.offer("role", [(one.pk, one.name) for one in roles if spread(one.permissions) & mine])
    form.offer("partners", [(one.pk, one.name) for one in partners(request)])

    def act() -> tuple[ApiToken, str]:
        return _made(request, form.cleaned_data)

    if carried_out(request, form, "create_token", ("token", None), act):
        token, plaintext = form.result
        answer = render(request, "staff/token_made.html", {"token": token, "plaintext": plaintext})
        answer["Cache-Control"] = "no-store"
        return answer
    checked = frozenset(boxes_checked(request))
    told: dict[str, Any] = {"title": "New API token", "submit": "Make the token", "back_label": "API tokens"}
    told["hint"] = "Of what its role may do, only this holds. What you may not do yourself you cannot give."
    return form_page(request, form, "staff/rights_form.html", back=reverse("tokens"), rooms=matrix(checked), **told)


@page("tokens.edit")
@proven
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """The key opens nothing any more."""
    token = _mine(request).filter(pk=token_id).first()
    if token is None:
        raise Http404
    form = SureForm(posted(request))

    def act() -> None:
        if not covers(words(request), scopes_of(token)):
            raise Refused("This token may do more than you; somebody who may do as much revokes it.", code="above")
        actions.revoke_token(token_id, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "revoke_token", ("token", token_id), act):
        messages.success(request, f"{token.name} opens nothing any more.")
        return redirect("tokens")
    told: dict[str, Any] = {
        "title": f"Revoke {token.name}",
        "submit": "Revoke",
        "danger": True,
        "back_label": "API tokens",
    }
    lines = ("The program that uses it is refused from now on.", "It cannot be taken back.")
    return form_page(request, form, back=reverse("tokens"), consequences=lines, **told)


def _mine(request: HttpRequest) -> QuerySet[ApiToken]:
    """The tokens that work for none but the viewer's providers."""
    rows, mine = ApiToken.objects.select_related("role"), scope(request)
    if mine is None:
        return rows
    elsewhere = ApiToken.objects.filter(Q(partners=None) | Q(partners__in=Partner.objects.exclude(pk__in=mine)))
    return rows.exclude(pk__in=elsewhere.values("pk"))


def _made(request: HttpRequest, given: dict[str, Any]) -> tuple[ApiToken, str]:
    """The token as the form asks for it. Refused: for all providers, by somebody who works for some only."""
    chosen = tuple(given["partners"])
    if not chosen and scope(request) is not None:
        raise Refused("You work for some providers only; choose among them.", field="partners", code="unbound")
    limits = Limits(
        scopes=frozenset(boxes_checked(request)) if given["narrowed"] else None,
        networks=tuple(given["networks"].split()),
        partners=chosen,
        held=words(request),
    )
    role = Role.objects.get(pk=given["role"])
    expires = _end_of(request, given["expires_on"]) if given["expires_on"] else None
    by, at = actor_of(request), clock.now()
    return actions.create_token(given["name"], role.name, by=by, at=at, expires_at=expires, limits=limits)


def _end_of(request: HttpRequest, day: Any) -> datetime:
    """The first moment after the day, by the viewer's clock."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone(request) or "UTC"))


def _state(token: ApiToken, at: datetime) -> str:
    if token.revoked_at:
        return "Revoked"
    return "Open" if opens(token, at) else "Expired"
