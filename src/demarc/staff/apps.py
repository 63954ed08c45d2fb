"""Django's entry for this room."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "demarc.staff"
    label = "staff"
    default_auto_field = "django.db.models.BigAutoField"
