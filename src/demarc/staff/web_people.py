"""How the people who work here log in, for whoever looks after them. Knows no business noun."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from demarc.base import clock, log
from demarc.core.errors import Refused
from demarc.staff import actions
from demarc.staff.doors import actor_of, ask_for_proof, page, proved_lately, proven, scope, words
from demarc.staff.forms import RolesForm
from demarc.staff.models import Login, Role
from demarc.staff.pages import carried_out, list_page, seen
from demarc.staff.permissions import covers
from demarc.staff.queries import factors_of, handle_of, second_factors, sessions_of, staff_within, words_of
from demarc.ui.components import age, chip
from demarc.ui.forms import form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec

FACTOR = (("has", "Has one"), ("lacks", "Has none"), ("must", "Must have one, has none"))


def rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[Login]:
    """The people the viewer may see, with what their row shows."""
    open_now = Q(sessions__expire_date__gt=Now())
    found = staff_within(scope(request)).annotate(
        has_factor=Exists(second_factors().filter(user_id=OuterRef("pk"))),
        open_sessions=Count("sessions", filter=open_now, distinct=True),
        seen_at=Max("sessions__seen_at", filter=open_now),
    )
    if text := picked.get("q", ""):
        found = found.filter(Q(username__icontains=text) | Q(name__icontains=text))
    wanted = picked.get("factor")
    if wanted:
        found = found.filter(has_factor=wanted == "has")
    if wanted == "must":
        found = found.filter(role__second_factor=True)
    return found.order_by("username")


def factor_word(login: Any) -> str:
    """What is asked of somebody besides the password, in a word."""
    if login.has_factor:
        return "Set up"
    return "Missing" if login.role and login.role.second_factor else "None"


def factor_chip(login: Any) -> Any:
    """The same with its colour."""
    words = {"Set up": "active", "Missing": "blocked", "None": "inactive"}
    return chip(words[factor_word(login)], factor_word(login))


PEOPLE = ListSpec(
    name="signing_in",
    one="person",
    many="people",
    search="User name or name",
    filters=(Filter("factor", "Second factor", lambda request: FACTOR),),
    columns=(
        Column(
            label="User name", value=lambda login: login.username, href=lambda login: reverse("login", args=[login.pk])
        ),
        Column(label="Name", value=lambda login: login.name),
        Column(label="Role", value=lambda login: login.role.name if login.role else ""),
        Column(label="Second factor", value=factor_word, shown=factor_chip),
        Column(label="Sessions", value=lambda login: login.open_sessions, number=True),
        Column(
            label="Last seen",
            value=lambda login: login.seen_at,
            shown=lambda login: age(login.seen_at) if login.seen_at else "Not logged in",
        ),
    ),
    rows=rows,
    empty="Nobody but you works here yet.",
)


@page("staff.see")
def people(request: HttpRequest) -> HttpResponseBase:
    """Who logs in with what, and where."""
    roles = list(Role.objects.filter(second_factor=True).order_by("name"))
    return list_page(request, PEOPLE, "staff/people.html", title="Staff logins", roles=roles)


@page("roles.edit")
@proven
def roles(request: HttpRequest) -> HttpResponse:
    """Which roles must have a second factor."""
    if scope(request) is not None:
        messages.error(request, "Roles are shared by all providers; somebody who works for all of them changes them.")
        return redirect("signing_in")
    held = list(Role.objects.order_by("name"))
    form = RolesForm(posted(request), initial={"roles": [role.pk for role in held if role.second_factor]})
    form.offer("roles", [(role.pk, role.name) for role in held])

    def act() -> None:
        wanted, mine = form.cleaned_data["roles"], words(request)
        actions.require_second_factor(wanted, held=mine, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "require_second_factor", ("role", None), act):
        messages.success(request, "Saved. Who lacks a second factor is led to set one up at the next click.")
        return redirect("signing_in")
    told = {"title": "Roles with a second factor", "submit": "Save", "back_label": "Staff logins"}
    return form_page(request, form, back=reverse("signing_in"), **told)


@page("staff.edit")
def person(request: HttpRequest, staff_id: int) -> HttpResponse:
    """One person's sessions and second factor; POST ends sessions (`end`) or takes the factor away (`remove`)."""
    login = staff_within(scope(request)).filter(pk=staff_id).first()
    if login is None:
        raise Http404
    open_sessions = [(handle_of(row.session_key), row, False) for row in sessions_of(login.pk)]
    below = _below(request, login)
    if request.method == "POST":
        if not proved_lately(request):
            return ask_for_proof(request)
        _carry_out(request, login, [handle for handle, *_ in open_sessions], below)
        return redirect("login", login.pk)
    seen(request, ("login", login.pk), None)
    shown = {"login": login, "rows": open_sessions, "may_act": below, **factors_of(login.pk)}
    return render(request, "staff/person.html", shown)


def _below(request: HttpRequest, login: Login) -> bool:
    """Whether the viewer may do all that this person may: nobody gets at a login that may do more than his own."""
    return covers(words(request), words_of(login))


def _carry_out(request: HttpRequest, login: Login, handles: Sequence[str], below: bool) -> None:
    """What was asked by a button of the page; its outcome is the next page's message."""
    by, at, wanted = actor_of(request), clock.now(), request.POST.get("end", "")
    try:
        if not below:
            raise Refused("This person may do more than you; somebody who may do as much has to do it.", code="above")
        if "remove" in request.POST:
            actions.remove_factors(login.pk, by=by, at=at)
            messages.success(request, "The second factor is taken away and all sessions are ended.")
        else:
            ended = actions.end_sessions(login.pk, handles if wanted == "all" else [wanted], by=by, at=at)
            messages.success(request, "One session is ended." if ended == 1 else f"{ended} sessions are ended.")
    except Refused as refused:
        log.record_refused("change_signing_in", by=by, at=at, subject=("login", login.pk), why=refused.code)
        messages.error(request, refused.message)
