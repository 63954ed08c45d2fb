"""The run of the documents that are due: previewed, confirmed, posted in chunks, paused, cancelled, resumed.

A preview is the run itself, rolled back: there is no second way to compute it. Only what was shown is posted: an
account whose documents would now sum to something else is left for the next preview. Both sum a digest of every
document, so that it can be said whether what was posted is what was shown.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import OperationalError, transaction
from django.db.models import QuerySet

from demarc.base import limits, log, sql
from demarc.base.actors import Actor, recorded
from demarc.base.events import emit
from demarc.base.hands import each
from demarc.base.models import Partner
from demarc.billing import anomalies
from demarc.billing.accounts import open_payers
from demarc.billing.actions.documents import Ready, issue
from demarc.billing.books import load_books
from demarc.billing.facts import Payer, payers
from demarc.billing.models import DocumentSource, InvoiceRun, PreviewRow, RunState
from demarc.billing.queries import accounts_due
from demarc.billing.queries.documents import WAITING
from demarc.core import recurring
from demarc.core.errors import Refused
from demarc.core.period import billing_day

CHUNK = 1000
AHEAD_MAX = timedelta(days=366)
"""How far ahead of today a preview looks."""
DIGEST = 1 << 256
Shown = dict[int, list[tuple[date, int]]]
"""By account, the day and the sum of each document of a preview."""

MOVE_ON = """
UPDATE billing_recurringstate s SET next_on = n.next_on
FROM unnest(%(accounts)s::bigint[], %(days)s::date[]) AS n (account_id, next_on) WHERE s.account_id = n.account_id
"""

PARK = """
UPDATE billing_recurringstate SET parked_reason = %(reason)s, parked_at = %(at)s
WHERE account_id = %(account)s AND parked_at IS NULL
"""

UNPARK = """
UPDATE billing_recurringstate SET parked_at = NULL, parked_reason = ''
WHERE account_id = %(account)s AND parked_at IS NOT NULL
"""

COUNT = """
UPDATE billing_invoicerun SET done = done + %(done)s, documents = documents + %(documents)s, net = net + %(net)s,
    tax = tax + %(tax)s, gross = gross + %(gross)s
WHERE id = %(run)s AND state <> 'cancelled' RETURNING posted_hash
"""

SHOWN = """
SELECT account_id, day, gross FROM billing_previewrow
WHERE run_id = %(run)s AND account_id = ANY(%(accounts)s::bigint[]) AND flag <> 'parked' ORDER BY id
"""

ADD_PREVIEW = "INSERT INTO billing_previewrow (run_id, account_id, day, gross, previous, flag, note)"

logger = logging.getLogger(__name__)


class Sums(NamedTuple):
    """What a chunk came to. `digest` is the sum of its documents' digests."""

    accounts: int = 0
    documents: int = 0
    net: int = 0
    tax: int = 0
    gross: int = 0
    digest: int = 0

    def plus(self, other: "Sums") -> "Sums":
        accounts, documents, net, tax, gross, digest = (a + b for a, b in zip(self, other, strict=True))
        return Sums(accounts, documents, net, tax, gross, digest % DIGEST)


@dataclass
class Outcome:
    """What billing some accounts led to. `changed`: those of which something else was shown."""

    sums: Sums = field(default_factory=Sums)
    ready: list[Ready] = field(default_factory=list)
    parked: dict[int, str] = field(default_factory=dict)
    changed: list[int] = field(default_factory=list)

    def plus(self, other: "Outcome") -> "Outcome":
        parked, changed = self.parked | other.parked, self.changed + other.changed
        return Outcome(self.sums.plus(other.sums), self.ready + other.ready, parked, changed)


@transaction.atomic
def preview_run(partner_id: int, *, day: date | None = None, by: Actor, at: datetime, hands: int = 1) -> InvoiceRun:
    """Compute the documents of all billing days through `day` (None: today) and roll them back; what is odd is named.

    A preview of the same partner and day that was not confirmed makes way; those of other days stay. The one of a later
    day has all that is due on earlier days, too. Both may be confirmed, the earlier one first: the later then issues
    the rest of what it showed. A run that is done ends the previews through its day: they would issue nothing more.

    `hands` as in base.hands. Refused: unknown partner, a day that is out of range, a run at work.
    """
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    today = billing_day(at, ZoneInfo(partner.zone))
    day = limits.fact_day(day or today, field="day")
    if day > today + AHEAD_MAX:
        raise Refused(f"Choose a day up to {today + AHEAD_MAX}.", field="day", code="date_out_of_range")
    _expect_no_run(partner_id)
    _make_way(InvoiceRun.objects.filter(partner=partner, day=day), at)
    run = InvoiceRun.objects.create(partner=partner, day=day, **recorded(by, at))
    sums, looked = Sums(), anomalies.Looked(partner_id, day)

    def rehearse(account_ids: Sequence[int]) -> tuple[Sums, anomalies.Looked]:
        outcome, seen = _rehearse(account_ids, day, by, at), anomalies.Looked(partner_id, day)
        seen.look([(one.payer.account_id, one.draft) for one in outcome.ready], outcome.parked)
        return outcome.sums, seen

    for summed, seen in each(rehearse, accounts_due(partner_id, day, chunk=CHUNK), hands=hands):
        sums = sums.plus(summed)
        looked.add(seen)
        sql.insert(ADD_PREVIEW, ((run.pk, *row) for row in seen.rows))
    run.accounts, run.done = sums.accounts, 0
    run.documents, run.net, run.tax, run.gross = sums.documents, sums.net, sums.tax, sums.gross
    run.preview_hash, run.anomalies = _hex(sums.digest), looked.found()
    run.save()
    log.record(
        "previewed_run",
        by=by,
        at=at,
        subject=("partner", partner_id),
        partner_id=partner_id,
        run=run.pk,
        day=day,
        documents=run.documents,
        gross=run.gross,
    )
    return run


@transaction.atomic
def bill_all(partner_id: int, *, day: date, by: Actor, at: datetime) -> Outcome:
    """Issue the documents of all billing days through `day`, as the run does, without a preview, a run or a person: for
    a caller who takes everything back. Refused: a day that is out of range, a run at work."""
    limits.fact_day(day, field="day")
    _expect_no_run(partner_id)
    outcome = Outcome()
    for account_ids in list(accounts_due(partner_id, day, chunk=CHUNK)):
        outcome = outcome.plus(_bill(account_ids, day, None, by, at))
    return outcome


@transaction.atomic
def confirm_run(run_id: int, *, by: Actor, at: datetime) -> InvoiceRun:
    """Let a previewed run be posted; a job works on it from now on (event RunConfirmed).

    Refused: unknown run, not a preview, a day that has not begun, another run at work.
    """
    run = _locked(run_id)
    if run.state not in (RunState.PREVIEW, RunState.HELD):
        raise Refused("Only a preview can be confirmed; make a new one.", code="not_a_preview")
    if run.day > billing_day(at, ZoneInfo(run.partner.zone)):
        raise Refused(f"{run.day} has not begun; documents are issued on their day.", code="future")
    if InvoiceRun.objects.filter(partner=run.partner, state__in=[RunState.RUNNING, RunState.PAUSED]).exists():
        raise Refused("Another run is at work; wait for it or cancel it first.", code="running")
    run.state, run.confirmed_at, run.confirmed_by = RunState.RUNNING, at, by.label
    run.done = run.documents = run.net = run.tax = run.gross = 0
    run.save()
    _record("confirmed_run", run, by, at)
    emit("RunConfirmed", queue="run", run=run.pk)
    return run


@transaction.atomic
def hold_run(run_id: int, *, by: Actor, at: datetime) -> InvoiceRun:
    """Leave a preview for a person, because something is odd. Refused: unknown run, not a preview."""
    run = _locked(run_id)
    if run.state != RunState.PREVIEW:
        raise Refused("Only a preview can be held.", code="not_a_preview")
    return _set(run, RunState.HELD, "held_run", by, at)


@transaction.atomic
def pause_run(run_id: int, *, by: Actor, at: datetime) -> InvoiceRun:
    """Stop after the chunk at work; what is issued stays. Refused: unknown run, not at work."""
    run = _locked(run_id)
    if run.state != RunState.RUNNING:
        raise Refused("This run is not at work.", code="not_running")
    return _set(run, RunState.PAUSED, "paused_run", by, at)


@transaction.atomic
def resume_run(run_id: int, *, by: Actor, at: datetime) -> InvoiceRun:
    """Go on where a paused run stopped. Refused: unknown run, not paused."""
    run = _locked(run_id)
    if run.state != RunState.PAUSED:
        raise Refused("This run is not paused.", code="not_paused")
    run = _set(run, RunState.RUNNING, "resumed_run", by, at)
    emit("RunConfirmed", queue="run", run=run.pk)
    return run


@transaction.atomic
def cancel_run(run_id: int, *, by: Actor, at: datetime) -> InvoiceRun:
    """End it for good; what is issued stays, the rest is due in the next run. Refused: unknown run, ended already."""
    run = _locked(run_id)
    if run.state in (RunState.DONE, RunState.CANCELLED):
        raise Refused("This run has ended.", code="ended")
    run.finished_at = at
    return _set(run, RunState.CANCELLED, "cancelled_run", by, at)


def work_run(run_id: int, *, by: Actor, at: datetime, hands: int = 1) -> InvoiceRun:
    """Post a confirmed run, chunk by chunk, each a transaction of its own, until it is done, paused or cancelled.

    May be called twice at once and again after a kill: an account is billed once. Accounts that have changed since the
    preview stay due. `hands` as in base.hands. Never refused.
    """
    run = InvoiceRun.objects.get(pk=run_id)

    def post(account_ids: Sequence[int]) -> list[int] | None:
        if not InvoiceRun.objects.filter(pk=run_id, state=RunState.RUNNING).exists():
            return None
        return _post_chunk(run, account_ids, by=by, at=at)

    changed = each(post, accounts_due(run.partner_id, run.day, chunk=CHUNK), hands=hands)
    left = [some for some in changed if some is not None]
    if len(left) == len(changed):
        _finish(run, sorted(account_id for some in left for account_id in some), by, at)
    run.refresh_from_db()
    return run


@transaction.atomic
def unpark_recurring(account_id: int, *, by: Actor, at: datetime) -> None:
    """Take a parked account back into the runs. Refused: it is not parked."""
    payer = payers([account_id], at=at).get(account_id)
    if payer is None or not sql.execute(UNPARK, account=account_id):
        raise Refused("This account is not parked.", field="account_id", code="not_parked")
    subject = ("customer", payer.customer_id)
    log.record("unparked", by=by, at=at, subject=subject, partner_id=payer.partner_id)


def _expect_no_run(partner_id: int) -> None:
    if InvoiceRun.objects.filter(partner=partner_id, state__in=[RunState.RUNNING, RunState.PAUSED]).exists():
        raise Refused("A run is at work; wait for it or cancel it first.", code="running")


def _rehearse(account_ids: Sequence[int], day: date, by: Actor, at: datetime) -> Outcome:
    """Bill a chunk and take it back."""
    with transaction.atomic():
        outcome = _bill(account_ids, day, None, by, at)
        transaction.set_rollback(True)
    return outcome


@transaction.atomic
def _post_chunk(run: InvoiceRun, account_ids: Sequence[int], *, by: Actor, at: datetime) -> list[int] | None:
    """Bill a chunk as it was shown; the accounts that were left because something else would be billed now. None: the
    run was cancelled meanwhile, and nothing of the chunk is billed."""
    outcome = _bill(account_ids, run.day, run.pk, by, at, _shown(run, account_ids))
    sums = outcome.sums
    counted = sql.rows(COUNT, **sums._asdict(), done=sums.accounts, run=run.pk)
    if not counted:
        transaction.set_rollback(True)
        return None
    ((before,),) = counted
    after = _hex((int(before or "0", 16) + sums.digest) % DIGEST)
    sql.execute("UPDATE billing_invoicerun SET posted_hash = %(hash)s WHERE id = %(run)s", hash=after, run=run.pk)
    told = {"run": run.pk, "accounts": sums.accounts, "documents": sums.documents, "gross": sums.gross}
    log.record(
        "issued_documents",
        by=by,
        at=at,
        subject=("partner", run.partner_id),
        partner_id=run.partner_id,
        parked=outcome.parked,
        **told,
    )
    return outcome.changed


def _shown(run: InvoiceRun, account_ids: Sequence[int]) -> Shown | None:
    """What the preview showed of these accounts; None: the run was not previewed."""
    if not run.preview_hash:
        return None
    shown: Shown = {account_id: [] for account_id in account_ids}
    for account_id, day, gross in sql.rows(SHOWN, run=run.pk, accounts=sql.array(account_ids)):
        shown[account_id].append((day, gross))
    return shown


def _bill(
    account_ids: Sequence[int], day: date, run_id: int | None, by: Actor, at: datetime, shown: Shown | None = None
) -> Outcome:
    """Bill these accounts through `day`. One that cannot be billed is parked and the others are billed without it."""
    try:
        with transaction.atomic():
            return _bill_all(account_ids, day, run_id, by, at, shown)
    except OperationalError:
        raise
    except Exception as error:
        if len(account_ids) == 1:
            logger.exception("account %s cannot be billed", account_ids[0])
            return Outcome(parked=_park({account_ids[0]: _reason(error)}, at))
    half = len(account_ids) // 2  # one account spoils the statement of all: halve until it stands alone
    first = _bill(account_ids[:half], day, run_id, by, at, shown)
    return first.plus(_bill(account_ids[half:], day, run_id, by, at, shown))


def _bill_all(
    account_ids: Sequence[int], day: date, run_id: int | None, by: Actor, at: datetime, shown: Shown | None
) -> Outcome:
    open_payers(account_ids)
    found = payers(account_ids, at=at, lock=True)
    books = load_books({payer.account_id: payer.partner_id for payer in found.values()}, day=day)
    ready: list[Ready] = []
    moved: dict[int, date] = {}
    parked: dict[int, str] = {}
    changed: list[int] = []
    for payer in found.values():
        state = books.states[payer.account_id]
        if state.next_on is None or state.parked or state.next_on > day:
            continue
        book = books.books[payer.account_id]
        try:
            drafts = list(recurring.due(book, state.next_on, day))
        except Exception as error:
            logger.exception("account %s cannot be billed", payer.account_id)
            parked[payer.account_id] = _reason(error)
            continue
        fresh = [_ready(payer, draft) for _, draft in drafts if draft is not None]
        if shown is not None and _sum_up(fresh) != _still_due(shown[payer.account_id], state.next_on):
            changed.append(payer.account_id)
            continue
        ready += fresh
        if drafts:
            moved[payer.account_id] = recurring.following(book.rules, drafts[-1][0])
    issue(ready, by=by, at=at, run_id=run_id)
    if moved:
        sql.execute(MOVE_ON, accounts=sql.array(moved), days=sql.array(moved.values()))
    return Outcome(_sums(ready, len(moved)), ready, _park(parked, at), changed)


def _ready(payer: Payer, draft: recurring.Draft) -> Ready:
    return Ready(payer, draft, DocumentSource.RUN, f"run:{payer.account_id}:{draft.on}")


def _sum_up(fresh: Sequence[Ready]) -> list[tuple[date, int]]:
    return [(one.draft.on, one.draft.totals.gross) for one in fresh]


def _still_due(shown: Sequence[tuple[date, int]], next_on: date) -> list[tuple[date, int]]:
    """What was shown, without what a run of an earlier day has issued since."""
    return [(day, gross) for day, gross in shown if day >= next_on]


def _sums(ready: Sequence[Ready], accounts: int) -> Sums:
    totals = [one.draft.totals for one in ready]
    net, tax, gross = (sum(one.net for one in totals), sum(one.tax for one in totals), sum(one.gross for one in totals))
    return Sums(accounts, len(ready), net, tax, gross, sum(map(_digest, ready)) % DIGEST)


def _digest(one: Ready) -> int:
    """A number that changes with anything a customer would see on the document. Rates are said as the lines have them:
    equal documents may share their totals, which then write 0.2 where another wrote 0.20."""
    draft = one.draft
    net, tax, gross, taxes, revenues = draft.totals
    lines = [
        (text, first, last, amount, *taxed, revenue, service_id, item_id)
        for text, (amount, taxed, revenue), first, last, service_id, _, _, item_id in draft.lines
    ]
    sums = (net, tax, gross, [(by.category, by.net, by.tax) for by in taxes], revenues)
    said = repr((one.payer.account_id, draft.on, draft.due_on, lines, sums))
    return int.from_bytes(hashlib.sha256(said.encode()).digest(), "big")


def _hex(digest: int) -> str:
    return f"{digest:064x}"


def _finish(run: InvoiceRun, changed: Sequence[int], by: Actor, at: datetime) -> None:
    """All that was due is issued, parked, or left for the next preview."""
    found = [*run.anomalies, *anomalies.since_preview(changed)]
    at_work = InvoiceRun.objects.filter(pk=run.pk, state=RunState.RUNNING)
    if at_work.update(state=RunState.DONE, finished_at=at, anomalies=found):
        runs = InvoiceRun.objects.filter(partner_id=run.partner_id)
        _make_way(runs.filter(day__lte=run.day), at)
        PreviewRow.objects.filter(run__in=runs.filter(pk__lt=run.pk).exclude(state__in=WAITING)).delete()
        _record("finished_run", run, by, at)


def _make_way(runs: QuerySet[InvoiceRun], at: datetime) -> None:
    """End those of the runs that were not confirmed."""
    runs.filter(state__in=WAITING).update(state=RunState.CANCELLED, finished_at=at)


def _locked(run_id: int) -> InvoiceRun:
    run = InvoiceRun.objects.select_for_update(of=("self",)).select_related("partner").filter(pk=run_id).first()
    if run is None:
        raise Refused("There is no such run.", field="run_id", code="unknown")
    return run


def _set(run: InvoiceRun, state: RunState, verb: str, by: Actor, at: datetime) -> InvoiceRun:
    run.state = state
    run.save(update_fields=["state", "finished_at"])
    _record(verb, run, by, at)
    return run


def _record(verb: str, run: InvoiceRun, by: Actor, at: datetime) -> None:
    subject = ("partner", run.partner_id)
    log.record(verb, by=by, at=at, subject=subject, partner_id=run.partner_id, run=run.pk, day=run.day)


def _park(reasons: dict[int, str], at: datetime) -> dict[int, str]:
    for account_id, reason in reasons.items():
        sql.execute(PARK, account=account_id, reason=reason, at=at)
    return reasons


def _reason(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
