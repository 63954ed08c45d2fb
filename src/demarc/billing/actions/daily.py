"""Due documents without anybody asking: previewed every day, issued when nothing is odd, else held."""

import logging
from datetime import datetime

from django.db import transaction

from demarc.base import log
from demarc.base.actors import SYSTEM, Actor
from demarc.base.events import emit
from demarc.base.models import Partner, Setting
from demarc.billing.actions.runs import confirm_run, hold_run, preview_run
from demarc.billing.models import InvoiceRun, PreviewRow, RunState
from demarc.billing.queries import AT_WORK, auto_issue, due_runs
from demarc.billing.queries.documents import AUTO_ISSUE
from demarc.core.errors import Refused

logger = logging.getLogger(__name__)

ENDED = (RunState.DONE,)
"""After a run of today that is done, what became due later has one of its own; any other of today is a person's."""


def issue_due(*, by: Actor, at: datetime, hands: int = 1) -> list[InvoiceRun]:
    """Preview each partner's due documents once a day; confirm what is not odd where the partner lets us, else hold.

    A preview of today that somebody made, cancelled or confirmed is left alone, and so is a partner whose run is at
    work or paused. What was held on earlier days makes way: its documents are all in the new one, so that one thing is
    to be done, however long nobody looks. A preview that somebody made stays. What fails for one partner is logged, and
    does not keep the others waiting. `hands` as in base.hands. Never refused.
    """
    found = []
    for due in due_runs(None, at=at):
        if due.run is not None and due.run.state in AT_WORK:
            continue
        newest = InvoiceRun.objects.filter(partner=due.partner, day__lte=due.day).order_by("-id").first()
        if due.accounts and (newest is None or newest.day < due.day or newest.state in ENDED):
            try:
                found.append(_issue(due.partner.pk, by, at, hands))
            except Exception:
                logger.exception("the documents of partner %s cannot be previewed", due.partner.pk)
    return found


@transaction.atomic
def _issue(partner_id: int, by: Actor, at: datetime, hands: int) -> InvoiceRun:
    run = preview_run(partner_id, by=by, at=at, hands=hands)
    _replace_held(run, at)
    if run.anomalies or not auto_issue(partner_id):
        return hold_run(run.pk, by=by, at=at)
    return confirm_run(run.pk, by=by, at=at)


def _replace_held(run: InvoiceRun, at: datetime) -> None:
    """End what was previewed by itself and held on earlier days; its rows are shown by the new run."""
    earlier = InvoiceRun.objects.filter(partner=run.partner_id, day__lt=run.day, pk__lt=run.pk, state=RunState.HELD)
    replaced = list(earlier.filter(by_kind=SYSTEM.kind).values_list("id", flat=True))
    PreviewRow.objects.filter(run__in=replaced).delete()
    InvoiceRun.objects.filter(pk__in=replaced).update(state=RunState.CANCELLED, finished_at=at)


@transaction.atomic
def ask_preview(partner_id: int, *, by: Actor, at: datetime) -> None:
    """Let a job compute the preview of a partner with many accounts (event PreviewWanted). Refused: unknown partner, a
    run at work."""
    if not Partner.objects.filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    if InvoiceRun.objects.filter(partner_id=partner_id, state__in=[RunState.RUNNING, RunState.PAUSED]).exists():
        raise Refused("A run is at work; wait for it or cancel it first.", code="running")
    log.record("asked_preview", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id)
    emit("PreviewWanted", queue="run", partner=partner_id, asker=[by.kind, by.id, by.label])


@transaction.atomic
def set_auto_issue(partner_id: int, *, auto: bool, by: Actor, at: datetime) -> bool:
    """Whether runs in which nothing is odd are confirmed without a person. Refused: unknown partner."""
    if not Partner.objects.filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    Setting.objects.update_or_create(partner_id=partner_id, key=AUTO_ISSUE, defaults={"value": auto})
    subject = ("partner", partner_id)
    log.record("auto_issue_set", by=by, at=at, subject=subject, partner_id=partner_id, auto=auto)
    return auto
