"""The main menu and the tabs of a thing's pages; each entry names what it needs. project.wiring fills them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu, or one tab. `page` is a URL name; `under` other paths whose pages belong to it."""

    label: str
    page: str
    permission: str
    icon: str = ""
    group: str = ""
    under: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as one viewer sees it."""

    label: str
    href: str
    icon: str
    current: bool


_entries: list[Entry] = []
_tabs: dict[str, tuple[Entry, ...]] = {}


def register(entries: Sequence[Entry], tabs_of: Mapping[str, tuple[Entry, ...]]) -> None:
    """Take the menu and the tabs by kind of thing (project.wiring MENU and TABS), once at start."""
    _entries[:] = entries
    _tabs.clear()
    _tabs.update(tabs_of)


def tabs(kind: str, key: int, may: Callable[[str], bool], current: str) -> list[Line]:
    """The tabs of one thing for a viewer who may do what `may` grants; `current` is the URL name he is at."""
    return [
        Line(entry.label, reverse(entry.page, args=[key]), entry.icon, entry.page == current)
        for entry in _tabs.get(kind, ())
        if may(entry.permission)
    ]


def lines(may: Callable[[str], bool], path: str) -> list[tuple[str, list[Line]]]:
    """(group, lines) for a viewer who may do what `may` grants and stands at `path`."""
    groups: dict[str, list[Line]] = {}
    shown = [(entry, reverse(entry.page)) for entry in _entries if may(entry.permission)]
    for entry, href in shown:
        roots = tuple(root for root in (href, *entry.under) if root != "/")
        current = path == href or (bool(roots) and path.startswith(roots))
        groups.setdefault(entry.group, []).append(Line(entry.label, href, entry.icon, current))
    return list(groups.items())
