"""Reads of customers, accounts, terms and blocks. Knows which rule is in force on a day, not what it decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from demarc.base import words
from demarc.core.recurring import Rules
from demarc.customers.models import Account, AccountTerms, Block, BlockCause, Customer, PartnerTerms

RECORD, CONTACTS = ("customer",), ("contact",)
"""Kinds of words by which customers are found (migration 0003)."""

PARTNER_TERMS = """
SELECT partner_id, valid_from, recorded_at, minimal_balance, day_rule, limit_rule, charge_activation_day
FROM customers_partnerterms WHERE partner_id = ANY(%(partners)s) ORDER BY valid_from, id
"""

ACCOUNT_TERMS = """
SELECT account_id, valid_from, recorded_at, minimal_balance, day_rule, limit_rule, charge_activation_day
FROM customers_accountterms WHERE account_id = ANY(%(accounts)s) ORDER BY valid_from, id
"""


RECURRING_TERMS = """
SELECT partner_id, account_id, valid_from, billing_day, period_months, postpaid, due_days, own_first, credit_pause,
    credit_leave, invoice_consumed
FROM customers_recurringterms
WHERE (partner_id = ANY(%(partners)s) AND account_id IS NULL) OR account_id = ANY(%(accounts)s) ORDER BY valid_from, id
"""


class Terms(NamedTuple):
    """The billing rules of one account on one day; words as in customers.models.DayRule and LimitRule."""

    minimal_balance: int
    day_rule: str
    limit_rule: str
    charge_activation_day: bool


class TermsRow(NamedTuple):
    """One recorded row of terms; None leaves a rule to the partner's terms."""

    valid_from: date
    recorded_at: datetime
    rules: tuple[int | str | bool | None, ...]


@dataclass(frozen=True)
class TermsBook:
    """All recorded terms of some accounts and their partners, each list in the order (valid_from, id)."""

    partners: dict[int, list[TermsRow]]
    accounts: dict[int, list[TermsRow]]

    @classmethod
    def of(cls, account_ids: Iterable[int], partner_ids: Iterable[int]) -> "TermsBook":
        """Two queries."""
        book = cls({}, {})
        with connection.cursor() as cursor:
            cursor.execute(PARTNER_TERMS, {"partners": list(partner_ids)})
            for owner, valid_from, recorded_at, *rules in cursor.fetchall():
                book.partners.setdefault(owner, []).append(TermsRow(valid_from, recorded_at, tuple(rules)))
            cursor.execute(ACCOUNT_TERMS, {"accounts": list(account_ids)})
            for owner, valid_from, recorded_at, *rules in cursor.fetchall():
                book.accounts.setdefault(owner, []).append(TermsRow(valid_from, recorded_at, tuple(rules)))
        return book

    def on(self, account_id: int, partner_id: int, day: date, before: datetime | None = None) -> Terms:
        """The rules in force on `day`; with `before`, as they were known then (a day is decided at its 00:00).

        The first terms that a partner ever had count from before they were recorded.
        """
        partner = _in_force(self.partners[partner_id], day, before) or self.partners[partner_id][0]
        own = _in_force(self.accounts.get(account_id, ()), day, before)
        if own is None:
            return Terms(*partner.rules)  # type: ignore[arg-type] # columns in its order
        chosen = (theirs if mine is None else mine for mine, theirs in zip(own.rules, partner.rules, strict=True))
        return Terms(*chosen)  # type: ignore[arg-type] # columns in its order


@dataclass(frozen=True)
class RecurringBook:
    """The recorded rules of recurring billing: (valid_from, rules) of partners and accounts, in the order
    (valid_from, id)."""

    partners: dict[int, list[tuple[date, tuple[int | bool | None, ...]]]]
    accounts: dict[int, list[tuple[date, tuple[int | bool | None, ...]]]]

    @classmethod
    def of(cls, account_ids: Iterable[int], partner_ids: Iterable[int]) -> "RecurringBook":
        """One query."""
        book = cls({}, {})
        with connection.cursor() as cursor:
            cursor.execute(RECURRING_TERMS, {"partners": list(partner_ids), "accounts": list(account_ids)})
            for partner_id, account_id, valid_from, *rules in cursor.fetchall():
                known, owner = (book.partners, partner_id) if account_id is None else (book.accounts, account_id)
                known.setdefault(owner, []).append((valid_from, tuple(rules)))
        return book

    def on(self, account_id: int, partner_id: int, day: date) -> Rules:
        """The rules in force on `day`: the account's own, what they leave open the partner's, then core's defaults."""
        rules: tuple[int | bool | None, ...] = Rules()
        for rows in (self.partners.get(partner_id), self.accounts.get(account_id)):
            if not rows:
                continue
            newest = next((given for valid_from, given in reversed(rows) if valid_from <= day), None)
            if newest is not None:
                rules = tuple(old if new is None else new for old, new in zip(rules, newest, strict=True))
        return Rules(*rules)  # type: ignore[arg-type] # columns in its order


def _in_force(rows: Sequence[TermsRow], day: date, before: datetime | None) -> TermsRow | None:
    for row in reversed(rows):
        if row.valid_from <= day and (before is None or row.recorded_at < before):
            return row
    return None


def terms_for(account_ids: Iterable[int], day: date) -> dict[int, Terms]:
    """The billing rules of each account in force on `day`."""
    owners = dict(Account.objects.filter(pk__in=list(account_ids)).values_list("id", "partner_id"))
    book = TermsBook.of(owners, set(owners.values()))
    return {account_id: book.on(account_id, partner_id, day) for account_id, partner_id in owners.items()}


def account_terms_on(account_id: int, day: date) -> AccountTerms | None:
    """The account's own rules recorded for `day`, those it leaves open as None; None when it never had any."""
    rows = AccountTerms.objects.filter(account_id=account_id, valid_from__lte=day)
    return rows.order_by("valid_from", "id").last()


def partner_terms_on(partner_id: int, day: date) -> PartnerTerms | None:
    """The partner's rules in force on `day`."""
    rows = PartnerTerms.objects.filter(partner_id=partner_id, valid_from__lte=day)
    return rows.order_by("valid_from", "id").last()


def customer_list(
    partner_ids: Sequence[int] | None,
    *,
    status: str = "",
    billing_type: str = "",
    location_id: int | None = None,
) -> QuerySet[Customer]:
    """Customers that the reader may see (None: all), newest first."""
    found = Customer.objects.select_related("partner").order_by("-id")
    if partner_ids is not None:
        found = found.filter(partner_id__in=partner_ids)
    if status:
        found = found.filter(status=status)
    if billing_type:
        found = found.filter(accounts__billing_type=billing_type).distinct()
    if location_id is not None:
        found = found.filter(location_id=location_id)
    return found


def matching(text: str, partner_ids: Sequence[int] | None, also: Sequence[int] = (), *, contacts: bool = True) -> Q:
    """The condition that a text finds a customer: the beginnings of words of his record (base.words), his e-mail
    address and phone among them for who may read `contacts`; or his id is in `also`, for another room knows him by
    that text."""
    if not text.replace("\0", "").strip():
        return Q()
    named = words.begins(RECORD + CONTACTS if contacts else RECORD, text, partner_ids)
    return Q(pk__in=also) | (Q(pk__in=named) if named else Q(pk__in=()))


def named(text: str, partner_ids: Sequence[int] | None) -> Q:
    """For the lists of other rooms: rows whose account's customer is found by `text` among these partners' (None:
    all), but not by how he is reached."""
    ids = words.begins(RECORD, text, partner_ids)
    return Q(account__customer__in=ids) if ids else Q(pk__in=())


def open_blocks(customer_id: int) -> QuerySet[Block]:
    """The blocks of a customer and his accounts that nobody has lifted, newest first."""
    return Block.objects.filter(customer_id=customer_id, lifted_at=None).order_by("-id")


def block_history(customer_id: int) -> QuerySet[Block]:
    """All blocks of a customer and his accounts, newest first."""
    return Block.objects.filter(customer_id=customer_id).order_by("-id")


def accounts_blocked_for_money(*, account_ids: Sequence[int] | None = None, partner_id: int | None = None) -> list[int]:
    """Which of these accounts, or of this partner's, have an open block for money, by id."""
    found = Block.objects.filter(lifted_at=None, cause=BlockCause.NO_MONEY, account_id__isnull=False)
    if account_ids is not None:
        found = found.filter(account_id__in=account_ids)
    if partner_id is not None:
        found = found.filter(partner_id=partner_id)
    return [account_id for (account_id,) in found.order_by("account_id").values_list("account_id") if account_id]
