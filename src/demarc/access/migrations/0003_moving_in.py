"""Moving in from another RADIUS server: its address, the passwords it teaches, and how each request was decided."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

SQL = """
CREATE SEQUENCE access_decision_id_seq;
CREATE TABLE access_decision (
    id bigint NOT NULL DEFAULT nextval('access_decision_id_seq'),
    at timestamptz NOT NULL,
    node varchar(80) NOT NULL,
    nas_id bigint NOT NULL,
    partner_id bigint NOT NULL,
    subscriber_id bigint,
    login varchar(253) NOT NULL,
    found varchar(8) NOT NULL CHECK (found IN ('exact', 'domain', 'none')),
    method varchar(8) NOT NULL,
    credentials varchar(8) NOT NULL CHECK (credentials IN ('pass', 'fail', 'unknown', 'noise')),
    needs_proof boolean NOT NULL,
    station varchar(80) NOT NULL,
    port varchar(120) NOT NULL,
    mac_rule varchar(8) NOT NULL CHECK (mac_rule IN ('any', 'listed', 'other')),
    others smallint NOT NULL,
    session_limit smallint NOT NULL,
    cause smallint,
    outcome varchar(9) NOT NULL CHECK (outcome IN ('accept', 'limited', 'reject', 'challenge', 'silent')),
    answered_by varchar(6) NOT NULL CHECK (answered_by IN ('us', 'old', 'nobody')),
    why varchar(200) NOT NULL,
    address inet,
    address_from varchar(12) NOT NULL,
    sent text[] NOT NULL DEFAULT '{}',
    old text[] NOT NULL DEFAULT '{}',
    differs text[] NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (at);
ALTER SEQUENCE access_decision_id_seq OWNED BY access_decision.id;
CREATE TABLE access_decision_rest PARTITION OF access_decision DEFAULT;
CREATE INDEX access_decision_id ON access_decision (id);
CREATE INDEX access_decision_at ON access_decision (at DESC);
CREATE INDEX access_decision_login ON access_decision (login varchar_pattern_ops, at DESC);
CREATE INDEX access_decision_nas ON access_decision (nas_id, at DESC);

-- Days are made ahead of need and dropped whole when they are too old; owner's rights, since the application may do
-- neither. Rows that came before their day wait in the default partition and move over, as in the sessions' history.
CREATE FUNCTION access_make_decision_day(day date) RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    first timestamptz := day::timestamp AT TIME ZONE 'UTC';
    after timestamptz := (day + 1)::timestamp AT TIME ZONE 'UTC';
    name text := 'access_decision_' || to_char(day, 'YYYYMMDD');
BEGIN
    LOCK TABLE access_decision IN SHARE ROW EXCLUSIVE MODE;
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE access_decision INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('WITH moved AS (DELETE FROM access_decision_rest WHERE at >= %L AND at < %L RETURNING *)'
                   ' INSERT INTO %I SELECT * FROM moved', first, after, name);
    EXECUTE format('ALTER TABLE access_decision ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, first, after);
    RETURN true;
END $$;

-- How many days were dropped. Never one of the last two: a clock that went wrong must not empty the table.
CREATE FUNCTION access_drop_decision_days(before date) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
DECLARE
    old record;
    dropped integer := 0;
BEGIN
    before := least(before, (now() AT TIME ZONE 'UTC')::date - 1);
    FOR old IN
        SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'access_decision'::regclass AND c.relname ~ '^access_decision_[0-9]{8}$'
          AND right(c.relname, 8) < to_char(before, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %I', old.name);
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM access_decision_rest WHERE at < before::timestamp AT TIME ZONE 'UTC';
    RETURN dropped;
END $$;
"""

REVERSE = """
DROP FUNCTION access_drop_decision_days(date);
DROP FUNCTION access_make_decision_day(date);
DROP TABLE access_decision;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_sessions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("node", models.CharField(max_length=80)),
                ("nas_id", models.BigIntegerField()),
                ("partner_id", models.BigIntegerField()),
                ("subscriber_id", models.BigIntegerField(null=True)),
                ("login", models.CharField(max_length=253)),
                ("found", models.CharField(help_text="exact | domain | none", max_length=8)),
                ("method", models.CharField(help_text="pap | chap | mschap1 | mschap2 | eap | none", max_length=8)),
                (
                    "credentials",
                    models.CharField(help_text="core.access.Check, or noise: the secrets differ", max_length=8),
                ),
                ("needs_proof", models.BooleanField()),
                ("station", models.CharField(max_length=80)),
                ("port", models.CharField(max_length=120)),
                ("mac_rule", models.CharField(help_text="any | listed | other", max_length=8)),
                ("others", models.PositiveSmallIntegerField()),
                ("session_limit", models.PositiveSmallIntegerField()),
                ("cause", models.PositiveSmallIntegerField(null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("accept", "Accepted"),
                            ("limited", "Accepted, limited"),
                            ("reject", "Rejected"),
                            ("challenge", "Asked on"),
                            ("silent", "No answer"),
                        ],
                        max_length=9,
                    ),
                ),
                (
                    "answered_by",
                    models.CharField(
                        choices=[("us", "Us"), ("old", "The old server"), ("nobody", "Nobody")], max_length=6
                    ),
                ),
                ("why", models.CharField(max_length=200)),
                ("address", models.GenericIPAddressField(null=True)),
                ("address_from", models.CharField(help_text="core.access.Source", max_length=12)),
                (
                    "sent",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=300), default=list, size=None
                    ),
                ),
                (
                    "old",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=300), default=list, size=None
                    ),
                ),
                (
                    "differs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=300), default=list, size=None
                    ),
                ),
            ],
            options={
                "db_table": "access_decision",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Learned",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sealed", models.BinaryField()),
                ("at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "nas",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="access.nas"),
                ),
                (
                    "subscriber",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="access.subscriber"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MovingIn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "mode",
                    models.CharField(
                        choices=[
                            ("off", "Not used"),
                            ("unknown", "Pass on those we do not know"),
                            ("compare", "Pass on everything and compare"),
                            ("listen", "Only listen: answer nothing"),
                        ],
                        default="off",
                        max_length=8,
                    ),
                ),
                ("host", models.GenericIPAddressField(null=True)),
                ("auth_port", models.PositiveIntegerField(default=1812)),
                ("acct_port", models.PositiveIntegerField(default=1813)),
                (
                    "secret",
                    models.BinaryField(
                        default=bytes, help_text="Sealed for radiusd (base.seal); empty: there is no server."
                    ),
                ),
                ("timeout_ms", models.PositiveIntegerField(default=2000)),
                (
                    "learn",
                    models.BooleanField(default=True, help_text="Learn passwords from PAP logins that it accepts."),
                ),
                (
                    "nas",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="moving_in", to="access.nas"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["off", "unknown", "compare", "listen"])),
                        name="access_movingin_mode",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("acct_port__range", (1, 65535)), ("auth_port__range", (1, 65535))),
                        name="access_movingin_ports",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("timeout_ms__range", (200, 5000))), name="access_movingin_timeout"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("mode__in", ["off", "listen"]), ("host__isnull", False), _connector="OR"),
                        name="access_movingin_host",
                    ),
                ],
            },
        ),
        migrations.RunSQL(SQL, REVERSE),
    ]
