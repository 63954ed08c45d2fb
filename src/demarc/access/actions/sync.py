"""From a service's state to its logins' rows, and from these to what routers must be told. Set-based; safe to repeat.

What is wanted is written down as a whole (list and speed, or a cut), never as a change, so that a repeated, late or
lost job does no harm.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from demarc.access.fair_use import fair_answers, slow_speed
from demarc.access.feed import tell_radius, wake_coa_sender
from demarc.access.rates import rate_text
from demarc.base import log
from demarc.base.actors import SYSTEM, Actor
from demarc.billing.queries import owed
from demarc.customers.models import BlockCause
from demarc.network.queries import RESTORE_LIST, cut_instead, router_answers
from demarc.plans.models import Plan, Service

LOCK = "SELECT id FROM access_subscriber WHERE service_id = ANY(%(services)s) ORDER BY id FOR NO KEY UPDATE"

# From here on rows are found from a list of ids by primary keys: the plan stays good whatever the statistics say.
RELEASE = """
WITH addresses AS (
    UPDATE access_staticaddress held SET active = false
    WHERE held.subscriber_id = ANY(%(subscribers)s) AND held.active AND EXISTS (
        SELECT FROM access_subscriber sub JOIN plans_service s ON s.id = sub.service_id
        WHERE sub.id = held.subscriber_id AND s.state = 'ended')
), prefixes AS (
    UPDATE access_staticprefix held SET active = false
    WHERE held.subscriber_id = ANY(%(subscribers)s) AND held.active AND EXISTS (
        SELECT FROM access_subscriber sub JOIN plans_service s ON s.id = sub.service_id
        WHERE sub.id = held.subscriber_id AND s.state = 'ended')
)
UPDATE access_boundmac held SET active = false
WHERE held.subscriber_id = ANY(%(subscribers)s) AND held.active AND EXISTS (
    SELECT FROM access_subscriber sub JOIN plans_service s ON s.id = sub.service_id
    WHERE sub.id = held.subscriber_id AND s.state = 'ended')
"""

# A statement of its own after the lock: in READ COMMITTED only a new statement sees what the one who held the lock,
# and the service's change before him, have committed.
PROJECT = """
WITH mine AS MATERIALIZED (
    SELECT * FROM access_subscriber WHERE id = ANY(%(subscribers)s)
), wanted AS MATERIALIZED (
    SELECT mine AS old, s.state = 'active' AS active,
        coalesce(s.blocked_cause, CASE used.fair_use WHEN 'blocked' THEN 2 END) AS cause,
        coalesce(used.passed_at, s.access_since) AS since,
        CASE used.fair_use WHEN 'slowed' THEN plan.slow_down_kbps ELSE plan.down_kbps END AS down_kbps,
        CASE used.fair_use WHEN 'slowed' THEN plan.slow_up_kbps ELSE plan.up_kbps END AS up_kbps,
        CASE used.fair_use WHEN 'slowed' THEN plan.slow_rate ELSE plan.rate_limit END AS rate_limit,
        coalesce(used.fair_use, '') AS fair_use,
        (SELECT a.address FROM access_staticaddress a
         WHERE a.subscriber_id = mine.id AND a.active ORDER BY a.id LIMIT 1) AS static_ipv4,
        six.framed_ipv6_prefix, six.delegated_prefix, six.framed_ipv6,
        ARRAY(SELECT upper(m.mac::text) FROM access_boundmac m
              WHERE m.subscriber_id = mine.id AND m.active ORDER BY m.mac)::varchar(17)[] AS macs,
        due.owed, coalesce(due.currency, '') AS owed_currency
    FROM mine
    JOIN plans_service s ON s.id = mine.service_id
    JOIN unnest(%(plans)s::bigint[], %(down)s::int[], %(up)s::int[], %(rates)s::text[],
                %(slow_down)s::int[], %(slow_up)s::int[], %(slow_rates)s::text[])
        AS plan (id, down_kbps, up_kbps, rate_limit, slow_down_kbps, slow_up_kbps, slow_rate) ON plan.id = s.plan_id
    LEFT JOIN LATERAL (
        SELECT CASE WHEN fair.down_kbps > 0 THEN 'slowed' ELSE 'blocked' END AS fair_use,
            CASE WHEN fair.down_kbps = 0 THEN month.passed_at END AS passed_at
        FROM access_fairuse fair
        JOIN access_monthuse month ON month.service_id = s.id
        JOIN base_partner partner ON partner.id = s.partner_id
        WHERE fair.plan_id = s.plan_id AND s.blocked_cause IS NULL
            AND month.octets >= fair.monthly_gb * 1000000000::bigint
            AND month.month = date_trunc('month', %(at)s AT TIME ZONE partner.zone) AT TIME ZONE partner.zone
    ) used ON true
    LEFT JOIN LATERAL (
        SELECT max(p.prefix::inet) FILTER (WHERE p.kind = 'framed')::cidr AS framed_ipv6_prefix,
            max(p.prefix::inet) FILTER (WHERE p.kind = 'delegated')::cidr AS delegated_prefix,
            host(max(p.prefix::inet) FILTER (WHERE p.kind = 'address'))::inet AS framed_ipv6
        FROM access_staticprefix p WHERE p.subscriber_id = mine.id AND p.active
    ) six ON true
    LEFT JOIN unnest(%(accounts)s::bigint[], %(owed)s::bigint[], %(currencies)s::text[])
        AS due (account_id, owed, currency) ON due.account_id = s.account_id AND s.blocked_cause = 2
)
UPDATE access_subscriber sub
SET active = w.active, cause = w.cause, since = w.since, down_kbps = w.down_kbps, up_kbps = w.up_kbps,
    rate_limit = w.rate_limit, static_ipv4 = w.static_ipv4, macs = w.macs, owed = w.owed,
    owed_currency = w.owed_currency, framed_ipv6_prefix = w.framed_ipv6_prefix,
    delegated_prefix = w.delegated_prefix, framed_ipv6 = w.framed_ipv6, fair_use = w.fair_use
FROM wanted w
WHERE sub.id = (w.old).id AND (
    ((w.old).active, (w.old).cause, (w.old).since, (w.old).down_kbps, (w.old).up_kbps, (w.old).rate_limit,
     (w.old).static_ipv4, (w.old).macs, (w.old).owed, (w.old).owed_currency, (w.old).framed_ipv6_prefix,
     (w.old).delegated_prefix, (w.old).framed_ipv6, (w.old).fair_use)
    IS DISTINCT FROM
    (w.active, w.cause, w.since, w.down_kbps, w.up_kbps, w.rate_limit, w.static_ipv4, w.macs, w.owed,
     w.owed_currency, w.framed_ipv6_prefix, w.delegated_prefix, w.framed_ipv6, w.fair_use))
RETURNING sub.id,
    ((w.old).static_ipv4, (w.old).framed_ipv6_prefix, (w.old).delegated_prefix, (w.old).framed_ipv6)
    IS DISTINCT FROM (w.static_ipv4, w.framed_ipv6_prefix, w.delegated_prefix, w.framed_ipv6),
    ((w.old).active, (w.old).cause, (w.old).rate_limit, (w.old).fair_use)
    IS DISTINCT FROM (w.active, w.cause, w.rate_limit, w.fair_use)
"""

SUPERSEDE = """
UPDATE access_coaintent SET state = 'superseded'
WHERE subscriber_id = ANY(%(subscribers)s) AND state IN ('queued', 'sent', 'later', 'no_answer', 'ignored')
"""

# Only a cut changes an address (RFC 5176; MikroTik's manual says the same of its CoA): so whoever leaves or enters a
# reject pool is cut. So is a session in the list of a wrong MAC, password or name: only a new request can judge it. A
# list holds IPv4 addresses only: a blocked customer gets no IPv6, so a session that has some, or is to have it again,
# is cut. Lifting is about fair use where that is what the session was told of last.
TELL = """
INSERT INTO access_coaintent
    (nas_id, node, subscriber_id, kind, unblock, fair_use, list_name, rate_limit, user_name, session_id, framed_ipv4,
     state, tries)
SELECT told.nas_id, told.node, told.subscriber_id, CASE WHEN told.cut THEN 'disconnect' ELSE 'coa' END,
    told.cause IS NULL, told.fair_use, CASE WHEN told.cut THEN '' ELSE told.list_name END,
    CASE WHEN told.cut THEN '' ELSE told.rate_limit END, told.user_name, told.session_id, told.framed_ipv4,
    CASE WHEN told.coa_enabled THEN 'queued' ELSE 'not_sent' END, 0
FROM (
    SELECT nas.id AS nas_id, nas.node, nas.coa_enabled, sub.id AS subscriber_id, sub.cause, sub.rate_limit,
        live.user_name, live.session_id, live.framed_ipv4, about.fair_use,
        CASE WHEN sub.cause IS NULL THEN %(restore_list)s ELSE rule.list_name END AS list_name,
        nas.block_by = 'disconnect'
            OR s.state = 'ended'
            OR coalesce(fair.answer, answer.answer, 'list') <> 'list'
            OR nas.router_id = ANY(CASE WHEN about.fair_use AND sub.cause IS NULL THEN %(no_fair_restores)s::bigint[]
                                        WHEN about.fair_use THEN %(no_fair_blocks)s::bigint[]
                                        WHEN sub.cause IS NULL THEN %(no_restores)s::bigint[]
                                        ELSE %(no_blocks)s::bigint[] END)
            OR (sub.cause IS NOT NULL AND rule.list_name IS NULL)
            OR (sub.id = ANY(%(moved)s)
                AND (live.framed_ipv4, live.framed_ipv6_prefix, live.delegated_prefix, live.framed_ipv6)
                IS DISTINCT FROM (sub.static_ipv4, sub.framed_ipv6_prefix, sub.delegated_prefix, sub.framed_ipv6))
            OR (sub.cause IS NOT NULL AND coalesce(live.framed_ipv6_prefix::inet, live.delegated_prefix::inet,
                                                   live.framed_ipv6) IS NOT NULL)
            OR (sub.cause IS NULL AND live.list_name NOT IN ('', %(restore_list)s)
                AND coalesce(sub.framed_ipv6_prefix::inet, sub.delegated_prefix::inet, sub.framed_ipv6) IS NOT NULL)
            OR EXISTS (SELECT FROM network_pool pool
                       WHERE pool.kind = 'reject' AND pool.vrf = live.vrf
                         AND live.framed_ipv4 BETWEEN pool.first AND pool.last)
            OR EXISTS (SELECT FROM network_causerule other
                       WHERE other.partner_id = sub.partner_id AND other.cause IN (0, 3, 4)
                         AND other.list_name = live.list_name) AS cut
    FROM access_sessionlive live
    JOIN access_subscriber sub ON sub.id = live.subscriber_id
    JOIN plans_service s ON s.id = sub.service_id
    JOIN access_nas nas ON nas.id = live.nas_id
    LEFT JOIN network_causerule rule ON rule.partner_id = sub.partner_id AND rule.cause = sub.cause
    LEFT JOIN unnest(%(routers)s::bigint[], %(causes)s::int[], %(answers)s::text[])
        AS answer (router_id, cause, answer) ON answer.router_id = nas.router_id AND answer.cause = sub.cause
    LEFT JOIN unnest(%(fair_routers)s::bigint[], %(fair_answers)s::text[])
        AS fair (router_id, answer) ON fair.router_id = nas.router_id AND sub.fair_use = 'blocked'
    CROSS JOIN LATERAL (
        SELECT CASE WHEN sub.cause IS NOT NULL THEN sub.fair_use = 'blocked' ELSE coalesce((
            SELECT last.fair_use AND NOT last.unblock FROM access_coaintent last
            WHERE last.subscriber_id = sub.id AND last.nas_id = nas.id AND last.session_id = live.session_id
            ORDER BY last.id DESC LIMIT 1), false) END
    ) about (fair_use)
    WHERE live.subscriber_id = ANY(%(subscribers)s)
    ORDER BY live.id
) told
"""

PARTNERS_OF_NASES = """
SELECT DISTINCT nas.partner_id FROM access_sessionlive live JOIN access_nas nas ON nas.id = live.nas_id
WHERE live.subscriber_id = ANY(%(subscribers)s)
"""

# A session whose accounting arrived after its customer's state had changed was not told. The list is what radiusd says
# it put it in; sessions in the list of a wrong MAC, password or name are as they should be.
DRIFTED = """
SELECT sub.id
FROM access_sessionlive live
JOIN access_subscriber sub ON sub.id = live.subscriber_id
LEFT JOIN network_causerule rule ON rule.partner_id = sub.partner_id AND rule.cause = sub.cause
WHERE coalesce(rule.list_name, '') <> CASE WHEN live.list_name = %(restore_list)s THEN '' ELSE live.list_name END
    AND NOT EXISTS (SELECT FROM network_causerule other
                    WHERE other.partner_id = sub.partner_id AND other.cause IN (0, 3, 4)
                      AND other.list_name = live.list_name)
    AND NOT coalesce((SELECT intent.kind = 'disconnect'
                          OR intent.list_name = coalesce(rule.list_name, %(restore_list)s)
                      FROM access_coaintent intent
                      WHERE intent.subscriber_id = sub.id AND intent.nas_id = live.nas_id
                        AND intent.session_id = live.session_id AND intent.state <> 'superseded'
                      ORDER BY intent.id DESC LIMIT 1), false)
ORDER BY sub.id LIMIT %(limit)s
"""
DRIFT_BATCH = 2000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a projection changed: logins whose row differs, those with another address, and how many sessions heard."""

    changed: list[int]
    moved: list[int]
    told: int


@transaction.atomic
def sync_services(service_ids: Sequence[int], *, by: Actor = SYSTEM, at: datetime) -> Outcome:
    """Bring the logins of these services to what services, plans and balances say, and tell radiusd and the routers.

    Writes a log row when something changed. Refuses nothing.
    """
    outcome = project(service_ids, at=at)
    if outcome.changed:
        log.record(
            "access_synced", by=by, at=at, subject=("access", None), logins=len(outcome.changed), sessions=outcome.told
        )
    return outcome


def project(service_ids: Sequence[int], *, at: datetime) -> Outcome:
    """What sync_services does, inside an action that writes the log."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, {"services": list(service_ids)})
        subscribers = [row[0] for row in cursor.fetchall()]
        if not subscribers:
            return Outcome([], [], 0)
        cursor.execute(RELEASE, {"subscribers": subscribers})
        cursor.execute(
            PROJECT, {"subscribers": subscribers, "at": at, **_speeds(service_ids), **_owed(service_ids, at)}
        )
        rows = cursor.fetchall()
    changed = sorted(row[0] for row in rows)
    moved = sorted(row[0] for row in rows if row[1])
    concerned = sorted(row[0] for row in rows if row[1] or row[2])
    if changed:
        tell_radius("subscriber", changed)
    return Outcome(changed, moved, _tell_routers(concerned, moved) if concerned else 0)


@transaction.atomic
def repair_sessions(*, by: Actor = SYSTEM, at: datetime) -> int:
    """Tell routers about sessions that are in another list than their customer's state asks for: how many heard."""
    with connection.cursor() as cursor:
        cursor.execute(DRIFTED, {"restore_list": RESTORE_LIST, "limit": DRIFT_BATCH})
        drifted = sorted({row[0] for row in cursor.fetchall()})
    told = _tell_routers(drifted, []) if drifted else 0
    if told:
        log.record("sessions_repaired", by=by, at=at, subject=("access", None), sessions=told)
    return told


def _tell_routers(subscribers: Sequence[int], moved: Sequence[int]) -> int:
    facts: dict[str, Any] = {"subscribers": list(subscribers), "moved": list(moved), "restore_list": RESTORE_LIST}
    with connection.cursor() as cursor:
        cursor.execute(SUPERSEDE, facts)
        cursor.execute(PARTNERS_OF_NASES, facts)
        partners = [row[0] for row in cursor.fetchall()]
        if not partners:
            return 0
        answers = [
            (router, int(cause), answer.value)
            for router, by_cause in router_answers(partners).items()
            for cause, answer in by_cause.items()
        ]
        columns = {name: [row[n] for row in answers] for n, name in enumerate(("routers", "causes", "answers"))}
        cut = {f"no_{situation}": found for situation, found in cut_instead(partners)._asdict().items()}
        cursor.execute(TELL, {**facts, **columns, **fair_answers(partners), **cut})
        told = int(cursor.rowcount)
    wake_coa_sender()
    return told


def _speeds(service_ids: Sequence[int]) -> dict[str, Any]:
    mine = Plan.objects.filter(pk__in=Service.objects.filter(pk__in=list(service_ids)).values("plan"))
    plans = list(mine.select_related("fair_use"))
    slow = [slow_speed(plan) for plan in plans]
    return {
        "plans": [plan.pk for plan in plans],
        "down": [plan.speed_down_kbps for plan in plans],
        "up": [plan.speed_up_kbps for plan in plans],
        "rates": [rate_text(plan) for plan in plans],
        "slow_down": [down for down, _, _ in slow],
        "slow_up": [up for _, up, _ in slow],
        "slow_rates": [rate for _, _, rate in slow],
    }


def _owed(service_ids: Sequence[int], at: datetime) -> dict[str, Any]:
    """What the payers who are blocked for money must pay, for their blocking page."""
    blocked = Service.objects.filter(pk__in=service_ids, blocked_cause=BlockCause.NO_MONEY)
    due = owed(set(blocked.values_list("account_id", flat=True)), at=at)
    return {
        "accounts": list(due),
        "owed": [amount for amount, _ in due.values()],
        "currencies": [currency for _, currency in due.values()],
    }
