"""Finding by the beginnings of words: how words are made, and that they follow whatever is written."""

import re

import pytest
from django.db import DatabaseError, connection, transaction
from tests import cast

from demarc.base import sql, words
from demarc.base.models import Partner, SearchWord
from demarc.customers import actions
from demarc.customers.models import Customer

KINDS = ["customer", "contact"]


@pytest.fixture
def partner(db) -> Partner:
    return cast.partner()


def found(text: str, partner_ids: list[int] | None = None) -> list[str]:
    """By the search; a list finds the same."""
    ids = [one.subject_id for one in words.nearest(KINDS, text, partner_ids, 50)]
    names = Customer.objects.in_bulk(ids)
    listed = Customer.objects.filter(pk__in=words.begins(KINDS, text, partner_ids) or [])
    assert {one.pk for one in listed} == set(ids)
    return [names[key].name for key in ids]


TEXTS = ["José Ñandú", "ÉCOLE ﬁne", "Ірина Ёлкина", "Straße", "o'Brien-Smith", "Ångström"]


@pytest.mark.parametrize("text", TEXTS)
def test_the_database_folds_as_we_do(db, text):
    assert sql.rows("SELECT demarc_folded(%(text)s)", text=text) == [(words.folded(text),)]


@pytest.mark.parametrize(
    "text",
    ["jose", "JOSÉ", "garcia", "garcia-l", "lopez", "o'brien", "brien jose", "mayor 12", "08001", "barce", "josé@mail",
     "600 111", "600111222", "34600111", "+34 600", "111222", "7", "000007"],
)  # fmt: skip
def test_a_customer_is_found_by_the_beginning_of_any_word_of_his_record(partner, text):
    facts = {"email": "jose@mail.example", "phone": "+34 600 111 222", "street": "Calle Mayor 12", "zip_code": "08001"}
    made = cast.customer(partner, "José García-López O'Brien", city="Barcelona", **facts)
    Customer.objects.filter(pk=made.pk).update(number="000007")
    cast.customer(partner, "Somebody Else")
    assert found(text) == ["José García-López O'Brien"]


@pytest.mark.parametrize(
    "text", ["j", "É", "j .", "o b", "", " ", "\0", "'", "%", "_", "ose", "jose nobody", "\U0010ffff", "a" * 500]
)
def test_what_begins_no_word_finds_nobody(partner, text):
    cast.customer(partner, "José O. Becker Écija")
    assert found(text) == []


def test_the_very_word_comes_first(partner):
    for name in ("Anabel", "Ana", "Anastasia"):
        cast.customer(partner, name)
    assert found("ana") == ["Ana", "Anabel", "Anastasia"]
    assert [one.exact for one in words.nearest(KINDS, "ana", None, 3)] == [True, False, False]


def test_nobody_finds_the_customers_of_another(partner):
    other = cast.partner("Other")
    cast.customer(partner, "Ana Mine")
    cast.customer(other, "Ana Theirs")
    assert found("ana", [partner.pk]) == ["Ana Mine"]
    assert found("theirs", [partner.pk]) == []
    assert found("ana", []) == []


def test_words_follow_a_change_a_move_and_an_end(partner):
    made = cast.customer(partner, "Ana")
    other = cast.partner("Other")
    Customer.objects.filter(pk=made.pk).update(name="Berta", partner_id=other.pk)
    assert (found("ana"), found("berta", [other.pk]), found("berta", [partner.pk])) == ([], ["Berta"], [])
    made.accounts.all().delete()
    made.delete()
    assert not SearchWord.objects.filter(kind__in=KINDS, subject_id=made.pk).exists()


def test_words_follow_rows_that_come_by_copy_and_change_in_bulk(partner):
    new = [actions.NewCustomer(name=f"Person {number} Twin") for number in range(20)]
    actions.create_customers(new, partner_id=partner.pk, by=cast.STAFF, at=cast.AT)
    assert len(found("twin")) == 20
    Customer.objects.filter(name__startswith="Person 1").update(street="Elm")
    assert SearchWord.objects.filter(word="elm").count() == 11
    assert SearchWord.objects.filter(word="twin").count() == 20


def test_a_change_of_what_is_no_text_writes_no_word(partner):
    made = cast.customer(partner, "Ana")
    rows = "SELECT xmin::text FROM base_searchword WHERE subject_id = %(key)s"
    before = sql.rows(rows, key=made.pk)
    Customer.objects.filter(pk=made.pk).update(status="active")
    assert before
    assert sql.rows(rows, key=made.pk) == before


def test_the_app_itself_may_not_write_a_word(partner):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        SearchWord.objects.all().delete()


@pytest.mark.parametrize("text", ["ana", "ana gar", "600"])
def test_a_search_needs_no_look_through_the_table(partner, text):
    first, *others = words.terms(text)
    values = (KINDS, first, first + words.TOP, [partner.pk], [partner.pk], others, KINDS, words.TOP, 8)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")  # there are so few words here that sorting them costs nothing
        cursor.execute(f"EXPLAIN {words.NEAREST}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on base_searchword" not in plan
    assert "base_searchword_begins" in plan
    assert not re.search(r"(?<!Incremental )Sort  \(", plan)
