"""The CoA sender's SQL: intents claimed, answers recorded; and the shipper's: what accounting proves of them."""

from collections.abc import Iterable, Mapping
from typing import Any

TRIES_MAX = 5
"""How often an intent is sent before we give up; each time with all repetitions of RFC 5080. The index knows it too."""

# Lifting a block goes first: somebody has paid and waits. An intent is void once its session has a newer one.
CLAIM = """
    UPDATE access_coaintent i
    SET state = 'sent', tries = i.tries + 1, sent_at = now()
    FROM (
        SELECT c.id FROM access_coaintent c
        WHERE c.node = %(node)s AND c.state IN ('queued', 'no_answer', 'later', 'ignored') AND c.tries < 5
          AND c.due_at <= now() AND (c.nas_id = ANY(%(nases)s) OR c.unblock AND c.nas_id = ANY(%(urgent)s))
          AND NOT EXISTS (SELECT FROM access_coaintent n
                          WHERE n.nas_id = c.nas_id AND n.session_id = c.session_id AND n.user_name = c.user_name
                            AND n.id > c.id)
        ORDER BY c.unblock DESC, c.due_at
        LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) due
    WHERE i.id = due.id
    RETURNING i.id, i.nas_id, i.kind, i.unblock, i.fair_use, i.list_name, i.rate_limit, i.user_name,
        i.session_id, host(i.framed_ipv4), i.tries
"""

ORPHANS = """
    UPDATE access_coaintent SET state = 'queued', tries = greatest(tries - 1, 0)
    WHERE node = %(node)s AND state = 'sent' AND tries < 6 AND nas_id = ANY(%(nases)s)
        AND coalesce(sent_at, created_at) <= now() - make_interval(secs => %(since_s)s)
"""
"""What an earlier life of ours, or a node that is gone, had sent when it ended: what came of it is not known, so it is
sent again."""

# Each process writes its bookmark once in a hundred times the length of a snapshot, a busy one more often. One that is
# only quiet still sends what it is told to: so an order must have waited, too, for its node to be taken for dead.
DEAD_NODES = """
    SELECT DISTINCT c.node FROM access_coaintent c
    WHERE c.node <> %(node)s AND c.state IN ('queued', 'sent', 'no_answer', 'later', 'ignored') AND c.tries < 5
      AND c.due_at < now() - make_interval(secs => %(waited_s)s)
      AND NOT EXISTS (SELECT FROM access_bookmark b
                      WHERE starts_with(b.node, c.node || '/') AND b.at > now() - make_interval(secs => %(silent_s)s))
"""
"""The nodes that have orders to send and do not: dead, or never there."""

# The Stop may be applied before the answer is recorded: what accounting proved stays. A cut that follows from a refusal
# is wanted since the change was: so it keeps that time.
RECORD = """
    WITH told AS (
        UPDATE access_coaintent i
        SET state = CASE WHEN i.state = 'sent' THEN r.state ELSE i.state END,
            answered_at = now(), error_cause = r.error_cause, due_at = now() + make_interval(secs => r.again_s)
        FROM json_to_recordset(%(rows)s)
            AS r(id bigint, state varchar(10), error_cause smallint, again_s float8, cut boolean)
        WHERE i.id = r.id
            AND (i.state = 'sent' OR i.state IN ('confirmed', 'gone') AND r.state IN ('ack', 'gone'))
        RETURNING i.*, r.cut
    )
    INSERT INTO access_coaintent (nas_id, node, subscriber_id, kind, unblock, fair_use, list_name, rate_limit,
        user_name, session_id, framed_ipv4, created_at, state, tries, follows_id)
    SELECT t.nas_id, t.node, t.subscriber_id, 'disconnect', t.unblock, t.fair_use, '', '', t.user_name,
        t.session_id, t.framed_ipv4, t.created_at, 'queued', 0, t.id
    FROM told t
    WHERE t.cut AND t.state IN ('nak', 'no_answer')
        AND NOT EXISTS (SELECT FROM access_coaintent n
                        WHERE n.nas_id = t.nas_id AND n.session_id = t.session_id AND n.user_name = t.user_name
                          AND n.id > t.id)
"""

PUT_IN_LIST = """
    UPDATE access_sessionlive l SET list_name = r.list_name
    FROM json_to_recordset(%(rows)s)
        AS r(nas_id bigint, session_id varchar(128), user_name varchar(253), list_name varchar(60))
    WHERE l.nas_id = r.nas_id AND l.session_id = r.session_id AND l.user_name = r.user_name
"""

# `over`: the session has ended; else it was heard of at `at`, and `list_name` and `rate_limit` are what the packet says
# it has, null where it does not say. Consent that accounting contradicts is none: the session is cut, or cut again. A
# router may take some seconds to end a session that it has consented to end.
PROVE = """
    WITH heard AS (
        SELECT i.id, i.kind,
            CASE WHEN h.over THEN CASE WHEN i.kind = 'disconnect' THEN 'confirmed' ELSE 'gone' END
                 WHEN i.kind = 'disconnect' OR h.list_name <> i.list_name AND i.list_name <> ''
                    OR h.rate_limit <> i.rate_limit AND i.rate_limit <> '' THEN 'ignored'
                 ELSE 'confirmed' END AS state
        FROM json_to_recordset(%(rows)s)
            AS h(nas_id bigint, session_id varchar(128), user_name varchar(253), over boolean, at timestamptz,
                 list_name varchar(60), rate_limit varchar(120))
        JOIN access_coaintent i
            ON i.nas_id = h.nas_id AND i.session_id = h.session_id AND i.user_name = h.user_name
        WHERE (h.over AND i.state IN ('queued', 'sent', 'ack', 'nak', 'later', 'no_answer', 'ignored')
               OR i.state = 'ack' AND h.at > i.answered_at
                  + CASE i.kind WHEN 'disconnect' THEN interval '10 seconds' ELSE interval '0' END)
            AND NOT EXISTS (SELECT FROM access_coaintent n
                            WHERE n.nas_id = i.nas_id AND n.session_id = i.session_id AND n.user_name = i.user_name
                              AND n.id > i.id)
    ), told AS (
        UPDATE access_coaintent i
        SET state = heard.state, due_at = now(),
            confirmed_at = CASE WHEN heard.state = 'confirmed' THEN now() END
        FROM heard WHERE i.id = heard.id
        RETURNING i.*
    )
    INSERT INTO access_coaintent (nas_id, node, subscriber_id, kind, unblock, fair_use, list_name, rate_limit,
        user_name, session_id, framed_ipv4, created_at, state, tries, follows_id)
    SELECT t.nas_id, t.node, t.subscriber_id, 'disconnect', t.unblock, t.fair_use, '', '', t.user_name,
        t.session_id, t.framed_ipv4, t.created_at, 'queued', 0, t.id
    FROM told t WHERE t.state = 'ignored' AND t.kind = 'coa'
"""

OPEN = """
    SELECT i.nas_id, i.session_id, i.user_name, i.subscriber_id FROM access_coaintent i
    WHERE i.state IN ('queued', 'sent', 'ack', 'nak', 'later', 'no_answer', 'ignored') LIMIT %(limit)s
"""
"""The orders of which accounting may still prove something. The index access_coa_open knows the states too."""

SUCCEEDED = """
    UPDATE access_coaintent i SET state = 'confirmed', confirmed_at = now()
    FROM json_to_recordset(%(rows)s)
        AS r(subscriber_id bigint, nas_id bigint, session_id varchar(128), started_at timestamptz)
    WHERE i.subscriber_id = r.subscriber_id AND i.kind = 'disconnect' AND i.state = 'ack'
        AND r.started_at >= i.sent_at AND (i.nas_id, i.session_id) <> (r.nas_id, r.session_id)
"""
"""He came again after a cut that the router consented to, though its Stop was lost: it is done."""


def newcomers(sessions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Of rows of new sessions what SUCCEEDED asks for."""
    wanted = ("subscriber_id", "nas_id", "session_id", "started_at")
    return [{name: row[name] for name in wanted} for row in sessions]


CUT = """
    WITH cut AS (
        INSERT INTO access_coaintent (nas_id, node, subscriber_id, kind, unblock, list_name, rate_limit, user_name,
            session_id, framed_ipv4, state, tries)
        SELECT DISTINCT l.nas_id, n.node, l.subscriber_id, 'disconnect', false, '', '', l.user_name,
            l.session_id, l.framed_ipv4, 'queued', 0
        FROM json_to_recordset(%(rows)s)
            AS r(nas_id bigint, session_id varchar(128), user_name varchar(253))
        JOIN access_sessionlive l
            ON l.nas_id = r.nas_id AND l.session_id = r.session_id AND l.user_name = r.user_name
        JOIN access_nas n ON n.id = l.nas_id
        WHERE NOT EXISTS (SELECT FROM access_coaintent i
                          WHERE i.nas_id = l.nas_id AND i.session_id = l.session_id AND i.user_name = l.user_name
                            AND i.kind = 'disconnect' AND i.created_at > now() - interval '1 minute')
        RETURNING id
    )
    SELECT pg_notify('demarc_coa', '') FROM cut LIMIT 1
"""
"""One who asks again and again does not have his old session cut more than once a minute."""
