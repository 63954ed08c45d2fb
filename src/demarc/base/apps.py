"""Django's entry for this room."""

from django.apps import AppConfig


class BaseConfig(AppConfig):
    name = "demarc.base"
    label = "base"
    default_auto_field = "django.db.models.BigAutoField"
