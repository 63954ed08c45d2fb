"""The roles that Demarc ships with. People may change them afterwards; no later migration touches one that was changed."""

from typing import Any

from django.db import migrations

SEE = ["dashboard.see", "customers.see", "money.see", "plans.see", "network.see", "sessions.see", "settings.see"]

ROLES = {
    "Super administrator": ["*"],
    "Administrator": [
        *SEE,
        "customers.edit",
        "money.edit",
        "plans.edit",
        "network.edit",
        "sessions.edit",
        "settings.edit",
        "staff.see",
    ],
    "Manager": [*SEE, "customers.edit", "money.edit", "plans.edit", "sessions.edit"],
    "Financial manager": ["dashboard.see", "customers.see", "money.edit", "plans.see", "settings.see"],
    "Engineer": ["dashboard.see", "customers.see", "plans.see", "network.edit", "sessions.edit", "settings.see"],
    "Technician": ["dashboard.see", "customers.see", "plans.see", "network.see", "sessions.edit"],
    "Cashier": ["money.edit"],
    "API full": [
        *SEE,
        "customers.edit",
        "money.edit",
        "plans.edit",
        "network.edit",
        "sessions.edit",
        "settings.edit",
    ],
}


def make_roles(apps: Any, schema_editor: Any) -> None:
    role = apps.get_model("staff", "Role")
    role.objects.bulk_create(
        [role(name=name, permissions=sorted(set(words))) for name, words in ROLES.items()], ignore_conflicts=True
    )


class Migration(migrations.Migration):
    dependencies = [("staff", "0001_initial")]
    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
