"""The words by which logins are found follow their rows, statement by statement; who has a device or an address now is
found in the sessions themselves, which radiusd writes many times a second."""

from django.db import migrations

TRIGGERS = """
CREATE FUNCTION access_subscriber_words(login text, macs text[], static_ipv4 inet) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT demarc_words(login) UNION SELECT translate(lower(mac), ':-.', '') FROM unnest(macs) mac
    UNION SELECT host(static_ipv4) WHERE static_ipv4 IS NOT NULL
$$;

CREATE FUNCTION access_subscriber_search() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    changed bigint[];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT array_agg(n.id) INTO changed FROM after_rows n JOIN before_rows o ON o.id = n.id
        WHERE (n.partner_id, n.login, n.macs, n.static_ipv4)
            IS DISTINCT FROM (o.partner_id, o.login, o.macs, o.static_ipv4);
        IF changed IS NULL THEN
            RETURN NULL;
        END IF;
        DELETE FROM base_searchword WHERE kind = 'login' AND subject_id = ANY(changed);
    ELSIF TG_OP = 'DELETE' THEN
        DELETE FROM base_searchword w USING before_rows o WHERE w.kind = 'login' AND w.subject_id = o.id;
        RETURN NULL;
    END IF;
    INSERT INTO base_searchword (word, kind, subject_id, partner_id)
    SELECT word, 'login', n.id, n.partner_id FROM after_rows n
    CROSS JOIN LATERAL access_subscriber_words(n.login, n.macs, n.static_ipv4) word
    WHERE changed IS NULL OR n.id = ANY(changed);
    RETURN NULL;
END $$;

CREATE TRIGGER access_subscriber_search_insert AFTER INSERT ON access_subscriber
    REFERENCING NEW TABLE AS after_rows FOR EACH STATEMENT EXECUTE FUNCTION access_subscriber_search();
CREATE TRIGGER access_subscriber_search_update AFTER UPDATE ON access_subscriber
    REFERENCING OLD TABLE AS before_rows NEW TABLE AS after_rows
    FOR EACH STATEMENT EXECUTE FUNCTION access_subscriber_search();
CREATE TRIGGER access_subscriber_search_delete AFTER DELETE ON access_subscriber
    REFERENCING OLD TABLE AS before_rows FOR EACH STATEMENT EXECUTE FUNCTION access_subscriber_search();

INSERT INTO base_searchword (word, kind, subject_id, partner_id)
SELECT word, 'login', n.id, n.partner_id FROM access_subscriber n
CROSS JOIN LATERAL access_subscriber_words(n.login, n.macs, n.static_ipv4) word;
"""
INDEXES = """
CREATE INDEX access_live_device ON access_sessionlive (upper(calling_station::text) text_pattern_ops);
CREATE INDEX access_live_login ON access_sessionlive (upper(user_name::text) text_pattern_ops);
CREATE INDEX access_live_newest ON access_sessionlive (started_at DESC, id DESC);
"""
DROP_INDEXES = "DROP INDEX access_live_newest; DROP INDEX access_live_login; DROP INDEX access_live_device;"
DROP = """
DROP TRIGGER access_subscriber_search_delete ON access_subscriber;
DROP TRIGGER access_subscriber_search_update ON access_subscriber;
DROP TRIGGER access_subscriber_search_insert ON access_subscriber;
DROP FUNCTION access_subscriber_search();
DROP FUNCTION access_subscriber_words(text, text[], inet);
DELETE FROM base_searchword WHERE kind = 'login';
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0008_peaks_fair_orders"), ("base", "0004_search_words")]
    operations = [
        migrations.RunSQL(TRIGGERS, DROP),
        migrations.RunSQL(INDEXES, DROP_INDEXES),
    ]
