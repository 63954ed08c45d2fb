"""Django's entry for the project: hands out the tables of project.wiring."""

from django.apps import AppConfig

from demarc.base import events
from demarc.messages import wired
from demarc.project.wiring import ATTACHMENTS, MENU, MESSAGE_CHECKS, PANELS, READERS, TABS, THINGS
from demarc.staff import entrances
from demarc.ui import menu, panels, things


class ProjectConfig(AppConfig):
    name = "demarc.project"
    label = "project"

    def ready(self) -> None:
        events.register(READERS)
        menu.register(MENU, TABS)
        panels.register(PANELS)
        things.register(THINGS)
        entrances.register("demarc.project.api.operations")
        wired.register(ATTACHMENTS, MESSAGE_CHECKS)
