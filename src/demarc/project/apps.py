"""Django's entry for the project: tells base.events who reads which news."""

from django.apps import AppConfig

from demarc.base.events import register
from demarc.project.wiring import READERS


class ProjectConfig(AppConfig):
    name = "demarc.project"
    label = "project"

    def ready(self) -> None:
        register(READERS)
