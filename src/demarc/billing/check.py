"""Checks the books by SQL of its own: what is stored against what follows from the facts, and the database's guards.

The oracle of every fault test, so it shares no code with what it checks: nothing of core.charging, core.period or
core.ledger is imported here. Sums are over everything, details over the last days. Reads only.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction

from demarc.billing import check_documents

SHOWN_MAX = 20
"""Findings of one kind that are told one by one; the rest are counted."""

LAST_DECIDED = """
SELECT greatest((SELECT max(decided_through) FROM billing_prepaidstate), (SELECT max(day) FROM billing_billingday),
    (SELECT issued_on FROM billing_document ORDER BY id DESC LIMIT 1), '2000-01-01'::date)
"""

BALANCES = """
WITH moved AS (
    SELECT ledger, sum(amount) AS total FROM (
        SELECT credit_account_id AS ledger, amount FROM billing_transfer
        UNION ALL SELECT debit_account_id, -amount FROM billing_transfer
    ) AS sides GROUP BY ledger
)
SELECT format('%%s account %%s stores a balance of %%s; its transfers add up to %%s',
    l.kind, coalesce(l.payer_id::text, l.name), l.balance, coalesce(m.total, 0))
FROM billing_ledgeraccount l LEFT JOIN moved m ON m.ledger = l.id
WHERE l.balance IS NOT NULL AND l.balance <> coalesce(m.total, 0) ORDER BY l.id
"""

STORED = """
SELECT format('ledger account %%s of kind %%s must %%s', id, kind, CASE
    WHEN kind IN ('payer', 'cash') THEN 'store its balance' ELSE 'not store a balance' END)
FROM billing_ledgeraccount
WHERE (balance IS NOT NULL) <> (kind IN ('payer', 'cash')) OR (payer_id IS NOT NULL) <> (kind = 'payer') ORDER BY id
"""

SIDES = """
SELECT format('transfer %%s (%%s of account %%s) does not fit the ledger accounts %%s and %%s',
    t.id, t.kind, t.account_id, t.debit_account_id, t.credit_account_id)
FROM billing_transfer t
LEFT JOIN billing_ledgeraccount d ON d.id = t.debit_account_id
LEFT JOIN billing_ledgeraccount c ON c.id = t.credit_account_id
LEFT JOIN customers_account a ON a.id = t.account_id
WHERE t.day >= %(since)s AND (t.amount > 0
    AND t.currency = d.currency AND t.currency = c.currency AND t.currency = a.currency
    AND t.partner_id = d.partner_id AND t.partner_id = c.partner_id AND t.partner_id = a.partner_id
    AND CASE t.kind
        WHEN 'charge' THEN d.payer_id = t.account_id AND c.kind = 'revenue'
        WHEN 'payment' THEN c.payer_id = t.account_id AND d.kind IN ('cash', 'clearing', 'voucher')
        WHEN 'refund' THEN d.payer_id = t.account_id AND c.kind IN ('cash', 'clearing', 'voucher')
        WHEN 'correction' THEN (d.payer_id = t.account_id AND c.kind = 'writeoff')
            OR (c.payer_id = t.account_id AND d.kind = 'writeoff')
        WHEN 'document' THEN (d.payer_id = t.account_id AND c.kind IN ('revenue', 'tax'))
            OR (c.payer_id = t.account_id AND d.kind IN ('revenue', 'tax'))
        WHEN 'tax' THEN d.kind = 'revenue' AND c.kind = 'tax'
        WHEN 'moved' THEN (d.payer_id = t.account_id AND c.kind = 'clearing')
            OR (c.payer_id = t.account_id AND d.kind = 'clearing')
        END) IS NOT TRUE
ORDER BY t.id
"""

ENTRIES = """
SELECT format('the transfers of entry %%s do not belong together', entry_id)
FROM billing_transfer WHERE day >= %(since)s GROUP BY entry_id
HAVING min(seq) <> 0 OR max(seq) + 1 <> count(*) OR min(account_id) <> max(account_id) OR min(kind) <> max(kind)
    OR min(day) <> max(day) OR min(recorded_at) <> max(recorded_at) OR min(key) <> max(key)
ORDER BY entry_id
"""

DECISIONS = """
WITH charged AS (
    SELECT entry_id, min(account_id) AS account_id, min(day) AS day, sum(amount) AS total,
        bool_and(key LIKE 'first-day:%%') AS first_day
    FROM billing_transfer WHERE kind = 'charge' AND day >= %(since)s GROUP BY entry_id
), decided AS (SELECT * FROM billing_daydecision WHERE day >= %(since)s)
SELECT CASE
    WHEN d.id IS NULL THEN
        format('account %%s was charged %%s for %%s without a decision', c.account_id, c.total, c.day)
    WHEN c.entry_id IS NULL THEN
        format('account %%s: %%s is decided as charged, but nothing was transferred', d.account_id, d.day)
    ELSE format('account %%s: %%s is decided as %%s at a cost of %%s, but %%s was transferred for %%s',
        d.account_id, d.day, d.decision, d.cost, c.total, c.day) END
FROM decided d FULL JOIN charged c ON c.entry_id = d.entry_id
WHERE CASE
    WHEN d.id IS NULL THEN NOT c.first_day
    WHEN c.entry_id IS NULL THEN d.decision = 'charged'
    ELSE (d.decision, d.account_id, d.day, d.cost) IS DISTINCT FROM ('charged', c.account_id, c.day, c.total) END
ORDER BY coalesce(d.account_id, c.account_id), coalesce(d.day, c.day)
"""

GAPS = """
WITH begun AS (
    SELECT s.account_id, min(f.valid_from) AS day
    FROM plans_servicefact f JOIN plans_service s ON s.id = f.service_id WHERE f.state = 'active' GROUP BY s.account_id
), since AS (
    SELECT p.account_id, greatest(%(since)s, coalesce(p.begun_on, b.day + 1)) AS day
    FROM billing_prepaidstate p LEFT JOIN begun b ON b.account_id = p.account_id
), decided AS (
    SELECT d.account_id, count(*) AS days, max(d.day) AS last
    FROM billing_daydecision d JOIN since s ON s.account_id = d.account_id AND d.day >= s.day
    WHERE d.day >= %(since)s GROUP BY d.account_id
)
SELECT format('account %%s is decided through %%s, but has %%s decided days since %%s instead of %%s', p.account_id,
    p.decided_through, coalesce(d.days, 0), s.day, greatest(0, p.decided_through - s.day + 1))
FROM billing_prepaidstate p
JOIN since s ON s.account_id = p.account_id
LEFT JOIN decided d ON d.account_id = p.account_id
WHERE coalesce(d.days, 0) <> greatest(0, p.decided_through - s.day + 1) OR d.last > p.decided_through
ORDER BY p.account_id
"""

BEHIND = """
SELECT format('account %%s is decided through %%s only, and not parked', p.account_id, p.decided_through)
FROM billing_prepaidstate p
JOIN customers_account a ON a.id = p.account_id
JOIN (
    SELECT partner_id, max(day) AS day FROM billing_billingday WHERE finished_at IS NOT NULL GROUP BY partner_id
) AS run ON run.partner_id = a.partner_id
WHERE p.decided_through < run.day AND p.parked_at IS NULL ORDER BY p.account_id
"""

UNBILLED = """
SELECT format('service %%s is active, but no day of account %%s will ever be decided', s.id, a.id)
FROM plans_service s
JOIN customers_account a ON a.id = s.account_id AND a.billing_type = 'prepaid'
WHERE s.state = 'active' AND NOT EXISTS (SELECT FROM billing_prepaidstate p WHERE p.account_id = a.id) ORDER BY s.id
"""

# Each day as part k of n of its month, by the calendar and as one of thirty.
PARTS = """
SELECT day::date AS day, extract(day FROM day)::bigint AS k,
    extract(day FROM date_trunc('month', day) + interval '1 month - 1 day')::bigint AS n,
    (extract(day FROM day)::bigint - 1) %% 30 + 1 AS k30
FROM generate_series(%(since)s::date, %(last)s::date, interval '1 day') AS day
"""
# A month's price is of all that is held of a service. Part k of n of it, halves rounded up:
# round(price * k / n) - round(price * (k - 1) / n).
PRICE = "coalesce(f.price_override, p.amount) * f.quantity"
CALENDAR = f"((2 * {PRICE} * k + n) / (2 * n) - (2 * {PRICE} * (k - 1) + n) / (2 * n))"
THIRTY = f"((2 * {PRICE} * k30 + 30) / 60 - (2 * {PRICE} * (k30 - 1) + 30) / 60)"

LINES = f"""
WITH parts AS ({PARTS})
SELECT format('transfer %%s charges %%s of account %%s for %%s; the price of %%s it names does not give that',
    t.id, t.amount, t.account_id, t.day, {PRICE})
FROM billing_transfer t
LEFT JOIN plans_servicefact f ON f.id = t.service_fact_id
LEFT JOIN plans_planprice p ON p.id = t.price_fact_id
LEFT JOIN parts ON parts.day = t.day
WHERE t.kind = 'charge' AND t.day >= %(since)s AND (
    f.service_id = t.service_id AND f.state = 'active' AND f.valid_from <= t.day
    AND (f.price_override IS NULL) = (p.id IS NOT NULL)
    AND (p.id IS NULL OR (p.plan_id = f.plan_id AND p.valid_from <= t.day))
    AND t.amount IN ({CALENDAR}, {THIRTY})) IS NOT TRUE
ORDER BY t.id
"""  # noqa: S608 - nothing but constants of this module

# What each day cost by the facts that its 00:00 saw, from scratch. A fact is seen by the first 00:00 that comes after
# it was valid and recorded, and is in force until a later one (by valid_from, then id) is seen.
COSTS = f"""
WITH parts AS ({PARTS}), days AS (
    SELECT p.id AS partner_id, parts.*, parts.day::timestamp AT TIME ZONE p.zone AS midnight FROM base_partner p, parts
), prices AS (
    SELECT d.day, pl.id AS plan_id, w.amount
    FROM days d JOIN plans_plan pl ON pl.partner_id = d.partner_id CROSS JOIN LATERAL (
        SELECT amount FROM plans_planprice WHERE plan_id = pl.id AND valid_from <= d.day
        ORDER BY recorded_at < d.midnight DESC, valid_from DESC, id DESC LIMIT 1) AS w
), rules AS (
    SELECT d.partner_id, d.day, d.k, d.n, d.k30, coalesce(
        (SELECT day_rule FROM customers_partnerterms t
        WHERE t.partner_id = d.partner_id AND valid_from <= d.day AND recorded_at < d.midnight
        ORDER BY valid_from DESC, id DESC LIMIT 1),
        (SELECT day_rule FROM customers_partnerterms t WHERE t.partner_id = d.partner_id
        ORDER BY valid_from, id LIMIT 1)) AS day_rule
    FROM days d
), own AS (
    SELECT a.id AS account_id, d.day, w.day_rule
    FROM (SELECT DISTINCT account_id FROM customers_accountterms) AS having_terms
    JOIN customers_account a ON a.id = having_terms.account_id
    JOIN days d ON d.partner_id = a.partner_id CROSS JOIN LATERAL (
        SELECT day_rule FROM customers_accountterms t
        WHERE t.account_id = a.id AND valid_from <= d.day AND recorded_at < d.midnight
        ORDER BY valid_from DESC, id DESC LIMIT 1) AS w
), seen AS (
    SELECT f.*, s.account_id, a.partner_id,
        greatest(f.valid_from, (f.recorded_at AT TIME ZONE p.zone)::date + 1) AS seen_from
    FROM plans_servicefact f
    JOIN plans_service s ON s.id = f.service_id
    JOIN customers_account a ON a.id = s.account_id
    JOIN base_partner p ON p.id = a.partner_id
), in_force AS (
    SELECT account_id, partner_id, plan_id, price_override, quantity, state, seen_from,
        min(seen_from) OVER (PARTITION BY service_id ORDER BY valid_from, id
            ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS seen_until
    FROM seen
), expected AS (
    SELECT d.id, sum(CASE coalesce(own.day_rule, rules.day_rule) WHEN 'calendar' THEN {CALENDAR} ELSE {THIRTY} END)
        AS cost
    FROM billing_daydecision d
    JOIN in_force f ON f.account_id = d.account_id AND f.state = 'active'
        AND f.seen_from <= d.day AND (f.seen_until IS NULL OR f.seen_until > d.day)
    JOIN rules ON rules.partner_id = f.partner_id AND rules.day = d.day
    LEFT JOIN own ON own.account_id = d.account_id AND own.day = d.day
    LEFT JOIN prices p ON p.plan_id = f.plan_id AND p.day = d.day
    WHERE d.day >= %(since)s AND d.decision <> 'blocked' AND d.paid_at IS NULL GROUP BY d.id
)
SELECT format('account %%s: %%s is decided as %%s at a cost of %%s; the prices in force at its 00:00 give %%s',
    d.account_id, d.day, d.decision, d.cost, coalesce(e.cost, 0))
FROM billing_daydecision d LEFT JOIN expected e ON e.id = d.id
WHERE d.day >= %(since)s AND d.decision <> 'blocked' AND d.paid_at IS NULL AND d.cost <> coalesce(e.cost, 0)
ORDER BY d.account_id, d.day
"""  # noqa: S608 - nothing but constants of this module

PAYMENTS = """
SELECT CASE
    WHEN p.id IS NULL THEN format('transfer %%s of kind %%s belongs to no payment', t.id, t.kind)
    WHEN t.id IS NULL THEN format('payment %%s of account %%s was never transferred', p.number, p.account_id)
    ELSE format('payment %%s of account %%s says %%s of %%s, its transfer %%s %%s of %%s',
        p.number, p.account_id, p.amount, p.received_on, t.kind, t.amount, t.day) END
FROM (SELECT * FROM billing_transfer WHERE kind IN ('payment', 'refund')) AS t
FULL JOIN billing_payment p ON p.entry_id = t.entry_id
WHERE (p.id IS NOT NULL AND t.id IS NOT NULL AND p.account_id = t.account_id AND p.currency = t.currency
    AND p.received_on = t.day AND p.amount = CASE t.kind WHEN 'payment' THEN t.amount ELSE -t.amount END) IS NOT TRUE
ORDER BY p.id, t.id
"""

REFUNDS = """
SELECT format('of payment %%s over %%s more was given back: %%s', p.number, p.amount, -sum(r.amount))
FROM billing_payment r JOIN billing_payment p ON p.id = r.refunds_id
GROUP BY p.id HAVING -sum(r.amount) > p.amount ORDER BY p.id
"""

# A service whose block has a grace changes at a moment, so it is left out.
ACCESS = """
WITH wanted AS (
    SELECT s.id, s.blocked_cause, CASE
        WHEN s.state <> 'active' OR c.status IN ('new', 'inactive')
            OR bool_or(b.id IS NOT NULL AND b.account_id IS NULL) THEN 1
        WHEN bool_or(b.account_id = s.account_id) THEN 2 END AS cause
    FROM plans_service s
    JOIN customers_customer c ON c.id = s.customer_id
    LEFT JOIN customers_block b ON b.customer_id = s.customer_id AND b.lifted_at IS NULL
    GROUP BY s.id, c.id HAVING bool_and(b.grace_until IS NULL)
)
SELECT format('service %%s has access state %%s; its state and blocks say %%s',
    id, coalesce(blocked_cause::text, 'open'), coalesce(cause::text, 'open'))
FROM wanted WHERE blocked_cause IS DISTINCT FROM cause ORDER BY id
"""

UNVALIDATED = """
SELECT format('constraint %%s on %%s is not validated', conname, conrelid::regclass)
FROM pg_constraint WHERE NOT convalidated ORDER BY conname
"""

MISSING = """
SELECT format('%%s %%s is missing', kind, name) FROM (
    SELECT 'constraint' AS kind, name FROM unnest(%(constraints)s::text[]) AS name
    WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conname = name)
        AND NOT EXISTS (SELECT FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid
            WHERE relname = name AND indisunique AND indisvalid)
    UNION ALL
    SELECT 'trigger', name FROM unnest(%(triggers)s::text[]) AS name
    WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = name)
) AS absent ORDER BY name
"""

DISABLED = """
SELECT format('trigger %%s on %%s is disabled', tgname, tgrelid::regclass)
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid AND c.relnamespace = 'public'::regnamespace
WHERE tgenabled <> 'O' ORDER BY tgname, tgrelid
"""

GRANTS = """
SELECT format('the role %%s may change what is written once: %%s on %%s', current_user, verb, name)
FROM unnest(ARRAY['billing_transfer', 'base_operationlog', 'base_logseal']) AS name,
    unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS verb
WHERE has_table_privilege(name, verb) ORDER BY name, verb
"""

CONSTRAINTS = (
    "billing_transfer_entry",
    "billing_transfer_key",
    "billing_transfer_one_charge_a_day",
    "billing_transfer_amount",
    "billing_transfer_two_sides",
    "billing_transfer_debit_currency",
    "billing_transfer_credit_currency",
    "billing_transfer_payer_currency",
    "billing_ledgeraccount_house",
    "billing_ledgeraccount_payer_currency",
    "billing_ledgeraccount_stored_balance",
    "billing_daydecision_day",
    "billing_daydecision_entry",
    "billing_payment_key",
    "billing_payment_number",
    "billing_payment_account_currency",
    "customers_block_one_money",
    "customers_block_one_staff",
)
TRIGGERS = (
    "base_logseal_immutable",
    "base_logseal_no_truncate",
    "base_operationlog_immutable",
    "base_operationlog_no_truncate",
    "base_operationlog_undeletable",
    "billing_daydecision_guard",
    "billing_transfer_immutable",
    "billing_transfer_no_truncate",
    "customers_accountterms_immutable",
    "customers_partnerterms_immutable",
    "plans_planprice_immutable",
    "plans_servicefact_immutable",
    "plans_taxrate_immutable",
)
CHECKS = {
    "balances": BALANCES,
    "stored": STORED,
    "sides": SIDES,
    "entries": ENTRIES,
    "decisions": DECISIONS,
    "gaps": GAPS,
    "behind": BEHIND,
    "unbilled": UNBILLED,
    "lines": LINES,
    "costs": COSTS,
    "payments": PAYMENTS,
    "refunds": REFUNDS,
    "access": ACCESS,
    "unvalidated": UNVALIDATED,
    "missing": MISSING,
    "disabled": DISABLED,
    "grants": GRANTS,
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: the check that found it, and a sentence that names it."""

    check: str
    text: str


def checks() -> dict[str, str]:
    """All checks by name: statements that yield sentences about what is wrong."""
    return CHECKS | check_documents.CHECKS


def run(days: int = 35) -> list[Finding]:
    """Everything that is wrong; details of the last `days` decided days. A run or payment going on does not disturb.

    Seconds for 100,000 customers; see bench/billing.py.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if len(connection.savepoint_ids) == 0:
            # One snapshot for all checks, so that what is committed meanwhile is in none of them.
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        # All is compared with all: where the planner guesses one row for a hundred thousand, loops would take for ever.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(LAST_DECIDED)
        last: date = cursor.fetchone()[0]
        facts: dict[str, Any] = {"since": last - timedelta(days=days - 1), "last": last}
        facts["constraints"] = [*CONSTRAINTS, *check_documents.CONSTRAINTS]
        facts["triggers"] = [*TRIGGERS, *check_documents.TRIGGERS]
        return [finding for check, sql in checks().items() for finding in _findings(check, sql, facts)]


def _findings(check: str, sql: str, facts: dict[str, Any]) -> list[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(sql, facts)
        texts = [row[0] for row in cursor.fetchmany(SHOWN_MAX)]
        more = cursor.rowcount - len(texts)
    found = [Finding(check, text) for text in texts]
    return [*found, Finding(check, f"and {more} more of the same kind")] if more > 0 else found
