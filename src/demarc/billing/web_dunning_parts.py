"""What dunning adds to the pages of other rooms: why somebody is blocked, the rules, what waits for a person."""

from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.base import clock
from demarc.base.models import Partner
from demarc.billing import queries
from demarc.billing.customer_words import Told
from demarc.billing.days_off import countries
from demarc.billing.dunning_words import staff_words
from demarc.billing.models import BlockingStop, Document, Outage, ReminderChannel, ReminderSent
from demarc.billing.queries.why import why_blocked
from demarc.billing.why_words import block_staff
from demarc.core.dunning import Cause, Reminder
from demarc.customers.models import Account, BillingType, Block, Customer
from demarc.staff.doors import scope, within
from demarc.ui import formats
from demarc.ui.panels import Action, Notice

ACCOUNTS_SHOWN = 20
REMINDERS_SHOWN = 5
SHOWN = 8


def why_panel(request: HttpRequest, customer: Customer) -> SafeString | None:
    """On the customer's overview: why he is blocked or when he will be, fact by fact, and what to tell him."""
    accounts = list(customer.accounts.order_by("id")[:ACCOUNTS_SHOWN])
    recurring = [_recurring(one) for one in accounts if one.billing_type == BillingType.RECURRING]
    shown = [one for one in recurring if one] + _prepaid(customer)
    if not shown:
        return None
    by_staff = Block.objects.filter(customer=customer, account=None, lifted_at=None).exists()
    told = {"accounts": shown, "customer": customer, "by_staff": by_staff}
    return SafeString(render_to_string("billing/why_panel.html", told, request))


def _recurring(account: Account) -> dict[str, Any] | None:
    """Of one who pays by documents and has something open."""
    standing = queries.standing(account.pk, at=clock.now())
    if standing is None or standing.why[0].cause is Cause.NOTHING_OPEN:
        return None
    sent = ReminderSent.objects.filter(account=account).select_related("document").order_by("-id")
    return {
        "account": account,
        "blocked": standing.case.facts.blocked_on is not None,
        "owed": standing.owed,
        "staff": staff_words(standing.why, account.currency),
        "customer": Told(account.customer).debts(standing.why, account.currency),
        "promise": standing.promise,
        "reminders": list(sent[:REMINDERS_SHOWN]),
    }


def _prepaid(customer: Customer) -> list[dict[str, Any]]:
    """Of his accounts whose money does not pay the day."""
    shown = []
    for found in why_blocked(customer, at=clock.now()):
        account = found.block.account if found.block else None
        if account is not None and account.billing_type == BillingType.PREPAID:
            told = {"owed": found.owed, "staff": block_staff(found), "customer": Told(customer).block(found)}
            day = found.day and found.day.day.isoformat()
            shown.append({"account": account, "blocked": True, "day": day, **told})
    return shown[:ACCOUNTS_SHOWN]


def promise_action(request: HttpRequest, customer: Customer) -> Action | None:
    """On the customer's page: record a promise to pay, where something is open."""
    account = customer.accounts.filter(billing_type=BillingType.RECURRING, documents__open_amount__gt=0).first()
    return Action("Promise to pay", reverse("promise", args=[account.pk]), "calendar") if account else None


def dispute_action(request: HttpRequest, document: Document) -> Action | None:
    """On a document's page: the customer contests it, or that is settled."""
    href = reverse("dispute", args=[document.pk])
    if document.disputed_at is not None:
        return Action("End the dispute", href, "circle-check")
    return Action("Dispute", href, "alert-circle") if document.open_amount else None


def rules_panel(request: HttpRequest, partner: Partner) -> SafeString:
    """On the provider's settings: how who owes is reminded and blocked."""
    policy, guards = queries.policy_on(partner.pk, clock.today(partner.zone))
    shown = {
        "partner": partner,
        "policy": policy,
        "guards": guards,
        "reminders": [_in_words(one) for one in policy.reminders],
        "country": countries().get(policy.country, "no country"),
        "hour": f"{policy.block_hour:02d}:00",
    }
    return SafeString(render_to_string("billing/rules_panel.html", shown, request))


def dashboard_attention(request: HttpRequest) -> list[Notice]:
    """On the dashboard: blocking that is stopped, waves that wait for a person, outages that last."""
    stops = within(request, BlockingStop.objects.filter(lifted_at=None).select_related("partner").order_by("id"))
    notices = [
        Notice(
            "error",
            f"{stop.partner}: {stop.by_label} stopped all blocking on {formats.day(stop.recorded_at.date())}: "
            f"{stop.reason}.",
            reverse("blocking_switch", args=[stop.partner_id]),
            "Allow it again",
        )
        for stop in stops[:SHOWN]
    ]
    for wave in queries.held_waves(scope(request))[:SHOWN]:
        words = (
            f"{wave.partner}: a wave of {formats.plural(wave.size, 'customer')} waits for your look; "
            f"{formats.number(wave.usual_max)} would have gone by itself."
        )
        notices.append(Notice("warning", words, reverse("wave", args=[wave.pk]), "Look at it"))
    lasting = within(request, Outage.objects.filter(ended_at=None).select_related("partner").order_by("id"))
    for outage in lasting[:SHOWN]:
        words = (
            f"{outage.partner}: {outage.get_kind_display().lower()} since {formats.moment(outage.began_at)}; "
            "nobody is blocked."
        )
        notices.append(Notice("warning", words, reverse("end_outage", args=[outage.pk]), "It is over"))
    return notices


def _in_words(reminder: Reminder) -> str:
    """ "3 days before it is due, at 09:00, by e-mail"."""
    if reminder.days == 0:
        when = "On the day it is due"
    else:
        side = "before" if reminder.days < 0 else "after"
        when = f"{formats.plural(abs(reminder.days), 'day')} {side} it is due"
    label = ReminderChannel(reminder.channel.value).label
    return f"{when}, at {reminder.hour:02d}:00, by {label if label == 'SMS' else label[0].lower() + label[1:]}"
