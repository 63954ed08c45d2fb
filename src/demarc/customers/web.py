"""Pages of customers: the list, the frame of a customer's page, his record. Other rooms fill the frame (ui.panels)."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.html import format_html

from demarc.base import clock
from demarc.base.models import Location
from demarc.customers import actions, queries
from demarc.customers.forms import CustomerForm, NewCustomerForm
from demarc.customers.models import BillingType, Block, BlockCause, Customer, Status
from demarc.staff import masks
from demarc.staff.doors import actor_of, page, partners, permitted, scope, within
from demarc.staff.doors import words as held_words
from demarc.staff.pages import carried_out, choose_partner, chosen_partner, list_page, parts, seen
from demarc.ui import components, menu
from demarc.ui.forms import form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec
from demarc.ui.panels import Action


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[Customer]:
    found = parts(request, "customers.search", picked["q"]) if "q" in picked else ()
    also = [customer_id for ids in found for customer_id in ids]
    location = picked.get("location")
    return queries.customer_list(
        scope(request),
        status=picked.get("status", ""),
        billing_type=picked.get("billing", ""),
        location_id=int(location) if location else None,
    ).filter(_found(request, picked.get("q", ""), also))


def _found(request: HttpRequest, text: str, also: Sequence[int] = ()) -> Q:
    return queries.matching(text, scope(request), also, contacts=masks.readable("phone", held_words(request)))


def _locations(request: HttpRequest) -> Sequence[tuple[str, str]]:
    places = within(request, Location.objects.order_by("name"))
    return [(str(key), name) for key, name in places.values_list("id", "name")]


FOUND_MAX = 100
"""So many customers does a search of the operation log look for."""

CUSTOMERS = ListSpec(
    name="customers",
    one="customer",
    many="customers",
    search="Name, number, phone, login, address",
    filters=(
        Filter("status", "Status", lambda request: Status.choices),
        Filter("billing", "Billing", lambda request: BillingType.choices),
        Filter("location", "Location", _locations),
    ),
    columns=(
        Column(
            label="Name",
            value=lambda customer: customer.name,
            href=lambda customer: reverse("customer", args=[customer.pk]),
            order="name",
        ),
        Column(label="Number", value=lambda customer: customer.number, order="number"),
        Column(
            label="Status",
            value=lambda customer: customer.get_status_display(),
            shown=lambda customer: components.chip(customer.status, customer.get_status_display()),
            order="status",
        ),
    ),
    rows=_rows,
    empty="There is no customer yet. Add the first one, or bring a list through the API.",
)


@page("customers.see")
def customers(request: HttpRequest) -> HttpResponseBase:
    """All customers that the viewer may see, searched and filtered."""
    add = reverse("new_customer") if permitted(request, "customers.edit") else ""
    return list_page(request, CUSTOMERS, title="Customers", add_href=add, add_label="New customer")


def visible_customer(request: HttpRequest, customer_id: int) -> Customer:
    """The customer, if he is one of the viewer's; else 404. Looking is written down."""
    customers_ = within(request, Customer.objects.select_related("partner", "location"))
    found = get_object_or_404(customers_, pk=customer_id)
    seen(request, ("customer", found.pk), found.partner_id)
    return found


def customer_page(request: HttpRequest, customer: Customer, current: str, template: str, **words: Any) -> HttpResponse:
    """A page in the customer's frame: status, facts, tabs. `current` is its URL name."""
    blocks = list(queries.open_blocks(customer.pk))
    actions_ = parts(request, "customer.actions", customer)
    frame = {
        "customer": customer,
        "status": status_words(customer, blocks),
        "blocks": blocks,
        "facts": parts(request, "customer.facts", customer),
        "tabs": menu.tabs("customer", customer.pk, lambda word: permitted(request, word), current),
        "actions": actions_,
        "more_actions": [action for action in actions_ if not action.primary],
    }
    return render(request, template, frame | words)


def status_words(customer: Customer, blocks: Sequence[Block]) -> dict[str, Any]:
    """The status chip: the word, and for a blocked one why and since when."""
    causes = {block.cause: block for block in blocks}
    by_hand, money = causes.get(BlockCause.NOT_ACTIVE), causes.get(BlockCause.NO_MONEY)
    label: Any = customer.get_status_display()
    if customer.status == Status.BLOCKED and by_hand:
        label = format_html("Blocked by {} since {}", by_hand.set_by_label, components.at(by_hand.set_at))
    elif customer.status == Status.BLOCKED and money:
        label = format_html("Blocked: no money since {}", components.at(money.set_at))
    elif money and money.grace_until:
        label = format_html("Active without money until {}", components.at(money.grace_until))
    return {"word": customer.status, "label": label, "reason": by_hand.reason if by_hand else ""}


@page("customers.see")
def customer(request: HttpRequest, customer_id: int) -> HttpResponse:
    """The page that answers a call: what he has, what is wrong, what was asked of the routers."""
    found = visible_customer(request, customer_id)
    return customer_page(
        request,
        found,
        "customer",
        "customers/customer.html",
        notices=[notice for made in parts(request, "customer.attention", found) for notice in made],
        panels=parts(request, "customer.overview", found),
        history=queries.block_history(customer_id)[:10],
    )


def history_action(request: HttpRequest, customer: Customer) -> Action:
    """On the customer's page: what was done to him and who looked, in the operation log."""
    return Action("History", f"{reverse('operations')}?q=customer+{customer.pk}", "list")


def customers_named(request: HttpRequest, text: str) -> tuple[str, list[int]]:
    """For the search of the operation log: the customers whom the search of customers finds."""
    found = queries.customer_list(scope(request)).filter(_found(request, text)).order_by("-pk")[:FOUND_MAX]
    return "customer", [customer.pk for customer in found]


def customer_actions(request: HttpRequest, customer: Customer) -> Action:
    """On the customer's page: change his record."""
    return Action("Edit customer", reverse("edit_customer", args=[customer.pk]), "edit")


@page("customers.edit")
def new_customer(request: HttpRequest) -> HttpResponse:
    """A new customer with one account."""
    partner = chosen_partner(request)
    if partner is None:
        return choose_partner(request, "New customer")
    form = NewCustomerForm(posted(request), partner=partner)
    subject = ("partner", partner.pk)

    def act() -> Customer:
        return actions.create_customer(partner_id=partner.pk, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "create_customer", subject, act):
        messages.success(request, f"{form.result} is made. Next: add a service.")
        return redirect("customer", form.result.pk)
    intro = f"For {partner}." if partners(request).count() > 1 else ""
    back = reverse("customers")
    return form_page(
        request, form, title="New customer", submit="Add customer", intro=intro, back=back, back_label="Customers"
    )


@page("customers.edit")
def edit_customer(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Change a customer's record."""
    found = visible_customer(request, customer_id)
    fields = CustomerForm.base_fields
    form = CustomerForm(posted(request), partner=found.partner, initial={name: getattr(found, name) for name in fields})

    def act() -> Customer:
        return actions.update_customer(found.pk, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "update_customer", ("customer", found.pk), act):
        messages.success(request, "The customer's record is saved.")
        return redirect("customer", found.pk)
    back = reverse("customer", args=[found.pk])
    return form_page(request, form, title="Edit customer", submit="Save", back=back, back_label=found.name)
