"""What the CoA sender reads and writes, as SQL: intents claimed, answers recorded."""

TRIES_MAX = 5
"""How often an intent is sent before we give up; each time with all repetitions of RFC 5080. The index knows it too."""

# Lifting a block goes first: somebody has paid and waits. An intent is void once its session has a newer one.
CLAIM = """
    UPDATE access_coaintent i
    SET state = 'sent', tries = i.tries + 1, sent_at = now()
    FROM (
        SELECT c.id FROM access_coaintent c
        WHERE c.node = %(node)s AND c.state IN ('queued', 'no_answer') AND c.tries < 5 AND c.due_at <= now()
          AND c.nas_id = ANY(%(nases)s)
          AND NOT EXISTS (SELECT FROM access_coaintent n
                          WHERE n.subscriber_id = c.subscriber_id AND n.id > c.id AND n.nas_id = c.nas_id
                            AND n.session_id = c.session_id AND n.user_name = c.user_name)
        ORDER BY c.unblock DESC, c.due_at
        LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) due
    WHERE i.id = due.id
    RETURNING i.id, i.nas_id, i.kind, i.unblock, i.list_name, i.rate_limit, i.user_name, i.session_id,
        host(i.framed_ipv4), i.tries
"""

ORPHANS = """
    UPDATE access_coaintent SET state = 'queued', tries = greatest(tries - 1, 0)
    WHERE node = %(node)s AND state = 'sent' AND tries < 6 AND nas_id = ANY(%(nases)s)
"""
"""What an earlier life of ours had sent when it ended: what came of it is not known, so it is sent again."""

RECORD = """
    UPDATE access_coaintent i
    SET state = r.state, answered_at = now(), error_cause = r.error_cause,
        due_at = now() + make_interval(secs => r.again_s)
    FROM json_to_recordset(%(rows)s) AS r(id bigint, state varchar(10), error_cause smallint, again_s float8)
    WHERE i.id = r.id AND i.state = 'sent'
"""

PUT_IN_LIST = """
    UPDATE access_sessionlive l SET list_name = r.list_name
    FROM json_to_recordset(%(rows)s)
        AS r(nas_id bigint, session_id varchar(128), user_name varchar(253), list_name varchar(60))
    WHERE l.nas_id = r.nas_id AND l.session_id = r.session_id AND l.user_name = r.user_name
"""
