"""The pages of changing how a payer pays: every transfer and document is shown, then made, once it was seen."""

import re

import pytest
from tests import cast
from tests.staff.world import logged_in, person, proof, words, world

from demarc.base import clock
from demarc.billing.models import Document, Transfer
from demarc.customers.models import Account


@pytest.fixture
def rita(place) -> Account:
    """Recurring, billed ahead."""
    return Document.objects.get(pk=place.papers["document_id"]).account


def counted() -> tuple[int, int]:
    return Transfer.objects.count(), Document.objects.count()


def test_a_prepaid_account_becomes_recurring_with_the_document_that_was_shown(place, client):
    path = f"/accounts/{place.account.pk}/billing-type/"
    before = counted()
    page = client.get(path)
    assert counted() == before
    told = re.search(r"<b>Invoice of ([0-9.]+) EUR</b>", words(page))
    assert "Invoice or credit note" in words(page)  # the transfer
    assert f"Account {place.account.number}" in words(page)
    assert client.post(path, {"looked": proof(page)}).status_code == 302
    made = Document.objects.get(account=place.account)
    assert made.gross == round(float(told[1]) * 100)
    assert Account.objects.get(pk=place.account.pk).billing_type == "recurring"
    assert "Make prepaid" in words(client.get(f"/customers/{place.customer.pk}/money/"))


def test_a_recurring_account_becomes_prepaid_and_its_credit_is_shown(client, rita):
    path = f"/accounts/{rita.pk}/billing-type/"
    page = client.get(path)
    told = re.search(r"<b>Credit note of ([0-9.]+) EUR</b>", words(page))
    assert client.post(path, {"looked": proof(page)}).status_code == 302
    credit = Document.objects.filter(account=rita, kind="credit_note").latest("id")
    assert -credit.gross == round(float(told[1]) * 100)
    assert Account.objects.get(pk=rita.pk).billing_type == "prepaid"


def test_what_was_not_looked_at_is_shown_and_not_made(client, rita):
    path = f"/accounts/{rita.pk}/billing-type/"
    before = counted()
    old = proof(client.get(path))
    assert client.post(path).status_code == 200
    cast.pay(rita, 100_000, at=clock.now())
    assert client.post(path, {"looked": old}).status_code == 302  # a payment changes nothing of what was shown
    assert counted()[1] > before[1]
    answer = client.post(f"/accounts/{rita.pk}/billing-type/", {"looked": old})
    assert answer.status_code == 200
    assert Account.objects.get(pk=rita.pk).billing_type == "prepaid"


def test_accounts_are_linked_and_what_moves_is_shown(place, client, rita):
    child = cast.account_of(cast.customer(place.partner, "Child", billing_type="recurring", at=clock.now()))
    cast.pay(child, 700, at=clock.now())
    path = f"/accounts/{child.pk}/link/"
    assert client.get(path).status_code == 200
    page = client.post(path, {"number": rita.number})
    assert "Moved between accounts" in words(page)
    assert "7.00 EUR" in words(page)
    assert client.post(path, {"number": rita.number, "looked": proof(page)}).status_code == 302
    child.refresh_from_db()
    assert child.parent_id == rita.pk
    assert cast.balance(child) == 0
    assert f"Account {rita.number}" in words(client.get(f"/customers/{child.customer_id}/money/"))
    assert f"Account {child.number}" in words(client.get(f"/customers/{rita.customer_id}/money/"))
    path = f"/accounts/{child.pk}/unlink/"
    page = client.get(path)
    assert "No money moves" in words(page)
    assert client.post(path, {"looked": proof(page)}).status_code == 302
    child.refresh_from_db()
    assert child.parent_id is None


@pytest.mark.parametrize(
    ("number", "told"),
    [("", "This field is required"), ("999999", "no account of this number"), ("own", "through itself")],
)
def test_a_link_that_cannot_be_is_refused_at_its_field(client, rita, number, told):
    answer = client.post(f"/accounts/{rita.pk}/link/", {"number": rita.number if number == "own" else number})
    assert answer.status_code == 422
    assert told in answer.content.decode().partition('id="id_number_error"')[2][:600]


def test_why_it_cannot_be_converted_is_said(place, client, rita):
    child = cast.account_of(cast.customer(place.partner, "Child", billing_type="recurring", at=clock.now()))
    page = client.post(f"/accounts/{child.pk}/link/", {"number": rita.number})
    client.post(f"/accounts/{child.pk}/link/", {"number": rita.number, "looked": proof(page)})
    answer = client.post(f"/accounts/{rita.pk}/billing-type/")
    assert answer.status_code == 422
    assert "Unlink the accounts that pay together first" in words(answer)


def test_an_account_of_another_provider_is_no_parent(place, rita):
    other = world("Other", number=1, only="rita")
    theirs = Document.objects.get(pk=other.papers["document_id"]).account
    theirs_number = "777777"
    Account.objects.filter(pk=theirs.pk).update(number=theirs_number)
    answer = logged_in(person("Financial manager")).post(f"/accounts/{rita.pk}/link/", {"number": theirs_number})
    assert "no account of this number" in words(answer)
