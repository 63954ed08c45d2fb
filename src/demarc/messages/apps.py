"""Django's entry for this room."""

from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "demarc.messages"
    label = "demarc_messages"  # Django's own notices on pages have the shorter one
    default_auto_field = "django.db.models.BigAutoField"
