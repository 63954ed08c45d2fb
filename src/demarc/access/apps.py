"""Django's entry for this room."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "demarc.access"
    label = "access"
    default_auto_field = "django.db.models.BigAutoField"
