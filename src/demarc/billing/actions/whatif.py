"""What if: other prices, taxes or days to pay over the real customers, computed by the run itself and taken back.

Nothing is kept but the figures: the changes are made by their own actions, the documents are previewed, and both are
rolled back. So it can say nothing else than what would happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import transaction

from demarc.base import log
from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.billing.actions.runs import preview_run
from demarc.billing.models import PreviewRow, RecurringState
from demarc.core.errors import Refused
from demarc.core.period import billing_day, next_billing_day
from demarc.customers import actions as customers
from demarc.plans import actions as plans
from demarc.plans.models import Plan

ACCOUNTS_AT_ONCE = 20_000
"""Of more accounts the two runs would take longer than somebody waits for a page or an answer."""

CHANGED_MAX = 50
"""Accounts that are named, the most different first."""


class Figures(NamedTuple):
    """What a run would come to; amounts in minor units of the partner's currency."""

    documents: int
    net: int
    tax: int
    gross: int


class Different(NamedTuple):
    """An account whose document would be another; None where there would be none."""

    account_id: int
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Answer:
    """The run of `day` as it is, and as it would be. `different`: how many documents, and the first of them."""

    day: date
    before: Figures
    after: Figures
    different: int
    accounts: list[Different] = field(default_factory=list)


@dataclass(frozen=True)
class Change:
    """What would be otherwise: list prices by plan (minor units), rates by tax category, days to pay."""

    prices: Mapping[int, int] = field(default_factory=dict)
    taxes: Mapping[str, Decimal] = field(default_factory=dict)
    due_days: int | None = None


def what_if(partner_id: int, change: Change, *, day: date | None = None, by: Actor, at: datetime) -> Answer:
    """The documents due through `day` (None: the next month's), with and without the change. Keeps nothing.

    Refused: unknown partner or plan, nothing to change, a value out of range, a run at work, too many accounts.
    """
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    if not (change.prices or change.taxes or change.due_days is not None):
        raise Refused("Give at least one price, rate or number of days.", field="prices", code="required")
    if RecurringState.objects.filter(partner=partner, parked_at=None).count() > ACCOUNTS_AT_ONCE:
        raise Refused(f"More than {ACCOUNTS_AT_ONCE} accounts are billed here, too many at once.", code="too_many")
    today = billing_day(at, ZoneInfo(partner.zone))
    day = day or next_billing_day(today, 1)
    before, rows_before = _figures(partner_id, None, day, today, by, at)
    after, rows_after = _figures(partner_id, change, day, today, by, at)
    accounts = [
        Different(account, rows_before.get(account), rows_after.get(account))
        for account in rows_before.keys() | rows_after.keys()
        if rows_before.get(account) != rows_after.get(account)
    ]
    accounts.sort(key=lambda one: (-abs((one.after or 0) - (one.before or 0)), one.account_id))
    told = {"day": day, "before": before.gross, "after": after.gross}
    log.record("asked_what_if", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **told)
    return Answer(day, before, after, len(accounts), accounts[:CHANGED_MAX])


def _figures(
    partner_id: int, change: Change | None, day: date, today: date, by: Actor, at: datetime
) -> tuple[Figures, dict[int, int]]:
    """One run and its sums by account, rolled back with what was changed for it."""
    with transaction.atomic():
        if change is not None:
            _make(partner_id, change, today, by, at)
        run = preview_run(partner_id, day=day, by=by, at=at)
        sums: dict[int, int] = {}
        for account_id, gross in PreviewRow.objects.filter(run=run).values_list("account_id", "gross"):
            sums[account_id] = sums.get(account_id, 0) + gross
        transaction.set_rollback(True)
    return Figures(run.documents, run.net, run.tax, run.gross), sums


def _make(partner_id: int, change: Change, today: date, by: Actor, at: datetime) -> None:
    known = set(Plan.objects.filter(partner_id=partner_id, pk__in=change.prices).values_list("id", flat=True))
    for plan_id, amount in change.prices.items():
        if plan_id not in known:
            raise Refused("This provider has no such plan.", field="prices", code="unknown")
        plans.set_price(plan_id, valid_from=today, amount=amount, by=by, at=at)
    for category, rate in change.taxes.items():
        plans.set_tax(partner_id, category=category, valid_from=today, rate=rate, by=by, at=at)
    if change.due_days is not None:
        customers.set_recurring_terms(partner_id, valid_from=today, due_days=change.due_days, by=by, at=at)
