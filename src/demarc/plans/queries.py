"""Reads of plans, prices, taxes and services. Knows which fact is in force on a day, not what a day costs."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from django.db.models import F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from demarc.customers.models import Account
from demarc.plans.models import Plan, PlanPrice, Service, ServiceFact, TaxRate
from demarc.ui import panels

PLANNED_MAX = 500


class Billed(NamedTuple):
    """How many services, and how many of their days, are billed already."""

    services: int
    days: int


def plan_list(partner_ids: Sequence[int] | None, day: date) -> QuerySet[Plan]:
    """Plans that the reader may see (None: all) by name, each with `price`: its month on `day`, minor units or None."""
    price = PlanPrice.objects.filter(plan=OuterRef("pk"), valid_from__lte=day).order_by("-valid_from", "-id")
    found = Plan.objects.select_related("partner").annotate(price=Subquery(price.values("amount")[:1]))
    if partner_ids is not None:
        found = found.filter(partner_id__in=partner_ids)
    return found.order_by("name", "id")


def service_list(partner_ids: Sequence[int] | None, day: date) -> QuerySet[Service]:
    """Services that the reader may see (None: all), newest first, each with `price`: its month on `day`, or None."""
    own = ServiceFact.objects.filter(service=OuterRef("pk"), valid_from__lte=day).order_by("-valid_from", "-id")
    listed = PlanPrice.objects.filter(plan=OuterRef("plan"), valid_from__lte=day).order_by("-valid_from", "-id")
    found = Service.objects.select_related("plan", "customer", "account", "partner").annotate(
        price_override=Subquery(own.values("price_override")[:1]),
        price=Coalesce(F("price_override"), Subquery(listed.values("amount")[:1])),
    )
    if partner_ids is not None:
        found = found.filter(partner_id__in=partner_ids)
    return found.order_by("-id")


def billed_beside(price: PlanPrice) -> Billed:
    """What billing says is billed already at another price, for days on which this one holds; it stays so."""
    found = [panels.maker(stand.maker)(price) for stand in panels.stands("price.billed")]
    return Billed(sum(one.services for one in found), sum(one.days for one in found))


def prices(plan_id: int) -> QuerySet[PlanPrice]:
    """Every price ever recorded for a plan, the one that wins on its day first."""
    return PlanPrice.objects.filter(plan_id=plan_id).order_by("-valid_from", "-id")


def newest_facts(service_ids: Iterable[int], day: date) -> dict[int, ServiceFact]:
    """The fact in force on `day` of each service that has one."""
    found = ServiceFact.objects.filter(service_id__in=list(service_ids), valid_from__lte=day)
    return {fact.service_id: fact for fact in found.order_by("valid_from", "id")}


class Planned(NamedTuple):
    """A change to come: what holds from `fact.valid_from` on, and what holds the day before."""

    fact: ServiceFact
    before: ServiceFact


def planned_changes(service_ids: Iterable[int], today: date) -> list[Planned]:
    """What is planned for these services after today, in order of days; what was taken back changes nothing and is left
    out. At most PLANNED_MAX facts are looked at."""
    wanted = list(service_ids)
    held = newest_facts(wanted, today)
    rows = ServiceFact.objects.filter(service_id__in=wanted, valid_from__gt=today)
    coming = rows.select_related("plan", "service__plan", "service__account").order_by("valid_from", "id")[:PLANNED_MAX]
    found = []
    for fact in {(one.valid_from, one.service_id): one for one in coming}.values():  # of one day the newest
        before = held.get(fact.service_id)
        if before is not None and _terms(before) != _terms(fact):
            found.append(Planned(fact, before))
        held[fact.service_id] = fact
    return found


def _terms(fact: ServiceFact) -> tuple[int, str, int | None, int]:
    return fact.plan_id, fact.state, fact.price_override, fact.quantity


def tax_rates(partner_id: int) -> QuerySet[TaxRate]:
    """Every tax rate ever recorded for a partner, per category the one that wins on its day first."""
    return TaxRate.objects.filter(partner_id=partner_id).order_by("category", "-valid_from", "-id")


def tax_rate_on(rates: Iterable[TaxRate], category: str, day: date) -> Decimal:
    """The rate of a category in force on `day`, from `tax_rates`; 0 when none was recorded."""
    found = (rate.rate for rate in rates if rate.category == category and rate.valid_from <= day)
    return next(found, Decimal(0))


def tax_categories(partner_id: int, day: date) -> dict[str, Decimal | None]:
    """The tax categories of a partner by name, each with its rate on `day`; None where none holds yet."""
    found: dict[str, Decimal | None] = {}
    for rate in tax_rates(partner_id):
        found.setdefault(rate.category, None)
        if found[rate.category] is None and rate.valid_from <= day:
            found[rate.category] = rate.rate
    return found


def accounts_of(customer_ids: Sequence[int]) -> list[int]:
    """The accounts of customers and those that pay for their services, by id."""
    own = Account.objects.filter(customer_id__in=customer_ids).values_list("id")
    paying = Service.objects.filter(customer_id__in=customer_ids).values_list("account_id")
    return sorted(account_id for (account_id,) in own.union(paying))
