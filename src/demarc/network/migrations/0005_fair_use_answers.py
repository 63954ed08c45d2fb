"""What a router is told by CoA of a block by fair use, and of its end."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("network", "0004_ipv6_pools")]

    operations = [
        migrations.AddField(
            model_name="nasanswers", name=name, field=models.TextField(blank=True, default="", max_length=4000)
        )
        for name in ("coa_fair_use", "coa_fair_restore")
    ]
