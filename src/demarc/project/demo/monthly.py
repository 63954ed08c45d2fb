"""The month of the demo's recurring customers: documents on their day, payments, reminders, a wave of blocks, promises.

Staff do what staff would: they confirm what waits for them, write down a promise, give a discount, plan a pause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from demarc.base.actors import Actor
from demarc.base.hands import HANDS
from demarc.base.models import Partner
from demarc.billing.actions import (
    NewPayment,
    bill_item,
    confirm_run,
    confirm_wave,
    preview_run,
    promise,
    remind_and_block,
    work_run,
    work_wave,
)
from demarc.billing.models import Document, DocumentKind, WaveState
from demarc.billing.queries import due_runs
from demarc.core.period import next_billing_day
from demarc.customers.queries import accounts_blocked_for_money
from demarc.plans.actions import add_discount, plan_ahead

REMINDED_BEFORE = timedelta(days=3)
DISCOUNTED, PROMISING, GOING_AWAY = 12, 6, 5
"""How many get a discount, have promised to pay, are on vacation soon; so few, however large the demo is."""

INSTALLATION = 48_000
"""Minor units; it makes one document of the next run odd."""


@dataclass(frozen=True, slots=True)
class Payer:
    """One who pays by documents: so many days after each, or never."""

    account_id: int
    service_id: int
    pays_after: int | None


def welcome(payers: Sequence[Payer], *, by: Actor, at: datetime) -> None:
    """Some have bargained for a discount before they began."""
    for one in payers[:: max(1, len(payers) // DISCOUNTED)][:DISCOUNTED]:
        add_discount(service_id=one.service_id, percent=1000, by=by, at=at)


def bill_due(day: date, *, by: Actor, at: datetime) -> None:
    """Issue what is due on a day: the preview is looked at and confirmed."""
    for due in due_runs(None, at=at):
        run = preview_run(due.partner.pk, day=day, by=by, at=at, hands=HANDS)
        confirm_run(run.pk, by=by, at=at)
        work_run(run.pk, by=by, at=at, hands=HANDS)


def paid_on(payers: Mapping[int, Payer], day: date) -> list[NewPayment]:
    """What those pay whose day it is: exactly what is open on the document."""
    unpaid = Document.objects.filter(kind=DocumentKind.INVOICE, open_amount__gt=0)
    paid = []
    for issued_on in unpaid.order_by("issued_on").values_list("issued_on", flat=True).distinct():
        after = (day - issued_on).days
        due = [one.account_id for one in payers.values() if one.pays_after == after]
        rows = unpaid.filter(issued_on=issued_on, account__in=due).order_by("id") if due else unpaid.none()
        for document_id, account_id, amount in rows.values_list("id", "account_id", "open_amount"):
            key = f"demo:document:{document_id}"
            paid.append(NewPayment(account_id=account_id, amount=amount, method="bank", received_on=day, key=key))
    return paid


def dun(partner: Partner, *, by: Actor, at: datetime) -> None:
    """Remind and block, once a document is nearly due; a wave that waits because it is the first one is let go."""
    soon = at.date() + REMINDED_BEFORE
    if not Document.objects.filter(partner=partner, open_amount__gt=0, due_on__lte=soon).exists():
        return
    wave = remind_and_block(partner.pk, by=by, at=at, hands=HANDS).wave
    if wave is not None and wave.state == WaveState.HELD:
        confirm_wave(wave.pk, by=by, at=at)
        for _ in range(wave.size):  # a chunk each time
            if not work_wave(wave.pk, by=by, at=at):
                break


def look_ahead(partner: Partner, payers: Mapping[int, Payer], today: date, *, by: Actor, at: datetime) -> None:
    """What is agreed for the days to come: promises, vacations, an installation to be billed; and the preview of the
    next run, in which that one is odd."""
    blocked = accounts_blocked_for_money(partner_id=partner.pk)
    for account_id in islice((one for one in blocked if one in payers), PROMISING):
        promise(account_id, until=today + timedelta(days=7), comment="Called, pays on Friday", by=by, at=at)
    steady = [one for one in payers.values() if one.pays_after is not None][:GOING_AWAY]
    for one in steady:
        leaves = today + timedelta(days=10)
        plan_ahead(one.service_id, on=leaves, state="paused", by=by, at=at)
        plan_ahead(one.service_id, on=leaves + timedelta(days=14), state="active", by=by, at=at)
    for one in steady[-1:]:
        bill_item(account_id=one.account_id, text="Mast and installation", amount=INSTALLATION, by=by, at=at)
    preview_run(partner.pk, day=next_billing_day(today, 1), by=by, at=at, hands=HANDS)
