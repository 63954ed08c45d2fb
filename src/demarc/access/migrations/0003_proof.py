"""What came of orders to routers, kept to the end; and the history found by the moment and by any address."""

import django.db.models.deletion
from django.db import migrations, models


SQL = """
CREATE INDEX access_sessionlog_ended ON access_sessionlog (ended_at);
CREATE INDEX access_sessionlog_framed_ipv6 ON access_sessionlog (framed_ipv6, started_at DESC);
CREATE INDEX access_sessionlog_ipv6_prefix ON access_sessionlog USING gist (framed_ipv6_prefix inet_ops);
CREATE INDEX access_sessionlog_delegated ON access_sessionlog USING gist (delegated_prefix inet_ops);
"""

REVERSE = """
DROP INDEX access_sessionlog_ended, access_sessionlog_framed_ipv6, access_sessionlog_ipv6_prefix,
    access_sessionlog_delegated;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0002_sessions"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="coaintent",
            name="access_coaintent_state",
        ),
        migrations.RemoveIndex(
            model_name="coaintent",
            name="access_coa_due",
        ),
        migrations.AddField(
            model_name="coaintent",
            name="confirmed_at",
            field=models.DateTimeField(help_text="When accounting showed that it was done.", null=True),
        ),
        migrations.AddField(
            model_name="coaintent",
            name="follows",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="access.coaintent",
            ),
        ),
        migrations.AlterField(
            model_name="coaintent",
            name="state",
            field=models.CharField(
                choices=[
                    ("queued", "Queued"),
                    ("sent", "Sent"),
                    ("ack", "Router confirmed"),
                    ("confirmed", "Seen in accounting"),
                    ("nak", "Refused"),
                    ("later", "Refused for now"),
                    ("no_answer", "No answer"),
                    ("gone", "The session is over"),
                    ("ignored", "Confirmed, but not done"),
                    ("superseded", "Replaced by a newer one"),
                    ("not_sent", "The router takes no CoA"),
                ],
                default="queued",
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="coaintent",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ["queued", "sent", "no_answer", "later", "ignored"]), ("tries__lt", 5)
                ),
                fields=["node", "-unblock", "due_at"],
                name="access_coa_due",
            ),
        ),
        migrations.AddIndex(
            model_name="coaintent",
            index=models.Index(fields=["nas", "session_id", "user_name", "-id"], name="access_coa_session"),
        ),
        migrations.AddIndex(
            model_name="coaintent",
            index=models.Index(fields=["created_at"], name="access_coa_created"),
        ),
        migrations.AddConstraint(
            model_name="coaintent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "queued",
                            "sent",
                            "ack",
                            "confirmed",
                            "nak",
                            "later",
                            "no_answer",
                            "gone",
                            "ignored",
                            "superseded",
                            "not_sent",
                        ],
                    )
                ),
                name="access_coaintent_state",
            ),
        ),
        migrations.RunSQL(SQL, REVERSE),
    ]
