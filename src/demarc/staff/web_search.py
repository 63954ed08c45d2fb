"""The search of everything: what the rooms find by a text, grouped. Knows none of them (ui.panels)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from demarc.base import clock, log, queries
from demarc.base.actors import Actor
from demarc.staff.doors import actor_of, signed_in
from demarc.staff.pages import parts
from demarc.ui.panels import Hits

TEXT_MAX = 100
TEXT_MIN = 2
"""One letter begins too many words to be a question."""
AGAIN = timedelta(minutes=1)


@signed_in
def search(request: HttpRequest) -> HttpResponse:
    """What is found; with `go` straight to the only thing that can be meant. A search is one row of the log; what is
    found while typing is one row a minute for the same text."""
    text = request.GET.get("q", "").replace("\0", "").strip()[:TEXT_MAX]
    groups: Sequence[Hits] = parts(request, "search", text) if len(text) >= TEXT_MIN or text.isdecimal() else []
    count = sum(len(group.hits) for group in groups)
    by, at = actor_of(request), clock.now()
    if text and _is_new(request, text, by, at):
        log.record("searched", by=by, at=at, subject=("search", None), text=text, count=count)
    meant = _meant(groups)
    if meant and "go" in request.GET:
        return redirect(meant)
    template = "staff/search_found.html" if request.headers.get("HX-Request") else "staff/search.html"
    return render(request, template, {"text": text, "groups": groups, "count": count})


def _is_new(request: HttpRequest, text: str, by: Actor, at: datetime) -> bool:
    """Whether the log is to tell of this search: of every one that was sent off, and of what was typed unless it just
    did."""
    if not request.headers.get("HX-Request"):
        return True
    typed = text.casefold()
    return all(told.get("text", "").casefold() != typed for told in queries.lately("searched", by, at - AGAIN))


def _meant(groups: Sequence[Hits]) -> str:
    """Where the only hit leads, or the only exact one; several that lead to one page are one."""
    hits = [hit for group in groups for hit in group.hits]
    for some in (hits, [hit for hit in hits if hit.exact]):
        pages = {hit.href for hit in some}
        if len(pages) == 1:
            return pages.pop()
    return ""
