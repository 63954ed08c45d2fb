"""What the search finds among customers. Wired in project.wiring."""

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from demarc.base import words
from demarc.customers.models import Customer
from demarc.customers.queries import CONTACTS, RECORD
from demarc.staff import masks
from demarc.staff.doors import scope, within
from demarc.staff.doors import words as held_words
from demarc.ui import components
from demarc.ui.panels import Hit, Hits

SHOWN = 8


def customers_found(request: HttpRequest, text: str) -> Hits | None:
    """By the words of their records: name, number, phone, e-mail, address."""
    found = words.nearest(_kinds(request), text, scope(request), SHOWN)
    rows = within(request, Customer.objects.all()).in_bulk([one.subject_id for one in found])
    hits = tuple(
        customer_hit(request, rows[one.subject_id], exact=one.exact) for one in found if one.subject_id in rows
    )
    more = f"{reverse('customers')}?{urlencode({'q': text})}" if len(found) == SHOWN else ""
    return Hits("Customers", "users", hits, more) if hits else None


def _kinds(request: HttpRequest) -> tuple[str, ...]:
    """Who may not read phones and addresses finds nobody by them."""
    return RECORD + CONTACTS if masks.readable("phone", held_words(request)) else RECORD


def customer_hit(request: HttpRequest, customer: Customer, why: str = "", *, exact: bool = False) -> Hit:
    """A customer as he is told apart from others of his name, and by what he was found."""
    phone = masks.shown(customer.phone, "phone", held_words(request))
    told = " · ".join(word for word in (why, customer.number, customer.street, customer.city, phone) if word)
    line = format_html("{} {}", components.chip(customer.status, customer.get_status_display()), told)
    return Hit(customer.name, reverse("customer", args=[customer.pk]), line, exact)
