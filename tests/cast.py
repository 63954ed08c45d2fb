"""The small cast of the tests, made through the actions: a provider, a plan, one who pays, one who is late.

Every function takes the time it happens at, so that a story can be told day by day.
"""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.customers import actions as customers
from demarc.customers.models import Customer
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
