"""What days are decided from: accounts with their services, prices, terms and blocks, as plain data, set-based.

Reads (and locks) only; decides nothing. An account's lock is the row of its ledger account: whoever decides its days
or posts to it holds that row, and many are locked by id.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from demarc.base import sql
from demarc.core.charging import AccountFacts, BlockedSpan, LimitRule, PriceFact, ServiceFacts, StateFact
from demarc.core.period import ONE_DAY, DayRule, billing_day, days, start_of_day
from demarc.customers.queries import Terms, TermsBook

# Statements that name ids and join nothing: in a database that is being filled the planner knows no sizes yet, and of
# a join by thousands of ids it then makes one that compares each with each.
LEDGERS = """
SELECT payer_id, id, balance FROM billing_ledgeraccount
WHERE payer_id = ANY(%(accounts)s::bigint[]) ORDER BY payer_id
"""
LOCKED = LEDGERS + "FOR NO KEY UPDATE"

# After the lock: only a new statement sees what the one who held the lock has committed.
ACCOUNTS = """
SELECT a.id, a.partner_id, a.customer_id, a.currency, p.zone, s.decided_through, s.parked_at IS NOT NULL
FROM customers_account a
JOIN base_partner p ON p.id = a.partner_id
LEFT JOIN billing_prepaidstate s ON s.account_id = a.id
WHERE a.id = ANY(%(accounts)s::bigint[]) ORDER BY a.id
"""

SERVICES = """
SELECT s.account_id, s.id, p.kind FROM plans_service s JOIN plans_plan p ON p.id = s.plan_id
WHERE s.account_id = ANY(%(accounts)s::bigint[]) ORDER BY s.account_id, s.id
"""

# When a fact was recorded matters only if that was after the first 00:00 that is still to be decided.
FACTS = """
SELECT service_id, id, valid_from, CASE WHEN recorded_at >= %(settled)s THEN recorded_at END, plan_id,
    state = 'active', price_override, quantity
FROM plans_servicefact
WHERE service_id = ANY(%(services)s::bigint[]) AND recorded_at <= %(at)s ORDER BY service_id, valid_from, id
"""

PRICES = """
SELECT plan_id, id, valid_from, CASE WHEN recorded_at >= %(settled)s THEN recorded_at END, amount
FROM plans_planprice
WHERE plan_id = ANY(%(plans)s::bigint[]) AND recorded_at <= %(at)s ORDER BY plan_id, valid_from, id
"""

BLOCKS = """
SELECT customer_id, account_id, set_at, lifted_at, grace_until FROM customers_block
WHERE customer_id = ANY(%(customers)s::bigint[]) AND (lifted_at IS NULL OR lifted_at > %(since)s)
"""

CHARGED = """
SELECT service_id, max(day) FROM billing_transfer
WHERE kind = 'charge' AND service_id = ANY(%(services)s::bigint[]) AND day >= %(since)s GROUP BY service_id
"""

DAY_RULES = {rule.value: rule for rule in DayRule}
LIMIT_RULES = {rule.value: rule for rule in LimitRule}
"""Core's words for the stored ones: a look is much cheaper than the enumeration's own."""

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
    quantity: int


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
            day_rule=DAY_RULES[terms.day_rule],
            limit_rule=LIMIT_RULES[terms.limit_rule],
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

    About seven statements for any number of accounts.
    """
    found = payers(account_ids, at=at, lock=lock)
    book = Book(at, found, TermsBook.of(found, {payer.partner_id for payer in found.values()}))
    if found:
        reader = _FactReader(book)
        _read_blocks(book, reader.settled_before)
        reader.read_services(charges=charges)
    return book


def payers(account_ids: Iterable[int], *, at: datetime, lock: bool = False) -> dict[int, Payer]:
    """Some accounts, by id, without their facts. `lock`: hold them until the transaction ends."""
    accounts = sql.array(sorted(account_ids))
    ledgers = {row[0]: row[1:] for row in sql.rows(LOCKED if lock else LEDGERS, accounts=accounts)}
    today: dict[str, tuple[ZoneInfo, date]] = {}
    found: dict[int, Payer] = {}
    for account_id, partner_id, customer_id, currency, name, *state in sql.rows(ACCOUNTS, accounts=accounts):
        if name not in today:
            zone = ZoneInfo(name)
            today[name] = zone, billing_day(at, zone)
        ledger = ledgers.get(account_id, (0, 0))
        found[account_id] = Payer._make((account_id, partner_id, customer_id, currency, *today[name], *ledger, *state))
    return found


def _read_blocks(book: Book, since: datetime) -> None:
    """A block of an account counts for it alone, one of the customer, by staff, for all his accounts."""
    accounts: dict[int, list[int]] = defaultdict(list)
    for payer in book.payers.values():
        accounts[payer.customer_id].append(payer.account_id)
    for customer_id, account_id, *block in sql.rows(BLOCKS, customers=sql.array(accounts), since=since):
        for of_customer in accounts[customer_id]:
            if account_id in (None, of_customer):
                book.blocks[of_customer].append(BlockRow(account_id is None, *block))


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

    def read_services(self, *, charges: bool) -> None:
        """Fill the book's services."""
        rows = sql.rows(SERVICES, accounts=sql.array(self.book.payers))
        services = sql.array(row[1] for row in rows)
        facts = self._facts(services)
        today = min(payer.today for payer in self.book.payers.values())
        charged = dict(sql.rows(CHARGED, services=services, since=today)) if charges else {}
        of_account: dict[int, list[ServiceFacts]] = defaultdict(list)
        for account_id, service_id, kind in rows:
            self.book.kinds[service_id] = kind
            self._note_recorded(account_id, facts[service_id])
            payer = self.book.payers[account_id]
            of_account[account_id].append(self.service(payer, service_id, facts[service_id], charged.get(service_id)))
        self.book.services.update((account_id, tuple(some)) for account_id, some in of_account.items())

    def _facts(self, services: str) -> dict[int, list[FactRow]]:
        """The facts of each service from the last one on that every open day's 00:00 has seen; and plans' prices."""
        known = {"settled": self.settled_before, "at": self.book.at}
        found: dict[int, list[FactRow]] = defaultdict(list)
        for service_id, *row in sql.rows(FACTS, services=services, **known):
            fact = FactRow(*row)
            if fact.recorded_at is None and fact.valid_from <= self.first_day:
                found[service_id].clear()
            found[service_id].append(fact)
        plans = sql.array({fact.plan_id for facts in found.values() for fact in facts})
        for plan_id, *price in sql.rows(PRICES, plans=plans, **known):
            self.price_rows[plan_id].append((price[0], price[1], price[2], price[3]))
        return found

    def _note_recorded(self, account_id: int, facts: Sequence[FactRow]) -> None:
        for fact in facts:
            if fact.recorded_at:
                self.book.recorded[account_id].add(fact.recorded_at)
            for _, _, recorded_at, _ in self.price_rows[fact.plan_id]:
                if recorded_at:
                    self.book.recorded[account_id].add(recorded_at)

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
        """What the service costs: each fact's own price, or its plan's prices from when the fact holds, times how many
        of it are held."""
        terms = {(row.plan_id, row.price_override, row.quantity) for row in rows}
        if rows and terms == {(rows[0].plan_id, None, 1)}:
            return self._of_plan(payer, rows[0].plan_id)
        found: list[PriceFact] = []
        for row, state in zip(rows, states, strict=True):
            if row.price_override is not None:
                own = row.price_override * row.quantity
                found.append(PriceFact(NO_FACT, row.valid_from, state.seen_from, own))
                continue
            for price in self._of_plan(payer, row.plan_id):
                valid_from = max(row.valid_from, price.valid_from)
                seen_from = max(state.seen_from, price.seen_from)
                found.append(PriceFact(price.id, valid_from, seen_from, price.price_minor * row.quantity))
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
