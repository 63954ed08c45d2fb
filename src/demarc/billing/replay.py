"""Every amount again, from the dated facts, account by account: slow, naive and whole. `demarc check --all`.

It shares no rule with what it checks: nothing of core is imported, shares are fractions, days are walked one by one.
Reads only; goes on where it was left. What it finds are sentences, as those of billing.check.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import NamedTuple

from demarc.base import clock, sql

CHUNK = 500
DAY = timedelta(days=1)

NEXT = """
SELECT id FROM customers_account WHERE id > %(after)s ORDER BY id LIMIT %(chunk)s
"""
FACTS = """
SELECT s.account_id, f.service_id, f.id, f.valid_from, (f.recorded_at AT TIME ZONE p.zone)::date, f.plan_id, f.state,
    f.price_override, f.quantity
FROM plans_servicefact f JOIN plans_service s ON s.id = f.service_id JOIN base_partner p ON p.id = s.partner_id
WHERE s.account_id = ANY(%(accounts)s) ORDER BY f.service_id, f.valid_from, f.id
"""
PRICES = "SELECT plan_id, id, valid_from, recorded_at, amount FROM plans_planprice ORDER BY plan_id, valid_from, id"
COVERS = """
SELECT s.account_id, c.service_id, c.first_day, c.last_day, c.month, c.of_days, c.plan_id, c.own, c.price, c.quantity,
    c.percent, c.fixed, c.amount, c.service_fact_id, c.price_fact_id, c.replaced_by_id IS NULL, d.number, d.recorded_at,
    d.source, d.kind = 'credit_note' AND d.source = 'manual'
FROM billing_cover c
JOIN plans_service s ON s.id = c.service_id
JOIN billing_document d ON d.id = c.document_id
WHERE s.account_id = ANY(%(accounts)s) ORDER BY c.service_id, c.first_day
"""
# From when a service is billed by documents, and through which day.
BILLED = """
SELECT s.id, b.begun_on, b.day FROM plans_service s
JOIN customers_account a ON a.id = s.account_id
JOIN billing_recurringstate r ON r.account_id = coalesce(a.parent_id, a.id)
JOIN billing_billedthrough b ON b.service_id = s.id
WHERE s.account_id = ANY(%(accounts)s)
"""
CHARGES = """
SELECT t.account_id, t.service_id, t.day, t.amount, t.price_fact_id, t.service_fact_id
FROM billing_transfer t WHERE t.kind = 'charge' AND t.account_id = ANY(%(accounts)s) ORDER BY t.service_id, t.day
"""
BALANCES = """
SELECT l.payer_id, l.balance, coalesce((SELECT sum(amount) FROM billing_transfer WHERE credit_account_id = l.id
        AND account_id = l.payer_id), 0)
    - coalesce((SELECT sum(amount) FROM billing_transfer WHERE debit_account_id = l.id AND account_id = l.payer_id), 0)
FROM billing_ledgeraccount l WHERE l.payer_id = ANY(%(accounts)s)
"""
DOCUMENTS = """
SELECT d.account_id, d.number, d.gross, d.net, d.tax, l.amount, l.included, l.tax_category, l.rate
FROM billing_document d JOIN billing_documentline l ON l.document_id = d.id
WHERE d.account_id = ANY(%(accounts)s) ORDER BY d.id, l.seq
"""
KEPT = """
SELECT bool_and(coalesce(credit_pause, true) AND coalesce(credit_leave, true)) FROM customers_recurringterms
"""


class Fact(NamedTuple):
    """A dated fact of a service, as the table has it."""

    id: int
    valid_from: date
    recorded_on: date
    plan_id: int
    state: str
    own_price: int | None
    quantity: int


class Price(NamedTuple):
    """A plan's price, as the table has it."""

    id: int
    valid_from: date
    recorded_at: datetime
    amount: int


class Cover(NamedTuple):
    """Billed days, as the table has them. `given`: a credit note of the whole invoice covers them at no price."""

    first: date
    last: date
    month: date
    of_days: int
    plan_id: int
    own: bool
    price: int
    quantity: int
    percent: int
    fixed: int
    amount: int
    fact_id: int
    price_id: int
    live: bool
    number: str
    recorded_at: datetime
    source: str
    given: bool


@dataclass
class Replay:
    """Walks the accounts. `after`: the last account that was looked at."""

    after: int = 0
    accounts: int = 0
    prices: dict[int, list[Price]] = field(default_factory=lambda: defaultdict(list))
    all_credited: bool = True
    planned_from: date = field(default_factory=lambda: clock.today("UTC") - DAY)  # whatever the partner's zone

    def __post_init__(self) -> None:
        for plan_id, *price in sql.rows(PRICES):
            self.prices[plan_id].append(Price(*price))
        kept = sql.rows(KEPT)[0][0]
        self.all_credited = kept is None or kept

    def chunk(self) -> list[str] | None:
        """What is wrong with the next accounts; None when there are no more."""
        accounts = [row[0] for row in sql.rows(NEXT, after=self.after, chunk=CHUNK)]
        if not accounts:
            return None
        found = [*self._services(accounts), *_balances(accounts), *_documents(accounts)]
        self.after, self.accounts = accounts[-1], self.accounts + len(accounts)
        return found

    def _services(self, accounts: list[int]) -> Iterator[str]:
        facts: dict[int, list[Fact]] = defaultdict(list)
        for _, service_id, *fact in sql.rows(FACTS, accounts=accounts):
            facts[service_id].append(Fact(*fact))
        covers: dict[int, list[Cover]] = defaultdict(list)
        for _, service_id, *cover in sql.rows(COVERS, accounts=accounts):
            covers[service_id].append(Cover(*cover))
        for service_id, some in covers.items():
            for cover in some:
                yield from self._cover(service_id, cover, facts[service_id])
        for service_id, begun, through in sql.rows(BILLED, accounts=accounts):
            live = [cover for cover in covers[service_id] if cover.live]
            yield from self._days(service_id, live, facts[service_id], begun, through)
        for _, service_id, day, amount, price_id, fact_id in sql.rows(CHARGES, accounts=accounts):
            yield from self._charge(service_id, facts[service_id], day, amount, price_id, fact_id)

    def _cover(self, service_id: int, cover: Cover, facts: list[Fact]) -> Iterator[str]:
        """The amount by the price, the price by the facts that it names."""
        where = f"service {service_id}, document {cover.number}, {cover.first} to {cover.last}"
        worth = Fraction(cover.price * cover.quantity * (10_000 - cover.percent), 10_000) - cover.fixed
        begin, end = (cover.first - cover.month).days, (cover.last - cover.month).days + 1
        right = _share(max(worth, Fraction(0)), end, cover.of_days) - _share(
            max(worth, Fraction(0)), begin, cover.of_days
        )
        if right != cover.amount:
            yield f"{where}: billed {cover.amount}, {end - begin} of {cover.of_days} days at {cover.price} are {right}"
        fact = next((one for one in facts if one.id == cover.fact_id), None)
        if fact is None or fact.state != "active" or fact.valid_from > cover.first or fact.quantity != cover.quantity:
            yield f"{where}: the service's fact {cover.fact_id} does not say that it was in use so"
        elif cover.own and fact.own_price != cover.price:
            yield f"{where}: billed at {cover.price}, agreed were {fact.own_price}"
        elif not cover.own and self._listed(cover) != cover.price:
            yield f"{where}: billed at {cover.price}, the plan's price was {self._listed(cover)}"

    def _listed(self, cover: Cover) -> int | None:
        """The plan's price that was known when the document was made; the one that it names, if it is of a later change
        or costs nothing, for what moves no money is changed without a document."""
        prices = self.prices[cover.plan_id]
        if cover.source == "change" or cover.given or not cover.amount:
            return next((price.amount for price in prices if price.id == cover.price_id), None)
        known = [price for price in prices if price.recorded_at <= cover.recorded_at] or prices
        first = max(cover.first, min((price.valid_from for price in known), default=cover.first))
        valid = [price for price in known if price.valid_from <= first]
        return valid[-1].amount if valid else None

    def _days(self, service_id: int, live: list[Cover], facts: list[Fact], first: date, last: date) -> Iterator[str]:
        """Each day through the last billed one is covered once if the service was in use, else not at all.

        A change that was planned for today or later may have been seen by what is billed, or may be put right on its
        day: either is sound until a day after.
        """
        done = [fact for fact in facts if not (fact.recorded_on < fact.valid_from >= self.planned_from)]
        covered: dict[date, int] = defaultdict(int)
        given: set[date] = set()  # also when the service was not in use on them any more
        for cover in live:
            day = cover.first
            while day <= cover.last:
                covered[day] += 1
                given.update({day} if cover.given else ())
                day += DAY
        day = first
        while day <= last:
            used, meant = _in_use(done, day), _in_use(facts, day)
            if covered[day] > 1:
                yield f"service {service_id}: {day} is billed {covered[day]} times"
            elif used and meant and not covered[day]:
                yield f"service {service_id}: {day} was in use and is not billed"
            elif covered[day] and not used and not meant and day not in given and self.all_credited:
                yield f"service {service_id}: {day} is billed and was not in use"
            day += DAY

    def _charge(
        self, service_id: int, facts: list[Fact], day: date, amount: int, price_id: int | None, fact_id: int
    ) -> Iterator[str]:
        """A prepaid day: one part of its month, by the calendar or of thirty."""
        fact = next((one for one in facts if one.id == fact_id), None)
        if fact is None or fact.state != "active":
            yield f"service {service_id}: {day} was charged by a fact that does not say it was in use"
            return
        listed = (price.amount for price in self.prices[fact.plan_id] if price.id == price_id)
        each = fact.own_price if fact.own_price is not None else next(listed, None)
        price = (each or 0) * fact.quantity
        following = (day.replace(day=28) + 4 * DAY).replace(day=1)
        days = (following - DAY).day
        parts = {(day.day, days), (1 if day.day == 31 else day.day, 30)}
        right = {_share(Fraction(price), k, n) - _share(Fraction(price), k - 1, n) for k, n in parts}
        if amount not in right:
            yield f"service {service_id}: {day} was charged {amount}, a day of {price} is {sorted(right)}"


def _in_use(facts: list[Fact], day: date) -> bool:
    """Whether the service was in use on a day: who leaves in the course of a day has still used it."""
    holding: list[Fact] = []
    for fact in facts:  # of one day the newest row counts, but one that leaves does so at its end
        leaves = _begins(fact)[0] != fact.valid_from
        holding = [
            one
            for one in holding
            if one.valid_from != fact.valid_from or (leaves and _begins(one)[0] == one.valid_from)
        ]
        holding.append(fact)
    seen = [fact for fact in holding if _begins(fact)[0] <= day]
    return bool(seen) and max(seen, key=_begins).state == "active"


def _begins(fact: Fact) -> tuple[date, int]:
    leaves = fact.state != "active" and fact.valid_from <= fact.recorded_on
    return fact.valid_from + DAY if leaves else fact.valid_from, fact.id


def _balances(accounts: list[int]) -> Iterator[str]:
    for account_id, stored, moved in sql.rows(BALANCES, accounts=accounts):
        if stored != moved:
            yield f"account {account_id}: the stored balance is {stored}, its transfers sum to {moved}"


def _documents(accounts: list[int]) -> Iterator[str]:
    """The tax of the lines' sums, once per category and rate."""
    sums: dict[tuple[int, str, int, int, int], dict[tuple[str, Fraction, bool], int]] = {}
    for *document, amount, included, category, rate in sql.rows(DOCUMENTS, accounts=accounts):
        groups = sums.setdefault(tuple(document), {})
        key = (category, Fraction(rate), included)
        groups[key] = groups.get(key, 0) + amount
    for (account_id, number, gross, net, tax), groups in sums.items():
        nets = [
            _round(Fraction(amount) / (1 + rate)) if included else amount
            for (_, rate, included), amount in groups.items()
        ]
        whole = [
            amount if included else amount + _round(amount * rate) for (_, rate, included), amount in groups.items()
        ]
        if (sum(nets), sum(whole), net + tax) != (net, gross, gross):
            told = f"account {account_id}: document {number} says {net} + {tax} = {gross}"
            yield f"{told}, its lines net {sum(nets)} and gross {sum(whole)}"


def _share(worth: Fraction, k: int, n: int) -> int:
    return _round(worth * k / n)


def _round(amount: Fraction) -> int:
    """Halves away from zero."""
    return -_round(-amount) if amount < 0 else int(amount + Fraction(1, 2))
