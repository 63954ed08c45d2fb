"""Roles: what each may do, who holds it, and whether somebody can ever see something. Knows no business noun."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from demarc.base import clock
from demarc.staff import actions
from demarc.staff.actions.roles import Wished
from demarc.staff.doors import (
    VIEWED_AS,
    actor_of,
    page,
    permitted,
    proven,
    scope,
    signed_in,
    viewed_as,
    while_viewing,
    words,
)
from demarc.staff.entrances import entrances
from demarc.staff.forms import SureForm
from demarc.staff.forms_rights import NewRoleForm, QuestionForm, RoleForm, boxes_checked, matrix
from demarc.staff.models import LoginKind, Role
from demarc.staff.pages import carried_out
from demarc.staff.permissions import ALL, PARTS, covers, spread
from demarc.staff.queries import answer_about, staff_within
from demarc.staff.shipped import SHIPPED
from demarc.ui.forms import form_page, posted

HOLDERS_SHOWN = 50
PEOPLE_OFFERED = 200


@page("staff.see")
def all_roles(request: HttpRequest) -> HttpResponse:
    """Every role with how many hold it."""
    people = Count("logins", filter=Q(logins__kind=LoginKind.STAFF), distinct=True)
    rows = Role.objects.annotate(people=people, programs=Count("tokens", distinct=True)).order_by("name")
    listed = [(role, _told(role)) for role in rows]
    return render(request, "staff/roles.html", {"roles": listed})


@page("staff.see")
def role(request: HttpRequest, role_id: int) -> HttpResponse:
    """What one role may do, and who holds it."""
    found = _role(role_id)
    holders = staff_within(scope(request)).filter(role=found).order_by("username")
    shown = {
        "role": found,
        "told": _told(found),
        "rooms": matrix(spread(found.permissions)),
        "holders": holders[:HOLDERS_SHOWN],
        "more": max(0, holders.count() - HOLDERS_SHOWN),
        "changeable": permitted(request, "roles.edit") and ALL not in found.permissions,
        "may_view_as": ALL in words(request) and ALL not in found.permissions,
    }
    return render(request, "staff/role.html", shown)


@page("roles.edit")
@proven
def new_role(request: HttpRequest) -> HttpResponse:
    """A role made from another, then changed on its own page."""
    if refusal := _for_one_provider(request):
        return refusal
    form = NewRoleForm(posted(request), initial={"like": request.GET.get("like")})
    form.offer("like", [(one.pk, one.name) for one in _copyable(request)])

    def act() -> Role:
        name, like = form.cleaned_data["name"], form.cleaned_data["like"]
        return actions.create_role(name, like=like, held=words(request), by=actor_of(request), at=clock.now())

    if carried_out(request, form, "create_role", ("role", None), act):
        return redirect("edit_role", form.result.pk)
    told: dict[str, Any] = {"title": "New role", "submit": "Make the role", "back_label": "Roles"}
    return form_page(request, form, back=reverse("roles"), **told)


@page("roles.edit")
@proven
def edit_role(request: HttpRequest, role_id: int) -> HttpResponse:
    """Its name and the matrix of what it may do."""
    if refusal := _for_one_provider(request):
        return refusal
    found = _role(role_id)
    if ALL in found.permissions:
        messages.error(request, "Who may do everything, may: this role is not changed.")
        return redirect("role", role_id)
    form = RoleForm(posted(request), initial={"name": found.name, "bound": found.bound})

    def act() -> Role:
        wished = Wished(words=boxes_checked(request), **form.cleaned_data)
        return actions.save_role(role_id, wished, held=words(request), by=actor_of(request), at=clock.now())

    if carried_out(request, form, "save_role", ("role", role_id), act):
        messages.success(request, f"Saved. {found.name} may do just this from the next click on.")
        return redirect("role", role_id)
    checked = frozenset(boxes_checked(request)) if form.is_bound else spread(found.permissions)
    told: dict[str, Any] = {"title": found.name, "submit": "Save", "back_label": found.name}
    back = reverse("role", args=[role_id])
    return form_page(request, form, "staff/rights_form.html", rooms=matrix(checked), back=back, **told)


@page("roles.edit")
@proven
def reset_role(request: HttpRequest, role_id: int) -> HttpResponse:
    """Back to what it shipped with."""
    return _sure(request, role_id, "reset_role", actions.reset_role, "Reset to how it came with Demarc")


@page("roles.edit")
@proven
def remove_role(request: HttpRequest, role_id: int) -> HttpResponse:
    """Gone, if nobody holds it."""
    return _sure(request, role_id, "remove_role", actions.remove_role, "Remove the role")


@page("staff.see")
def can(request: HttpRequest) -> HttpResponse:
    """Can this role or person ever see that? Yes or no, by which word, and where it comes from."""
    form = QuestionForm(request.GET if "who" in request.GET else None, initial={"who": request.GET.get("for")})
    people = staff_within(scope(request)).order_by("username")[:PEOPLE_OFFERED]
    held_by = [(f"person:{one.pk}", str(one)) for one in people]
    form.offer("who", _groups(("Roles", [(f"role:{one.pk}", one.name) for one in _by_name()]), ("People", held_by)))
    parts = [(word, f"{part.title}: {told}") for part in PARTS for word, told in part_words(part)]
    doors = [(f"{one.permission} {one.label}", one.label) for one in entrances()]
    form.offer("what", _groups(("Parts of the system", parts), ("Pages and the API", doors)))
    shown: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid():
        word, _, entrance = form.cleaned_data["what"].partition(" ")
        shown |= {"answer": answer_about(form.cleaned_data["who"], word, scope(request)), "entrance": entrance}
    return render(request, "staff/can.html", shown)


@page("staff.see")
@proven
def view_as(request: HttpRequest, role_id: int) -> HttpResponse:
    """Who may do everything looks at the application as a role would."""
    found = _role(role_id)
    form = SureForm(posted(request))
    if ALL not in words(request) or ALL in found.permissions:
        messages.error(request, "Only who may do everything views as another role.")
        return redirect("role", role_id)
    if carried_out(
        request,
        form,
        "view_as",
        ("role", role_id),
        lambda: actions.view_as(role_id, by=actor_of(request), at=clock.now()),
    ):
        request.session[VIEWED_AS] = role_id
        return redirect("/" if "dashboard.see" in spread(found.permissions) else "me")
    told: dict[str, Any] = {"title": f"View as {found.name}", "submit": "Begin", "back_label": found.name}
    lines = ("You see the pages that this role sees.", "You change nothing until you end it.", "It is written down.")
    return form_page(request, form, back=reverse("role", args=[role_id]), consequences=lines, **told)


@signed_in
@while_viewing
def end_view_as(request: HttpRequest) -> HttpResponse:
    """Oneself again; only by POST."""
    found = viewed_as(request)
    if request.method == "POST" and found is not None:
        actions.end_view_as(found.pk, by=actor_of(request), at=clock.now())
        del request.session[VIEWED_AS]
        return redirect("role", found.pk)
    return redirect("me")


def part_words(part: Any) -> list[tuple[str, str]]:
    """(word, what it lets do) of a part."""
    return [(word, part.see if word.endswith(".see") else part.edit) for word in part.words]


def _told(found: Role) -> str:
    """Where a role comes from, in a few words."""
    if not found.shipped:
        return "Made here"
    as_it_came = spread(found.permissions) == spread(SHIPPED[found.shipped].words)
    return "As it came" if as_it_came and found.bound == SHIPPED[found.shipped].bound else "Changed"


def _role(role_id: int) -> Role:
    found = Role.objects.filter(pk=role_id).first()
    if found is None:
        raise Http404
    return found


def _by_name() -> list[Role]:
    return list(Role.objects.order_by("name"))


def _copyable(request: HttpRequest) -> list[Role]:
    mine = words(request)
    return [one for one in _by_name() if ALL not in one.permissions and covers(mine, one.permissions)]


def _groups(*groups: tuple[str, list[tuple[str, str]]]) -> list[Any]:
    return [group for group in groups if group[1]]


def _for_one_provider(request: HttpRequest) -> HttpResponse | None:
    """Where somebody who works for some providers is sent who would change what all share."""
    if scope(request) is None:
        return None
    messages.error(request, "Roles are shared by all providers; somebody who works for all of them changes them.")
    return redirect("roles")


def _sure(request: HttpRequest, role_id: int, verb: str, action: Callable[..., Any], title: str) -> HttpResponse:
    """The page of a deed that needs no more than a button."""
    if refusal := _for_one_provider(request):
        return refusal
    found = _role(role_id)
    form = SureForm(posted(request))

    def act() -> Any:
        return action(role_id, held=words(request), by=actor_of(request), at=clock.now())

    if carried_out(request, form, verb, ("role", role_id), act):
        messages.success(request, "Done.")
        return redirect("roles")
    told: dict[str, Any] = {
        "title": f"{title}: {found.name}",
        "submit": title,
        "danger": True,
        "back_label": found.name,
    }
    return form_page(request, form, back=reverse("role", args=[role_id]), **told)
