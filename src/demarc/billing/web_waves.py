"""Pages of waves: who was blocked on a day, who waits for a person's look, the stop of all blocking, outages."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from demarc.base import clock
from demarc.billing import actions, queries
from demarc.billing.forms_dunning import OutageForm, ReasonForm
from demarc.billing.guards import halted
from demarc.billing.models import BlockingStop, Outage, RowState, Wave, WaveRow, WaveState
from demarc.customers.web_terms import visible_partner
from demarc.staff.doors import actor_of, page, partners, scope, within
from demarc.staff.pages import carried_out, list_page, seen, why_not
from demarc.ui import components, formats
from demarc.ui.forms import Form, form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec

PARTNERS_SHOWN = 50
OUTAGES_SHOWN = 5
CHIPS = {
    "held": "warning",
    "working": "queued",
    "done": "charged",
    "restoring": "queued",
    "restored": "ended",
    "dropped": "ended",
    "waiting": "pending",
    "blocked": "blocked",
    "spared": "active",
}


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[Wave]:
    found = queries.wave_list(scope(request))
    return found.filter(state=picked["state"]) if "state" in picked else found


def _chip(row: Wave | WaveRow) -> Any:
    return components.chip(CHIPS[row.state], row.get_state_display())


WAVES = ListSpec(
    name="waves",
    one="wave",
    many="waves",
    filters=(Filter("state", "State", lambda request: WaveState.choices),),
    columns=(
        Column(
            label="Day",
            value=lambda wave: wave.day,
            shown=lambda wave: components.on(wave.day),
            href=lambda wave: reverse("wave", args=[wave.pk]),
            order="day",
        ),
        Column(label="State", value=lambda wave: wave.get_state_display(), shown=_chip),
        Column(label="Found", value=lambda wave: wave.size, number=True, order="size"),
        Column(label="Held above", value=lambda wave: wave.usual_max, number=True),
        Column(label="Blocked", value=lambda wave: wave.blocked, number=True),
        Column(label="No longer due", value=lambda wave: wave.spared, number=True),
        Column(label="Online again", value=lambda wave: wave.restored, number=True),
        Column(
            label="Owed",
            value=lambda wave: formats.figure(wave.amount, wave.partner.currency),
            shown=lambda wave: components.money(wave.amount, wave.partner.currency),
            number=True,
        ),
        Column(label="Provider", value=lambda wave: wave.partner.name),
    ),
    rows=_rows,
    empty="Nobody was blocked yet for an unpaid document. Recurring accounts that owe are looked at every hour.",
)


@page("dunning.see")
def waves(request: HttpRequest) -> HttpResponseBase:
    """Whether blocking goes its way, and the waves day by day."""
    now = clock.now()
    switches = [
        {
            "partner": partner,
            "stop": BlockingStop.objects.filter(partner=partner, lifted_at=None).first(),
            "halted": halted(partner, at=now),
        }
        for partner in partners(request)[:PARTNERS_SHOWN]
    ]
    outages = queries.outage_list(scope(request))[:OUTAGES_SHOWN]
    return list_page(request, WAVES, "billing/waves.html", title="Blocking", switches=switches, outages=outages)


@page("dunning.see")
def wave(request: HttpRequest, wave_id: int) -> HttpResponseBase:
    """One wave with the names of those in it."""
    found = _visible(request, wave_id)
    seen(request, ("wave", wave_id), found.partner_id)
    currency = found.partner.currency

    def rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[WaveRow]:
        chosen = found.rows.select_related("account", "account__customer").order_by("account_id")
        return chosen.filter(state=picked["state"]) if "state" in picked else chosen

    names = ListSpec(
        name="wave",
        one="account",
        many="accounts",
        filters=(Filter("state", "State", lambda request: RowState.choices),),
        columns=(
            Column(
                label="Customer",
                value=lambda row: row.account.customer.name,
                href=lambda row: reverse("customer", args=[row.account.customer_id]),
            ),
            Column(label="Account", value=lambda row: row.account.number),
            Column(
                label="Owes",
                value=lambda row: formats.figure(row.amount, currency),
                shown=lambda row: components.money(row.amount, currency),
                number=True,
            ),
            Column(label="State", value=lambda row: row.get_state_display(), shown=_chip),
        ),
        rows=rows,
    )
    held = found.state == WaveState.HELD
    takes_back = found.state in (WaveState.DONE, WaveState.WORKING, WaveState.HELD) and found.blocked > 0
    shown = {"wave": found, "chip": _chip(found), "held": held, "takes_back": takes_back}
    return list_page(request, names, "billing/wave.html", title=f"Wave of {formats.day(found.day)}", **shown)


@page("dunning.edit")
def confirm_wave(request: HttpRequest, wave_id: int) -> HttpResponse:
    """Let a held wave go."""
    found = _visible(request, wave_id)
    lines = [
        f"{formats.plural(found.size, 'customer')} may lose access within minutes, unless they have paid meanwhile.",
        f"The usual waves let {formats.number(found.usual_max)} go without a look.",
    ]
    words = {"title": "Let this wave go", "submit": "Block them", "danger": True, "consequences": lines}
    return _wave_form(request, found, actions.confirm_wave, "The wave goes now, chunk by chunk.", words)


@page("dunning.edit")
def restore_wave(request: HttpRequest, wave_id: int) -> HttpResponse:
    """Take the last wave back."""
    found = _visible(request, wave_id)
    lines = [
        f"{formats.plural(found.blocked, 'customer')} blocked by this wave are online again within minutes, unpaid.",
        "Fees for it that are not billed yet are cancelled.",
        "The next wave waits for a person, so nobody is blocked again unseen.",
    ]
    words = {"title": "Take this wave back", "submit": "Let them online", "consequences": lines}
    return _wave_form(request, found, actions.restore_wave, "The wave is being taken back, chunk by chunk.", words)


@page("dunning.edit")
def blocking_switch(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Stop all blocking of a provider, or allow it again."""
    partner = visible_partner(request, partner_id)
    stopped = BlockingStop.objects.filter(partner=partner, lifted_at=None).exists()
    form: Form = Form(posted(request)) if stopped else ReasonForm(posted(request))

    def act() -> None:
        by, at = actor_of(request), clock.now()
        if stopped:
            actions.allow_blocking(partner_id, by=by, at=at)
        else:
            actions.stop_blocking(partner_id, by=by, at=at, **form.cleaned_data)

    if carried_out(request, form, "blocking_switch", ("partner", partner_id), act):
        messages.success(request, "Blocking goes its way again." if stopped else "Nobody is blocked any more.")
        return redirect("waves")
    again = ["From the next full hour on, who owes is blocked as the rules say. A large wave waits for a person."]
    stop = [
        "At once nobody of this provider is blocked for money, and a wave at work stops within seconds.",
        "Who is blocked stays so. Payments let online as ever, and reminders go out.",
        "It stands on the dashboard until somebody allows blocking again.",
    ]
    return form_page(
        request,
        form,
        title="Allow blocking again" if stopped else "Stop all blocking",
        submit="Allow blocking" if stopped else "Stop all blocking",
        danger=not stopped,
        consequences=again if stopped else stop,
        intro=f"Of {partner}.",
        back=reverse("waves"),
        back_label="Blocking",
    )


@page("dunning.edit")
def note_outage(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Write an outage of ours down."""
    partner = visible_partner(request, partner_id)
    form = OutageForm(posted(request), initial={"began_at": clock.now()})

    def act() -> Outage:
        return actions.note_outage(partner_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "note_outage", ("partner", partner_id), act):
        messages.success(request, "The outage is noted; nobody is blocked until some hours after its end.")
        return redirect("waves")
    _, guards = queries.policy_on(partner_id, clock.today(partner.zone))
    lines = [f"Nobody of {partner} is blocked while it lasts, and for {guards.outage_hours} hours after its end."]
    back = reverse("waves")
    return form_page(
        request, form, title="Note an outage", submit="Note it", consequences=lines, back=back, back_label="Blocking"
    )


@page("dunning.edit")
def end_outage(request: HttpRequest, outage_id: int) -> HttpResponse:
    """An outage is over."""
    outage = get_object_or_404(within(request, Outage.objects.select_related("partner")), pk=outage_id)
    form = Form(posted(request))

    def act() -> Outage:
        return actions.end_outage(outage_id, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "end_outage", ("partner", outage.partner_id), act):
        messages.success(request, "The outage is over.")
        return redirect("waves")
    intro = f"{outage.get_kind_display()} since {formats.moment(outage.began_at)}."
    back = reverse("waves")
    return form_page(
        request,
        form,
        title="The outage is over",
        why_not=why_not(act),
        submit="It is over now",
        intro=intro,
        back=back,
        back_label="Blocking",
    )


def _wave_form(
    request: HttpRequest, wave: Wave, act: Callable[..., Wave], said: str, words: dict[str, Any]
) -> HttpResponse:
    form = Form(posted(request))

    def carry() -> Wave:
        return act(wave.pk, by=actor_of(request), at=clock.now())

    if carried_out(request, form, act.__name__, ("partner", wave.partner_id), carry):
        messages.success(request, said)
        return redirect("wave", wave.pk)
    back = reverse("wave", args=[wave.pk])
    label = f"Wave of {formats.day(wave.day)}"
    words |= {"back": back, "back_label": label, "why_not": why_not(carry)}
    return form_page(request, form, intro=f"{wave.partner}", **words)


def _visible(request: HttpRequest, wave_id: int) -> Wave:
    return get_object_or_404(within(request, Wave.objects.select_related("partner")), pk=wave_id)
