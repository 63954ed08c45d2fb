"""What is done to plans, their prices and taxes. A price or rate is never edited: a new row is written."""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple, Required, TypedDict, Unpack

from django.db import transaction

from demarc.base import limits, log, texts
from demarc.base.actors import Actor, recorded
from demarc.base.events import emit_ids
from demarc.base.models import Partner
from demarc.core.errors import Refused
from demarc.customers.queries import accounts_blocked_for_money
from demarc.plans.models import FEES, Plan, PlanKind, PlanPrice, Service, TaxRate
from demarc.plans.queries import Billed, billed_beside
from demarc.plans.taxes import tax_category

RANGES = {
    "speed_down_kbps": (1, 400_000_000),
    "speed_up_kbps": (1, 400_000_000),
    "burst_percent": (0, 1000),
    "burst_threshold_percent": (0, 100),
    "burst_time_s": (0, 3600),
    "priority": (1, 8),
    "contention_ratio": (1, 1000),
}
SPEEDS = frozenset(RANGES)
HAS_SPEED = ("speed_down_kbps", "speed_up_kbps")
CONTRACT_MONTHS_MAX = 120


class Shaping(TypedDict, total=False):
    """What a plan may say beside name, price and speeds; percentages are of the speed, `priority` 1 is first. Fees are
    minor units; `contract_months` 0 is no term."""

    burst_percent: int
    burst_threshold_percent: int
    burst_time_s: int
    priority: int
    contention_ratio: int
    tax_category: str
    for_sale: bool
    price_includes_tax: bool
    contract_months: int
    setup_fee: int
    change_fee: int
    cancellation_fee: int
    reactivation_fee: int


class PlanFields(Shaping, total=False):
    """A plan's record, as far as it is to be changed."""

    name: str
    speed_down_kbps: int
    speed_up_kbps: int


class NewPlan(Shaping, total=False):
    """A plan to be made: `price` is a month, in minor units, from `valid_from` on (default: always). `kind` is one of
    plans.models.PlanKind (default internet); only internet has speeds, and needs them."""

    name: Required[str]
    price: Required[int]
    kind: str
    speed_down_kbps: int
    speed_up_kbps: int
    valid_from: date


class Priced(NamedTuple):
    """A price that was set, and what is billed already at another one for its days."""

    price: PlanPrice
    billed: Billed


@transaction.atomic
def create_plan(*, partner_id: int, by: Actor, at: datetime, **plan: Unpack[NewPlan]) -> Plan:
    """A plan with its first price, in the partner's currency.

    Refused: unknown partner or kind, name taken, a number out of range (its field is named).
    """
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    kind = limits.word(plan.get("kind", PlanKind.INTERNET), PlanKind.values, field="kind")
    made = Plan(partner=partner, currency=partner.currency, kind=kind)
    _fill(made, plan)
    _check_speeds(made)
    made.save(force_insert=True)
    price = PlanPrice(
        plan=made,
        valid_from=limits.fact_day(plan.get("valid_from", limits.FIRST_DAY)),
        amount=limits.price(plan["price"]),
        **recorded(by, at),
    )
    price.save(force_insert=True)
    log.record(
        "created", by=by, at=at, subject=("plan", made.pk), partner_id=partner_id, name=made.name, price=price.amount
    )
    return made


@transaction.atomic
def update_plan(plan_id: int, *, by: Actor, at: datetime, **fields: Unpack[PlanFields]) -> Plan:
    """Change a plan's record; new speeds reach its services at once (event ServiceChanged). Refused as above."""
    plan = _plan(plan_id)
    before = {name: getattr(plan, name) for name in fields}
    _fill(plan, fields)
    _check_speeds(plan)
    changed = {name: [old, getattr(plan, name)] for name, old in before.items() if old != getattr(plan, name)}
    plan.save(update_fields=list(fields))
    log.record("updated", by=by, at=at, subject=("plan", plan_id), partner_id=plan.partner_id, changed=changed)
    if SPEEDS.intersection(changed):
        services = Service.objects.filter(plan=plan).exclude(state="ended").order_by("id")
        emit_ids("ServiceChanged", "services", list(services.values_list("id", flat=True)), queue="run")
    return plan


@transaction.atomic
def set_price(plan_id: int, *, valid_from: date, amount: int, by: Actor, at: datetime) -> Priced:
    """The gross price of a month, minor units, from `valid_from` on. Days that are decided or billed already stay as
    they are, whatever the day: the answer says how many, so that a price dated back does not pass in silence. Who is to
    get it for them, too, is given an own price from that day, which corrects his documents.

    Accounts that are blocked for money are tried again (event RetryDue). Refused: unknown plan, price or date out of
    range.
    """
    plan = _plan(plan_id)
    limits.fact_day(valid_from)
    before = PlanPrice.objects.filter(plan=plan, valid_from__lte=valid_from).order_by("valid_from", "id").last()
    price = PlanPrice(
        plan=plan,
        valid_from=valid_from,
        amount=limits.price(amount, field="amount"),
        **recorded(by, at),
    )
    price.save(force_insert=True)
    billed = billed_beside(price)
    changed = {"price": [before and before.amount, amount]}
    told = {"changed": changed, "day": valid_from, "billed_days": billed.days}
    log.record("price_set", by=by, at=at, subject=("plan", plan_id), partner_id=plan.partner_id, **told)
    accounts = Service.objects.filter(plan=plan, state="active").values_list("account_id", flat=True).distinct()
    emit_ids("RetryDue", "accounts", accounts_blocked_for_money(account_ids=list(accounts)))
    return Priced(price, billed)


@transaction.atomic
def set_tax(partner_id: int, *, category: str, valid_from: date, rate: Decimal, by: Actor, at: datetime) -> TaxRate:
    """The rate of a tax category from `valid_from` on, as a fraction (0.21). Refused: rate or date out of range."""
    category = texts.name(category, field="category", length_max=30)
    if not Decimal(0) <= rate <= Decimal(1):
        raise Refused(
            "A tax rate is from 0 to 100 %; programs write it as a fraction from 0 to 1.",
            field="rate",
            code="tax_rate_out_of_range",
        )
    if not Partner.objects.filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    facts = {"category": category, "valid_from": limits.fact_day(valid_from), "rate": rate}
    tax = TaxRate(partner_id=partner_id, **facts, **recorded(by, at))
    tax.save(force_insert=True)
    log.record("tax_set", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **facts)
    return tax


def _plan(plan_id: int) -> Plan:
    plan = Plan.objects.select_for_update(no_key=True).filter(pk=plan_id).first()
    if plan is None:
        raise Refused("There is no such plan.", field="plan_id", code="unknown")
    return plan


def _fill(plan: Plan, given: PlanFields | NewPlan) -> None:
    if "name" in given:
        plan.name = texts.name(given["name"])
        taken = Plan.objects.filter(partner_id=plan.partner_id, name=plan.name).exclude(pk=plan.pk).first()
        if taken is not None:
            raise Refused(
                f"There is a plan called {plan.name} already.", field="name", code="taken", holder=("plan", taken.pk)
            )
    for field, (least, most) in RANGES.items():
        if field in given and not (field in HAS_SPEED and plan.kind != PlanKind.INTERNET):
            setattr(plan, field, limits.whole(given[field], least, most, field=field))  # type: ignore[literal-required] # RANGES names them
    if "tax_category" in given:
        plan.tax_category = tax_category(plan.partner_id, given["tax_category"])
    for fee in FEES:
        if fee in given:
            setattr(plan, fee, limits.price(given[fee], field=fee))  # type: ignore[literal-required] # FEES names them
    months = given.get("contract_months", plan.contract_months)
    plan.contract_months = limits.whole(months, 0, CONTRACT_MONTHS_MAX, field="contract_months")
    plan.price_includes_tax = given.get("price_includes_tax", plan.price_includes_tax)
    plan.for_sale = given.get("for_sale", plan.for_sale)


def _check_speeds(plan: Plan) -> None:
    """Internet has speeds, nothing else has."""
    for field in HAS_SPEED:
        if plan.kind == PlanKind.INTERNET and not getattr(plan, field):
            raise Refused("An internet plan has a speed.", field=field, code="required")
