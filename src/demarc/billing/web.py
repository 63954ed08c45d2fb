"""Pages of money: a customer's ledger, payments, refunds, corrections, activation. Amounts in words; each says why."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from demarc.base import clock
from demarc.billing import actions, queries
from demarc.billing.forms import CorrectionForm, PaymentForm, RefundForm
from demarc.billing.models import Payment, PaymentMethod, Transfer, TransferKind
from demarc.billing.queries import ChargedDay, LedgerMonth, Movement
from demarc.billing.web_cashdesk import back_to_payer
from demarc.billing.web_documents import money_part
from demarc.core.errors import Refused
from demarc.core.money import parse
from demarc.customers.models import Account
from demarc.customers.web import customer_page, visible_customer
from demarc.customers.web_terms import visible_account
from demarc.staff.doors import actor_of, page, proven, scope, within
from demarc.staff.pages import carried_out, list_page, seen, why_not
from demarc.ui import components, formats
from demarc.ui.forms import Form, form_page, posted
from demarc.ui.lists import Column, Filter, ListSpec

PAYMENTS_SHOWN = 50
CHILDREN_SHOWN = 50
DECISIONS = {
    "charged": "Charged",
    "blocked": "Blocked",
    "nothing_due": "Nothing due",
    "first_day": "Charged at activation",
}
MOVES = dict(TransferKind.choices)


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[Payment]:
    found = queries.payment_list(scope(request))
    if "method" in picked:
        found = found.filter(method=picked["method"])
    if "kind" in picked:
        found = found.filter(amount__lt=0) if picked["kind"] == "refund" else found.filter(amount__gt=0)
    if text := picked.get("q"):
        found = found.filter(queries.payments_named(text, scope(request)))
    return found


PAYMENTS = ListSpec(
    name="payments",
    one="payment",
    many="payments",
    search="Customer, number",
    filters=(
        Filter("method", "How", lambda request: PaymentMethod.choices),
        Filter("kind", "Kind", lambda request: (("payment", "Payments"), ("refund", "Refunds"))),
    ),
    columns=(
        Column(
            label="Customer",
            value=lambda payment: payment.account.customer.name,
            href=lambda payment: reverse("customer_money", args=[payment.account.customer_id]),
        ),
        Column(label="Number", value=lambda payment: payment.number),
        Column(
            label="Received on",
            value=lambda payment: payment.received_on,
            shown=lambda payment: components.on(payment.received_on),
            order="received_on",
        ),
        Column(
            label="Amount",
            value=lambda payment: formats.figure(payment.amount, payment.currency),
            shown=lambda payment: components.moved(payment.amount, payment.currency),
            number=True,
        ),
        Column(label="How", value=lambda payment: payment.get_method_display()),
        Column(label="Entered by", value=lambda payment: payment.by_label),
        Column(label="Comment", value=lambda payment: payment.comment),
    ),
    rows=_rows,
    empty="No payment yet. They are added on a customer's page, or come in through the API.",
)


@page("payments.see")
def payments(request: HttpRequest) -> HttpResponseBase:
    """All payments that the viewer may see."""
    return list_page(request, PAYMENTS, title="Payments")


@page("accounts.see")
def customer_money(request: HttpRequest, customer_id: int) -> HttpResponse:
    """A customer's money: each account with its months, days beneath, and its payments."""
    customer = visible_customer(request, customer_id)
    now = clock.now()
    accounts = [
        {
            "account": account,
            "summary": queries.account_summary(account.pk, at=now),
            "months": [_shown(month, account) for month in queries.ledger_months(account.pk)],
            "children": account.children.select_related("customer").order_by("id")[:CHILDREN_SHOWN],
            "payments": queries.payment_list(None).filter(account=account)[:PAYMENTS_SHOWN],
            **money_part(account),
        }
        for account in customer.accounts.select_related("parent__customer").order_by("id")[:20]
    ]
    return customer_page(request, customer, "customer_money", "billing/customer_money.html", accounts=accounts)


class Line(NamedTuple):
    """One line beneath a month: a decided day, or money that moved. `added` is below zero when it was taken."""

    day: date
    words: str
    charged: int
    added: int
    at: datetime | None
    href: str = ""


def _shown(month: LedgerMonth, account: Account) -> dict[str, Any]:
    """A month as the page shows it, the newest line first; each day leads to its why."""
    days = [
        Line(one.day, _decided(one, account.currency), one.charged, 0, one.paid_at, _why(account, one.day))
        for one in month.days
    ]
    moves = [_moved(one) for one in month.movements]
    return {
        "first": month.first,
        "opening": month.opening,
        "closing": month.closing,
        "tax": month.tax,
        "plans": [name for name in month.plans if name],
        "gross": month.gross,
        "moved": sum(one.amount for one in month.movements if not one.document),
        "lines": sorted([*moves, *days], key=lambda line: line.day, reverse=True),
    }


def _why(account: Account, day: date) -> str:
    return reverse("charged_day", args=[account.pk, day.isoformat()])


def _moved(one: Movement) -> Line:
    """Money that moved; a document is charged, a credit note adds."""
    if one.document is None:
        return Line(one.day, MOVES[one.kind], 0, one.amount, one.recorded_at)
    words = f"{one.document.get_kind_display()} {one.document.number}"
    href = reverse("document", args=[one.document.pk])
    return Line(one.day, words, max(-one.amount, 0), max(one.amount, 0), one.recorded_at, href)


def _decided(day: ChargedDay, currency: str) -> str:
    words = DECISIONS[day.decision]
    if day.paid_at:
        words = "Blocked at 00:00, then paid"
    elif day.decision == "blocked" and not day.cost:  # nothing was tried that day
        words = "Still blocked, not charged"
    elif day.decision == "blocked":
        words = f"Blocked at 00:00: {formats.money(day.cost, currency)} was not covered"
    return f"{words}, caught up later" if day.catch_up else words


@page("cashdesk.edit")
def pay(request: HttpRequest, account_id: int) -> HttpResponse:
    """Add a payment."""
    account = visible_account(request, account_id)
    initial = {"received_on": clock.today(account.zone), "method": PaymentMethod.CASH}
    form = PaymentForm(posted(request), currency=account.currency, initial=initial)
    preview = reverse("pay_preview", args=[account_id])
    form.fields["amount"].widget.attrs |= {
        "hx-get": preview,
        "hx-trigger": "input changed delay:300ms, load",
        "hx-target": "#preview",
    }

    def act() -> Payment:
        return actions.receive(account_id=account_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "receive", ("customer", account.customer_id), act):
        amount = formats.money(form.result.amount, account.currency)
        messages.success(request, f"Received {amount} as payment {form.result.number}.")
        return redirect(back_to_payer(request, account.customer_id))
    return form_page(
        request,
        form,
        "billing/pay.html",
        title="Add payment",
        submit="Add payment",
        account=account,
        summary=queries.account_summary(account_id, at=clock.now()),
        back=back_to_payer(request, account.customer_id),
        back_label=account.customer.name,
    )


@page("cashdesk.edit")
def pay_preview(request: HttpRequest, account_id: int) -> HttpResponse:
    """What the amount that is being typed would change."""
    account = visible_account(request, account_id)
    shown: dict[str, Any] = {"account": account}
    try:
        amount = parse(request.GET.get("amount", ""), account.currency).amount
        if amount > 0:
            after = queries.after_payment(account_id, amount, at=clock.now())
            words = formats.balance(after.balance, account.currency)
            shown |= {"after": after, "after_words": words[0].lower() + words[1:]}
    except Refused:
        pass  # half an amount is no mistake yet; the form says so when it is sent
    return render(request, "billing/preview.html", shown)


@page("corrections.edit")
@proven
def refund(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Give back all or part of a payment."""
    payment = get_object_or_404(within(request, queries.payment_list(None)), pk=payment_id)
    seen(request, ("customer", payment.account.customer_id), payment.partner_id)
    form = RefundForm(posted(request), currency=payment.currency, initial={"amount": payment.amount})

    def act() -> Payment:
        return actions.refund(payment_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    customer = payment.account.customer
    if carried_out(request, form, "refund", ("customer", customer.pk), act):
        back_again = formats.money(-form.result.amount, payment.currency)
        messages.success(request, f"Gave back {back_again} as {form.result.number}.")
        return redirect("customer_money", customer.pk)
    lines = [
        f"The money goes back by the way it came: {payment.get_method_display().lower()}.",
        "The balance falls by it. What it had paid is open again, as far as there is no other money for it.",
        "Nobody is blocked for it before the next 00:00.",
    ]
    return form_page(
        request,
        form,
        title=f"Refund payment {payment.number}",
        submit="Give it back",
        danger=True,
        consequences=lines,
        intro=f"{customer}: {formats.money(payment.amount, payment.currency)} of {formats.day(payment.received_on)}",
        back=reverse("customer_money", args=[customer.pk]),
        back_label=customer.name,
    )


@page("corrections.edit")
def correct(request: HttpRequest, account_id: int) -> HttpResponse:
    """Put a balance right."""
    account = visible_account(request, account_id)
    form = CorrectionForm(posted(request), currency=account.currency)

    def act() -> Transfer:
        return actions.correct(account_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "correct", ("customer", account.customer_id), act):
        messages.success(request, "The balance is corrected.")
        return redirect("customer_money", account.customer_id)
    summary = queries.account_summary(account_id, at=clock.now())
    lines = [
        "It is booked on its own, as written off: nothing that was recorded is changed.",
        "If he is blocked for money and this covers today, he is online again.",
    ]
    return form_page(
        request,
        form,
        title="Correct balance",
        submit="Record correction",
        consequences=lines,
        intro=f"{account.customer.name}. {formats.balance(summary.balance, account.currency)} now.",
        back=reverse("customer_money", args=[account.customer_id]),
        back_label=account.customer.name,
    )


@page("accounts.edit")
def unpark(request: HttpRequest, account_id: int) -> HttpResponse:
    """Take a parked account back into the billing runs."""
    account = visible_account(request, account_id)
    form = Form(posted(request))

    def act() -> bool:
        by, at = actor_of(request), clock.now()
        if queries.parked_calendars(None).filter(account_id=account_id).exists():
            actions.unpark_recurring(account_id, by=by, at=at)
            return True
        return actions.unpark(account_id, by=by, at=at)

    if carried_out(request, form, "unpark", ("customer", account.customer_id), act):
        if form.result:
            messages.success(request, "The account is billed again; what it missed comes with the next run.")
        else:
            messages.error(request, "It had to be parked again: what is wrong with it is still there.")
        return redirect("customer_money", account.customer_id)
    lines = [
        "Undecided prepaid days are decided now, in order, as catch-up.",
        "Open billing days of a recurring account get their documents with the next run.",
    ]
    back = reverse("customer_money", args=[account.customer_id])
    return form_page(
        request,
        form,
        title="Bill this account again",
        why_not=why_not(act),
        submit="Bill it again",
        consequences=lines,
        back=back,
        back_label=account.customer.name,
    )
