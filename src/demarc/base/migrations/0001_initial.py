import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Partner",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, unique=True)),
                (
                    "zone",
                    models.CharField(
                        default="UTC", help_text="IANA time zone; a billing day is a day of it.", max_length=60
                    ),
                ),
                ("currency", models.CharField(default="EUR", max_length=3)),
                ("language", models.CharField(default="en", max_length=5)),
                ("phone", models.CharField(blank=True, max_length=60)),
                ("email", models.EmailField(blank=True, max_length=254)),
                ("website", models.URLField(blank=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name="Idempotency",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200)),
                ("scope", models.CharField(max_length=80)),
                ("body_hash", models.BinaryField()),
                ("answer", models.TextField(blank=True)),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("scope", "key"), name="base_idempotency_key")],
            },
        ),
        migrations.CreateModel(
            name="SubjectKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subject_kind", models.CharField(max_length=30)),
                ("subject_id", models.BigIntegerField()),
                ("wrapped", models.BinaryField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("subject_kind", "subject_id"), name="base_subjectkey_subject")
                ],
            },
        ),
        migrations.CreateModel(
            name="ThrottleWindow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=120)),
                ("opened_at", models.DateTimeField()),
                ("hits", models.PositiveIntegerField(default=0)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("key",), name="base_throttle_key")],
            },
        ),
        migrations.CreateModel(
            name="OperationLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor_id", models.BigIntegerField()),
                ("actor_label", models.CharField(max_length=150)),
                ("verb", models.CharField(max_length=60)),
                ("subject_kind", models.CharField(max_length=30)),
                ("subject_id", models.BigIntegerField(null=True)),
                ("result", models.CharField(default="done", max_length=20)),
                ("request_id", models.CharField(blank=True, max_length=40)),
                ("address", models.GenericIPAddressField(null=True)),
                ("body", models.BinaryField(null=True)),
                ("leaf", models.BinaryField()),
                (
                    "partner",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["subject_kind", "subject_id", "-id"], name="base_log_subject"),
                    models.Index(fields=["-at"], name="base_log_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Location",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="locations", to="base.partner"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("partner", "name"), name="base_location_name")],
            },
        ),
        migrations.CreateModel(
            name="Counter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("series", models.CharField(max_length=30)),
                ("next_value", models.BigIntegerField(default=1)),
                (
                    "partner",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="base.partner"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("partner", "series"), name="base_counter_series")],
            },
        ),
        migrations.CreateModel(
            name="Setting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=60)),
                ("value", models.JSONField()),
                (
                    "partner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="settings",
                        to="base.partner",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "key"), name="base_setting_key", nulls_distinct=False)
                ],
            },
        ),
    ]
