"""How well routers do what they are told: how long it took, what is stuck and why; and which sessions ended by us.

Reads only. Times in seconds from when a thing was wanted (the block, the payment) to the router's consent, and to the
accounting that shows it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from demarc.access.models import CoaState
from demarc.access.queries import ERROR_CAUSES

ROUTERS_MAX = 200
HOURS_MAX = 24

# A total first (router null), then the routers by how much is stuck. What is stuck is told of sessions that are on.
SPEED = """
WITH told AS (
    SELECT nas.router_id, i.state, i.error_cause,
        extract(epoch FROM i.answered_at - i.created_at) AS answered_s,
        extract(epoch FROM i.confirmed_at - i.created_at) AS seen_s,
        CASE WHEN i.state IN ('nak', 'no_answer', 'later', 'ignored', 'not_sent')
            OR i.state IN ('queued', 'sent') AND i.created_at < now() - interval '1 minute'
        THEN EXISTS (SELECT FROM access_sessionlive live
                WHERE live.nas_id = i.nas_id AND live.session_id = i.session_id AND live.user_name = i.user_name)
            AND NOT EXISTS (SELECT FROM access_coaintent n
                WHERE n.nas_id = i.nas_id AND n.session_id = i.session_id AND n.user_name = i.user_name
                  AND n.id > i.id AND n.state <> 'superseded')
        ELSE false END AS stuck
    FROM access_coaintent i JOIN access_nas nas ON nas.id = i.nas_id
    WHERE i.created_at >= now() - make_interval(hours => %(hours)s) AND i.state <> 'superseded'
        AND (%(partners)s::bigint[] IS NULL OR nas.partner_id = ANY(%(partners)s))
)
SELECT told.router_id, router.name, count(*),
    count(*) FILTER (WHERE state IN ('queued', 'sent')),
    count(*) FILTER (WHERE stuck),
    percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY answered_s)
        FILTER (WHERE state IN ('ack', 'confirmed') AND answered_s IS NOT NULL),
    percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY seen_s) FILTER (WHERE seen_s IS NOT NULL),
    mode() WITHIN GROUP (ORDER BY state) FILTER (WHERE stuck),
    mode() WITHIN GROUP (ORDER BY error_cause) FILTER (WHERE stuck AND error_cause IS NOT NULL)
FROM told JOIN network_router router ON router.id = told.router_id
GROUP BY GROUPING SETS ((told.router_id, router.name), ())
ORDER BY told.router_id IS NOT NULL, 5 DESC, router.name
LIMIT %(limit)s
"""

# A session that we ended has a Disconnect on record that was wanted before its end and that the router did not refuse.
ENDED = """
SELECT date_trunc('hour', s.ended_at, 'UTC') AS hour, router.id, router.name,
    count(*) FILTER (WHERE cut.id IS NOT NULL),
    count(*) FILTER (WHERE cut.id IS NULL AND s.ending = 'stop'),
    count(*) FILTER (WHERE cut.id IS NULL AND s.ending <> 'stop')
FROM access_sessionlog s
JOIN access_nas nas ON nas.id = s.nas_id
JOIN network_router router ON router.id = nas.router_id
LEFT JOIN LATERAL (
    SELECT i.id FROM access_coaintent i
    WHERE i.nas_id = s.nas_id AND i.session_id = s.session_id AND i.user_name = s.user_name
        AND i.kind = 'disconnect' AND i.state IN ('ack', 'confirmed') AND i.sent_at <= s.ended_at + interval '1 minute'
    LIMIT 1
) cut ON true
WHERE s.ended_at >= now() - make_interval(hours => %(hours)s)
    AND (%(partners)s::bigint[] IS NULL OR s.partner_id = ANY(%(partners)s))
GROUP BY 1, 2, 3
ORDER BY 1 DESC, 3
LIMIT %(limit)s
"""


class Speed(NamedTuple):
    """What became of what one router was told; `router_id` None: all routers. Half, and 99 of 100, were done after
    `answered_s` and `seen_s`; None: none was. `waiting`: not answered yet; `stuck`: sessions that are not as wanted,
    most of them because of `why`."""

    router_id: int | None
    router: str
    told: int
    waiting: int
    stuck: int
    answered_s: tuple[float, float] | None
    seen_s: tuple[float, float] | None
    why: str


class Ended(NamedTuple):
    """Sessions of one router that ended in one hour: cut by us, ended by themselves, and fallen silent."""

    hour: datetime
    router_id: int
    router: str
    by_us: int
    by_others: int
    silent: int


def speeds(partner_ids: Sequence[int] | None, hours: int = 24) -> list[Speed]:
    """All routers together, then each that was told something in these hours, the worst first, at most ROUTERS_MAX."""
    values = {"partners": _ids(partner_ids), "hours": hours, "limit": ROUTERS_MAX + 1}
    return [_speed(row) for row in _rows(SPEED, values)]


def _speed(row: Sequence[Any]) -> Speed:
    router_id, router, told, waiting, stuck, answered_s, seen_s, state, cause = row
    return Speed(router_id, router or "", told, waiting, stuck, _pair(answered_s), _pair(seen_s), _why(state, cause))


def _pair(found: Sequence[Any] | None) -> tuple[float, float] | None:
    return (float(found[0]), float(found[1])) if found and found[0] is not None else None


def _why(state: str | None, cause: int | None) -> str:
    if state is None:
        return ""
    label = str(CoaState(state).label)
    return f"{label}: {cause} {ERROR_CAUSES.get(cause, '')}".strip() if cause else label


def ended_sessions(partner_ids: Sequence[int] | None, hours: int = HOURS_MAX, limit: int = 500) -> list[Ended]:
    """Ended sessions by hour and router, the latest hour first: so that a router that drops sessions is told from one
    that was asked to."""
    return [Ended(*row) for row in _rows(ENDED, {"partners": _ids(partner_ids), "hours": hours, "limit": limit})]


def _ids(partner_ids: Sequence[int] | None) -> list[int] | None:
    return None if partner_ids is None else list(partner_ids)


def _rows(query: str, values: dict[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())
