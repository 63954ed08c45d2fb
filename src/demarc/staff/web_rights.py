"""What the people who work here may do, each of them: role, providers, rights of their own. Knows no business noun."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from demarc.base import clock
from demarc.core.errors import Refused
from demarc.staff import actions
from demarc.staff.actions.logins import Place
from demarc.staff.doors import actor_of, page, partners, proven, scope, words
from demarc.staff.forms import SureForm
from demarc.staff.forms_rights import NewPersonForm, PlaceForm, boxes_checked, matrix
from demarc.staff.models import Login, Role
from demarc.staff.pages import carried_out
from demarc.staff.permissions import covers
from demarc.staff.queries import staff_within, words_of
from demarc.ui.forms import Form, form_page, posted


@page("staff.edit")
@proven
def new_person(request: HttpRequest) -> HttpResponse:
    """Somebody new: user name, first password, role and providers."""
    form = NewPersonForm(posted(request))
    _offer(request, form)

    def act() -> Login:
        given = dict(form.cleaned_data)
        place = Place(given.pop("role"), _providers(request, given.pop("partners")))
        user, password = given.pop("username"), given.pop("password")
        who: dict[str, Any] = {"held": words(request), "by": actor_of(request), "at": clock.now()}
        return actions.add_person(user, password, place=place, **who, **given)

    if carried_out(request, form, "add_person", ("login", None), act):
        messages.success(request, f"{form.result} can log in now.")
        return redirect("login", form.result.pk)
    told: dict[str, Any] = {"title": "New person", "submit": "Add person", "back_label": "Staff logins"}
    return form_page(request, form, back=reverse("signing_in"), **told)


@page("staff.edit")
@proven
def place(request: HttpRequest, staff_id: int) -> HttpResponse:
    """A person's role and the providers he works for."""
    login = _person(request, staff_id)
    held = list(login.partners.values_list("id", flat=True))
    form = PlaceForm(posted(request), initial={"role": login.role_id, "partners": held})
    _offer(request, form)

    def act() -> Login:
        providers = _providers(request, form.cleaned_data["partners"])
        who: dict[str, Any] = {"held": words(request), "by": actor_of(request), "at": clock.now()}
        return actions.set_role(staff_id, role=form.cleaned_data["role"], partners=providers, **who)

    if carried_out(request, form, "set_role", ("login", staff_id), act):
        messages.success(request, "Saved; it holds from the next click on.")
        return redirect("login", staff_id)
    told: dict[str, Any] = {"title": f"Role of {login}", "submit": "Save", "back_label": str(login)}
    return form_page(request, form, back=reverse("login", args=[staff_id]), why_not=_above(request, login), **told)


@page("staff.edit")
@proven
def own_rights(request: HttpRequest, staff_id: int) -> HttpResponse:
    """What just this person may do, besides or without what his role holds."""
    login = _person(request, staff_id)
    form = SureForm(posted(request))

    def act() -> Login:
        who: dict[str, Any] = {"held": words(request), "by": actor_of(request), "at": clock.now()}
        return actions.set_own_rights(staff_id, boxes_checked(request), **who)

    if carried_out(request, form, "set_own_rights", ("login", staff_id), act):
        messages.success(request, "Saved; it holds from the next click on.")
        return redirect("login", staff_id)
    checked = frozenset(boxes_checked(request)) if form.is_bound else words_of(login)
    told: dict[str, Any] = {"title": f"Rights of {login}", "submit": "Save", "back_label": str(login)}
    hint = f"What differs from the role {login.role} is kept with this person. To edit is to see."
    shown: dict[str, Any] = {"rooms": matrix(checked), "hint": hint, "why_not": _above(request, login)}
    return form_page(request, form, "staff/rights_form.html", back=reverse("login", args=[staff_id]), **shown, **told)


@page("staff.edit")
@proven
def switch(request: HttpRequest, staff_id: int) -> HttpResponse:
    """Somebody who left may not log in any more; or may again."""
    login = _person(request, staff_id)
    form, on = SureForm(posted(request)), not login.is_active

    def act() -> Login:
        return actions.switch(staff_id, on=on, held=words(request), by=actor_of(request), at=clock.now())

    if carried_out(request, form, "switch", ("login", staff_id), act):
        return redirect("login", staff_id)
    verb = "Let in again" if on else "Switch off"
    lines = () if on else ("All sessions end.", "Nobody logs in by this name until you switch it on again.")
    told: dict[str, Any] = {"title": f"{verb}: {login}", "submit": verb, "back_label": str(login), "danger": not on}
    return form_page(request, form, back=reverse("login", args=[staff_id]), consequences=lines, **told)


def _person(request: HttpRequest, staff_id: int) -> Login:
    login = staff_within(scope(request)).filter(pk=staff_id).first()
    if login is None:
        raise Http404
    return login


def _above(request: HttpRequest, login: Login) -> str:
    """Why nothing of this person can be changed; empty when it can."""
    return "" if covers(words(request), words_of(login)) else "This person may do more than you."


def _offer(request: HttpRequest, form: Form) -> None:
    """The roles that the viewer may give, and the providers he works for."""
    mine = words(request)
    roles = [(one.pk, one.name) for one in Role.objects.order_by("name") if covers(mine, one.permissions)]
    form.offer("role", [("", "Choose a role"), *roles])  # nobody is given the first one by an oversight
    form.offer("partners", [(one.pk, one.name) for one in partners(request)])


def _providers(request: HttpRequest, chosen: list[int]) -> tuple[int, ...]:
    """For whom somebody is to work. Refused: for all, by somebody who works for some only."""
    if not chosen and scope(request) is not None:
        raise Refused("You work for some providers only; choose among them.", field="partners", code="unbound")
    return tuple(chosen)
