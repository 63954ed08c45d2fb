"""The page that says why a prepaid day was charged or blocked as it was."""

from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from demarc.billing.customer_words import Told
from demarc.billing.queries.why import why_day
from demarc.billing.why_words import day_staff
from demarc.core.period import ONE_DAY
from demarc.customers.web_terms import visible_account
from demarc.staff.doors import page


@page("accounts.see")
def day(request: HttpRequest, account_id: int, day: str) -> HttpResponse:
    """One prepaid day: the facts, the arithmetic, and what we would tell the customer."""
    account = visible_account(request, account_id)
    try:
        wanted = date.fromisoformat(day)
        before, after = wanted - ONE_DAY, wanted + ONE_DAY
    except (ValueError, OverflowError):
        raise Http404 from None
    why = why_day(account, wanted)
    shown = {
        "account": account,
        "why": why,
        "staff": day_staff(why),
        "customer": Told(why.account.customer).day(why),
        "total": sum(charge.amount for charge in why.charges),
        "before": before,
        "after": after,
    }
    return render(request, "billing/day.html", shown)
