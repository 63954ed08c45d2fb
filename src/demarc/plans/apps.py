"""Django's entry for this room."""

from django.apps import AppConfig


class PlansConfig(AppConfig):
    name = "demarc.plans"
    label = "plans"
    default_auto_field = "django.db.models.BigAutoField"
