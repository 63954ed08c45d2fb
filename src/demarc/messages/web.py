"""Pages of messages: the list, one of them, a new one, one again."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet, Value
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.base import clock
from demarc.customers.web import visible_customer
from demarc.messages import actions, queries
from demarc.messages.forms import KeyedForm, NoteForm
from demarc.messages.kinds import KINDS
from demarc.messages.models import Channel, Message, State
from demarc.messages.sms import number_of
from demarc.staff import masks
from demarc.staff.doors import actor_of, page, scope, within, words
from demarc.staff.pages import carried_out, list_page, seen
from demarc.ui import components
from demarc.ui.forms import form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec
from demarc.ui.panels import Fact

CHIPS = {
    State.WAITING: "pending",
    State.SENDING: "queued",
    State.SENT: "ack",
    State.FAILED: "failed",
    State.DROPPED: "ended",
    State.DRY_RUN: "inactive",
}


def state_chip(message: Message) -> SafeString:
    """How far a message is."""
    return components.chip(CHIPS[State(message.state)], message.get_state_display())


def about(message: Message) -> str:
    """A message in one line."""
    return message.subject or " ".join(message.text.split())[:80]


def _to(message: Any) -> str:
    """The recipient, as whoever asked for the list may read it."""
    recipient: str = message.recipient
    return recipient if message.whole else queries.recipient_shown(message, ())


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[Message]:
    columns = {name: picked[name] for name in ("state", "channel", "kind") if name in picked}
    whole = masks.readable("email", words(request))
    found = queries.message_list(scope(request), text=picked.get("q", ""), contacts=whole, **columns)
    return found.annotate(whole=Value(whole))


MESSAGES = ListSpec(
    name="messages",
    one="message",
    many="messages",
    search="Customer, number, address",
    filters=(
        Filter("state", "State", lambda request: State.choices),
        Filter("channel", "By", lambda request: Channel.choices),
        Filter("kind", "About", lambda request: [(kind.name, kind.words) for kind in KINDS.values()]),
    ),
    columns=(
        Column(label="Message", value=about, href=lambda message: reverse("message", args=[message.pk])),
        Column(
            label="Customer",
            value=lambda message: message.customer.name if message.customer else "",
            href=lambda message: reverse("customer", args=[message.customer_id]) if message.customer_id else "",
        ),
        Column(label="To", value=_to),
        Column(label="By", value=lambda message: message.get_channel_display()),
        Column(
            label="State",
            value=lambda message: message.get_state_display(),
            shown=state_chip,
        ),
        Column(
            label="Written",
            value=lambda message: message.created_at,
            shown=lambda message: components.at(message.created_at),
        ),
    ),
    rows=_rows,
    empty="Nobody has been told anything yet. Payments, blocks and low balances write messages by themselves.",
)


@page("messages.see")
def messages_(request: HttpRequest) -> HttpResponseBase:
    """All messages that the viewer may see."""
    return list_page(request, MESSAGES, title="Messages")


def visible_message(request: HttpRequest, message_id: int) -> Message:
    """The message, if it is of one of the viewer's providers; else 404. Looking is written down."""
    rows = Message.objects.select_related("customer", "partner", "account", "resent_from")
    found = get_object_or_404(within(request, rows), pk=message_id)
    if found.customer_id:
        seen(request, ("customer", found.customer_id), found.partner_id)
    return found


@page("messages.see")
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """One message as it was, or will be, read; and what became of it."""
    found = visible_message(request, message_id)
    waits = found.state == State.WAITING
    to = queries.recipient_shown(found, words(request))
    facts = (
        Fact("To", to or "Nobody", (found.get_channel_display(),), "" if found.recipient else "bad"),
        Fact(
            "About", KINDS[found.kind].words, (f"Written by {found.created_by_label}", components.at(found.created_at))
        ),
        Fact(
            "Next try" if waits else "Ended",
            components.at(found.not_before if waits else found.ended_at),
            (f"{found.attempts} tries so far",) if found.attempts else (),
        ),
    )
    shown = {
        "message": found,
        "chip": state_chip(found),
        "facts": facts,
        "can_resend": found.state in actions.OVER and found.customer_id,
    }
    return render(request, "messages/message.html", shown)


@page("messages.edit")
def resend(request: HttpRequest, message_id: int) -> HttpResponse:
    """The same words again, to the customer's present address."""
    found = visible_message(request, message_id)
    form = KeyedForm(posted(request))

    def act() -> Message:
        return actions.resend(message_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    subject = ("customer", found.customer_id)
    if carried_out(request, form, "resend", subject, act):
        messages.success(request, f"Written again: {form.result.get_state_display().lower()}.")
        return redirect("message", form.result.pk)
    lines = ["The customer gets the same words a second time.", "They go to the address he has now."]
    return form_page(
        request,
        form,
        title="Send it again",
        submit="Send again",
        consequences=lines,
        back=reverse("message", args=[message_id]),
        back_label="Message",
    )


@page("messages.edit")
def write(request: HttpRequest, customer_id: int) -> HttpResponse:
    """Staff's own words to a customer."""
    customer = visible_customer(request, customer_id)
    form = NoteForm(posted(request), initial={"channel": "mail" if customer.email else "sms"})

    def act() -> Message:
        return actions.write_note(customer_id, by=actor_of(request), at=clock.now(), **form.said())

    if carried_out(request, form, "write_note", ("customer", customer_id), act):
        messages.success(request, f"The message is written: {form.result.get_state_display().lower()}.")
        return redirect("message", form.result.pk)
    mine = words(request)
    known = (masks.shown(customer.email, "email", mine), masks.shown(number_of(customer.phone), "phone", mine))
    addresses = [word for word in known if word]
    intro = f"To {customer.name}: {' or '.join(addresses) or 'neither an e-mail address nor a phone number is known'}."
    back = reverse("customer", args=[customer_id])
    return form_page(
        request, form, title="Write a message", submit="Send", intro=intro, back=back, back_label=customer.name
    )
