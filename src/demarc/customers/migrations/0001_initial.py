import datetime
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("base", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=30)),
                ("name", models.CharField(max_length=200)),
                ("category", models.CharField(default="person", max_length=10)),
                ("email", models.CharField(blank=True, max_length=254)),
                ("phone", models.CharField(blank=True, max_length=60)),
                ("street", models.CharField(blank=True, max_length=200)),
                ("zip_code", models.CharField(blank=True, max_length=20)),
                ("city", models.CharField(blank=True, max_length=100)),
                ("language", models.CharField(blank=True, max_length=5)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("active", "Active"),
                            ("blocked", "Blocked"),
                            ("inactive", "Inactive"),
                        ],
                        default="new",
                        max_length=10,
                    ),
                ),
                ("status_since", models.DateTimeField()),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "location",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customers",
                        to="base.location",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="customers",
                        to="base.partner",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["partner", "status", "id"], name="customers_by_status"),
                    models.Index(fields=["partner", "name", "id"], name="customers_by_name"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "number"), name="customers_customer_number"),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["new", "active", "blocked", "inactive"])),
                        name="customers_customer_status",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="customers_customer_has_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("category__in", ("person", "company"))), name="customers_customer_category"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=30)),
                ("currency", models.CharField(max_length=3)),
                ("zone", models.CharField(max_length=60)),
                (
                    "billing_type",
                    models.CharField(
                        choices=[("prepaid", "Prepaid"), ("recurring", "Recurring")], default="prepaid", max_length=10
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="customers.account",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="base.partner",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="accounts", to="customers.customer"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["partner", "billing_type", "id"], name="customers_account_type")],
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "number"), name="customers_account_number"),
                    models.UniqueConstraint(fields=("id", "currency"), name="customers_account_currency"),
                    models.CheckConstraint(
                        condition=models.Q(("billing_type__in", ["prepaid", "recurring"])),
                        name="customers_account_billing_type",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Block",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cause", models.PositiveSmallIntegerField(choices=[(1, "Blocked by staff"), (2, "No money")])),
                ("reason", models.CharField(blank=True, max_length=200)),
                ("set_at", models.DateTimeField(help_text="Blocked from this moment (00:00 of the day for money).")),
                ("set_by_kind", models.CharField(max_length=10)),
                ("set_by_id", models.BigIntegerField(default=0)),
                ("set_by_label", models.CharField(max_length=150)),
                ("grace_until", models.DateTimeField(null=True)),
                ("lifted_at", models.DateTimeField(null=True)),
                ("lifted_by_label", models.CharField(blank=True, max_length=150)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="blocks",
                        to="customers.account",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="blocks",
                        to="customers.customer",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["customer", "-id"], name="customers_block_history"),
                    models.Index(fields=["account", "set_at"], name="customers_block_account"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("account__isnull", False), ("lifted_at", None)),
                        fields=("account",),
                        name="customers_block_one_money",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("account", None), ("lifted_at", None)),
                        fields=("customer",),
                        name="customers_block_one_staff",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("lifted_at", None), ("lifted_at__gte", models.F("set_at")), _connector="OR"
                        ),
                        name="customers_block_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("account", None), ("cause", 1)),
                            models.Q(("account__isnull", False), ("cause", 2)),
                            _connector="OR",
                        ),
                        name="customers_block_whose",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PartnerTerms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("valid_from", models.DateField()),
                (
                    "minimal_balance",
                    models.BigIntegerField(default=0, help_text="Minor units of the partner's currency."),
                ),
                (
                    "day_rule",
                    models.CharField(
                        choices=[("calendar", "Days of the calendar month"), ("thirty", "30-day month")],
                        default="calendar",
                        max_length=10,
                    ),
                ),
                (
                    "limit_rule",
                    models.CharField(
                        choices=[
                            ("cover", "The next day must be covered"),
                            ("stop_at_limit", "Stop when the balance reaches the limit"),
                        ],
                        default="cover",
                        max_length=15,
                    ),
                ),
                ("charge_activation_day", models.BooleanField(default=False)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="terms", to="base.partner"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["partner", "valid_from", "id"], name="customers_partnerterms_at")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("day_rule__in", ["calendar", "thirty"])),
                        name="customers_partnerterms_day_rule",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("limit_rule__in", ["cover", "stop_at_limit"])),
                        name="customers_partnerterms_limit_rule",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                        ),
                        name="customers_partnerterms_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("minimal_balance__range", (-1000000000000, 1000000000000))),
                        name="customers_partnerterms_limit",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccountTerms",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("valid_from", models.DateField()),
                ("minimal_balance", models.BigIntegerField(blank=True, null=True)),
                (
                    "day_rule",
                    models.CharField(
                        blank=True,
                        choices=[("calendar", "Days of the calendar month"), ("thirty", "30-day month")],
                        max_length=10,
                        null=True,
                    ),
                ),
                (
                    "limit_rule",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("cover", "The next day must be covered"),
                            ("stop_at_limit", "Stop when the balance reaches the limit"),
                        ],
                        max_length=15,
                        null=True,
                    ),
                ),
                ("charge_activation_day", models.BooleanField(blank=True, null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="terms",
                        to="customers.account",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "valid_from", "id"], name="customers_accountterms_at")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("day_rule__in", ["calendar", "thirty"])),
                        name="customers_accountterms_day_rule",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("limit_rule__in", ["cover", "stop_at_limit"])),
                        name="customers_accountterms_limit_rule",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                        ),
                        name="customers_accountterms_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("minimal_balance__range", (-1000000000000, 1000000000000))),
                        name="customers_accountterms_limit",
                    ),
                ],
            },
        ),
    ]
