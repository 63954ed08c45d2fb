"""A fee is billed once for what it is for: an item may have a key."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0005_dunning")]
    operations = [
        migrations.AddField(
            model_name="item",
            name="key",
            field=models.CharField(help_text="Of a fee: one item per key, for ever.", max_length=80, null=True),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.UniqueConstraint(fields=["key"], name="billing_item_key"),
        ),
    ]
