"""The page of crediting an invoice: the credit note and what becomes of the money are shown, then made."""

import pytest
from tests import cast
from tests.cast import STAFF
from tests.staff.world import World, logged_in, person, proof, words, world

from demarc.base import clock
from demarc.base.models import OperationLog
from demarc.billing import actions as billing
from demarc.billing.models import Document, Transfer


@pytest.fixture
def place(pages) -> World:
    return world(only="rita")


@pytest.fixture
def invoice(place) -> Document:
    return Document.objects.get(pk=place.papers["document_id"])


def path(invoice) -> str:
    return f"/documents/{invoice.pk}/credit/"


def counted() -> tuple[int, int]:
    return Document.objects.count(), Transfer.objects.count()


def test_the_credit_note_is_shown_to_the_cent_and_issued_once_it_was_seen(client, invoice):
    assert path(invoice) in words(client.get(f"/documents/{invoice.pk}/"))
    before = counted()
    page = client.get(path(invoice))
    shown = words(page)
    gross = f"{invoice.gross / 100:.2f} EUR"
    assert f"−{gross}" in shown
    assert f"{gross} is open on the invoice; afterwards nothing is owed" in shown
    assert f"The account owes {gross} now, and has nothing afterwards." in shown
    assert "are not billed again" in shown
    assert f"/accounts/{invoice.account_id}/items/new/" in shown  # goodwill is another thing
    assert counted() == before
    answer = client.post(path(invoice), {"looked": proof(page), "reason": "wrong address"})
    note = Document.objects.latest("id")
    assert answer["Location"] == f"/documents/{note.pk}/"
    assert (note.kind, note.gross, note.corrects_id) == ("credit_note", -invoice.gross, invoice.pk)
    assert "Credited" in words(client.get(f"/documents/{invoice.pk}/"))
    assert path(invoice) not in words(client.get(f"/documents/{invoice.pk}/"))
    assert "Credited by" in words(client.get(f"/documents/{invoice.pk}/"))
    assert OperationLog.objects.filter(verb="credited", subject_id=invoice.pk).count() == 1


def test_what_was_paid_meanwhile_is_shown_before_it_is_credited(client, invoice):
    looked = proof(client.get(path(invoice)))
    cast.pay(invoice.account, 100, at=clock.now())
    billing.bill_item(account_id=invoice.account_id, text="Visit", amount=500, now=True, by=STAFF, at=clock.now())
    visit = Document.objects.latest("id")
    answer = client.post(path(invoice), {"looked": looked})
    assert answer.status_code == 200
    assert "1.00 EUR had paid it and is free again" in words(answer)
    assert f"1.00 EUR pays document {visit.number}" in words(answer)
    assert not Document.objects.filter(kind="credit_note").exists()
    assert client.post(path(invoice), {"looked": proof(answer)}).status_code == 302
    visit.refresh_from_db()
    assert visit.open_amount == visit.gross - 100


def test_it_is_not_credited_twice_and_the_page_says_why(client, invoice):
    page = client.get(path(invoice))
    assert client.post(path(invoice), {"looked": proof(page)}).status_code == 302
    note = Document.objects.latest("id")
    before = counted()
    answer = client.post(path(invoice), {"looked": proof(page)})
    assert answer.status_code == 422
    assert f"It is credited already, by {note.number}" in words(answer)
    again = client.get(path(note))
    assert again.status_code == 200
    assert "Only an invoice can be credited" in words(again)
    assert counted() == before


def test_who_may_only_look_is_offered_no_credit(place, invoice):
    looker = logged_in(person("Technician"))
    assert looker.get(path(invoice)).status_code in (403, 404)
    assert looker.post(path(invoice), {"looked": "0" * 64}).status_code in (403, 404)
    assert not Document.objects.filter(kind="credit_note").exists()
