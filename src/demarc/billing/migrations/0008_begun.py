"""From which day on documents bill is a service's own: its payer, and so the calendar, may change."""

from django.db import migrations, models
from django.db.models import F, Q, Value

# What was paid by the day is known by the day decisions, the rest by the calendar that the service is billed on now.
FILL = """
UPDATE billing_billedthrough b SET begun_on = least(b.day + 1, coalesce(greatest(
    (SELECT max(d.day) + 1 FROM billing_daydecision d
        WHERE d.account_id = s.account_id AND d.decision <> 'blocked' AND a.billing_type = 'recurring'),
    (SELECT r.begun_on FROM billing_recurringstate r WHERE r.account_id = coalesce(a.parent_id, a.id))), b.day + 1))
FROM plans_service s JOIN customers_account a ON a.id = s.account_id WHERE s.id = b.service_id
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_lean")]
    operations = [
        migrations.AddField(
            model_name="billedthrough",
            name="begun_on",
            field=models.DateField(
                null=True, help_text="Days before it were paid by the day, or are settled for good."
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="billedthrough",
            name="begun_on",
            field=models.DateField(help_text="Days before it were paid by the day, or are settled for good."),
        ),
        migrations.AddConstraint(
            model_name="billedthrough",
            constraint=models.CheckConstraint(
                condition=Q(begun_on__lte=F("day") + Value(1)), name="billing_billedthrough_order"
            ),
        ),
        migrations.RemoveField(model_name="recurringstate", name="begun_on"),
    ]
