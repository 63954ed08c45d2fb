"""Pages of a provider's texts: which there are, the editor with its preview on a real customer, back to the shipped."""

from collections.abc import Collection
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from demarc.base import clock
from demarc.base.models import Partner
from demarc.core.errors import Refused
from demarc.customers.models import Customer
from demarc.customers.web_terms import visible_partner
from demarc.messages import actions, queries
from demarc.messages.forms import WordingForm
from demarc.messages.kinds import CHANNEL_NAMES, CHANNELS, TEMPLATED, Kind
from demarc.messages.models import Wording
from demarc.messages.queries import LANGUAGES
from demarc.messages.shipped import Text
from demarc.staff.doors import actor_of, page
from demarc.staff.pages import carried_out, seen
from demarc.ui.forms import Form, form_page, posted


class Place(NamedTuple):
    """Which text a page is about."""

    partner: Partner
    kind: Kind
    channel: str
    language: str

    @property
    def title(self) -> str:
        """Its name."""
        return f"{self.kind.words}: {CHANNEL_NAMES[self.channel]}, {self.language}"

    @property
    def key(self) -> tuple[str, str, str]:
        """Its name for messages.actions."""
        return self.kind.name, self.channel, self.language

    def address(self, name: str) -> str:
        """The URL of one of its pages."""
        return reverse(name, args=[self.partner.pk, *self.key])


def _place(request: HttpRequest, partner_id: int, key: tuple[str, str, str]) -> Place:
    kind, channel, language = key
    if kind not in TEMPLATED or channel not in CHANNELS or language not in LANGUAGES:
        raise Http404
    return Place(visible_partner(request, partner_id), TEMPLATED[kind], channel, language)


@page("messages.see")
def texts(request: HttpRequest, partner_id: int) -> HttpResponse:
    """All texts, and which of them are the provider's own."""
    partner = visible_partner(request, partner_id)
    own = queries.own_texts([partner_id], TEMPLATED)
    rows = [
        (kind.words, CHANNEL_NAMES[channel], [_link(partner_id, (name, channel, code), own) for code in LANGUAGES])
        for name, kind in TEMPLATED.items()
        for channel in CHANNELS
    ]
    return render(request, "messages/texts.html", {"partner": partner, "rows": rows})


def _link(partner_id: int, key: tuple[str, str, str], own: Collection[tuple[int, str, str, str]]) -> tuple[Any, ...]:
    """A text's language, its page, and whether it is the provider's own."""
    return key[2], reverse("message_text", args=[partner_id, *key]), (partner_id, *key) in own


@page("messages.edit")
def text(request: HttpRequest, partner_id: int, kind: str, channel: str, language: str) -> HttpResponse:
    """The editor of one text, with the names it may use and a preview."""
    place = _place(request, partner_id, (kind, channel, language))
    now, own = queries.text_in_force(partner_id, *place.key)
    form = WordingForm(posted(request), channel=channel, initial=now._asdict())

    def act() -> Wording:
        return actions.save_wording(partner_id, place.key, _given(form), by=actor_of(request), at=clock.now())

    if carried_out(request, form, "save_wording", ("partner", partner_id), act):
        messages.success(request, "The text is saved; messages from now on use it.")
        return redirect("message_texts", partner_id)
    return form_page(
        request,
        form,
        "messages/text.html",
        title=place.title,
        submit="Save text",
        place=place,
        own=own,
        preview_address=place.address("preview_message_text"),
        reset_address=place.address("reset_message_text"),
        back=reverse("message_texts", args=[partner_id]),
        back_label="Texts",
    )


@page("messages.edit")
def preview(request: HttpRequest, partner_id: int, kind: str, channel: str, language: str) -> HttpResponse:
    """What is being typed, as one customer would read it; looked at by GET, the text in force."""
    place = _place(request, partner_id, (kind, channel, language))
    form = WordingForm(posted(request), channel=channel)
    shown: dict[str, Any] = {"place": place}
    try:
        customer = _customer(place.partner, request.POST.get("customer", ""))
        seen(request, ("customer", customer.pk), partner_id)
        given = _given(form) if form.is_valid() else queries.text_in_force(partner_id, *place.key)[0]
        if form.is_bound and form.errors:
            raise Refused("Fill in the fields first.")
        composed = queries.preview(customer, place.kind, channel, given, language=language, at=clock.now())
        shown |= {"customer": customer, "composed": composed}
    except Refused as refused:
        shown["fault"] = refused.message
    return render(request, "messages/preview.html", shown)


@page("messages.edit")
def reset(request: HttpRequest, partner_id: int, kind: str, channel: str, language: str) -> HttpResponse:
    """Back to the shipped text."""
    place = _place(request, partner_id, (kind, channel, language))
    form = Form(posted(request))

    def act() -> None:
        actions.reset_wording(partner_id, place.key, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "reset_wording", ("partner", partner_id), act):
        messages.success(request, "The shipped text is used again.")
        return redirect("message_texts", partner_id)
    return form_page(
        request,
        form,
        title=f"Back to the shipped text? {place.title}",
        submit="Use the shipped text",
        consequences=["Your own text is thrown away."],
        danger=True,
        back=place.address("message_text"),
        back_label="Text",
    )


def _given(form: WordingForm) -> Text:
    said = form.cleaned_data
    return Text(said.get("subject", ""), said["text"], said.get("html", ""))


def _customer(partner: Partner, number: str) -> Customer:
    """The customer of this number, or the newest; of this provider only. Refused: there is none."""
    rows = Customer.objects.select_related("partner").filter(partner=partner).order_by("-id")
    number = number.replace("\0", "").strip()[:30]
    found = rows.filter(number__in=[number, number.zfill(6)]).first() if number else rows.first()
    if found is None:
        raise Refused("There is no customer of this number." if number else "Add a customer first.")
    return found
