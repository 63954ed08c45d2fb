"""What radiusd writes about the routers it hears, as SQL."""

SEEN = """
    UPDATE access_nas n
    SET last_seen_at = now() - make_interval(secs => r.age_s),
        sends_authenticator = coalesce(r.signs, n.sends_authenticator)
    FROM json_to_recordset(%(rows)s) AS r(id bigint, age_s float8, signs boolean)
    WHERE n.id = r.id
"""
