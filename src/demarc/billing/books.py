"""The facts of recurring accounts, set-based: rows of several rooms in, core.recurring's plain data out.

Facts count by their day alone, whenever they were recorded; but who leaves (paused, stopped, ended) in the course of a
day has used it, so that such a fact holds from the next one. Planned before its day it holds from its first moment.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from demarc.base import sql
from demarc.core.coverage import Basis, Discount, PlanPrice, Segment, ServiceFact, Use, timeline
from demarc.core.invoicing import Part, Taxed
from demarc.core.period import ONE_DAY
from demarc.core.recurring import Book, Cover, Held, Item, PlanFacts, Rates
from demarc.customers.queries import RecurringBook

NEWEST = """
SELECT account_id, max(id) FROM billing_document WHERE account_id = ANY(%(accounts)s::bigint[]) GROUP BY account_id
"""

STATES = """
SELECT account_id, next_on, billing_day, parked_at IS NOT NULL FROM billing_recurringstate
WHERE account_id = ANY(%(accounts)s::bigint[])
"""

# One level: an account that pays through another has no sub-accounts of its own.
SERVICES = """
SELECT CASE WHEN a.parent_id IS NULL THEN a.id ELSE a.parent_id END, s.id, b.day, b.begun_on
FROM customers_account a
JOIN plans_service s ON s.account_id = a.id
LEFT JOIN billing_billedthrough b ON b.service_id = s.id
WHERE (a.id = ANY(%(accounts)s::bigint[]) AND a.parent_id IS NULL) OR a.parent_id = ANY(%(accounts)s::bigint[])
ORDER BY s.id
"""

FACTS = """
SELECT service_id, t.id, valid_from, t.plan_id, t.state, price_override, quantity,
    t.state IN ('paused', 'stopped', 'ended') AND valid_from <= (recorded_at AT TIME ZONE p.zone)::date
FROM plans_servicefact t
JOIN plans_service s ON s.id = service_id
JOIN base_partner p ON p.id = s.partner_id
WHERE service_id = ANY(%(services)s::bigint[]) {known} ORDER BY service_id, valid_from, t.id
"""

PRICES = (
    "SELECT plan_id, id, valid_from, amount FROM plans_planprice WHERE plan_id = ANY(%(plans)s::bigint[]) ORDER BY id"
)

PLANS = """
SELECT id, partner_id, name, kind, tax_category, price_includes_tax FROM plans_plan WHERE id = ANY(%(plans)s::bigint[])
"""

RATES = """
SELECT partner_id, category, valid_from, rate FROM plans_taxrate
WHERE partner_id = ANY(%(partners)s::bigint[]) ORDER BY valid_from, id
"""

# What is planned for a day to come counts for what is billed from now on. What is billed already it does not change
# before its day, unless that was billed with it in view.
# Billed days are boxes (service, days since 2000) as the constraint billing_cover_once has them: its index finds them.
KNOWN = """
AND (valid_from <= %(today)s OR recorded_at <= (
    SELECT max(d.recorded_at) FROM billing_cover c JOIN billing_document d ON d.id = c.document_id
    WHERE c.replaced_by_id IS NULL AND box(point(t.service_id, t.valid_from - DATE '2000-01-01')) && box(
        point(c.service_id, c.first_day - DATE '2000-01-01'), point(c.service_id, c.last_day - DATE '2000-01-01'))))
"""

DISCOUNTS = """
SELECT service_id, valid_from, valid_to, percent, fixed FROM plans_discount t
WHERE service_id = ANY(%(services)s::bigint[]) AND withdrawn_at IS NULL {known} ORDER BY id
"""

ITEMS = """
SELECT coalesce(a.parent_id, a.id), i.id, service_id, text, amount, revenue, tax_category, included
FROM customers_account a JOIN billing_item i ON i.account_id = a.id
WHERE (a.id = ANY(%(accounts)s::bigint[]) OR a.parent_id = ANY(%(accounts)s::bigint[])) AND i.document_id IS NULL
    AND i.cancelled_at IS NULL AND i.due_from <= %(until)s ORDER BY i.id
"""

# Only the credit note of a whole invoice is made by hand and covers days.
COVERS = """
SELECT c.id, service_id, document_id, c.first_day, c.last_day, month, of_days, plan_id, own, price, quantity, percent,
    fixed, amount, service_fact_id, price_fact_id, tax_category, rate, included, revenue,
    d.kind = 'credit_note' AND d.source = 'manual'
FROM billing_cover c JOIN billing_document d ON d.id = document_id
WHERE replaced_by_id IS NULL
    AND box(point(%(service)s, %(since)s::date - DATE '2000-01-01'), point(%(service)s, 'Infinity'))
        && box(point(service_id, c.first_day - DATE '2000-01-01'), point(service_id, c.last_day - DATE '2000-01-01'))
ORDER BY c.first_day
"""

USES = {"active": Use.BILLED, "paused": Use.PAUSED, "stopped": Use.LEFT, "ended": Use.LEFT, "pending": Use.NONE}


@dataclass
class State:
    """Where an account stands: its next regular billing day (None: it has none yet)."""

    next_on: date | None
    billing_day: int
    parked: bool


@dataclass
class Books:
    """Some accounts' books, by account. `accounts` gives each its partner; one without services has a book too."""

    books: dict[int, Book] = field(default_factory=dict)
    states: dict[int, State] = field(default_factory=dict)


def load_books(
    accounts: dict[int, int], *, day: date, services: Sequence[int] | None = None, correcting: bool = False
) -> Books:
    """The books of `accounts` (id -> partner) with the rules in force on `day`; of `services` only, if given. To be
    `correcting`, without what is only planned after `day`. About ten statements for any number of accounts."""
    found = Books()
    rules = RecurringBook.of(accounts, set(accounts.values()))
    for account_id, *state in sql.rows(STATES, accounts=sql.array(accounts)):
        found.states[account_id] = State(*state)
    held, plan_ids = _held(accounts, services, day if correcting else None)
    plans = _plans(plan_ids)
    rates = _Rates(set(accounts.values()))
    items = _items(accounts, day)
    for account_id, partner_id in accounts.items():
        state = found.states.setdefault(account_id, State(None, 0, False))
        given = rules.on(account_id, partner_id, day)
        if given.billing_day == 0:
            given = given._replace(billing_day=state.billing_day or day.day)
        found.books[account_id] = Book(
            rules=given,
            plans=plans,
            rate=rates.of(partner_id),
            held=held.get(account_id, ()),
            items=items.get(account_id, ()),
            rate_days=rates.days(partner_id),
        )
    return found


def covers_of(held: Iterable[Held], *, since: date) -> list[Cover]:
    """The live covers of some services that reach `since` or later, and the day on which their documents begin."""
    return live_covers((one.service_id, max(since, one.begun_on or since)) for one in held)


def live_covers(services: Iterable[tuple[int, date]]) -> list[Cover]:
    """The live covers of services, each from a day on."""
    found = []
    for service_id, since in services:  # one by one: the index is on boxes
        for row in sql.rows(COVERS, service=service_id, since=since):
            cover_id, of_service, document_id, first, last, month, of_days = row[:7]
            plan_id, own, price, quantity, percent, fixed, amount, service_fact_id, price_fact_id = row[7:16]
            category, rate, included, revenue, given = row[16:]
            basis = Basis(plan_id, own, price, quantity, percent, fixed)
            segment = Segment(first, last, month, of_days, basis, amount, service_fact_id, price_fact_id)
            part = Part(amount, Taxed(category, rate, included), revenue)
            found.append(Cover(cover_id, of_service, document_id, segment, part, given))
    return found


def newest_documents(account_ids: Iterable[int]) -> dict[int, int]:
    """The last document of each account that has one: part of the key of the next, so that no two are one."""
    return dict(sql.rows(NEWEST, accounts=sql.array(account_ids)))


def rates_of(partner_id: int) -> tuple[Rates, list[date]]:
    """A partner's tax rates, and the days on which one changed."""
    rates = _Rates([partner_id])
    return rates.of(partner_id), rates.days(partner_id)


def _held(
    accounts: Iterable[int], services: Sequence[int] | None, today: date | None
) -> tuple[dict[int, list[Held]], set[int]]:
    rows = [row for row in sql.rows(SERVICES, accounts=sql.array(accounts)) if services is None or row[1] in services]
    ids = sql.array(row[1] for row in rows)
    known = "" if today is None else KNOWN
    facts: dict[int, list[ServiceFact]] = defaultdict(list)
    plan_ids: set[int] = set()
    of_day: dict[int, tuple[date, int]] = {}
    for service_id, fact_id, valid_from, plan_id, state, own_price, quantity, in_the_day in sql.rows(
        FACTS.format(known=known), services=ids, today=today
    ):
        plan_ids.add(plan_id)  # of a day's older rows too: it may have been billed by them
        some = facts[service_id]
        day, begun = of_day.get(service_id, (None, 0))
        if day != valid_from:
            begun = len(some)
            of_day[service_id] = valid_from, begun
        leaves = in_the_day and USES[state] in (Use.PAUSED, Use.LEFT)
        # The newest row of a day wins. One that leaves does so at its end, and the day itself stays as it was.
        del some[begun if not leaves else begun + any(one.valid_from == valid_from for one in some[begun:]) :]
        holds_from = valid_from + ONE_DAY if leaves else valid_from
        some.append(ServiceFact(fact_id, holds_from, plan_id, USES[state], own_price, quantity))
    prices: dict[int, list[PlanPrice]] = defaultdict(list)
    for plan_id, *price in sql.rows(PRICES, plans=sql.array(plan_ids)):
        prices[plan_id].append(PlanPrice(*price))
    discounts: dict[int, list[Discount]] = defaultdict(list)
    for service_id, *discount in sql.rows(DISCOUNTS.format(known=known), services=ids, today=today):
        discounts[service_id].append(Discount(*discount))
    held: dict[int, list[Held]] = defaultdict(list)
    for account_id, service_id, *billed in rows:
        some = facts[service_id]
        if any(fact.use is Use.BILLED for fact in some):
            held[account_id].append(Held(service_id, timeline(some, prices, discounts.get(service_id, ())), *billed))
    return held, plan_ids


def _plans(plan_ids: Iterable[int]) -> dict[int, PlanFacts]:
    return {
        plan_id: PlanFacts(name, kind, category, included)
        for plan_id, _, name, kind, category, included in sql.rows(PLANS, plans=sql.array(plan_ids))
    }


def _items(accounts: Iterable[int], until: date) -> dict[int, list[Item]]:
    found: dict[int, list[Item]] = defaultdict(list)
    for account_id, *item in sql.rows(ITEMS, accounts=sql.array(accounts), until=until):
        found[account_id].append(Item(*item))
    return found


class _Rates:
    """The partners' tax rates by category and day; a category that was never given one is free of tax."""

    def __init__(self, partners: Iterable[int]) -> None:
        self._of: dict[tuple[int, str], list[tuple[date, Decimal]]] = defaultdict(list)
        self._days: dict[int, set[date]] = defaultdict(set)
        for partner_id, category, valid_from, rate in sql.rows(RATES, partners=sql.array(partners)):
            self._of[partner_id, category].append((valid_from, rate))
            self._days[partner_id].add(valid_from)

    def of(self, partner_id: int) -> Rates:
        """The rate of a category on a day, at one partner."""

        def rate(category: str, day: date) -> Decimal:
            known = self._of.get((partner_id, category), ())
            return next((rate for valid_from, rate in reversed(known) if valid_from <= day), Decimal(0))

        return rate

    def days(self, partner_id: int) -> list[date]:
        """The days on which a rate changed."""
        return sorted(self._days.get(partner_id, ()))
