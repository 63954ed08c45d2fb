"""What days are decided from: accounts with their services, prices, terms and blocks, as plain data, set-based.

Reads (and locks) only; decides nothing. An account's lock is the row of its ledger account: whoever decides its days
or posts to it holds that row, and many are locked by id.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db import connection

from demarc.core.charging import AccountFacts, BlockedSpan, LimitRule, PriceFact, ServiceFacts, StateFact
from demarc.core.period import ONE_DAY, DayRule, billing_day, days, start_of_day
from demarc.customers.queries import Terms, TermsBook

LOCK = """
SELECT id FROM billing_ledgeraccount
WHERE payer_id = ANY(%(accounts)s::bigint[]) ORDER BY payer_id FOR NO KEY UPDATE
"""

# A statement of its own after the lock: only a new statement sees what the one who held the lock has committed.
PAYERS = """
SELECT a.id, a.partner_id, a.customer_id, a.currency, p.zone, coalesce(l.id, 0), coalesce(l.balance, 0),
    s.decided_through, s.parked_at IS NOT NULL
FROM customers_account a
JOIN base_partner p ON p.id = a.partner_id
LEFT JOIN billing_ledgeraccount l ON l.payer_id = a.id
LEFT JOIN billing_prepaidstate s ON s.account_id = a.id
WHERE a.id = ANY(%(accounts)s::bigint[]) ORDER BY a.id
"""

# When a fact was recorded matters only if that was after the first 00:00 that is still to be decided.
SERVICES = """
SELECT s.account_id, s.id, p.kind, f.id, f.valid_from,
    CASE WHEN f.recorded_at >= %(settled)s THEN f.recorded_at END, f.plan_id, f.state = 'active', f.price_override
FROM plans_service s
JOIN plans_plan p ON p.id = s.plan_id
JOIN plans_servicefact f ON f.service_id = s.id
WHERE s.account_id = ANY(%(accounts)s::bigint[]) AND f.recorded_at <= %(at)s
ORDER BY s.account_id, s.id, f.valid_from, f.id
"""

PRICES = """
SELECT plan_id, id, valid_from, CASE WHEN recorded_at >= %(settled)s THEN recorded_at END, amount
FROM plans_planprice
WHERE plan_id = ANY(%(plans)s::bigint[]) AND recorded_at <= %(at)s ORDER BY plan_id, valid_from, id
"""

BLOCKS = """
SELECT a.id, b.account_id IS NULL, b.set_at, b.lifted_at, b.grace_until
FROM customers_account a
JOIN customers_block b ON b.customer_id = a.customer_id AND (b.account_id IS NULL OR b.account_id = a.id)
WHERE a.id = ANY(%(accounts)s::bigint[]) AND (b.lifted_at IS NULL OR b.lifted_at > %(since)s)
"""

CHARGED = """
SELECT service_id, max(day) FROM billing_transfer
WHERE kind = 'charge' AND service_id = ANY(%(services)s::bigint[]) AND day >= %(since)s GROUP BY service_id
"""

TICK = timedelta(microseconds=1)
NO_FACT = 0
"""The price fact's id of an own price, which is in the service's fact."""


class Payer(NamedTuple):
    """One account, with the billing day that its partner has at the book's moment.

    `ledger_id` is 0 when nothing was ever posted to it, `decided_through` None while it has no prepaid days.
    """

    account_id: int
    partner_id: int
    customer_id: int
    currency: str
    zone: ZoneInfo
    today: date
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
    """One dated fact of a service; `recorded_at` None: before anything that is still to be decided."""

    id: int
    valid_from: date
    recorded_at: datetime | None
    plan_id: int
    active: bool
    price_override: int | None


@dataclass
class Book:
    """Everything about some accounts, as it was known at one moment.

    `recorded` says, by account, when facts of its services were written down since the first open day's 00:00.
    """

    at: datetime
    payers: dict[int, Payer]
    terms: TermsBook
    services: dict[int, tuple[ServiceFacts, ...]] = field(default_factory=dict)
    kinds: dict[int, str] = field(default_factory=dict)
    blocks: dict[int, list[BlockRow]] = field(default_factory=lambda: defaultdict(list))
    recorded: dict[int, set[datetime]] = field(default_factory=lambda: defaultdict(set))
    _midnights: dict[tuple[ZoneInfo, date], datetime] = field(default_factory=dict)
    _shared_terms: dict[tuple[int, date], Terms] = field(default_factory=dict)

    def midnight(self, zone: ZoneInfo, day: date) -> datetime:
        """00:00 of a day."""
        found = self._midnights.get((zone, day))
        if found is None:
            found = self._midnights[zone, day] = start_of_day(day, zone)
        return found

    def stretches(self, payer: Payer, until: date) -> list[tuple[date, AccountFacts]]:
        """The undecided days through `until`, cut where the terms change: (last day, facts as its 00:00 saw them).

        The caller carries balance and decided_through on from one stretch to the next.
        """
        if payer.decided_through is None:
            return []
        by_hand = self._blocked_by_hand_at_midnight(payer)
        undecided = days(payer.decided_through + ONE_DAY, until)
        cut = groupby(undecided, lambda day: self._terms_at_midnight(payer, day))
        return [(max(stretch), self._facts(payer, terms, by_hand=by_hand)) for terms, stretch in cut]

    def now(self, payer: Payer) -> AccountFacts:
        """The facts as they are known at the book's moment."""
        terms = self.terms.on(payer.account_id, payer.partner_id, payer.today, self.at + TICK)
        return self._facts(payer, terms, by_hand=any(self._by_hand_now(row) for row in self._blocks_of(payer)))

    def grace_is_over(self, payer: Payer) -> bool:
        """Whether staff had let him online without money, until now."""
        graces = [row.grace_until for row in self._blocks_of(payer) if row.lifted_at is None and row.grace_until]
        return any(grace <= self.at for grace in graces)

    def changes_today(self, payer: Payer) -> set[datetime]:
        """The moments of today at which something changed that may let a blocked account online again.

        A price, plan, state or setting, or a block by staff that ended; 00:00 for what was made for today before.
        """
        midnight = self.midnight(payer.zone, payer.today)
        terms = self.terms.partners[payer.partner_id] + self.terms.accounts.get(payer.account_id, [])
        dated = {row.valid_from for row in terms}
        for service in self.services.get(payer.account_id, ()):
            dated |= {fact.valid_from for fact in (*service.prices, *service.states)}
        moments = {row.recorded_at for row in terms if row.valid_from <= payer.today}
        moments |= self.recorded.get(payer.account_id, set())
        moments |= {row.lifted_at for row in self._blocks_of(payer) if row.by_hand and row.lifted_at}
        since = {moment for moment in moments if midnight <= moment <= self.at}
        return since | {midnight} if payer.today in dated else since

    def _blocks_of(self, payer: Payer) -> Sequence[BlockRow]:
        return self.blocks.get(payer.account_id, ())

    def _by_hand_now(self, row: BlockRow) -> bool:
        return row.by_hand and row.set_at <= self.at and (row.lifted_at is None or row.lifted_at > self.at)

    def _blocked_by_hand_at_midnight(self, payer: Payer) -> bool:
        """Whether staff had blocked him at today's 00:00, whatever happened since."""
        return any(row.by_hand and _covers(self._span(payer, row), payer.today) for row in self._blocks_of(payer))

    def _facts(self, payer: Payer, terms: Terms, *, by_hand: bool) -> AccountFacts:
        rows = self._blocks_of(payer)
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
        return day if self.midnight(payer.zone, day) == moment else day + ONE_DAY

    def _terms_at_midnight(self, payer: Payer, day: date) -> Terms:
        if payer.account_id in self.terms.accounts:
            return self.terms.on(payer.account_id, payer.partner_id, day, self.midnight(payer.zone, day))
        found = self._shared_terms.get((payer.partner_id, day))
        if found is None:
            found = self.terms.on(payer.account_id, payer.partner_id, day, self.midnight(payer.zone, day))
            self._shared_terms[payer.partner_id, day] = found
        return found


def load(account_ids: Sequence[int], *, at: datetime, lock: bool = False, charges: bool = False) -> Book:
    """The book of some accounts. `lock`: hold them until the transaction ends. `charges`: with what today was charged.

    About eight queries for any number of accounts.
    """
    accounts = id_array(sorted(account_ids))
    if lock:
        _rows(LOCK, accounts=accounts)
    payers = _payers(accounts, at)
    book = Book(at, payers, TermsBook.of(payers, {payer.partner_id for payer in payers.values()}))
    if payers:
        reader = _FactReader(book)
        for account_id, *block in _rows(BLOCKS, accounts=accounts, since=reader.settled_before):
            book.blocks[account_id].append(BlockRow(*block))
        reader.read_services(accounts, charges=charges)
    return book


def _payers(accounts: str, at: datetime) -> dict[int, Payer]:
    zones: dict[str, tuple[ZoneInfo, date]] = {}
    payers: dict[int, Payer] = {}
    for row in _rows(PAYERS, accounts=accounts):
        if row[4] not in zones:
            zone = ZoneInfo(row[4])
            zones[row[4]] = zone, billing_day(at, zone)
        payers[row[0]] = Payer._make((*row[:4], *zones[row[4]], *row[5:]))
    return payers


class _FactReader:
    """Turns rows of dated facts into core's, leaving out those that can decide no day any more.

    `first_day` is the first day that anyone may ask about: the first undecided one of any account, or today.
    """

    def __init__(self, book: Book) -> None:
        self.book = book
        payers = book.payers.values()
        decided = min(payer.decided_through or payer.today for payer in payers)
        self.first_day = min(decided + ONE_DAY, *(payer.today for payer in payers))
        self.settled_before = min(book.midnight(zone, self.first_day) for zone in {payer.zone for payer in payers})
        self.price_rows: dict[int, list[tuple[int, date, datetime | None, int]]] = defaultdict(list)
        self.prices: dict[int, tuple[PriceFact, ...]] = {}

    def read_services(self, accounts: str, *, charges: bool) -> None:
        """Fill the book's services."""
        known = {"settled": self.settled_before, "at": self.book.at}
        rows = _rows(SERVICES, accounts=accounts, **known)
        for plan_id, *price in _rows(PRICES, plans=id_array({row[6] for row in rows}), **known):
            self.price_rows[plan_id].append((price[0], price[1], price[2], price[3]))
        charged = self._charged({row[1] for row in rows}) if charges else {}
        for account_id, of_account in groupby(rows, itemgetter(0)):
            payer = self.book.payers[account_id]
            services = []
            for service_id, of_service in groupby(of_account, itemgetter(1)):
                facts = list(of_service)
                self.book.kinds[service_id] = facts[0][2]
                in_force = self.in_force(facts)
                self._note_recorded(account_id, in_force)
                services.append(self.service(payer, service_id, in_force, charged.get(service_id)))
            self.book.services[account_id] = tuple(services)

    def _note_recorded(self, account_id: int, facts: Sequence[FactRow]) -> None:
        for fact in facts:
            if fact.recorded_at:
                self.book.recorded[account_id].add(fact.recorded_at)
            for _, _, recorded_at, _ in self.price_rows[fact.plan_id]:
                if recorded_at:
                    self.book.recorded[account_id].add(recorded_at)

    def _charged(self, services: set[int]) -> dict[int, date]:
        today = min(payer.today for payer in self.book.payers.values())
        return dict(_rows(CHARGED, services=id_array(services), since=today))

    def in_force(self, rows: Iterable[tuple[Any, ...]]) -> list[FactRow]:
        """The facts of a service from the last one on that every open day's 00:00 has seen."""
        kept: list[FactRow] = []
        for row in rows:
            fact = FactRow(*row[3:])
            if fact.recorded_at is None and fact.valid_from <= self.first_day:
                kept.clear()
            kept.append(fact)
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
                if recorded_at is None and valid_from <= self.first_day:
                    kept.clear()
                seen_from = self._seen_from(payer, valid_from, recorded_at)
                kept.append(PriceFact(price_id, valid_from, seen_from, amount))
            found = self.prices[plan_id] = tuple(kept)
        return found

    def _seen_from(self, payer: Payer, valid_from: date, recorded_at: datetime | None) -> date:
        """The first day whose 00:00 came after the fact was both valid and recorded."""
        if recorded_at is None:
            return valid_from
        return max(valid_from, billing_day(recorded_at, payer.zone) + ONE_DAY)


def _covers(span: BlockedSpan, day: date) -> bool:
    return span.first <= day and (span.last is None or day <= span.last)


def id_array(ids: Iterable[int]) -> str:
    """Whole numbers as PostgreSQL writes an array; for thousands of them ten times cheaper than the driver's way."""
    return "{" + ",".join(map(str, ids)) + "}"


def _rows(sql: str, **parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
