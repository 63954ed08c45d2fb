"""The database itself refuses days and amounts out of range, and words that are none."""

import datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0003_idempotency"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.AddConstraint(
            model_name="accountterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("day_rule__in", ["calendar", "thirty"])), name="customers_accountterms_day_rule"
            ),
        ),
        migrations.AddConstraint(
            model_name="accountterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("limit_rule__in", ["cover", "stop_at_limit"])),
                name="customers_accountterms_limit_rule",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                name="customers_accountterms_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("minimal_balance__range", (-1000000000000, 1000000000000))),
                name="customers_accountterms_limit",
            ),
        ),
        migrations.AddConstraint(
            model_name="block",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("account", None), ("cause", 1)),
                    models.Q(("account__isnull", False), ("cause", 2)),
                    _connector="OR",
                ),
                name="customers_block_whose",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(("category__in", ("person", "company"))), name="customers_customer_category"
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__range", (datetime.date(2000, 1, 1), datetime.date(2199, 12, 31)))),
                name="customers_partnerterms_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="partnerterms",
            constraint=models.CheckConstraint(
                condition=models.Q(("minimal_balance__range", (-1000000000000, 1000000000000))),
                name="customers_partnerterms_limit",
            ),
        ),
    ]
