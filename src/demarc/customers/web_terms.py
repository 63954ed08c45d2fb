"""Pages of billing rules and of the provider itself. Knows no plan and no price."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from demarc.base import clock
from demarc.base.models import Partner
from demarc.core.money import Money, format_plain
from demarc.customers import actions, queries
from demarc.customers.forms import AccountTermsForm, PartnerTermsForm, ProviderForm
from demarc.customers.models import Account, AccountTerms, PartnerTerms
from demarc.staff.doors import actor_of, page, partners, within
from demarc.staff.pages import carried_out, parts, seen
from demarc.ui.forms import form_page, posted


def visible_account(request: HttpRequest, account_id: int) -> Account:
    """The account, if it is one of the viewer's; else 404. Looking is written down."""
    accounts = within(request, Account.objects.select_related("customer", "partner"))
    found = get_object_or_404(accounts, pk=account_id)
    seen(request, ("customer", found.customer_id), found.partner_id)
    return found


def visible_partner(request: HttpRequest, partner_id: int) -> Partner:
    """The provider, if the viewer works for it; else 404."""
    return get_object_or_404(partners(request), pk=partner_id)


@page("terms.edit")
def account_terms(request: HttpRequest, account_id: int) -> HttpResponse:
    """An account's own billing rules from a day on."""
    account = visible_account(request, account_id)
    today = clock.today(account.zone)
    own = queries.account_terms_on(account.pk, today)
    form = AccountTermsForm(posted(request), currency=account.currency, initial=_shown(own, account.currency, today))
    subject = ("customer", account.customer_id)

    def act() -> Any:
        return actions.set_account_terms(account.pk, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "set_terms", subject, act):
        messages.success(request, "The billing rules are saved.")
        return redirect("customer", account.customer_id)
    general = queries.terms_for([account.pk], today)[account.pk]
    return form_page(
        request,
        form,
        "customers/account_terms.html",
        title="Billing rules",
        submit="Save billing rules",
        intro="What is left open follows the provider's rules. Days that are decided already stay as they are.",
        now=general,
        account=account,
        back=reverse("customer", args=[account.customer_id]),
        back_label=account.customer.name,
    )


@page("settings.see")
def providers(request: HttpRequest) -> HttpResponse:
    """The providers that the viewer works for; straight to the only one."""
    mine = list(partners(request)[:200])
    if len(mine) == 1:
        return redirect("partner", mine[0].pk)
    return render(request, "customers/providers.html", {"providers": mine})


@page("settings.see")
def partner(request: HttpRequest, partner_id: int) -> HttpResponse:
    """A provider's settings, by room."""
    found = visible_partner(request, partner_id)
    today = clock.today(found.zone)
    shown = {
        "partner": found,
        "terms": queries.partner_terms_on(partner_id, today),
        "panels": parts(request, "partner.settings", found),
    }
    return render(request, "customers/partner.html", shown)


@page("settings.edit")
def edit_partner(request: HttpRequest, partner_id: int) -> HttpResponse:
    """Who the provider is."""
    found = visible_partner(request, partner_id)
    initial = {name: getattr(found, name) for name in ProviderForm.base_fields}
    form = ProviderForm(posted(request), initial=initial)

    def act() -> Partner:
        return actions.update_partner(partner_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "update_partner", ("partner", partner_id), act):
        messages.success(request, "Saved. The blocking page shows it within seconds.")
        return redirect("partner", partner_id)
    back = reverse("partner", args=[partner_id])
    return form_page(request, form, title="Provider", submit="Save", back=back, back_label="Settings")


@page("settings.edit")
def partner_terms(request: HttpRequest, partner_id: int) -> HttpResponse:
    """The provider's billing rules from a day on, for all accounts without own ones."""
    found = visible_partner(request, partner_id)
    today = clock.today(found.zone)
    now = queries.partner_terms_on(partner_id, today)
    form = PartnerTermsForm(posted(request), currency=found.currency, initial=_shown(now, found.currency, today))

    def act() -> Any:
        return actions.set_partner_terms(partner_id, by=actor_of(request), at=clock.now(), **form.cleaned_data)

    if carried_out(request, form, "set_terms", ("partner", partner_id), act):
        messages.success(request, "The billing rules are saved.")
        return redirect("partner", partner_id)
    intro = "They hold for every account that has no rule of its own. Days that are decided already stay as they are."
    back = reverse("partner", args=[partner_id])
    return form_page(
        request, form, title="Billing rules", submit="Save billing rules", intro=intro, back=back, back_label="Settings"
    )


def _shown(terms: PartnerTerms | AccountTerms | None, currency: str, today: date) -> dict[str, Any]:
    """The terms as the form shows them."""
    if terms is None:
        return {"valid_from": today}
    minimum = terms.minimal_balance
    charged = "" if terms.charge_activation_day is None else "yes" if terms.charge_activation_day else "no"
    return {
        "valid_from": today,
        "minimal_balance": "" if minimum is None else format_plain(Money(minimum, currency)),
        "limit_rule": terms.limit_rule or "",
        "day_rule": terms.day_rule or "",
        "charge_activation_day": charged,
    }
