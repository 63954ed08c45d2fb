"""The page of the RADIUS processes and nodes."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from demarc.access import nodes
from demarc.staff.doors import page, scope


@page("routers.see")
def radius_nodes(request: HttpRequest) -> HttpResponse:
    """Which there are, and which of them have fallen silent."""
    found = nodes.processes(scope(request))
    return render(request, "access/nodes.html", {"processes": found, "silent": sum(not one.well for one in found)})
