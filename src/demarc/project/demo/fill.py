"""Fills an empty installation with the demo ISP, day by day, as its thirty days would have happened."""

import gc
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

from demarc.access.actions import NewSubscriber, create_subscribers, make_session_months, publish_policy, sync_services
from demarc.base.actors import Actor
from demarc.base.hands import HANDS, apart, each
from demarc.base.models import Partner
from demarc.billing.actions import NewPayment, activate_many, bill, receive_many
from demarc.core.errors import Refused
from demarc.core.period import billing_day, start_of_day
from demarc.customers.actions import NewCustomer, create_customers
from demarc.plans.actions import NewService, add_services, block_many, deactivate_many
from demarc.project.demo import monthly
from demarc.project.demo.people import DAYS, Person, payments, pays_after, people
from demarc.project.demo.provider import CONCENTRATORS, PLANS, SECRET, ZONE, Provider, make_provider
from demarc.project.demo.usage import live_through
from demarc.staff.actions import create_login

T = TypeVar("T")
CHUNK = 2000
SHARE_MIN = 1000
"""So few are not worth a second hand."""

STAFF = (("frontdesk", "Manager"), ("accountant", "Financial manager"), ("engineer", "Engineer"))
MORNING = timedelta(hours=10)
METHODS = ("cash", "bank", "card")
PRICES = {name: price for name, price, *_ in PLANS}


@dataclass(frozen=True, slots=True)
class Held:
    """A person with the ids of what he holds, and what he pays by days ago."""

    person: Person
    customer_id: int
    account_id: int
    service_id: int
    pays: dict[int, int]


def fill(*, by: Actor, at: datetime, customers: int = 1000, seed: int = 1) -> Iterator[str]:
    """Make the demo as of `at`; yields the lines to show. Refused: there is a provider already."""
    with _collecting_seldom(), apart():
        _fill(by, at, customers, seed)
    yield from _introduce(by=by, at=at)


def _fill(by: Actor, at: datetime, customers: int, seed: int) -> None:
    if Partner.objects.exists():
        raise Refused("The demo needs an empty data directory; choose another with --data.", code="setting")
    today = billing_day(at, ZoneInfo(ZONE))
    opened = start_of_day(today - timedelta(days=DAYS + 1), ZoneInfo(ZONE))
    make_session_months(by=by, at=at, first=opened.date())
    provider = make_provider(customers=customers, by=by, at=opened)
    groups = batched(people(customers, seed), CHUNK)
    held = [one for some in each(lambda group: _take_in(group, provider, seed, by, opened), groups) for one in some]
    payers = _payers(held, seed)
    monthly.welcome(list(payers.values()), by=by, at=opened)
    for ago in range(DAYS, -1, -1):
        _live_a_day(held, payers, ago, today, by=by, at=at)
        morning = start_of_day(today - timedelta(days=ago), ZoneInfo(ZONE)) + MORNING
        monthly.dun(provider.partner, by=by, at=min(morning, at))
    _part(held, by=by, at=at)
    monthly.look_ahead(provider.partner, payers, today, by=by, at=at)
    publish_policy(provider.partner.pk, by=by, at=at)
    _each(lambda some: sync_services([one.service_id for one in some], by=by, at=at), batched(held, CHUNK))
    live_through({one.service_id: one.person.joined for one in held if one.person.fate != "new"}, at=at, seed=seed)


@contextmanager
def _collecting_seldom() -> Iterator[None]:
    """A hundred thousand people stay in memory throughout, and a fifth of the time went to looking at them."""
    before = gc.get_threshold()
    gc.set_threshold(100_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def batched(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """The things in lists of at most `size` (itertools.batched comes with Python 3.12)."""
    source = iter(things)
    while batch := list(islice(source, size)):
        yield batch


def _each(work: Callable[[list[T]], object], lists: Iterable[list[T]]) -> None:
    """As base.hands.each, without what `work` gives: thousands of rows would come back from another process."""

    def quietly(some: list[T]) -> None:
        work(some)

    each(quietly, lists)


def _shared(things: Sequence[T]) -> Iterator[list[T]]:
    """The things in lists of at most CHUNK, so many and so long that no hand has nothing to do at the end."""
    rounds = max(1, -(-len(things) // (CHUNK * HANDS)))
    return batched(things, max(SHARE_MIN, -(-len(things) // (rounds * HANDS))))


def _take_in(group: Sequence[Person], provider: Provider, seed: int, by: Actor, at: datetime) -> list[Held]:
    """Customers, their pending services and logins."""
    customers = create_customers([_customer(one) for one in group], partner_id=provider.partner.pk, by=by, at=at)
    wanted = [
        NewService(customer_id=customer.pk, plan_id=provider.plans[person.plan].pk)
        for person, customer in zip(group, customers, strict=True)
    ]
    services = add_services(wanted, by=by, at=at)
    create_subscribers([_login(one, service.pk) for one, service in zip(group, services, strict=True)], by=by, at=at)
    return [
        Held(person, service.customer_id, service.account_id, service.pk, _pays(person, seed))
        for person, service in zip(group, services, strict=True)
    ]


def _pays(person: Person, seed: int) -> dict[int, int]:
    """What one pays who pays ahead, by days ago."""
    return payments(person, PRICES[person.plan], seed) if person.prepaid and person.fate != "new" else {}


def _customer(person: Person) -> NewCustomer:
    return NewCustomer(
        name=person.name,
        category=person.category,
        billing_type="prepaid" if person.prepaid else "recurring",
        email=f"{person.login}@mail.example",
        phone=f"+34 972 {sum(person.login.encode()) % 1000:03d} {len(person.name):03d}",
        street=person.address["street"],
        zip_code=person.address["zip_code"],
        city=person.address["city"],
    )


def _login(person: Person, service_id: int) -> NewSubscriber:
    return NewSubscriber(
        service_id=service_id, login=person.login, password=person.password, static_ipv4=person.static_ipv4
    )


def _live_a_day(
    held: Sequence[Held], payers: Mapping[int, monthly.Payer], ago: int, today: date, *, by: Actor, at: datetime
) -> None:
    """At 00:00 the day is billed; in the morning people pay and new ones are connected."""
    day = today - timedelta(days=ago)
    midnight = start_of_day(day, ZoneInfo(ZONE))
    if ago < DAYS:
        early = min(midnight + timedelta(minutes=1), at)
        bill(until=day, by=by, at=early, hands=HANDS)
        monthly.bill_due(day, by=by, at=early)
    morning = min(midnight + MORNING, at)
    paid = [
        NewPayment(
            account_id=one.account_id,
            amount=one.pays[ago],
            method=METHODS[one.account_id % 3],
            received_on=day,
            key=f"demo:{one.account_id}:{ago}",
        )
        for one in held
        if ago in one.pays
    ]
    paid.sort(key=lambda payment: payment["method"] != "cash")  # in one hand: whoever pays in holds the till
    paying = _shared([*paid, *monthly.paid_on(payers, day)])
    _each(lambda some: receive_many(some, by=by, at=morning), paying)
    arriving = [one.service_id for one in held if one.person.joined == ago and one.person.fate != "new"]
    _each(lambda some: activate_many(some, by=by, at=morning), _shared(arriving))


def _payers(held: Sequence[Held], seed: int) -> dict[int, monthly.Payer]:
    """Those who use a service and pay for it by documents, by account."""
    return {
        one.account_id: monthly.Payer(one.account_id, one.service_id, pays_after(one.person, seed))
        for one in held
        if not one.person.prepaid and one.person.fate == "active"
    }


def _part(held: Sequence[Held], *, by: Actor, at: datetime) -> None:
    """Whom staff blocked, and who has left."""
    blocked = [one.customer_id for one in held if one.person.fate == "blocked"]
    gone = [one.customer_id for one in held if one.person.fate == "inactive"]
    _each(lambda some: block_many(some, reason="Abuse of the mail server", by=by, at=at), _shared(blocked))
    _each(lambda some: deactivate_many(some, by=by, at=at), _shared(gone))


def _introduce(*, by: Actor, at: datetime) -> Iterator[str]:
    yield "Demo logins, shown this once:"
    for username, role in STAFF:
        password = secrets.token_urlsafe(9)
        create_login(username=username, password=password, role=role, zone=ZONE, by=by, at=at)
        yield f"    {username:<11} {password}   ({role})"
    routers = ", ".join(f"{name} {address}" for name, address in CONCENTRATORS)
    yield f"Demo routers: {routers}; RADIUS secret {SECRET}"
    yield "Demo subscribers: ana (active), ben (blocked, no money), greta (runs out soon); password LOGIN-secret"
