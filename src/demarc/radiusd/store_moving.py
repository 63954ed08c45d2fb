"""What moving in and the trace of decisions read and write, as SQL."""

MOVING = """
    SELECT json_build_array(
        m.id, m.nas_id, m.mode, host(m.host), m.auth_port, m.acct_port, encode(m.secret, 'hex'), m.timeout_ms, m.learn
    )::text
    FROM access_movingin m WHERE m.mode <> 'off' ORDER BY m.id
"""

LEARN = """
    INSERT INTO access_learned (subscriber_id, nas_id, sealed, at)
    SELECT s.id, n.id, decode(r.sealed, 'hex'), r.at
    FROM json_to_recordset(%(rows)s) AS r(subscriber_id bigint, nas_id bigint, sealed text, at timestamptz)
    JOIN access_subscriber s ON s.id = r.subscriber_id JOIN access_nas n ON n.id = r.nas_id
    ON CONFLICT DO NOTHING
"""

DECIDED = """
    INSERT INTO access_decision (
        at, node, nas_id, partner_id, subscriber_id, login, found, method, credentials, needs_proof, station, port,
        mac_rule, others, session_limit, cause, outcome, answered_by, why, address, address_from, sent, old, differs
    )
    SELECT r.at, r.node, r.nas_id, r.partner_id, r.subscriber_id, r.login, r.found, r.method, r.credentials,
        r.needs_proof, r.station, r.port, r.mac_rule, r.others, r.session_limit, r.cause, r.outcome, r.answered_by,
        r.why, r.address, r.address_from, r.sent, r.old, r.differs
    FROM json_populate_recordset(NULL::access_decision, %(rows)s) r
"""
