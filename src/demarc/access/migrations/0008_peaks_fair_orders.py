"""The most that was in use of the pools, by day; orders to routers that are about fair use."""

import django.db.models.deletion
from django.db import migrations, models

KINDS = [
    ("dynamic", "Dynamic"),
    ("static", "Static"),
    ("reject", "Reject"),
    ("prefix", "IPv6 prefix of the line"),
    ("delegated", "IPv6 prefix for the customer's router"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0007_fair_use_nat_history"),
        ("base", "0002_guards"),
        ("network", "0004_ipv6_pools"),
    ]

    operations = [
        migrations.CreateModel(
            name="PoolPeak",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=KINDS, max_length=10)),
                ("day", models.DateField()),
                ("used", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "partner",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="base.partner"),
                ),
                (
                    "site",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="network.site"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("partner", "site", "kind", "day"),
                        name="access_poolpeak_day",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="coaintent",
            name="fair_use",
            field=models.BooleanField(
                db_default=False, default=False, help_text="About a block by fair use, or its end."
            ),
        ),
    ]
