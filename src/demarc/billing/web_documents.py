"""Pages of documents: the list, one with its why, its PDF, and what is to be billed once."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.base import clock, log
from demarc.base.models import OperationLog
from demarc.billing import actions, pdf, queries
from demarc.billing.forms import ItemForm
from demarc.billing.models import Document, DocumentKind, DocumentLine, Item
from demarc.billing.wording import Words
from demarc.core.errors import Refused
from demarc.core.period import add_months
from demarc.customers.models import Account
from demarc.customers.web_terms import visible_account
from demarc.staff.doors import actor_of, page, scope, within
from demarc.staff.pages import carried_out, list_page, seen, why_not
from demarc.ui import components, formats
from demarc.ui.forms import Form, form_page, posted
from demarc.ui.lists import Column, Filter, Listing, ListSpec
from demarc.ui.panels import Fact

MONTHS = 13
RUNS_SHOWN = 24
LINES_SHOWN = 500
CHAIN_SHOWN = 50
TONES = {"open": "pending", "partly": "pending", "overdue": "failed", "paid": "ack", "credited": "ended"}


def state_chip(document: Document) -> SafeString:
    """Where a document stands, as a chip."""
    state = queries.state_of(document, clock.today(document.account.zone))
    if not state:
        return components.chip("ended", document.get_kind_display())
    return components.chip(TONES[state], queries.STATES[state])


def _rows(request: HttpRequest, picked: Mapping[str, str]) -> QuerySet[Document]:
    found = queries.document_list(scope(request))
    if "state" in picked:
        found = queries.in_state(found, picked["state"], clock.now().date())
    if "kind" in picked:
        found = found.filter(kind=picked["kind"])
    if "run" in picked:
        found = found.filter(run_id=int(picked["run"]))
    if "month" in picked:
        year, month = picked["month"].split("-")
        found = found.filter(issued_on__year=int(year), issued_on__month=int(month))
    if text := picked.get("q"):
        found = found.filter(queries.documents_named(text, scope(request), clock.now().year))
    return found


def _months(request: HttpRequest) -> list[tuple[str, str]]:
    this = clock.now().date().replace(day=1)
    months = [add_months(this, -ago, 1) for ago in range(MONTHS)]
    return [(f"{one:%Y-%m}", formats.month(one)) for one in months]


def _runs(request: HttpRequest) -> list[tuple[str, str]]:
    """The newest runs that issued something."""
    newest = queries.run_list(scope(request)).filter(confirmed_at__isnull=False)[:RUNS_SHOWN]
    return [(str(run.pk), f"{formats.day(run.day)}, {run.partner}") for run in newest]


DOCUMENTS = ListSpec(
    name="documents",
    one="document",
    many="documents",
    search="Number, customer",
    filters=(
        Filter("state", "State", lambda request: tuple(queries.STATES.items())),
        Filter("kind", "Kind", lambda request: DocumentKind.choices),
        Filter("month", "Issued in", _months),
        Filter("run", "Run", _runs),
    ),
    columns=(
        Column(
            label="Number",
            value=lambda document: document.number,
            href=lambda document: reverse("document", args=[document.pk]),
        ),
        Column(
            label="Customer",
            value=lambda document: document.account.customer.name,
            href=lambda document: reverse("customer_money", args=[document.account.customer_id]),
        ),
        Column(
            label="Date",
            value=lambda document: document.issued_on,
            shown=lambda document: components.on(document.issued_on),
            order="issued_on",
        ),
        Column(
            label="Due",
            value=lambda document: document.due_on,
            shown=lambda document: components.on(document.due_on) if document.kind == DocumentKind.INVOICE else "",
        ),
        Column(
            label="Total",
            value=lambda document: formats.figure(document.gross, document.currency),
            shown=lambda document: components.money(document.gross, document.currency),
            number=True,
        ),
        Column(
            label="Open",
            value=lambda document: formats.figure(document.open_amount, document.currency),
            shown=lambda document: (
                components.money(document.open_amount, document.currency) if document.open_amount else ""
            ),
            number=True,
        ),
        Column(label="State", value=lambda document: document.get_kind_display(), shown=state_chip),
    ),
    rows=_rows,
    empty="No document yet. They are issued on the billing days of recurring accounts, and when something is sold.",
)


@page("documents.see")
def documents(request: HttpRequest) -> HttpResponseBase:
    """All documents that the viewer may see; what is picked is summed by currency."""
    listing = Listing(DOCUMENTS, request)
    totals = queries.totals_by_currency(listing.rows.order_by()) if listing.picked else []
    return list_page(request, DOCUMENTS, "billing/documents.html", title="Documents", totals=totals)


def visible_document(request: HttpRequest, document_id: int) -> Document:
    """The document, if it is of one of the viewer's providers; else 404. Looking is written down."""
    rows = queries.document_list(None).select_related("corrects", "run")
    found = get_object_or_404(within(request, rows), pk=document_id)
    seen(request, ("customer", found.account.customer_id), found.partner_id)
    return found


@page("documents.see")
def document(request: HttpRequest, document_id: int) -> HttpResponse:
    """One document: its lines and why, its taxes, what paid it, what corrects it, who did what with it."""
    found = visible_document(request, document_id)
    facts = [
        Fact(
            "Total", components.money(found.gross, found.currency), (f"Net {formats.money(found.net, found.currency)}",)
        ),
        Fact("Date", components.on(found.issued_on), (found.get_source_display(),)),
    ]
    if found.kind == DocumentKind.INVOICE:
        tone = "bad" if queries.state_of(found, clock.today(found.account.zone)) == "overdue" else ""
        due = f"Due {formats.day(found.due_on)}"
        facts.insert(1, Fact("Open", components.money(found.open_amount, found.currency), (due,), tone))
    lines = found.lines.order_by("seq")
    shown = {
        "document": found,
        "chip": state_chip(found),
        "creditable": queries.may_be_credited(found),
        "facts": facts,
        "lines": shown_lines(lines[:LINES_SHOWN], found.currency),
        "more_lines": max(lines.count() - LINES_SHOWN, 0),
        "taxes": found.taxes.order_by("category", "rate"),
        "allocations": found.allocations.select_related("payment", "credit_note").order_by("id")[:CHAIN_SHOWN],
        "used_for": found.used_for.select_related("document").order_by("id")[:CHAIN_SHOWN],
        "corrected_by": found.corrected_by.order_by("id")[:CHAIN_SHOWN],
        "log": OperationLog.objects.filter(subject_kind="document", subject_id=found.pk).order_by("-id")[:20],
    }
    return render(request, "billing/document.html", shown)


def shown_lines(lines: Iterable[DocumentLine], currency: str) -> list[dict[str, Any]]:
    """Lines with their why in words."""
    words = Words("en", currency)
    return [
        {"line": line, "why": words.why(line.derivation, amount=line.amount, revenue=line.revenue)} for line in lines
    ]


@page("documents.see")
def document_pdf(request: HttpRequest, document_id: int) -> HttpResponse:
    """The document as its customer gets it."""
    found = visible_document(request, document_id)
    try:
        made = pdf.render(found.pk)
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect("document", document_id)
    by, at = actor_of(request), clock.now()
    log.record("downloaded", by=by, at=at, subject=("document", found.pk), partner_id=found.partner_id)
    answer = HttpResponse(made, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{pdf.file_name(found)}"'
    return answer


def money_part(account: Account) -> dict[str, Any]:
    """On a customer's money: an account's newest documents, and what is still to be billed once."""
    return {
        "documents": [(one, state_chip(one)) for one in queries.document_list(None).filter(account=account)[:20]],
        "items": queries.open_items([account.pk])[:100],
    }


@page("documents.edit")
def new_item(request: HttpRequest, account_id: int) -> HttpResponse:
    """Something to be billed once: a fee, a sale, a rebate."""
    account = visible_account(request, account_id)
    form = ItemForm(posted(request), account=account, initial={"due_from": clock.today(account.zone)})

    def act() -> Item:
        return actions.bill_item(account_id=account_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "bill_item", ("customer", account.customer_id), act):
        issued = form.result.document
        words = f"Billed as {issued.number}." if issued else "It comes with the next document."
        messages.success(request, words)
        return redirect("customer_money", account.customer_id)
    return form_page(
        request,
        form,
        title="Bill something once",
        submit="Add it",
        intro=f"{account.customer}, account {account.number}",
        back=reverse("customer_money", args=[account.customer_id]),
        back_label=account.customer.name,
    )


@page("documents.edit")
def bill_items(request: HttpRequest, account_id: int) -> HttpResponse:
    """Bill what waits now, on a document of its own."""
    account = visible_account(request, account_id)
    form = Form(posted(request))
    today = clock.today(account.zone)
    items = list(queries.open_items([account_id]).filter(due_from__lte=today)[:100])

    def act() -> list[Any]:
        return actions.bill_items(account_id, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "bill_items", ("customer", account.customer_id), act):
        if not form.result:
            messages.error(request, "Nothing was to be billed.")
            return redirect("customer_money", account.customer_id)
        messages.success(request, f"Issued {form.result[0].number}.")
        return redirect("document", form.result[0].document_id)
    told = [f"{item.text}: {formats.money(item.amount, account.currency)}" for item in items]
    return form_page(
        request,
        form,
        title="Bill now",
        submit="Issue the document",
        consequences=told,
        why_not="" if told else "Nothing waits to be billed today.",
        intro=f"{account.customer}, account {account.number}. They go on one document of today.",
        back=reverse("customer_money", args=[account.customer_id]),
        back_label=account.customer.name,
    )


@page("documents.edit")
def cancel_item(request: HttpRequest, item_id: int) -> HttpResponse:
    """Not to be billed after all."""
    item = get_object_or_404(within(request, Item.objects.select_related("account__customer")), pk=item_id)
    customer = item.account.customer
    seen(request, ("customer", customer.pk), item.partner_id)
    form = Form(posted(request))

    def act() -> Item:
        return actions.cancel_item(item_id, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "cancel_item", ("customer", customer.pk), act):
        messages.success(request, "It will not be billed.")
        return redirect("customer_money", customer.pk)
    return form_page(
        request,
        form,
        title="Do not bill it",
        why_not=why_not(act),
        submit="Do not bill it",
        danger=True,
        intro=f"{customer}: {item.text}, {formats.money(item.amount, item.account.currency)}",
        back=reverse("customer_money", args=[customer.pk]),
        back_label=customer.name,
    )
