"""Texts with places in them: `{{ amount }}` and `{% if due_on %} … {% else %} … {% endif %}`. Nothing else can be said.

There is no attribute, call, filter or loop, so that a text written by anybody can neither reach into the program nor
run long: to fill it takes time and room in proportion to the text and its values, and both have a limit.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from demarc.core.errors import Refused

TEXT_MAX = 20_000
"""How long a text may be, in characters."""
FILLED_MAX = 100_000
"""How long it may be with its places filled."""
NESTED_MAX = 5

TAG = re.compile(r"\{\{([^{}\n]{0,100})\}\}|\{%([^{}\n]{0,100})%\}")
LOOSE = re.compile(r"\{\{|\}\}|\{%|%\}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
CONDITION = re.compile(r"if\s+(not\s+)?([^\s]+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value goes."""

    name: str


@dataclass(slots=True)
class Choice:
    """`then` when the value is not empty (`negated`: when it is), else `otherwise`."""

    name: str
    negated: bool
    line: int
    then: "list[Part]" = field(default_factory=list)
    otherwise: "list[Part] | None" = None

    @property
    def open_branch(self) -> "list[Part]":
        """The one that is being read."""
        return self.then if self.otherwise is None else self.otherwise


Part = str | Place | Choice


def parse(text: str, known: Collection[str], *, at_field: str = "") -> list[Part]:
    """The parts of a text whose places have names from `known`.

    Refused at `at_field`, with the line and what to do: too long, a name that is not known, anything else between the
    braces than a name, an `if` without its end or the other way round.
    """
    if len(text) > TEXT_MAX:
        raise Refused(f"At most {TEXT_MAX} characters; this has {len(text)}.", field=at_field, code="text_too_long")
    reader = _Reader(known, at_field)
    for line, literal, place, statement in _tokens(text):
        if place is not None:
            reader.place(place.strip(), line)
        elif statement is not None:
            reader.statement(statement.strip(), line)
        else:
            reader.literal(literal, line)
    return reader.finish()


def fill(
    parts: list[Part], values: Mapping[str, str], escape: Callable[[str], str] = str, *, at_field: str = ""
) -> str:
    """The text with `escape(value)` in each place; a name without a value leaves nothing. Refused: longer than
    FILLED_MAX."""
    made: list[str] = []
    length = 0
    for piece in _filled(parts, values, escape):
        made.append(piece)
        length += len(piece)
        if length > FILLED_MAX:
            raise Refused(
                f"Filled in, it is longer than {FILLED_MAX} characters.", field=at_field, code="text_too_long"
            )
    return "".join(made)


def _filled(parts: list[Part], values: Mapping[str, str], escape: Callable[[str], str]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, Place):
            yield escape(values.get(part.name, ""))
        else:
            wanted = bool(values.get(part.name, "")) != part.negated
            yield from _filled(part.then if wanted else part.otherwise or [], values, escape)


def _tokens(text: str) -> Iterator[tuple[int, str, str | None, str | None]]:
    """(line, literal, place, statement): one of the three is there, the others empty or None."""
    end, line = 0, 1
    for found in TAG.finditer(text):
        if literal := text[end : found.start()]:
            yield line, literal, None, None
            line += literal.count("\n")
        yield line, "", found[1], found[2]
        end = found.end()
    if end < len(text):
        yield line, text[end:], None, None


class _Reader:
    def __init__(self, known: Collection[str], at_field: str) -> None:
        self._known = known
        self._field = at_field
        self._parts: list[Part] = []
        self._open: list[Choice] = []

    def literal(self, text: str, line: int) -> None:
        if found := LOOSE.search(text):
            line += text[: found.start()].count("\n")
            raise self._refused(line, f"{found[0]} stands alone; write a place as {{{{ name }}}} in one line")
        self._add(text)

    def place(self, name: str, line: int) -> None:
        self._expect_known(name, line)
        self._add(Place(name))

    def statement(self, words: str, line: int) -> None:
        if words == "endif":
            self._innermost(words, line)
            self._open.pop()
        elif words == "else":
            choice = self._innermost(words, line)
            if choice.otherwise is not None:
                raise self._refused(line, "this if has an else already")
            choice.otherwise = []
        elif found := CONDITION.fullmatch(words):
            self._expect_known(found[2], line)
            if len(self._open) == NESTED_MAX:
                raise self._refused(line, f"at most {NESTED_MAX} ifs may stand inside each other")
            choice = Choice(found[2], bool(found[1]), line)
            self._add(choice)
            self._open.append(choice)
        else:
            raise self._refused(
                line, f"{{% {words} %}} is not understood; there is {{% if name %}}, {{% else %}} and {{% endif %}}"
            )

    def finish(self) -> list[Part]:
        if self._open:
            raise self._refused(self._open[-1].line, "this if has no {% endif %}")
        return self._parts

    def _add(self, part: Part) -> None:
        (self._open[-1].open_branch if self._open else self._parts).append(part)

    def _innermost(self, words: str, line: int) -> Choice:
        if not self._open:
            raise self._refused(line, f"{{% {words} %}} belongs to no if")
        return self._open[-1]

    def _expect_known(self, name: str, line: int) -> None:
        if not NAME.fullmatch(name):
            raise self._refused(line, f"between the braces stands one name and nothing else, not {name!r}")
        if name not in self._known:
            raise self._refused(line, f"there is no {name}; the names are {', '.join(sorted(self._known))}")

    def _refused(self, line: int, why: str) -> Refused:
        return Refused(f"Line {line}: {why}.", field=self._field, code="text_wrong")
