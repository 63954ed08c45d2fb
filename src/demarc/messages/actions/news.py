"""What happened in other rooms, turned into messages. Readers of events: they re-read the state and may run twice.

Only what has just happened is told: a job that comes late, or a demo's month in one minute, tells nobody of old days.
Documents and reminders of them carry the document itself, rendered when they leave.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from demarc.base import log
from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.billing.models import Document, DocumentKind, Payment, ReminderSent
from demarc.billing.queries import AccountSummary, RunningOut, account_summaries, owed, running_out
from demarc.core.money import Money
from demarc.core.period import billing_day
from demarc.customers.models import Block, BlockCause
from demarc.messages.actions.outbox import News, enqueue_many
from demarc.messages.attachments import Reference
from demarc.messages.kinds import CHANNELS
from demarc.messages.models import LowEpisode, Message, Rules
from demarc.messages.queries import rules_of
from demarc.messages.wording import Value
from demarc.plans.models import Service

LATEST = timedelta(days=1)
"""How old news may be."""
LOW_MAX = 2000
"""How many accounts are told in one look, the most urgent first; the next look goes on."""


@transaction.atomic
def note_payments(payment_ids: Sequence[int], *, by: Actor, at: datetime) -> list[Message]:
    """Payments came in (event PaymentsReceived): thank for each. Never refused."""
    payments = list(
        Payment.objects.filter(pk__in=payment_ids, amount__gt=0, recorded_at__gt=at - LATEST).order_by("id")
    )
    summaries = account_summaries(sorted({payment.account_id for payment in payments}), at=at)
    news = [
        News(
            kind="payment_received",
            key=f"payment:{payment.pk}",
            account_id=payment.account_id,
            values={
                "amount": Money(payment.amount, payment.currency),
                "received_on": payment.received_on,
                "number": payment.number,
                **_standing(summaries[payment.account_id]),
            },
        )
        for payment in payments
    ]
    return enqueue_many(news, by=by, at=at)


@transaction.atomic
def note_documents(document_ids: Sequence[int], *, by: Actor, at: datetime) -> list[Message]:
    """Documents were issued (event DocumentsIssued): each invoice goes to its customer, with its PDF. Never refused."""
    found = Document.objects.filter(pk__in=document_ids, kind=DocumentKind.INVOICE, recorded_at__gt=at - LATEST)
    news = [
        News(
            kind="invoice_created",
            key=f"document:{document.pk}",
            account_id=document.account_id,
            values=_of_document(document, document.gross) | {"issued_on": document.issued_on},
            attachments=[Reference(kind="document", id=document.pk)],
        )
        for document in found.order_by("id")
    ]
    return enqueue_many(news, by=by, at=at)


@transaction.atomic
def note_reminders(reminder_ids: Sequence[int], *, by: Actor, at: datetime) -> list[Message]:
    """Reminders are due (event Reminded): before the day it was due a reminder, after it word that it is overdue, by
    the channel that the reminder names. Never refused."""
    found = ReminderSent.objects.select_related("document").filter(pk__in=reminder_ids, at__gt=at - LATEST)
    steps = Counter(
        ReminderSent.objects.filter(document__in=[one.document_id for one in found]).values_list(
            "document_id", flat=True
        )
    )
    news = []
    for reminder in found.order_by("id"):
        late = reminder.days > 0
        values = _of_document(reminder.document, reminder.amount)
        values |= {"days": reminder.days} if late else {"step": steps[reminder.document_id]}
        news.append(
            News(
                kind="overdue" if late else "reminder",
                key=f"reminder:{reminder.pk}",
                account_id=reminder.account_id,
                values=values,
                attachments=[Reference(kind="document", id=reminder.document_id)],
                channels=CHANNELS if reminder.channel == "both" else (reminder.channel,),
            )
        )
    return enqueue_many(news, by=by, at=at)


@transaction.atomic
def note_access(service_ids: Sequence[int], *, by: Actor, at: datetime) -> list[Message]:
    """Access of services changed (event AccessChanged): tell whose account was put on hold for money, or is off it.

    What staff block by hand they explain themselves. Never refused.
    """
    changed = Service.objects.filter(pk__in=service_ids, access_since__gt=at - LATEST)
    accounts = sorted(set(changed.values_list("account_id", flat=True)))
    newest = _newest_money_blocks(accounts)
    held = [block for block in newest.values() if block.lifted_at is None and block.grace_until is None]
    freed = [block for block in newest.values() if block.lifted_at is not None and block.lifted_at > at - LATEST]
    open_again = set(changed.filter(blocked_cause=None).values_list("account_id", flat=True))
    sums = owed([block.account_id for block in held if block.account_id], at=at)
    summaries = account_summaries([block.account_id for block in (*held, *freed) if block.account_id], at=at)
    news = [
        _about(block, "service_on_hold", {"amount": Money(*sums[block.account_id])}, summaries)
        for block in held
        if block.account_id in sums
    ]
    news += [_about(block, "service_restored", {}, summaries) for block in freed if block.account_id in open_again]
    return enqueue_many(news, by=by, at=at)


def look_for_low(*, by: Actor, at: datetime) -> list[Message]:
    """Once a day at each provider's hour: tell those whose prepaid money lasts no longer than the rules' days.

    Each is told once until his balance lasts longer again, or has run out. Never refused.
    """
    told: list[Message] = []
    partners = list(Partner.objects.order_by("id"))
    rules = rules_of(partner.pk for partner in partners)
    for partner in partners:
        wall = at.astimezone(ZoneInfo(partner.zone))
        mine = rules[partner.pk]
        if wall.hour >= mine.low_hour and mine.low_looked_on != wall.date():
            told += _look_at(partner, mine, by=by, at=at)
    return told


@transaction.atomic
def _look_at(partner: Partner, rules: Rules, *, by: Actor, at: datetime) -> list[Message]:
    wall = at.astimezone(ZoneInfo(partner.zone))
    Rules.objects.get_or_create(partner=partner)
    mine = Rules.objects.select_for_update().get(partner=partner)
    if mine.low_looked_on == wall.date():
        return []
    mine.low_looked_on = wall.date()
    mine.save(update_fields=["low_looked_on"])
    low = running_out([partner.pk], at=at, within_days=rules.low_days, limit=LOW_MAX)
    _end_episodes(partner, {one.account.pk for one in low}, rules.low_days, at)
    known = set(LowEpisode.objects.filter(ended_at=None, account__partner=partner).values_list("account_id", flat=True))
    fresh = [one for one in low if one.account.pk not in known]
    episodes = LowEpisode.objects.bulk_create([LowEpisode(account=one.account, began_at=at) for one in fresh])
    news = [_low_news(one, episode, at) for one, episode in zip(fresh, episodes, strict=True)]
    told = {"low": len(low), "told": len(news)}
    log.record("looked_for_low", by=by, at=at, subject=("partner", partner.pk), partner_id=partner.pk, **told)
    return enqueue_many(news, by=by, at=at)


def _end_episodes(partner: Partner, low: set[int], days: int, at: datetime) -> None:
    """Close the episodes of accounts whose money lasts longer by now, or is gone."""
    episodes = LowEpisode.objects.filter(ended_at=None, account__partner=partner).exclude(account_id__in=low)
    found = {episode.account_id: episode.pk for episode in episodes.order_by("id")[:LOW_MAX]}
    summaries = account_summaries(list(found), at=at)
    today = billing_day(at, ZoneInfo(partner.zone))
    over = [key for account_id, key in found.items() if not _is_low(summaries.get(account_id), today, days)]
    LowEpisode.objects.filter(pk__in=over).update(ended_at=at)


def _is_low(summary: AccountSummary | None, today: date, days: int) -> bool:
    return bool(summary and summary.pays_until and (summary.pays_until - today).days <= days)


def _low_news(one: RunningOut, episode: LowEpisode, at: datetime) -> News:
    last = one.summary.pays_until
    today = billing_day(at, ZoneInfo(one.account.zone))
    values = {"days": (last - today).days if last else None, **_standing(one.summary)}
    return News(kind="running_low", key=f"low:{episode.pk}", account_id=one.account.pk, values=values)


def _newest_money_blocks(account_ids: Iterable[int]) -> dict[int, Block]:
    blocks = Block.objects.filter(account_id__in=list(account_ids), cause=BlockCause.NO_MONEY).order_by("id")
    return {block.account_id: block for block in blocks.order_by("account_id", "-id").distinct("account_id")}  # type: ignore[misc] # never None here


def _about(block: Block, kind: str, values: Mapping[str, Value], summaries: Mapping[int, AccountSummary]) -> News:
    account_id = block.account_id or 0
    said = {**values, **_standing(summaries[account_id])}
    if kind == "service_on_hold":
        said.pop("paid_until", None)
    key = f"{'hold' if kind == 'service_on_hold' else 'restored'}:{block.pk}"
    return News(kind=kind, key=key, account_id=account_id, values=said)


def _of_document(document: Document, amount: int) -> dict[str, Value]:
    return {"number": document.number, "amount": Money(amount, document.currency), "due_on": document.due_on}


def _standing(summary: AccountSummary) -> dict[str, Value]:
    """What the account has, and until when it lasts."""
    balance = Money(summary.balance, summary.currency)
    return {"balance": balance, "paid_until": None if summary.lasts_long else summary.pays_until}
