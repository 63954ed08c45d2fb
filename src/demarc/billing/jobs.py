"""The background doors of billing: the day's run, every minute until it is done, and accounts to try again."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from procrastinate.contrib.django import app

from demarc.base import clock
from demarc.base.actors import SYSTEM, Actor
from demarc.base.events import emit
from demarc.base.hands import HANDS
from demarc.base.models import Partner
from demarc.billing import actions
from demarc.core.errors import Refused

PACE = 200
"""So many accounts of a wave change in one job: routers and RADIUS get time in between."""


@app.periodic(cron="* * * * *")
@app.task(name="billing.open_days", queue="run")
def open_days(timestamp: int) -> None:
    """Run every partner's days that have begun; finds nothing to do on all but the first minutes of a day."""
    actions.bill(by=SYSTEM, at=clock.now(), hands=HANDS)


@app.task(name="billing.open_days_of", queue="run")
def open_days_of(partner: int) -> None:
    """Somebody wants a partner's days decided now (event DaysWanted)."""
    actions.bill(partner_id=partner, by=SYSTEM, at=clock.now(), hands=HANDS)


@app.task(name="billing.retry_accounts", queue="now")
def retry_accounts(accounts: list[int]) -> None:
    """Something that decides about these accounts has changed (event RetryDue)."""
    actions.retry_accounts(accounts, by=SYSTEM, at=clock.now())


@app.task(name="billing.correct_services", queue="now")
def correct_services(services: list[int]) -> None:
    """Facts of these services were recorded (event HoldingChanged)."""
    actions.change_services(services, by=SYSTEM, at=clock.now())


@app.task(name="billing.work_run", queue="run")
def work_run(run: int) -> None:
    """Somebody confirmed a run (event RunConfirmed)."""
    actions.work_run(run, by=SYSTEM, at=clock.now(), hands=HANDS)


@app.periodic(cron="*/10 * * * *")
@app.task(name="billing.issue_due", queue="run")
def issue_due(timestamp: int) -> None:
    """Preview every partner's due documents, once a day, and issue them or hold them; mostly there is nothing to do."""
    actions.issue_due(by=SYSTEM, at=clock.now(), hands=HANDS)


@app.periodic(cron="20 * * * *")
@app.task(name="billing.invoice_consumed", queue="run")
def invoice_consumed(timestamp: int) -> None:
    """Invoices of what prepaid accounts used in the month before; hourly, because zones differ, and mostly nothing."""
    actions.invoice_last_month(by=SYSTEM, at=clock.now())


@app.task(name="billing.preview_run", queue="run")
def preview_run(partner: int, asker: Sequence[Any]) -> None:
    """Somebody wants a preview of many accounts (event PreviewWanted); a run confirmed meanwhile comes first.

    `asker`: kind, id and label. The preview is his: no automatic one takes its place.
    """
    with suppress(Refused):
        actions.preview_run(partner, by=Actor(*asker), at=clock.now(), hands=HANDS)


@app.periodic(cron="1 * * * *")
@app.task(name="billing.dun", queue="run")
def dun(timestamp: int) -> None:
    """Every hour: remind and block as each partner's rules say."""
    for partner in Partner.objects.order_by("id"):
        actions.remind_and_block(partner.pk, by=SYSTEM, at=clock.now())


@app.task(name="billing.work_wave", queue="run")
def work_wave(wave: int) -> None:
    """One chunk of a wave that somebody confirmed or took back (event WaveChanged); what is left is the next job's."""
    if actions.work_wave(wave, by=SYSTEM, at=clock.now(), chunk=PACE):
        emit("WaveChanged", queue="run", wave=wave)
