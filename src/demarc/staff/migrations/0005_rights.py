"""Rights by part of the system: coarse words become fine ones so that nobody loses a right, and two roles are new.

A shipped role that nobody changed becomes what is shipped now, which is no less; only the cashier's is, so one that is
held keeps all that it could do.
"""

from importlib import import_module
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

BEFORE: dict[str, list[str]] = import_module("demarc.staff.migrations.0002_roles").ROLES

FINER: dict[str, list[str]] = {
    "dashboard.see": ["dashboard.see"],
    "customers.see": ["customers.see", "contacts.see", "services.see", "exports.see"],
    "customers.edit": ["customers.edit", "services.edit", "blocks.edit", "terms.edit", "exports.see"],
    "money.see": ["accounts.see", "payments.see", "documents.see", "runs.see", "dunning.see", "exports.see"],
    "money.edit": [
        "accounts.edit",
        "payments.edit",
        "corrections.edit",
        "documents.edit",
        "runs.edit",
        "dunning.edit",
        "promises.edit",
        "exports.see",
    ],
    "plans.see": ["plans.see", "exports.see"],
    "plans.edit": ["plans.edit", "exports.see"],
    "network.see": ["routers.see", "pools.see", "blocking.see", "exports.see"],
    "network.edit": ["routers.edit", "pools.edit", "blocking.edit", "exports.see"],
    "sessions.see": ["sessions.see", "orders.see", "exports.see"],
    "sessions.edit": ["sessions.edit", "orders.edit", "trace.see", "exports.see"],
    "messages.see": ["messages.see", "exports.see"],
    "messages.edit": ["messages.edit", "exports.see"],
    "staff.see": ["staff.see", "exports.see"],
    "staff.edit": ["staff.edit", "roles.edit", "tokens.edit", "exports.see"],
    "settings.see": ["settings.see", "blocking.see"],
    "settings.edit": ["settings.edit", "blocking.see"],
}

DESK = ["dashboard.see", "customers.edit", "services.edit", "messages.edit", "plans.see", "exports.see"]
MONEY = [
    "accounts.edit",
    "terms.edit",
    "payments.edit",
    "corrections.edit",
    "documents.edit",
    "runs.edit",
    "dunning.edit",
    "promises.edit",
]
NETWORK = ["routers.edit", "pools.edit", "blocking.edit", "sessions.edit", "orders.edit", "trace.see"]
ALL_BUT_STAFF = [*DESK, *MONEY, *NETWORK, "identity.see", "blocks.edit", "plans.edit", "settings.edit"]
LOOK = ["dashboard.see", "customers.see", "contacts.see", "services.see", "plans.see", "exports.see"]
AT_WORK = ["sessions.edit", "orders.edit", "trace.see"]
NETWORK_SEEN = ["routers.see", "pools.see", "blocking.see"]

SHIPPED: dict[str, list[str]] = {
    "Super administrator": ["*"],
    "Administrator": [*ALL_BUT_STAFF, "staff.see", "log.see"],
    "Manager": [
        *DESK,
        *MONEY,
        *NETWORK_SEEN,
        *AT_WORK,
        "identity.see",
        "blocks.edit",
        "plans.edit",
        "settings.see",
    ],
    "Financial manager": [
        *LOOK,
        *(word for word in MONEY if word != "terms.edit"),
        "identity.see",
        "messages.edit",
        "settings.see",
        "blocking.see",
    ],
    "Engineer": [*LOOK, *NETWORK, "settings.see"],
    "Technician": [*LOOK, *NETWORK_SEEN, *AT_WORK],
    "Customer creator": ["customers.edit", "services.edit", "plans.see"],
    "Cashier": ["cashdesk.edit"],
    "Reseller": [
        "dashboard.see",
        "customers.edit",
        "services.edit",
        "accounts.see",
        "payments.edit",
        "documents.see",
        "dunning.see",
        "promises.edit",
        "messages.edit",
        "plans.see",
        "routers.see",
        "sessions.edit",
        "exports.see",
    ],
    "API full": ALL_BUT_STAFF,
}


def split_words(apps: Any, schema_editor: Any) -> None:
    role = apps.get_model("staff", "Role")
    for row in role.objects.all():
        row.permissions = sorted(_words_now(row))
        row.shipped = row.name if row.name in SHIPPED else ""
        row.save(update_fields=["permissions", "shipped"])
    known = set(role.objects.values_list("name", flat=True))
    for name in SHIPPED.keys() - known:
        role.objects.create(name=name, permissions=sorted(SHIPPED[name]), shipped=name, bound=name == "Reseller")


def _words_now(row: Any) -> set[str]:
    """What is shipped, where nobody changed the role; a cashier who could see all money keeps that."""
    finer = {new for word in row.permissions for new in FINER.get(word, [word])}
    before = set(BEFORE.get(row.name, ["changed"]))
    unchanged = before == {word for word in row.permissions if not word.startswith("messages.")}
    held = row.logins.exists() or row.tokens.exists()
    narrower = row.name == "Cashier" and held
    return set(SHIPPED[row.name]) if unchanged and not narrower else finer


def words_field(help_text: str, **facts: Any) -> Any:
    return ArrayField(base_field=models.CharField(max_length=40), help_text=help_text, size=None, **facts)


class Migration(migrations.Migration):
    dependencies = [
        ("staff", "0004_signing_in"),
    ]

    operations = [
        migrations.AddField(
            model_name="role",
            name="shipped",
            field=models.CharField(blank=True, default="", help_text="Its name in staff.shipped.", max_length=60),
        ),
        migrations.AddField(
            model_name="role",
            name="bound",
            field=models.BooleanField(default=False, help_text="Whoever holds it works for named providers only."),
        ),
        migrations.AddField(
            model_name="login",
            name="granted",
            field=words_field("Words besides those of the role.", blank=True, default=list),
        ),
        migrations.AddField(
            model_name="login",
            name="withdrawn",
            field=words_field("Words of the role that do not hold.", blank=True, default=list),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="scopes",
            field=words_field("Which of the role's words hold; null: all of them.", null=True),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="networks",
            field=ArrayField(
                base_field=models.CharField(max_length=43),
                blank=True,
                default=list,
                help_text="Where it may be used; empty: anywhere.",
                size=None,
            ),
        ),
        migrations.RunPython(split_words, migrations.RunPython.noop),
    ]
