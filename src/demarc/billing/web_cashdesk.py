"""The cashdesk: who pays is found by name, login or number, and shown by name, open invoices and balance alone."""

from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from demarc.base import clock, log
from demarc.billing import queries
from demarc.billing.models import Document, DocumentKind
from demarc.customers.models import Account, Customer
from demarc.customers.queries import matching
from demarc.staff.doors import actor_of, page, permitted, scope, within
from demarc.staff.pages import parts

FOUND_MAX = 20
INVOICES_MAX = 100
OWN_SHOWN = 20
TEXT_MAX = 100


@dataclass(frozen=True, slots=True)
class Payer:
    """An account as the cashdesk shows it."""

    account: Account
    balance: int
    invoices: list[Document]


@page("cashdesk.edit")
def cashdesk(request: HttpRequest) -> HttpResponse:
    """Find who pays; and what the viewer took himself."""
    text = request.GET.get("q", "")[:TEXT_MAX].strip()
    found = _payers(request, text) if text else []
    by = actor_of(request)
    if text:
        log.record("listed", by=by, at=clock.now(), subject=("cashdesk", None), filter={"q": text}, count=len(found))
    own = queries.payment_list(scope(request)).filter(by_kind=by.kind, by_id=by.id)[:OWN_SHOWN]
    shown = {"text": text, "payers": found[:FOUND_MAX], "more": len(found) > FOUND_MAX, "own": list(own)}
    return render(request, "billing/cashdesk.html", shown)


def back_to_payer(request: HttpRequest, customer_id: int) -> str:
    """Where one goes on after a payment: the customer's money for who may see it, else the cashdesk."""
    if permitted(request, "accounts.see"):
        return reverse("customer_money", args=[customer_id])
    return reverse("cashdesk")


def _payers(request: HttpRequest, text: str) -> list[Payer]:
    """The accounts that a text names, one more than are shown."""
    by_login = [key for ids in parts(request, "cashdesk.search", text) for key in ids]
    named = within(request, Customer.objects.filter(matching(text, scope(request), by_login, contacts=False)))
    known = Q(customer__in=named) | Q(number=text) | Q(number=text.zfill(6))
    invoiced = within(request, Document.objects.filter(number__iexact=text)).values("account_id")
    accounts = within(request, Account.objects.select_related("customer").filter(known | Q(pk__in=invoiced)))
    found = list(accounts.order_by("customer__name", "id")[: FOUND_MAX + 1])
    sums = queries.account_summaries([one.pk for one in found], at=clock.now())
    invoices = _open_invoices([one.pk for one in found])
    return [Payer(one, sums[one.pk].balance, invoices.get(one.pk, [])) for one in found]


def _open_invoices(account_ids: list[int]) -> dict[int, list[Document]]:
    rows = Document.objects.filter(account_id__in=account_ids, kind=DocumentKind.INVOICE, open_amount__gt=0)
    found: dict[int, list[Document]] = {}
    for one in rows.order_by("due_on", "id")[:INVOICES_MAX]:
        found.setdefault(one.account_id, []).append(one)
    return found
