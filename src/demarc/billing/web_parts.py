"""What money adds to the pages of other rooms, and the activation of a service. Wired in project.wiring."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html

from demarc.base import clock
from demarc.billing import actions, queries
from demarc.billing.models import BillingDay, Document, DocumentKind, Payment
from demarc.billing.queries import AccountSummary
from demarc.billing.rehearsal import rehearsed
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY
from demarc.customers.models import Account, BillingType, Customer
from demarc.customers.queries import terms_for
from demarc.plans.models import Service, ServiceState
from demarc.plans.web_services import visible_service
from demarc.staff.doors import actor_of, page, partners, scope
from demarc.staff.pages import carried_out, why_not
from demarc.ui import components, formats
from demarc.ui.forms import Form, form_page, posted
from demarc.ui.lists import Column
from demarc.ui.panels import Action, Fact, Notice

SOON_DAYS = 3
SHOWN = 8


def balance_columns(request: HttpRequest) -> list[Column]:
    """In the list of customers: what each first account stands at, and until when it lasts."""
    load = _once(_balances)
    return [
        Column(
            label="Balance",
            value=lambda found: formats.figure(found.balance, found.currency) if found else None,
            shown=lambda found: components.balance(found.balance, found.currency) if found else "",
            load=load,
            number=True,
        ),
        Column(
            label="Lasts",
            value=lambda found: found.pays_until if found else "",
            shown=_lasts,
            load=load,
        ),
    ]


def _lasts(found: AccountSummary | None) -> Any:
    words, tone = _until(found) if found else ("", "")
    return format_html('<span class="{}">{}</span>', tone, words) if words else ""


def _once(load: Callable[[Sequence[Customer]], Mapping[int, AccountSummary]]) -> Callable[..., Any]:
    """The same answer for the columns that ask about the same rows."""
    known: dict[tuple[int, ...], Mapping[int, AccountSummary]] = {}

    def remembered(customers: Sequence[Customer]) -> Mapping[int, AccountSummary]:
        key = tuple(customer.pk for customer in customers)
        if key not in known:
            known.clear()
            known[key] = load(customers)
        return known[key]

    return remembered


def _balances(customers: Sequence[Customer]) -> Mapping[int, AccountSummary]:
    accounts = Account.objects.filter(customer__in=customers).order_by("-id")
    first = {customer_id: account_id for account_id, customer_id in accounts.values_list("id", "customer_id")}
    found = queries.account_summaries(list(first.values()), at=clock.now())
    return {customer_id: found[account_id] for customer_id, account_id in first.items() if account_id in found}


def _until(summary: AccountSummary) -> tuple[str, str]:
    """Until when it lasts, in words, and how urgent that is."""
    if summary.parked:
        return "Parked: needs a look", "bad"
    if summary.blocked_for_money:
        needed = formats.money(summary.owed, summary.currency)
        return f"Needs {needed}{', and staff to unblock' if summary.blocked_by_staff else ' to be online'}", "bad"
    if summary.pays_all:
        return "Until its services end", ""
    if summary.pays_until is None or not summary.next_cost:
        return "", ""
    if summary.lasts_long:
        return "More than a year", ""
    soon = summary.pays_until <= clock.now().date() + timedelta(days=SOON_DAYS)
    return f"Until {formats.day(summary.pays_until)}", "soon" if soon else ""


def _overdue(account: Account) -> tuple[str, str]:
    """What a recurring account that is not blocked has left unpaid, and its tone."""
    open_ones = account.documents.filter(kind=DocumentKind.INVOICE, open_amount__gt=0)
    owed = open_ones.filter(due_on__lt=clock.today(account.zone)).aggregate(owed=Sum("open_amount"))["owed"]
    if owed:
        return f"{formats.money(owed, account.currency)} of it overdue", "bad"
    return "Recurring: not charged by the day", ""


def money_fact(request: HttpRequest, customer: Customer) -> Fact | None:
    """Under the customer's name: what he has, until when it lasts, what the next day costs."""
    account = customer.accounts.order_by("id").first()
    if account is None:
        return None
    summary = queries.account_summary(account.pk, at=clock.now())
    until, tone = _until(summary)
    until = f"Lasts {until[0].lower()}{until[1:]}" if until.startswith(("Until", "More")) else until
    costs = ""
    if account.billing_type == BillingType.RECURRING:
        if not summary.blocked_for_money:
            until, tone = _overdue(account)
    elif summary.next_cost:
        word = "Today costs" if summary.blocked_for_money else "The next day costs"
        costs = f"{word} {formats.money(summary.next_cost, summary.currency)}"
    else:
        costs = "Nothing is charged by the day"
    words = formats.balance(summary.balance, summary.currency)
    lines = tuple(line for line in (until, costs) if line)
    return Fact("Balance", words, lines, tone, reverse("customer_money", args=[customer.pk]))


def payment_fact(request: HttpRequest, customer: Customer) -> Fact:
    """Under the customer's name: the last payment."""
    href = reverse("customer_money", args=[customer.pk])
    last = Payment.objects.filter(account__customer=customer, amount__gt=0).order_by("-received_on", "-id").first()
    if last is None:
        return Fact("Last payment", "None yet", (), "", href)
    when = f"{formats.day(last.received_on)}, {last.get_method_display().lower()}"
    return Fact("Last payment", formats.money(last.amount, last.currency), (when,), "", href)


def pay_action(request: HttpRequest, customer: Customer) -> Action | None:
    """On the customer's page, first: add a payment."""
    account = customer.accounts.order_by("id").first()
    return Action("Add payment", reverse("pay", args=[account.pk]), "cash", primary=True) if account else None


def correct_action(request: HttpRequest, customer: Customer) -> Action | None:
    """On the customer's page: put the balance right."""
    account = customer.accounts.order_by("id").first()
    return Action("Correct balance", reverse("correct", args=[account.pk]), "adjustments") if account else None


def customer_attention(request: HttpRequest, customer: Customer) -> list[Notice]:
    """On the customer's overview: an account that the runs leave out."""
    mine = {"account__customer": customer}
    parked: list[Any] = [
        *queries.parked_accounts([customer.partner_id]).filter(**mine),
        *queries.parked_calendars([customer.partner_id]).filter(**mine),
    ]
    return [
        Notice(
            "error",
            f"Account {state.account.number} is parked since {formats.moment(state.parked_at)}: {state.parked_reason}",
            reverse("unpark", args=[state.account_id]),
            "Bill it again",
        )
        for state in parked
    ]


def activate_action(request: HttpRequest, service: Service) -> Action | None:
    """On the service's page, first while it waits: put it in use."""
    if service.state in (ServiceState.ACTIVE, ServiceState.ENDED):
        return None
    return Action("Activate", reverse("activate", args=[service.pk]), "circle-check", primary=True)


@page("services.edit")
def activate(request: HttpRequest, service_id: int) -> HttpResponse:
    """Put a service in use, and say before what it will cost and when."""
    service = visible_service(request, service_id)
    form = Form(posted(request))

    def act() -> Service:
        return actions.activate(service_id, by=actor_of(request), at=clock.now())

    if carried_out(request, form, "activate", ("customer", service.customer_id), act):
        state = "it has no access until money comes in" if form.result.blocked_cause else "it has access now"
        messages.success(request, f"The service is active; {state}.")
        return redirect("service", service_id)
    return form_page(
        request,
        form,
        title="Activate service",
        why_not=why_not(act),
        submit="Activate now",
        consequences=_activation_lines(service, act),
        intro=f"{service.plan}, {service.customer.name}",
        back=reverse("service", args=[service_id]),
        back_label=str(service),
    )


def _activation_lines(service: Service, act: Callable[[], Service]) -> list[str]:
    account = service.account
    price = formats.money(getattr(service, "price", None), account.currency)
    lines = [f"It has access from now on, at {price} a month.", *_issued_lines(service, act)]
    if account.billing_type != BillingType.PREPAID:
        return lines
    today = clock.today(account.zone)
    if terms_for([account.pk], today)[account.pk].charge_activation_day:
        lines.append("Today is charged in full at once, and then every day at 00:00.")
    else:
        lines.append(f"The first charge is at 00:00 of {formats.day(today + ONE_DAY)}; today is free.")
    summary = queries.account_summary(account.pk, at=clock.now())
    stands = formats.balance(summary.balance, account.currency)
    lines.append(f"The account {stands[0].lower()}{stands[1:]} now.")
    return lines


def _issued_lines(service: Service, act: Callable[[], Service]) -> list[str]:
    """The documents that an activation issues at once: it is carried out and taken back."""
    payer_id = service.account.parent_id or service.account_id

    def issued() -> list[Document]:
        known = set(Document.objects.filter(account_id=payer_id).order_by("-id").values_list("id", flat=True)[:1])
        act()
        return list(Document.objects.filter(account_id=payer_id, id__gt=max(known, default=0)).order_by("id"))

    try:
        found = rehearsed(issued)
    except Refused:
        return []  # it is refused with its reason when it is sent
    return [
        f"{one.get_kind_display()} of {formats.money(one.gross, one.currency)} for {formats.day(one.first_day)} to "
        f"{formats.day(one.last_day)} is issued at once."
        for one in found
    ]


def received_fact(request: HttpRequest) -> Fact:
    """On the dashboard: what came in today."""
    sums: dict[str, int] = {}
    count = 0
    for taken in queries.money_in(scope(request), clock.now().date()):
        sums[taken.currency] = sums.get(taken.currency, 0) + taken.amount
        count += taken.payments
    words = ", ".join(formats.money(amount, currency) for currency, amount in sums.items()) or "Nothing"
    return Fact("Received today", words, (formats.plural(count, "payment"),), "", reverse("payments"))


def blocked_fact(request: HttpRequest) -> Fact:
    """On the dashboard: how many are blocked."""
    blocked = Customer.objects.filter(status="blocked")
    partner_ids = scope(request)
    count = (blocked if partner_ids is None else blocked.filter(partner_id__in=partner_ids)).count()
    href = f"{reverse('customers')}?status=blocked"
    return Fact("Blocked", formats.number(count), ("For money or by staff",), "bad" if count else "", href)


def dashboard_attention(request: HttpRequest) -> list[Notice]:
    """On the dashboard: billing that is behind, accounts left out, money that ends soon."""
    return [*_late_runs(request), *_parked(request), *_running_out(request)]


def _late_runs(request: HttpRequest) -> list[Notice]:
    late = []
    for partner in partners(request)[:50]:
        newest = BillingDay.objects.filter(partner=partner, finished_at__isnull=False).order_by("-day").first()
        today = clock.today(partner.zone)
        if newest is not None and newest.day < today:
            words = (
                f"{partner.name}: billed until {formats.day(newest.day)}; the run of {formats.day(today)} is missing."
            )
            late.append(Notice("warning", words))
    return late


def _parked(request: HttpRequest) -> list[Notice]:
    return [
        Notice(
            "error",
            f"{state.account.customer.name} is left out of billing: {state.parked_reason}",
            reverse("customer", args=[state.account.customer_id]),
            "Show customer",
        )
        for parked in (queries.parked_accounts, queries.parked_calendars)
        for state in parked(scope(request))[:SHOWN]
    ]


def _running_out(request: HttpRequest) -> list[Notice]:
    soon = queries.running_out(scope(request), at=clock.now(), within_days=SOON_DAYS, limit=SHOWN)
    return [_ends_soon(one.account, one.summary) for one in soon]


def _ends_soon(account: Account, summary: Any) -> Notice:
    words = format_html(
        "{} runs out of money after {}. {} now.",
        account.customer.name,
        formats.day(summary.pays_until),
        formats.balance(summary.balance, summary.currency),
    )
    return Notice("warning", words, reverse("customer", args=[account.customer_id]), "Show customer")
