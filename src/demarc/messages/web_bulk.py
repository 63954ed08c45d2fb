"""One note to many customers. Wired in project.wiring."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from demarc.base import clock
from demarc.core.errors import Refused
from demarc.customers.models import Customer
from demarc.customers.web import CUSTOMERS
from demarc.messages import actions
from demarc.messages.forms import NoteForm, fresh_key
from demarc.messages.kinds import MAIL
from demarc.messages.shipped import Text
from demarc.messages.sms import number_of
from demarc.staff.bulk import Deed, bulk_page
from demarc.staff.doors import actor_of, page
from demarc.ui.forms import Form, posted
from demarc.ui.lists import Bulk


def customer_deeds(request: HttpRequest) -> list[Bulk]:
    """Below the selected customers."""
    return [Bulk("Write a message", "write_customers", "mail")]


@page("messages.edit")
def write_customers(request: HttpRequest) -> HttpResponse:
    """Staff's own words to many; each gets his own message, once however often the form is sent."""
    by, at = actor_of(request), clock.now()
    deed = Deed(
        verb="write_note",
        subject="customer",
        title="Write to customers",
        submit="Send",
        done="written to",
        act=lambda customer, form: actions.write_note(customer.pk, by=by, at=at, **_said(customer, form)),
        lines=("Each gets the same words, to the address he has now; quiet hours and a dry run hold as ever.",),
    )
    return bulk_page(request, CUSTOMERS, deed, NoteForm(posted(request), initial={"channel": MAIL}))


def _said(customer: Customer, form: Form) -> dict[str, Any]:
    """What he is sent. Refused: there is no address of him to send it to."""
    given: dict[str, Any] = {"channel": MAIL, "said": Text("Tried", "Tried"), "key": fresh_key()}
    if isinstance(form, NoteForm) and form.is_bound and form.is_valid():
        given = form.said()
    if not (customer.email if given["channel"] == MAIL else number_of(customer.phone)):
        raise Refused("No address is known to send it to.", code="no_address")
    return {**given, "key": f"{given['key']}:{customer.pk}"}
