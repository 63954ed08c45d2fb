"""Pages of the billing calendar: a provider's, an account's own, and whether runs wait for a person."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.base import clock
from demarc.base.models import Partner
from demarc.billing import actions, queries
from demarc.billing.forms import AccountCalendarForm, AutoIssueForm, CalendarForm
from demarc.core.recurring import Rules
from demarc.customers import actions as customers
from demarc.customers.models import RecurringTerms
from demarc.customers.queries import RecurringBook
from demarc.customers.web_terms import visible_account, visible_partner
from demarc.staff.doors import actor_of, page
from demarc.staff.pages import carried_out
from demarc.ui.forms import form_page, posted

KEPT = "What is billed already stays; the next document goes by the new rules, without a gap and no day twice."


def calendar_panel(request: HttpRequest, partner: Partner) -> SafeString:
    """On the provider's settings: how recurring accounts are billed."""
    rules = RecurringBook.of([], [partner.pk]).on(0, partner.pk, clock.today(partner.zone))
    shown = {"partner": partner, "rules": rules, "auto": queries.auto_issue(partner.pk)}
    return SafeString(render_to_string("billing/calendar_panel.html", shown, request))


@page("settings.edit")
def partner_recurring(request: HttpRequest, partner_id: int) -> HttpResponse:
    """The provider's billing calendar from a day on."""
    partner = visible_partner(request, partner_id)
    today = clock.today(partner.zone)
    rules = RecurringBook.of([], [partner_id]).on(0, partner_id, today)
    form = CalendarForm(posted(request), initial=_shown(rules._asdict()) | {"valid_from": today})

    def act() -> RecurringTerms:
        return customers.set_recurring_terms(partner_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "set_recurring_terms", ("partner", partner_id), act):
        messages.success(request, "The billing calendar is saved.")
        return redirect("partner", partner_id)
    return form_page(
        request,
        form,
        title="Billing calendar",
        submit="Save the calendar",
        intro="It holds for every account that has no rule of its own.",
        consequences=[KEPT],
        back=reverse("partner", args=[partner_id]),
        back_label="Settings",
    )


@page("terms.edit")
def account_recurring(request: HttpRequest, account_id: int) -> HttpResponse:
    """An account's own billing calendar from a day on."""
    account = visible_account(request, account_id)
    today = clock.today(account.zone)
    rows = RecurringTerms.objects.filter(account=account, valid_from__lte=today)
    own = rows.order_by("valid_from", "id").last() or RecurringTerms()
    initial = _shown({rule: getattr(own, rule) for rule in Rules._fields}) | {"valid_from": today}
    form = AccountCalendarForm(posted(request), initial=initial)

    def act() -> RecurringTerms:
        return customers.set_recurring_terms(
            account.partner_id, account_id=account_id, by=actor_of(request), at=clock.now(), **form.cleaned_data
        )

    if carried_out(request, form, "set_recurring_terms", ("customer", account.customer_id), act):
        messages.success(request, "The billing calendar is saved.")
        return redirect("customer_money", account.customer_id)
    return form_page(
        request,
        form,
        title="Billing calendar",
        submit="Save the calendar",
        intro="What is left open follows the provider's calendar.",
        consequences=[KEPT],
        back=reverse("customer_money", args=[account.customer_id]),
        back_label=account.customer.name,
    )


@page("settings.edit")
def auto_issue(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Whether runs in which nothing is odd wait for a person."""
    partner = visible_partner(request, partner_id)
    form = AutoIssueForm(posted(request), initial={"auto": "yes" if queries.auto_issue(partner_id) else "no"})

    def act() -> bool:
        return actions.set_auto_issue(partner_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "set_auto_issue", ("partner", partner_id), act):
        messages.success(request, "Saved.")
        return redirect("partner", partner_id)
    return form_page(
        request,
        form,
        title="Issuing documents",
        submit="Save",
        intro=f"{partner}. A run in which anything is odd always waits for a person.",
        back=reverse("partner", args=[partner_id]),
        back_label="Settings",
    )


def _shown(rules: dict[str, Any]) -> dict[str, Any]:
    """Rules as the form shows them: yes, no, and nothing for what is left open."""
    words = {True: "yes", False: "no"}
    return {
        rule: words[value] if isinstance(value, bool) else "" if value is None else value
        for rule, value in rules.items()
    }
