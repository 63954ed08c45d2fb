"""Tables as files, sent while they are read: CSV, and XLSX (ECMA-376) as far as one plain sheet needs it.

Numbers go as numbers, dates as dates on the viewer's clock, and text never as a formula. Knows cells, and no list.
"""

import csv
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CELL_MAX = 32_767
"""Characters that a cell of XLSX holds; Excel calls a file with more broken."""
DIGITS_MAX = 15
"""Digits of a number that a spreadsheet keeps; a longer one goes as text."""
XML_FORBIDS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
"""Day 0 of a spreadsheet's calendar (ECMA-376 part 1, 18.17.4.1), right from March 1900 on."""
FIRST_DAY = date(1900, 3, 1)
DAY_S = 86_400

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml"'
    ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/styles.xml"'
    ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml"'
    ' ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
    '<sheet name="List" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><fonts count="2"><font/><font><b/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/>'
    '<xf fontId="1" applyFont="1"/><xf numFmtId="14" applyNumberFormat="1"/>'
    '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>',
}
HEAD, DAY, MOMENT = 1, 2, 3
"""Which of the cell formats above: bold, a date, a date and time."""


def csv_lines(heads: Sequence[str], rows: Iterable[Sequence[Any]], zone: tzinfo) -> Iterator[str]:
    """The lines of a CSV. Text that a spreadsheet would run as a formula is quoted."""
    writer = csv.writer(_Echo())
    yield writer.writerow(heads)
    for row in rows:
        yield writer.writerow([_csv_value(value, zone) for value in row])


def xlsx_parts(heads: Sequence[str], rows: Iterable[Sequence[Any]], zone: tzinfo) -> Iterator[bytes]:
    """A workbook with one sheet, piece by piece; its head stays in sight."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as book:  # type: ignore[call-overload] # only written to
        for name, text in PARTS.items():
            book.writestr(name, XML + text)
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'{XML}<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">'.encode())
            sheet.write(b'<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>')
            sheet.write(b"</sheetViews><sheetData>" + _row(_text(head, HEAD) for head in heads))
            for row in rows:
                sheet.write(_row(_xlsx_cell(value, zone) for value in row))
                yield pipe.take()
            sheet.write(b"</sheetData></worksheet>")
    yield pipe.take()


class _Echo:
    """A file that gives back what is written into it."""

    def write(self, text: str) -> str:
        return text


class _Pipe:
    """A file that keeps what is written until it is taken away."""

    def __init__(self) -> None:
        self._kept: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._kept.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def take(self) -> bytes:
        taken = b"".join(self._kept)
        self._kept.clear()
        return taken


def _csv_value(value: Any, zone: tzinfo) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    text = str(value)
    return text if isinstance(value, int | Decimal) or not text.startswith(FORMULA_STARTS) else f"'{text}"


def _row(cells: Iterable[str]) -> bytes:
    return f"<row>{''.join(cells)}</row>".encode()


def _xlsx_cell(value: Any, zone: tzinfo) -> str:
    if value is None or value == "":
        return "<c/>"
    if isinstance(value, datetime) and value.date() > FIRST_DAY:
        since = value.astimezone(zone).replace(tzinfo=UTC) - DAY_ZERO
        return f'<c s="{MOMENT}"><v>{since.days + Decimal(since.seconds) / DAY_S:.10f}</v></c>'
    if isinstance(value, date) and not isinstance(value, datetime) and value > FIRST_DAY:
        return f'<c s="{DAY}"><v>{(value - DAY_ZERO.date()).days}</v></c>'
    if _is_number(value):
        return f"<c><v>{value}</v></c>"
    return _text(str(value))


def _is_number(value: Any) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and len(value.as_tuple().digits) <= DIGITS_MAX
    return isinstance(value, int) and not isinstance(value, bool) and len(str(abs(value))) <= DIGITS_MAX


def _text(text: str, style: int = 0) -> str:
    """A cell of type text is never run, whatever it begins with."""
    shown = escape(XML_FORBIDS.sub("\ufffd", str(text)[:CELL_MAX]))
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{shown}</t></is></c>'
