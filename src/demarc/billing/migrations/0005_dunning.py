"""Dunning: dated rules, promises, reminders, waves, outages. What was recorded or sent is not changed."""

import datetime
import django.db.models.deletion
from django.db import migrations, models

ONCE = ("billing_dunningterms", "billing_reminder")
SQL = "".join(
    f"""
CREATE TRIGGER {table}_immutable BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION demarc_immutable();
"""
    for table in ONCE
)
REVERSE = "".join(f"DROP TRIGGER {table}_immutable ON {table};" for table in ONCE)


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0002_guards"),
        ("billing", "0004_document_guards"),
        ("customers", "0002_recurring_terms"),
    ]

    operations = [
        migrations.CreateModel(
            name="Wave",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("day", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("held", "Held for a person"),
                            ("working", "At work"),
                            ("done", "Done"),
                            ("restoring", "Being taken back"),
                            ("restored", "Taken back"),
                            ("dropped", "Overtaken by a later wave"),
                        ],
                        max_length=10,
                    ),
                ),
                ("size", models.PositiveIntegerField(default=0)),
                ("usual_max", models.PositiveIntegerField(default=0)),
                ("blocked", models.PositiveIntegerField(default=0)),
                ("spared", models.PositiveIntegerField(default=0)),
                ("restored", models.PositiveIntegerField(default=0)),
                (
                    "amount",
                    models.BigIntegerField(default=0, help_text="What they owe together, in the partner's currency."),
                ),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("confirmed_by", models.CharField(blank=True, max_length=150)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="waves", to="base.partner"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["partner", "-id"], name="billing_wave_newest")],
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "day"), name="billing_wave_day"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["held", "working", "done", "restoring", "restored", "dropped"])
                        ),
                        name="billing_wave_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("day__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                        name="billing_wave_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WaveRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.BigIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("blocked", "Blocked"),
                            ("spared", "No longer due"),
                            ("restored", "Online again"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.account",
                    ),
                ),
                (
                    "wave",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="billing.wave",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["wave", "state", "account"], name="billing_waverow_work")],
                "constraints": [
                    models.UniqueConstraint(fields=("wave", "account"), name="billing_waverow_one"),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["waiting", "blocked", "spared", "restored"])),
                        name="billing_waverow_state",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BlockingStop",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("reason", models.CharField(max_length=200)),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lifted_by", models.CharField(blank=True, max_length=150)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="blocking_stops", to="base.partner"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("lifted_at", None)), fields=("partner",), name="billing_blockingstop_one"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Deactivation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("services", models.JSONField()),
                ("at", models.DateTimeField()),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="deactivations",
                        to="customers.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None)), fields=("account",), name="billing_deactivation_one"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DunningTerms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("valid_from", models.DateField()),
                ("reminders", models.JSONField(null=True)),
                ("blocks", models.BooleanField(null=True)),
                ("grace_days", models.PositiveSmallIntegerField(null=True)),
                ("block_hour", models.PositiveSmallIntegerField(null=True)),
                ("on_weekends", models.BooleanField(null=True)),
                ("on_holidays", models.BooleanField(null=True)),
                ("country", models.CharField(max_length=2, null=True)),
                ("threshold", models.BigIntegerField(null=True)),
                ("one_time_blocks", models.BooleanField(null=True)),
                ("deactivate_after_days", models.PositiveSmallIntegerField(null=True)),
                ("blocking_fee", models.BigIntegerField(null=True)),
                ("reactivation_fee", models.BigIntegerField(null=True)),
                ("wave_factor", models.PositiveSmallIntegerField(null=True)),
                ("wave_least", models.PositiveIntegerField(null=True)),
                ("outage_hours", models.PositiveSmallIntegerField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="dunning_terms",
                        to="customers.account",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="dunning_terms", to="base.partner"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["partner", "account", "valid_from", "id"], name="billing_dunningterms_at")
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                        ),
                        name="billing_dunningterms_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("block_hour", None), ("block_hour__range", (0, 23)), _connector="OR"),
                        name="billing_dunningterms_hour",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("threshold__range", (-1000000000000, 1000000000000))),
                        name="billing_dunningterms_threshold",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("blocking_fee__range", (-1000000000000, 1000000000000))),
                        name="billing_dunningterms_blocking_fee",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reactivation_fee__range", (-1000000000000, 1000000000000))),
                        name="billing_dunningterms_reactivation_fee",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Outage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                (
                    "kind",
                    models.CharField(
                        choices=[("network", "Our network was down"), ("payments", "An import of payments failed")],
                        max_length=10,
                    ),
                ),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="outages", to="base.partner"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["partner", "-began_at"], name="billing_outage_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["network", "payments"])), name="billing_outage_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("ended_at", None), ("ended_at__gte", models.F("began_at")), _connector="OR"
                        ),
                        name="billing_outage_order",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Promise",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("until", models.DateField()),
                ("comment", models.CharField(blank=True, max_length=200)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_by", models.CharField(blank=True, max_length=150)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="promises",
                        to="customers.account",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-id"], name="billing_promise_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("until__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                        name="billing_promise_day",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)), fields=("account",), name="billing_promise_one"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ReminderSent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("days", models.SmallIntegerField()),
                ("day", models.DateField()),
                (
                    "channel",
                    models.CharField(
                        choices=[("mail", "E-mail"), ("sms", "SMS"), ("both", "E-mail and SMS")], max_length=4
                    ),
                ),
                ("amount", models.BigIntegerField(help_text="What was open of the document.")),
                ("at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reminders", to="customers.account"
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="billing.document",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"
                    ),
                ),
            ],
            options={
                "db_table": "billing_reminder",
                "constraints": [
                    models.UniqueConstraint(fields=("document", "days"), name="billing_reminder_once"),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["mail", "sms", "both"])), name="billing_reminder_channel"
                    ),
                ],
            },
        ),
        migrations.RunSQL(SQL, REVERSE),
    ]
