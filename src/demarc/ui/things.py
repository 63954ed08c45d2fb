"""Which page shows a thing of a kind: for the operation log, which names them all. project.wiring fills it."""

from collections.abc import Mapping

from django.urls import reverse

_pages: dict[str, str] = {}


def register(table: Mapping[str, str]) -> None:
    """Take the table kind -> URL name (project.wiring.THINGS), once at start."""
    _pages.clear()
    _pages.update(table)


def address_of(kind: str, key: int | None) -> str:
    """Its page; empty: it has none."""
    if kind not in _pages or key is None:
        return ""
    return reverse(_pages[kind], args=[key])
