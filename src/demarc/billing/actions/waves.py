"""Waves: everybody of a partner who is blocked on one day, found, held when they are too many, worked off in chunks.

A wave is planned in one transaction and worked in short ones, so it may be killed, repeated or run twice at once: an
account is blocked once. A person may confirm a held wave, take the last one back, and stop all blocking.
"""

from collections.abc import Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from demarc.base import log, sql
from demarc.base.actors import Actor, recorded
from demarc.base.events import emit
from demarc.base.models import Partner
from demarc.billing.actions.invoices import cancel_item
from demarc.billing.actions.reassess import bill_fees, lift
from demarc.billing.debts import Case, PolicyBook, load_cases, moment_of, with_children
from demarc.billing.guards import halted
from demarc.billing.models import Item, RowState, Wave, WaveRow, WaveState
from demarc.core import dunning
from demarc.core.dunning import Moment, overdue
from demarc.core.errors import Refused
from demarc.core.period import billing_day
from demarc.plans.access_state import withhold

CHUNK = 2000
LAST_WAVES = 10
"""The usual size of a wave is the median of so many."""

BLOCKING = "Blocking for an unpaid document"

# Who owes something that is due and has no block for money yet; the rest is core's.
CANDIDATES = """
SELECT DISTINCT d.account_id FROM billing_document d
JOIN customers_account a ON a.id = d.account_id
WHERE a.partner_id = %(partner)s AND a.billing_type = 'recurring' AND d.open_amount > 0 AND d.disputed_at IS NULL
    AND d.due_on < %(today)s
    AND NOT EXISTS (SELECT FROM customers_block b WHERE b.account_id = a.id AND b.lifted_at IS NULL)
ORDER BY d.account_id
"""

# One who was spared or let online earlier on the day may have to be blocked after all.
ADD_ROWS = """
INSERT INTO billing_waverow (wave_id, account_id, amount, state)
SELECT %(wave)s, n.account_id, n.amount, 'waiting'
FROM unnest(%(accounts)s::bigint[], %(amounts)s::bigint[]) AS n (account_id, amount)
ON CONFLICT (wave_id, account_id) DO UPDATE SET state = 'waiting', amount = EXCLUDED.amount
WHERE billing_waverow.state <> 'waiting'
"""

COUNTS = """
UPDATE billing_wave w SET size = n.size, blocked = n.blocked, spared = n.spared, restored = n.restored,
    amount = n.amount
FROM (SELECT count(*) AS size, count(*) FILTER (WHERE state = 'blocked') AS blocked,
          count(*) FILTER (WHERE state = 'spared') AS spared, count(*) FILTER (WHERE state = 'restored') AS restored,
          coalesce(sum(amount), 0) AS amount
      FROM billing_waverow WHERE wave_id = %(wave)s) n
WHERE w.id = %(wave)s
"""


@transaction.atomic
def plan_wave(partner_id: int, *, by: Actor, at: datetime) -> Wave | None:
    """Find who is to be blocked now and add them to the day's wave; None when there is nobody, or when blocking is
    halted. A wave beyond its usual size is held for a person, as is the one after a wave that was taken back.

    Never refused. Whoever comes second waits for the first, and finds nobody left.
    """
    partner = Partner.objects.select_for_update(no_key=True).get(pk=partner_id)
    if halted(partner, at=at):
        return None
    day = billing_day(at, ZoneInfo(partner.zone))
    # Held before anybody is looked for: whoever works on it is through, and has left nobody half blocked.
    wave = Wave.objects.select_for_update(no_key=True).filter(partner=partner, day=day).first()
    if wave is not None and wave.state in (WaveState.RESTORING, WaveState.RESTORED):
        return None
    found = _found(partner, day, at)
    if not found:
        return None
    if wave is None:
        wave = Wave(partner=partner, day=day, state=WaveState.WORKING, **recorded(by, at))
        wave.usual_max = _usual_max(partner, wave)
        wave.save(force_insert=True)
    amounts = [sum(debt.amount for debt in overdue(case.facts, case.policy, day)) for case in found]
    accounts = sql.array(case.payer.account_id for case in found)
    sql.execute(ADD_ROWS, wave=wave.pk, accounts=accounts, amounts=sql.array(amounts))
    sql.execute(COUNTS, wave=wave.pk)
    wave.refresh_from_db()
    held = wave.size > wave.usual_max and not wave.confirmed_at
    wave.state = WaveState.HELD if held else WaveState.WORKING
    wave.save(update_fields=["state"])
    earlier = Wave.objects.filter(partner=partner, state=WaveState.HELD, day__lt=day)
    earlier.update(state=WaveState.DROPPED)
    _record("wave_held" if held else "wave_planned", wave, by, at)
    return wave


@transaction.atomic
def confirm_wave(wave_id: int, *, by: Actor, at: datetime) -> Wave:
    """Let a held wave go; a job works on it from now on (event WaveChanged). Refused: unknown wave, not held, blocking
    halted, an hour or a day on which the policy blocks nobody."""
    wave = _locked(wave_id)
    if wave.state != WaveState.HELD:
        raise Refused("Only a wave that is held can be confirmed.", code="not_held")
    why = halted(wave.partner, at=at)
    if why:
        raise Refused(f"Nobody is blocked now: {why}", code="halted")
    row = wave.rows.filter(state=RowState.WAITING).first()
    case = next(iter(load_cases([row.account_id] if row else [], at=at).values()), None)
    if case is not None and not _time_to_block(case, moment_of(case, at)):
        raise Refused("The rules block nobody at this hour or on this day; confirm it later.", code="not_now")
    wave.state, wave.confirmed_at, wave.confirmed_by = WaveState.WORKING, at, by.label
    wave.save(update_fields=["state", "confirmed_at", "confirmed_by"])
    _record("wave_confirmed", wave, by, at)
    emit("WaveChanged", queue="run", wave=wave.pk)
    return wave


@transaction.atomic
def restore_wave(wave_id: int, *, by: Actor, at: datetime) -> Wave:
    """Take the last wave back: all it blocked go online again, chunk by chunk (event WaveChanged), and the next wave
    waits for a person. Refused: unknown wave, not the partner's last one, nothing blocked by it."""
    wave = _locked(wave_id)
    if Wave.objects.filter(partner=wave.partner, day__gt=wave.day, blocked__gt=0).exists():
        raise Refused("Only the last wave can be taken back.", code="not_last")
    if wave.state not in (WaveState.DONE, WaveState.WORKING, WaveState.HELD) or not wave.blocked:
        raise Refused("This wave has blocked nobody who could be let online.", code="not_blocked")
    wave.state = WaveState.RESTORING
    wave.save(update_fields=["state"])
    _record("wave_taken_back", wave, by, at)
    emit("WaveChanged", queue="run", wave=wave.pk)
    return wave


@transaction.atomic
def work_wave(wave_id: int, *, by: Actor, at: datetime, chunk: int = CHUNK) -> bool:
    """Do one chunk of a wave, blocking or taking back: whether there is more to do. Never refused."""
    wave = Wave.objects.select_for_update(no_key=True, of=("self",)).select_related("partner").get(pk=wave_id)
    if wave.state == WaveState.WORKING:
        if halted(wave.partner, at=at):
            return False
        done = _block_chunk(wave, chunk, by, at)
    elif wave.state == WaveState.RESTORING:
        done = _restore_chunk(wave, chunk, by, at)
    else:
        return False
    sql.execute(COUNTS, wave=wave.pk)
    if not done:
        wave.state = WaveState.DONE if wave.state == WaveState.WORKING else WaveState.RESTORED
        wave.save(update_fields=["state"])
        wave.refresh_from_db()
        _record("wave_done", wave, by, at)
    return done


def _found(partner: Partner, day: date, at: datetime) -> list[Case]:
    """Who is to be blocked at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(CANDIDATES, {"partner": partner.pk, "today": day})
        candidates = [row[0] for row in cursor.fetchall()]
    found: list[Case] = []
    for start in range(0, len(candidates), CHUNK):
        cases = load_cases(candidates[start : start + CHUNK], at=at)
        found += [case for case in cases.values() if _to_block(case, at)]
    return found


def _to_block(case: Case, at: datetime) -> bool:
    return dunning.decide(case.facts, case.policy, moment_of(case, at), case.off).block


def _time_to_block(case: Case, moment: Moment) -> bool:
    return moment.hour >= case.policy.block_hour and dunning.permitted(case.policy, moment.day, case.off)


def _usual_max(partner: Partner, wave: Wave) -> int:
    guards = PolicyBook.of((), [partner.pk]).guards(partner.pk, wave.day)
    earlier = Wave.objects.filter(partner=partner).exclude(state__in=[WaveState.HELD, WaveState.DROPPED])
    last = list(earlier.order_by("-day")[:LAST_WAVES])
    if last and last[0].state in (WaveState.RESTORING, WaveState.RESTORED):
        return 0
    sizes = [one.blocked for one in last if one.state in (WaveState.DONE, WaveState.WORKING)]
    return dunning.held_back(sizes, guards.factor, guards.least)


def _block_chunk(wave: Wave, chunk: int, by: Actor, at: datetime) -> bool:
    rows = list(wave.rows.filter(state=RowState.WAITING).order_by("account_id")[:chunk])
    cases = load_cases([row.account_id for row in rows], at=at, lock=True)
    blocked = [case for case in cases.values() if _to_block(case, at)]
    families = with_children(case.payer.account_id for case in blocked)
    withhold({one: at for family in families.values() for one in family}, by=by, at=at, queue="run")
    bill_fees(blocked, BLOCKING, by=by, at=at)
    _set_rows(wave, rows, RowState.SPARED)
    _set_rows(wave, [row for row in rows if row.account_id in families], RowState.BLOCKED)
    told = {"wave": wave.pk, "blocked": len(blocked), "spared": len(rows) - len(blocked)}
    log.record("blocked_wave", by=by, at=at, subject=("partner", wave.partner_id), partner_id=wave.partner_id, **told)
    return len(rows) == chunk


def _restore_chunk(wave: Wave, chunk: int, by: Actor, at: datetime) -> bool:
    rows = list(wave.rows.filter(state=RowState.BLOCKED).order_by("account_id")[:chunk])
    cases = load_cases([row.account_id for row in rows], at=at, lock=True)
    lift([case for case in cases.values() if case.blocked_at is not None], by=by, at=at)
    fees = Item.objects.filter(account_id__in=list(cases), text=BLOCKING, recorded_at__gte=wave.recorded_at)
    for item in fees.filter(document=None, cancelled_at=None).order_by("id"):
        cancel_item(item.pk, by=by, at=at)
    _set_rows(wave, rows, RowState.RESTORED)
    return len(rows) == chunk


def _set_rows(wave: Wave, rows: Sequence[WaveRow], state: RowState) -> None:
    WaveRow.objects.filter(pk__in=[row.pk for row in rows]).update(state=state)


def _locked(wave_id: int) -> Wave:
    waves = Wave.objects.select_for_update(no_key=True, of=("self",)).select_related("partner")
    wave = waves.filter(pk=wave_id).first()
    if wave is None:
        raise Refused("There is no such wave.", field="wave_id", code="unknown")
    return wave


def _record(verb: str, wave: Wave, by: Actor, at: datetime) -> None:
    subject = ("partner", wave.partner_id)
    told = {"wave": wave.pk, "day": wave.day, "size": wave.size, "usual_max": wave.usual_max}
    log.record(verb, by=by, at=at, subject=subject, partner_id=wave.partner_id, **told)
