"""CoA intents can be replaced, or not sent at all; months of the session history can be made when they have rows."""

from django.db import migrations, models

FUNCTION = """
DROP FUNCTION access_make_sessionlog_month(date);

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

BEFORE = """
DROP FUNCTION access_make_sessionlog_month(date);
CREATE FUNCTION access_make_sessionlog_month(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$ BEGIN END $$;
"""

STATES = ["queued", "sent", "ack", "nak", "no_answer", "superseded", "not_sent"]


class Migration(migrations.Migration):
    dependencies = [("access", "0002_sessions")]
    operations = [
        migrations.RunSQL(FUNCTION, BEFORE),
        migrations.AlterField(
            model_name="coaintent",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("sent", "Sent"),
                    ("ack", "Confirmed"),
                    ("nak", "Refused"),
                    ("no_answer", "No answer"),
                    ("superseded", "Replaced by a newer one"),
                    ("not_sent", "The router takes no CoA"),
                ],
                default="queued",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="coaintent",
            name="list_name",
            field=models.CharField(blank=True, help_text="For CoA: the list to set.", max_length=60),
        ),
        migrations.RemoveConstraint(model_name="coaintent", name="access_coaintent_state"),
        migrations.AddConstraint(
            model_name="coaintent",
            constraint=models.CheckConstraint(condition=models.Q(("state__in", STATES)), name="access_coaintent_state"),
        ),
    ]
