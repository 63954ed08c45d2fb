"""Blocking many customers at once, and giving them access back. Wired in project.wiring."""

from django.http import HttpRequest, HttpResponse

from demarc.base import clock
from demarc.customers.web import CUSTOMERS
from demarc.plans import actions
from demarc.plans.forms import BlockForm
from demarc.staff.bulk import Deed, bulk_page
from demarc.staff.doors import actor_of, page
from demarc.ui.forms import Form, posted
from demarc.ui.lists import Bulk

TRIED = "Tried"
"""The reason of a block that is taken back at once."""


def customer_deeds(request: HttpRequest) -> list[Bulk]:
    """Below the selected customers."""
    return [Bulk("Block", "block_customers", "ban", danger=True), Bulk("Unblock", "unblock_customers", "lock-open")]


@page("blocks.edit")
def block_customers(request: HttpRequest) -> HttpResponse:
    """Take access from many by hand, for one reason."""
    by, at = actor_of(request), clock.now()
    deed = Deed(
        verb="block",
        subject="customer",
        title="Block customers",
        submit="Block now",
        done="blocked; the routers are told",
        act=lambda customer, form: actions.block(customer.pk, reason=_reason(form), by=by, at=at),
        lines=(
            "They lose access within seconds, on all their services.",
            "Nothing is charged while the block lasts, and no payment lifts it: only staff do.",
        ),
        danger=True,
    )
    return bulk_page(request, CUSTOMERS, deed, BlockForm(posted(request)))


@page("blocks.edit")
def unblock_customers(request: HttpRequest) -> HttpResponse:
    """Give access back to many."""
    by, at = actor_of(request), clock.now()
    deed = Deed(
        verb="unblock",
        subject="customer",
        title="Unblock customers",
        submit="Unblock now",
        done="unblocked; the routers are told",
        act=lambda customer, form: actions.unblock(customer.pk, by=by, at=at),
        lines=(
            "What staff blocked is online again within seconds.",
            "Who lacks money is let online without it until the next midnight, uncharged.",
        ),
    )
    return bulk_page(request, CUSTOMERS, deed, Form(posted(request)))


def _reason(form: Form) -> str:
    return str(form.cleaned_data["reason"]) if form.is_bound and form.is_valid() else TRIED
