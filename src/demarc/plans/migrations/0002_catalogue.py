import datetime
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0002_guards"),
        ("plans", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Discount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("recorded_at", models.DateTimeField()),
                ("by_kind", models.CharField(max_length=10)),
                ("by_id", models.BigIntegerField(default=0)),
                ("by_label", models.CharField(max_length=150)),
                ("valid_from", models.DateField()),
                ("valid_to", models.DateField(null=True)),
                ("percent", models.PositiveIntegerField(default=0)),
                ("fixed", models.BigIntegerField(default=0)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                (
                    "service",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="discounts",
                        to="plans.service",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["service", "valid_from"], name="plans_discount_at")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                        ),
                        name="plans_discount_day",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("fixed", 0), ("percent__range", (1, 10000))),
                            models.Q(("fixed__range", (1, 1000000000000)), ("percent", 0)),
                            _connector="OR",
                        ),
                        name="plans_discount_worth",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_to", None), ("valid_to__gte", models.F("valid_from")), _connector="OR"
                        ),
                        name="plans_discount_order",
                    ),
                ],
            },
        ),
    ]
