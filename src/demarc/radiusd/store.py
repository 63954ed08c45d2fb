"""All that radiusd reads from the database, as SQL. Each read-model row comes as one JSON array, so that a row from the
database and a line of the snapshot file are the same thing. What radiusd writes is in the other `store_` modules.
"""

from typing import LiteralString

BATCH = 500
"""Rows of a large table that are read at a time: few enough that packets wait some milliseconds for them at most."""

SNAPSHOT_NOW = "SELECT pg_current_snapshot()::text"

FEED = """
    SELECT f.kind, f.key FROM access_feed f
    WHERE f.xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
      AND NOT pg_visible_in_snapshot(f.xid, %(seen)s::pg_snapshot)
"""

POLICIES = "SELECT json_build_array(p.partner_id, p.body)::text FROM access_policy p"

POOLS = """
    SELECT json_build_array(p.id, p.partner_id, p.router_id, p.kind, p.vrf, host(p.first), host(p.last),
        p.prefix_length)::text
    FROM network_pool p ORDER BY p.id
"""

NASES = """
    SELECT json_build_array(
        n.id, n.partner_id, n.router_id, host(n.address), encode(n.secret, 'hex'), n.require_authenticator,
        n.sends_authenticator, n.coa_enabled, n.coa_port, n.interim_s, n.framed_pool, r.nas_type,
        (SELECT json_object_agg(c.cause, c.answer) FROM network_routercause c WHERE c.router_id = n.router_id),
        n.node
    )::text
    FROM access_nas n JOIN network_router r ON r.id = n.router_id ORDER BY n.id
"""

_SUBSCRIBER = """
    SELECT json_build_array(
        s.id, s.partner_id, s.service_id, s.realm, s.login, encode(s.secret, 'hex'),
        CASE WHEN s.bind_mac THEN s.macs ELSE '{}' END, s.simultaneous_limit, s.pool_id, s.session_timeout_s,
        s.active, s.cause, host(s.static_ipv4), s.routes, s.down_kbps, s.up_kbps, s.rate_limit, s.owed, s.owed_currency,
        s.framed_ipv6_prefix, s.delegated_prefix, host(s.framed_ipv6),
        CASE WHEN s.bind_mac THEN s.learn_macs ELSE 0 END, s.learn_replaces, s.nas_port_id,
        s.fair_use = 'blocked'
    )::text
    FROM access_subscriber s
"""
SUBSCRIBERS: LiteralString = _SUBSCRIBER + " WHERE s.id > %(after)s ORDER BY s.id LIMIT %(batch)s"
SUBSCRIBERS_NAMED: LiteralString = _SUBSCRIBER + " WHERE s.id = ANY(%(ids)s)"

LIVE_SESSIONS = """
    SELECT json_build_array(
        l.id, l.nas_id, l.session_id, l.user_name, l.subscriber_id, l.service_id, l.calling_station, l.nas_port_id,
        l.vrf, host(l.framed_ipv4), extract(epoch FROM l.started_at)::float8,
        extract(epoch FROM l.updated_at)::float8, l.framed_ipv6_prefix, l.delegated_prefix
    )::text
    FROM access_sessionlive l WHERE l.id > %(after)s ORDER BY l.id LIMIT %(batch)s
"""

BLOCKS = """
    SELECT json_build_array(b.pool_id, host(b.first), host(b.last))::text
    FROM access_poolblock b WHERE starts_with(b.owner, %(owner)s)
"""

BOOKMARK = 'SELECT b.file, b."offset" FROM access_bookmark b WHERE b.node = %(writer)s'
