"""The facts of dunning, set-based: open documents, promises, blocks and rules in, core.dunning's plain data out.

What is read is what holds at one moment; it decides nothing and writes nothing.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from demarc.base import sql
from demarc.billing.days_off import days_off
from demarc.billing.facts import Payer, payers
from demarc.core.dunning import AccountFacts, Channel, DaysOff, Debt, Moment, Policy, Reminder
from demarc.core.period import ONE_DAY, billing_day
from demarc.customers.queries import TermsBook

RECURRING = """
SELECT id FROM customers_account
WHERE id = ANY(%(accounts)s::bigint[]) AND billing_type = 'recurring' AND parent_id IS NULL
"""

CHILDREN = "SELECT parent_id, id FROM customers_account WHERE parent_id = ANY(%(accounts)s::bigint[]) ORDER BY id"

# A document made by hand bills no period of a service.
DEBTS = """
SELECT account_id, id, number, issued_on, due_on, open_amount, disputed_at IS NOT NULL, source = 'manual'
FROM billing_document WHERE open_amount > 0 AND account_id = ANY(%(accounts)s::bigint[]) ORDER BY due_on, id
"""

PROMISES = (
    "SELECT account_id, until FROM billing_promise WHERE ended_at IS NULL AND account_id = ANY(%(accounts)s::bigint[])"
)

BLOCKS = """
SELECT account_id, set_at, grace_until FROM customers_block
WHERE lifted_at IS NULL AND account_id = ANY(%(accounts)s::bigint[])
"""

REMINDED = "SELECT document_id, days FROM billing_reminder WHERE document_id = ANY(%(documents)s::bigint[])"

DEACTIVATED = """
SELECT account_id FROM billing_deactivation WHERE undone_at IS NULL AND account_id = ANY(%(accounts)s::bigint[])
"""

TERMS = """
SELECT partner_id, account_id, valid_from, reminders, blocks, grace_days, block_hour, on_weekends, on_holidays, country,
    threshold, one_time_blocks, deactivate_after_days, blocking_fee, reactivation_fee, wave_factor, wave_least,
    outage_hours
FROM billing_dunningterms
WHERE (partner_id = ANY(%(partners)s::bigint[]) AND account_id IS NULL) OR account_id = ANY(%(accounts)s::bigint[])
ORDER BY valid_from, id
"""


class Guards(NamedTuple):
    """What keeps a partner's waves in bounds: a wave beyond `factor` times the usual size, and beyond `least`, waits
    for a person; nobody is blocked until `outage_hours` after an outage."""

    factor: int = 3
    least: int = 20
    outage_hours: int = 12


@dataclass(frozen=True)
class PolicyBook:
    """The recorded rules of dunning of partners and accounts: (valid_from, rules) in the order (valid_from, id)."""

    partners: dict[int, list[tuple[date, tuple[Any, ...]]]]
    accounts: dict[int, list[tuple[date, tuple[Any, ...]]]]
    _shared: dict[tuple[int, date], Policy] = field(default_factory=dict)

    @classmethod
    def of(cls, account_ids: Iterable[int], partner_ids: Iterable[int]) -> "PolicyBook":
        """One query."""
        book = cls({}, {})
        for partner_id, account_id, valid_from, reminders, *rules in sql.rows(
            TERMS, partners=sql.array(partner_ids), accounts=sql.array(account_ids)
        ):
            known, owner = (book.partners, partner_id) if account_id is None else (book.accounts, account_id)
            known.setdefault(owner, []).append((valid_from, (reminders_of(reminders), *rules)))
        return book

    def on(self, account_id: int | None, partner_id: int, day: date) -> Policy:
        """The rules in force on `day`: the account's own, what they leave open the partner's, then core's defaults."""
        if (partner_id, day) not in self._shared:
            self._shared[partner_id, day] = Policy(*self._newest(self.partners.get(partner_id, ()), day, Policy()))
        shared = self._shared[partner_id, day]
        own = self.accounts.get(account_id) if account_id else None
        return Policy(*self._newest(own, day, shared)) if own else shared

    def guards(self, partner_id: int, day: date) -> Guards:
        """The partner's guards in force on `day`."""
        start = len(Policy())
        rows = [(valid_from, rules[start:]) for valid_from, rules in self.partners.get(partner_id, ())]
        return Guards(*self._newest(rows, day, Guards()))

    @staticmethod
    def _newest(rows: Sequence[tuple[date, tuple[Any, ...]]], day: date, before: tuple[Any, ...]) -> tuple[Any, ...]:
        given = next((rules for valid_from, rules in reversed(rows) if valid_from <= day), None)
        if given is None:
            return before
        return tuple(old if new is None else new for old, new in zip(before, given, strict=False))


@dataclass(frozen=True)
class Case:
    """One recurring account as dunning sees it. `online_until`: staff let him online without money until then."""

    payer: Payer
    facts: AccountFacts
    policy: Policy
    off: DaysOff
    blocked_at: datetime | None
    online_until: datetime | None


def load_cases(account_ids: Iterable[int], *, at: datetime, lock: bool = False) -> dict[int, Case]:
    """The recurring ones of these accounts, by id; sub-accounts are part of who pays for them. `lock`: hold them until
    the transaction ends. About twelve statements for any number of accounts."""
    accounts = [row[0] for row in sql.rows(RECURRING, accounts=sql.array(account_ids))]
    found = payers(accounts, at=at, lock=lock) if accounts else {}
    if not found:
        return {}
    known = _Known.of(found)
    partners = {payer.partner_id for payer in found.values()}
    terms, policies = TermsBook.of(found, partners), PolicyBook.of(found, partners)
    cases = {}
    for payer in found.values():
        limit = terms.on(payer.account_id, payer.partner_id, payer.today).minimal_balance
        policy = policies.on(payer.account_id, payer.partner_id, payer.today)
        off = days_off(policy.country, payer.today.year)
        blocked_at, grace = known.blocks.get(payer.account_id, (None, None))
        cases[payer.account_id] = Case(payer, known.facts(payer, limit, at), policy, off, blocked_at, grace)
    return cases


@dataclass(frozen=True)
class _Known:
    """Rows about some accounts: open documents, what went out about them, promises, blocks, whose services stopped."""

    debts: dict[int, list[Debt]]
    reminded: dict[int, list[int]]
    promises: dict[int, date]
    blocks: dict[int, tuple[datetime, datetime | None]]
    gone: set[int]

    @classmethod
    def of(cls, account_ids: Iterable[int]) -> "_Known":
        """Five queries."""
        ids = sql.array(account_ids)
        debts: dict[int, list[Debt]] = defaultdict(list)
        for account_id, *debt in sql.rows(DEBTS, accounts=ids):
            debts[account_id].append(Debt(*debt))
        reminded: dict[int, list[int]] = defaultdict(list)
        documents = sql.array(debt.document_id for some in debts.values() for debt in some)
        for document_id, days in sql.rows(REMINDED, documents=documents):
            reminded[document_id].append(days)
        blocks = {row[0]: (row[1], row[2]) for row in sql.rows(BLOCKS, accounts=ids)}
        gone = {row[0] for row in sql.rows(DEACTIVATED, accounts=ids)}
        return cls(debts, reminded, dict(sql.rows(PROMISES, accounts=ids)), blocks, gone)

    def facts(self, payer: Payer, minimal_balance: int, at: datetime) -> AccountFacts:
        """One account. While staff let him online without money he counts as promised, not as blocked."""
        debts = tuple(self.debts.get(payer.account_id, ()))
        blocked_at, grace = self.blocks.get(payer.account_id, (None, None))
        left_alone, blocked_on = self.promises.get(payer.account_id), None
        if grace is not None and grace > at:
            left_alone = max(_last_day(grace, payer.zone), left_alone or date.min)
        elif blocked_at is not None:
            blocked_on = billing_day(max(blocked_at, grace or blocked_at), payer.zone)
        return AccountFacts(
            account_id=payer.account_id,
            balance=payer.balance,
            minimal_balance=minimal_balance,
            debts=debts,
            promised_until=left_alone,
            blocked_on=blocked_on,
            deactivated=payer.account_id in self.gone,
            reminded=frozenset(
                (debt.document_id, days) for debt in debts for days in self.reminded.get(debt.document_id, ())
            ),
        )


def moment_of(case: Case, at: datetime) -> Moment:
    """The day and hour that it is at the account's provider."""
    return Moment(case.payer.today, at.astimezone(case.payer.zone).hour)


def with_children(account_ids: Iterable[int]) -> dict[int, list[int]]:
    """Each of these accounts with itself and its sub-accounts, which are online and blocked together with it."""
    found = {account_id: [account_id] for account_id in account_ids}
    for parent_id, account_id in sql.rows(CHILDREN, accounts=sql.array(found)):
        found[parent_id].append(account_id)
    return found


def reminders_of(stored: str | Sequence[Sequence[Any]] | None) -> tuple[Reminder, ...] | None:
    """Stored [days, hour, channel], or their JSON, as core's reminders; None stays None."""
    if stored is None:
        return None
    rows: Sequence[Sequence[Any]] = json.loads(stored) if isinstance(stored, str) else stored
    return tuple(Reminder(int(days), int(hour), Channel(channel)) for days, hour, channel in rows)


def _last_day(moment: datetime, zone: ZoneInfo) -> date:
    """The last day that is over, or as good as over, at a moment: the eve of one that begins with it."""
    day = billing_day(moment, zone)
    return day - ONE_DAY if moment.astimezone(zone).hour == 0 else day
