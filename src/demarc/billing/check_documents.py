"""Are the documents right? By SQL that shares no rule with what made them: sums, tax, numbers, ledger, days, facts.

Each constant yields sentences about what is wrong. They look at documents issued since a day; numbers and days whole.
"""

# Lines in, per category and rate and whether the price holds the tax; integers only, halves away from zero.
TAXES = """
WITH groups AS (
    SELECT l.document_id, l.tax_category AS category, l.rate, l.included, sum(l.amount) AS amount,
        (l.rate * 1000000)::bigint AS r
    FROM billing_documentline l JOIN billing_document d ON d.id = l.document_id
    WHERE d.issued_on >= %(since)s GROUP BY l.document_id, l.tax_category, l.rate, l.included
), split AS (
    SELECT document_id, category, rate, sum(CASE WHEN included
            THEN sign(amount) * ((2 * abs(amount) * 1000000 + 1000000 + r)::bigint / (2 * (1000000 + r)))
            ELSE amount END)::bigint AS net,
        sum(CASE WHEN included
            THEN amount - sign(amount) * ((2 * abs(amount) * 1000000 + 1000000 + r)::bigint / (2 * (1000000 + r)))
            ELSE sign(amount) * ((2 * abs(amount) * r + 1000000)::bigint / 2000000) END)::bigint AS tax
    FROM groups GROUP BY document_id, category, rate
), kept AS (
    SELECT t.* FROM billing_documenttax t JOIN billing_document d ON d.id = t.document_id WHERE d.issued_on >= %(since)s
)
SELECT format('document %%s says net %%s and tax %%s for %%s at %%s; its lines give %%s and %%s',
    coalesce(s.document_id, k.document_id), k.net, k.tax, coalesce(s.category, k.category), coalesce(s.rate, k.rate),
    s.net, s.tax)
FROM split s FULL JOIN kept k USING (document_id, category, rate)
WHERE (s.net, s.tax) IS DISTINCT FROM (k.net, k.tax) ORDER BY 1
"""

SUMS = """
SELECT format('document %%s sums to %%s + %%s, its taxes to %%s + %%s', d.number, d.net, d.tax, t.net, t.tax)
FROM billing_document d
LEFT JOIN (SELECT document_id, sum(net) AS net, sum(tax) AS tax FROM billing_documenttax GROUP BY document_id) AS t
    ON t.document_id = d.id
WHERE d.issued_on >= %(since)s AND (d.net, d.tax) IS DISTINCT FROM (t.net, t.tax) ORDER BY d.id
"""

# What the ledger says of a document: its gross leaves the payer; of consumed days only the tax moves.
LEDGER = """
WITH moved AS (
    SELECT t.entry_id, min(t.account_id) AS account_id,
        sum(CASE p.id WHEN t.debit_account_id THEN t.amount WHEN t.credit_account_id THEN -t.amount ELSE 0 END) AS paid,
        sum(CASE WHEN t.kind = 'tax' THEN t.amount ELSE 0 END) AS tax
    FROM billing_transfer t
    LEFT JOIN billing_ledgeraccount p ON p.payer_id = t.account_id
    WHERE t.kind IN ('document', 'tax') AND t.day >= %(since)s GROUP BY t.entry_id
)
SELECT CASE WHEN d.id IS NULL THEN format('entry %%s of account %%s belongs to no document', m.entry_id, m.account_id)
    ELSE format('document %%s is of %%s (tax %%s), the ledger moved %%s (tax %%s)', d.number, d.gross, d.tax,
        coalesce(m.paid, 0), coalesce(m.tax, 0)) END
FROM (SELECT * FROM billing_document WHERE issued_on >= %(since)s) AS d FULL JOIN moved m ON m.entry_id = d.entry_id
WHERE CASE WHEN d.id IS NULL THEN true WHEN d.source = 'consumed' THEN coalesce(m.tax, 0) <> d.tax
    ELSE coalesce(m.paid, 0) <> d.gross OR (m.account_id IS NOT NULL AND m.account_id <> d.account_id) END
ORDER BY coalesce(d.id, 0), m.entry_id
"""

OPEN = """
SELECT format('document %%s of %%s has %%s open; it was paid %%s', d.number, d.gross, d.open_amount,
    coalesce(a.paid, 0))
FROM billing_document d
LEFT JOIN (SELECT document_id, sum(amount) AS paid FROM billing_allocation GROUP BY document_id) AS a
    ON a.document_id = d.id
WHERE d.open_amount <> CASE WHEN d.kind = 'invoice' AND d.source <> 'consumed' THEN d.gross - coalesce(a.paid, 0)
    ELSE 0 END
ORDER BY d.id
"""

# Nobody has money while a debt of his is open.
IDLE = """
SELECT format('account %%s has %%s although %%s is open on its documents', l.payer_id, l.balance, d.owed)
FROM billing_ledgeraccount l
JOIN (SELECT account_id, sum(open_amount) AS owed FROM billing_document WHERE open_amount > 0 GROUP BY account_id) AS d
    ON d.account_id = l.payer_id
WHERE l.balance + d.owed > 0 ORDER BY l.payer_id
"""

NUMBERS = """
WITH numbered AS (
    SELECT partner_id, kind, substring(number FROM '[0-9]{4}')::int AS year,
        substring(number FROM '^[A-Z]*[0-9]{4}([0-9]+)$')::bigint AS n
    FROM billing_document WHERE kind <> 'proforma'
), series AS (
    SELECT partner_id, kind, year, count(*) AS count, count(DISTINCT n) AS different, min(n) AS first, max(n) AS last
    FROM numbered GROUP BY partner_id, kind, year
)
SELECT format('%%s numbers of %%s at partner %%s are not gapless: %%s documents from %%s to %%s, next %%s',
    s.kind, s.year, s.partner_id, s.count, s.first, s.last, c.next_value)
FROM series s
LEFT JOIN base_counter c ON c.partner_id = s.partner_id AND c.series = s.kind || ':' || s.year
WHERE (s.first, s.last, s.different, c.next_value) IS DISTINCT FROM (1, s.count, s.count, s.last + 1) ORDER BY 1
"""

# What a document bills of services is what it covers less what it replaces; items are billed once.
DAYS = """
WITH told AS (
    SELECT document_id, sum(amount) AS amount FROM billing_documentline
    WHERE service_id IS NOT NULL GROUP BY document_id
), covered AS (SELECT document_id, sum(amount) AS amount FROM billing_cover GROUP BY document_id),
replaced AS (
    SELECT replaced_by_id, sum(amount) AS amount FROM billing_cover
    WHERE replaced_by_id IS NOT NULL GROUP BY replaced_by_id
), items AS (
    SELECT document_id, sum(amount) AS amount FROM billing_item
    WHERE document_id IS NOT NULL AND service_id IS NOT NULL GROUP BY document_id
)
SELECT format('document %%s bills %%s for days of services and covers %%s', d.number,
    coalesce(t.amount, 0) - coalesce(i.amount, 0), coalesce(c.amount, 0) - coalesce(r.amount, 0))
FROM billing_document d
LEFT JOIN told t ON t.document_id = d.id
LEFT JOIN covered c ON c.document_id = d.id
LEFT JOIN replaced r ON r.replaced_by_id = d.id
LEFT JOIN items i ON i.document_id = d.id
WHERE d.issued_on >= %(since)s AND d.source <> 'consumed'
    AND coalesce(t.amount, 0) - coalesce(i.amount, 0) <> coalesce(c.amount, 0) - coalesce(r.amount, 0) ORDER BY d.id
"""

# Each cover's amount by its own facts: the rounded share of the month at its end less that at its begin.
COVERS = """
WITH worth AS (
    SELECT c.*, greatest(price * quantity * (10000 - percent) - fixed * 10000, 0)::numeric AS w,
        (c.first_day - month)::bigint AS begin_part, (c.last_day - month + 1)::bigint AS end_part
    FROM billing_cover c JOIN billing_document d ON d.id = c.document_id WHERE d.issued_on >= %(since)s
)
SELECT format('service %%s: %%s to %%s are billed with %%s; %%s of %%s days at %%s give %%s',
    service_id, first_day, last_day, amount, last_day - first_day + 1, of_days, price,
    div(2 * w * end_part + of_days * 10000, 2 * of_days * 10000)
        - div(2 * w * begin_part + of_days * 10000, 2 * of_days * 10000))
FROM worth
WHERE amount <> div(2 * w * end_part + of_days * 10000, 2 * of_days * 10000)
    - div(2 * w * begin_part + of_days * 10000, 2 * of_days * 10000) ORDER BY id
"""

# The facts that a cover names: of that service, in use, on those days; its price is that plan's, or the agreed one.
FACTS = """
SELECT format('service %%s: %%s to %%s are billed at %%s, which the facts it names do not say',
    c.service_id, c.first_day, c.last_day, c.price)
FROM billing_cover c
JOIN billing_document d ON d.id = c.document_id
LEFT JOIN plans_servicefact f ON f.id = c.service_fact_id
LEFT JOIN plans_planprice p ON p.id = c.price_fact_id
WHERE d.issued_on >= %(since)s AND (
    f.service_id = c.service_id AND f.state = 'active' AND f.valid_from <= c.first_day AND f.plan_id = c.plan_id
    AND f.quantity = c.quantity
    AND CASE WHEN c.own THEN f.price_override = c.price
        ELSE p.plan_id = c.plan_id AND p.amount = c.price END) IS NOT TRUE
ORDER BY c.id
"""

# A service is billed through the last day that a live cover of it covers.
HELD = """
WITH through AS (
    SELECT b.service_id, b.day FROM billing_billedthrough b
    JOIN plans_service s ON s.id = b.service_id
    JOIN customers_account a ON a.id = s.account_id
    JOIN billing_recurringstate r ON r.account_id = coalesce(a.parent_id, a.id)
    WHERE b.day >= b.begun_on
), held AS (
    SELECT t.service_id, t.day AS last, max(c.last_day) AS reached
    FROM through t JOIN billing_cover c ON c.service_id = t.service_id AND c.replaced_by_id IS NULL
    GROUP BY t.service_id, t.day
)
SELECT format('service %%s is billed through %%s, but its covered days end on %%s', service_id, last, reached)
FROM held WHERE reached <> last ORDER BY service_id
"""

UNBILLED = """
SELECT format('service %%s is active, but account %%s will never get a document', s.id, a.id)
FROM plans_service s JOIN customers_account a ON a.id = s.account_id AND a.billing_type = 'recurring'
WHERE s.state = 'active'
    AND NOT EXISTS (SELECT FROM billing_recurringstate r WHERE r.account_id = coalesce(a.parent_id, a.id)) ORDER BY s.id
"""

CHECKS = {
    "taxes": TAXES,
    "sums": SUMS,
    "documents": LEDGER,
    "open": OPEN,
    "idle": IDLE,
    "numbers": NUMBERS,
    "days": DAYS,
    "covers": COVERS,
    "facts": FACTS,
    "held": HELD,
    "never": UNBILLED,
}

CONSTRAINTS = (
    "billing_document_number",
    "billing_document_key",
    "billing_document_sums",
    "billing_document_open",
    "billing_document_account_currency",
    "billing_cover_once",
    "billing_cover_days",
)
TRIGGERS = (
    "billing_document_guard",
    "billing_cover_guard",
    "billing_documentline_immutable",
    "billing_documenttax_immutable",
    "billing_allocation_immutable",
    "customers_recurringterms_immutable",
)
