"""One deed for many rows of a list: a page that says for each what would happen, then the same by POST.

What would be refused is found by carrying the deed out and taking it back. Knows no deed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from demarc.base import clock, log
from demarc.core.errors import Refused
from demarc.staff.doors import actor_of
from demarc.staff.pages import why_not
from demarc.ui.formats import plural
from demarc.ui.forms import UNPROCESSABLE, Form
from demarc.ui.lists import Listing, ListSpec

ROWS_MAX = 200
"""Rows of one go: each is tried before it is shown, within the time of a page."""
REFUSALS_TOLD = 5
ID_DIGITS = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What is done to one row. `act(row, form)` may raise Refused; with an unbound form it is only tried, so it may
    write to nothing but the database. `done` follows a count: "12 customers are blocked"."""

    verb: str
    subject: str
    title: str
    submit: str
    done: str
    act: Callable[[Any, Form], Any]
    lines: tuple[str, ...] = ()
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Chosen:
    """A row that was chosen, and why nothing will be done to it (empty: it will)."""

    row: Any
    why_not: str


def chosen_rows(request: HttpRequest, spec: ListSpec) -> list[Any]:
    """The rows that the address names, or with `all` those that match, as far as the viewer may see them; one more than
    ROWS_MAX when there are more."""
    listing = Listing(spec, request)
    if "all" in request.GET and request.method == "GET":
        return list(listing.rows[: ROWS_MAX + 1])
    given = request.POST if request.method == "POST" else request.GET
    named = given.getlist("row")[: ROWS_MAX + 1]
    keys = [int(key) for key in named if key.isascii() and key.isdecimal() and len(key) < ID_DIGITS]
    rows = spec.rows(request, {}).all()
    rows.query.clear_limits()
    return list(rows.filter(pk__in=keys))


def bulk_page(request: HttpRequest, spec: ListSpec, deed: Deed, form: Form) -> HttpResponse:
    """The page of a deed for many. `form`: what is asked about it, bound when posted."""
    rows = chosen_rows(request, spec)
    back = reverse(spec.name)
    if not rows:
        messages.error(request, f"Select a {spec.one} first.")
        return redirect(back)
    if request.method == "POST" and form.is_valid():
        return _carry_out(request, spec, deed, form, rows)
    by, at = actor_of(request), clock.now()
    log.record("listed", by=by, at=at, subject=(spec.name, None), deed=deed.verb, count=len(rows))
    too_many = len(rows) > ROWS_MAX
    tried = [] if too_many else [Chosen(row, why_not(partial(deed.act, row, form))) for row in rows]
    ready = [one.row for one in tried if not one.why_not]
    shown = {
        "form": form,
        "deed": deed,
        "back": back,
        "back_label": spec.many.capitalize(),
        "too_many": f"More than {ROWS_MAX} {spec.many} are chosen. Narrow the list, then do it in parts."
        if too_many
        else "",
        "ready": ready,
        "refused": [one for one in tried if one.why_not],
        "ready_words": plural(len(ready), spec.one, spec.many),
        "refused_words": plural(len(tried) - len(ready), spec.one, spec.many),
        "submit": f"{deed.submit}: {plural(len(ready), spec.one, spec.many)}",
    }
    return render(request, "staff/bulk.html", shown, status=UNPROCESSABLE if form.errors else 200)


def _carry_out(request: HttpRequest, spec: ListSpec, deed: Deed, form: Form, rows: Sequence[Any]) -> HttpResponse:
    """Each row by itself: what is refused stops no other, and is in the log."""
    done, refusals = 0, []
    for row in rows[:ROWS_MAX]:
        try:
            with transaction.atomic():
                deed.act(row, form)
            done += 1
        except Refused as refused:
            refusals.append(f"{row}: {refused.message}")
            by, subject = actor_of(request), (deed.subject, row.pk)
            log.record_refused(deed.verb, by=by, at=clock.now(), subject=subject, why=refused.code)
    if done:
        messages.success(request, f"{plural(done, spec.one, spec.many)} {deed.done}.")
    for words in refusals[:REFUSALS_TOLD]:
        messages.error(request, words)
    if len(refusals) > REFUSALS_TOLD:
        messages.error(request, f"And {len(refusals) - REFUSALS_TOLD} more were refused.")
    return redirect(reverse(spec.name))
