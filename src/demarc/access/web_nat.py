"""Pages of public addresses that customers share by port: listed, added, ended."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from demarc.access import actions
from demarc.access.forms import NatRangeForm
from demarc.access.models import NatRange
from demarc.base import clock
from demarc.core.nat import Sharing
from demarc.staff.doors import actor_of, page, permitted, within
from demarc.staff.pages import carried_out, choose_partner, chosen_partner, list_page
from demarc.ui import components, formats
from demarc.ui.forms import Form, form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[NatRange]:
    found = within(request, NatRange.objects.select_related("partner").order_by("-valid_from", "-id"))
    return found.filter(valid_to__isnull=picked["now"] == "yes") if "now" in picked else found


def _customers(found: NatRange) -> int:
    return Sharing(found.inside, found.outside, found.first_port, found.ports_each).blocks


NAT_RANGES = ListSpec(
    name="nat_ranges",
    one="range",
    many="ranges",
    filters=(Filter("now", "In force", lambda request: (("yes", "Yes"), ("no", "No"))),),
    columns=(
        Column(
            label="Public network", value=lambda one: str(one.outside), shown=lambda one: components.code(one.outside)
        ),
        Column(
            label="Private network", value=lambda one: str(one.inside), shown=lambda one: components.code(one.inside)
        ),
        Column(label="First port", value=lambda one: one.first_port, number=True),
        Column(label="Ports each", value=lambda one: one.ports_each, number=True),
        Column(label="Customers an address", value=_customers, number=True),
        Column(
            label="From",
            value=lambda one: one.valid_from,
            shown=lambda one: components.at(one.valid_from),
        ),
        Column(
            label="To",
            value=lambda one: one.valid_to,
            shown=lambda one: components.at(one.valid_to) if one.valid_to else "Still so",
        ),
        Column(label="Provider", value=lambda one: one.partner.name),
        Column(
            label="End",
            value=lambda one: "",
            shown=lambda one: "" if one.valid_to else "End it",
            href=lambda one: "" if one.valid_to else reverse("end_nat_range", args=[one.pk]),
        ),
    ),
    rows=_rows,
    empty="None: every public address is one customer's alone.",
)


@page("pools.see")
def nat_ranges(request: HttpRequest) -> HttpResponseBase:
    """Which public addresses are shared, and were."""
    words = {"title": "Shared public addresses"}
    if permitted(request, "pools.edit"):
        words |= {"add_href": reverse("new_nat_range"), "add_label": "Add range"}
    return list_page(request, NAT_RANGES, **words)


@page("pools.edit")
def new_nat_range(request: HttpRequest) -> HttpResponse:
    """Private addresses that share public ones."""
    partner = chosen_partner(request)
    if partner is None:
        return choose_partner(request, "New range of shared addresses")
    form = NatRangeForm(posted(request))

    def act() -> NatRange:
        return actions.add_nat_range(partner.pk, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "add_nat_range", ("partner", partner.pk), act):
        messages.success(request, "Who had one of these addresses and a port can be told from its start on.")
        return redirect("nat_ranges")
    lines = [
        "The private addresses take their blocks of ports in order: the first public address is filled up, then the"
        " next. Set up the router's NAT the same way; nothing is sent to it.",
        "A range is never changed, only ended: so questions about the past are answered by what held then.",
    ]
    return form_page(
        request,
        form,
        title="New range of shared addresses",
        submit="Add range",
        consequences=lines,
        back=reverse("nat_ranges"),
        back_label="Shared public addresses",
    )


@page("pools.edit")
def end_nat_range(request: HttpRequest, range_id: int) -> HttpResponse:
    """From now on it is not so any more."""
    found = get_object_or_404(within(request, NatRange.objects.all()), pk=range_id)
    form = Form(posted(request))

    def act() -> Any:
        return actions.end_nat_range(range_id, by=actor_of(request), at=clock.now())

    back = reverse("nat_ranges")
    if carried_out(request, form, "end_nat_range", ("partner", found.partner_id), act):
        messages.success(request, f"{found.outside} is shared no more.")
        return redirect(back)
    return form_page(
        request,
        form,
        title=f"End the sharing of {found.outside}",
        submit="End it now",
        consequences=["Questions about the time until now are answered by it still."],
        intro=f"{found.inside} since {formats.moment(found.valid_from)}.",
        back=back,
        back_label="Shared public addresses",
    )
