import demarc.base.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("base", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="BlockingPage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(blank=True, max_length=120)),
                ("message", models.TextField(blank=True, max_length=4000)),
                ("how_to_pay", models.TextField(blank=True, max_length=4000)),
                ("colour", models.CharField(default="#0054a6", max_length=7)),
                ("logo", models.BinaryField(null=True)),
                ("logo_type", models.CharField(blank=True, max_length=30)),
                (
                    "partner",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="blocking_page", to="base.partner"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Site",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="sites", to="base.partner"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("partner", "name"), name="network_site_name")],
            },
        ),
        migrations.CreateModel(
            name="Router",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                (
                    "nas_type",
                    models.CharField(
                        choices=[
                            ("mikrotik", "MikroTik"),
                            ("accel", "accel-ppp"),
                            ("cisco", "Cisco IOS and IOS-XE"),
                            ("generic", "Other (RADIUS only)"),
                        ],
                        default="mikrotik",
                        max_length=12,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="routers", to="base.partner"
                    ),
                ),
                (
                    "site",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="routers",
                        to="network.site",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "name"), name="network_router_name"),
                    models.CheckConstraint(
                        condition=models.Q(("nas_type__in", ["mikrotik", "accel", "cisco", "generic"])),
                        name="network_router_nas_type",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Pool",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("dynamic", "Dynamic"),
                            ("static", "Static"),
                            ("reject", "Reject"),
                            ("prefix", "IPv6 prefix of the line"),
                            ("delegated", "IPv6 prefix for the customer's router"),
                        ],
                        default="dynamic",
                        max_length=10,
                    ),
                ),
                ("vrf", models.PositiveIntegerField(default=0)),
                ("network", demarc.base.fields.CidrField()),
                ("first", models.GenericIPAddressField()),
                ("last", models.GenericIPAddressField(help_text="Of a pool of prefixes: the address of the last one.")),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="pools", to="base.partner"
                    ),
                ),
                (
                    "router",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="pools",
                        to="network.router",
                    ),
                ),
                ("prefix_length", models.PositiveSmallIntegerField(db_default=32, default=32)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "name"), name="network_pool_name"),
                    models.CheckConstraint(
                        condition=models.Q(("first__lte", models.F("last"))), name="network_pool_order"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["dynamic", "static", "reject", "prefix", "delegated"])),
                        name="network_pool_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RouterCause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cause", models.PositiveSmallIntegerField()),
                (
                    "answer",
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
                    "router",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="causes", to="network.router"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("router", "cause"), name="network_routercause_cause"),
                    models.CheckConstraint(
                        condition=models.Q(("answer__in", ["list", "pool", "reject"])),
                        name="network_routercause_answer",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CauseRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cause", models.PositiveSmallIntegerField()),
                ("list_name", models.CharField(max_length=60)),
                ("page_port", models.PositiveIntegerField()),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="cause_rules", to="base.partner"
                    ),
                ),
                (
                    "pool",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="network.pool"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "cause"), name="network_causerule_cause"),
                    models.CheckConstraint(
                        condition=models.Q(("cause__range", (0, 4))), name="network_causerule_range"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("page_port__range", (1, 65535))), name="network_causerule_port"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("list_name", ""), _negated=True), name="network_causerule_list"
                    ),
                ],
            },
        ),
    ]
