"""Whether a service has access: the projection of states and blocks. Knows who is blocked, never why money is missing.

No verb of its own: plans and billing call these inside their actions and log there. Locks are taken in one order
everywhere: accounts' ledgers (billing), blocks, services, customers, each by id.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from demarc.base.actors import Actor
from demarc.base.events import emit_ids

WITHHOLD = """
INSERT INTO customers_block
    (partner_id, customer_id, account_id, cause, reason, set_at, set_by_kind, set_by_id, set_by_label, lifted_by_label)
SELECT a.partner_id, a.customer_id, a.id, 2, '', n.since, %(kind)s, %(id)s, %(label)s, ''
FROM unnest(%(accounts)s::bigint[], %(since)s::timestamptz[]) AS n (account_id, since)
JOIN customers_account a ON a.id = n.account_id
ORDER BY a.id
ON CONFLICT (account_id) WHERE lifted_at IS NULL AND account_id IS NOT NULL DO NOTHING
"""

RESTORE = """
UPDATE customers_block SET lifted_at = greatest(set_at, %(at)s), lifted_by_label = %(label)s
WHERE account_id = ANY(%(accounts)s) AND lifted_at IS NULL
"""

LOCK_SERVICES = "SELECT id FROM plans_service WHERE account_id = ANY(%(accounts)s) ORDER BY id FOR NO KEY UPDATE"

# A statement of its own after the lock: in READ COMMITTED only a new statement sees the blocks that the one who held
# the lock has committed.
SET_CAUSES = """
WITH wanted AS (
    SELECT s.id, CASE
        WHEN s.state <> 'active' OR c.status IN ('new', 'inactive') OR EXISTS (
            SELECT FROM customers_block b
            WHERE b.customer_id = s.customer_id AND b.account_id IS NULL AND b.lifted_at IS NULL) THEN 1
        WHEN EXISTS (
            SELECT FROM customers_block b
            WHERE b.account_id = s.account_id AND b.lifted_at IS NULL
                AND (b.grace_until IS NULL OR b.grace_until <= %(at)s)) THEN 2
        END AS cause
    FROM plans_service s JOIN customers_customer c ON c.id = s.customer_id
    WHERE s.account_id = ANY(%(accounts)s)
)
UPDATE plans_service s SET blocked_cause = w.cause, access_since = %(at)s
FROM wanted w WHERE w.id = s.id AND s.blocked_cause IS DISTINCT FROM w.cause
RETURNING s.id
"""

CUSTOMERS = """
SELECT customer_id FROM customers_account WHERE id = ANY(%(accounts)s)
UNION SELECT customer_id FROM plans_service WHERE account_id = ANY(%(accounts)s)
"""

LOCK_CUSTOMERS = """
SELECT id FROM customers_customer WHERE id = ANY(%(customers)s) AND status IN ('active', 'blocked')
ORDER BY id FOR NO KEY UPDATE
"""

SET_STATUSES = """
WITH blocked AS (
    SELECT DISTINCT customer_id FROM customers_block
    WHERE customer_id = ANY(%(customers)s) AND lifted_at IS NULL AND (grace_until IS NULL OR grace_until <= %(at)s)
), wanted AS (
    SELECT id, CASE WHEN id IN (SELECT customer_id FROM blocked) THEN 'blocked' ELSE 'active' END AS status
    FROM customers_customer WHERE id = ANY(%(customers)s)
)
UPDATE customers_customer c SET status = w.status, status_since = %(at)s
FROM wanted w WHERE w.id = c.id AND c.status <> w.status
"""


def withhold(since: Mapping[int, datetime], *, by: Actor, at: datetime, queue: str = "now") -> list[int]:
    """Block accounts for money, each from its moment in `since`, and close their services' access.

    An account that is blocked for money already keeps its block. The ids of services whose access changed.
    """
    if not since:
        return []
    accounts = sorted(since)
    moments = [since[account] for account in accounts]
    who: dict[str, Any] = {"kind": by.kind, "id": by.id, "label": by.label}
    with connection.cursor() as cursor:
        cursor.execute(WITHHOLD, {"accounts": accounts, "since": moments, **who})
    return set_access(accounts, at=at, queue=queue)


def restore(account_ids: Sequence[int], *, by: Actor, at: datetime, queue: str = "now") -> list[int]:
    """Lift the blocks for money of these accounts and open what nothing else keeps closed: the ids of services."""
    accounts = sorted(account_ids)
    with connection.cursor() as cursor:
        cursor.execute(RESTORE, {"accounts": accounts, "at": at, "label": by.label})
    return set_access(accounts, at=at, queue=queue)


def set_access(account_ids: Sequence[int], *, at: datetime, queue: str = "now") -> list[int]:
    """Bring access of all services of these accounts, and their customers' status, to what states and blocks say.

    A service has access (`blocked_cause` null) when its state is active, its customer is neither new nor inactive
    and no block is in force; one for money is out of force while its grace lasts. Emits AccessChanged for the
    services that changed, on `queue`, and returns their ids.
    """
    if not account_ids:
        return []
    facts: dict[str, Any] = {"accounts": sorted(account_ids), "at": at}
    with connection.cursor() as cursor:
        cursor.execute(LOCK_SERVICES, facts)
        cursor.execute(SET_CAUSES, facts)
        changed = sorted(row[0] for row in cursor.fetchall())
        cursor.execute(CUSTOMERS, facts)
        cursor.execute(LOCK_CUSTOMERS, {"customers": [row[0] for row in cursor.fetchall()]})
        cursor.execute(SET_STATUSES, {"customers": [row[0] for row in cursor.fetchall()], "at": at})
    emit_ids("AccessChanged", "services", changed, queue=queue)
    return changed
