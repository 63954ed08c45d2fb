"""The index of what the CoA sender has to do holds unanswered intents too, which it sends again some times."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0004_accounting")]
    operations = [
        migrations.RemoveIndex(model_name="coaintent", name="access_coa_due"),
        migrations.AddIndex(
            model_name="coaintent",
            index=models.Index(
                fields=["node", "-unblock", "due_at"],
                condition=models.Q(("state__in", ["queued", "sent", "no_answer"]), ("tries__lt", 5)),
                name="access_coa_due",
            ),
        ),
    ]
