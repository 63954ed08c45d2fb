"""One description of a list gives its table, its filters and its CSV. Knows no room's rows and no permission.

A list shows at most ROWS rows at a time and always says how many there are.
"""

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import cached_property

ROWS = 50
CSV_ROWS_MAX = 200_000
CSV_CHUNK = 2_000
TEXT_MAX = 100
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`value` gives what programs read (CSV), `shown` what people see (default: the value), both from a row.

    With `load` they are given what it found for the row's id instead; it runs once for all rows shown.
    """

    label: str
    value: Callable[[Any], Any]
    shown: Callable[[Any], Any] | None = None
    href: Callable[[Any], str] | None = None
    load: Callable[[Sequence[Any]], Mapping[Any, Any]] | None = None
    number: bool = False
    order: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice among known words; `choices` may ask who is looking."""

    key: str
    label: str
    choices: Callable[[HttpRequest], Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Moment:
    """A date and time as clocks in the viewer's zone show it; `moment_of` reads what was picked."""

    key: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSpec:
    """`rows` answers with the rows that the viewer may see for the picked filters and the searched text ("q")."""

    name: str
    one: str
    many: str
    columns: tuple[Column, ...]
    rows: Callable[[HttpRequest, Mapping[str, str]], QuerySet[Any]]
    filters: tuple[Filter, ...] = ()
    moments: tuple[Moment, ...] = ()
    search: str = ""
    empty: str = "There is nothing yet."


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of the table."""

    label: str
    shown: Any
    href: str
    number: bool


@dataclass
class Listing:
    """A list as one viewer asked for it."""

    spec: ListSpec
    request: HttpRequest
    more_columns: Sequence[Column] = ()
    picked: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        given = self.request.GET
        self.picked = {}
        for chooser in self.spec.filters:
            word = given.get(chooser.key, "")
            if word and word in dict(chooser.choices(self.request)):
                self.picked[chooser.key] = word
        for chosen in self.spec.moments:
            word = given.get(chosen.key, "")[:TEXT_MAX]
            if word and moment_of({chosen.key: word}, chosen.key) is not None:
                self.picked[chosen.key] = word
        text = given.get("q", "").replace("\0", "").strip()[:TEXT_MAX]
        if self.spec.search and text:
            self.picked["q"] = text

    @property
    def columns(self) -> Sequence[Column]:
        """Those of the list, then those that other rooms add."""
        return (*self.spec.columns, *self.more_columns)

    @cached_property
    def rows(self) -> QuerySet[Any]:
        """All rows that match, in order."""
        rows = self.spec.rows(self.request, self.picked)
        order = self.order
        return rows.order_by(order, "id" if order[0] != "-" else "-id") if order else rows

    @property
    def order(self) -> str:
        """The column to sort by, "-" in front for downwards; empty: as the list comes."""
        wanted = self.request.GET.get("sort", "")
        known = {column.order for column in self.columns if column.order}
        return wanted if wanted.removeprefix("-") in known else ""

    @cached_property
    def page(self) -> Page[Any]:
        """The rows to show now."""
        return Paginator(self.rows, ROWS).get_page(self.request.GET.get("page"))

    @property
    def count(self) -> int:
        """How many rows match in all."""
        return self.page.paginator.count

    @property
    def choosers(self) -> list[dict[str, Any]]:
        """The filters as selects: key, label, choices and what is picked."""
        return [
            {
                "key": chooser.key,
                "label": chooser.label,
                "choices": chooser.choices(self.request),
                "picked": self.picked.get(chooser.key, ""),
            }
            for chooser in self.spec.filters
        ]

    @property
    def moments(self) -> list[dict[str, str]]:
        """The date and time fields: key, label and what is picked."""
        return [
            {"key": one.key, "label": one.label, "picked": self.picked.get(one.key, "")} for one in self.spec.moments
        ]

    @property
    def heads(self) -> list[dict[str, Any]]:
        """The header cells; a sortable one carries the address that sorts by it, the other way when it does already."""
        return [
            {
                "label": column.label,
                "number": column.number,
                "href": self.address(sort=self._turned(column.order)) if column.order else "",
                "sorted": {column.order: "ascending", f"-{column.order}": "descending"}.get(self.order or "?", ""),
            }
            for column in self.columns
        ]

    def cells(self) -> Iterator[list[Cell]]:
        """The rows shown, as cells."""
        loaded = _load(self.columns, list(self.page))
        for row in self.page:
            yield [_cell(column, row, found.get(row.pk)) for column, found in zip(self.columns, loaded, strict=True)]

    def address(self, **changes: str | int) -> str:
        """This list with something changed: "?q=ana&page=2"; an empty value drops the key."""
        query = self.request.GET.copy()
        query.pop("page", None)
        for key, value in changes.items():
            query[key] = str(value)
        for key in [key for key, value in query.items() if not value]:
            del query[key]
        return f"?{query.urlencode()}"

    @property
    def next_page(self) -> str:
        """The address of the page after this one, or nothing."""
        return self.address(page=self.page.next_page_number()) if self.page.has_next() else ""

    @property
    def previous_page(self) -> str:
        """The address of the page before this one, or nothing."""
        return self.address(page=self.page.previous_page_number()) if self.page.has_previous() else ""

    @property
    def csv_address(self) -> str:
        """The same rows as a file."""
        return self.address(format="csv")

    def _turned(self, order: str) -> str:
        return f"-{order}" if self.order == order else order

    def as_csv(self) -> StreamingHttpResponse:
        """All matching rows (up to CSV_ROWS_MAX) as a file, sent while they are read."""
        response = StreamingHttpResponse(_csv_lines(self.columns, self.rows), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.spec.name}.csv"'
        return response


def moment_of(picked: Mapping[str, str], key: str) -> datetime | None:
    """What a Moment was picked as, in the viewer's zone; None: not, or it is no time. Where clocks show it twice, the
    earlier."""
    try:
        wall = datetime.fromisoformat(picked.get(key, ""))
        return None if wall.tzinfo else timezone.make_aware(wall).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class _Echo:
    """A file that gives back what is written into it."""

    def write(self, text: str) -> str:
        return text


def _csv_lines(columns: Sequence[Column], rows: QuerySet[Any]) -> Iterator[str]:
    """The file piece by piece, in one transaction, so that all of it is from one moment as far as each query goes."""
    writer = csv.writer(_Echo())
    yield writer.writerow([column.label for column in columns])
    with transaction.atomic():
        for start in range(0, CSV_ROWS_MAX, CSV_CHUNK):
            chunk = list(rows[start : start + CSV_CHUNK])
            loaded = _load(columns, chunk)
            for row in chunk:
                yield writer.writerow(_csv_values(columns, row, loaded))
            if len(chunk) < CSV_CHUNK:
                return


def _csv_values(columns: Sequence[Column], row: Any, loaded: Sequence[Mapping[Any, Any]]) -> list[str]:
    subjects = zip(columns, loaded, strict=True)
    return [_plain(column.value(_subject(column, row, found.get(row.pk)))) for column, found in subjects]


def _load(columns: Sequence[Column], rows: Sequence[Any]) -> list[Mapping[Any, Any]]:
    return [column.load(rows) if column.load else {} for column in columns]


def _subject(column: Column, row: Any, found: Any) -> Any:
    return found if column.load else row


def _cell(column: Column, row: Any, found: Any) -> Cell:
    shown = (column.shown or column.value)(_subject(column, row, found))
    return Cell(column.label, shown, column.href(row) if column.href else "", column.number)


def _plain(value: Any) -> str:
    """A value for a spreadsheet. Text that would run as a formula there is quoted."""
    text = "" if value is None else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA_STARTS) else text
