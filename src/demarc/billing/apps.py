"""Django's entry for this room."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "demarc.billing"
    label = "billing"
    default_auto_field = "django.db.models.BigAutoField"
