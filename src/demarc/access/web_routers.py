"""Pages of a router as a RADIUS client: its address and secret, and the script to paste into it."""

import socket
from ipaddress import IPv4Address, ip_address
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from demarc.access import actions
from demarc.access.forms import NasForm, ScriptForm
from demarc.access.models import Nas
from demarc.base import clock
from demarc.network import queries
from demarc.network.script import Redirect, RouterFacts, router_script
from demarc.network.web import visible_router
from demarc.staff.doors import actor_of, page
from demarc.staff.pages import carried_out
from demarc.ui.forms import UNPROCESSABLE, form_page, posted

ANY_PORT = 9
FALLBACK = "127.0.0.1"


@page("routers.edit")
def radius(request: HttpRequest, router_id: int) -> HttpResponse:
    """Make a router a RADIUS client, or change how it is one."""
    router = visible_router(request, router_id)
    nas = Nas.objects.filter(router=router).first()
    initial = {name: getattr(nas, name) for name in NasForm.base_fields if name != "secret"} if nas else {}
    form = NasForm(posted(request), initial=initial)

    def act() -> Nas:
        return actions.save_nas(router_id=router_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "save_nas", ("router", router_id), act):
        messages.success(request, "Saved; the RADIUS server knows it within a second. Next: paste the script.")
        return redirect("router", router_id)
    back = reverse("router", args=[router_id])
    return form_page(
        request, form, title="RADIUS client", submit="Save RADIUS client", back=back, back_label=router.name
    )


@page("routers.see")
def script(request: HttpRequest, router_id: int) -> HttpResponse:
    """The lines that make a MikroTik router ours."""
    router = visible_router(request, router_id)
    nas = Nas.objects.filter(router=router).first()
    if nas is None:
        raise Http404
    ours = own_address_towards(nas.address)
    guessed = {"server": ours, "page_server": ours if "." in ours else FALLBACK}
    asked = "server" in request.GET
    form = ScriptForm(request.GET if asked else guessed)
    shown: dict[str, Any] = {"router": router, "nas": nas, "form": form}
    if form.is_valid():
        shown["script"] = router_script(_facts(nas, form.cleaned_data))
    return render(request, "access/script.html", shown, status=200 if "script" in shown else UNPROCESSABLE)


def _facts(nas: Nas, given: dict[str, Any]) -> RouterFacts:
    rules = queries.cause_rules(nas.partner_id)
    return RouterFacts(
        name=nas.router.name,
        server=ip_address(given["server"]),
        page_server=IPv4Address(given["page_server"]),
        source=ip_address(nas.address),
        redirects=[Redirect(rule.list_name, rule.page_port) for rule in rules],
        auth_port=settings.CONFIG.radius_auth_port,
        acct_port=settings.CONFIG.radius_acct_port,
        coa_port=nas.coa_port,
    )


def own_address_towards(address: str) -> str:
    """The address that this machine would send from to reach `address`; nothing is sent."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, ANY_PORT))
            return str(probe.getsockname()[0])
    except OSError:
        return FALLBACK
