"""Sessions: room for updates in place, single addresses only; the history partitioned by month of start."""

import demarc.base.fields
import django.db.models.deletion
from django.db import migrations
from django.db import models

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

    operations = [
        migrations.CreateModel(
            name="SessionLog",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("nas_id", models.BigIntegerField()),
                ("boot_epoch", models.PositiveIntegerField()),
                ("session_id", models.CharField(max_length=128)),
                ("user_name", models.CharField(max_length=253)),
                ("partner_id", models.BigIntegerField()),
                ("subscriber_id", models.BigIntegerField(null=True)),
                ("service_id", models.BigIntegerField(null=True)),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("event_at", models.DateTimeField(null=True)),
                ("calling_station", models.CharField(max_length=80)),
                ("called_station", models.CharField(max_length=120)),
                ("nas_port_id", models.CharField(max_length=120)),
                ("vrf", models.PositiveIntegerField()),
                ("framed_ipv4", models.GenericIPAddressField(null=True)),
                ("framed_ipv6_prefix", demarc.base.fields.CidrField(null=True)),
                ("delegated_prefix", demarc.base.fields.CidrField(null=True)),
                ("framed_ipv6", models.GenericIPAddressField(null=True)),
                ("session_time_s", models.BigIntegerField()),
                ("input_octets", models.BigIntegerField()),
                ("output_octets", models.BigIntegerField()),
                ("terminate_cause", models.PositiveSmallIntegerField()),
                (
                    "ending",
                    models.CharField(
                        choices=[
                            ("stop", "Stop"),
                            ("reboot", "Restart of the router"),
                            ("stale", "Not heard of any more"),
                        ],
                        max_length=8,
                    ),
                ),
                ("counting", models.JSONField(help_text="Unless told by the row.", null=True)),
            ],
            options={
                "db_table": "access_sessionlog",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="SessionLive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("boot_epoch", models.PositiveIntegerField()),
                ("session_id", models.CharField(max_length=128)),
                ("user_name", models.CharField(max_length=253)),
                ("started_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                ("event_at", models.DateTimeField(help_text="Event-Timestamp, the NAS's own clock.", null=True)),
                ("calling_station", models.CharField(blank=True, max_length=80)),
                ("called_station", models.CharField(blank=True, max_length=120)),
                ("nas_port_id", models.CharField(blank=True, max_length=120)),
                ("vrf", models.PositiveIntegerField(default=0)),
                ("framed_ipv4", models.GenericIPAddressField(null=True)),
                ("framed_ipv6_prefix", demarc.base.fields.CidrField(null=True)),
                ("delegated_prefix", demarc.base.fields.CidrField(null=True)),
                ("framed_ipv6", models.GenericIPAddressField(null=True)),
                ("session_time_s", models.BigIntegerField(default=0)),
                ("input_octets", models.BigIntegerField(default=0, help_text="From the customer (upload).")),
                ("output_octets", models.BigIntegerField(default=0, help_text="To the customer (download).")),
                ("gigawords_seen", models.BooleanField(default=False)),
                (
                    "list_name",
                    models.CharField(blank=True, help_text="The list we put it in last; empty: none.", max_length=60),
                ),
                ("counting", models.JSONField(default=dict, help_text="radiusd's counter readings.")),
                (
                    "nas",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.nas",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"),
                ),
                (
                    "service",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="plans.service",
                    ),
                ),
                (
                    "subscriber",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="sessions",
                        to="access.subscriber",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subscriber"], name="access_sessionlive_subscriber"),
                    models.Index(fields=["service"], name="access_sessionlive_service"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("nas", "boot_epoch", "session_id", "user_name"), name="access_sessionlive_key"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("framed_ipv4__isnull", False)),
                        fields=("vrf", "framed_ipv4"),
                        name="access_sessionlive_address",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Usage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("input_octets", models.BigIntegerField(default=0)),
                ("output_octets", models.BigIntegerField(default=0)),
                (
                    "service",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage",
                        to="plans.service",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("service", "hour"), name="access_usage_hour")],
            },
        ),
        migrations.CreateModel(
            name="Lease",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.GenericIPAddressField(help_text="Of a prefix: with its length.")),
                ("at", models.DateTimeField()),
                (
                    "pool",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="leases",
                        to="network.pool",
                    ),
                ),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="leases", to="plans.service"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("pool", "service"), name="access_lease_sticky")],
            },
        ),
        migrations.RunSQL(SQL, REVERSE),
    ]
