"""Django's entry for this room."""

from django.apps import AppConfig


class NetworkConfig(AppConfig):
    name = "demarc.network"
    label = "network"
    default_auto_field = "django.db.models.BigAutoField"
