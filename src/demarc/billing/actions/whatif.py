"""What if: other prices, taxes or days to pay over the real customers, computed by the run itself and taken back.

Nothing is kept but the figures: the changes are made by their own actions, the documents issued as by the run, those
who owe them followed up by the simulator, and all is rolled back. So it can say nothing else than what would happen.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from demarc.base import limits, log
from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.billing.actions.runs import bill_all
from demarc.billing.models import RecurringState
from demarc.billing.queries import WhatIf, foreseen_blocks
from demarc.billing.rehearsal import rehearsed
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
    """What a run would come to; amounts in minor units of the partner's currency. `blocked`: accounts that the rules
    block within 60 days if nobody pays, be it for an older document or for one of this run; `cut`: not all were looked
    at."""

    documents: int
    net: int
    tax: int
    gross: int
    blocked: int
    cut: bool


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
    """What would be otherwise: list prices by plan (minor units), rates by tax category, days to pay (of what is open,
    too), the hour of blocking."""

    prices: Mapping[int, int] = field(default_factory=dict)
    taxes: Mapping[str, Decimal] = field(default_factory=dict)
    due_days: int | None = None
    block_hour: int | None = None


def what_if(partner_id: int, change: Change, *, day: date | None = None, by: Actor, at: datetime) -> Answer:
    """The documents due through `day` (None: the next month's), with and without the change. Keeps nothing.

    Refused: unknown partner or plan, nothing to change, a value out of range, a run at work, too many accounts.
    """
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    if not (change.prices or change.taxes or change.due_days is not None or change.block_hour is not None):
        raise Refused("Give at least one price, rate, number of days or hour.", field="prices", code="required")
    if change.block_hour is not None:
        limits.whole(change.block_hour, 0, 23, field="block_hour")
    if RecurringState.objects.filter(partner=partner, parked_at=None).count() > ACCOUNTS_AT_ONCE:
        raise Refused(f"More than {ACCOUNTS_AT_ONCE} accounts are billed here, too many at once.", code="too_many")
    today = billing_day(at, ZoneInfo(partner.zone))
    day = day or next_billing_day(today, 1)
    before, rows_before = _figures(partner, Change(), day, today, by, at)
    after, rows_after = _figures(partner, change, day, today, by, at)
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
    partner: Partner, change: Change, day: date, today: date, by: Actor, at: datetime
) -> tuple[Figures, dict[int, int]]:
    """One run and its sums by account, and whom the rules block with its documents: rolled back with what was changed
    for it."""
    rules = {} if change.block_hour is None else {"block_hour": change.block_hour}

    def done() -> tuple[Figures, dict[int, int]]:
        _make(partner.pk, change, today, by, at)
        outcome = bill_all(partner.pk, day=day, by=by, at=at)
        sums: dict[int, int] = {}
        for one in outcome.ready:
            sums[one.payer.account_id] = sums.get(one.payer.account_id, 0) + one.draft.totals.gross
        blocked, cut = foreseen_blocks(partner, WhatIf(rules, change.due_days), at=at)
        documents, net, tax, gross = outcome.sums[1:5]
        return Figures(documents, net, tax, gross, blocked, cut), sums

    return rehearsed(done)


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
