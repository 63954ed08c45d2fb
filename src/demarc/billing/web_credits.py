"""The page on which a whole invoice is taken back: the credit note and what becomes of the money, then the deed."""

import hashlib

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from demarc.base import clock
from demarc.billing import actions
from demarc.billing.actions import ForeseenCredit
from demarc.billing.actions.documents import Issued
from demarc.billing.forms import CreditForm
from demarc.billing.models import Document
from demarc.billing.web_documents import LINES_SHOWN, shown_lines, visible_document
from demarc.core.errors import Refused
from demarc.staff.doors import actor_of, page
from demarc.staff.pages import carried_out
from demarc.ui import formats
from demarc.ui.forms import form_page


@page("corrections.edit")
def credit_document(request: HttpRequest, document_id: int) -> HttpResponse:
    """The credit note of an invoice before it is issued, and the button that issues it."""
    found = visible_document(request, document_id)
    form = CreditForm(request.POST if request.method == "POST" else {})
    by = actor_of(request)
    shown: ForeseenCredit | None = None
    hindrance = ""

    def act() -> Issued:
        return actions.credit(document_id, reason=form.cleaned_data["reason"], by=by, at=clock.now())

    if form.is_valid():
        try:
            shown = actions.foresee_credit(document_id, by=by, at=clock.now())
        except Refused as refused:
            form.refuse(refused)
            hindrance = refused.message
    if shown is not None:
        looked = form.cleaned_data["looked"] == _digest(shown)
        if request.method == "POST" and looked and carried_out(request, form, "credit", _subject(found), act):
            messages.success(request, f"Issued credit note {form.result.number} for invoice {found.number}.")
            return redirect("document", form.result.document_id)
        form.show(_digest(shown))
    answer = form_page(
        request,
        form,
        "billing/credit.html",
        title=f"Credit {found.get_kind_display().lower()} {found.number}",
        submit="Issue the credit note" if shown else "Show what it does",
        document=found,
        note=shown.note if shown else None,
        lines=shown_lines(shown.lines[:LINES_SHOWN], found.currency) if shown else [],
        more_lines=max(len(shown.lines) - LINES_SHOWN, 0) if shown else 0,
        taxes=shown.taxes if shown else [],
        consequences=_told(found, shown) if shown else [],
        why_not=hindrance,
        intro=f"{found.account.customer}, account {found.account.number}",
        back=reverse("document", args=[document_id]),
        back_label=found.number,
    )
    if request.method != "POST":
        answer.status_code = 200  # nothing was asked for yet: why it cannot be done is no answer to a mistake
    return answer


def _subject(document: Document) -> tuple[str, int]:
    return "document", document.pk


def _digest(shown: ForeseenCredit) -> str:
    """Changes with anything that is shown, but not with the numbers of rows."""
    lines = [(line.text, line.first_day, line.last_day, line.amount, line.rate, line.included) for line in shown.lines]
    note, after = shown.note, shown[3:]
    said = (lines, [(tax.category, tax.rate, tax.net, tax.tax) for tax in shown.taxes], note.gross, note.issued_on)
    return hashlib.sha256(repr((said, after)).encode()).hexdigest()


def _told(document: Document, shown: ForeseenCredit) -> list[str]:
    """What the credit note does to the invoice, to the money, and to what is billed from now on."""

    def money(amount: int) -> str:
        return formats.money(amount, document.currency)

    paid = document.gross - document.open_amount
    told = []
    if document.open_amount:
        told.append(f"{money(document.open_amount)} is open on the invoice; afterwards nothing is owed for it.")
    if paid:
        told.append(f"{money(paid)} had paid it and is free again.")
    told += [f"{money(amount)} pays document {number}." for number, amount in shown.pays]
    before, after = (formats.balance(one, document.currency) for one in (shown.balance_before, shown.balance_after))
    told.append(f"The account {before[0].lower()}{before[1:]} now, and {after[0].lower()}{after[1:]} afterwards.")
    if any(line.service_id for line in shown.lines):
        first, last = formats.day(document.first_day), formats.day(document.last_day)
        told.append(f"Its days, {first} to {last}, are not billed again. The services stay as they are.")
    if shown.opens:
        told.append("Access comes back within seconds.")
    return told
