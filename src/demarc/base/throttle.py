"""How often something may be tried within a time, counted for all web processes together. Knows no login.

Counts are written on the connection `apart`, so that a request that is rolled back has still been counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from django.db import connections

SPEND = """
INSERT INTO base_throttlewindow AS w (key, opened_at, hits) VALUES (%(key)s, %(at)s, 1)
ON CONFLICT (key) DO UPDATE SET
    hits = CASE WHEN w.opened_at <= %(over)s THEN 1 ELSE w.hits + 1 END,
    opened_at = CASE WHEN w.opened_at <= %(over)s THEN %(at)s ELSE w.opened_at END
RETURNING hits
"""
GIVE_BACK = "UPDATE base_throttlewindow SET hits = hits - 1 WHERE key = %s AND hits > 0"
OPENED = "SELECT opened_at FROM base_throttlewindow WHERE key = %s"
FORGET = """
DELETE FROM base_throttlewindow
WHERE key IN (SELECT key FROM base_throttlewindow WHERE opened_at < %s LIMIT 100)
"""
REMEMBERED = timedelta(days=1)
NETWORK_BITS = {4: 32, 6: 64}


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `hits` tries under `key` within `window_s` seconds (up to a day) of the first."""

    key: str
    hits: int
    window_s: int


def spend(limit: Limit, at: datetime) -> bool:
    """Count one try; False when that was one too many."""
    over = at - timedelta(seconds=limit.window_s)
    with connections["apart"].cursor() as cursor:
        cursor.execute(SPEND, {"key": limit.key, "at": at, "over": over})
        (hits,) = cursor.fetchone()
        if hits == 1:
            cursor.execute(FORGET, [at - REMEMBERED])
    return bool(hits <= limit.hits)


def give_back(limit: Limit) -> None:
    """Take back one counted try, because it turned out to be a good one."""
    with connections["apart"].cursor() as cursor:
        cursor.execute(GIVE_BACK, [limit.key])


def spend_each(limits: Iterable[Limit], at: datetime) -> Limit | None:
    """Count one try under each limit in turn; the first that refuses it, or None. Those behind it are not spent: who
    is turned away at one address uses up nothing that others need."""
    return next((limit for limit in limits if not spend(limit, at)), None)


def opens_in(limit: Limit, at: datetime) -> timedelta:
    """How long until tries under a spent limit are welcome again."""
    with connections["apart"].cursor() as cursor:
        cursor.execute(OPENED, [limit.key])
        row = cursor.fetchone()
    over = row[0] + timedelta(seconds=limit.window_s) if row else at
    return max(over - at, timedelta(0))


def network_of(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 one: what one household or office has."""
    try:
        bits = NETWORK_BITS[4 if "." in address else 6]
        return str(ip_network(f"{address}/{bits}", strict=False))
    except ValueError:
        return "unknown"
