"""Changes of services planned for a day to come: another plan, a pause, an end, the taking up again.

A planned change is a dated fact like any other, so what is billed ahead already knows it. On its day the service row
follows, and what was billed before the plan was made is put right (event HoldingChanged).
"""

from datetime import date, datetime
from typing import Any, TypedDict, Unpack
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from demarc.base import limits, log
from demarc.base.actors import Actor, recorded
from demarc.base.events import emit_ids
from demarc.base.models import Partner, Setting
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY, billing_day
from demarc.customers.queries import accounts_blocked_for_money
from demarc.plans.access_state import set_access
from demarc.plans.actions.ahead import FIELDS, keep_planned
from demarc.plans.actions.services import QUANTITY_MAX
from demarc.plans.models import Plan, Service, ServiceFact, ServiceState

# Services whose row is not what their newest fact in force says; only those that have a fact of the last days.
DUE = """
SELECT s.id, f.plan_id, f.state FROM plans_service s
JOIN LATERAL (
    SELECT plan_id, state FROM plans_servicefact
    WHERE service_id = s.id AND valid_from <= %(today)s ORDER BY valid_from DESC, id DESC LIMIT 1) AS f ON true
WHERE s.partner_id = %(partner)s AND (%(only)s::bigint IS NULL OR s.id = %(only)s) AND s.state <> 'ended'
    AND (s.plan_id, s.state) <> (f.plan_id, f.state)
    AND EXISTS (SELECT FROM plans_servicefact r
        WHERE r.service_id = s.id AND r.valid_from BETWEEN %(since)s AND %(today)s)
ORDER BY s.id FOR NO KEY UPDATE OF s
"""

# Facts and discounts that begin on these days and were written down before: what was billed before is to be put right.
BEGUN = """
SELECT DISTINCT s.id FROM plans_service s
LEFT JOIN plans_servicefact f ON f.service_id = s.id AND f.valid_from BETWEEN %(since)s AND %(today)s
LEFT JOIN plans_discount d ON d.service_id = s.id AND d.valid_from BETWEEN %(since)s AND %(today)s
    AND d.withdrawn_at IS NULL
WHERE s.partner_id = %(partner)s AND (f.id IS NOT NULL OR d.id IS NOT NULL) ORDER BY s.id
"""

LATE = 40
"""Days that the job may have been away."""

TOLD = "begun_told_through"
"""The setting of a partner that keeps the last day whose beginnings billing was told of."""

STATES = (ServiceState.ACTIVE, ServiceState.PAUSED, ServiceState.STOPPED, ServiceState.ENDED)


class Wanted(TypedDict, total=False):
    """What a planned change names; a None stays as it is. `state`: one of STATES."""

    plan_id: int | None
    state: str | None
    quantity: int | None


@transaction.atomic
def plan_ahead(service_id: int, *, on: date, by: Actor, at: datetime, **wanted: Unpack[Wanted]) -> ServiceFact:
    """From the day `on`: another plan (at its list price), another state, another number, or several of them. What is
    not named stays, and what is planned for later days follows. When all is so by then already, the fact that says so
    is the answer, and nothing is written.

    Refused: unknown service or plan, a day that is not to come, a service that was never activated or has ended by
    then, a plan of another provider or currency, a number out of range.
    """
    service = _locked(service_id)
    today = billing_day(at, ZoneInfo(service.partner.zone))
    limits.fact_day(on, field="on")
    if on <= today:
        raise Refused("Choose a day to come; for today use the change itself.", field="on", code="date_out_of_range")
    if service.state == ServiceState.ENDED or service.activated_at is None:
        raise Refused("Only a service that was activated, and has not ended, can be planned.", code="not_active")
    if all(value is None for value in wanted.values()):
        raise Refused("Say what is to change: the plan, the state or the number.", field="plan_id", code="required")
    before = _in_force(service_id, on)
    if before.state == ServiceState.ENDED:
        raise Refused("It is planned that the service ends before.", field="on", code="not_active")
    terms = _terms(service, before, wanted)
    if all(getattr(before, name) == value for name, value in terms.items()):
        return before
    fact = ServiceFact.objects.create(service=service, valid_from=on, **terms, **recorded(by, at))
    keep_planned([fact], by=by, at=at)
    _log("planned_service", fact, service, by, at)
    return fact


@transaction.atomic
def cancel_planned(service_id: int, *, on: date, by: Actor, at: datetime) -> None:
    """What was planned for that day is not to be: it stays as it is on the day before.

    Refused: unknown service, nothing planned for the day, or the day has come.
    """
    service = _locked(service_id)
    today = billing_day(at, ZoneInfo(service.partner.zone))
    if on <= today or not ServiceFact.objects.filter(service=service, valid_from=on).exists():
        raise Refused("Nothing is planned for that day.", field="on", code="not_planned")
    before, planned = _in_force(service_id, on - ONE_DAY), _in_force(service_id, on)
    if all(getattr(before, name) == getattr(planned, name) for name in FIELDS):
        raise Refused("What was planned for that day is taken back already.", field="on", code="not_planned")
    fact = ServiceFact.objects.create(
        service=service,
        valid_from=on,
        plan_id=before.plan_id,
        state=before.state,
        price_override=before.price_override,
        quantity=before.quantity,
        **recorded(by, at),
    )
    keep_planned([fact], by=by, at=at)
    _log("cancelled_planned", fact, service, by, at)


@transaction.atomic
def carry_out_planned(partner_id: int, *, only: int | None = None, by: Actor, at: datetime) -> int:
    """Let services (or `only` one) follow what was planned for today, or for days on which nobody looked: how many
    changed.

    Repeating it changes nothing. Never refused; an unknown partner has no services.
    """
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        return 0
    today = billing_day(at, ZoneInfo(partner.zone))
    given: dict[str, Any] = {"partner": partner_id, "only": only, "today": today, "since": today - LATE * ONE_DAY}
    with connection.cursor() as cursor:
        cursor.execute(DUE, given)
        due = cursor.fetchall()
    for service_id, plan_id, state in due:
        ended = {"ended_at": at} if state == ServiceState.ENDED else {}
        Service.objects.filter(pk=service_id).update(plan_id=plan_id, state=state, **ended)
    services = [service_id for service_id, _, _ in due]
    if services:
        accounts = list(Service.objects.filter(pk__in=services).values_list("account_id", flat=True))
        changed = set_access(accounts, at=at)
        emit_ids("ServiceChanged", "services", sorted(set(services) - set(changed)))
        emit_ids("RetryDue", "accounts", accounts_blocked_for_money(account_ids=accounts))
        emit_ids("HoldingChanged", "services", services)
        subject = ("partner", partner_id)
        log.record("carried_out_planned", by=by, at=at, subject=subject, partner_id=partner_id, services=services[:50])
    return len(services)


@transaction.atomic
def tell_begun(partner_id: int, *, by: Actor, at: datetime) -> int:
    """Once for each day: let billing look at the services for which something begins on it, or began while nobody
    looked: how many."""
    partner = Partner.objects.get(pk=partner_id)
    today = billing_day(at, ZoneInfo(partner.zone))
    told, _ = Setting.objects.get_or_create(
        partner=partner, key=TOLD, defaults={"value": (today - ONE_DAY).isoformat()}
    )
    since = max(date.fromisoformat(told.value) + ONE_DAY, today - LATE * ONE_DAY)
    if since > today:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(BEGUN, {"partner": partner_id, "since": since, "today": today})
        services = [row[0] for row in cursor.fetchall()]
    Setting.objects.filter(pk=told.pk).update(value=today.isoformat())
    emit_ids("HoldingChanged", "services", services, queue="run")
    subject = ("partner", partner_id)
    log.record("told_begun", by=by, at=at, subject=subject, partner_id=partner_id, services=len(services))
    return len(services)


def _terms(service: Service, before: ServiceFact, wanted: Wanted) -> dict[str, Any]:
    """What the planned fact says: what is named, and else what it was before. Refused as `plan_ahead` says."""
    terms: dict[str, Any] = {name: getattr(before, name) for name in FIELDS}
    plan_id, state, quantity = wanted.get("plan_id"), wanted.get("state"), wanted.get("quantity")
    if plan_id is not None:
        plan = Plan.objects.filter(pk=plan_id, partner_id=service.partner_id).first()
        if plan is None:
            raise Refused("The customer's provider has no such plan.", field="plan_id", code="unknown")
        if plan.currency != service.account.currency:
            raise Refused(f"{plan.name} is priced in {plan.currency}.", field="plan_id", code="currency")
        terms |= {"plan_id": plan_id, "price_override": None}
    if state is not None:
        terms["state"] = limits.word(state, STATES, field="state")
    if quantity is not None:
        terms["quantity"] = limits.whole(quantity, 1, QUANTITY_MAX, field="quantity")
    return terms


def _locked(service_id: int) -> Service:
    found = Service.objects.select_for_update(of=("self",), no_key=True).select_related("partner", "account")
    service = found.filter(pk=service_id).first()
    if service is None:
        raise Refused("There is no such service.", field="service_id", code="unknown")
    return service


def _in_force(service_id: int, day: date) -> ServiceFact:
    facts = ServiceFact.objects.filter(service_id=service_id, valid_from__lte=day).order_by("-valid_from", "-id")
    return facts[0]


def _log(verb: str, fact: ServiceFact, service: Service, by: Actor, at: datetime) -> None:
    told = {"service": service.pk, "on": fact.valid_from, "plan": fact.plan_id, "state": fact.state}
    log.record(verb, by=by, at=at, subject=("customer", service.customer_id), partner_id=service.partner_id, **told)
