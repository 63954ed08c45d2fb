"""What the shipper reads and writes, as SQL: sessions, their history, usage, boot epochs, and the bookmark.

Sets of rows, never one by one. They are read as JSON whose names are the columns'. What is new, and interims, come as
arrays, which the database reads in half the time; the few others that change as JSON.
"""

from typing import LiteralString

from demarc.base.lines import ending

TAKE_BOOKMARK = """
    INSERT INTO access_bookmark (node, file, "offset", at) VALUES (%(writer)s, 0, 0, now())
    ON CONFLICT (node) DO UPDATE SET node = excluded.node
    RETURNING file, "offset"
"""
MOVE_BOOKMARK = """
    UPDATE access_bookmark SET file = %(file)s, "offset" = %(offset)s, at = now() WHERE node = %(writer)s
"""

TOUCH_BOOKMARK = "UPDATE access_bookmark SET at = now() WHERE node = %(writer)s"
COMMIT_DURABLY = "SET LOCAL synchronous_commit = on"

NASES = """
    SELECT id, boot_epoch, booted_at FROM access_nas WHERE id = ANY(%(ids)s) ORDER BY id FOR NO KEY UPDATE
"""
"""Locked: when a NAS turns to another process, records of one session come from two, and must see one another."""

NEW_EPOCH = """
    UPDATE access_nas SET boot_epoch = boot_epoch + 1, booted_at = %(at)s WHERE id = %(nas)s
    RETURNING boot_epoch
"""

_KEY: LiteralString = "nas_id, boot_epoch, session_id, user_name"
_KEYS: LiteralString = """
    ROWS FROM (unnest(%(nases)s::bigint[], %(epochs)s::int[]),
               json_array_elements_text(%(sessions)s), json_array_elements_text(%(users)s))
        AS k(nas_id, boot_epoch, session_id, user_name)
"""

LIVE: LiteralString = f"SELECT to_json(l) FROM {_KEYS} JOIN access_sessionlive l USING ({_KEY}) FOR UPDATE OF l"  # noqa: S608 - constants only
"""Locked, because another may be closing silent sessions meanwhile; it skips what is locked."""

LIVE_OF_NAS = """
    SELECT to_json(l) FROM access_sessionlive l WHERE l.nas_id = %(nas)s AND l.started_at <= %(at)s FOR UPDATE
"""

LOGGED: LiteralString = f"""
    SELECT to_json(l) FROM {_KEYS} JOIN access_sessionlog l USING ({_KEY})
    WHERE l.started_at >= %(since)s ORDER BY l.started_at
"""  # noqa: S608 - constants only

HOLDERS = """
    SELECT to_json(l)
    FROM json_to_recordset(%(wanted)s) AS w(vrf int, address inet)
    JOIN access_sessionlive l ON l.vrf = w.vrf AND l.framed_ipv4 = w.address
    FOR UPDATE OF l
"""

DELETE_LIVE = "DELETE FROM access_sessionlive WHERE id = ANY(%(ids)s)"

UPDATED = (
    "id", "started_at", "updated_at", "event_at", "framed_ipv4", "framed_ipv6_prefix", "delegated_prefix",
    "framed_ipv6", "session_time_s", "input_octets", "output_octets", "gigawords_seen", "counting",
)  # fmt: skip
UPDATE_LIVE: LiteralString = f"""
    UPDATE access_sessionlive l
    SET started_at = r.started_at, updated_at = r.updated_at, event_at = r.event_at, framed_ipv4 = r.framed_ipv4,
        framed_ipv6_prefix = r.framed_ipv6_prefix, delegated_prefix = r.delegated_prefix, framed_ipv6 = r.framed_ipv6,
        session_time_s = r.session_time_s, input_octets = r.input_octets, output_octets = r.output_octets,
        gigawords_seen = r.gigawords_seen, counting = r.counting::jsonb
    FROM ROWS FROM (
        unnest(
            %(id)s::bigint[], %(started_at)s::timestamptz[], %(updated_at)s::timestamptz[], %(event_at)s::timestamptz[],
            %(framed_ipv4)s::inet[], %(framed_ipv6_prefix)s::cidr[], %(delegated_prefix)s::cidr[],
            %(framed_ipv6)s::inet[], %(session_time_s)s::bigint[], %(input_octets)s::bigint[],
            %(output_octets)s::bigint[], %(gigawords_seen)s::boolean[]
        ),
        json_array_elements(%(counting)s)
    ) AS r({", ".join(UPDATED)})
    WHERE l.id = r.id
"""  # noqa: S608 - constants only

SERVICES = "SELECT id, service_id FROM access_subscriber WHERE id = ANY(%(ids)s)"
"""Of the subscribers that are still there. One that is deleted just then is found missing at the second attempt."""

_BOTH: dict[LiteralString, LiteralString] = {
    "nas_id": "bigint",
    "boot_epoch": "integer",
    "session_id": "varchar",
    "user_name": "varchar",
    "partner_id": "bigint",
    "subscriber_id": "bigint",
    "service_id": "bigint",
    "started_at": "timestamptz",
    "event_at": "timestamptz",
    "calling_station": "varchar",
    "called_station": "varchar",
    "nas_port_id": "varchar",
    "vrf": "integer",
    "framed_ipv4": "inet",
    "framed_ipv6_prefix": "cidr",
    "delegated_prefix": "cidr",
    "framed_ipv6": "inet",
    "session_time_s": "bigint",
    "input_octets": "bigint",
    "output_octets": "bigint",
    "counting": "jsonb",
}
LIVE_COLUMNS: dict[LiteralString, LiteralString] = _BOTH | {
    "updated_at": "timestamptz",
    "gigawords_seen": "boolean",
    "list_name": "varchar",
}
LOG_COLUMNS: dict[LiteralString, LiteralString] = _BOTH | {
    "id": "bigint",
    "ended_at": "timestamptz",
    "terminate_cause": "smallint",
    "ending": "varchar",
}

ADD_LIVE = f"INSERT INTO access_sessionlive ({', '.join(LIVE_COLUMNS)}){ending(LIVE_COLUMNS)}"
"""New sessions come by the thousand after an outage, as one array for each column (base.lines)."""

ADD_LOG = f"INSERT INTO access_sessionlog ({', '.join(LOG_COLUMNS)}){ending(LOG_COLUMNS)}"
"""Sessions that the tables have never seen: they began and ended in one batch."""

TAKE_IDS = "SELECT nextval('access_sessionlive_id_seq') FROM generate_series(1, %(count)s)"

_AMENDED = [column for column in LOG_COLUMNS if column != "id"]
INSERT_LOG: LiteralString = f"""
    INSERT INTO access_sessionlog (id, {", ".join(_AMENDED)})
    SELECT coalesce(r.id, nextval('access_sessionlive_id_seq')), r.{", r.".join(_AMENDED)}
    FROM json_populate_recordset(NULL::access_sessionlog, %(rows)s) r
    ON CONFLICT (nas_id, boot_epoch, session_id, user_name, started_at) DO UPDATE
    SET ended_at = excluded.ended_at, event_at = excluded.event_at, session_time_s = excluded.session_time_s,
        input_octets = excluded.input_octets, output_octets = excluded.output_octets,
        terminate_cause = excluded.terminate_cause, ending = excluded.ending, counting = excluded.counting
"""  # noqa: S608 - constants only
"""A session that was closed for silence, came back and ended, and a late Stop, amend the row that is there."""

ADD_USAGE = """
    INSERT INTO access_usage (service_id, hour, input_octets, output_octets)
    SELECT u.service_id, u.hour, u.input_octets, u.output_octets
    FROM unnest(%(services)s::bigint[], %(hours)s::timestamptz[], %(inputs)s::bigint[], %(outputs)s::bigint[])
        AS u(service_id, hour, input_octets, output_octets)
    JOIN plans_service p ON p.id = u.service_id
    ORDER BY u.service_id, u.hour
    ON CONFLICT (service_id, hour) DO UPDATE
    SET input_octets = greatest(0, access_usage.input_octets + excluded.input_octets),
        output_octets = greatest(0, access_usage.output_octets + excluded.output_octets)
"""

OTHERS = "SELECT 1 FROM access_bookmark WHERE node <> %(writer)s AND at > now() - interval '2 hours' LIMIT 1"
"""Whether there is another process; each touches its bookmark once in a hundred times the length of a snapshot."""

REGISTER = """
    INSERT INTO access_bookmark (node, file, "offset", at) VALUES (%(writer)s, 0, 0, now())
    ON CONFLICT (node) DO UPDATE SET at = now()
"""
BATCHES_UNDER_WAY = "SELECT 1 FROM access_bookmark WHERE node <> %(writer)s FOR SHARE"
"""Waits for the batches of the others, each of which has its bookmark locked."""

ANNOUNCE = "SELECT pg_notify(%(channel)s, t.payload) FROM json_array_elements_text(%(payloads)s) AS t(payload)"
