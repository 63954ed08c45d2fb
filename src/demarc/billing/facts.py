"""What days are decided from: accounts with their services, prices, terms and blocks, as plain data, set-based.

Reads (and locks) only; decides nothing. An account's lock is the row of its ledger account: whoever decides its days
or posts to it holds that row, and many are locked by id.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from demarc.core.charging import AccountFacts, BlockedSpan, LimitRule, PriceFact, ServiceFacts, StateFact
from demarc.core.period import ONE_DAY, DayRule, billing_day, days, start_of_day
from demarc.customers.queries import Terms, TermsBook

LOCK = "SELECT id FROM billing_ledgeraccount WHERE payer_id = ANY(%(accounts)s) ORDER BY payer_id FOR NO KEY UPDATE"

# A statement of its own after the lock: only a new statement sees what the one who held the lock has committed.
PAYERS = """
SELECT a.id, a.partner_id, a.customer_id, a.currency, p.zone, coalesce(l.id, 0), coalesce(l.balance, 0),
    s.decided_through, s.parked_at IS NOT NULL
FROM customers_account a
JOIN base_partner p ON p.id = a.partner_id
LEFT JOIN billing_ledgeraccount l ON l.payer_id = a.id
LEFT JOIN billing_prepaidstate s ON s.account_id = a.id
WHERE a.id = ANY(%(accounts)s) ORDER BY a.id
"""

SERVICES = """
SELECT s.account_id, s.id, p.kind, f.id, f.valid_from, f.recorded_at, f.plan_id, f.state = 'active', f.price_override
FROM plans_service s
JOIN plans_plan p ON p.id = s.plan_id
JOIN plans_servicefact f ON f.service_id = s.id
WHERE s.account_id = ANY(%(accounts)s) ORDER BY s.account_id, s.id, f.valid_from, f.id
"""

PRICES = """
SELECT plan_id, id, valid_from, recorded_at, amount FROM plans_planprice
WHERE plan_id = ANY(%(plans)s) ORDER BY plan_id, valid_from, id
"""

BLOCKS = """
SELECT a.id, b.account_id IS NULL, b.set_at, b.lifted_at, b.grace_until
FROM customers_account a
JOIN customers_block b ON b.customer_id = a.customer_id AND (b.account_id IS NULL OR b.account_id = a.id)
WHERE a.id = ANY(%(accounts)s) AND (b.lifted_at IS NULL OR b.lifted_at > %(since)s)
"""

CHARGED = """
SELECT service_id, max(day) FROM billing_transfer
WHERE kind = 'charge' AND service_id = ANY(%(services)s) AND day >= %(since)s GROUP BY service_id
"""

NO_FACT = 0
"""The price fact's id of an own price, which is in the service's fact."""


class Payer(NamedTuple):
    """One account: `ledger_id` 0 when nothing was ever posted to it, `decided_through` None when no day will be."""

    account_id: int
    partner_id: int
    customer_id: int
    currency: str
    zone: ZoneInfo
    ledger_id: int
    balance: int
    decided_through: date | None
    parked: bool


class BlockRow(NamedTuple):
    """One block that counts for an account: by staff (`by_hand`) or for money."""

    by_hand: bool
    set_at: datetime
    lifted_at: datetime | None
    grace_until: datetime | None


class FactRow(NamedTuple):
    """One dated fact of a service."""

    id: int
    valid_from: date
    recorded_at: datetime
    plan_id: int
    active: bool
    price_override: int | None


@dataclass
class Book:
    """Everything about some accounts at one moment."""

    at: datetime
    payers: dict[int, Payer]
    terms: TermsBook
    services: dict[int, tuple[ServiceFacts, ...]] = field(default_factory=dict)
    kinds: dict[int, str] = field(default_factory=dict)
    blocks: dict[int, list[BlockRow]] = field(default_factory=lambda: defaultdict(list))
    _midnights: dict[tuple[ZoneInfo, date], datetime] = field(default_factory=dict)
    _todays: dict[ZoneInfo, date] = field(default_factory=dict)
    _shared_terms: dict[tuple[int, date], Terms] = field(default_factory=dict)

    def today(self, payer: Payer) -> date:
        """The billing day of the book's moment in the partner's zone."""
        found = self._todays.get(payer.zone)
        if found is None:
            found = self._todays[payer.zone] = billing_day(self.at, payer.zone)
        return found

    def midnight(self, payer: Payer, day: date) -> datetime:
        """00:00 of a day in the partner's zone."""
        found = self._midnights.get((payer.zone, day))
        if found is None:
            found = self._midnights[payer.zone, day] = start_of_day(day, payer.zone)
        return found

    def stretches(self, payer: Payer, until: date) -> Iterator[tuple[date, AccountFacts]]:
        """The undecided days through `until`, cut where the terms change: (last day, facts as its 00:00 saw them).

        The caller carries balance, decided_through and blocked_for_money on from one stretch to the next.
        """
        if payer.decided_through is None:
            return
        undecided = days(payer.decided_through + ONE_DAY, until)
        for terms, stretch in groupby(undecided, lambda day: self._terms_at_midnight(payer, day)):
            *_, last = stretch
            yield last, self._facts(payer, terms, by_hand=self.blocked_by_hand_at_midnight(payer))

    def now(self, payer: Payer) -> AccountFacts:
        """The facts as they are known at the book's moment."""
        terms = self.terms.on(payer.account_id, payer.partner_id, self.today(payer))
        return self._facts(payer, terms, by_hand=any(row.by_hand for row in self.open_blocks(payer)))

    def open_blocks(self, payer: Payer) -> list[BlockRow]:
        """The blocks that nobody has lifted."""
        return [row for row in self.blocks.get(payer.account_id, ()) if row.lifted_at is None]

    def blocked_by_hand_at_midnight(self, payer: Payer) -> bool:
        """Whether staff had blocked him at today's 00:00, whatever happened since."""
        rows = self.blocks.get(payer.account_id, ())
        today = self.today(payer)
        return any(row.by_hand and _covers(self._span(payer, row), today) for row in rows)

    def changes_today(self, payer: Payer) -> bool:
        """Whether a price, a plan, a state or a setting was made for today beforehand."""
        today = self.today(payer)
        dated = [row.valid_from for row in self.terms.partners[payer.partner_id]]
        dated += [row.valid_from for row in self.terms.accounts.get(payer.account_id, ())]
        for service in self.services.get(payer.account_id, ()):
            dated += [fact.valid_from for fact in (*service.prices, *service.states)]
        return today in dated

    def _facts(self, payer: Payer, terms: Terms, *, by_hand: bool) -> AccountFacts:
        rows = self.blocks.get(payer.account_id, ())
        return AccountFacts(
            account_id=payer.account_id,
            currency=payer.currency,
            balance=payer.balance,
            minimal_balance=terms.minimal_balance,
            day_rule=DayRule(terms.day_rule),
            limit_rule=LimitRule(terms.limit_rule),
            charge_activation_day=terms.charge_activation_day,
            services=self.services.get(payer.account_id, ()),
            decided_through=payer.decided_through,
            blocked_for_money=any(not row.by_hand and row.lifted_at is None for row in rows),
            blocked_by_hand=by_hand,
            blocked_spans=tuple(self._span(payer, row) for row in rows),
        )

    def _span(self, payer: Payer, row: BlockRow) -> BlockedSpan:
        """The days at whose 00:00 the block was in force."""
        return BlockedSpan(
            self._first_midnight_from(payer, row.set_at),
            None if row.lifted_at is None else self._first_midnight_from(payer, row.lifted_at) - ONE_DAY,
        )

    def _first_midnight_from(self, payer: Payer, moment: datetime) -> date:
        day = billing_day(moment, payer.zone)
        return day if self.midnight(payer, day) == moment else day + ONE_DAY

    def _terms_at_midnight(self, payer: Payer, day: date) -> Terms:
        if payer.account_id in self.terms.accounts:
            return self.terms.on(payer.account_id, payer.partner_id, day, self.midnight(payer, day))
        found = self._shared_terms.get((payer.partner_id, day))
        if found is None:
            found = self.terms.on(payer.account_id, payer.partner_id, day, self.midnight(payer, day))
            self._shared_terms[payer.partner_id, day] = found
        return found


def load(account_ids: Sequence[int], *, at: datetime, lock: bool = False, charges: bool = False) -> Book:
    """The book of some accounts. `lock`: hold them until the transaction ends. `charges`: with what today was charged.

    About eight queries for any number of accounts.
    """
    accounts = sorted(account_ids)
    if lock:
        _rows(LOCK, accounts=accounts)
    zones: dict[str, ZoneInfo] = {}
    payers: dict[int, Payer] = {}
    for row in _rows(PAYERS, accounts=accounts):
        zone = zones.setdefault(row[4], ZoneInfo(row[4]))
        payers[row[0]] = Payer._make((*row[:4], zone, *row[5:]))
    book = Book(at, payers, TermsBook.of(accounts, {payer.partner_id for payer in payers.values()}))
    if payers:
        since = min(book.midnight(payer, _first_day(book, payer)) for payer in payers.values())
        for account_id, *block in _rows(BLOCKS, accounts=accounts, since=since):
            book.blocks[account_id].append(BlockRow(*block))
        _load_services(book, accounts, charges=charges)
    return book


def _first_day(book: Book, payer: Payer) -> date:
    """The first day anyone may ask about: the first undecided one, or today."""
    today = book.today(payer)
    return today if payer.decided_through is None else min(payer.decided_through + ONE_DAY, today)


def _load_services(book: Book, accounts: list[int], *, charges: bool) -> None:
    rows = _rows(SERVICES, accounts=accounts)
    reader = _FactReader(book, {row[6] for row in rows})
    charged: dict[int, date] = {}
    if charges:
        today = min(book.today(payer) for payer in book.payers.values())
        charged = dict(_rows(CHARGED, services=list({row[1] for row in rows}), since=today))
    for account_id, of_account in groupby(rows, lambda row: row[0]):
        payer = book.payers[account_id]
        services = []
        for service_id, of_service in groupby(of_account, lambda row: row[1]):
            facts = list(of_service)
            book.kinds[service_id] = facts[0][2]
            in_force = reader.in_force(FactRow(*row[3:]) for row in facts)
            services.append(reader.service(payer, service_id, in_force, charged.get(service_id)))
        book.services[account_id] = tuple(services)


class _FactReader:
    """Turns rows of dated facts into core's, leaving out those that can decide no day any more."""

    def __init__(self, book: Book, plans: set[int]) -> None:
        self.book = book
        self.first_day = min(_first_day(book, payer) for payer in book.payers.values())
        self.settled_before = min(book.midnight(payer, _first_day(book, payer)) for payer in book.payers.values())
        self.price_rows: dict[int, list[tuple[int, date, datetime, int]]] = defaultdict(list)
        self.prices: dict[int, tuple[PriceFact, ...]] = {}
        for plan_id, *row in _rows(PRICES, plans=list(plans)):
            self.price_rows[plan_id].append((row[0], row[1], row[2], row[3]))

    def in_force(self, rows: Iterable[FactRow]) -> list[FactRow]:
        """The rows from the last one on that every open day's 00:00 has seen."""
        kept: list[FactRow] = []
        for row in rows:
            if row.recorded_at < self.settled_before and row.valid_from <= self.first_day:
                kept.clear()
            kept.append(row)
        return kept

    def service(
        self, payer: Payer, service_id: int, rows: Sequence[FactRow], charged_through: date | None
    ) -> ServiceFacts:
        """Core's facts of one service."""
        states = tuple(
            StateFact(row.id, row.valid_from, self._seen_from(payer, row.valid_from, row.recorded_at), row.active)
            for row in rows
        )
        return ServiceFacts(service_id, self._prices(payer, rows, states), states, charged_through)

    def _prices(self, payer: Payer, rows: Sequence[FactRow], states: Sequence[StateFact]) -> tuple[PriceFact, ...]:
        """What the service costs: each fact's own price, or its plan's prices from when the fact holds."""
        if len({(row.plan_id, row.price_override) for row in rows}) == 1 and rows[0].price_override is None:
            return self._of_plan(payer, rows[0].plan_id)
        found: list[PriceFact] = []
        for row, state in zip(rows, states, strict=True):
            if row.price_override is not None:
                found.append(PriceFact(NO_FACT, row.valid_from, state.seen_from, row.price_override))
                continue
            for price in self._of_plan(payer, row.plan_id):
                valid_from = max(row.valid_from, price.valid_from)
                seen_from = max(state.seen_from, price.seen_from)
                found.append(PriceFact(price.id, valid_from, seen_from, price.price_minor))
        return tuple(found)

    def _of_plan(self, payer: Payer, plan_id: int) -> tuple[PriceFact, ...]:
        """A plan's prices; its partner, and so its zone, is the payer's."""
        found = self.prices.get(plan_id)
        if found is None:
            kept: list[PriceFact] = []
            for price_id, valid_from, recorded_at, amount in self.price_rows[plan_id]:
                if recorded_at < self.settled_before and valid_from <= self.first_day:
                    kept.clear()
                seen_from = self._seen_from(payer, valid_from, recorded_at)
                kept.append(PriceFact(price_id, valid_from, seen_from, amount))
            found = self.prices[plan_id] = tuple(kept)
        return found

    def _seen_from(self, payer: Payer, valid_from: date, recorded_at: datetime) -> date:
        """The first day whose 00:00 came after the fact was both valid and recorded."""
        if recorded_at < self.settled_before:
            return valid_from
        return max(valid_from, billing_day(recorded_at, payer.zone) + ONE_DAY)


def _covers(span: BlockedSpan, day: date) -> bool:
    return span.first <= day and (span.last is None or day <= span.last)


def _rows(sql: str, **parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
