"""What each document paid for in vain: a second foreign key to its account, index entries for nulls, slow ranges."""

from django.db import migrations, models
from django.db.models import PROTECT, Q


# Billed days as a flat box: the service one way, its days (counted from 2000) the other. Whole numbers up to 2^53 are
# exact there, and an insert costs less than half of what two ranges do.
ONCE = """
ALTER TABLE billing_cover DROP CONSTRAINT billing_cover_once;
ALTER TABLE billing_cover ADD CONSTRAINT billing_cover_once EXCLUDE USING gist (
    box(point(service_id, first_day - DATE '2000-01-01'), point(service_id, last_day - DATE '2000-01-01')) WITH &&
) WHERE (replaced_by_id IS NULL);
"""
RANGES = """
ALTER TABLE billing_cover DROP CONSTRAINT billing_cover_once;
ALTER TABLE billing_cover ADD CONSTRAINT billing_cover_once EXCLUDE USING gist (
    int8range(service_id, service_id, '[]') WITH &&, daterange(first_day, last_day, '[]') WITH &&
) WHERE (replaced_by_id IS NULL);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0006_pages")]
    operations = [
        migrations.RunSQL(ONCE, RANGES),
        migrations.AlterField(
            model_name="document",
            name="account",
            field=models.ForeignKey(
                db_constraint=False, db_index=False, on_delete=PROTECT, related_name="documents", to="customers.account"
            ),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="payment",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=PROTECT, related_name="allocations", to="billing.payment"
            ),
        ),
        migrations.AlterField(
            model_name="allocation",
            name="credit_note",
            field=models.ForeignKey(
                db_index=False, null=True, on_delete=PROTECT, related_name="used_for", to="billing.document"
            ),
        ),
        migrations.AddIndex(
            model_name="allocation",
            index=models.Index(
                fields=["payment"], condition=Q(payment__isnull=False), name="billing_allocation_payment"
            ),
        ),
        migrations.AddIndex(
            model_name="allocation",
            index=models.Index(
                fields=["credit_note"], condition=Q(credit_note__isnull=False), name="billing_allocation_credit"
            ),
        ),
    ]
