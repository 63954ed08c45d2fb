"""Pages of the services a customer holds, and of blocking him. Knows no balance and no session."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from demarc.base import clock
from demarc.customers.models import Customer
from demarc.customers.queries import open_blocks
from demarc.customers.web import customer_page, visible_customer
from demarc.plans import actions, queries
from demarc.plans.forms import BlockForm, ConfirmForm, NewServiceForm
from demarc.plans.models import Service, ServiceState
from demarc.plans.wording import Restraint
from demarc.staff.doors import actor_of, page, within
from demarc.staff.pages import carried_out, parts, seen, why_not
from demarc.ui.forms import form_page, posted


def visible_service(request: HttpRequest, service_id: int) -> Service:
    """The service, if it is one of the viewer's, with its price of today; else 404. Looking is written down."""
    services = queries.service_list(None, clock.now().date())
    found = get_object_or_404(within(request, services), pk=service_id)
    seen(request, ("customer", found.customer_id), found.partner_id)
    return found


@page("services.see")
def customer_services(request: HttpRequest, customer_id: int) -> HttpResponse:
    """What a customer holds."""
    customer = visible_customer(request, customer_id)
    services = services_shown(request, customer)
    return customer_page(request, customer, "customer_services", "plans/customer_services.html", services=services)


def services_of(customer: Customer) -> list[Service]:
    """His services, those that have ended last."""
    services = queries.service_list(None, clock.today(customer.partner.zone)).filter(customer=customer)
    return sorted(services[:200], key=lambda service: (service.state == ServiceState.ENDED, -service.pk))


def services_shown(request: HttpRequest, customer: Customer) -> list[Service]:
    """The same, each with the `restraint` of its access, where another room knows one."""
    services = services_of(customer)
    known = _restraints(request, services)
    for service in services:
        service.__dict__["restraint"] = known.get(service.pk)
    return services


def _restraints(request: HttpRequest, services: Sequence[Service]) -> dict[int, Restraint]:
    """Why services that nobody blocks have not their whole access, by service."""
    found: dict[int, Restraint] = {}
    for made in parts(request, "services.restraints", services):
        found |= made
    return found


@page("services.see")
def service(request: HttpRequest, service_id: int) -> HttpResponse:
    """One service: its plan, state and price, and what other rooms know of it."""
    found = visible_service(request, service_id)
    past = found.facts.filter(valid_from__lte=clock.today(found.account.zone))
    shown: dict[str, Any] = {
        "service": found,
        "restraint": _restraints(request, [found]).get(service_id),
        "facts_past": past.select_related("plan").order_by("-valid_from", "-id")[:30],
        "actions": parts(request, "service.actions", found),
        "panels": parts(request, "service.panels", found),
    }
    shown["more_actions"] = [action for action in shown["actions"] if not action.primary]
    return render(request, "plans/service.html", shown)


@page("services.edit")
def new_service(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A service for a customer; it waits until it is activated."""
    customer = visible_customer(request, customer_id)
    account = customer.accounts.order_by("id").first()
    if account is None:
        raise Http404
    plans = [*queries.plan_list([customer.partner_id], clock.today(account.zone)).filter(for_sale=True)]
    form = NewServiceForm(posted(request), plans=plans, currency=account.currency)

    def act() -> Service:
        return actions.add_service(customer_id=customer_id, by=actor_of(request), at=clock.now(), **form.facts())

    if carried_out(request, form, "add_service", ("customer", customer_id), act):
        messages.success(request, "The service is added. Next: give it a login, then activate it.")
        return redirect("service", form.result.pk)
    lines = ["It costs nothing and has no access until it is activated."]
    back = reverse("customer_services", args=[customer_id])
    return form_page(
        request,
        form,
        title="Add service",
        submit="Add service",
        consequences=lines,
        back=back,
        back_label=customer.name,
    )


@page("blocks.edit")
def block(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Take access from a customer by hand."""
    customer = visible_customer(request, customer_id)
    form = BlockForm(posted(request))

    def act() -> Any:
        return actions.block(customer_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "block", ("customer", customer_id), act):
        messages.success(request, "The customer is blocked; the routers are told.")
        return redirect("customer", customer_id)
    lines = [
        *parts(request, "customer.block_lines", customer),
        "Nothing is charged while the block lasts, and no payment lifts it: only staff do.",
    ]
    return form_page(
        request,
        form,
        title="Block customer",
        submit="Block now",
        danger=True,
        consequences=lines,
        intro=customer.name,
        back=reverse("customer", args=[customer_id]),
        back_label=customer.name,
    )


@page("blocks.edit")
def unblock(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Give access back by hand: for good what staff took, until the next 00:00 where money is missing."""
    customer = visible_customer(request, customer_id)
    form = ConfirmForm(posted(request))

    def act() -> None:
        actions.unblock(customer_id, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "unblock", ("customer", customer_id), act):
        messages.success(request, "The customer is unblocked; the routers are told.")
        return redirect("customer", customer_id)
    causes = {block.cause for block in open_blocks(customer_id)}
    lines = ["What staff blocked is lifted."] if 1 in causes else []
    if 2 in causes:
        lines.append("Online without money until the next 00:00, uncharged. Then the day is tried again.")
    return form_page(
        request,
        form,
        title="Unblock customer",
        why_not=why_not(act),
        submit="Unblock now",
        consequences=lines,
        intro=customer.name,
        back=reverse("customer", args=[customer_id]),
        back_label=customer.name,
    )
