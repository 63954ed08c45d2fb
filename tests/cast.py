"""The small cast of the tests, made through the actions: a provider, a plan, one who pays, one who is late.

Every function takes the time it happens at, so that a story can be told day by day.
"""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from demarc.base.actors import SYSTEM, Actor
from demarc.base.models import Partner
from demarc.billing import actions as billing
from demarc.billing.models import BillingDay, LedgerAccount, Payment
from demarc.customers import actions as customers
from demarc.customers.models import Account, Customer
from demarc.plans import actions as plans
from demarc.plans.models import Plan, Service

AT = datetime(2024, 4, 30, 10, 0, tzinfo=UTC)
"""Ten in the morning of the last day of a month of thirty days: the first charge is on the first of May."""
STAFF = Actor("staff", 1, "Desk")
_keys = count(1)


def midnight(day: date, zone: str = "UTC") -> datetime:
    """00:00 of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))


def partner(name: str = "Demarc", *, zone: str = "UTC", currency: str = "EUR", at: datetime = AT) -> Partner:
    return customers.create_partner(name=name, zone=zone, currency=currency, language="en", by=STAFF, at=at)


def plan(of: Partner, name: str = "Fibre", *, price: int = 4000, at: datetime = AT, **facts: Any) -> Plan:
    facts = {"speed_down_kbps": 5000, "speed_up_kbps": 1000} | facts
    return plans.create_plan(partner_id=of.pk, name=name, price=price, by=STAFF, at=at, **facts)


def customer(of: Partner, name: str = "Ana", *, at: datetime = AT, **facts: Any) -> Customer:
    return customers.create_customer(partner_id=of.pk, name=name, by=STAFF, at=at, **facts)


def service(of: Customer, on: Plan, *, at: datetime = AT, **facts: Any) -> Service:
    return plans.add_service(customer_id=of.pk, plan_id=on.pk, by=STAFF, at=at, **facts)


def account_of(of: Customer) -> Account:
    """The customer's first account."""
    return of.accounts.order_by("id")[0]


def activate(service: Service, *, at: datetime = AT) -> Service:
    return billing.activate(service.pk, by=STAFF, at=at)


def pay(account: Account, amount: int, *, at: datetime = AT, **facts: Any) -> Payment:
    """A payment in cash on the day it is entered, under a new key unless one is given."""
    facts = {"key": f"key-{next(_keys)}", "method": "cash", "received_on": at.date()} | facts
    return billing.receive(account_id=account.pk, amount=amount, by=STAFF, at=at, **facts)


def subscriber(of: Partner, on: Plan, *, name: str = "Ana", paid: int = 0, at: datetime = AT) -> Account:
    """A customer with one active service who has paid `paid`: the account."""
    made = customer(of, name, at=at)
    account = account_of(made)
    if paid:
        pay(account, paid, at=at)
    activate(service(made, on, at=at), at=at)
    return account


def paying_customer(of: Partner, on: Plan, *, at: datetime = AT) -> Account:
    """One who always has money."""
    return subscriber(of, on, name="Paula Pays", paid=100_000, at=at)


def late_customer(of: Partner, on: Plan, *, at: datetime = AT) -> Account:
    """One who has paid nothing yet."""
    return subscriber(of, on, name="Larry Late", at=at)


def open_day(of: Partner, day: date, *, at: datetime | None = None) -> BillingDay:
    """The run of a day, punctual unless `at` says otherwise."""
    return billing.open_day(of.pk, day=day, by=SYSTEM, at=at or midnight(day, of.zone))


def balance(account: Account) -> int:
    return LedgerAccount.objects.get(payer=account).balance or 0


def online(account: Account) -> bool:
    """Whether all services of the account have access."""
    return not Service.objects.filter(account=account, blocked_cause__isnull=False).exists()
