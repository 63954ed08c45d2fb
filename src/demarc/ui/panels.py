"""Which parts of a page come from other rooms, and the shapes of such parts. project.wiring says who stands where.

A room shows what it knows on the page of a room to its right ("customer.facts", "dashboard.attention") without being
imported by it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from django.utils.module_loading import import_string


class Stand(NamedTuple):
    """One part of a page: who may see it, and the dotted name of the function that makes it."""

    permission: str
    maker: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure of the strip under a title. `tone` is good, soon, bad or empty; `href` leads to its why."""

    label: str
    value: Any
    lines: tuple[Any, ...] = ()
    tone: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that needs attention, and the one step that helps."""

    tone: str
    words: Any
    href: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """A button of the page's head: the primary one stands alone, the others in a menu."""

    label: str
    href: str
    icon: str
    primary: bool = False
    danger: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a search found. `exact`: by the very word asked for."""

    label: str
    href: str
    line: Any = ""
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Hits:
    """What one room found, the best first; `more` leads to its list of all."""

    label: str
    icon: str
    hits: tuple[Hit, ...]
    more: str = ""


_stands: dict[str, tuple[Stand, ...]] = {}


def register(table: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    """Take the table place -> (permission, dotted name) (project.wiring.PANELS), once at start."""
    _stands.clear()
    _stands.update({place: tuple(Stand(*stand) for stand in stands) for place, stands in table.items()})


def stands(place: str) -> tuple[Stand, ...]:
    """What stands at a place, in order; nothing where nobody is wired to it."""
    return _stands.get(place, ())


@cache
def maker(dotted: str) -> Callable[..., Any]:
    """The function behind a dotted name."""
    found: Callable[..., Any] = import_string(dotted)
    return found
