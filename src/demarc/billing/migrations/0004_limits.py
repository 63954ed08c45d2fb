"""The database itself refuses days and amounts out of range, and words that are none."""

import datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0003_idempotency"),
        ("billing", "0003_lean"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="billingday",
            constraint=models.CheckConstraint(
                condition=models.Q(("day__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                name="billing_billingday_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="ledgeraccount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "payer"), _negated=True),
                    ("balance__range", (-1000000000000000, 1000000000000000)),
                    _connector="OR",
                ),
                name="billing_ledgeraccount_limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="prepaidstate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("decided_through__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))
                ),
                name="billing_prepaidstate_range",
            ),
        ),
    ]
