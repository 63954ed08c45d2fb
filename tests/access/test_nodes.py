"""The page of the RADIUS servers: who is there, who fell silent, and what each has in hand."""

import pytest
from django.db import connection
from tests.access.scene import scene
from tests.staff.world import logged_in, person, world

from demarc.access import nodes
from demarc.access.models import Bookmark, CoaIntent, Nas, PoolBlock

pytestmark = pytest.mark.django_db
PATH = "/radius/nodes/"


def said(node: str, seconds_ago: int = 0) -> None:
    """By the database's clock, which a test cannot turn."""
    Bookmark.objects.create(node=node)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE access_bookmark SET at = now() - %s * interval '1 second' WHERE node = %s", (seconds_ago, node)
        )


def test_each_process_is_listed_with_its_node_and_the_silent_are_named():
    said("main/0")
    said("east/0", seconds_ago=3600)
    said("demo-journal")  # no process: shipped by hand
    found = {(one.node, one.number): one.well for one in nodes.processes(None)}
    assert found == {("main", "0"): True, ("east", "0"): False}


def test_what_a_process_has_in_hand_is_counted_by_its_name_alone():
    on = scene()
    PoolBlock.objects.all().delete()
    PoolBlock.objects.create(pool=on.dynamic, first="10.9.0.0", last="10.9.0.63", size=64, owner="main/1/1772000000")
    said("main/1")
    said("main/10")
    mine, other = nodes.processes(None)
    assert (mine.number, mine.addresses) == ("1", 64)
    assert (other.number, other.addresses) == ("10", 0)


def test_a_reseller_s_technician_counts_his_own_routers_only():
    place, other = world("Ours"), world("Other", number=1)
    said("main/0")
    viewer = person("Technician")
    viewer.partners.add(place.partner)
    assert Nas.objects.filter(partner=other.partner).exists()
    (all_of_them,), (his,) = nodes.processes(None), nodes.processes([place.partner.pk])
    assert 0 < his.routers < all_of_them.routers
    page = logged_in(viewer).get(PATH).content.decode()
    assert f'data-label="Routers it gives orders to">{his.routers}<' in page


def test_another_node_takes_over_the_orders_that_wait(pages):
    place = world()
    router, nas = place.scene.router, place.scene.nas
    waiting, done = (
        CoaIntent.objects.create(nas=nas, node="main", kind="disconnect", session_id=state, user_name="x", state=state)
        for state in ("no_answer", "confirmed")
    )
    given = {"address": nas.address, "secret": "", "block_by": "coa", "coa_port": "3799", "interim_s": "300"}
    given |= {"require_authenticator": "auto", "framed_pool": "", "node": "east"}
    staff = logged_in(person("Super administrator"))
    assert staff.post(f"/routers/{router.pk}/radius/", given).status_code == 302
    waiting.refresh_from_db()
    done.refresh_from_db()
    assert (waiting.node, done.node, Nas.objects.get(pk=nas.pk).node) == ("east", "main", "east")
    assert staff.post(f"/routers/{router.pk}/radius/", given | {"node": ""}).status_code == 302
    assert Nas.objects.get(pk=nas.pk).node == "main"


def test_the_page_says_who_is_silent_and_how_another_machine_joins():
    said("east/0", seconds_ago=3600)
    page = logged_in(person("Administrator")).get(PATH).content.decode()
    assert "Silent for 60 min" in page
    assert "demarc invite NAME" in page
