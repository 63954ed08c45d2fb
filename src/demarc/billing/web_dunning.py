"""Pages of debts: the rules of reminding and blocking, a promise, a dispute, the simulator. Knows no rule itself."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from demarc.base import clock, log
from demarc.billing import actions, queries
from demarc.billing.forms_dunning import (
    REMINDERS,
    AccountDunningForm,
    DunningForm,
    PromiseForm,
    ReasonForm,
    SimulatorForm,
)
from demarc.billing.models import Document, DunningTerms, Promise
from demarc.billing.queries import Foresight, WhatIf
from demarc.core.dunning import Policy
from demarc.core.money import Money, format_plain
from demarc.customers.models import Account
from demarc.customers.web_terms import visible_account, visible_partner
from demarc.staff.doors import actor_of, page, within
from demarc.staff.pages import carried_out, seen, why_not
from demarc.ui import formats
from demarc.ui.forms import Form, form_page, posted

PROMISE_DAYS = 7
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@page("settings.edit")
def dunning_terms(request: HttpRequest, partner_id: int) -> HttpResponse:
    """A provider's rules of reminding and blocking from a day on."""
    partner = visible_partner(request, partner_id)
    today = clock.today(partner.zone)
    policy, guards = queries.policy_on(partner_id, today)
    given = _shown(policy, partner.currency) | {
        "valid_from": today,
        "wave_factor": guards.factor,
        "wave_least": guards.least,
        "outage_hours": guards.outage_hours,
    }
    given |= {f"reminder_{number}": tuple(one) for number, one in enumerate(policy.reminders[:REMINDERS], 1)}
    form = DunningForm(posted(request), currency=partner.currency, initial=given)

    def act() -> DunningTerms:
        return actions.set_dunning_terms(partner_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "set_dunning_terms", ("partner", partner_id), act):
        messages.success(request, "The rules are saved. They hold from the next full hour on.")
        return redirect("partner", partner_id)
    intro = "They hold for recurring accounts without rules of their own. Try them in the simulator before you save."
    back = reverse("partner", args=[partner_id])
    return form_page(
        request,
        form,
        title="Reminders and blocking",
        submit="Save rules",
        intro=intro,
        back=back,
        back_label="Settings",
    )


@page("dunning.edit")
def account_dunning(request: HttpRequest, account_id: int) -> HttpResponse:
    """An account's own rules of reminding and blocking."""
    account = visible_account(request, account_id)
    today = clock.today(account.zone)
    rows = DunningTerms.objects.filter(account=account, valid_from__lte=today).order_by("valid_from", "id")
    own = rows.last() or DunningTerms()
    form = AccountDunningForm(
        posted(request), currency=account.currency, initial={"valid_from": today} | _own(own, account.currency)
    )

    def act() -> DunningTerms:
        given = {"account_id": account.pk} | form.cleaned_data
        return actions.set_dunning_terms(account.partner_id, by=actor_of(request), at=clock.now(), **given)

    if carried_out(request, form, "set_dunning_terms", ("customer", account.customer_id), act):
        messages.success(request, "The account's own rules are saved.")
        return redirect("customer", account.customer_id)
    intro = "What is left open follows the provider's rules."
    back = reverse("customer", args=[account.customer_id])
    return form_page(
        request,
        form,
        title="Own rules of blocking",
        submit="Save rules",
        intro=intro,
        back=back,
        back_label=account.customer.name,
    )


@page("promises.edit")
def promise(request: HttpRequest, account_id: int) -> HttpResponse:
    """A promise to pay: online until a day."""
    account = visible_account(request, account_id)
    today = clock.today(account.zone)
    form = PromiseForm(posted(request), initial={"until": today + timedelta(days=PROMISE_DAYS)})

    def act() -> Promise:
        return actions.promise(account_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "promise", ("customer", account.customer_id), act):
        messages.success(request, f"He is left alone until the end of {formats.day(form.result.until)}.")
        return redirect("customer", account.customer_id)
    by_staff = account.customer.blocks.filter(account=None, lifted_at=None).exists()
    lines = [
        "Staff blocked him: a promise does not open that, so he stays offline until staff unblock him."
        if by_staff
        else "If he is blocked for money he is online again within seconds.",
        "He is not reminded meanwhile. If he has not paid by then, he is blocked at the next hour of blocking.",
    ]
    return form_page(
        request,
        form,
        title="Promise to pay",
        why_not=why_not(lambda: actions.promise(account_id, until=today, by=actor_of(request), at=clock.now())),
        submit="Record promise",
        consequences=lines,
        intro=_owing(account),
        back=reverse("customer", args=[account.customer_id]),
        back_label=account.customer.name,
    )


@page("promises.edit")
def end_promise(request: HttpRequest, account_id: int) -> HttpResponse:
    """A promise no longer counts."""
    account = visible_account(request, account_id)
    form = Form(posted(request))

    def act() -> None:
        actions.end_promise(account_id, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "end_promise", ("customer", account.customer_id), act):
        messages.success(request, "The promise no longer counts.")
        return redirect("customer", account.customer_id)
    return form_page(
        request,
        form,
        title="End the promise",
        why_not=why_not(act),
        submit="End it",
        danger=True,
        consequences=["If he still owes, he is blocked at the next hour of blocking."],
        intro=_owing(account),
        back=reverse("customer", args=[account.customer_id]),
        back_label=account.customer.name,
    )


@page("promises.edit")
def dispute(request: HttpRequest, document_id: int) -> HttpResponse:
    """The customer contests a document, or that is settled."""
    documents = within(request, Document.objects.select_related("account", "account__customer"))
    document = get_object_or_404(documents, pk=document_id)
    customer = document.account.customer
    seen(request, ("customer", customer.pk), document.partner_id)
    form = ReasonForm(posted(request))
    open_now = document.disputed_at is not None
    verb = actions.end_dispute if open_now else actions.dispute

    def act() -> Document:
        return verb(document_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "dispute", ("customer", customer.pk), act):
        words = "is owed like any other again" if open_now else "blocks nobody until the dispute is settled"
        messages.success(request, f"Document {document.number} {words}.")
        return redirect("customer", customer.pk)
    owed = ["From now on it counts like any other; if it is overdue, the next hour of blocking acts on it."]
    contested = [
        "Nobody is reminded of it or blocked for it until the dispute is ended.",
        "If it is all that he is blocked for, he is online again within seconds. Payments pay it last.",
    ]
    amount = formats.money(document.open_amount, document.currency)
    return form_page(
        request,
        form,
        title="End the dispute" if open_now else "Dispute this document",
        submit="It is settled" if open_now else "Record dispute",
        consequences=owed if open_now else contested,
        intro=f"{customer}: document {document.number}, {amount} open.",
        back=reverse("customer", args=[customer.pk]),
        back_label=customer.name,
    )


@page("dunning.see")
def simulator(request: HttpRequest, partner_id: int) -> HttpResponseBase:
    """Whom other rules would remind and block over the next days, beside the rules in force."""
    partner = visible_partner(request, partner_id)
    policy, _ = queries.policy_on(partner_id, clock.today(partner.zone))
    initial = _shown(policy, partner.currency)
    form = SimulatorForm(request.GET or None, currency=partner.currency, initial=initial)
    foresight = None
    if form.is_valid():
        given = dict(form.cleaned_data)
        due_days = given.pop("due_days")
        foresight = queries.foresee(partner, WhatIf(given, due_days), at=clock.now())
    elif not form.is_bound:
        foresight = queries.foresee(partner, WhatIf({}), at=clock.now())
    if foresight is not None and request.GET.get("format") == "csv":
        subject, count = ("simulator", partner_id), len(foresight.events)
        log.record(
            "exported", by=actor_of(request), at=clock.now(), subject=subject, partner_id=partner_id, count=count
        )
        return _as_file(foresight, partner.currency)
    query = request.GET.copy()
    query["format"] = "csv"
    if not form.is_bound:
        query.update({name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()})
    shown = {"partner": partner, "form": form, "foresight": foresight, "csv": f"?{query.urlencode()}"}
    return render(request, "billing/simulator.html", shown, status=422 if form.errors else 200)


def _as_file(foresight: Foresight, currency: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(_lines(foresight, currency), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="simulation.csv"'
    return response


class _Echo:
    """A file that gives back what is written into it."""

    def write(self, text: str) -> str:
        return text


def _lines(foresight: Foresight, currency: str) -> Iterator[str]:
    """The foreseen events, piece by piece."""
    writer = csv.writer(_Echo())
    yield writer.writerow(["Day", "What", "Account", "Customer", f"Amount {currency}"])
    for start in range(0, len(foresight.events), 2000):
        events = foresight.events[start : start + 2000]
        accounts = Account.objects.select_related("customer").in_bulk({event.account_id for event in events})
        for event in events:
            account = accounts[event.account_id]
            name = account.customer.name
            safe = f"'{name}" if name.startswith(FORMULA) else name
            amount = format_plain(Money(event.amount, currency))
            yield writer.writerow([event.day, event.what, account.number, safe, amount])


def _owing(account: Account) -> str:
    standing = queries.standing(account.pk, at=clock.now())
    owed = standing.owed if standing else 0
    words = f"{formats.money(owed, account.currency)} overdue" if owed else "nothing overdue"
    return f"{account.customer}: {words}."


def _shown(policy: Policy, currency: str) -> dict[str, Any]:
    """The rules as a form shows them."""
    shown: dict[str, Any] = {name: _word(value) for name, value in policy._asdict().items()}
    for name in ("threshold", "blocking_fee", "reactivation_fee"):
        shown[name] = format_plain(Money(getattr(policy, name), currency))
    return shown


def _own(own: DunningTerms, currency: str) -> dict[str, Any]:
    shown = {name: _word(getattr(own, name)) for name in AccountDunningForm.KEPT[1:]}
    if own.threshold is not None:
        shown["threshold"] = format_plain(Money(own.threshold, currency))
    return {name: value for name, value in shown.items() if value is not None}


def _word(value: Any) -> Any:
    """Yes and no as the forms' choices call them."""
    return ("yes" if value else "no") if isinstance(value, bool) else value
