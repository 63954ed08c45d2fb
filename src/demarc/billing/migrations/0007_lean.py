"""What each document paid for in vain: a second foreign key to its account, index entries for nulls."""

from django.db import migrations, models
from django.db.models import PROTECT, Q


class Migration(migrations.Migration):
    dependencies = [("billing", "0006_pages")]
    operations = [
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
