"""The database itself refuses days and amounts out of range, and words that are none."""

import datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0003_idempotency"),
        ("plans", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="taxrate",
            name="plans_taxrate_rate",
        ),
        migrations.AddConstraint(
            model_name="planprice",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                name="plans_planprice_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="servicefact",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                name="plans_servicefact_day",
            ),
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
