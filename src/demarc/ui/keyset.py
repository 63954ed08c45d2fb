"""A page of a long list without walking over the pages before it: it begins after a row, or ends before one.

A mark names that row by what the list is sorted by. Rows that come or go meanwhile move nothing. Marks are signed: one
that we did not make, or that is of another list or order, is no mark. Knows querysets, and no list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, F, Field, Func, Q, QuerySet, Value
from django.db.models.constants import LOOKUP_SEP

MARK_MAX = 4000


@dataclass(frozen=True, slots=True)
class Cut:
    """The rows of one page, and the marks of the pages around it; "" where there is none."""

    rows: list[Any]
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class _Term:
    """One thing that rows are sorted by. `solid`: a column of the row's own, never null."""

    path: str
    down: bool
    field: "Field[Any, Any]"
    solid: bool

    @property
    def word(self) -> str:
        return f"-{self.path}" if self.down else self.path

    def turned(self) -> "_Term":
        return _Term(self.path, not self.down, self.field, self.solid)

    def of(self, row: Any) -> Any:
        return reduce(lambda found, name: getattr(found, name, None), self.path.split(LOOKUP_SEP), row)


class _Beyond(Func):
    """(a, b) > (x, y) as SQL compares rows, so that an index on (a, b) finds the place; given columns, then values."""

    output_field = BooleanField()

    def as_sql(self, compiler: Any, connection: Any, *_: Any, **__: Any) -> Any:
        made = [compiler.compile(one) for one in self.get_source_expressions()]
        half = len(made) // 2
        columns, values = (", ".join(text for text, _ in some) for some in (made[:half], made[half:]))
        given = tuple(value for _, values_ in made for value in values_)
        return f"({columns}) {self.extra['operator']} ({values})", given


def cut(rows: QuerySet[Any], size: int, *, name: str, after: str = "", before: str = "") -> Cut:
    """The page of `size` rows after or before a mark, in the order of `rows`; with no good mark the first. `name` says
    whose marks are good."""
    terms = _terms(rows)
    salt = f"demarc.list.{name}.{' '.join(term.word for term in terms)}"
    if (values := _read(before, terms, salt)) is not None:
        turned = [term.turned() for term in terms]
        found = list(_ordered(rows, turned).filter(_beyond(turned, values))[: size + 1])
        if len(found) > size:
            shown = found[size - 1 :: -1]
            return Cut(shown, _mark(shown[0], terms, salt), _mark(shown[-1], terms, salt))
        after = ""  # less than a page lies before: it is the first one
    values = _read(after, terms, salt)
    wanted = _ordered(rows, terms)
    found = list((wanted if values is None else wanted.filter(_beyond(terms, values)))[: size + 1])
    if values is not None and not found:
        return cut(rows, size, name=name)  # what was behind the mark is gone
    shown, more = found[:size], len(found) > size
    return Cut(
        shown,
        "" if values is None else _mark(shown[0], terms, salt),
        _mark(shown[-1], terms, salt) if more else "",
    )


def chunks(rows: QuerySet[Any], size: int, most: int) -> Iterator[list[Any]]:
    """All rows in their order, at most `most`, in lists of `size`."""
    terms = _terms(rows)
    rows = wanted = _ordered(rows, terms)
    while most > 0 and (found := list(wanted[: min(size, most)])):
        yield found
        if len(found) < size:
            return
        most -= len(found)
        wanted = rows.filter(_beyond(terms, [term.of(found[-1]) for term in terms]))


def _ordered(rows: QuerySet[Any], terms: Sequence[_Term]) -> QuerySet[Any]:
    return rows.order_by(*(term.word for term in terms))


def _terms(rows: QuerySet[Any]) -> list[_Term]:
    """What the rows are sorted by; the id last, so that no two rows stand at the same place."""
    words = [str(word) for word in rows.query.order_by] or ["-id"]
    if not {"id", "-id", "pk", "-pk"} & set(words):
        words.append("-id" if words[-1].startswith("-") else "id")
    return [_term(rows, word.removeprefix("-"), word.startswith("-")) for word in words]


def _term(rows: QuerySet[Any], path: str, down: bool) -> _Term:
    annotation = rows.query.annotations.get(path)
    if annotation is not None:
        return _Term(path, down, annotation.output_field, False)
    *related, last = path.split(LOOKUP_SEP)
    model: Any = rows.model
    for name in related:
        model = model._meta.get_field(name).related_model
    field = model._meta.pk if last == "pk" else model._meta.get_field(last)
    return _Term(path, down, field, LOOKUP_SEP not in path and not field.null)


def _beyond(terms: Sequence[_Term], values: Sequence[Any]) -> Q:
    """Rows that stand after these values. PostgreSQL sorts nulls as the greatest."""
    if not terms:
        return Q(pk__in=())
    if all(term.solid for term in terms) and len({term.down for term in terms}) == 1:
        columns = [F(term.path) for term in terms]
        given = [Value(value, output_field=term.field) for term, value in zip(terms, values, strict=True)]
        return Q(_Beyond(*columns, *given, operator="<" if terms[0].down else ">"))
    first, value = terms[0], values[0]
    if value is None:
        further = Q(**{f"{first.path}__isnull": False}) if first.down else Q(pk__in=())
        same = Q(**{f"{first.path}__isnull": True})
    else:
        further = Q(**{f"{first.path}__{'lt' if first.down else 'gt'}": value})
        further = further if first.down else further | Q(**{f"{first.path}__isnull": True})
        same = Q(**{first.path: value})
    return further | (same & _beyond(terms[1:], values[1:]))


def _mark(row: Any, terms: Sequence[_Term], salt: str) -> str:
    values = [_plain(term.of(row)) for term in terms]
    return signing.Signer(salt=salt).sign_object(values)


def _read(mark: str, terms: Sequence[_Term], salt: str) -> list[Any] | None:
    """What a mark of ours says; None for anything else."""
    if not mark or len(mark) > MARK_MAX:
        return None
    try:
        given = signing.Signer(salt=salt).unsign_object(mark)
        return [term.field.to_python(value) for term, value in zip(terms, given, strict=True)]
    except (signing.BadSignature, ValidationError, ValueError, TypeError):
        return None


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, int | str) else str(value)
