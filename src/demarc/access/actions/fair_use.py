"""Fair use: what a plan allows in a month is set; what services used is added up from accounting, and who is through is
slowed or blocked until his month is over.
"""

from datetime import datetime
from typing import Required, TypedDict, Unpack

from django.db import connection, transaction

from demarc.access.actions.sync import project
from demarc.access.models import FairUse, FairUseAnswer, MonthUse
from demarc.access.models_fair_use import Counts, FairUseBlock
from demarc.base import log
from demarc.base.actors import SYSTEM, Actor
from demarc.base.events import emit, emit_ids
from demarc.base.models import Partner
from demarc.core.errors import Refused
from demarc.network.models import NasType
from demarc.plans.models import Plan, PlanKind

MEASURED_AT_ONCE = 2000
MONTHLY_GB_MAX = 1_000_000

# What is used cannot be counted in full at every turn: a service is looked at again when, at twice its plan's speed
# (there may be a burst), it could be through, and after an hour. Usage is kept by the hour of UTC: where a month begins
# at half past, that half hour counts for nobody.
MEASURE = """
WITH due AS MATERIALIZED (
    SELECT s.id AS service_id, begun.month, fair.counts, fair.monthly_gb * 1000000000::bigint AS volume,
        plan.speed_down_kbps + plan.speed_up_kbps AS kbps,
        CASE WHEN used.month = begun.month THEN used.passed_at END AS passed_at,
        used.passed_at IS NOT NULL AS was_passed
    FROM access_fairuse fair
    JOIN plans_plan plan ON plan.id = fair.plan_id
    JOIN plans_service s ON s.plan_id = plan.id AND s.state <> 'ended'
    JOIN base_partner partner ON partner.id = s.partner_id
    CROSS JOIN LATERAL (
        SELECT date_trunc('month', %(at)s AT TIME ZONE partner.zone) AT TIME ZONE partner.zone
    ) begun (month)
    LEFT JOIN access_monthuse used ON used.service_id = s.id
    WHERE used.service_id IS NULL OR used.month <> begun.month OR used.due_at <= %(at)s
    ORDER BY s.id LIMIT %(limit)s
), counted AS MATERIALIZED (
    SELECT due.*, coalesce((
        SELECT sum(CASE due.counts WHEN 'down' THEN hourly.output_octets WHEN 'up' THEN hourly.input_octets
                   ELSE hourly.input_octets + hourly.output_octets END)
        FROM access_usage hourly WHERE hourly.service_id = due.service_id AND hourly.hour >= due.month), 0)::bigint
        AS octets
    FROM due
), written AS (
    INSERT INTO access_monthuse (service_id, month, octets, measured_at, passed_at, due_at)
    SELECT service_id, month, octets, %(at)s, CASE WHEN octets >= volume THEN coalesce(passed_at, %(at)s) END,
        %(at)s + make_interval(secs => CASE WHEN octets >= volume THEN 3600 ELSE
            least(3600, greatest(240, (volume - octets) * 8.0 / 1000 / (2 * kbps))) END)
    FROM counted
    ON CONFLICT (service_id) DO UPDATE SET month = excluded.month, octets = excluded.octets,
        measured_at = excluded.measured_at, passed_at = excluded.passed_at, due_at = excluded.due_at
)
SELECT service_id, (octets >= volume) <> was_passed FROM counted ORDER BY service_id
"""


@transaction.atomic
def measure_fair_use(*, by: Actor = SYSTEM, at: datetime) -> bool:
    """Add up what services used whose turn it is, at most MEASURED_AT_ONCE, and bring those after it who are through
    their volume or, in a new month, not any more; whether there may be more to add up.

    Writes a log row when something changed. Refuses nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(MEASURE, {"at": at, "limit": MEASURED_AT_ONCE})
        rows = cursor.fetchall()
    turned = [service_id for service_id, has_turned in rows if has_turned]
    if turned:
        told = project(turned, at=at).told
        log.record("fair_use_applied", by=by, at=at, subject=("access", None), services=len(turned), sessions=told)
    return len(rows) == MEASURED_AT_ONCE


class FairUseFacts(TypedDict, total=False):
    """`counts`: models_fair_use.Counts, else both; without speeds, kbit/s, who is through is blocked."""

    monthly_gb: Required[int]
    counts: str
    down_kbps: int
    up_kbps: int


@transaction.atomic
def set_fair_use(plan_id: int, *, by: Actor, at: datetime, **facts: Unpack[FairUseFacts]) -> FairUse:
    """Let services of a plan use so many GB a month, and slow or block them then. It holds for the month that is on;
    who is through, or is so no more, is told at once or within five minutes.

    Refused: no such internet plan; a number out of range; one speed without the other, or above the plan's.
    """
    plan = _plan(plan_id)
    wanted = {"counts": Counts.BOTH.value, "down_kbps": 0, "up_kbps": 0} | facts
    if not 1 <= facts["monthly_gb"] <= MONTHLY_GB_MAX:
        raise Refused(f"Name 1 to {MONTHLY_GB_MAX:,} GB.", field="monthly_gb", code="out_of_range")
    if wanted["counts"] not in Counts.values:
        raise Refused(f"Choose one of {', '.join(Counts.values)}.", field="counts")
    _check_speeds(plan, facts.get("down_kbps", 0), facts.get("up_kbps", 0))
    made, _ = FairUse.objects.update_or_create(plan=plan, defaults=wanted)
    log.record("fair_use_set", by=by, at=at, subject=("plan", plan_id), partner_id=plan.partner_id, **wanted)
    _look_again(plan, at)
    return made


@transaction.atomic
def drop_fair_use(plan_id: int, *, by: Actor, at: datetime) -> None:
    """Let services of a plan use as much as they like. Refused: no such internet plan."""
    plan = _plan(plan_id)
    FairUse.objects.filter(plan=plan).delete()
    log.record("fair_use_dropped", by=by, at=at, subject=("plan", plan_id), partner_id=plan.partner_id)
    _look_again(plan, at)


@transaction.atomic
def set_fair_use_block(partner_id: int, nas_type: str, *, block: str, by: Actor, at: datetime) -> None:
    """How a partner's routers of a make are told to block whose volume is used up; empty: as other customers.

    Refused: no such partner, make or choice.
    """
    if nas_type not in NasType.values:
        raise Refused(f"Choose one of {', '.join(NasType.values)}.", field="nas_type")
    if block and block not in FairUseBlock.values:
        raise Refused(f"Choose one of {', '.join(FairUseBlock.values)}.", field="fair_use")
    if not Partner.objects.select_for_update().filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    if block:
        defaults = {"block": block}
        FairUseAnswer.objects.update_or_create(partner_id=partner_id, nas_type=nas_type, defaults=defaults)
    else:
        FairUseAnswer.objects.filter(partner_id=partner_id, nas_type=nas_type).delete()
    told = {"nas_type": nas_type, "block": block}
    log.record("fair_use_block_set", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **told)
    emit("PolicyChanged", partners=[partner_id])


def _plan(plan_id: int) -> Plan:
    plan = Plan.objects.select_for_update().filter(pk=plan_id, kind=PlanKind.INTERNET).first()
    if plan is None:
        raise Refused("There is no such internet plan.", field="plan_id", code="unknown")
    return plan


def _check_speeds(plan: Plan, down_kbps: int, up_kbps: int) -> None:
    pairs = (("down_kbps", down_kbps, plan.speed_down_kbps), ("up_kbps", up_kbps, plan.speed_up_kbps))
    for field, kbps, full in pairs:
        if not 0 <= kbps <= full:
            raise Refused(f"Not faster than the plan's {full} kbit/s.", field=field, code="out_of_range")
        if (kbps == 0) != (down_kbps + up_kbps == 0):
            raise Refused("Name both speeds, or none.", field=field, code="out_of_range")


def _look_again(plan: Plan, at: datetime) -> None:
    """Those of the plan are counted at the next turn; those who were through hear of it now."""
    counted = MonthUse.objects.filter(service__plan=plan)
    counted.update(due_at=at)
    through = counted.exclude(passed_at=None).order_by("service_id")
    emit_ids("ServiceChanged", "services", list(through.values_list("service_id", flat=True)))
