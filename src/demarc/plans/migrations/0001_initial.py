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
                ("kind", models.CharField(choices=[("internet", "Internet")], default="internet", max_length=12)),
                ("currency", models.CharField(max_length=3)),
                ("tax_category", models.CharField(default="standard", max_length=30)),
                ("speed_down_kbps", models.PositiveIntegerField()),
                ("speed_up_kbps", models.PositiveIntegerField()),
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
            ],
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="services", to="customers.account"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="services", to="customers.customer"
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="facts", to="plans.service"
                    ),
                ),
            ],
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
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(fields=("partner", "name"), name="plans_plan_name"),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(condition=models.Q(("kind__in", ["internet"])), name="plans_plan_kind"),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("speed_down_kbps__range", (1, 400000000)), ("speed_up_kbps__range", (1, 400000000))
                ),
                name="plans_plan_speed",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("priority__range", (1, 8))), name="plans_plan_priority"
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("contention_ratio__gte", 1)), name="plans_plan_contention"
            ),
        ),
        migrations.AddIndex(
            model_name="planprice",
            index=models.Index(fields=["plan", "valid_from", "id"], name="plans_planprice_at"),
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__range", (0, 1000000000000))), name="plans_planprice_amount"
            ),
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                name="plans_planprice_day",
            ),
        ),
        migrations.AddIndex(
            model_name="service",
            index=models.Index(fields=["account"], name="plans_service_account"),
        ),
        migrations.AddIndex(
            model_name="service",
            index=models.Index(fields=["customer"], name="plans_service_customer"),
        ),
        migrations.AddConstraint(
            model_name="service",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["pending", "active", "paused", "stopped", "ended"])),
                name="plans_service_state",
            ),
        ),
        migrations.AddIndex(
            model_name="servicefact",
            index=models.Index(fields=["service", "valid_from", "id"], name="plans_servicefact_at"),
        ),
        migrations.AddConstraint(
            model_name="servicefact",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["pending", "active", "paused", "stopped", "ended"])),
                name="plans_servicefact_state",
            ),
        ),
        migrations.AddConstraint(
            model_name="servicefact",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("price_override", None), ("price_override__range", (0, 1000000000000)), _connector="OR"
                ),
                name="plans_servicefact_price",
            ),
        ),
        migrations.AddConstraint(
            model_name="servicefact",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                name="plans_servicefact_day",
            ),
        ),
        migrations.AddIndex(
            model_name="taxrate",
            index=models.Index(fields=["partner", "category", "valid_from", "id"], name="plans_taxrate_at"),
        ),
        migrations.AddConstraint(
            model_name="taxrate",
            constraint=models.CheckConstraint(condition=models.Q(("rate__range", (0, 1))), name="plans_taxrate_rate"),
        ),
        migrations.AddConstraint(
            model_name="taxrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                name="plans_taxrate_day",
            ),
        ),
    ]
