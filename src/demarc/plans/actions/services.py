"""What is done to services: added, activated, paused, stopped, ended, moved to another plan. Moves no money.

A service's plan, state and own price are dated facts; the service row is their projection for today.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple, Required, TypedDict, Unpack
from zoneinfo import ZoneInfo

from django.db import transaction

from demarc.base import limits, log, texts
from demarc.base.actors import Actor, recorded
from demarc.base.events import emit_ids
from demarc.base.rows import insert
from demarc.core.errors import Refused
from demarc.core.period import billing_day
from demarc.customers.models import Account, Customer, Status
from demarc.customers.queries import accounts_blocked_for_money
from demarc.plans.access_state import set_access
from demarc.plans.actions.ahead import keep_planned
from demarc.plans.models import Plan, Service, ServiceFact, ServiceState
from demarc.plans.queries import accounts_of, newest_facts

QUANTITY_MAX = 1000
MAX_BACK = timedelta(days=3 * 366)
PROJECTED = ["activated_at", "ended_at", "blocked_cause", "access_since"]


class Agreed(NamedTuple):
    """What was agreed on for one service: a month's own price instead of the plan's, and how many of it."""

    price_override: int | None = None
    quantity: int = 1


class NewService(TypedDict, total=False):
    """A service to be added; without `account_id` the customer's first account pays.

    `price_override`: a month's own price, gross, minor units; None: the plan's.
    """

    customer_id: Required[int]
    plan_id: Required[int]
    account_id: int | None
    price_override: int | None
    description: str


def add_service(*, by: Actor, at: datetime, **service: Unpack[NewService]) -> Service:
    """A service of state pending; it costs nothing and has no access until it is activated. Refused as below."""
    return add_services([service], by=by, at=at)[0]


@transaction.atomic
def add_services(services: Sequence[NewService], *, by: Actor, at: datetime) -> list[Service]:
    """Many services, in the order given.

    Refused (the first fault found): customer, account or plan unknown or of different partners, another currency,
    plan no longer for sale, price out of range.
    """
    known = _Known(services)
    made = [known.make(given, at) for given in services]
    insert(made)
    facts = [
        ServiceFact(
            service=service,
            valid_from=_today(service, at),
            plan_id=service.plan_id,
            state=ServiceState.PENDING,
            price_override=given.get("price_override"),
            **recorded(by, at),
        )
        for service, given in zip(made, services, strict=True)
    ]
    insert(facts)
    _log("added", made, by, at)
    return made


def activate_service(service_id: int, *, by: Actor, at: datetime) -> Service:
    """Activate one service; see below. billing.actions.activate is the verb that also begins its billing."""
    service = activate_services([service_id], by=by, at=at)[0]
    service.refresh_from_db(fields=PROJECTED)
    return service


@transaction.atomic
def activate_services(service_ids: Sequence[int], *, by: Actor, at: datetime) -> list[Service]:
    """Put services in use from this day on, and their customers, if new or inactive, to active.

    A service whose account or customer is blocked stays without access. Refused: unknown, active or ended already.
    """
    services = _locked(service_ids)
    for service in services:
        if service.state == ServiceState.ACTIVE:
            raise Refused("This service is active already.", code="already_active", holder=("service", service.pk))
    customers = Customer.objects.filter(pk__in={service.customer_id for service in services})
    customers.filter(status__in=[Status.NEW, Status.INACTIVE]).update(status=Status.ACTIVE, status_since=at)
    _change_state(services, ServiceState.ACTIVE, by, at)
    _log("activated", services, by, at)
    return services


def pause_service(service_id: int, *, by: Actor, at: datetime) -> Service:
    """Without access and charge from the next day until it is activated again. Refused: unknown, not active."""
    return _leave(service_id, ServiceState.PAUSED, "paused", by, at)


def stop_service(service_id: int, *, by: Actor, at: datetime) -> Service:
    """Without access and charge from the next day, for a reason of ours. Refused: unknown, not active."""
    return _leave(service_id, ServiceState.STOPPED, "stopped", by, at)


def end_service(service_id: int, *, by: Actor, at: datetime) -> Service:
    """For good: no access now, no charge from the next day, its addresses are free. Refused: unknown, ended already."""
    return _leave(service_id, ServiceState.ENDED, "ended", by, at)


@transaction.atomic
def change_plan(
    service_id: int, *, plan_id: int, price_override: int | None = None, by: Actor, at: datetime
) -> Service:
    """Move a service to another plan: its speeds now, its price from the next day's 00:00.

    An account that is blocked for money is tried again with the new price (event RetryDue). Refused: unknown service
    or plan, ended, another partner or currency, price out of range, a service that has this plan at this price already.
    """
    service = _locked([service_id])[0]
    given = NewService(
        customer_id=service.customer_id,
        account_id=service.account_id,
        plan_id=plan_id,
        price_override=price_override,
    )
    plan = _Known([given]).make(given, at).plan
    now = newest_facts([service_id], _today(service, at))[service_id]
    if (now.plan_id, now.price_override) == (plan_id, price_override):
        raise Refused(
            "The service has this plan at this price already; choose another plan, or another price.",
            field="plan_id",
            code="unchanged",
        )
    service.plan = plan
    service.save(update_fields=["plan"])
    _record_facts([service], {service.pk: Agreed(price_override, now.quantity)}, by, at)
    _log("plan_changed", [service], by, at)
    emit_ids("ServiceChanged", "services", [service_id])
    emit_ids("RetryDue", "accounts", accounts_blocked_for_money(account_ids=[service.account_id]))
    return service


@transaction.atomic
def set_service_price(
    service_id: int,
    *,
    price: int | None,
    quantity: int | None = None,
    valid_from: date | None = None,
    by: Actor,
    at: datetime,
) -> list[ServiceFact]:
    """Agree on a service's own price of a month (None: the plan's) and how many of it, from a day on (None: today).

    Answers what was written: nothing, and nothing else is done, when just that holds for that day and all later ones.

    A day of the past changes what recurring documents have billed since, with one correcting document; prepaid days
    that are decided stay. Refused: unknown service, ended, number out of range, a day before the service was added or
    more than three years ago.
    """
    service = _locked([service_id])[0]
    if price is not None:
        limits.price(price, field="price")
    facts = list(ServiceFact.objects.filter(service_id=service_id).order_by("valid_from", "id"))
    day = _price_day(valid_from or _today(service, at), facts[0].valid_from, _today(service, at))
    earlier = [fact for fact in facts if fact.valid_from <= day]
    copied = [*earlier[-1:], *(fact for fact in facts if fact.valid_from > day)]
    held = list({one.valid_from: one for one in copied}.values())  # of one day the newest
    if quantity is not None:
        limits.whole(quantity, 1, QUANTITY_MAX, field="quantity")
    if all((fact.price_override, fact.quantity) == (price, quantity or fact.quantity) for fact in held):
        return []
    written = []
    for fact in held:
        count = quantity or fact.quantity
        terms = {"price_override": price, "quantity": count, "plan_id": fact.plan_id, "state": fact.state}
        when = max(fact.valid_from, day)
        written.append(ServiceFact(service=service, valid_from=when, **terms, **recorded(by, at)))
    ServiceFact.objects.bulk_create(written)
    changed = log.changes(log.snapshot(held[0]), written[0], names=("price_override", "quantity"))
    told = {"service": service_id, "changed": changed, "valid_from": day}
    subject = ("customer", service.customer_id)
    log.record("priced_service", by=by, at=at, subject=subject, partner_id=service.partner_id, **told)
    emit_ids("HoldingChanged", "services", [service_id])
    emit_ids("RetryDue", "accounts", accounts_blocked_for_money(account_ids=[service.account_id]))
    return written


def deactivate_customer(customer_id: int, *, by: Actor, at: datetime) -> Customer:
    """He uses no services: the active ones are stopped, status inactive. Activating a service brings him back.

    Refused: unknown customer, inactive already.
    """
    customer = deactivate_many([customer_id], by=by, at=at)[0]
    customer.refresh_from_db()
    return customer


@transaction.atomic
def deactivate_many(customer_ids: Sequence[int], *, by: Actor, at: datetime) -> list[Customer]:
    """Deactivate customers, all or none, as `deactivate_customer` does; each has his row in the log."""
    customers = list(Customer.objects.filter(pk__in=customer_ids).order_by("id"))
    if len(customers) < len(set(customer_ids)):
        raise Refused("There is no such customer.", field="customer_id", code="unknown")
    if any(customer.status == Status.INACTIVE for customer in customers):
        raise Refused("This customer is inactive already.", code="already_inactive")
    active = Service.objects.filter(customer__in=customers, state=ServiceState.ACTIVE).order_by("id")
    _change_state(_locked(list(active.values_list("id", flat=True))), ServiceState.STOPPED, by, at)
    Customer.objects.filter(pk__in=customer_ids).update(status=Status.INACTIVE, status_since=at)
    set_access(accounts_of(customer_ids), at=at)
    for one in customers:
        log.record("deactivated", by=by, at=at, subject=("customer", one.pk), partner_id=one.partner_id)
    return customers


class _Known:
    """The customers, accounts and plans that new services name, read once."""

    def __init__(self, services: Sequence[NewService]) -> None:
        self.customers = Customer.objects.select_related("partner").in_bulk(
            {given["customer_id"] for given in services}
        )
        self.plans = Plan.objects.in_bulk({given["plan_id"] for given in services})
        self.accounts: dict[int, Account] = {}
        self.first: dict[int, Account] = {}
        for account in Account.objects.filter(customer_id__in=self.customers).order_by("-id"):
            self.accounts[account.pk] = self.first[account.customer_id] = account

    def make(self, given: NewService, at: datetime) -> Service:
        """The service, unsaved. Refused as `add_services` says."""
        customer, plan = self.customers.get(given["customer_id"]), self.plans.get(given["plan_id"])
        if customer is None:
            raise Refused("There is no such customer.", field="customer_id", code="unknown")
        if plan is None or plan.partner_id != customer.partner_id:
            raise Refused("The customer's provider has no such plan.", field="plan_id", code="unknown")
        if not plan.for_sale:
            raise Refused(
                f"{plan.name} is no longer for sale; choose another plan.", field="plan_id", code="not_for_sale"
            )
        account = self._account(given, customer)
        if account.currency != plan.currency:
            raise Refused(
                f"{plan.name} is priced in {plan.currency}, the account holds {account.currency}.",
                field="plan_id",
                code="currency",
            )
        override = given.get("price_override")
        if override is not None:
            limits.price(override, field="price_override")
        return Service(
            partner=customer.partner,
            customer=customer,
            account=account,
            plan=plan,
            description=texts.one_line(given.get("description", ""), field="description", length_max=200),
            access_since=at,
            created_at=at,
        )

    def _account(self, given: NewService, customer: Customer) -> Account:
        account_id = given.get("account_id")
        account = self.first.get(customer.pk) if account_id is None else self.accounts.get(account_id)
        if account is None or account.customer_id != customer.pk:
            raise Refused("The customer has no such account.", field="account_id", code="unknown")
        return account


@transaction.atomic
def _leave(service_id: int, state: ServiceState, verb: str, by: Actor, at: datetime) -> Service:
    services = _locked([service_id])
    if services[0].state != ServiceState.ACTIVE and state != ServiceState.ENDED:
        raise Refused("Only an active service can be paused or stopped.", code="not_active")
    _change_state(services, state, by, at)
    _log(verb, services, by, at)
    emit_ids("RetryDue", "accounts", accounts_blocked_for_money(account_ids=[services[0].account_id]))
    services[0].refresh_from_db(fields=PROJECTED)
    return services[0]


def _locked(service_ids: Sequence[int]) -> list[Service]:
    """The services, locked by id, none of them ended; in the order asked for."""
    rows = Service.objects.select_for_update(no_key=True, of=("self",)).select_related("partner")
    found = {service.pk: service for service in rows.filter(pk__in=service_ids).order_by("id")}
    for service_id in service_ids:
        if service_id not in found:
            raise Refused("There is no such service.", field="service_id", code="unknown")
        if found[service_id].state == ServiceState.ENDED:
            raise Refused("This service has ended; add a new one.", code="ended", holder=("service", service_id))
    return [found[service_id] for service_id in service_ids]


def _change_state(services: Sequence[Service], state: ServiceState, by: Actor, at: datetime) -> None:
    """Write the new state and its facts, and let access follow."""
    rows = Service.objects.filter(pk__in=[service.pk for service in services])
    rows.update(state=state)
    if state == ServiceState.ACTIVE:
        rows.filter(activated_at=None).update(activated_at=at)
    if state == ServiceState.ENDED:
        rows.update(ended_at=at)
    by_day: dict[date, list[int]] = {}
    for service in services:
        by_day.setdefault(_today(service, at), []).append(service.pk)
    agreed = {
        service_id: Agreed(fact.price_override, fact.quantity)
        for day, service_ids in by_day.items()
        for service_id, fact in newest_facts(service_ids, day).items()
    }
    for service in services:
        service.state = state
    _record_facts(services, agreed, by, at)
    changed = set_access([service.account_id for service in services], at=at)
    unchanged = {service.pk for service in services}.difference(changed)
    emit_ids("ServiceChanged", "services", sorted(unchanged))


def _record_facts(services: Sequence[Service], agreed: Mapping[int, Agreed], by: Actor, at: datetime) -> None:
    """Write what is so from today on: each service's plan and state, with what was agreed on (event HoldingChanged)."""
    facts = [
        ServiceFact(
            service=service,
            valid_from=_today(service, at),
            plan_id=service.plan_id,
            state=service.state,
            **agreed.get(service.pk, Agreed())._asdict(),
            **recorded(by, at),
        )
        for service in services
    ]
    insert(facts)
    keep_planned(facts, by=by, at=at)
    emit_ids("HoldingChanged", "services", [service.pk for service in services])


def _price_day(day: date, first: date, today: date) -> date:
    """The day, when a price may be agreed on from it; `first` is the day of the service's first fact."""
    limits.fact_day(day)
    if day < today - MAX_BACK:
        raise Refused("Choose a day within the last three years.", field="valid_from", code="date_out_of_range")
    if day < first:
        raise Refused(
            f"The service exists from {first} on; choose that day or a later one.",
            field="valid_from",
            code="date_out_of_range",
        )
    return day


def _today(service: Service, at: datetime) -> date:
    return billing_day(at, ZoneInfo(service.partner.zone))


def _log(verb: str, services: Sequence[Service], by: Actor, at: datetime) -> None:
    if not services:
        return
    first = services[0]
    subject = ("customer", first.customer_id) if len(services) == 1 else ("partner", first.partner_id)
    told = {"service": first.pk, "plan": first.plan_id, "services": len(services)}
    log.record(verb + "_service", by=by, at=at, subject=subject, partner_id=first.partner_id, **told)
