"""Views of lists that people keep."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("staff", "0005_rights")]
    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list_name", models.CharField(max_length=40)),
                ("name", models.CharField(max_length=60)),
                ("state", models.CharField(blank=True, max_length=2000)),
                (
                    "is_default",
                    models.BooleanField(default=False, help_text="Shown when the list is opened with nothing picked."),
                ),
                (
                    "login",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="views",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("login", "list_name", "name"), name="staff_view_name"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)),
                        fields=("login", "list_name"),
                        name="staff_view_one_default",
                    ),
                ],
            },
        ),
    ]
