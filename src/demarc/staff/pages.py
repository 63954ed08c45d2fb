"""What every staff page does alike: run an action behind a form, show a list, gather other rooms' parts, write it down.

Knows no business noun.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from demarc.base import clock, log
from demarc.base.models import Partner
from demarc.core.errors import Refused
from demarc.staff.doors import actor_of, ask_for_proof, forbidden, login_of, partners, permitted, proved_lately
from demarc.staff.queries import views_of
from demarc.ui import panels
from demarc.ui.forms import Form
from demarc.ui.lists import FILES, Listing, ListSpec, View

LATELY = timedelta(hours=1)


def seen(request: HttpRequest, subject: tuple[str, int], partner_id: int | None) -> None:
    """Write down that the viewer looked at something; what a page fetches again and again is one row an hour."""
    if request.method != "GET":
        return  # an action writes its own row
    by, at = actor_of(request), clock.now()
    again = bool(request.headers.get("HX-Request")) and log.viewed_since(subject, by, at - LATELY)
    if not again:
        match = request.resolver_match
        log.record("viewed", by=by, at=at, subject=subject, partner_id=partner_id, page=match and match.url_name)


def carried_out(
    request: HttpRequest, form: Form, verb: str, subject: tuple[str, int | None], act: Callable[[], Any]
) -> bool:
    """Run the action behind a valid form; its answer is `form.result`. A refusal is shown in the form and logged."""
    if not form.is_valid():
        return False
    try:
        with transaction.atomic():
            form.result = act()
    except Refused as refused:
        form.refuse(refused)
        log.record_refused(verb, by=actor_of(request), at=clock.now(), subject=subject, why=refused.code)
        return False
    return True


def why_not(act: Callable[[], Any]) -> str:
    """Why a button's deed would be refused now; empty when it would not be. It is carried out and taken back, so it may
    write to nothing but the database."""
    try:
        with transaction.atomic():
            act()
            transaction.set_rollback(True)
    except Refused as refused:
        return refused.message
    return ""


def parts(request: HttpRequest, place: str, *subject: Any) -> Sequence[Any]:
    """What the rooms wired to `place` make of `subject`, as far as the viewer may see it."""
    made = [
        panels.maker(stand.maker)(request, *subject)
        for stand in panels.stands(place)
        if permitted(request, stand.permission)
    ]
    return [part for part in made if part is not None]


def list_page(
    request: HttpRequest, spec: ListSpec, template: str = "ui/list_page.html", **words: Any
) -> HttpResponseBase:
    """The page of a list, or its file, which asks for a proof. A search, a filter and a file are written down with what
    and how many."""
    more = [column for columns in parts(request, f"{spec.name}.columns") for column in columns]
    login = login_of(request)
    views = [View(one.pk, one.name, one.state, one.is_default) for one in views_of(login.pk, spec.name)]
    default = next((view for view in views if view.default and view.state), None)
    if default and not request.GET:
        return redirect(f"{request.path}?{default.state}")
    bulk = [deed for deeds in parts(request, f"{spec.name}.bulk") for deed in deeds]
    listing = Listing(spec, request, more_columns=more, bulk=bulk, views=views)
    kind = request.GET.get("format", "")
    as_file = kind in FILES
    if as_file and not permitted(request, "exports.see"):
        return forbidden(request, "exports.see")
    if as_file and not proved_lately(request):
        return ask_for_proof(request)
    if listing.picked or as_file:
        verb = "exported" if as_file else "listed"
        by, subject = actor_of(request), (spec.name, None)
        log.record(verb, by=by, at=clock.now(), subject=subject, filter=listing.picked, count=listing.count)
    if as_file:
        return listing.as_file(kind)
    return render(request, template, {"listing": listing, **words})


def chosen_partner(request: HttpRequest) -> Partner | None:
    """The provider for whom something new is made: the only one, or the one in the address; None: ask first."""
    mine = partners(request)
    wanted = request.GET.get("partner", "")
    if wanted.isdecimal() and len(wanted) < 10:
        return mine.filter(pk=int(wanted)).first()
    first_two = list(mine[:2])
    return first_two[0] if len(first_two) == 1 else None


def choose_partner(request: HttpRequest, title: str) -> HttpResponse:
    """The page that asks for which provider."""
    return render(request, "staff/choose_partner.html", {"title": title, "partners": partners(request)})
