"""What the pages process reads from the database, as SQL. Rows come as one JSON array each, as in `store`.

Who a visitor is and what he owes, by numbers only: no name, no login and no secret is asked for.
"""

from typing import LiteralString

from demarc.radiusd.store import POOLS as POOLS

PROVIDERS = """
    SELECT json_build_array(
        p.id, p.name, p.language, p.phone, p.email, p.website,
        coalesce(b.title, ''), coalesce(b.message, ''), coalesce(b.how_to_pay, ''), coalesce(b.colour, ''),
        coalesce(encode(b.logo, 'hex'), ''), coalesce(b.logo_type, ''), coalesce(y.body -> 'causes', '{}')
    )::text
    FROM base_partner p
    LEFT JOIN network_blockingpage b ON b.partner_id = p.id
    LEFT JOIN access_policy y ON y.partner_id = p.id
    ORDER BY p.id
"""

_STANDING = """
    SELECT json_build_array(
        s.id, s.partner_id, CASE WHEN s.active THEN s.cause ELSE coalesce(s.cause, 1) END, s.owed, s.owed_currency,
        host(s.static_ipv4), s.fair_use = 'blocked'
    )::text
    FROM access_subscriber s
"""
STANDINGS: LiteralString = _STANDING + " WHERE s.id > %(after)s ORDER BY s.id LIMIT %(batch)s"
STANDINGS_NAMED: LiteralString = _STANDING + " WHERE s.id = ANY(%(ids)s)"

_SESSION = """
    SELECT json_build_array(
        l.id, l.partner_id, l.subscriber_id, l.list_name, host(l.framed_ipv4), host(l.framed_ipv6),
        l.framed_ipv6_prefix, l.delegated_prefix, extract(epoch FROM least(l.updated_at, now()))
    )::text
    FROM access_sessionlive l
    WHERE l.vrf = 0
"""
SESSIONS: LiteralString = _SESSION + " AND l.id > %(after)s ORDER BY l.id LIMIT %(batch)s"
SESSIONS_SINCE: LiteralString = _SESSION + " AND l.updated_at > to_timestamp(%(since)s) ORDER BY l.updated_at, l.id"
