"""The shipped roles learn the words of this room; one from which people took words is left as they made it.

Messages name sums, so only roles that see money see them.
"""

from importlib import import_module
from typing import Any

from django.db import migrations

SHIPPED = import_module("demarc.staff.migrations.0002_roles").ROLES
NEW = {
    "Administrator": ["messages.edit"],
    "Manager": ["messages.edit"],
    "Financial manager": ["messages.edit"],
    "API full": ["messages.edit"],
}


def teach(apps: Any, schema_editor: Any) -> None:
    for role in apps.get_model("staff", "Role").objects.filter(name__in=NEW):
        if set(SHIPPED[role.name]) <= set(role.permissions):
            role.permissions = sorted({*role.permissions, *NEW[role.name]})
            role.save()


def unteach(apps: Any, schema_editor: Any) -> None:
    for role in apps.get_model("staff", "Role").objects.all():
        role.permissions = [word for word in role.permissions if not word.startswith("messages.")]
        role.save()


class Migration(migrations.Migration):
    dependencies = [("demarc_messages", "0002_guards"), ("staff", "0002_roles")]
    operations = [migrations.RunPython(teach, unteach)]
