"""Sessions: one live session per address by exclusion constraint; the history partitioned by month of start."""

from django.db import migrations

SQL = """
ALTER TABLE access_sessionlive
    ADD CONSTRAINT access_sessionlive_address
        EXCLUDE USING gist (int4range(vrf, vrf, '[]') WITH &&, framed_ipv4 inet_ops WITH &&)
        WHERE (framed_ipv4 IS NOT NULL);
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
    UNIQUE (nas_id, boot_epoch, session_id, user_name, started_at)
) PARTITION BY RANGE (started_at);
CREATE TABLE access_sessionlog_rest PARTITION OF access_sessionlog DEFAULT;
CREATE INDEX access_sessionlog_service ON access_sessionlog (service_id, started_at DESC);
CREATE INDEX access_sessionlog_subscriber ON access_sessionlog (subscriber_id, started_at DESC);
CREATE INDEX access_sessionlog_address ON access_sessionlog (framed_ipv4, started_at DESC);

-- Months are made ahead of need by a daily job; owner's rights, since the application may not create tables.
CREATE FUNCTION access_make_sessionlog_month(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    first date := date_trunc('month', month)::date;
    name text := 'access_sessionlog_' || to_char(first, 'YYYYMM');
BEGIN
    IF to_regclass(name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF access_sessionlog FOR VALUES FROM (%L) TO (%L)',
                       name, first::timestamptz, (first + interval '1 month')::timestamptz);
    END IF;
END $$;
"""

REVERSE = """
DROP FUNCTION access_make_sessionlog_month(date);
DROP TABLE access_sessionlog;
ALTER TABLE access_sessionlive DROP CONSTRAINT access_sessionlive_address;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0001_initial")]
    operations = [migrations.RunSQL(SQL, REVERSE)]
