"""The page that says what other prices, taxes, days to pay or hours of blocking would come to. Keeps nothing."""

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from demarc.base import clock
from demarc.base.models import Partner
from demarc.billing import actions
from demarc.billing.actions.whatif import Answer
from demarc.billing.forms_whatif import WhatIfForm
from demarc.core.errors import Refused
from demarc.customers.models import Account
from demarc.plans.queries import plan_list, tax_categories
from demarc.staff.doors import actor_of, page
from demarc.staff.pages import choose_partner, chosen_partner
from demarc.ui import formats
from demarc.ui.forms import UNPROCESSABLE

PLANS = 500


class Row(NamedTuple):
    """A figure before and after, and the difference, as people read them."""

    label: str
    before: str
    after: str
    difference: str


@page("accounts.edit")
def what_if(request: HttpRequest) -> HttpResponse:
    """Choose what would be otherwise; the figures stand beside those of now."""
    partner = chosen_partner(request)
    if partner is None:
        return choose_partner(request, "What if")
    today = clock.today(partner.zone)
    form = WhatIfForm(
        request.POST if request.method == "POST" else None,
        plans=list(plan_list([partner.pk], today)[:PLANS]),
        categories=sorted(tax_categories(partner.pk, today)),
        currency=partner.currency,
    )
    shown: dict[str, Any] = {"partner": partner, "form": form}
    if form.is_valid():
        try:
            shown |= _answered(request, partner, form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
    return render(request, "billing/what_if.html", shown, status=UNPROCESSABLE if form.errors else 200)


def _answered(request: HttpRequest, partner: Partner, given: dict[str, Any]) -> dict[str, Any]:
    """The figures of the documents, and of whom the rules block. Refused as the runs are."""
    change = actions.Change(
        prices={given["plan_id"]: given["price"]} if given["plan_id"] else {},
        taxes={given["category"]: given["rate"]} if given["category"] else {},
        due_days=given["due_days"],
        block_hour=given["block_hour"],
    )
    answer = actions.what_if(partner.pk, change, by=actor_of(request), at=clock.now())
    same = answer.before.blocked == answer.after.blocked
    rows = _rows(answer, partner.currency)
    return {"rows": rows, "answer": answer, "named": _named(answer), "only_moves": given["block_hour"] and same}


def _rows(answer: Answer, currency: str) -> list[Row]:
    before, after = answer.before, answer.after
    money = (("Revenue, net", "net"), ("Tax", "tax"), ("Billed in all", "gross"))
    return [
        _count_row("Invoices", before.documents, after.documents),
        *(_money_row(label, getattr(before, name), getattr(after, name), currency) for label, name in money),
        _count_row("Blocked within 60 days, if nobody pays", before.blocked, after.blocked),
    ]


def _count_row(label: str, before: int, after: int) -> Row:
    return Row(label, formats.number(before), formats.number(after), _signed(after - before, formats.number))


def _money_row(label: str, before: int, after: int, currency: str) -> Row:
    def written(amount: int) -> str:
        return formats.money(amount, currency)

    return Row(label, written(before), written(after), _signed(after - before, written))


def _signed(difference: int, written: Any) -> str:
    """ "+120.00 EUR", "−3", "no change"."""
    if not difference:
        return "no change"
    return f"{'+' if difference > 0 else '−'}{written(abs(difference))}"


def _named(answer: Answer) -> list[dict[str, Any]]:
    """The accounts that differ most, with their customers."""
    accounts = Account.objects.select_related("customer").in_bulk([one.account_id for one in answer.accounts])
    return [{"account": accounts[one.account_id], "before": one.before, "after": one.after} for one in answer.accounts]
