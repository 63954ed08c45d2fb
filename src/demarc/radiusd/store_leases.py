"""What leasing addresses reads and writes, as SQL: blocks claimed and adopted, and who had which address last."""

CLAIM = """
    UPDATE access_poolblock b SET owner = %(owner)s, taken_at = now(), free_after = NULL
    FROM (
        SELECT f.id FROM access_poolblock f
        WHERE f.pool_id = %(pool)s AND f.owner = '' AND (f.free_after IS NULL OR f.free_after <= now())
        ORDER BY f.first LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) free
    WHERE b.id = free.id
    RETURNING host(b.first), host(b.last)
"""

ADOPT = """
    UPDATE access_poolblock b SET owner = %(owner)s
    FROM (
        SELECT f.id, starts_with(f.owner, %(ours)s) AS ours FROM access_poolblock f
        WHERE starts_with(f.owner, %(ours)s)
           OR (%(beyond)s::int IS NOT NULL AND split_part(f.owner, '/', 1) = %(node)s
               AND CASE WHEN split_part(f.owner, '/', 2) ~ '^[0-9]{1,6}$' THEN split_part(f.owner, '/', 2)::int END
                   >= %(beyond)s)
        FOR UPDATE
    ) old
    WHERE b.id = old.id
    RETURNING b.pool_id, host(b.first), host(b.last), old.ours
"""

PERSIST = """
    INSERT INTO access_lease (pool_id, service_id, address, at)
    SELECT r.pool_id, r.service_id, r.address, %(at)s
    FROM json_populate_recordset(NULL::access_lease, %(rows)s) r
    JOIN plans_service s ON s.id = r.service_id JOIN network_pool p ON p.id = r.pool_id
    ON CONFLICT (pool_id, service_id) DO UPDATE SET address = excluded.address, at = excluded.at
"""
