"""Fair use: a plan's volume of a month and what was used; public addresses shared by port; the history by login, device
and moment."""

import demarc.base.fields
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


SQL = """
ALTER TABLE access_natrange
    ADD CONSTRAINT access_natrange_four CHECK (family(inside) = 4 AND family(outside) = 4),
    ADD CONSTRAINT access_natrange_one_at_a_time
        EXCLUDE USING gist (outside inet_ops WITH &&, tstzrange(valid_from, valid_to) WITH &&);
CREATE INDEX access_sessionlog_started ON access_sessionlog (started_at DESC, id DESC);
CREATE INDEX access_sessionlog_login ON access_sessionlog (user_name varchar_pattern_ops, started_at DESC);
CREATE INDEX access_sessionlog_station
    ON access_sessionlog (upper(calling_station::text) text_pattern_ops, started_at DESC);
CREATE INDEX access_monthuse_due ON access_monthuse (due_at);
"""

REVERSE = """
ALTER TABLE access_natrange DROP CONSTRAINT access_natrange_four, DROP CONSTRAINT access_natrange_one_at_a_time;
DROP INDEX access_sessionlog_started, access_sessionlog_login, access_sessionlog_station, access_monthuse_due;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0006_orders_open"),
        ("base", "0002_guards"),
        ("network", "0004_ipv6_pools"),
        ("plans", "0002_catalogue"),
    ]

    operations = [
        migrations.CreateModel(
            name="FairUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("monthly_gb", models.PositiveIntegerField()),
                (
                    "counts",
                    models.CharField(
                        choices=[("both", "Download and upload"), ("down", "Download"), ("up", "Upload")],
                        default="both",
                        max_length=4,
                    ),
                ),
                ("down_kbps", models.PositiveIntegerField(default=0)),
                ("up_kbps", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="FairUseAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "nas_type",
                    models.CharField(
                        choices=[
                            ("mikrotik", "MikroTik"),
                            ("accel", "accel-ppp"),
                            ("cisco", "Cisco IOS and IOS-XE"),
                            ("generic", "Other (RADIUS only)"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "block",
                    models.CharField(
                        choices=[
                            ("list", "CoA: own address, in the list"),
                            ("cut", "Disconnect, then own address in the list"),
                            ("pool", "Disconnect, then an address of the reject pool"),
                            ("reject", "Disconnect, then Access-Reject"),
                        ],
                        max_length=8,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="MonthUse",
            fields=[
                (
                    "service",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="month_use",
                        serialize=False,
                        to="plans.service",
                    ),
                ),
                ("month", models.DateTimeField(help_text="When the month began.")),
                ("octets", models.BigIntegerField()),
                ("measured_at", models.DateTimeField()),
                (
                    "passed_at",
                    models.DateTimeField(help_text="When it was seen that the volume is used up.", null=True),
                ),
                (
                    "due_at",
                    models.DateTimeField(help_text="Before then it cannot be used up, at twice the plan's speed."),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NatRange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("vrf", models.PositiveIntegerField(default=0, help_text="Of the private addresses.")),
                ("inside", demarc.base.fields.CidrField()),
                ("outside", demarc.base.fields.CidrField()),
                ("first_port", models.PositiveIntegerField(default=1024)),
                ("ports_each", models.PositiveIntegerField()),
                ("valid_from", models.DateTimeField()),
                ("valid_to", models.DateTimeField(help_text="Null: still so.", null=True)),
            ],
        ),
        migrations.AddField(
            model_name="subscriber",
            name="fair_use",
            field=models.CharField(
                blank=True,
                choices=[("slowed", "Slowed down"), ("blocked", "Blocked")],
                db_default="",
                help_text="After the month's volume.",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="subscriber",
            constraint=models.CheckConstraint(
                condition=models.Q(("fair_use__in", ("", "slowed", "blocked"))), name="access_subscriber_fair"
            ),
        ),
        migrations.AddField(
            model_name="fairuse",
            name="plan",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="fair_use", to="plans.plan"
            ),
        ),
        migrations.AddField(
            model_name="fairuseanswer",
            name="partner",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="base.partner"),
        ),
        migrations.AddField(
            model_name="natrange",
            name="partner",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"),
        ),
        migrations.AddConstraint(
            model_name="fairuse",
            constraint=models.CheckConstraint(
                condition=models.Q(("monthly_gb__range", (1, 1000000))), name="access_fairuse_gb"
            ),
        ),
        migrations.AddConstraint(
            model_name="fairuse",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("down_kbps", 0), ("up_kbps", 0)),
                    models.Q(("down_kbps__range", (1, 400000000)), ("up_kbps__range", (1, 400000000))),
                    _connector="OR",
                ),
                name="access_fairuse_speed",
            ),
        ),
        migrations.AddConstraint(
            model_name="fairuse",
            constraint=models.CheckConstraint(
                condition=models.Q(("counts__in", ["both", "down", "up"])), name="access_fairuse_counts"
            ),
        ),
        migrations.AddConstraint(
            model_name="fairuseanswer",
            constraint=models.UniqueConstraint(fields=("partner", "nas_type"), name="access_fairuseanswer_type"),
        ),
        migrations.AddConstraint(
            model_name="fairuseanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(("nas_type__in", ["mikrotik", "accel", "cisco", "generic"])),
                name="access_fairuseanswer_nas_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="fairuseanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(("block__in", ["list", "cut", "pool", "reject"])), name="access_fairuseanswer_block"
            ),
        ),
        migrations.AddConstraint(
            model_name="natrange",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_port__range", (0, 65535))), name="access_natrange_first"
            ),
        ),
        migrations.AddConstraint(
            model_name="natrange",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ports_each__gte", 1),
                    (
                        "ports_each__lte",
                        django.db.models.expressions.CombinedExpression(
                            models.Value(65536), "-", models.F("first_port")
                        ),
                    ),
                ),
                name="access_natrange_ports",
            ),
        ),
        migrations.AddConstraint(
            model_name="natrange",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_to", None), ("valid_to__gte", models.F("valid_from")), _connector="OR"),
                name="access_natrange_order",
            ),
        ),
        migrations.RunSQL(SQL, REVERSE),
    ]
