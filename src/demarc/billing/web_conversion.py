"""Pages on which a payer changes how he pays: by the day or by documents, and whether through another account.

What it does is computed by the deed itself and taken back; it is carried out only when just that was seen.
"""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from demarc.base import clock
from demarc.billing import actions
from demarc.billing.forms import LinkForm
from demarc.billing.models import Document, Transfer
from demarc.billing.rehearsal import made, rehearsed
from demarc.billing.wording import Words
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY
from demarc.customers.models import Account, BillingType
from demarc.customers.web_terms import visible_account
from demarc.staff.doors import actor_of, page, within
from demarc.staff.pages import carried_out
from demarc.ui import formats
from demarc.ui.forms import LookedForm, form_page

LINES_SHOWN = 100
"""Lines of a document that a page shows."""


class Foreseen(NamedTuple):
    """What a deed writes: documents with their lines in words, and transfers (day, what, from, to, amount)."""

    documents: list[dict[str, Any]]
    transfers: list[tuple[Any, ...]]
    more: int

    @property
    def digest(self) -> str:
        """Changes with anything that is shown, but not with the time of day or the numbers of rows."""
        shown = [[(one["what"], one["amount"], one["lines"]) for one in self.documents], self.transfers, self.more]
        return hashlib.sha256(repr(shown).encode()).hexdigest()


def foreseen(account: Account, act: Callable[[], Account]) -> Foreseen:
    """What a deed writes to an account and the one it pays through, as the API tells it too. Refused as it."""

    def done() -> Foreseen:
        told = made(account, act)
        return Foreseen(
            [_document(one) for one in told.documents], [_transfer(one) for one in told.transfers], told.more
        )

    return rehearsed(done)


def _document(one: Document) -> dict[str, Any]:
    words = Words("en", one.currency)
    lines = [
        f"{line.text}, {words.days(line.first_day, line.last_day)}: {words.money(line.amount)}"
        for line in one.lines.order_by("seq")[:LINES_SHOWN]
    ]
    return {
        "what": one.get_kind_display(),
        "amount": formats.money(abs(one.gross), one.currency),
        "due": one.due_on if one.open_amount else None,
        "lines": lines,
    }


def _transfer(one: Transfer) -> tuple[Any, ...]:
    sides = (_side(one.debit_account), _side(one.credit_account))
    return (one.day, one.get_kind_display(), *sides, formats.money(one.amount, one.currency))


def _side(ledger: Any) -> str:
    """An account of the ledger as people call it."""
    if ledger.payer:
        return f"Account {ledger.payer.number}"
    return f"{ledger.get_kind_display()}: {ledger.name.replace('_', '-')}"


class Deed(NamedTuple):
    """What a page of this module does: its words, its verb for the log, the action, and what follows from it."""

    title: str
    submit: str
    verb: str
    act: Callable[[], Account]
    lines: tuple[str, ...]
    done: str


def _deed_page(request: HttpRequest, account: Account, form: LookedForm, deed: Deed | None) -> HttpResponse:
    """The page of a deed (None: the form does not say yet which): first all it writes, then the button."""
    shown: Foreseen | None = None
    if deed is not None and form.is_valid():
        try:
            shown = foreseen(account, deed.act)
        except Refused as refused:
            form.refuse(refused)
    if shown is not None and deed is not None:
        seen = form.cleaned_data["looked"] == shown.digest
        subject = ("customer", account.customer_id)
        if request.method == "POST" and seen and carried_out(request, form, deed.verb, subject, deed.act):
            messages.success(request, deed.done)
            return redirect("customer_money", account.customer_id)
        form.show(shown.digest)
    answer = form_page(
        request,
        form,
        "billing/conversion.html",
        title=deed.title if deed else "Pay through another account",
        submit=deed.submit if shown and deed else "Show what it does",
        consequences=deed.lines if shown and deed else (),
        foreseen=shown,
        intro=f"{account.customer}, account {account.number}",
        back=reverse("customer_money", args=[account.customer_id]),
        back_label=account.customer.name,
    )
    if request.method != "POST":
        answer.status_code = 200  # nothing was asked for yet: why it cannot be done is no answer to a mistake
    return answer


@page("accounts.edit")
def convert_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """From prepaid days to documents, or back, from tomorrow on."""
    account = visible_account(request, account_id)
    form = LookedForm(request.POST if request.method == "POST" else {})
    to_prepaid = account.billing_type == BillingType.RECURRING
    verb = actions.make_prepaid if to_prepaid else actions.make_recurring

    def act() -> Account:
        return verb(account_id, by=actor_of(request), at=clock.now())

    tomorrow = formats.day(clock.today(account.zone) + ONE_DAY)
    if to_prepaid:
        lines = (
            "What was billed beyond today is credited; what was used and is not billed yet is billed.",
            f"From 00:00 of {tomorrow} on each day is charged from the balance, and blocks when it is not covered.",
        )
        deed = Deed("Make it prepaid", "Make it prepaid", "make_prepaid", act, lines, "The account is prepaid now.")
    else:
        lines = (
            "Days through today are charged by the day; none is billed twice.",
            f"From {tomorrow} on it pays by documents. Who is blocked for money is billed from today and is online.",
        )
        words = ("Make it recurring", "Make it recurring", "make_recurring")
        deed = Deed(*words, act, lines, "The account is recurring now.")
    return _deed_page(request, account, form, deed)


@page("accounts.edit")
def link_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """An account pays through another from its next document on."""
    account = visible_account(request, account_id)
    form = LinkForm(request.POST if request.method == "POST" else None)
    deed = None
    if form.is_valid():
        number = form.cleaned_data["number"].strip()
        same = within(request, Account.objects.filter(partner_id=account.partner_id)).select_related("customer")
        parent = same.filter(number=number).first() or same.filter(number=number.zfill(6)).first()
        if parent is None:
            form.add_error("number", "There is no account of this number.")
        else:
            deed = _link(request, account, parent)
    return _deed_page(request, account, form, deed)


def _link(request: HttpRequest, account: Account, parent: Account) -> Deed:
    def act() -> Account:
        try:
            return actions.link_account(account.pk, parent_id=parent.pk, by=actor_of(request), at=clock.now())
        except Refused as refused:
            field = "number" if refused.field == "parent_id" else refused.field
            raise Refused(refused.message, field=field, code=refused.code) from refused

    lines = (
        f"From its next document on it is billed with account {parent.number} of {parent.customer.name}.",
        "What it has too much goes over at once. Its debts stay with its own documents.",
    )
    words = ("Pay through another account", "Link the accounts", "link_account")
    return Deed(*words, act, lines, f"It pays through account {parent.number} now.")


@page("accounts.edit")
def unlink_account(request: HttpRequest, account_id: int) -> HttpResponse:
    """An account pays for itself again."""
    account = visible_account(request, account_id)
    form = LookedForm(request.POST if request.method == "POST" else {})

    def act() -> Account:
        return actions.unlink_account(account_id, by=actor_of(request), at=clock.now())

    lines = ("Its documents come on the same days as before, on its own account.", "What is billed stays as it is.")
    words = ("Pay for itself again", "Unlink the account", "unlink_account")
    return _deed_page(request, account, form, Deed(*words, act, lines, "It pays for itself now."))
