"""Django's entry for this room."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "demarc.customers"
    label = "customers"
    default_auto_field = "django.db.models.BigAutoField"
