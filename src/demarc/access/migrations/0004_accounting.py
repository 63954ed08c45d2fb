"""What the shipper remembers of a session's counters, how a session ended, and when a router's boot epoch began.

The index on updated_at goes: with it no interim update is heap-only, and each rewrote all indexes, the exclusion's too.
"""

from django.db import migrations, models

SQL = """
ALTER TABLE access_sessionlog
    ADD COLUMN ending varchar(8) NOT NULL DEFAULT 'stop' CHECK (ending IN ('stop', 'reboot', 'stale')),
    ADD COLUMN counting jsonb;
"""
REVERSE = "ALTER TABLE access_sessionlog DROP COLUMN ending, DROP COLUMN counting"


class Migration(migrations.Migration):
    dependencies = [("access", "0003_news")]
    operations = [
        migrations.RunSQL(SQL, REVERSE),
        migrations.AddField(
            model_name="nas",
            name="booted_at",
            field=models.DateTimeField(
                help_text="When the latest boot epoch began (Accounting-On or -Off).", null=True
            ),
        ),
        migrations.AddField(
            model_name="sessionlive",
            name="counting",
            field=models.JSONField(default=dict, help_text="radiusd's counter readings."),
        ),
        migrations.RemoveIndex(model_name="sessionlive", name="access_sessionlive_updated"),
    ]
