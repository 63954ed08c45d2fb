"""What a billing day pays for in every row: indexes and foreign keys that others cover, and pages without room."""

import django.db.models.deletion
from django.db import migrations, models

# Half-filled pages let a new balance stay on its page, so that no index is touched (HOT).
ROOM = "ALTER TABLE {table} SET (fillfactor = 50)"
FULL = "ALTER TABLE {table} RESET (fillfactor)"
TABLES = ("billing_ledgeraccount", "billing_prepaidstate")


class Migration(migrations.Migration):
    dependencies = [
        ("base", "0002_guards"),
        ("billing", "0002_guards"),
        ("customers", "0001_initial"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="prepaidstate",
            name="billing_prepaid_behind",
        ),
        migrations.AlterField(
            model_name="daydecision",
            name="account",
            field=models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="days", to="customers.account"
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transfers",
                to="customers.account",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="credit_account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.ledgeraccount",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="debit_account",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.ledgeraccount",
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="partner",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="base.partner",
            ),
        ),
        *(migrations.RunSQL(ROOM.format(table=table), FULL.format(table=table)) for table in TABLES),
    ]
