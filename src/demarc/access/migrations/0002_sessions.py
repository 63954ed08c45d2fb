"""Sessions: room for updates in place, single addresses only; the history partitioned by month of start."""

from django.db import migrations

SQL = """
ALTER TABLE access_sessionlive
    ADD CONSTRAINT access_sessionlive_host CHECK (family(framed_ipv4) = 4 AND masklen(framed_ipv4) = 32);
ALTER TABLE access_sessionlive SET (fillfactor = 70);
ALTER TABLE access_subscriber SET (fillfactor = 80);

CREATE TABLE access_sessionlog (
    id bigint NOT NULL,
    nas_id bigint NOT NULL,
    boot_epoch integer NOT NULL,
    session_id varchar(128) NOT NULL,
    user_name varchar(253) NOT NULL,
    partner_id bigint NOT NULL,
    subscriber_id bigint,
    service_id bigint,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    event_at timestamptz,
    calling_station varchar(80) NOT NULL DEFAULT '',
    called_station varchar(120) NOT NULL DEFAULT '',
    nas_port_id varchar(120) NOT NULL DEFAULT '',
    vrf integer NOT NULL DEFAULT 0,
    framed_ipv4 inet,
    framed_ipv6_prefix cidr,
    delegated_prefix cidr,
    framed_ipv6 inet,
    session_time_s bigint NOT NULL DEFAULT 0,
    input_octets bigint NOT NULL DEFAULT 0,
    output_octets bigint NOT NULL DEFAULT 0,
    terminate_cause smallint NOT NULL DEFAULT 0,
    ending varchar(8) NOT NULL DEFAULT 'stop' CHECK (ending IN ('stop', 'reboot', 'stale')),
    counting jsonb,
    UNIQUE (nas_id, boot_epoch, session_id, user_name, started_at)
) PARTITION BY RANGE (started_at);
CREATE TABLE access_sessionlog_rest PARTITION OF access_sessionlog DEFAULT;
CREATE INDEX access_sessionlog_service ON access_sessionlog (service_id, started_at DESC);
CREATE INDEX access_sessionlog_subscriber ON access_sessionlog (subscriber_id, started_at DESC);
CREATE INDEX access_sessionlog_address ON access_sessionlog (framed_ipv4, started_at DESC);

-- Months are made ahead of need by a daily job; owner's rights, since the application may not create tables.
-- Says whether it made one. Rows that came before their month wait in the default partition and move over: a month
-- cannot be attached while the default one holds rows of it.
CREATE FUNCTION access_make_sessionlog_month(month date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    first timestamptz := date_trunc('month', month::timestamp) AT TIME ZONE 'UTC';
    after timestamptz := (date_trunc('month', month::timestamp) + interval '1 month') AT TIME ZONE 'UTC';
    name text := 'access_sessionlog_' || to_char(month, 'YYYYMM');
BEGIN
    LOCK TABLE access_sessionlog IN SHARE ROW EXCLUSIVE MODE;
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE access_sessionlog INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('WITH moved AS (DELETE FROM access_sessionlog_rest WHERE started_at >= %L AND started_at < %L'
                   ' RETURNING *) INSERT INTO %I SELECT * FROM moved', first, after, name);
    EXECUTE format('ALTER TABLE access_sessionlog ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   name, first, after);
    RETURN true;
END $$;
"""

REVERSE = """
DROP FUNCTION access_make_sessionlog_month(date);
DROP TABLE access_sessionlog;
ALTER TABLE access_sessionlive DROP CONSTRAINT access_sessionlive_host;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
