"""What runs have to do, would do, and left undone; who runs out of money soon."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import QuerySet

from demarc.base.models import Partner
from demarc.billing.bulk import WORDS, decide
from demarc.billing.facts import load
from demarc.billing.models import BillingDay, DayDecision, PrepaidState, RecurringState
from demarc.billing.queries.accounts import AccountSummary, account_summaries
from demarc.core.charging import Decision
from demarc.core.errors import Refused
from demarc.core.period import billing_day
from demarc.customers.models import Account

CHUNK = 2000

# Who could run out, by a bound from above: a day costs at most 1/28 of a month, and the terms are left to core.
CANDIDATES = """
WITH price AS (
    SELECT DISTINCT ON (plan_id) plan_id, amount FROM plans_planprice
    WHERE valid_from <= %(day)s ORDER BY plan_id, valid_from DESC, id DESC
), own AS (
    SELECT DISTINCT ON (service_id) service_id, price_override FROM plans_servicefact
    WHERE price_override IS NOT NULL ORDER BY service_id, valid_from DESC, id DESC
), several AS (
    SELECT service_id, max(quantity) AS held FROM plans_servicefact WHERE quantity > 1 GROUP BY service_id
), cost AS (
    SELECT s.account_id, sum(coalesce(own.price_override, price.amount) * coalesce(several.held, 1)) AS month
    FROM plans_service s
    JOIN price ON price.plan_id = s.plan_id
    LEFT JOIN own ON own.service_id = s.id
    LEFT JOIN several ON several.service_id = s.id
    WHERE s.state = 'active' AND s.blocked_cause IS NULL GROUP BY s.account_id
)
SELECT l.payer_id FROM cost
JOIN billing_ledgeraccount l ON l.payer_id = cost.account_id
JOIN billing_prepaidstate p ON p.account_id = cost.account_id
WHERE cost.month > 0 AND p.parked_at IS NULL AND (%(all)s OR l.partner_id = ANY(%(partners)s))
    AND l.balance <= cost.month * (%(days)s + 1) / 28 + %(days)s + (
        SELECT greatest(0, max(minimal_balance)) FROM (
            SELECT minimal_balance FROM customers_partnerterms
            UNION ALL SELECT minimal_balance FROM customers_accountterms) AS terms)
ORDER BY l.balance::numeric / cost.month, l.payer_id LIMIT %(most)s
"""
CANDIDATES_MAX = 2000


@dataclass
class Preview:
    """What a partner's run through `day` would do: days by decision, money, and accounts that it could not decide."""

    partner: Partner
    day: date
    days: Counter[str] = field(default_factory=Counter)
    amount: int = 0
    undecidable: int = 0


@dataclass(frozen=True)
class RunningOut:
    """An account that is soon blocked for money."""

    account: Account
    summary: AccountSummary


def blocked_on(partner_id: int, day: date) -> int:
    """How many prepaid accounts of a partner could not pay a day and have not done so since."""
    decided = DayDecision.objects.filter(account__customer__partner=partner_id, day=day, decision=Decision.BLOCKED)
    return decided.filter(paid_at=None, cost__gt=0).count()


def day_list(partner_ids: Sequence[int] | None) -> QuerySet[BillingDay]:
    """Billing days that the reader may see (None: all)."""
    found = BillingDay.objects.all()
    return found if partner_ids is None else found.filter(partner_id__in=partner_ids)


def accounts_behind(partner_id: int, day: date, *, chunk: int = CHUNK) -> list[list[int]]:
    """The accounts of a partner, by id and in chunks, whose days are not decided through `day` and who are not
    parked."""
    behind = PrepaidState.objects.filter(decided_through__lt=day, parked_at=None, account__partner_id=partner_id)
    account_ids = list(behind.order_by("account_id").values_list("account_id", flat=True))
    return [account_ids[start : start + chunk] for start in range(0, len(account_ids), chunk)]


def accounts_due(partner_id: int, day: date, *, chunk: int = CHUNK) -> list[list[int]]:
    """The recurring accounts of a partner, by id and in chunks, with an open billing day through `day`, not parked."""
    due = RecurringState.objects.filter(partner_id=partner_id, next_on__lte=day, parked_at=None)
    account_ids = list(due.order_by("account_id").values_list("account_id", flat=True))
    return [account_ids[start : start + chunk] for start in range(0, len(account_ids), chunk)]


def parked_accounts(partner_ids: Sequence[int] | None) -> QuerySet[PrepaidState]:
    """Accounts left out of the runs until someone looks, the longest parked first."""
    found = PrepaidState.objects.filter(parked_at__isnull=False).select_related("account", "account__customer")
    if partner_ids is not None:
        found = found.filter(account__partner_id__in=partner_ids)
    return found.order_by("parked_at", "account_id")


def running_out(
    partner_ids: Sequence[int] | None, *, at: datetime, within_days: int, limit: int = 50
) -> list[RunningOut]:
    """Accounts online now whose money ends within some days, the most urgent first, `limit` of them at most."""
    found: list[AccountSummary] = []
    candidates = _candidates(partner_ids, at, within_days)
    for start in range(0, len(candidates), 200):
        for summary in account_summaries(candidates[start : start + 200], at=at).values():
            if summary.pays_until and summary.pays_until <= at.date() + timedelta(days=within_days):
                found.append(summary)
        if len(found) >= limit:
            break
    accounts = Account.objects.select_related("customer", "partner").in_bulk([one.account_id for one in found])
    soonest = sorted(found, key=lambda summary: (summary.pays_until or date.max, summary.account_id))
    return [RunningOut(accounts[summary.account_id], summary) for summary in soonest[:limit]]


def preview(*, day: date | None = None, at: datetime, partner_ids: Sequence[int] | None = None) -> list[Preview]:
    """What `bill` through `day` (None: a partner's today) would do, partner by partner (None: all); a later day is a
    forecast."""
    partners = Partner.objects.order_by("id")
    if partner_ids is not None:
        partners = partners.filter(pk__in=partner_ids)
    return [_preview(partner, day or billing_day(at, ZoneInfo(partner.zone)), at) for partner in partners]


def _preview(partner: Partner, day: date, at: datetime) -> Preview:
    found = Preview(partner, day)
    for account_ids in accounts_behind(partner.pk, day):
        book = load(account_ids, at=at)
        for payer in book.payers.values():
            try:
                decided = decide(book, payer, day)
            except (ArithmeticError, LookupError, Refused, TypeError, ValueError):
                found.undecidable += 1
                continue
            for _, outcome, _ in decided:
                found.days[WORDS[outcome.decision]] += 1
                found.amount += outcome.cost if outcome.decision is Decision.CHARGED else 0
    return found


def _candidates(partner_ids: Sequence[int] | None, at: datetime, within_days: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            CANDIDATES,
            {
                "day": at.date(),
                "days": within_days,
                "all": partner_ids is None,
                "partners": list(partner_ids or ()),
                "most": CANDIDATES_MAX,
            },
        )
        return [row[0] for row in cursor.fetchall()]
