"""Views of lists: kept under a name, forgotten. Each works on the viewer's own alone, and leads back to the list."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from demarc.base import clock
from demarc.core.errors import Refused
from demarc.staff import actions
from demarc.staff.doors import actor_of, came_from, login_of, signed_in
from demarc.staff.queries import views_of_person


@signed_in
def save_view(request: HttpRequest) -> HttpResponse:
    """Keep what the list shows now. There is nothing to look at."""
    if request.method != "POST":
        return redirect(came_from(request))
    back = came_from(request).partition("?")[0]
    list_name, name, state = (request.POST.get(key, "") for key in ("list_name", "name", "state"))
    new = actions.NewView(list_name, name, state, default="default" in request.POST)
    try:
        view = actions.save_view(login_of(request).pk, new, by=actor_of(request), at=clock.now())
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect(came_from(request))
    messages.success(request, f"The view {view.name} is kept.")
    return redirect(f"{back}?{view.state or 'show=all'}")


@signed_in
def remove_view(request: HttpRequest, view_id: int) -> HttpResponse:
    """Forget one. There is nothing to look at; another's is not there."""
    get_object_or_404(views_of_person(login_of(request).pk), pk=view_id)
    if request.method != "POST":
        return redirect(came_from(request))
    try:
        view = actions.remove_view(login_of(request).pk, view_id, by=actor_of(request), at=clock.now())
        messages.success(request, f"The view {view.name} is forgotten.")
    except Refused as refused:
        messages.error(request, refused.message)
    return redirect(came_from(request))
