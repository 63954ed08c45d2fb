"""What routers of each make are told, by partner; more makes."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0002_guards"),
        ("network", "0002_guards"),
    ]

    operations = [
        migrations.CreateModel(
            name="NasAnswers",
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
                            ("list", "Accept, own address, in the list"),
                            ("pool", "Accept, address of the reject pool"),
                            ("reject", "Access-Reject"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "second",
                    models.CharField(
                        choices=[
                            ("refuse", "The new one is refused"),
                            ("replace", "The oldest one is cut for the new one"),
                        ],
                        default="refuse",
                        max_length=8,
                    ),
                ),
                ("online", models.TextField(blank=True, max_length=4000)),
                ("blocked", models.TextField(blank=True, max_length=4000)),
                ("coa_block", models.TextField(blank=True, max_length=4000)),
                ("coa_restore", models.TextField(blank=True, max_length=4000)),
                (
                    "partner",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="base.partner"),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "nas_type"), name="network_nasanswers_type"),
                    models.CheckConstraint(
                        condition=models.Q(("nas_type__in", ["mikrotik", "accel", "cisco", "generic"])),
                        name="network_nasanswers_nas_type",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("block__in", ["list", "pool", "reject"])), name="network_nasanswers_block"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("second__in", ["refuse", "replace"])), name="network_nasanswers_second"
                    ),
                ],
            },
        ),
    ]
