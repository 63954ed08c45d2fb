"""Lists: pages that do not move, counts that end, files that run nothing. The rows are customers and services."""

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from tests import cast

from demarc.base.models import Partner
from demarc.customers import actions
from demarc.customers.models import Customer
from demarc.ui import lists, sheets
from demarc.ui.lists import Column, Listing, ListSpec, clean_state

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def listing(query: str = "", rows: Callable[[], QuerySet[Any]] = Customer.objects.all) -> Listing:
    spec = ListSpec(
        name="people",
        one="person",
        many="people",
        search="Name",
        columns=(
            Column(label="Name", value=lambda one: one.name, order="name"),
            Column(label="Number", value=lambda one: one.number, order="number"),
            Column(label="Location", value=lambda one: one.location, order="location__name"),
            Column(label="Since", value=lambda one: one.created_at, order="created_at"),
        ),
        rows=lambda request, picked: rows().order_by("-id"),
    )
    return Listing(spec, RequestFactory().get(f"/{query}"))


@pytest.fixture
def partner(db) -> Partner:
    return cast.partner()


def people(partner: Partner, names: list[str]) -> list[Customer]:
    new = [actions.NewCustomer(name=name) for name in names]
    return actions.create_customers(new, partner_id=partner.pk, by=cast.STAFF, at=cast.AT)


def walked(query: str = "") -> list[list[str]]:
    """The names of all pages, forwards."""
    pages, address = [], query
    while True:
        page = listing(address)
        pages.append([one.name for one in page.shown])
        if not page.next_page:
            return pages
        address = page.next_page


@pytest.mark.parametrize("order", ["", "name", "-name", "-number", "location__name", "-location__name", "created_at"])
def test_every_row_is_on_one_page_whatever_they_are_sorted_by(partner, monkeypatch, order):
    monkeypatch.setattr(lists, "ROWS", 3)
    made = people(partner, ["Eva", "Ana", "Ana", "Ana", "Zoe", "Ben", "Ana", "Eva"])
    for number, one in enumerate(made[:5]):
        one.location = partner.locations.get_or_create(name=f"Place {number % 2}")[0]
        one.save()
    pages = walked(f"?sort={order}")
    assert [len(page) for page in pages] == [3, 3, 2]
    rows = Customer.objects.order_by(*((order, "-id" if order.startswith("-") else "id") if order else ("-id",)))
    assert [name for page in pages for name in page] == [one.name for one in rows]


@pytest.mark.parametrize("order", ["", "name", "location__name"])
def test_previous_leads_back_over_the_same_pages(partner, monkeypatch, order):
    monkeypatch.setattr(lists, "ROWS", 3)
    people(partner, [f"Person {number % 4}" for number in range(8)])
    first = listing(f"?sort={order}")
    second = listing(first.next_page)
    third = listing(second.next_page)
    assert third.next_page == ""
    assert [one.pk for one in listing(third.previous_page).shown] == [one.pk for one in second.shown]
    back = listing(second.previous_page)
    assert ([one.pk for one in back.shown], back.previous_page) == ([one.pk for one in first.shown], "")


def test_who_comes_while_somebody_reads_moves_no_row_to_another_page(partner, monkeypatch):
    monkeypatch.setattr(lists, "ROWS", 3)
    people(partner, [f"Person {number}" for number in range(6)])
    next_page = listing().next_page
    people(partner, ["Late 1", "Late 2"])
    assert [one.name for one in listing(next_page).shown] == ["Person 2", "Person 1", "Person 0"]


def test_a_page_whose_rows_are_gone_is_the_first_one(partner, monkeypatch):
    monkeypatch.setattr(lists, "ROWS", 2)
    made = people(partner, ["One", "Two", "Three"])
    next_page = listing().next_page
    made[0].accounts.all().delete()
    made[0].delete()
    assert [one.name for one in listing(next_page).shown] == ["Three", "Two"]


@pytest.mark.parametrize("mark", ["x", "WzFd:forged", "%00", "a" * 5000, "[1]", "WyJuYW1lIiwgMV0:1tL:abc"])
def test_a_mark_that_we_did_not_make_is_the_first_page(partner, monkeypatch, mark):
    monkeypatch.setattr(lists, "ROWS", 1)
    people(partner, ["One", "Two"])
    for key in ("after", "before"):
        page = listing(f"?{key}={mark}")
        assert ([one.name for one in page.shown], page.previous_page) == (["Two"], "")


def test_a_mark_of_another_order_is_none(partner, monkeypatch):
    monkeypatch.setattr(lists, "ROWS", 1)
    people(partner, ["One", "Two"])
    mark = listing("?sort=name").page.after
    assert [one.name for one in listing(f"?sort=-name&after={mark}").shown] == ["Two"]


def test_the_last_page_costs_as_little_as_the_first(partner, monkeypatch):
    monkeypatch.setattr(lists, "ROWS", 2)
    people(partner, [f"Person {number}" for number in range(7)])
    third = listing(listing(listing().next_page).next_page)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert len(third.shown) == 2
    assert len(asked) == 1
    assert "OFFSET" not in asked[0]["sql"]
    assert '("customers_customer"."id") <' in asked[0]["sql"]


def test_what_is_many_is_counted_to_an_end(partner, monkeypatch):
    monkeypatch.setattr(lists, "ROWS", 2)
    monkeypatch.setattr(lists, "COUNT_MAX", 4)
    people(partner, [f"Person {number}" for number in range(4)])
    assert listing().counted == "4 people"
    people(partner, ["Another", "And one"])
    assert (listing().counted, listing().count) == ("more than 4 people", 5)


def test_a_list_that_fits_on_one_page_is_not_counted_apart(partner):
    people(partner, ["One", "Two"])
    page = listing()
    with CaptureQueriesContext(connection) as asked:
        assert (page.counted, len(page.shown)) == ("2 people", 2)
    assert len(asked) == 1


def test_the_address_says_which_columns_in_the_lists_order_and_the_first_stays(partner):
    page = listing("?col=since&col=number&col=password&sort=name&after=x")
    assert [column.label for column in page.columns] == ["Name", "Number", "Since"]
    assert page.address_state == "sort=name&col=number&col=since"
    assert [column.label for column in listing("?col=nonsense").columns] == ["Name", "Number", "Location", "Since"]


def test_what_is_kept_of_an_address_says_nothing_of_the_place_in_the_list():
    assert clean_state("?q=a%26b&col=x&col=y&after=1&before=2&format=csv&row=3&empty=") == "q=a%26b&col=x&col=y"
    assert clean_state("q=" + "a" * 3000) == ""


def test_a_file_holds_all_rows_chunk_by_chunk_in_their_order(partner, monkeypatch):
    monkeypatch.setattr(lists, "FILE_CHUNK", 3)
    monkeypatch.setattr(lists, "FILE_ROWS_MAX", 7)
    people(partner, [f"Person {number % 3}" for number in range(8)])
    made = b"".join(listing("?sort=name").as_file("csv").streaming_content).decode()
    numbers = [row["Number"] for row in csv.DictReader(io.StringIO(made))]
    assert numbers == list(Customer.objects.order_by("name", "id").values_list("number", flat=True))[:7]


VALUES = ["=1+1", "-2", "@x", "plain", None, 12, Decimal("-3.40"), "a\x00b<&>\ud800"]
VALUES += [datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC).date()]


def test_no_text_of_a_csv_runs_and_a_negative_number_stays_one():
    made = "".join(sheets.csv_lines(["Value"], [[value] for value in VALUES], timezone(timedelta(hours=2))))
    told = [row[0] for row in csv.reader(io.StringIO(made.replace("\ud800", "?")))][1:]
    assert told[:7] == ["'=1+1", "'-2", "'@x", "plain", "", "12", "-3.40"]
    assert told[8:] == ["2026-03-29T03:30:00+02:00", "2026-03-01"]


def test_a_workbook_holds_text_as_text_numbers_as_numbers_and_dates_as_dates():
    made = b"".join(sheets.xlsx_parts(["Value"], [[value] for value in VALUES], timezone(timedelta(hours=2))))
    with zipfile.ZipFile(io.BytesIO(made)) as book:
        assert book.testzip() is None
        for name in book.namelist():
            ElementTree.fromstring(book.read(name))
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))
    cells = [row[0] for row in sheet.iter(f"{SHEET}row")][1:]
    texts = ["".join(cell.itertext()) for cell in cells]
    assert not list(sheet.iter(f"{SHEET}f"))
    assert [cell.get("t") for cell in cells] == ["inlineStr"] * 4 + [None] * 3 + ["inlineStr", None, None]
    assert texts[:8] == ["=1+1", "-2", "@x", "plain", "", "12", "-3.40", "a\ufffdb<&>\ufffd"]
    # 46110 is 29 March 2026, 46082 the 1st; half past three of 24 hours.
    assert texts[8:] == ["46110.1458333333", "46082"]
    assert [cell.get("s") for cell in cells[8:]] == [str(sheets.MOMENT), str(sheets.DAY)]
