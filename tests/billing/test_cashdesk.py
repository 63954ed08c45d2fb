"""The cashdesk: somebody who may do nothing else finds who pays, takes the money, and learns no more than that."""

import pytest
from django.test import Client
from tests import cast
from tests.staff.world import PASSWORD, logged_in, person, words, world

from demarc.base import clock
from demarc.billing.models import Document, Payment


@pytest.fixture
def place(pages):
    return world()


@pytest.fixture
def cashier(place):
    clerk = person("Cashier", "carla")
    clerk.partners.set([place.partner])
    return logged_in(clerk)


def test_a_cashier_lands_at_the_cashdesk(place):
    person("Cashier", "carla")
    client = Client()
    answer = client.post("/login/", {"login": "carla", "password": PASSWORD})
    assert answer["Location"] == "/cashdesk/"
    menu = words(client.get("/cashdesk/"))
    assert "Customers" not in menu
    assert "Documents" not in menu


def test_who_pays_is_found_by_name_login_or_number_and_told_no_more(place, cashier):
    invoice = Document.objects.get(pk=place.papers["document_id"])
    for text, name in (
        ("ana of", "Ana of Demarc"),
        (place.login.login, "Ana of Demarc"),
        (place.account.number, "Ana of Demarc"),
        (invoice.number, "Rita of Demarc"),
    ):
        page = words(cashier.get("/cashdesk/", {"q": text}))
        assert name in page, text
        assert "600 111" not in page
        assert "ana@example.com" not in page
    assert "Ana of Demarc" not in words(cashier.get("/cashdesk/", {"q": "600 111"}))


def test_open_invoices_and_the_balance_are_shown(place, cashier):
    late = Document.objects.get(pk=place.late.document_id)
    page = words(cashier.get("/cashdesk/", {"q": "larry"}))
    assert late.number in page
    assert "Take payment" in page


def test_a_payment_taken_is_in_the_cashier_s_own_list_and_in_nobody_else_s(place, cashier):
    before = cast.balance(place.account)
    form = cashier.get(f"/accounts/{place.account.pk}/pay/")
    key = form.context["form"]["key"].value()
    today = clock.today(place.partner.zone).isoformat()
    given = {"amount": "12.50", "method": "cash", "received_on": today, "comment": "receipt 7", "key": key}
    answer = cashier.post(f"/accounts/{place.account.pk}/pay/", given)
    assert answer["Location"] == "/cashdesk/"
    assert cast.balance(place.account) == before + 1250
    page = words(cashier.get("/cashdesk/"))
    assert "receipt 7" in page
    assert Payment.objects.latest("id").number in page
    other = logged_in(person("Cashier", "carl"))
    assert "receipt 7" not in words(other.get("/cashdesk/"))
    assert cashier.get(f"/customers/{place.customer.pk}/money/").status_code == 403


def test_the_neighbour_s_customers_are_not_found(place, cashier):
    theirs = world("Theirs", number=1, only="rita")
    number = Document.objects.get(pk=theirs.papers["document_id"]).number
    for text in ("ana of theirs", theirs.login.login, number):
        assert "Theirs" not in words(cashier.get("/cashdesk/", {"q": text})), text
    assert cashier.get(f"/accounts/{theirs.account.pk}/pay/").status_code == 404
