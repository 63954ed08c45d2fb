"""What billing adds to a service: its own price, number and discounts, each with what it bills before it is done."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString

from demarc.base import clock
from demarc.billing import actions
from demarc.billing.actions.documents import Issued
from demarc.billing.forms import DiscountForm, EndDiscountForm, ServicePriceForm
from demarc.billing.models import BilledThrough, DocumentKind
from demarc.billing.rehearsal import rehearsed
from demarc.billing.wording import Words, derivation
from demarc.core.errors import Refused
from demarc.core.recurring import Line
from demarc.customers.models import BillingType
from demarc.plans import actions as plans
from demarc.plans import queries
from demarc.plans.models import Discount, Service, ServiceFact, ServiceState
from demarc.plans.web_planned import LOOK, MARKED, change_told, ended_already
from demarc.plans.web_services import visible_service
from demarc.staff.doors import actor_of, page, within
from demarc.staff.pages import carried_out, seen
from demarc.ui import formats
from demarc.ui.forms import LookedForm, form_page, posted
from demarc.ui.panels import Action

LINES_TOLD = 20
SHOWN = 50


def change_lines(
    request: HttpRequest, service: Service, act: Callable[[], Any], on: date | None = None
) -> list[str] | None:
    """What a change of a service bills and credits on its day (`on` None: at once), in words: it is done and taken
    back, as the API's preview does. None for a prepaid account that pays no fee. Refused as the change."""

    def done() -> date:
        act()
        return on or clock.today(service.account.zone)

    foreseen = actions.foresee(service.pk, done, by=actor_of(request), at=clock.now())
    words = Words("en", service.account.currency)
    prepaid = service.account.billing_type == BillingType.PREPAID
    when = "at once" if on is None else f"on {formats.day(on)}"
    taken = f"taken {when}" if prepaid else "with the next document"
    told = [f"{fee.text}: {words.money(fee.amount)}, {taken}." for fee in foreseen.fees]
    told += [line for one in foreseen.issued for line in _told(one, words, when)]
    if prepaid:
        return told or None
    return told[:LINES_TOLD] or ["Nothing that was billed changes; the next document bills by it."]


def billed_through(request: HttpRequest, service: Service) -> date | None:
    """The last day that a service of a recurring account is billed for; None when it is not."""
    found = BilledThrough.objects.filter(service_id=service.pk, service__account__billing_type=BillingType.RECURRING)
    return found.values_list("day", flat=True).first()


def _told(issued: Issued, words: Words, when: str) -> list[str]:
    draft = issued.ready.draft
    gross = draft.totals.gross
    kind = "A credit note" if issued.kind == DocumentKind.CREDIT_NOTE else "An invoice"
    told = [f"{kind} of {words.money(abs(gross))} is issued {when}:"]
    return told + [_line(line, words) for line in draft.lines]


def _line(line: Line, words: Words) -> str:
    why = ", ".join(words.why(derivation(line), amount=line.part.amount, revenue=line.part.revenue))
    how = f" ({why})" if why else ""
    return f"{line.text}, {words.days(line.first, line.last)}{how}: {words.money(line.part.amount)}"


def price_action(request: HttpRequest, service: Service) -> Action | None:
    """On the service's page: an own price, and how many of it."""
    if service.state == ServiceState.ENDED:
        return None
    return Action("Price and number", reverse("service_price", args=[service.pk]), "cash")


def billing_panel(request: HttpRequest, service: Service) -> SafeString | None:
    """On the service's page, of recurring accounts: until when it is billed, and its discounts."""
    if service.account.billing_type == BillingType.PREPAID:
        return None
    today = clock.today(service.account.zone)
    given = Discount.objects.filter(service=service, withdrawn_at=None).order_by("-valid_from", "-id")
    shown = {
        "service": service,
        "billed": BilledThrough.objects.filter(service_id=service.pk).first(),
        "fact": queries.newest_facts([service.pk], today).get(service.pk),
        "discounts": [(one, _worth(one, service.account.currency)) for one in given[:SHOWN]],
    }
    return SafeString(render_to_string("billing/service_panel.html", shown, request))


def _worth(discount: Discount, currency: str) -> str:
    """What a discount takes off, in words."""
    if discount.percent:
        return formats.percent(Decimal(discount.percent) / 10_000)
    return f"{formats.money(discount.fixed, currency)} a month"


@page("terms.edit")
def service_price(request: HttpRequest, service_id: int) -> HttpResponse:
    """A service's own price and number from a day on."""
    found = visible_service(request, service_id)
    today = clock.today(found.account.zone)
    fact = queries.newest_facts([service_id], today).get(service_id)
    initial: dict[str, Any] = {"valid_from": today}
    if fact is not None:
        initial |= {"price": fact.price_override, "quantity": fact.quantity}
    form = ServicePriceForm(posted(request), currency=found.account.currency, initial=initial)

    def act() -> list[ServiceFact]:
        return plans.set_service_price(service_id, by=actor_of(request), at=clock.now(), **form.facts())

    if _agreed_already(form, act):
        messages.info(request, "This price and number hold from that day on already; nothing was changed.")
        return redirect("service", service_id)
    return _change_page(request, found, form, act, title="Price and number", done="The price is recorded.")


def _agreed_already(form: LookedForm, act: Callable[[], list[ServiceFact]]) -> bool:
    """Whether what was typed would write nothing."""
    try:
        return form.is_valid() and not rehearsed(act)
    except Refused:
        return False  # the page of the change says why


@page("terms.edit")
def new_discount(request: HttpRequest, service_id: int) -> HttpResponse:
    """A discount on a service."""
    found = visible_service(request, service_id)
    initial = {"valid_from": clock.today(found.account.zone)}
    form = DiscountForm(posted(request), currency=found.account.currency, initial=initial)

    def act() -> Discount:
        return plans.add_discount(service_id=service_id, by=actor_of(request), at=clock.now(), **form.facts())

    return _change_page(request, found, form, act, title="Discount", done="The discount is recorded.")


def _counts_from(service: Service, form: LookedForm) -> date | None:
    """The day to come from which what was typed counts; None: now or before."""
    first: date | None = form.cleaned_data.get("valid_from") if form.is_valid() else None
    return first if first and first > clock.today(service.account.zone) else None


@page("terms.edit")
def withdraw_discount(request: HttpRequest, discount_id: int) -> HttpResponse:
    """End a discount early."""
    rows = within(request, Discount.objects.select_related("service__account"), "service__partner_id")
    discount = get_object_or_404(rows, pk=discount_id)
    service = discount.service
    seen(request, ("customer", service.customer_id), service.partner_id)
    form = EndDiscountForm(posted(request), initial={"last_day": clock.today(service.account.zone)})

    def act() -> Discount:
        return plans.withdraw_discount(discount_id, by=actor_of(request), at=clock.now(), **form.facts())

    return _change_page(request, service, form, act, title="End discount", done="The discount is ended.")


def _change_page(
    request: HttpRequest, service: Service, form: LookedForm, act: Callable[[], Any], **words: str
) -> HttpResponse:
    """The page of a change that says what it bills before it is done. `words`: title, done."""
    told = change_told(request, service, form, act, _counts_from(service, form))
    if not told and carried_out(request, form, "change_service", ("customer", service.customer_id), act):
        messages.success(request, words["done"])
        return redirect("service", service.pk)
    prepaid = service.account.billing_type == BillingType.PREPAID
    lines = ["It is charged from the next 00:00; days that are decided stay as they are."] if prepaid else told
    return form_page(
        request,
        form,
        title=words["title"],
        submit="Record it" if told or (prepaid and not form.errors) else LOOK,
        consequences=[] if form.errors else lines,
        why_not=ended_already(service),
        unseen=MARKED if form.errors else "",
        intro=f"{service.plan}, {service.customer.name}",
        back=reverse("service", args=[service.pk]),
        back_label=str(service),
    )
