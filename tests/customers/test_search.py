"""The search of everything: what a caller says finds him, and nobody finds what is not his."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests import cast
from tests.staff.world import World, logged_in, person, world

from demarc.access.models import Subscriber
from demarc.base import clock, queries
from demarc.base.models import OperationLog
from demarc.billing.models import Document

HTMX = {"HX-Request": "true"}


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Administrator", "ana"))


def found(client, text: str) -> str:
    answer = client.get("/search/", {"q": text}, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def test_enter_leads_to_who_is_meant_by_what_he_says(place, client):
    cast.customer(place.partner, "Somebody Else", at=clock.now())
    page = f"/customers/{place.customer.pk}/"
    for text in ("Ana of", "000001", "1", "600 111", "ana0", "172.16.0.10", "ana@example"):
        assert f'href="{page}"' in found(client, text), text
        if text not in ("1", "000001"):  # they may be a document, too
            assert client.get("/search/", {"q": text, "go": "1"})["Location"] == page, text


def test_a_device_is_found_however_its_mac_is_written(place, client):
    Subscriber.objects.filter(pk=place.login.pk).update(macs=["AA:BB:CC:00:11:22"])
    for text in ("aa:bb:cc", "AA-BB-CC-00", "aabb.cc00.1122", "AABBCC001122"):
        assert "AA:BB:CC:00:11:22" in found(client, text), text


def test_a_document_is_found_by_its_number_and_by_its_last_digits(place, client):
    document = Document.objects.get(pk=place.papers["document_id"])
    for text in (document.number, document.number[:6], str(int(document.number[-6:]))):
        assert f'href="/documents/{document.pk}/"' in found(client, text), text
    assert client.get("/search/", {"q": document.number, "go": "1"})["Location"] == f"/documents/{document.pk}/"


def test_several_who_could_be_meant_are_shown(place, client):
    cast.customer(place.partner, "Anabel", at=clock.now())
    page = client.get("/search/", {"q": "an", "go": "1"})
    assert page.status_code == 200
    assert "Anabel" in page.content.decode()


def test_a_reseller_finds_only_his_own(place):
    other = cast.partner("Reseller")
    cast.customer(other, "Ana Reseller's", at=clock.now())
    viewer = person("Administrator", "reseller")
    viewer.partners.add(other)
    client = logged_in(viewer)
    document = Document.objects.get(pk=place.papers["document_id"])
    assert "Reseller" in found(client, "ana")
    for text in ("ana", "ana0", "172.16.0.10", "600 111", document.number, "1"):
        page = found(client, text)
        assert place.customer.name not in page, text
        assert document.number not in page.replace(f"“{text}”", ""), text


def test_who_sees_no_money_finds_no_document(place):
    document = Document.objects.get(pk=place.papers["document_id"])
    assert "/documents/" not in found(logged_in(person("Technician")), document.number)


NONSENSE = ["", "x" * 5000, "\0", "%", "<script>alert(1)</script>", "::", "1:2", "aa:", "\\", "'"]


def test_nonsense_finds_nothing_and_breaks_nothing(client):
    for text in NONSENSE:
        page = found(client, text)
        assert "data-hit" not in page, text
        assert "<script>" not in page, text


def test_a_search_is_one_row_of_the_log(place, client):
    client.get("/search/", {"q": "Ana"})
    assert OperationLog.objects.filter(verb="searched", kind="view").count() == 1


def test_what_is_found_while_typing_is_one_row_a_minute_for_the_same_text(place, client):
    for text in ("ana", "Ana", "ana b", "ana"):
        found(client, text)
    rows = list(OperationLog.objects.filter(verb="searched").order_by("id"))
    assert [told["text"] for told in queries.told(rows).values() if told] == ["ana", "ana b"]
    client.get("/search/", {"q": "ana"})
    assert OperationLog.objects.filter(verb="searched").count() == 3, "what was sent off is always written down"


def test_more_hits_cost_no_more_questions(place, client):
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            found(client, "twin")
        return len(asked)

    cast.customer(place.partner, "Twin", at=clock.now())
    questions()
    one = questions()
    for number in range(6):
        cast.customer(place.partner, f"Twin {number}", at=clock.now())
    assert questions() == one
