"""The billing day: deciding it for everyone, trying blocked accounts again, taking back parked ones."""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from demarc.base import limits, log
from demarc.base.actors import Actor
from demarc.base.events import emit
from demarc.base.hands import each
from demarc.base.models import Partner
from demarc.billing import bulk
from demarc.billing.actions.reassess import reassess
from demarc.billing.models import BillingDay, PrepaidState
from demarc.billing.queries import accounts_behind
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY, billing_day, days
from demarc.customers.models import Account

CHUNK = 2000


def bill(
    *, partner_id: int | None = None, until: date | None = None, by: Actor, at: datetime, hands: int = 1
) -> list[BillingDay]:
    """Every partner's billing days (or one's) not yet run, in order, through `until` (None: each partner's today).

    Nothing happens on repetition. `hands` as for `open_day`. Refused: a day that has not begun at a partner, or out of
    range.
    """
    done: list[BillingDay] = []
    partners = Partner.objects.order_by("id")
    for partner in partners if partner_id is None else partners.filter(pk=partner_id):
        last = until or billing_day(at, ZoneInfo(partner.zone))
        newest = BillingDay.objects.filter(partner=partner, finished_at__isnull=False).order_by("day").last()
        first = last if newest is None else min(newest.day + ONE_DAY, last)
        done += [open_day(partner.pk, day=day, by=by, at=at, hands=hands) for day in days(first, last)]
    return done


@transaction.atomic
def ask_days(partner_id: int, *, by: Actor, at: datetime) -> None:
    """Let a job decide a partner's open days now (event DaysWanted). Refused: unknown partner."""
    if not Partner.objects.filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    log.record("asked_days", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id)
    emit("DaysWanted", queue="run", partner=partner_id)


def open_day(partner_id: int, *, day: date, by: Actor, at: datetime, chunk: int = CHUNK, hands: int = 1) -> BillingDay:
    """Decide `day`, and before it any earlier day, for every prepaid account of a partner that is behind it.

    Works in chunks, each a transaction of its own with one operation-log row, so that a payment never waits for more
    than one of them. May run late, again, or twice at once: what is decided stays. An account that cannot be decided
    is parked with its reason. `hands` as in base.hands. Refused: unknown partner, a day that has not begun there, or
    out of range.
    """
    limits.fact_day(day, field="day")
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    if day > billing_day(at, ZoneInfo(partner.zone)):
        raise Refused(f"{day} has not begun in {partner.zone}; choose an earlier day.", field="day", code="future")
    run, _ = BillingDay.objects.get_or_create(partner=partner, day=day, defaults={"started_at": at})
    chunks = accounts_behind(partner_id, day, chunk=chunk)
    each(lambda account_ids: _decide_chunk(run, account_ids, by=by, at=at), chunks, hands=hands)
    BillingDay.objects.filter(pk=run.pk, finished_at=None).update(finished_at=at)
    run.refresh_from_db()
    return run


@transaction.atomic
def retry_accounts(account_ids: Sequence[int], *, by: Actor, at: datetime) -> int:
    """Try accounts again that are blocked for money, since a price, plan, setting or block changed: how many opened.

    Their days through today are decided first. Never refused; unknown, parked and unblocked accounts are left alone.
    """
    bulk.settle(account_ids, until=None, by=by, at=at)
    opened = bulk.retry(account_ids, by=by, at=at).days.total() + len(reassess(account_ids, by=by, at=at))
    log.record("retried", by=by, at=at, subject=("account", None), accounts=len(account_ids), opened=opened)
    return opened


@transaction.atomic
def unpark(account_id: int, *, by: Actor, at: datetime) -> bool:
    """Take a parked account back into the runs and catch up with its days: False when it had to be parked again.

    Refused: the account is not parked.
    """
    parked = PrepaidState.objects.filter(account_id=account_id, parked_at__isnull=False)
    if not parked.update(parked_at=None, parked_reason=""):
        raise Refused("This account is not parked.", field="account_id", code="not_parked")
    tally = bulk.settle([account_id], until=None, by=by, at=at)
    account = Account.objects.get(pk=account_id)
    log.record("unparked", by=by, at=at, subject=("customer", account.customer_id), partner_id=account.partner_id)
    return not tally.parked


@transaction.atomic
def _decide_chunk(run: BillingDay, account_ids: Sequence[int], *, by: Actor, at: datetime) -> None:
    tally = bulk.settle(account_ids, until=run.day, by=by, at=at, queue="run")
    if not tally.days and not tally.parked:
        return
    counts = {word: tally.days[word] for word in ("charged", "blocked", "nothing_due")}
    counts["parked"] = len(tally.parked)
    BillingDay.objects.filter(pk=run.pk).update(**{word: F(word) + count for word, count in counts.items()})
    told = {"day": run.day, "accounts": len(account_ids), "amount": tally.amount, "reasons": tally.parked, **counts}
    log.record("opened_day", by=by, at=at, subject=("partner", run.partner_id), partner_id=run.partner_id, **told)
