"""What each entrance of the application asks for: the pages and the API's operations, read from the URLs there are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

_sources: list[str] = []
PLACEHOLDER = re.compile(r"[<{](?:\w+:)?(\w+)[>}]")


@dataclass(frozen=True, slots=True)
class Entrance:
    """A page or an operation: how it is reached, and the word it asks for."""

    label: str
    permission: str


@lru_cache(maxsize=1)
def entrances() -> tuple[Entrance, ...]:
    """All that ask for a word, by address: pages first, then the API."""
    pages = [one for prefix, pattern in _patterns(get_resolver().url_patterns) for one in _of(prefix, pattern)]
    operations = [Entrance(label, word) for source in _sources for label, word in import_string(source)()]
    return (*sorted(pages, key=_label), *sorted(operations, key=_label))


def register(*sources: str) -> None:
    """Take the functions that name the API's operations as (label, word), once at start (project.apps)."""
    _sources[:] = sources


def _label(one: Entrance) -> str:
    return one.label


def _of(path: str, pattern: URLPattern) -> Iterator[Entrance]:
    address = "/" + PLACEHOLDER.sub(r"{\1}", path)
    permission = getattr(pattern.callback, "permission", "")
    if "." in permission:
        yield Entrance(address, permission)


def _patterns(found: list[Any], prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for one in found:
        path = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _patterns(one.url_patterns, path)
        else:
            yield path, one
