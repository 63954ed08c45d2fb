"""Pages of moving in from another RADIUS server: how far it has come, and where that server is."""

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from demarc.access import actions, tracing
from demarc.access.forms import MovingInForm
from demarc.access.models import Decision, MovingIn
from demarc.base import clock
from demarc.network.web import visible_router
from demarc.staff.doors import actor_of, page, scope, within
from demarc.staff.pages import carried_out
from demarc.ui import formats
from demarc.ui.forms import form_page, posted
from demarc.ui.panels import Fact

DAY = timedelta(days=1)
DIFFERING_SHOWN = 20


@page("sessions.see")
def moving(request: HttpRequest) -> HttpResponse:
    """Who is answered by whom since yesterday, on which names the old server is still asked, and what would differ."""
    since = clock.now() - DAY
    nases = tracing.moving_nases(scope(request))
    ids = [one.nas_id for one in nases]
    counts = tracing.moved(ids, since) if ids else {}
    names = {one.nas_id: one.nas.router.name for one in nases}
    waiting, learned = tracing.to_be_learned(scope(request))
    differing = within(request, Decision.objects.filter(nas_id__in=ids, at__gte=since, differs__len__gt=0))
    shown = {
        "facts": (
            Fact("Passwords to learn", formats.number(waiting), ("logins without one",), "soon" if waiting else ""),
            Fact("Passwords learned", formats.number(learned), (), "good" if learned else ""),
        ),
        "nases": [(one, counts.get(one.nas_id, tracing.Moved())) for one in nases],
        "strangers": [(one, names[one.nas_id]) for one in tracing.strangers(ids, since)] if ids else [],
        "strangers_max": tracing.UNKNOWN_SHOWN_MAX,
        "differing": [(one, names[one.nas_id]) for one in differing.order_by("-at", "-id")[:DIFFERING_SHOWN]],
    }
    return render(request, "access/moving.html", shown)


@page("routers.edit")
def moving_in(request: HttpRequest, router_id: int) -> HttpResponse:
    """Where a router's old RADIUS server is, and what we do with it."""
    router = visible_router(request, router_id)
    known = MovingIn.objects.filter(nas__router=router).first()
    fields = [name for name in MovingInForm.base_fields if name != "secret"]
    form = MovingInForm(posted(request), initial={name: getattr(known, name) for name in fields} if known else {})

    def act() -> MovingIn:
        return actions.save_moving_in(router_id=router_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "save_moving_in", ("router", router_id), act):
        messages.success(request, "Saved; the RADIUS server does so within a second.")
        return redirect("router", router_id)
    back = reverse("router", args=[router_id])
    lines = ["Nobody who is online is cut; logins from now on go this way."]
    return form_page(
        request,
        form,
        title="Moving in",
        submit="Save",
        intro="The RADIUS server that this router had before us goes on answering, through us, until all have moved.",
        consequences=lines,
        back=back,
        back_label=router.name,
    )
