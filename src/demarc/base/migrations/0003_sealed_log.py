"""The operation log can be sealed: what the sealer needs of a row, the seals, and the two ways in which contents go."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

import demarc.base.fields

# The kinds are demarc.base.log's.
KINDS = """
DROP TRIGGER base_operationlog_immutable ON base_operationlog;
UPDATE base_operationlog SET kind = CASE
    WHEN verb IN ('viewed', 'listed', 'searched', 'downloaded', 'exported', 'address_traced', 'asked_preview',
        'asked_what_if') THEN 'view'
    WHEN verb IN ('logged_in', 'logged_out', 'login_failed', 'login_throttled', 'code_throttled', 'new_device',
        'token_refused', 'reset_asked', 'reset_code_made') THEN 'sign_in'
    WHEN actor_kind = 'system' THEN 'work' ELSE 'change' END;
"""

GUARDS = """
CREATE FUNCTION demarc_log_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    allowed base_operationlog := OLD;
BEGIN
    IF NEW.body IS NULL AND OLD.body IS NOT NULL THEN
        allowed.body := NULL;
        allowed.body_digest := sha256(OLD.body);
    END IF;
    IF NEW.salt IS NULL AND OLD.salt IS NOT NULL THEN
        allowed.private_digest := demarc_log_private(OLD.salt, OLD.actor_label, OLD.address);
        allowed.salt := NULL;
        allowed.actor_label := '';
        allowed.address := NULL;
    END IF;
    IF allowed IS DISTINCT FROM NEW THEN
        RAISE EXCEPTION 'base_operationlog rows are never changed or removed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- The text of one column as COPY writes it, whose bytes the leaves cover.
CREATE FUNCTION demarc_log_text(said text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(replace(replace(replace(replace(replace(replace(replace(said, E'\\\\', E'\\\\\\\\'), E'\\b', '\\b'),
        E'\\f', '\\f'), E'\\n', '\\n'), E'\\r', '\\r'), E'\\t', '\\t'), E'\\x0B', '\\v'), '\\N')
$$;
CREATE FUNCTION demarc_log_private(salt uuid, label text, address inet) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256('\\x02'::bytea || convert_to(concat_ws(E'\\t', salt::text, demarc_log_text(label),
        demarc_log_text(host(address))), 'UTF8'))
$$;

CREATE TRIGGER base_operationlog_immutable BEFORE UPDATE ON base_operationlog
    FOR EACH ROW EXECUTE FUNCTION demarc_log_guard();
CREATE TRIGGER base_operationlog_undeletable BEFORE DELETE ON base_operationlog
    FOR EACH ROW EXECUTE FUNCTION demarc_immutable();
CREATE TRIGGER base_logseal_immutable BEFORE UPDATE OR DELETE ON base_logseal
    FOR EACH ROW EXECUTE FUNCTION demarc_immutable();
CREATE TRIGGER base_logseal_no_truncate BEFORE TRUNCATE ON base_logseal
    FOR EACH STATEMENT EXECUTE FUNCTION demarc_immutable();

-- The app may not update the log; these two, the owner's, do so for it, and no more than this.
CREATE FUNCTION demarc_log_purge(kind text, id bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH gone AS (
        UPDATE base_operationlog SET body = NULL, body_digest = sha256(body)
        WHERE subject_kind = $1 AND subject_id = $2 AND body IS NOT NULL RETURNING 1
    ) SELECT count(*) FROM gone
$$;
-- What is younger than the setting says stays, also when it is asked for; and as the app writes that setting, too, no
-- setting goes below base.verify_log.KEPT_LEAST. The hour is for the app's clock and ours.
CREATE FUNCTION demarc_log_expire(kind text, ids bigint[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH kept AS (
        SELECT greatest((s.value ->> $1)::integer, CASE WHEN $1 IN ('view', 'work') THEN 30 ELSE 365 END) AS days
        FROM base_setting s
        WHERE s.partner_id IS NULL AND s.key = 'log.keep_days' AND (s.value ->> $1) IS NOT NULL
    ), gone AS (
        UPDATE base_operationlog l SET body = NULL, actor_label = '', address = NULL, salt = NULL,
            body_digest = CASE WHEN body IS NULL THEN body_digest ELSE sha256(body) END,
            private_digest = demarc_log_private(salt, actor_label, address)
        FROM kept
        WHERE l.id = ANY($2) AND l.kind = $1 AND salt IS NOT NULL
            AND l.at < now() - make_interval(days => kept.days) + interval '1 hour'
        RETURNING 1
    ) SELECT count(*) FROM gone
$$;
REVOKE ALL ON FUNCTION demarc_log_purge(text, bigint), demarc_log_expire(text, bigint[]) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("base", "0002_guards")]
    operations = [
        migrations.RemoveField("operationlog", "leaf"),
        migrations.AddField(
            "operationlog",
            "kind",
            models.CharField(max_length=10, default="change", help_text="base.log.Kind: how long it is kept."),
            preserve_default=False,
        ),
        migrations.AddField(
            "operationlog",
            "salt",
            models.UUIDField(null=True, db_default=models.Func(function="gen_random_uuid")),
        ),
        migrations.AddField(
            "operationlog",
            "body_digest",
            models.BinaryField(null=True, help_text="Of a body that was removed."),
        ),
        migrations.AddField(
            "operationlog",
            "private_digest",
            models.BinaryField(null=True, help_text="Of label and address, when they were removed."),
        ),
        migrations.AddField(
            "operationlog",
            "xid",
            demarc.base.fields.TransactionIdField(db_default=models.Func(function="pg_current_xact_id")),
        ),
        migrations.AlterField(
            "operationlog",
            "partner",
            models.ForeignKey("base.partner", models.PROTECT, null=True, related_name="+", db_index=False),
        ),
        migrations.CreateModel(
            name="LogSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("first", models.BigIntegerField(help_text="The position of its first entry, from 1.")),
                ("ids", ArrayField(models.BigIntegerField())),
                ("leaves", models.BinaryField()),
                ("sealed_at", models.DateTimeField()),
                ("previous", models.BinaryField()),
                ("head", models.BinaryField()),
                ("signature", models.BinaryField()),
                ("snapshot", models.TextField()),
                ("cluster", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(KINDS, migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, migrations.RunSQL.noop),
        migrations.AddIndex("logseal", GinIndex(fields=["ids"], name="base_logseal_ids")),
        migrations.AddIndex("operationlog", models.Index(fields=["xid"], name="base_log_xid")),
        migrations.AddIndex(
            "operationlog", models.Index(fields=["actor_kind", "actor_id", "-id"], name="base_log_actor")
        ),
        migrations.AddIndex("operationlog", models.Index(fields=["verb", "-id"], name="base_log_verb")),
        migrations.AddIndex("operationlog", models.Index(fields=["partner", "-id"], name="base_log_partner")),
        migrations.AddIndex("operationlog", models.Index(fields=["kind", "-id"], name="base_log_kind")),
        migrations.AddIndex(
            "operationlog",
            models.Index(fields=["-id"], name="base_log_refused", condition=models.Q(result="refused")),
        ),
        migrations.AddIndex(
            "operationlog",
            models.Index(fields=["address", "-id"], name="base_log_address", condition=models.Q(address__isnull=False)),
        ),
    ]
