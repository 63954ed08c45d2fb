import datetime
import demarc.base.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("base", "0001_initial"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("internet", "Internet"),
                            ("voice", "Voice"),
                            ("recurring", "Recurring"),
                            ("one_time", "One-time"),
                        ],
                        default="internet",
                        max_length=12,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                ("tax_category", models.CharField(default="standard", max_length=30)),
                ("speed_down_kbps", models.PositiveIntegerField(default=0)),
                ("speed_up_kbps", models.PositiveIntegerField(default=0)),
                (
                    "burst_percent",
                    models.PositiveSmallIntegerField(default=0, help_text="Burst above the speed; 0: none."),
                ),
                ("burst_threshold_percent", models.PositiveSmallIntegerField(default=75)),
                ("burst_time_s", models.PositiveSmallIntegerField(default=30)),
                ("priority", models.PositiveSmallIntegerField(default=8)),
                ("contention_ratio", models.PositiveSmallIntegerField(default=1)),
                ("for_sale", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="plans", to="base.partner"
                    ),
                ),
                (
                    "cancellation_fee",
                    models.BigIntegerField(default=0, help_text="Billed when a service ends within its term."),
                ),
                (
                    "change_fee",
                    models.BigIntegerField(default=0, help_text="Billed when a service is moved to this plan."),
                ),
                ("contract_months", models.PositiveSmallIntegerField(default=0, help_text="The term; 0: none.")),
                ("price_includes_tax", models.BooleanField(default=True)),
                (
                    "reactivation_fee",
                    models.BigIntegerField(default=0, help_text="Billed when a service is taken up again."),
                ),
                ("setup_fee", models.BigIntegerField(default=0, help_text="Billed when a service is activated first.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "name"), name="plans_plan_name"),
                    models.CheckConstraint(condition=models.Q(("priority__range", (1, 8))), name="plans_plan_priority"),
                    models.CheckConstraint(
                        condition=models.Q(("contention_ratio__gte", 1)), name="plans_plan_contention"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["internet", "voice", "recurring", "one_time"])),
                        name="plans_plan_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("speed_down_kbps__range", (1, 400000000)), ("speed_up_kbps__range", (1, 400000000))
                            ),
                            models.Q(
                                models.Q(("kind", "internet"), _negated=True),
                                ("speed_down_kbps", 0),
                                ("speed_up_kbps", 0),
                            ),
                            _connector="OR",
                        ),
                        name="plans_plan_speed",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("setup_fee__range", (-1000000000000, 1000000000000))),
                        name="plans_plan_setup_fee",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("change_fee__range", (-1000000000000, 1000000000000))),
                        name="plans_plan_change_fee",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cancellation_fee__range", (-1000000000000, 1000000000000))),
                        name="plans_plan_cancellation_fee",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reactivation_fee__range", (-1000000000000, 1000000000000))),
                        name="plans_plan_reactivation_fee",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("contract_months__range", (0, 120))), name="plans_plan_contract"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PlanPrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("valid_from", models.DateField()),
                ("amount", models.BigIntegerField()),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="prices", to="plans.plan"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["plan", "valid_from", "id"], name="plans_planprice_at")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount__range", (0, 1000000000000))), name="plans_planprice_amount"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                        ),
                        name="plans_planprice_day",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Service",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("description", models.CharField(blank=True, max_length=200)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("active", "Active"),
                            ("paused", "Paused"),
                            ("stopped", "Stopped"),
                            ("ended", "Ended"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("activated_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "blocked_cause",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Blocked by staff"), (2, "No money")],
                        default=1,
                        help_text="Null: access is granted.",
                        null=True,
                    ),
                ),
                ("access_since", models.DateTimeField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="services",
                        to="customers.account",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="services",
                        to="customers.customer",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="services", to="base.partner"
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="services", to="plans.plan"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account"], name="plans_service_account"),
                    models.Index(fields=["customer"], name="plans_service_customer"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "active", "paused", "stopped", "ended"])),
                        name="plans_service_state",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ServiceFact",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("valid_from", models.DateField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("active", "Active"),
                            ("paused", "Paused"),
                            ("stopped", "Stopped"),
                            ("ended", "Ended"),
                        ],
                        max_length=10,
                    ),
                ),
                ("price_override", models.BigIntegerField(null=True)),
                (
                    "plan",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="plans.plan"),
                ),
                (
                    "service",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="facts",
                        to="plans.service",
                    ),
                ),
                ("quantity", models.PositiveSmallIntegerField(default=1)),
            ],
            options={
                "indexes": [models.Index(fields=["service", "valid_from", "id"], name="plans_servicefact_at")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "active", "paused", "stopped", "ended"])),
                        name="plans_servicefact_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("price_override", None), ("price_override__range", (0, 1000000000000)), _connector="OR"
                        ),
                        name="plans_servicefact_price",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                        ),
                        name="plans_servicefact_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("quantity__range", (1, 1000))), name="plans_servicefact_quantity"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TaxRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("category", models.CharField(max_length=30)),
                ("valid_from", models.DateField()),
                ("rate", demarc.base.fields.RateField(decimal_places=6, max_digits=9)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tax_rates", to="base.partner"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["partner", "category", "valid_from", "id"], name="plans_taxrate_at")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("rate__range", (0, 1))), name="plans_taxrate_rate"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                        ),
                        name="plans_taxrate_day",
                    ),
                ],
            },
        ),
    ]
