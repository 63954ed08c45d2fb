"""Pages of fair use: a plan's volume of a month is set or dropped; a service's page shows what it has used."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.access import actions, fair_use
from demarc.access.forms import FairUseForm
from demarc.access.models import FairUse, FairUseState
from demarc.base import clock
from demarc.plans.models import Plan, PlanKind, Service, ServiceState
from demarc.plans.web import visible_plan
from demarc.plans.wording import Restraint
from demarc.staff.doors import actor_of, page
from demarc.staff.pages import carried_out
from demarc.ui import formats
from demarc.ui.forms import Form, form_page, posted

FIELDS = ("monthly_gb", "counts", "down_kbps", "up_kbps")


def plan_panel(request: HttpRequest, plan: Plan) -> SafeString | None:
    """On the plan's page: what it allows in a month."""
    if plan.kind != PlanKind.INTERNET:
        return None
    shown = {"plan": plan, "fair_use": fair_use.fair_use_of(plan.pk)}
    return render_to_string("access/fair_use_plan.html", shown, request)


def service_panel(request: HttpRequest, service: Service) -> SafeString | None:
    """On the service's page: what it has used this month, where its plan has a limit."""
    if service.state == ServiceState.ENDED:
        return None
    used = fair_use.used(service, clock.now())
    if used is None:
        return None
    shown = {"service": service, "used": used, "bar": min(used.percent, 100), "fair_use": used.fair_use}
    return render_to_string("access/fair_use_service.html", shown, request)


def restraints(request: HttpRequest, services: Sequence[Service]) -> dict[int, Restraint]:
    """On pages of services: which of them fair use blocks or slows, why, and until when."""
    held = fair_use.restrained(services)
    return {service.pk: _restraint(service, held[service.pk]) for service in services if service.pk in held}


def _restraint(service: Service, state: str) -> Restraint:
    at = clock.now()
    used = fair_use.used(service, at)
    why, until = "", formats.short_moment(fair_use.month_after(at, service.partner.zone))
    if used is not None:
        since = f" since {formats.short_moment(used.passed_at)}" if used.passed_at else ""
        why = f"{since}: {formats.octets(used.octets)} of {formats.octets(used.volume)} are used this month"
    if state == FairUseState.BLOCKED:
        return Restraint("blocked", "Volume used up", f"Withheld by fair use{why}. Open again from {until}.")
    speed = ""
    if used is not None:
        speed = f" to {formats.speed(used.fair_use.down_kbps)} / {formats.speed(used.fair_use.up_kbps)}"
    return Restraint("paused", "Slowed", f"Slowed{speed} by fair use{why}. Full speed again from {until}.")


@page("plans.edit")
def edit_fair_use(request: HttpRequest, plan_id: int) -> HttpResponse:
    """How much a plan's services may use in a month, and what then."""
    plan = visible_plan(request, plan_id)
    known = fair_use.fair_use_of(plan_id)
    initial = {name: getattr(known, name) or None for name in FIELDS} if known else {}
    form = FairUseForm(posted(request), initial=initial)

    def act() -> FairUse:
        return actions.set_fair_use(plan_id, by=actor_of(request), at=clock.now(), **form.facts())

    if carried_out(request, form, "set_fair_use", ("plan", plan_id), act):
        messages.success(request, "Saved. Who is through it is slowed or blocked within five minutes.")
        return redirect("plan", plan_id)
    in_use = plan.services.exclude(state=ServiceState.ENDED).count()
    lines = [
        f"It holds at once, for the month that is on, for {formats.plural(in_use, 'service')}.",
        "At the start of each month everybody has the full volume and the full speed again.",
    ]
    return form_page(
        request,
        form,
        title=f"Fair use of {plan}",
        submit="Save fair use",
        consequences=lines,
        back=reverse("plan", args=[plan_id]),
        back_label=str(plan),
    )


@page("plans.edit")
def drop_fair_use(request: HttpRequest, plan_id: int) -> HttpResponse:
    """As much as one likes, from now on."""
    plan = visible_plan(request, plan_id)
    form = Form(posted(request))

    def act() -> Any:
        actions.drop_fair_use(plan_id, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "drop_fair_use", ("plan", plan_id), act):
        messages.success(request, "The plan has no volume any more.")
        return redirect("plan", plan_id)
    return form_page(
        request,
        form,
        title=f"No limit for {plan.name}",
        submit="Drop the limit",
        consequences=["Services that were slowed or blocked for it are online at full speed within seconds."],
        back=reverse("plan", args=[plan_id]),
        back_label=plan.name,
    )
