"""A login without a zone of its own shows times in its partner's.

"UTC" was what everybody had whom nobody asked: no page and no command set it.
"""

from typing import Any

from django.db import migrations, models


def forget_the_default(apps: Any, schema_editor: Any) -> None:
    apps.get_model("staff", "Login").objects.filter(zone="UTC").update(zone="")


class Migration(migrations.Migration):
    dependencies = [("staff", "0002_roles")]
    operations = [
        migrations.AlterField(
            "login", "zone", models.CharField(blank=True, default="", help_text="Empty: the partner's.", max_length=60)
        ),
        migrations.RunPython(forget_the_default, migrations.RunPython.noop),
    ]
