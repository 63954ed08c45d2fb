"""Rows written as arrays are what an INSERT would have written."""

import pytest
from django.db import IntegrityError, connection, transaction
from tests import cast
from tests.cast import AT, STAFF

from demarc.base import lines
from demarc.base.actors import recorded
from demarc.base.models import OperationLog, Partner
from demarc.base.rows import insert
from demarc.billing.models import InvoiceRun
from demarc.customers.models import Customer

pytestmark = pytest.mark.django_db
HOSTILE = "tab\t back\\slash \\N \\. line\n quote'\" {brace} €😀"


def test_what_is_written_is_read_again_whatever_it_is():
    partner = cast.partner()
    rows = [
        Customer(partner=partner, number=str(n), name=HOSTILE, location=None, status_since=AT, created_at=AT)
        for n in range(3)
    ]
    insert(rows)
    found = Customer.objects.in_bulk([row.pk for row in rows])
    assert [found[row.pk].number for row in rows] == ["0", "1", "2"]
    assert {(one.name, one.location, one.status, one.status_since) for one in found.values()} == {
        (HOSTILE, None, "new", AT)
    }


def test_bytes_and_nothing():
    public = {
        "at": AT,
        "actor_kind": "system",
        "actor_id": 0,
        "verb": "looked",
        "subject_kind": "partner",
        "kind": "work",
    }
    insert([OperationLog(body=body, **public) for body in (bytes(range(256)), None)])
    found = OperationLog.objects.filter(verb="looked").order_by("id")
    assert [one.body and bytes(one.body) for one in found] == [bytes(range(256)), None]


def test_objects_are_json():
    odd = [{"words": HOSTILE, "accounts": [1, None, True], "deep": {"a": 1.5}}]
    run = InvoiceRun(partner=cast.partner(), day=AT.date(), anomalies=odd, **recorded(STAFF, AT))
    insert([run])
    assert InvoiceRun.objects.get(pk=run.pk).anomalies == odd


def test_an_id_that_is_there_stays_and_nothing_is_nothing():
    insert([])
    partner = cast.partner()
    row = Customer(pk=10**9, partner=partner, number="7", name="Ana", status_since=AT, created_at=AT)
    insert([row])
    assert Customer.objects.get(pk=10**9).name == "Ana"


def test_what_the_database_refuses_is_an_integrity_error():
    partner = cast.partner()
    same = {"partner": partner, "number": "7", "name": "Ana", "status_since": AT, "created_at": AT}
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([Customer(**same), Customer(**same)])
    assert Partner.objects.filter(pk=partner.pk).exists()
    assert not Customer.objects.exists()


TEXTS = ["a", None, "", 'x"y\\', "{,}", "NULL", "None", "\\N", "é\t\n", '","', "\x01"]


def test_rows_that_come_as_arrays_are_what_they_were():
    types = {"number": "integer", "text": "text"}
    with connection.cursor() as cursor:
        for arrays in lines.parcels(types, enumerate(TEXTS)):
            cursor.execute(lines.ending(types).strip(), arrays)
            assert cursor.fetchall() == list(enumerate(TEXTS))


@pytest.mark.parametrize("text", ["\0", "a\0S", lines.NOTHING])
def test_a_zero_byte_is_refused_before_it_is_taken_for_anything(text):
    with pytest.raises(ValueError, match="zero byte"):
        list(lines.parcels({"text": "text"}, [["a"], [text], [None]]))
