"""What is billed once beside the services: things sold, and fees, each once for what it is for (its key)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_dunning")]

    operations = [
        migrations.CreateModel(
            name="Item",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("text", models.CharField(max_length=200)),
                ("amount", models.BigIntegerField()),
                ("included", models.BooleanField(default=True)),
                ("tax_category", models.CharField(default="standard", max_length=30)),
                ("revenue", models.CharField(default="one_time", max_length=30)),
                ("due_from", models.DateField()),
                ("cancelled_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="items", to="customers.account"
                    ),
                ),
                (
                    "document",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="items",
                        to="billing.document",
                    ),
                ),
                (
                    "partner",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="base.partner"),
                ),
                (
                    "service",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="items", to="plans.service"
                    ),
                ),
                ("key", models.CharField(help_text="Of a fee: one item per key, for ever.", max_length=80, null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("cancelled_at", None), ("document", None)),
                        fields=["account", "due_from"],
                        name="billing_item_open",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount", 0), _negated=True), ("amount__range", (-1000000000000, 1000000000000))
                        ),
                        name="billing_item_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("document", None), ("cancelled_at", None), _connector="OR"),
                        name="billing_item_end",
                    ),
                    models.UniqueConstraint(fields=("key",), name="billing_item_key"),
                ],
            },
        ),
    ]
