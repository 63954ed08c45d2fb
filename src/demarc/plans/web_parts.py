"""What plans and services add to the pages of other rooms. Wired in project.wiring."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.base import clock
from demarc.customers.models import Customer
from demarc.customers.queries import open_blocks
from demarc.plans import queries
from demarc.plans.models import Service, ServiceState
from demarc.plans.web_services import services_of, services_shown
from demarc.plans.wording import changed_words
from demarc.ui import formats
from demarc.ui.lists import Column
from demarc.ui.panels import Action, Fact

SERVICES = 200
SHOWN = 50


def held_columns(request: HttpRequest) -> list[Column]:
    """In the list of customers: the plans of the services that have not ended."""
    return [Column(label="Plan", value=_names, load=_held)]


def _names(names: Sequence[str] | None) -> str:
    """The first two, and how many more."""
    shown = ", ".join((names or ())[:2])
    more = len(names or ()) - 2
    return f"{shown} and {more} more" if more > 0 else shown


def _held(customers: Sequence[Customer]) -> Mapping[int, list[str]]:
    services = Service.objects.filter(customer__in=customers).exclude(state=ServiceState.ENDED).order_by("id")
    held: dict[int, list[str]] = {}
    for customer_id, name in services.values_list("customer_id", "plan__name"):
        held.setdefault(customer_id, []).append(name)
    return held


def held_fact(request: HttpRequest, customer: Customer) -> Fact:
    """Under the customer's name: what he holds and what it costs."""
    held = [service for service in services_of(customer) if service.state != ServiceState.ENDED]
    href = reverse("customer_services", args=[customer.pk])
    if not held:
        return Fact("Service", "None", ("Add one to begin",), "soon", href)
    first = held[0]
    price = formats.money(getattr(first, "price", None), first.account.currency)
    speed = f"{formats.speed(first.plan.speed_down_kbps)} / {formats.speed(first.plan.speed_up_kbps)}"
    label = "Service" if len(held) == 1 else f"{len(held)} services"
    lines = (f"{price} a month, {first.get_state_display().lower()}", speed)
    return Fact(label, first.plan.name, lines, "", href)


def services_panel(request: HttpRequest, customer: Customer) -> SafeString:
    """On the customer's overview: his services."""
    held = services_shown(request, customer)
    return render_to_string("plans/services_panel.html", {"services": held, "customer": customer}, request)


def block_action(request: HttpRequest, customer: Customer) -> Action:
    """On the customer's page: block, or lift what blocks."""
    if open_blocks(customer.pk).exists():
        return Action("Unblock", reverse("unblock_customer", args=[customer.pk]), "lock-open")
    return Action("Block", reverse("block_customer", args=[customer.pk]), "ban", danger=True)


def add_action(request: HttpRequest, customer: Customer) -> Action:
    """On the customer's page: another service."""
    return Action("Add service", reverse("new_service", args=[customer.pk]), "plus")


def change_plan_action(request: HttpRequest, service: Service) -> Action | None:
    """On the service's page: another plan."""
    if service.state == ServiceState.ENDED:
        return None
    return Action("Change plan", reverse("change_plan", args=[service.pk]), "edit")


def planned_panel(request: HttpRequest, service: Service) -> SafeString | None:
    """On the service's page: what is planned for it, each with its "take back"."""
    return _planned(request, [service], clock.today(service.account.zone))


def planned_of_customer(request: HttpRequest, customer: Customer) -> SafeString | None:
    """On the customer's overview: what is planned for his services."""
    held = list(Service.objects.filter(customer=customer).exclude(state=ServiceState.ENDED).order_by("id")[:SERVICES])
    return _planned(request, held, clock.today(customer.partner.zone), of_many=True)


def _planned(
    request: HttpRequest, services: Sequence[Service], today: date, *, of_many: bool = False
) -> SafeString | None:
    rows = [
        {"fact": one.fact, "words": changed_words(one.before, one.fact, one.fact.service.account.currency)}
        for one in queries.planned_changes([service.pk for service in services], today)[:SHOWN]
    ]
    if not rows:
        return None
    return SafeString(render_to_string("plans/planned_panel.html", {"rows": rows, "of_many": of_many}, request))


def pause_action(request: HttpRequest, service: Service) -> Action | None:
    """On the service's page: leave the state active for a while."""
    return _leave(service, "pause", "player-pause") if service.state == ServiceState.ACTIVE else None


def stop_action(request: HttpRequest, service: Service) -> Action | None:
    """On the service's page: stop it."""
    return _leave(service, "stop", "circle-minus") if service.state == ServiceState.ACTIVE else None


def end_action(request: HttpRequest, service: Service) -> Action | None:
    """On the service's page: end it for good, now or after a day."""
    if service.state == ServiceState.ENDED:
        return None
    return Action("Cancel service", reverse("end_service", args=[service.pk]), "circle-x", danger=True)


def _leave(service: Service, verb: str, icon: str) -> Action:
    return Action(verb.capitalize(), reverse(f"{verb}_service", args=[service.pk]), icon)
