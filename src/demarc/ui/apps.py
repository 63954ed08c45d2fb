"""Django's entry for this room."""

from django.apps import AppConfig


class UiConfig(AppConfig):
    name = "demarc.ui"
    label = "ui"
    default_auto_field = "django.db.models.BigAutoField"
