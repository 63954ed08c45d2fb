"""The hourly work of dunning: remind, block, deactivate, let go whom nothing holds. Set-based and in chunks.

It may run every hour, late, twice at once or again after a kill: each document is reminded of once per reminder, each
account blocked once. The rules are core.dunning's, the facts billing.debts's.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from demarc.base import log, sql
from demarc.base.actors import Actor
from demarc.base.events import emit_ids
from demarc.base.hands import each
from demarc.base.models import Partner
from demarc.billing.actions.reassess import reassess, stays_blocked
from demarc.billing.actions.waves import plan_wave, work_wave
from demarc.billing.days_off import days_off
from demarc.billing.debts import Case, PolicyBook, load_cases, moment_of
from demarc.billing.guards import halted
from demarc.billing.models import Deactivation, DunningTerms, Wave, WaveState
from demarc.core import dunning
from demarc.core.dunning import LATE_DAYS, Reminder
from demarc.core.errors import Refused
from demarc.core.period import billing_day
from demarc.customers.models import BillingType, Block, BlockCause
from demarc.plans import actions as plans
from demarc.plans.access_state import set_access
from demarc.plans.models import Service, ServiceState

CHUNK = 2000

TO_REMIND = """
SELECT DISTINCT d.account_id FROM billing_document d
JOIN unnest(%(days)s::int[], %(first)s::date[], %(last)s::date[]) AS n (days, first, last)
    ON d.due_on BETWEEN n.first AND n.last
WHERE d.partner_id = %(partner)s AND d.open_amount > 0 AND d.disputed_at IS NULL
    AND NOT EXISTS (SELECT FROM billing_reminder r WHERE r.document_id = d.id AND r.days = n.days)
ORDER BY d.account_id
"""

REMEMBER = """
INSERT INTO billing_reminder (partner_id, account_id, document_id, days, day, channel, amount, at)
SELECT %(partner)s, n.account_id, n.document_id, n.days, n.day, n.channel, n.amount, %(at)s
FROM unnest(%(accounts)s::bigint[], %(documents)s::bigint[], %(days)s::int[], %(on)s::date[], %(channels)s::text[],
    %(amounts)s::bigint[]) AS n (account_id, document_id, days, day, channel, amount)
ON CONFLICT (document_id, days) DO NOTHING RETURNING id
"""

# Staff had let them online for a while, and the while is over.
GRACE_OVER = """
SELECT DISTINCT b.account_id FROM customers_block b
JOIN customers_account a ON a.id = b.account_id AND a.billing_type = 'recurring'
JOIN plans_service s ON s.account_id = a.id AND s.blocked_cause IS NULL
WHERE b.partner_id = %(partner)s AND b.lifted_at IS NULL AND b.grace_until <= %(at)s ORDER BY b.account_id
"""


@dataclass
class Dunned:
    """What a run led to. `halted`: why nobody was blocked, if so."""

    reminded: int = 0
    freed: int = 0
    blocked: int = 0
    deactivated: int = 0
    wave: Wave | None = None
    halted: str = ""


def remind_and_block(partner_id: int, *, by: Actor, at: datetime, chunk: int = CHUNK, hands: int = 1) -> Dunned:
    """Do for a partner's recurring accounts what is due at this hour, in chunks that are transactions of their own.

    Reminders go out as event Reminded. Nobody is blocked or deactivated while blocking is halted, and a wave beyond its
    usual size waits for a person. `hands` as in base.hands. Refused: unknown partner.
    """
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    done = Dunned(halted=halted(partner, at=at))
    _look_at_calendar(partner, at)
    to_remind = _chunks(_to_remind(partner, at), chunk)
    done.reminded = sum(each(lambda some: _remind(partner, some, by, at), to_remind, hands=hands))
    blocked = _chunks(_blocked(partner), chunk)
    done.freed = sum(each(lambda some: _free_chunk(some, by, at), blocked, hands=hands))
    if done.halted:
        return done
    if _anybody_deactivates(partner.pk):
        blocked = _chunks(_blocked(partner), chunk)
        done.deactivated = sum(each(lambda some: _deactivate_chunk(some, by, at), blocked, hands=hands))
    _close_graces(partner, by, at)
    done.wave = plan_wave(partner_id, by=by, at=at)
    done.blocked = _work_waves(partner, chunk, by, at)
    if done.wave is not None:
        done.wave.refresh_from_db()
    return done


def _look_at_calendar(partner: Partner, at: datetime) -> None:
    """Here, once: hands that are processes would each have to read it, which takes longer than their work."""
    today = billing_day(at, ZoneInfo(partner.zone))
    days_off(PolicyBook.of([], [partner.pk]).on(None, partner.pk, today).country, today.year)


def _work_waves(partner: Partner, chunk: int, by: Actor, at: datetime) -> int:
    """Work off what is planned, also what a run before this one left undone: how many were blocked."""
    blocked = 0
    for wave in Wave.objects.filter(partner=partner, state=WaveState.WORKING).order_by("day"):
        before = wave.blocked
        while work_wave(wave.pk, by=by, at=at, chunk=chunk):
            pass
        wave.refresh_from_db()
        blocked += wave.blocked - before
    return blocked


def _to_remind(partner: Partner, at: datetime) -> list[int]:
    """Accounts with a document for which some reminder is due by now and did not go out."""
    today, hour = billing_day(at, ZoneInfo(partner.zone)), at.astimezone(ZoneInfo(partner.zone)).hour
    earliest: dict[int, int] = {}
    for reminder in _reminders_in_use(partner.pk, today):
        earliest[reminder.days] = min(reminder.hour, earliest.get(reminder.days, reminder.hour))
    if not earliest:
        return []
    last = [today - timedelta(days=days + (0 if begun <= hour else 1)) for days, begun in earliest.items()]
    first = [today - timedelta(days=days + LATE_DAYS) for days in earliest]
    found = sql.rows(TO_REMIND, partner=partner.pk, days=list(earliest), first=first, last=last)
    return [row[0] for row in found]


def _reminders_in_use(partner_id: int, today: date) -> Iterable[Reminder]:
    """Those of the partner's rules and of the accounts' own."""
    own = DunningTerms.objects.filter(partner_id=partner_id, account__isnull=False, reminders__isnull=False)
    accounts = sorted(set(own.values_list("account_id", flat=True)))
    book = PolicyBook.of([account_id for account_id in accounts if account_id], [partner_id])
    for account_id in (None, *accounts):
        yield from book.on(account_id, partner_id, today).reminders


@transaction.atomic
def _remind(partner: Partner, account_ids: Sequence[int], by: Actor, at: datetime) -> int:
    rows: list[tuple[Any, ...]] = []
    for case in load_cases(account_ids, at=at).values():
        moment = moment_of(case, at)
        for sending in dunning.decide(case.facts, case.policy, moment, case.off).remind:
            debt, reminder = sending
            row = (debt.document_id, reminder.days, moment.day, reminder.channel.value, debt.amount)
            rows.append((case.payer.account_id, *row))
    if not rows:
        return 0
    names = ("accounts", "documents", "days", "on", "channels", "amounts")
    columns: dict[str, Any] = {name: [row[n] for row in rows] for n, name in enumerate(names)}
    sent = [row[0] for row in sql.rows(REMEMBER, partner=partner.pk, at=at, **columns)]
    emit_ids("Reminded", "reminders", sent, queue="run")
    if sent:
        told = {"reminders": len(sent), "accounts": len(account_ids)}
        log.record("reminded", by=by, at=at, subject=("partner", partner.pk), partner_id=partner.pk, **told)
    return len(sent)


def _blocked(partner: Partner) -> list[int]:
    """The partner's recurring accounts that are blocked for money, or whose services were stopped for it."""
    blocks = Block.objects.filter(partner=partner, lifted_at=None, cause=BlockCause.NO_MONEY)
    blocks = blocks.filter(account__billing_type=BillingType.RECURRING, account__parent=None)
    found = blocks.order_by("account_id").values_list("account_id", flat=True)
    return [account_id for account_id in found if account_id is not None]


def _free_chunk(account_ids: Sequence[int], by: Actor, at: datetime) -> int:
    return len(reassess(_wrongly_blocked(account_ids, at), by=by, at=at))


def _wrongly_blocked(account_ids: Sequence[int], at: datetime) -> list[int]:
    """Those whom nothing holds any more: a credit note, a change of the rules, a promise made elsewhere."""
    return [case.payer.account_id for case in load_cases(account_ids, at=at).values() if not stays_blocked(case, at=at)]


def _anybody_deactivates(partner_id: int) -> bool:
    return DunningTerms.objects.filter(partner_id=partner_id, deactivate_after_days__gt=0).exists()


@transaction.atomic
def _deactivate_chunk(account_ids: Sequence[int], by: Actor, at: datetime) -> int:
    cases = load_cases(account_ids, at=at).values()
    due = [case for case in cases if dunning.decide(case.facts, case.policy, moment_of(case, at), case.off).deactivate]
    for case in due:
        _deactivate(case, by, at)
    return len(due)


def _deactivate(case: Case, by: Actor, at: datetime) -> None:
    """Stop the services of an account that stayed blocked; its customer too, when he uses no other. Payment takes them
    up again."""
    account_id, customer_id = case.payer.account_id, case.payer.customer_id
    active = Service.objects.filter(state=ServiceState.ACTIVE).order_by("id")
    services = list(active.filter(account_id=account_id).values_list("id", flat=True))
    Deactivation.objects.create(account_id=account_id, services=services, at=at)
    if active.filter(customer_id=customer_id).exclude(account_id=account_id).exists():
        for service_id in services:
            plans.stop_service(service_id, by=by, at=at)
    else:
        plans.deactivate_customer(customer_id, by=by, at=at)
    told = {"account": account_id, "services": services, "blocked_on": case.facts.blocked_on}
    subject = ("customer", customer_id)
    log.record("deactivated_for_debt", by=by, at=at, subject=subject, partner_id=case.payer.partner_id, **told)


@transaction.atomic
def _close_graces(partner: Partner, by: Actor, at: datetime) -> None:
    accounts = [row[0] for row in sql.rows(GRACE_OVER, partner=partner.pk, at=at)]
    if accounts:
        set_access(accounts, at=at, queue="run")
        subject = ("partner", partner.pk)
        log.record("grace_ended", by=by, at=at, subject=subject, partner_id=partner.pk, accounts=len(accounts))


def _chunks(account_ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(account_ids), size):
        yield account_ids[start : start + size]
