"""Decides days and writes what follows, for one account or two thousand, in the caller's transaction.

The only place where charges become transfers. Rules are core.charging's and core.ledger's; facts come from
billing.facts. Statements are set-based and rows go in as arrays, so that a day of 100,000 accounts takes seconds.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from django.db import OperationalError, transaction

from demarc.base import sql
from demarc.base.actors import Actor
from demarc.base.events import emit_ids
from demarc.base.numbering import take_ids
from demarc.billing.accounts import house_account
from demarc.billing.facts import Book, Payer, load
from demarc.billing.models import LedgerKind
from demarc.core import charging, ledger
from demarc.core.charging import DayOutcome, Decision
from demarc.core.errors import Refused
from demarc.plans.access_state import restore, set_access, withhold
from demarc.plans.models import Service

BALANCE_MAX = 10**15
"""A balance beyond it, in minor units, is a mistake: its account is parked and no payment may lead there."""

ADD_TRANSFERS = """
INSERT INTO billing_transfer (entry_id, seq, debit_account_id, credit_account_id, currency, amount, day, recorded_at,
    kind, partner_id, account_id, service_id, price_fact_id, service_fact_id, key)
"""

ADD_DECISIONS = """
INSERT INTO billing_daydecision (account_id, day, decision, cost, balance_before, catch_up, decided_at, entry_id)
"""

MOVE_BALANCES = """
UPDATE billing_ledgeraccount l SET balance = l.balance + n.moved
FROM unnest(%(ledgers)s::bigint[], %(moved)s::bigint[]) AS n (id, moved)
WHERE l.id = n.id AND l.balance IS NOT NULL
"""

DECIDED = """
UPDATE billing_prepaidstate SET decided_through = %(day)s WHERE account_id = ANY(%(accounts)s::bigint[])
"""

PAID_LATER = """
UPDATE billing_daydecision d SET decision = n.decision, cost = n.cost, balance_before = n.balance_before,
    entry_id = n.entry_id, paid_at = %(at)s
FROM unnest(%(accounts)s::bigint[], %(days)s::date[], %(decisions)s::text[], %(costs)s::bigint[],
    %(balances)s::bigint[], %(entries)s::bigint[]) AS n (account_id, day, decision, cost, balance_before, entry_id)
WHERE d.account_id = n.account_id AND d.day = n.day AND d.decision = 'blocked'
"""

PARK = """
UPDATE billing_prepaidstate SET parked_reason = %(reason)s, parked_at = %(at)s
WHERE account_id = %(account)s AND parked_at IS NULL
"""

WORDS = {
    Decision.CHARGED: "charged",
    Decision.BLOCKED: "blocked",
    Decision.SKIPPED_BLOCKED: "blocked",
    Decision.NOTHING_DUE: "nothing_due",
}
"""What the table says; a day on which nothing was tried, because of a block, is a blocked one."""

logger = logging.getLogger(__name__)


@dataclass
class Tally:
    """What came of deciding some accounts: how many days of each kind, and why accounts were parked."""

    days: Counter[str] = field(default_factory=Counter)
    amount: int = 0
    parked: dict[int, str] = field(default_factory=dict)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.days + other.days, self.amount + other.amount, self.parked | other.parked)


class Decided(NamedTuple):
    """One day of one account, with the balance it began with."""

    payer: Payer
    outcome: DayOutcome
    balance_before: int


class Posting(NamedTuple):
    """Transfers of one entry, who pays, and the key that makes the entry unique for ever."""

    payer: Payer
    transfers: tuple[ledger.Transfer, ...]
    key: str


def settle(account_ids: Sequence[int], *, until: date | None, by: Actor, at: datetime, queue: str = "now") -> Tally:
    """Decide all undecided days of these accounts through `until` (None: today), today at the latest.

    An account that cannot be decided is parked with its reason and the others are decided without it. Events go to
    `queue`.
    """
    if not account_ids:
        return Tally()
    try:
        with transaction.atomic():
            return _settle(account_ids, until, by, at, queue)
    except OperationalError:
        raise
    except Exception as error:
        # One account spoils the statement of all: halve until it stands alone.
        if len(account_ids) == 1:
            logger.exception("account %s cannot be decided", account_ids[0])
            return Tally(parked=park({account_ids[0]: _reason(error)}, at=at))
        half = len(account_ids) // 2
        first = settle(account_ids[:half], until=until, by=by, at=at, queue=queue)
        return first + settle(account_ids[half:], until=until, by=by, at=at, queue=queue)


def retry(
    account_ids: Sequence[int], *, by: Actor, at: datetime, queue: str = "now", as_of: datetime | None = None
) -> Tally:
    """Charge today to those who are blocked for money and can pay it by now, and let them online again.

    Their days through today have been decided by `settle`; parked accounts are left alone. `as_of` tries them with
    what was known at an earlier moment of today.
    """
    moment = as_of or at
    book = load(account_ids, at=moment, lock=True, charges=True)
    decided, still_blocked = [], []
    for payer in book.payers.values():
        if payer.parked or payer.decided_through is None:
            continue
        outcome = charging.retry(book.now(payer), payer.today)
        if outcome is not None and outcome.decision is Decision.BLOCKED:
            still_blocked.append(payer.account_id)
        elif outcome is not None:
            decided.append(Decided(payer, outcome, payer.balance))
    if decided:
        _write_paid_later(decided, post_charges(book, decided, at=at), moment)
        restore([one.payer.account_id for one in decided], by=by, at=at, queue=queue)
    if still_blocked:  # what they owe has changed, and their blocking page says it
        services = Service.objects.filter(account_id__in=still_blocked).order_by("id")
        emit_ids("ServiceChanged", "services", list(services.values_list("id", flat=True)), queue=queue)
    return _tally(decided)


def decide(book: Book, payer: Payer, until: date) -> list[Decided]:
    """The undecided days through `until` in order; days after the book's today are a forecast. Writes nothing."""
    decided: list[Decided] = []
    balance = payer.balance
    for last, facts in book.stretches(payer, until):
        if decided:
            facts = facts._replace(balance=balance, decided_through=decided[-1].outcome.day)
        for outcome in charging.due(facts, last, payer.today):
            decided.append(Decided(payer, outcome, balance))
            balance = outcome.balance_after
    check_balance(balance)
    return decided


def post(postings: Sequence[Posting], at: datetime) -> list[int]:
    """Write entries with their transfers and move the stored balances: the entries' ids, in the same order."""
    entries = take_ids("billing_entry_seq", len(postings))
    rows = (
        _row(entry, seq, one, posting, at)
        for entry, posting in zip(entries, postings, strict=True)
        for seq, one in enumerate(posting.transfers)
    )
    moved = ledger.fold(one for posting in postings for one in posting.transfers)
    sql.insert(ADD_TRANSFERS, rows)
    sql.execute(MOVE_BALANCES, ledgers=sql.array(moved), moved=sql.array(moved.values()))
    return entries


def post_charges(
    book: Book, decided: Iterable[Decided], *, at: datetime, prefix: str = "day"
) -> dict[tuple[int, date], int]:
    """Post what was charged: entries by (account, day). `prefix` begins the key that admits each charge once."""
    revenues: dict[tuple[int, str, str], ledger.Account] = {}
    postings = []
    for payer, outcome, _ in decided:
        giver = ledger.Account(payer.ledger_id, ledger.AccountKind.PAYER, payer.currency)
        transfers = []
        for line in outcome.lines:
            name = (payer.partner_id, payer.currency, book.kinds[line.service_id])
            if name not in revenues:
                revenues[name] = house_account(name[0], name[1], LedgerKind.REVENUE, name[2])
            transfers.append(ledger.charge(giver, revenues[name], line, outcome.day))
        if transfers:
            postings.append(Posting(payer, ledger.entry(transfers), f"{prefix}:{payer.account_id}:{outcome.day}"))
    entries = post(postings, at)
    names = ((posting.payer.account_id, posting.transfers[0].day) for posting in postings)
    return dict(zip(names, entries, strict=True))


def park(reasons: dict[int, str], *, at: datetime) -> dict[int, str]:
    """Leave these accounts out of runs until someone has looked; gives the reasons back."""
    for account_id, reason in reasons.items():
        sql.execute(PARK, account=account_id, reason=reason, at=at)
    return reasons


def check_balance(balance: int) -> None:
    """Refused when a balance passes what an account is meant to hold."""
    if abs(balance) > BALANCE_MAX:
        raise Refused("The balance would pass the limit of what an account may hold.", code="balance_too_large")


def _settle(account_ids: Sequence[int], until: date | None, by: Actor, at: datetime, queue: str) -> Tally:
    book = load(account_ids, at=at, lock=True)
    decided: list[Decided] = []
    reasons: dict[int, str] = {}
    for payer in book.payers.values():
        if payer.parked:
            continue
        try:
            decided += decide(book, payer, payer.today if until is None else min(until, payer.today))
        except Exception as error:
            logger.exception("account %s cannot be decided", payer.account_id)
            reasons[payer.account_id] = _reason(error)
    if decided:
        _write_decisions(decided, post_charges(book, decided, at=at), at)
    park(reasons, at=at)
    broke = [payer for payer, outcome, _ in decided if outcome.decision is Decision.BLOCKED]
    since = {payer.account_id: book.midnight(payer.zone, payer.today) for payer in broke}
    withhold(since, by=by, at=at, queue=queue)
    tally = _tally(decided)
    tally.parked = reasons
    return tally + _catch_up_with_today(book, decided, by, queue)


def _catch_up_with_today(book: Book, decided: Sequence[Decided], by: Actor, queue: str) -> Tally:
    """Do what a punctual run would have led to since 00:00: a blocked account is tried at each change, as it came.

    And where staff had let one online until this 00:00, that is over.
    """
    blocked = [one for one, outcome, _ in decided if outcome.day == one.today and WORDS[outcome.decision] == "blocked"]
    moments: dict[datetime, list[int]] = defaultdict(list)
    for payer in blocked:
        for moment in book.changes_today(payer):
            moments[moment].append(payer.account_id)
    tally = Tally()
    for moment, account_ids in sorted(moments.items()):
        tally += retry(account_ids, by=by, at=book.at, queue=queue, as_of=moment)
    tally.days["blocked"] -= tally.days.total()
    set_access([payer.account_id for payer in blocked if book.grace_is_over(payer)], at=book.at, queue=queue)
    return tally


def _write_decisions(decided: Sequence[Decided], entries: dict[tuple[int, date], int], at: datetime) -> None:
    rows = (
        (
            payer.account_id,
            outcome.day,
            WORDS[outcome.decision],
            outcome.cost,
            balance,
            outcome.catch_up,
            at,
            entries.get((payer.account_id, outcome.day)),
        )
        for payer, outcome, balance in decided
    )
    sql.insert(ADD_DECISIONS, rows)
    through: dict[date, list[int]] = defaultdict(list)
    for account_id, day in {payer.account_id: outcome.day for payer, outcome, _ in decided}.items():
        through[day].append(account_id)
    for day, accounts in through.items():
        sql.execute(DECIDED, day=day, accounts=sql.array(accounts))


def _write_paid_later(decided: Sequence[Decided], entries: dict[tuple[int, date], int], at: datetime) -> None:
    sql.execute(
        PAID_LATER,
        at=at,
        accounts=[payer.account_id for payer, _, _ in decided],
        days=[outcome.day for _, outcome, _ in decided],
        decisions=[WORDS[outcome.decision] for _, outcome, _ in decided],
        costs=[outcome.cost for _, outcome, _ in decided],
        balances=[balance for _, _, balance in decided],
        entries=[entries.get((payer.account_id, outcome.day)) for payer, outcome, _ in decided],
    )


def _row(entry: int, seq: int, one: ledger.Transfer, posting: Posting, at: datetime) -> tuple[Any, ...]:
    """One line of ADD_TRANSFERS."""
    payer, _, key = posting
    what = (entry, seq, one.debit, one.credit, one.currency, one.amount, one.day, at, one.kind.value)
    return (
        *what,
        payer.partner_id,
        payer.account_id,
        one.service_id,
        one.price_fact_id or None,
        one.service_fact_id,
        key,
    )


def _tally(decided: Sequence[Decided]) -> Tally:
    days = Counter(WORDS[outcome.decision] for _, outcome, _ in decided)
    amount = sum(outcome.cost for _, outcome, _ in decided if outcome.decision is Decision.CHARGED)
    return Tally(days, amount)


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
