"""Many customers at once: first what will happen to whom and why not to others, then just that."""

import re

import pytest
from tests import cast
from tests.staff.world import World, logged_in, person, world

from demarc.base import clock
from demarc.base.models import OperationLog
from demarc.customers.models import Block, Customer
from demarc.messages.models import Message
from demarc.staff import bulk

BLOCK = "/customers/block/"


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Administrator", "ana"))


@pytest.fixture
def three(place) -> list[Customer]:
    """Two who may be blocked, and one who is blocked already."""
    made = [cast.customer(place.partner, f"Trio {number}", at=clock.now()) for number in range(3)]
    cast.plans.block(made[2].pk, reason="Before", by=cast.STAFF, at=clock.now())
    return made


def rows_in(page: str) -> list[int]:
    return [int(key) for key in re.findall(r'name="row" value="(\d+)"', page)]


def test_the_list_offers_what_the_viewer_may_do(place, client):
    assert BLOCK in client.get("/customers/").content.decode()
    assert BLOCK not in logged_in(person("Technician")).get("/customers/").content.decode()


def test_the_preview_says_what_will_happen_to_whom_and_changes_nothing(client, three):
    page = client.get(BLOCK, {"row": [one.pk for one in three]}).content.decode()
    assert "What will happen to 2 customers" in page
    assert "Nothing is done to 1 customer" in page
    assert "This customer is blocked already." in page
    assert rows_in(page) == [three[1].pk, three[0].pk]
    assert Block.objects.filter(customer__in=three).count() == 1


def test_confirming_does_it_to_each_with_a_row_of_the_log_each(client, three):
    answer = client.post(BLOCK, {"row": [one.pk for one in three], "reason": "Abuse"}, follow=True).content.decode()
    assert "2 customers blocked; the routers are told." in answer
    assert "This customer is blocked already." in answer
    blocked = Block.objects.filter(customer__in=three[:2], reason="Abuse", lifted_at=None)
    assert blocked.count() == 2
    rows = OperationLog.objects.filter(verb="blocked", subject_id__in=[one.pk for one in three[:2]])
    assert rows.count() == 2
    assert OperationLog.objects.filter(verb="block", result="refused", subject_id=three[2].pk).count() == 1


def test_all_that_match_are_those_of_the_filter(client, three):
    page = client.get(BLOCK, {"all": "1", "q": "trio 2"}).content.decode()
    assert "Nothing can be done with what is chosen" in page
    page = client.get(BLOCK, {"all": "1", "q": "trio"}).content.decode()
    assert sorted(rows_in(page)) == [three[0].pk, three[1].pk]


def test_more_than_a_go_takes_are_not_begun(client, three, monkeypatch):
    monkeypatch.setattr(bulk, "ROWS_MAX", 1)
    page = client.get(BLOCK, {"row": [one.pk for one in three]}).content.decode()
    assert "Narrow the list" in page
    assert rows_in(page) == []


def test_a_reseller_reaches_nobody_elses_customers(place, three):
    viewer = person("Administrator", "reseller")
    viewer.partners.add(cast.partner("Reseller"))
    client = logged_in(viewer)
    keys = [one.pk for one in three]
    assert "Trio" not in client.get(BLOCK, {"row": keys}, follow=True).content.decode()
    client.post(BLOCK, {"row": keys, "reason": "Mine"})
    assert not Block.objects.filter(reason="Mine").exists()


def test_nobody_chosen_is_said(client):
    for rows in ([], ["x"], ["9" * 30], ["-1", "\0"]):
        assert "Select a customer first." in client.get(BLOCK, {"row": rows}, follow=True).content.decode()


def test_access_comes_back_to_many(client, three):
    answer = client.post("/customers/unblock/", {"row": [one.pk for one in three]}, follow=True).content.decode()
    assert "1 customer unblocked" in answer
    assert "This customer is not blocked." in answer
    assert not Block.objects.filter(customer=three[2], lifted_at=None).exists()


def test_a_note_goes_to_each_who_has_an_address_once(place, client, three):
    Customer.objects.filter(pk__in=[one.pk for one in three[:2]]).update(email="trio@mail.example")
    page = client.get("/customers/write/", {"row": [one.pk for one in three]}).content.decode()
    assert "No address is known to send it to." in page
    note = {"row": rows_in(page), "channel": "mail", "subject": "Works", "text": "Tonight.", "key": "form:1"}
    for _ in range(2):
        client.post("/customers/write/", note)
    assert Message.objects.filter(customer__in=three, subject="Works").count() == 2
