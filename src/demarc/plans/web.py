"""Pages of plans: the list, a plan with its prices, new plans and prices, tax rates. Knows no balance."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.base import clock
from demarc.base.models import Partner
from demarc.core.period import ONE_DAY
from demarc.customers.web_terms import visible_partner
from demarc.plans import actions, queries
from demarc.plans.forms import NewPlanForm, PlanForm, PriceForm, TaxForm
from demarc.plans.models import Plan, PlanPrice, TaxRate
from demarc.staff.doors import actor_of, page, permitted, scope, within
from demarc.staff.pages import carried_out, choose_partner, chosen_partner, list_page, parts
from demarc.ui import components, formats
from demarc.ui.forms import form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec
from demarc.ui.panels import Fact

IN_USE = Count("services", filter=~Q(services__state="ended"))


def _speed(kbps: int) -> str:
    """Only internet has one."""
    return formats.speed(kbps) if kbps else "–"


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[Plan]:
    plans = queries.plan_list(scope(request), clock.now().date()).annotate(in_use=IN_USE)
    if "sale" in picked:
        plans = plans.filter(for_sale=picked["sale"] == "yes")
    return plans.filter(name__icontains=picked["q"]) if "q" in picked else plans


PLANS = ListSpec(
    name="plans",
    one="plan",
    many="plans",
    search="Name",
    filters=(Filter("sale", "For sale", lambda request: (("yes", "Yes"), ("no", "No"))),),
    columns=(
        Column(label="Name", value=lambda plan: plan.name, href=lambda plan: reverse("plan", args=[plan.pk])),
        Column(
            label="Price a month",
            value=lambda plan: formats.figure(plan.price, plan.currency),
            shown=lambda plan: components.money(plan.price, plan.currency),
            number=True,
        ),
        Column(
            label="Download",
            value=lambda plan: plan.speed_down_kbps,
            shown=lambda plan: _speed(plan.speed_down_kbps),
            number=True,
            order="speed_down_kbps",
        ),
        Column(
            label="Upload",
            value=lambda plan: plan.speed_up_kbps,
            shown=lambda plan: _speed(plan.speed_up_kbps),
            number=True,
            order="speed_up_kbps",
        ),
        Column(label="Kind", value=lambda plan: plan.get_kind_display()),
        Column(label="Services", value=lambda plan: plan.in_use, number=True, order="in_use"),
        Column(label="For sale", value=lambda plan: "Yes" if plan.for_sale else "No"),
    ),
    rows=_rows,
    empty="There is no plan yet. A plan says how fast and how much a month; services are made from it.",
)


@page("plans.see")
def plans(request: HttpRequest) -> HttpResponseBase:
    """All plans that the viewer may see."""
    add = reverse("new_plan") if permitted(request, "plans.edit") else ""
    return list_page(request, PLANS, title="Plans", add_href=add, add_label="New plan")


def visible_plan(request: HttpRequest, plan_id: int) -> Plan:
    """The plan, if it is of one of the viewer's providers; else 404."""
    return get_object_or_404(within(request, Plan.objects.select_related("partner")), pk=plan_id)


@page("plans.see")
def plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """A plan with every price it had and will have."""
    found = visible_plan(request, plan_id)
    today = clock.today(found.partner.zone)
    prices = list(queries.prices(plan_id)[:100])
    now = next((price for price in prices if price.valid_from <= today), None)
    in_use = found.services.exclude(state="ended").count()
    up, down = _speed(found.speed_up_kbps), _speed(found.speed_down_kbps)
    facts = (
        Fact(
            "Price a month",
            components.money(now.amount if now else None, found.currency),
            ("With tax" if found.price_includes_tax else "Without tax",),
        ),
        Fact("Speed", f"{down} / {up}", ("Download / upload",)),
        Fact("Services", formats.number(in_use), ("Not ended",)),
    )
    shown = {
        "plan": found,
        "facts": facts,
        "prices": _prices(prices, now, today),
        "panels": parts(request, "plan.panels", found),
    }
    return render(request, "plans/plan.html", shown)


def _prices(prices: Sequence[PlanPrice], now: PlanPrice | None, today: Any) -> list[dict[str, Any]]:
    """The prices with what each is: in force, to come, past, or replaced by a later record for the same day."""
    told, days = [], set()
    for price in prices:
        word = "to come" if price.valid_from > today else "in force" if price is now else "past"
        told.append({"price": price, "state": "replaced" if price.valid_from in days else word})
        days.add(price.valid_from)
    return told


@page("plans.edit")
def new_plan(request: HttpRequest) -> HttpResponse:
    """A new plan with its first price."""
    partner = chosen_partner(request)
    if partner is None:
        return choose_partner(request, "New plan")
    taxes = queries.tax_categories(partner.pk, clock.today(partner.zone))
    form = NewPlanForm(posted(request), currency=partner.currency, taxes=taxes)

    def act() -> Plan:
        return actions.create_plan(partner_id=partner.pk, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "create_plan", ("partner", partner.pk), act):
        messages.success(request, f"The plan {form.result} is made.")
        return redirect("plan", form.result.pk)
    return form_page(request, form, title="New plan", submit="Add plan", back=reverse("plans"), back_label="Plans")


@page("plans.edit")
def edit_plan(request: HttpRequest, plan_id: int) -> HttpResponse:
    """Change a plan's record; new speeds reach its customers at once."""
    found = visible_plan(request, plan_id)
    initial = {name: getattr(found, name) for name in PlanForm.base_fields}
    taxes = queries.tax_categories(found.partner_id, clock.today(found.partner.zone))
    form = PlanForm(posted(request), currency=found.currency, taxes=taxes, initial=initial)

    def act() -> Plan:
        return actions.update_plan(plan_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "update_plan", ("plan", plan_id), act):
        messages.success(request, "The plan is saved.")
        return redirect("plan", plan_id)
    active = formats.plural(found.services.filter(state="active").count(), "active service")
    lines = [f"New speeds are sent to the routers of {active} within seconds.", "The price stays as it is."]
    back = reverse("plan", args=[plan_id])
    return form_page(
        request, form, title="Edit plan", submit="Save", consequences=lines, back=back, back_label=found.name
    )


@page("plans.edit")
def set_price(request: HttpRequest, plan_id: int) -> HttpResponse:
    """A new price from a day on."""
    found = visible_plan(request, plan_id)
    tomorrow = clock.today(found.partner.zone) + ONE_DAY
    form = PriceForm(posted(request), currency=found.currency, initial={"valid_from": tomorrow})

    def act() -> actions.Priced:
        return actions.set_price(plan_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "set_price", ("plan", plan_id), act):
        messages.success(request, "The price is recorded.")
        if form.result.billed.days:
            messages.warning(request, _already_billed(form.result.billed))
        return redirect("plan", plan_id)
    touched = formats.plural(found.services.filter(state="active").count(), "active service")
    lines = [
        f"{touched} without an own price will be charged by it from that day's 00:00.",
        "Days that are charged or billed already keep their price; you are told how many there are.",
        "Customers who are blocked for money are tried again at once.",
    ]
    back = reverse("plan", args=[plan_id])
    return form_page(
        request, form, title="Change price", submit="Record price", consequences=lines, back=back, back_label=found.name
    )


def _already_billed(billed: queries.Billed) -> str:
    services = formats.plural(billed.services, "service")
    days = formats.plural(billed.days, "day")
    return (
        f"{days} of {services} from that day on are billed already and stay as they are. To put one right, agree on an "
        "own price from that day on the service's page."
    )


def tax_panel(request: HttpRequest, partner: Partner) -> SafeString:
    """On the provider's settings: its tax rates."""
    rates = list(queries.tax_rates(partner.pk)[:50])
    return render_to_string("plans/tax_panel.html", {"partner": partner, "rates": rates}, request)


@page("settings.edit")
def set_tax(request: HttpRequest, partner_id: int) -> HttpResponse:
    """A tax rate from a day on."""
    partner = visible_partner(request, partner_id)
    form = TaxForm(posted(request), initial={"valid_from": clock.today(partner.zone)})

    def act() -> TaxRate:
        return actions.set_tax(partner_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "set_tax", ("partner", partner_id), act):
        messages.success(request, "The tax rate is recorded.")
        return redirect("partner", partner_id)
    back = reverse("partner", args=[partner_id])
    intro = (
        "Where a plan's prices include tax, the rate only says how much of them it is: no price changes. Where they do "
        "not, it is added on documents."
    )
    return form_page(
        request, form, title="Tax rate", submit="Record rate", intro=intro, back=back, back_label="Settings"
    )
