"""Signing in: second factors by role, sessions that can be shown and ended, known devices, codes for a new password.

Django's own table of sessions goes; whoever is logged in logs in once more.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0003_login_zone"),
    ]

    operations = [
        migrations.RunSQL("DROP TABLE IF EXISTS django_session", migrations.RunSQL.noop),
        migrations.AddField(
            model_name="login",
            name="language",
            field=models.CharField(blank=True, default="", help_text="Of mail to him. Empty: English.", max_length=5),
        ),
        migrations.AddField(
            model_name="role",
            name="second_factor",
            field=models.BooleanField(default=False, help_text="Whoever holds it must have a second factor."),
        ),
        migrations.CreateModel(
            name="ResetCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BinaryField(unique=True)),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                (
                    "login",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="session key"),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("device", models.CharField(blank=True, help_text="In words: Firefox on Linux.", max_length=60)),
                ("address", models.GenericIPAddressField(null=True)),
                ("began_at", models.DateTimeField(null=True)),
                ("seen_at", models.DateTimeField()),
                (
                    "login",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "staff_session",
            },
        ),
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BinaryField()),
                ("words", models.CharField(max_length=60)),
                ("address", models.GenericIPAddressField(help_text="Where it was seen last.", null=True)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                (
                    "login",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="devices", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("login", "digest"), name="staff_device_once")],
            },
        ),
    ]
