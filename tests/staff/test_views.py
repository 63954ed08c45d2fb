"""Views of lists: kept by a person, for himself."""

import pytest
from tests.staff.world import World, logged_in, person, world

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.core.errors import Refused
from demarc.staff import actions
from demarc.staff.actions import views
from demarc.staff.models import SavedView

LIST = {"HTTP_REFERER": "http://testserver/customers/?status=active&after=x"}


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Administrator", "ana"))


def keep(client, name: str, state: str, **more: str):
    return client.post("/views/", {"list_name": "customers", "name": name, "state": state, **more}, **LIST)


def test_a_view_is_kept_without_the_place_in_the_list_and_shown_on_it(client):
    answer = keep(client, "Active <b>", "status=active&col=status&after=x&format=csv")
    assert answer["Location"] == "/customers/?status=active&col=status"
    page = client.get("/customers/").content.decode()
    assert "?status=active&amp;col=status" in page
    assert "Active &lt;b&gt;" in page


def test_a_default_view_is_what_the_bare_list_leads_to_and_all_can_still_be_shown(client):
    keep(client, "Mine", "status=active", default="1")
    assert client.get("/customers/")["Location"] == "/customers/?status=active"
    assert client.get("/customers/?show=all").status_code == 200
    keep(client, "Others", "status=blocked", default="1")
    assert client.get("/customers/")["Location"] == "/customers/?status=blocked"
    assert SavedView.objects.filter(is_default=True).count() == 1


def test_a_view_of_the_same_name_is_replaced(client):
    keep(client, "Mine", "status=active")
    keep(client, "Mine", "status=blocked")
    assert SavedView.objects.values_list("name", "state").get() == ("Mine", "status=blocked")


def test_views_are_their_keepers_alone(client):
    keep(client, "Mine", "status=active", default="1")
    view = SavedView.objects.get()
    other = logged_in(person("Administrator", "other"))
    assert other.get("/customers/").status_code == 200
    other.post(f"/views/{view.pk}/remove/", **LIST)
    assert SavedView.objects.filter(pk=view.pk).exists()
    client.post(f"/views/{view.pk}/remove/", **LIST)
    assert not SavedView.objects.exists()


def test_what_cannot_be_kept_is_refused(client):
    for facts in ({"name": ""}, {"state": "q=" + "a" * 3000}, {"list_name": "x" * 50}):
        given = {"list_name": "customers", "name": "Mine", "state": "q=a"} | facts
        assert client.post("/views/", given, **LIST).status_code == 302
        assert not SavedView.objects.exists(), facts


def test_a_view_leads_nowhere_else(client):
    answer = client.post(
        "/views/", {"list_name": "customers", "name": "Evil", "state": "//evil.example/?x=1"},
        HTTP_REFERER="https://evil.example/",
    )  # fmt: skip
    assert answer["Location"].startswith("/?")


def test_views_have_an_end(place, monkeypatch):
    monkeypatch.setattr(views, "VIEWS_MAX", 1)
    login = person("Administrator", "ana")
    for _ in range(2):
        actions.save_view(login.pk, actions.NewView("customers", "One", "q=a"), by=SYSTEM, at=clock.now())
    with pytest.raises(Refused, match="remove one first"):
        actions.save_view(login.pk, actions.NewView("customers", "Two", "q=a"), by=SYSTEM, at=clock.now())
