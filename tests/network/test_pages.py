"""The pages of routers, pools, causes and the blocking page."""

from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.staff.world import LOGO, World, logged_in, person, world

from demarc.network.models import BlockingPage, CauseRule, Pool, Router, RouterCause


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Super administrator"))


def test_a_router_is_added_and_the_next_step_is_named(place, client):
    answer = client.post("/routers/new/", {"name": "bras-2", "nas_type": "mikrotik"})
    made = Router.objects.get(name="bras-2")
    assert answer["Location"] == f"/routers/{made.pk}/"
    assert "Not a RADIUS client yet" in client.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("172.16.0.0/24", "overlaps the pool North"),
        ("172.16.0.1/20", "is not a network"),
        ("127.0.0.0/8", "cannot have the addresses"),
        ("everything", "is not a network"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_at_its_network(place, client, network, words):
    answer = client.post("/pools/new/", {"name": "New", "network": network, "kind": "dynamic"})
    assert answer.status_code == 422
    assert words in answer.content.decode().partition('id="id_network_error"')[2][:600]
    assert not Pool.objects.filter(name="New").exists()


def test_an_overlap_links_to_the_pool_in_the_way(place, client):
    answer = client.post("/pools/new/", {"name": "New", "network": "172.16.0.0/24", "kind": "dynamic"})
    assert f'href="/pools/{place.scene.dynamic.pk}/"' in answer.content.decode()


def test_a_pool_says_how_full_it_is(place, client):
    assert "of 4,094" in client.get(f"/pools/{place.scene.dynamic.pk}/").content.decode()


def test_a_cause_is_changed_and_a_list_leads_to_one_page_only(place, client):
    path = f"/settings/{place.partner.pk}/causes/2/"
    assert client.post(path, {"list_name": "No_money", "pool_id": "", "page_port": "8102"}).status_code == 302
    assert CauseRule.objects.get(partner=place.partner, cause=2).list_name == "No_money"
    answer = client.post(path, {"list_name": "Reject_1", "pool_id": "", "page_port": "8102"})
    assert answer.status_code == 422
    assert "a list can lead to one page only" in answer.content.decode()


def test_the_splynx_preset_swaps_the_pages_of_causes_three_and_four(place, client):
    assert client.post(f"/settings/{place.partner.pk}/causes/preset/splynx/").status_code == 302
    ports = dict(CauseRule.objects.filter(partner=place.partner).values_list("cause", "page_port"))
    assert (ports[3], ports[4]) == (8104, 8103)
    assert client.get(f"/settings/{place.partner.pk}/causes/preset/other/").status_code == 404


def test_a_router_s_own_answers_are_kept_and_given_back(place, client):
    path = f"/routers/{place.scene.router.pk}/answers/"
    assert client.post(path, {"cause_2": "reject"}).status_code == 302
    assert RouterCause.objects.get(router=place.scene.router, cause=2).answer == "reject"
    assert client.post(path, {"cause_2": ""}).status_code == 302
    assert not RouterCause.objects.filter(router=place.scene.router, cause=2).exists()


def test_the_blocking_page_takes_a_logo_and_gives_it_away(place, client):
    path = f"/settings/{place.partner.pk}/page/"
    given = {"title": "Hola", "message": "Paga", "how_to_pay": "", "colour": "#112233"}
    logo = SimpleUploadedFile("logo.png", LOGO, content_type="text/html")
    assert client.post(path, given | {"new_logo": logo}).status_code == 302
    shown = client.get(f"/settings/{place.partner.pk}/logo/")
    assert (shown["Content-Type"], shown.content) == ("image/png", LOGO)
    assert client.post(path, given | {"no_logo": "on"}).status_code == 302
    assert BlockingPage.objects.get(partner=place.partner).logo is None
    assert client.post(path, given | {"title": "Without a logo"}).status_code == 302
    assert BlockingPage.objects.get(partner=place.partner).title == "Without a logo"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("colour", "red", "written as in"), ("title", "x" * 121, "at most 120"), ("message", "x" * 4001, "at most 4000")],
)
def test_what_the_page_cannot_show_is_refused_at_its_field(place, client, field, value, words):
    given = {"title": "", "message": "", "how_to_pay": "", "colour": "#112233"} | {field: value}
    answer = client.post(f"/settings/{place.partner.pk}/page/", given)
    assert answer.status_code == 422
    assert words in answer.content.decode().partition(f'id="id_{field}_error"')[2][:600]


def test_a_logo_that_is_no_image_is_refused(place, client):
    given = {"title": "", "message": "", "how_to_pay": "", "colour": "#112233"}
    fake = SimpleUploadedFile("logo.png", b"<svg onload=alert(1)>", content_type="image/png")
    answer = client.post(f"/settings/{place.partner.pk}/page/", given | {"new_logo": fake})
    assert answer.status_code == 422
    assert "PNG, JPEG or WebP" in answer.content.decode()


def zipped(**files: bytes) -> SimpleUploadedFile:
    held = BytesIO()
    with ZipFile(held, "w") as archive:
        for name, body in files.items():
            archive.writestr(name.replace("__", "."), body)
    return SimpleUploadedFile("page.zip", held.getvalue())


@pytest.fixture
def data(tmp_path, settings):
    settings.CONFIG = replace(settings.CONFIG, data=tmp_path)
    return tmp_path


def test_a_page_of_one_s_own_is_uploaded_replaced_and_taken_away(place, client, data):
    path = "/settings/pages/2/"
    assert client.post(path, {"archive": zipped(index__html=b"<h1>Pay</h1>", logo__png=LOGO)}).status_code == 302
    folder = data / "pages" / "2"
    assert sorted(file.name for file in folder.iterdir()) == ["index.html", "logo.png"]
    assert "Your own" in client.get("/settings/pages/").content.decode()
    client.post(path, {"archive": zipped(index__html=b"<h1>Pay now</h1>")})
    assert [file.read_bytes() for file in folder.iterdir()] == [b"<h1>Pay now</h1>"]
    assert client.post(path, {"remove": "on"}).status_code == 302
    assert list((data / "pages").iterdir()) == []
    assert client.post(path, {"remove": "on"}).status_code == 422


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        (SimpleUploadedFile("page.zip", b"not a zip"), "not a zip archive that can be read"),
        (zipped(page__html=b"<h1>"), "no index.html at the top"),
        (zipped(index__html=b"<h1>", hack__php=b"<?php"), "cannot be part of a page"),
        (zipped(**{"../../index__html": b"<h1>"}), "cannot be part of a page"),
        (None, "Choose an archive, or take the present page away"),
    ],
)
def test_an_archive_that_is_no_page_is_refused_and_leaves_nothing(place, client, data, archive, words):
    answer = client.post("/settings/pages/2/", {"archive": archive} if archive else {})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not (data / "pages").exists()


def test_a_page_that_serves_all_providers_is_not_one_provider_s_to_change(place, data):
    visitor = person("Super administrator", "reseller")
    visitor.partners.set([place.partner])
    assert logged_in(visitor).get("/settings/pages/2/").status_code == 404


def test_there_is_no_page_beyond_the_ports(client):
    assert client.get("/settings/pages/5/").status_code == 404
    assert client.get("/settings/pages/0/").status_code == 404
