"""The page that answers an authority: who had this address at that moment."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from demarc.access import actions
from demarc.access.forms import TraceForm
from demarc.access.trace import Holder
from demarc.base import clock
from demarc.staff.doors import actor_of, page, partners, scope
from demarc.staff.pages import carried_out
from demarc.ui.forms import UNPROCESSABLE, posted


@page("trace.see")
def trace(request: HttpRequest) -> HttpResponse:
    """Who had an address. Asked by POST, so that neither address nor reason stays in a browser's history."""
    mine = partners(request).first()
    form = TraceForm(posted(request), initial={"zone": mine.zone if mine else "UTC"})

    def act() -> list[Holder]:
        question = actions.Question(**form.cleaned_data)
        return actions.trace_address(question, partner_ids=scope(request), by=actor_of(request), at=clock.now())

    done = carried_out(request, form, "trace_address", ("access", None), act)
    shown = {"form": form, "asked": done, "holders": form.result if done else []}
    status = UNPROCESSABLE if form.is_bound and form.errors else 200
    return render(request, "access/trace.html", shown, status=status)
