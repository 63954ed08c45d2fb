import datetime
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("base", "0001_initial"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="LedgerAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("payer", "Customer account"),
                            ("revenue", "Revenue"),
                            ("tax", "Tax"),
                            ("cash", "Till"),
                            ("clearing", "Bank or gateway"),
                            ("deferred", "Deferred revenue"),
                            ("voucher", "Vouchers"),
                            ("writeoff", "Write-off and corrections"),
                            ("rounding", "Rounding"),
                            ("exchange", "Exchange"),
                        ],
                        max_length=10,
                    ),
                ),
                ("currency", models.CharField(max_length=3)),
                (
                    "name",
                    models.CharField(
                        blank=True, help_text="The category, rate, till or bank; empty for a payer.", max_length=80
                    ),
                ),
                (
                    "balance",
                    models.BigIntegerField(
                        help_text="Minor units; null where balances are summed, not stored.", null=True
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"),
                ),
                (
                    "payer",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ledger",
                        to="customers.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("id", "currency"), name="billing_ledgeraccount_currency"),
                    models.UniqueConstraint(
                        condition=models.Q(("payer", None)),
                        fields=("partner", "kind", "currency", "name"),
                        name="billing_ledgeraccount_house",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("balance__isnull", False), ("kind", "payer"), ("payer__isnull", False)),
                            models.Q(("balance__isnull", False), ("kind", "cash"), ("payer", None)),
                            models.Q(
                                models.Q(("kind__in", ["payer", "cash"]), _negated=True),
                                ("balance", None),
                                ("payer", None),
                            ),
                            _connector="OR",
                        ),
                        name="billing_ledgeraccount_stored_balance",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                [
                                    "payer",
                                    "revenue",
                                    "tax",
                                    "cash",
                                    "clearing",
                                    "deferred",
                                    "voucher",
                                    "writeoff",
                                    "rounding",
                                    "exchange",
                                ],
                            )
                        ),
                        name="billing_ledgeraccount_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "payer"), _negated=True),
                            ("balance__range", (-1000000000000000, 1000000000000000)),
                            _connector="OR",
                        ),
                        name="billing_ledgeraccount_limit",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("number", models.CharField(max_length=30)),
                ("amount", models.BigIntegerField(help_text="Minor units; negative for a refund.")),
                ("currency", models.CharField(max_length=3)),
                (
                    "method",
                    models.CharField(
                        choices=[("cash", "Cash"), ("bank", "Bank transfer"), ("card", "Card")], max_length=10
                    ),
                ),
                ("received_on", models.DateField()),
                ("comment", models.CharField(blank=True, max_length=300)),
                ("entry_id", models.BigIntegerField(unique=True)),
                ("key", models.CharField(max_length=120)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="customers.account",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="base.partner",
                    ),
                ),
                (
                    "refunds",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refunded_by",
                        to="billing.payment",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "-id"], name="billing_payment_account")],
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "number"), name="billing_payment_number"),
                    models.UniqueConstraint(fields=("partner", "key"), name="billing_payment_key"),
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="billing_payment_amount"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("method__in", ["cash", "bank", "card"])), name="billing_payment_method"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PrepaidState",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="prepaid",
                        serialize=False,
                        to="customers.account",
                    ),
                ),
                ("decided_through", models.DateField()),
                (
                    "parked_reason",
                    models.CharField(blank=True, help_text="Left out of runs until someone looks.", max_length=300),
                ),
                ("parked_at", models.DateTimeField(null=True)),
                (
                    "begun_on",
                    models.DateField(
                        help_text="The first day decided, where the account was recurring before.", null=True
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_through__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                        ),
                        name="billing_prepaidstate_range",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Transfer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("entry_id", models.BigIntegerField()),
                ("seq", models.PositiveSmallIntegerField(default=0)),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("day", models.DateField()),
                ("recorded_at", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("charge", "Charge"),
                            ("payment", "Payment"),
                            ("refund", "Refund"),
                            ("correction", "Correction"),
                            ("document", "Invoice or credit note"),
                            ("tax", "Tax of consumed services"),
                            ("moved", "Moved between accounts"),
                        ],
                        max_length=10,
                    ),
                ),
                ("service_id", models.BigIntegerField(null=True)),
                ("price_fact_id", models.BigIntegerField(null=True)),
                ("service_fact_id", models.BigIntegerField(null=True)),
                (
                    "key",
                    models.CharField(
                        help_text="Idempotency: one effect per key, for ever. Of a service's charge the service and the day are that.",
                        max_length=120,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transfers",
                        to="customers.account",
                    ),
                ),
                (
                    "credit_account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.ledgeraccount",
                    ),
                ),
                (
                    "debit_account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.ledgeraccount",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="base.partner",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "day", "id"], name="billing_transfer_account")],
                "constraints": [
                    models.UniqueConstraint(fields=("entry_id", "seq"), name="billing_transfer_entry"),
                    models.UniqueConstraint(
                        condition=models.Q(
                            models.Q(("kind", "charge"), _negated=True), ("service_id", None), _connector="OR"
                        ),
                        fields=("key", "seq"),
                        name="billing_transfer_key",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "charge")),
                        fields=("service_id", "day"),
                        name="billing_transfer_one_charge_a_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__range", (1, 1000000000000000))), name="billing_transfer_amount"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("debit_account", models.F("credit_account")), _negated=True),
                        name="billing_transfer_two_sides",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("day__range", ("2000-01-01", "2199-12-31"))), name="billing_transfer_day"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("kind__in", ["charge", "payment", "refund", "correction", "document", "tax", "moved"])
                        ),
                        name="billing_transfer_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BillingDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("charged", models.PositiveIntegerField(default=0)),
                ("blocked", models.PositiveIntegerField(default=0)),
                ("nothing_due", models.PositiveIntegerField(default=0)),
                ("parked", models.PositiveIntegerField(default=0)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="billing_days", to="base.partner"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "day"), name="billing_billingday_day"),
                    models.CheckConstraint(
                        condition=models.Q(("day__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                        name="billing_billingday_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DayDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                (
                    "decision",
                    models.CharField(
                        choices=[("charged", "Charged"), ("blocked", "Blocked"), ("nothing_due", "Nothing due")],
                        max_length=12,
                    ),
                ),
                ("cost", models.BigIntegerField()),
                ("balance_before", models.BigIntegerField()),
                ("catch_up", models.BooleanField(default=False)),
                ("decided_at", models.DateTimeField()),
                ("paid_at", models.DateTimeField(help_text="Blocked at 00:00, then paid within the day.", null=True)),
                ("entry_id", models.BigIntegerField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="days",
                        to="customers.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "day"), name="billing_daydecision_day"),
                    models.CheckConstraint(condition=models.Q(("cost__gte", 0)), name="billing_daydecision_cost"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decision", "charged"), ("entry_id__isnull", False)),
                            models.Q(models.Q(("decision", "charged"), _negated=True), ("entry_id", None)),
                            _connector="OR",
                        ),
                        name="billing_daydecision_entry",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("decision__in", ["charged", "blocked", "nothing_due"])),
                        name="billing_daydecision_decision",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RecurringState",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="recurring",
                        serialize=False,
                        to="customers.account",
                    ),
                ),
                ("next_on", models.DateField()),
                ("billing_day", models.PositiveSmallIntegerField()),
                (
                    "parked_reason",
                    models.CharField(blank=True, help_text="Left out of runs until someone looks.", max_length=300),
                ),
                ("parked_at", models.DateTimeField(null=True)),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["partner", "next_on", "account"], name="billing_recurringstate_due")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("next_on__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                        ),
                        name="billing_recurringstate_range",
                    )
                ],
            },
        ),
    ]
