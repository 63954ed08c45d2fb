"""Discounts on a service, given for some days and withdrawn. Moves no money: billing reads the facts."""

from datetime import date, datetime
from typing import Required, TypedDict, Unpack
from zoneinfo import ZoneInfo

from django.db import transaction

from demarc.base import limits, log
from demarc.base.actors import Actor, recorded
from demarc.base.events import emit_ids
from demarc.core.errors import Refused
from demarc.core.period import billing_day
from demarc.customers.models import BillingType
from demarc.plans.actions.services import MAX_BACK
from demarc.plans.models import Discount, Service, ServiceState

PERCENT_MAX = 10_000


class NewDiscount(TypedDict, total=False):
    """Either `percent` (hundredths of a percent, at most 10,000) or `fixed` (minor units of each month)."""

    service_id: Required[int]
    percent: int
    fixed: int
    valid_from: date | None
    valid_to: date | None


@transaction.atomic
def add_discount(*, by: Actor, at: datetime, **given: Unpack[NewDiscount]) -> Discount:
    """A discount from `valid_from` (None: today) to `valid_to` (None: for good); what was billed already is put right
    (event HoldingChanged). Several on one day add up.

    Refused: unknown service, ended, its account is prepaid, neither or both of percent and fixed, a number or date out
    of range, the end before the beginning.
    """
    service = _service(given["service_id"])
    percent, fixed = given.get("percent") or 0, given.get("fixed") or 0
    if bool(percent) == bool(fixed):
        raise Refused("Give either a percentage or an amount.", field="percent", code="one_of_two")
    limits.whole(percent, 0, PERCENT_MAX, field="percent")
    limits.price(fixed, field="fixed")
    first, last = _days(service, given, at)
    terms = {"percent": percent, "fixed": fixed, "valid_from": first, "valid_to": last}
    made = Discount.objects.create(service=service, **terms, **recorded(by, at))
    _tell("discounted_service", made, by, at)
    return made


@transaction.atomic
def withdraw_discount(discount_id: int, *, last_day: date | None = None, by: Actor, at: datetime) -> Discount:
    """End a discount after `last_day`; without one it is taken back as if it had never been given. What was billed is
    put right (event HoldingChanged). The answer is the withdrawn row.

    Refused: unknown discount, withdrawn already, a day beyond its end.
    """
    row = Discount.objects.select_for_update(no_key=True, of=("self",)).select_related("service__partner")
    found = row.filter(pk=discount_id).first()
    if found is None:
        raise Refused("There is no such discount.", field="discount_id", code="unknown")
    if found.withdrawn_at is not None:
        raise Refused("It is withdrawn already.", code="withdrawn")
    if last_day is not None and found.valid_to is not None and last_day > found.valid_to:
        raise Refused(f"It ends on {found.valid_to} anyway.", field="last_day", code="date_out_of_range")
    found.withdrawn_at = at
    found.save(update_fields=["withdrawn_at"])
    if last_day is not None and last_day >= found.valid_from:
        kept = {"percent": found.percent, "fixed": found.fixed, "valid_from": found.valid_from, "valid_to": last_day}
        Discount.objects.create(service=found.service, **kept, **recorded(by, at))
    _tell("withdrew_discount", found, by, at)
    return found


def _service(service_id: int) -> Service:
    rows = Service.objects.select_for_update(no_key=True, of=("self",)).select_related("partner", "account")
    found = rows.filter(pk=service_id).first()
    if found is None:
        raise Refused("There is no such service.", field="service_id", code="unknown")
    if found.state == ServiceState.ENDED:
        raise Refused("This service has ended.", code="ended", holder=("service", service_id))
    if found.account.billing_type == BillingType.PREPAID:
        raise Refused("Prepaid days know no discount; give the service an own price.", code="prepaid")
    return found


def _days(service: Service, given: NewDiscount, at: datetime) -> tuple[date, date | None]:
    today = billing_day(at, ZoneInfo(service.partner.zone))
    first = limits.fact_day(given.get("valid_from") or today)
    if first < today - MAX_BACK:
        raise Refused("Choose a day within the last three years.", field="valid_from", code="date_out_of_range")
    last = given.get("valid_to")
    if last is not None and limits.fact_day(last, field="valid_to") < first:
        raise Refused("It ends before it begins.", field="valid_to", code="date_out_of_range")
    return first, last


def _tell(verb: str, discount: Discount, by: Actor, at: datetime) -> None:
    service = discount.service
    told = {"service": service.pk, "percent": discount.percent, "fixed": discount.fixed, "from": discount.valid_from}
    subject = ("customer", service.customer_id)
    log.record(verb, by=by, at=at, subject=subject, partner_id=service.partner_id, **told, until=discount.valid_to)
    emit_ids("HoldingChanged", "services", [service.pk])
