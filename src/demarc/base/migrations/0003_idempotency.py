"""An idempotency key is claimed before its answer is known; every answer kept is a good one, so no status is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("base", "0002_guards")]
    operations = [
        migrations.RemoveField(model_name="idempotency", name="status"),
        migrations.AlterField(model_name="idempotency", name="answer", field=models.TextField(blank=True)),
    ]
