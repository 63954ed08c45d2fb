"""The main menu: entries by group, each with the permission that shows it. project.wiring fills it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu. `page` is a URL name; `under` the first path part that marks it as the present one."""

    label: str
    page: str
    icon: str
    permission: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as one viewer sees it."""

    label: str
    href: str
    icon: str
    current: bool


_entries: list[Entry] = []


def register(entries: Sequence[Entry]) -> None:
    """Take the entries (project.wiring.MENU), once at start."""
    _entries[:] = entries


def lines(may: Callable[[str], bool], path: str) -> list[tuple[str, list[Line]]]:
    """(group, lines) for a viewer who may do what `may` grants and stands at `path`."""
    groups: dict[str, list[Line]] = {}
    shown = [(entry, reverse(entry.page)) for entry in _entries if may(entry.permission)]
    here = max((href for _, href in shown if path.startswith(href)), key=len, default="")
    for entry, href in shown:
        groups.setdefault(entry.group, []).append(Line(entry.label, href, entry.icon, href == here))
    return list(groups.items())
