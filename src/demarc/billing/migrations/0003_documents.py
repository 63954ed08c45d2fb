"""Documents and the runs that issue them."""

import datetime
import demarc.base.fields
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0002_guards"),
        ("billing", "0002_guards"),
        ("customers", "0002_recurring_terms"),
        ("plans", "0002_catalogue"),
    ]

    operations = [
        migrations.CreateModel(
            name="BilledThrough",
            fields=[
                (
                    "service",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="billed",
                        serialize=False,
                        to="plans.service",
                    ),
                ),
                ("day", models.DateField()),
                (
                    "begun_on",
                    models.DateField(help_text="Days before it were paid by the day, or are settled for good."),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "begun_on__lte",
                                django.db.models.expressions.CombinedExpression(models.F("day"), "+", models.Value(1)),
                            )
                        ),
                        name="billing_billedthrough_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("day__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                        name="billing_billedthrough_range",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceRun",
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
                            ("preview", "Preview"),
                            ("running", "Running"),
                            ("paused", "Paused"),
                            ("held", "Held for a person"),
                            ("cancelled", "Cancelled"),
                            ("done", "Done"),
                        ],
                        default="preview",
                        max_length=10,
                    ),
                ),
                ("accounts", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("documents", models.PositiveIntegerField(default=0)),
                ("net", models.BigIntegerField(default=0)),
                ("tax", models.BigIntegerField(default=0)),
                ("gross", models.BigIntegerField(default=0)),
                ("anomalies", models.JSONField(default=list)),
                ("preview_hash", models.CharField(blank=True, max_length=64)),
                ("posted_hash", models.CharField(blank=True, max_length=64)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("confirmed_by", models.CharField(blank=True, max_length=150)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "partner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoice_runs", to="base.partner"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["partner", "-id"], name="billing_invoicerun_newest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["preview", "running", "paused", "held", "cancelled", "done"])
                        ),
                        name="billing_invoicerun_state",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("day__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                        name="billing_invoicerun_range",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["running", "paused"])),
                        fields=("partner",),
                        name="billing_invoicerun_one",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                (
                    "kind",
                    models.CharField(
                        choices=[("invoice", "Invoice"), ("credit_note", "Credit note"), ("proforma", "Proforma")],
                        max_length=12,
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("run", "Regular"),
                            ("first", "First period"),
                            ("change", "Change"),
                            ("manual", "By hand"),
                            ("consumed", "Consumed prepaid services"),
                        ],
                        max_length=10,
                    ),
                ),
                ("number", models.CharField(max_length=30)),
                ("issued_on", models.DateField()),
                ("due_on", models.DateField()),
                ("currency", models.CharField(max_length=3)),
                ("net", models.BigIntegerField()),
                ("tax", models.BigIntegerField()),
                ("gross", models.BigIntegerField()),
                ("open_amount", models.BigIntegerField(default=0)),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                (
                    "entry_id",
                    models.BigIntegerField(help_text="Null: nothing was to be moved in the ledger.", null=True),
                ),
                ("parties", models.JSONField()),
                ("disputed_at", models.DateTimeField(null=True)),
                ("key", models.CharField(help_text="One document per key, for ever.", max_length=120)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="customers.account",
                    ),
                ),
                (
                    "corrects",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_by",
                        to="billing.document",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="documents",
                        to="base.partner",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="billing.invoicerun",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["account", "issued_on", "id"], name="billing_document_account"),
                    models.Index(fields=["partner", "-id"], name="billing_document_newest"),
                    models.Index(
                        condition=models.Q(("open_amount__gt", 0)),
                        fields=["account", "due_on"],
                        name="billing_document_owed",
                    ),
                    models.Index(
                        condition=models.Q(("corrects__isnull", False)),
                        fields=["corrects"],
                        name="billing_document_corrects",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("partner", "kind", "number"), name="billing_document_number"),
                    models.UniqueConstraint(fields=("key",), name="billing_document_key"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "gross",
                                django.db.models.expressions.CombinedExpression(models.F("net"), "+", models.F("tax")),
                            )
                        ),
                        name="billing_document_sums",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("open_amount", 0),
                            models.Q(("kind", "invoice"), ("open_amount__range", (0, models.F("gross")))),
                            _connector="OR",
                        ),
                        name="billing_document_open",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["invoice", "credit_note", "proforma"])),
                        name="billing_document_kind",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source__in", ["run", "first", "change", "manual", "consumed"])),
                        name="billing_document_source",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("issued_on__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                        ),
                        name="billing_document_issued",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "payment",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="billing.payment",
                    ),
                ),
                (
                    "credit_note",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="used_for",
                        to="billing.document",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="allocations", to="billing.document"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("payment__isnull", False)),
                        fields=["payment"],
                        name="billing_allocation_payment",
                    ),
                    models.Index(
                        condition=models.Q(("credit_note__isnull", False)),
                        fields=["credit_note"],
                        name="billing_allocation_credit",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("amount", 0), _negated=True), name="billing_allocation_amount"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("payment", None), ("credit_note", None), _connector="OR"),
                        name="billing_allocation_one_source",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Cover",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("month", models.DateField(help_text="The first day of the billing month that they are part of.")),
                ("of_days", models.PositiveSmallIntegerField()),
                ("plan_id", models.BigIntegerField()),
                ("own", models.BooleanField()),
                ("price", models.BigIntegerField()),
                ("quantity", models.PositiveSmallIntegerField()),
                ("percent", models.PositiveSmallIntegerField()),
                ("fixed", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                ("tax_category", models.CharField(max_length=30)),
                ("rate", demarc.base.fields.RateField(decimal_places=6, max_digits=9)),
                ("included", models.BooleanField()),
                ("revenue", models.CharField(max_length=30)),
                ("service_fact_id", models.BigIntegerField()),
                ("price_fact_id", models.BigIntegerField()),
                (
                    "service",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="covers",
                        to="plans.service",
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="covers",
                        to="billing.document",
                    ),
                ),
                (
                    "replaced_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaces",
                        to="billing.document",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("first_day__gte", models.F("month")), ("last_day__gte", models.F("first_day"))
                        ),
                        name="billing_cover_days",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", models.PositiveSmallIntegerField()),
                ("service_id", models.BigIntegerField(null=True)),
                ("text", models.CharField(max_length=200)),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("amount", models.BigIntegerField()),
                ("included", models.BooleanField()),
                ("tax_category", models.CharField(max_length=30)),
                ("rate", demarc.base.fields.RateField(decimal_places=6, max_digits=9)),
                ("revenue", models.CharField(max_length=30)),
                ("derivation", models.JSONField(default=list)),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="billing.document",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("document", "seq"), name="billing_documentline_seq"),
                    models.CheckConstraint(
                        condition=models.Q(("last_day__gte", models.F("first_day"))), name="billing_documentline_days"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DocumentTax",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("category", models.CharField(max_length=30)),
                ("rate", demarc.base.fields.RateField(decimal_places=6, max_digits=9)),
                ("net", models.BigIntegerField()),
                ("tax", models.BigIntegerField()),
                (
                    "document",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taxes",
                        to="billing.document",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("document", "category", "rate"), name="billing_documenttax_one")
                ],
            },
        ),
        migrations.CreateModel(
            name="PreviewRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField()),
                ("gross", models.BigIntegerField()),
                ("previous", models.BigIntegerField(null=True)),
                ("flag", models.CharField(blank=True, max_length=30)),
                ("note", models.CharField(blank=True, max_length=200)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="customers.account",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="billing.invoicerun",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["run", "id"], name="billing_previewrow_run"),
                    models.Index(
                        condition=models.Q(("flag", ""), _negated=True),
                        fields=["run", "flag", "id"],
                        name="billing_previewrow_flags",
                    ),
                ],
            },
        ),
    ]
