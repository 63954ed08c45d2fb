"""One description of a list gives its table, its filters, its files and what may be done with many rows.

Knows no room's rows, no permission and no person. A list shows ROWS rows at a time, found by the place of the row
before them (ui.keyset), and counts up to COUNT_MAX.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from demarc.ui import keyset, sheets
from demarc.ui.formats import number, plural

ROWS = 50
COUNT_MAX = 10_000
"""More rows than this are only called more: to count them would take longer than to show the page."""
FILE_ROWS_MAX = 200_000
FILE_CHUNK = 2_000
TEXT_MAX = 100
STATE_MAX = 2_000
FILES = {
    "csv": ("text/csv; charset=utf-8", sheets.csv_lines),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", sheets.xlsx_parts),
}
NOT_STATE = ("after", "before", "page", "format", "show", "row", "all")
"""Words of a list's address that say where one is in it, not which list it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`value` gives what programs read (CSV), `shown` what people see (default: the value), both from a row.

    With `load` they are given what it found for the row's id instead; it runs once for all rows shown. `key` names the
    column in addresses (default: made from its label). A time or a number goes into files as such: give it, not its
    words.
    """

    label: str
    value: Callable[[Any], Any]
    shown: Callable[[Any], Any] | None = None
    href: Callable[[Any], str] | None = None
    load: Callable[[Sequence[Any]], Mapping[Any, Any]] | None = None
    number: bool = False
    order: str = ""
    key: str = ""

    @property
    def word(self) -> str:
        """Its name in addresses."""
        return self.key or re.sub(r"[^a-z0-9]+", "_", self.label.lower()).strip("_")


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
class Bulk:
    """Something to be done with many rows. `page` is a URL name; that page first shows what would happen."""

    label: str
    page: str
    icon: str
    danger: bool = False

    @property
    def href(self) -> str:
        """Where it is asked for."""
        return reverse(self.page)


@dataclass(frozen=True, slots=True)
class View:
    """A way of looking at the list that somebody keeps under a name: the state of its address."""

    key: int
    name: str
    state: str
    default: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of the table."""

    label: str
    shown: Any
    href: str
    number: bool


@dataclass
class Listing:
    """A list as one viewer asked for it: the address says all. `more_columns` and `bulk` come from other rooms, `views`
    are the viewer's own."""

    spec: ListSpec
    request: HttpRequest
    more_columns: Sequence[Column] = ()
    bulk: Sequence[Bulk] = ()
    views: Sequence[View] = ()
    picked: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.picked = picked_of(self.spec, self.request)

    @property
    def all_columns(self) -> Sequence[Column]:
        """Those of the list, then those that other rooms add."""
        return (*self.spec.columns, *self.more_columns)

    @cached_property
    def columns(self) -> Sequence[Column]:
        """Those to show: the first, which is the link, and of the others what was chosen; nothing chosen: all."""
        chosen = set(self.request.GET.getlist("col"))
        first, *others = self.all_columns
        kept = [column for column in others if column.word in chosen]
        return (first, *kept) if kept else self.all_columns

    @property
    def column_choices(self) -> list[dict[str, Any]]:
        """The columns that may be left out: word, label and whether it is shown."""
        return [
            {"word": column.word, "label": column.label, "shown": column in self.columns}
            for column in self.all_columns[1:]
        ]

    @cached_property
    def rows(self) -> QuerySet[Any]:
        """All rows that match, in order. A limit that they came with is dropped: pages, count and files have theirs."""
        rows = self.spec.rows(self.request, self.picked).all()
        rows.query.clear_limits()
        order = self.order
        return rows.order_by(order, "id" if order[0] != "-" else "-id") if order else rows

    @property
    def order(self) -> str:
        """The column to sort by, "-" in front for downwards; empty: as the list comes."""
        wanted = self.request.GET.get("sort", "")
        known = {column.order for column in self.all_columns if column.order}
        return wanted if wanted.removeprefix("-") in known else ""

    @cached_property
    def page(self) -> keyset.Cut:
        """The rows to show now, and the marks of the pages around them."""
        given = self.request.GET
        marks = {"after": given.get("after", ""), "before": given.get("before", "")}
        return keyset.cut(self.rows, ROWS, name=self.spec.name, **marks)

    @property
    def shown(self) -> list[Any]:
        """The rows of this page."""
        return self.page.rows

    @cached_property
    def count(self) -> int:
        """How many rows match; COUNT_MAX + 1 stands for all that are more."""
        if not (self.page.before or self.page.after):
            return len(self.shown)
        return self.rows.order_by().values("pk")[: COUNT_MAX + 1].count()

    @property
    def counted(self) -> str:
        """The same in words."""
        if self.count > COUNT_MAX:
            return f"more than {number(COUNT_MAX)} {self.spec.many}"
        return plural(self.count, self.spec.one, self.spec.many)

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

    def cells(self) -> Iterator[tuple[Any, list[Cell]]]:
        """The rows shown: (id, cells)."""
        loaded = _load(self.columns, self.shown)
        for row in self.shown:
            found = zip(self.columns, loaded, strict=True)
            yield row.pk, [_cell(column, row, facts.get(row.pk)) for column, facts in found]

    @cached_property
    def state(self) -> list[tuple[str, str]]:
        """What makes this list this one, and nothing else of the address: filters, search, order and columns."""
        pairs = list(self.picked.items())
        if self.order:
            pairs.append(("sort", self.order))
        if len(self.columns) < len(self.all_columns):
            pairs += [("col", column.word) for column in self.columns[1:]]
        return pairs

    @property
    def address_state(self) -> str:
        """The same as the query of an address."""
        return _query(self.state)

    @property
    def without_columns(self) -> list[tuple[str, str]]:
        """The state, for a form that asks for the columns itself."""
        return [pair for pair in self.state if pair[0] != "col"]

    @property
    def beside_filters(self) -> list[tuple[str, str]]:
        """The state, for a form that asks for the filters itself."""
        return [pair for pair in self.state if pair[0] in ("sort", "col")]

    def address(self, **changes: str) -> str:
        """This list with something changed: "?q=ana&sort=name"; an empty value drops the key."""
        kept = [pair for pair in self.state if pair[0] not in changes]
        return f"?{_query([*kept, *((key, value) for key, value in changes.items() if value)])}"

    @property
    def next_page(self) -> str:
        """The address of the page after this one, or nothing."""
        return self.address(after=self.page.after) if self.page.after else ""

    @property
    def previous_page(self) -> str:
        """The address of the page before this one, or nothing."""
        return self.address(before=self.page.before) if self.page.before else ""

    @property
    def files(self) -> list[tuple[str, str]]:
        """The same rows as files: (name, address)."""
        return [(name.upper(), self.address(format=name)) for name in FILES]

    def _turned(self, order: str) -> str:
        return f"-{order}" if self.order == order else order

    def as_file(self, kind: str) -> StreamingHttpResponse:
        """All matching rows (up to FILE_ROWS_MAX) as a file of FILES, sent while they are read."""
        content_type, write = FILES[kind]
        zone = timezone.get_current_timezone()  # by the time the rows are read, the view and its zone are left
        body = write([column.label for column in self.columns], _file_rows(self.columns, self.rows), zone)
        response = StreamingHttpResponse(body, content_type=content_type)
        response["Content-Disposition"] = f'attachment; filename="{self.spec.name}.{kind}"'
        return response


def picked_of(spec: ListSpec, request: HttpRequest) -> dict[str, str]:
    """What the address picks of a list's filters, moments and search; whatever is none of theirs is left out."""
    given, picked = request.GET, {}
    for chooser in spec.filters:
        word = given.get(chooser.key, "")
        if word and word in dict(chooser.choices(request)):
            picked[chooser.key] = word
    for chosen in spec.moments:
        word = given.get(chosen.key, "")[:TEXT_MAX]
        if word and moment_of({chosen.key: word}, chosen.key) is not None:
            picked[chosen.key] = word
    text = given.get("q", "").replace("\0", "").strip()[:TEXT_MAX]
    if spec.search and text:
        picked["q"] = text
    return picked


def clean_state(text: str) -> str:
    """The query of a list's address without what says only where one is in it; "" when it is too long to keep."""
    if len(text) > STATE_MAX:
        return ""
    given = QueryDict(text.removeprefix("?").replace("\0", ""))
    return _query([(key, value) for key, values in given.lists() if key not in NOT_STATE for value in values if value])


def _query(pairs: Sequence[tuple[str, str]]) -> str:
    query = QueryDict(mutable=True)
    for key, value in pairs:
        query.appendlist(key, value)
    return query.urlencode()


def moment_of(picked: Mapping[str, str], key: str) -> datetime | None:
    """What a Moment was picked as, in the viewer's zone; None: not, or it is no time. Where clocks show it twice, the
    earlier."""
    try:
        wall = datetime.fromisoformat(picked.get(key, ""))
        return None if wall.tzinfo else timezone.make_aware(wall).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _file_rows(columns: Sequence[Column], rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """The values of all rows, read in one transaction, so that all is from one moment as far as each query goes."""
    with transaction.atomic():
        for chunk in keyset.chunks(rows, FILE_CHUNK, FILE_ROWS_MAX):
            loaded = _load(columns, chunk)
            for row in chunk:
                found = zip(columns, loaded, strict=True)
                yield [column.value(_subject(column, row, facts.get(row.pk))) for column, facts in found]


def _load(columns: Sequence[Column], rows: Sequence[Any]) -> list[Mapping[Any, Any]]:
    return [column.load(rows) if column.load else {} for column in columns]


def _subject(column: Column, row: Any, found: Any) -> Any:
    return found if column.load else row


def _cell(column: Column, row: Any, found: Any) -> Cell:
    shown = (column.shown or column.value)(_subject(column, row, found))
    return Cell(column.label, shown, column.href(row) if column.href else "", column.number)
