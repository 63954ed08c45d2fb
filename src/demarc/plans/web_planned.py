"""Pages of a service's changes, now or on a day to come: another plan, a pause, a stop, the end; and what is planned
taken back. What a change bills and credits is said by the rooms wired to "service.change", before it is done."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from demarc.base import clock
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY
from demarc.customers.models import BillingType
from demarc.plans import actions, queries
from demarc.plans.forms_planned import KEEP, EndForm, PauseForm, PlanChangeForm
from demarc.plans.models import Service, ServiceFact, ServiceState
from demarc.plans.web_services import visible_service
from demarc.plans.wording import changed_words, held_words
from demarc.staff.doors import actor_of, page, within
from demarc.staff.pages import carried_out, parts
from demarc.ui import formats
from demarc.ui.forms import LookedForm, form_page

LOOK = "Show what it costs"
MARKED = "It is shown here once what is marked above is put right. Nothing was changed."
"""In place of the consequences, where what was typed cannot be."""


class Change(NamedTuple):
    """What a form asks for: the deed, the day from which it counts (None: now), and what to say of it."""

    act: Callable[[], Any]
    on: date | None
    lines: Sequence[str]
    done: str


class Words(NamedTuple):
    """How the page of a change speaks: its heading, its verb for the log, its button, or why it can only be refused."""

    title: str
    verb: str
    submit: str
    danger: bool = False
    why_not: str = ""


def change_told(
    request: HttpRequest, service: Service, form: LookedForm, act: Callable[[], Any], on: date | None = None
) -> list[str]:
    """What a change would bill and credit, in words, until the viewer has seen just that; then, or when no room has
    anything to say, nothing. One that is refused is so in the form at once."""
    if not form.is_valid():
        return []
    told = _money_lines(request, service, form, act, on)
    return [] if not told or _looked_at(form, told) else told


def _money_lines(
    request: HttpRequest, service: Service, form: LookedForm, act: Callable[[], Any], on: date | None
) -> list[str]:
    try:
        return [line for words in parts(request, "service.change", service, act, on) for line in words]
    except Refused as refused:
        if request.method == "POST":
            form.refuse(refused)
        return []


def _looked_at(form: LookedForm, told: Sequence[str]) -> bool:
    """Whether just this was shown for what is typed; else the form asks for a look at it."""
    digest = hashlib.sha256("\n".join([*told, repr(sorted(form.facts().items()))]).encode()).hexdigest()
    if form.cleaned_data["looked"] == digest:
        return True
    form.show(digest)
    return False


def _change_page(
    request: HttpRequest, service: Service, form: LookedForm, asked: Callable[[], Change], words: Words
) -> HttpResponse:
    """The page of a change: first what it does and costs, exactly, then the button. On a first look that is so for what
    the form begins with."""
    lines: list[str] = []
    if form.is_valid():
        change = asked()
        lines = [*change.lines, *_money_lines(request, service, form, change.act, change.on)]
        lines = lines if form.is_valid() else []
        seen = form.is_valid() and _looked_at(form, lines)
        subject = ("customer", service.customer_id)
        if request.method == "POST" and seen and carried_out(request, form, words.verb, subject, change.act):
            messages.success(request, change.done)
            return redirect("service", service.pk)
    return form_page(
        request,
        form,
        title=words.title,
        submit=words.submit if lines else LOOK,
        why_not=ended_already(service) or words.why_not,
        danger=words.danger and bool(lines),
        consequences=lines,
        unseen=MARKED if form.errors else "",
        intro=f"{service.plan}, {service.customer.name}",
        back=reverse("service", args=[service.pk]),
        back_label=str(service),
    )


def ended_already(service: Service) -> str:
    """Why nothing can be changed about a service any more; empty when it can."""
    return "This service has ended." if service.state == ServiceState.ENDED else ""


def _rests(service: Service, today: date) -> str:
    """Why a service cannot be paused or stopped: it is not in use, and not going to be."""
    if service.state == ServiceState.ACTIVE or queries.planned_changes([service.pk], today):
        return ""
    return "Only an active service can be paused or stopped."


def _typed(request: HttpRequest, **initial: Any) -> Any:
    """What the form is bound to: what was sent, or what it begins with, so that this is looked at without a click."""
    return request.POST if request.method == "POST" else initial


def _billed(request: HttpRequest, service: Service, today: date) -> date | None:
    """The last day that the service is billed for, when that is still to come."""
    return next((day for day in parts(request, "service.billed", service) if day > today), None)


@page("services.edit")
def change_plan(request: HttpRequest, service_id: int) -> HttpResponse:
    """Another plan for a service: now, when what is billed is used up, or on a day to come."""
    found = visible_service(request, service_id)
    account = found.account
    today = clock.today(account.zone)
    plans = [*queries.plan_list([found.partner_id], today).filter(for_sale=True)]
    override: int | None = getattr(found, "price_override", None)
    form = PlanChangeForm(
        request.POST if request.method == "POST" else None,
        plans=plans,
        currency=account.currency,
        billed=_billed(request, found, today),
        today=today,
        initial={"plan_id": found.plan_id, "price_override": override, "when": "now"},
    )

    def asked() -> Change:
        given, on = form.cleaned_data, form.cleaned_data["on"]
        plan = next(plan for plan in plans if plan.pk == given["plan_id"])
        price = getattr(plan, "price", None) if given["price_override"] is None else given["price_override"]
        lines = ["The new speeds hold at once.", _from_to(found, price)]
        done = "The plan is changed; the routers are told."
        if given["when"] == KEEP and form.billed is not None:
            lines.append(f"The price of now stays through {formats.day(form.billed)}.")
        elif on is not None:
            lines[0] = f"Until {formats.day(on - ONE_DAY)} everything stays as it is."
            done = f"Planned: {plan.name} from {formats.day(on)} on."
        if account.billing_type == BillingType.PREPAID:
            lines.append(f"The new price is charged from {_midnight(on)} on; nothing is credited.")
        return Change(lambda: _move(request, found, form), on, lines, done)

    return _change_page(request, found, form, asked, Words("Change plan", "change_plan", "Change plan"))


def _from_to(service: Service, price: int | None) -> str:
    """The price of a month before and after."""
    before, after = (formats.money(one, service.account.currency) for one in (getattr(service, "price", None), price))
    return f"{before} a month becomes {after}." if before != after else f"The price stays {after} a month."


def _midnight(on: date | None) -> str:
    return "the next 00:00" if on is None else f"00:00 of {formats.day(on)}"


def _move(request: HttpRequest, service: Service, form: PlanChangeForm) -> None:
    """Move the service to the plan as the form says. Refused: as the actions, or nothing would change on that day."""
    given, by, at = form.cleaned_data, actor_of(request), clock.now()
    plan_id, own, on = given["plan_id"], given["price_override"], given["on"]
    keeps = form.billed if given["when"] == KEEP else None
    if keeps is not None:
        on = keeps + ONE_DAY
    if on is None:
        actions.change_plan(service.pk, plan_id=plan_id, price_override=own, by=by, at=at)
        return
    before = queries.newest_facts([service.pk], on)
    speeds_now = keeps is not None and plan_id != service.plan_id
    if speeds_now:
        kept: int | None = getattr(service, "price", None)
        actions.change_plan(service.pk, plan_id=plan_id, price_override=kept, by=by, at=at)
    actions.plan_ahead(service.pk, on=on, plan_id=plan_id, by=by, at=at)
    if own is not None:
        actions.set_service_price(service.pk, price=own, valid_from=on, by=by, at=at)
    if not speeds_now and queries.newest_facts([service.pk], on) == before:
        raise Refused("The service has this plan at this price by then already.", field="plan_id", code="unchanged")


@page("services.edit")
def pause(request: HttpRequest, service_id: int) -> HttpResponse:
    """A vacation: no access and no charge from a day, until a day or until somebody takes it up again."""
    found = visible_service(request, service_id)
    today = clock.today(found.account.zone)
    form = PauseForm(_typed(request, first=today), today=today)

    def act() -> None:
        by, at = actor_of(request), clock.now()
        first, last = form.cleaned_data["first"], form.cleaned_data["last"]
        if first == today:
            actions.pause_service(service_id, by=by, at=at)
        else:
            actions.plan_ahead(service_id, on=first, state=ServiceState.PAUSED, by=by, at=at)
        if last is not None:
            actions.plan_ahead(service_id, on=last + ONE_DAY, state=ServiceState.ACTIVE, by=by, at=at)

    def asked() -> Change:
        first, last = form.cleaned_data["first"], form.cleaned_data["last"]
        begins = "No access from now on." if first == today else f"No access from {formats.day(first)} on."
        ends = "It rests until somebody activates it."
        if last is not None:
            ends = f"It is active again on {formats.day(last + ONE_DAY)}, by itself."
        charged = "Days of the pause are not charged."
        done = "The service is paused." if first == today else f"The pause from {formats.day(first)} on is planned."
        return Change(act, None if first == today else first, (begins, ends, charged), done)

    words = Words("Pause service", "pause_service", "Pause", danger=True, why_not=_rests(found, today))
    return _change_page(request, found, form, asked, words)


@page("services.edit")
def stop(request: HttpRequest, service_id: int) -> HttpResponse:
    """Stop a service for a reason of ours, now."""
    found = visible_service(request, service_id)
    form = LookedForm(_typed(request))

    def act() -> Service:
        return actions.stop_service(service_id, by=actor_of(request), at=clock.now())

    def asked() -> Change:
        lines = ("No access from now on.", "Not charged from the next 00:00. It can be activated again.")
        return Change(act, None, lines, "The service is stopped.")

    why_not = _rests(found, clock.today(found.account.zone))
    words = Words("Stop service", "stop_service", "Stop now", danger=True, why_not=why_not)
    return _change_page(request, found, form, asked, words)


@page("services.edit")
def end(request: HttpRequest, service_id: int) -> HttpResponse:
    """Cancel a service for good: now, with what is billed, or after a day."""
    found = visible_service(request, service_id)
    today = clock.today(found.account.zone)
    form = EndForm(_typed(request, when="now"), billed=_billed(request, found, today), today=today)

    def act() -> None:
        by, at, last = actor_of(request), clock.now(), form.cleaned_data["last"]
        if last is None:
            actions.end_service(service_id, by=by, at=at)
        else:
            actions.plan_ahead(service_id, on=last + ONE_DAY, state=ServiceState.ENDED, by=by, at=at)

    def asked() -> Change:
        last = form.cleaned_data["last"]
        free = "Its logins and addresses become free"
        if last is None:
            lines = ("No access from now on, and not charged from the next 00:00.", f"{free}. This cannot be undone.")
            return Change(act, None, lines, "The service is ended.")
        until = formats.day(last)
        lines = (f"It stays as it is through {until}.", f"{free} then. Until that day it can be taken back.")
        return Change(act, last + ONE_DAY, lines, f"Planned: it ends after {until}.")

    return _change_page(
        request, found, form, asked, Words("Cancel service", "end_service", "End for good", danger=True)
    )


@page("services.edit")
def take_back(request: HttpRequest, fact_id: int) -> HttpResponse:
    """What was planned for a day is not to be."""
    rows = within(request, ServiceFact.objects.select_related("plan"), "service__partner_id")
    fact = get_object_or_404(rows, pk=fact_id)
    found = visible_service(request, fact.service_id)
    form = LookedForm(_typed(request))

    def act() -> None:
        actions.cancel_planned(found.pk, on=fact.valid_from, by=actor_of(request), at=clock.now())

    def asked() -> Change:
        before = queries.newest_facts([found.pk], fact.valid_from - ONE_DAY)[found.pk]
        on, currency = formats.day(fact.valid_from), found.account.currency
        lines = (
            f"Planned for {on}: {changed_words(before, fact, currency)}. That is not to be.",
            f"It stays as the day before: {held_words(before, currency)}.",
        )
        return Change(act, fact.valid_from, lines, f"What was planned for {on} is taken back.")

    return _change_page(request, found, form, asked, Words("Take back what is planned", "take_back", "Take it back"))
