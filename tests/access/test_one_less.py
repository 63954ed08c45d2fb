"""Whether the pools bear the loss of one router: now, at the peak, at one site, and for whom it is said."""

from datetime import timedelta

import pytest
from tests import cast
from tests.access.scene import login, online, pool, scene, service
from tests.cast import STAFF
from tests.project.api_scene import program
from tests.staff.world import logged_in, person, words

from demarc.access import actions, one_less
from demarc.access.models import PoolPeak, SessionLive
from demarc.base import clock
from demarc.network import actions as network

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def two(pages):
    """North has 6 addresses and 5 sessions, South 6 and 3: three are free there. Nothing is shared."""
    on = scene()
    on.dynamic.delete()
    add_router(on, "South", "127.0.9.1", "10.1.0.0/29")
    pool(on.partner, "North's", "10.0.0.0/29", router_id=on.router.pk)
    for place in range(5):
        come(on, on.nas, f"10.0.0.{place + 1}")
    for place in range(3):
        come(on, on.partner.routers.get(name="South").nas, f"10.1.0.{place + 1}")
    return on


def add_router(on, name, address, addresses, **facts):
    made = network.create_router(partner_id=on.partner.pk, name=name, by=STAFF, at=cast.AT, **facts)
    actions.save_nas(router_id=made.pk, address=address, secret="testing123", by=STAFF, at=cast.AT)
    if addresses:
        pool(on.partner, f"{name}'s", addresses, router_id=made.pk)
    return made


def come(on, nas, address):
    name = f"user-{address}"
    return online(login(service(on, name), name), nas, address)


def found(partners=None):
    return {loss.router.name: loss for loss in one_less.losses(partners, at=clock.now())}


def test_the_others_have_too_little_now(two):
    north, south = found()["North"], found()["South"]
    assert (north.sessions, north.free, north.missing, north.missing_at_peak) == (5, 3, 2, 2)
    assert (south.sessions, south.free, south.missing, south.missing_at_peak) == (3, 1, 2, 2)
    assert "If North dies, 2 of its 5 sessions find no address: the other router has 3 free." in north.words


def test_what_all_routers_share_takes_them_too(two):
    pool(two.partner, "For all", "10.9.0.0/29")
    assert (found()["North"].missing, found()["North"].free) == (0, 9)
    assert "each of its 5 sessions finds an address: the other router has 9 free." in found()["North"].words
    assert "Never were more in use within 30 days." in found()["North"].words


def test_the_peak_is_kept_and_told_when_it_is_over_and_forgotten_after_a_month(two):
    busy = clock.now()
    actions.keep_peaks(at=busy)
    SessionLive.objects.filter(framed_ipv4__startswith="10.0.").delete()
    actions.keep_peaks(at=busy)  # a lower figure replaces nothing
    north = found()["North"]
    assert (north.sessions, north.missing, north.missing_at_peak, north.peak.used) == (0, 0, 2, 8)
    assert "8 in use) 2 would have found none." in north.words
    assert "At the peak (" in found()["South"].words
    pool(two.partner, "For all", "10.9.0.0/29")
    assert found()["North"].words.endswith("8 in use) it would have been enough, too.")
    actions.keep_peaks(at=busy + 31 * DAY)
    assert [row.used for row in PoolPeak.objects.all()] == [3]
    assert found()["North"].missing_at_peak == 0


def test_another_site_helps_nobody_and_a_router_alone_is_said_to_be(two):
    site = network.create_site(partner_id=two.partner.pk, name="Hill", by=STAFF, at=cast.AT)
    add_router(two, "Hill", "127.0.9.2", "10.5.0.0/24", site_id=site.pk)
    hill = found()["Hill"]
    assert (hill.others, hill.worrying) == (0, False)
    assert hill.words == "If Hill dies, there is no other router at its place to take over its 0 sessions."
    assert found()["North"].missing == 2


def test_a_router_that_allocates_by_itself_or_is_no_radius_client_takes_nobody_over(two):
    own = add_router(two, "Own", "127.0.9.3", "10.6.0.0/24")
    actions.save_nas(router_id=own.pk, address="127.0.9.3", secret="x" * 8, framed_pool="its-own", by=STAFF, at=cast.AT)
    bare = network.create_router(partner_id=two.partner.pk, name="Bare", by=STAFF, at=cast.AT)
    pool(two.partner, "Bare's", "10.7.0.0/24", router_id=bare.pk)
    assert set(found()) == {"North", "South"}
    assert found()["North"].missing == 2


def test_prefixes_are_told_apart_from_addresses(two):
    pool(two.partner, "Lines", "2001:db8::/62", kind="prefix", prefix_length=64, router_id=two.router.pk)
    online_now = SessionLive.objects.filter(nas=two.nas).first()
    online_now.framed_ipv6_prefix = "2001:db8::/64"
    online_now.save()
    of_lines = [loss for loss in one_less.losses(None, at=clock.now()) if loss.kind == "prefix"]
    assert [(loss.router.name, loss.sessions, loss.missing) for loss in of_lines] == [("North", 1, 1)]
    assert "1 of its 1 session finds no IPv6 prefix of the line" in of_lines[0].words


def test_the_dashboard_warns_once_for_the_set_and_the_list_says_it_of_each(two):
    client = logged_in(person("Super administrator"))
    dashboard, page = words(client.get("/")), words(client.get("/pools/"))
    assert dashboard.count("find no address") == 1
    assert "If North dies, 2 of its 5 sessions find no address" in page
    assert "If South dies, 2 of its 3 sessions find no address" in page
    pool(two.partner, "For all", "10.9.0.0/29")
    assert "If North dies" not in words(client.get("/"))


def test_a_program_gets_the_numbers_and_a_reseller_only_his_own(two):
    other = cast.partner("Other")
    first, second = program("Super administrator").get("/pool-losses")["items"]
    assert (first["router_id"], first["missing"], first["peak_used"]) == (two.router.pk, 2, 8)
    assert second["words"].startswith("If South dies")
    assert program("Super administrator", other).get("/pool-losses") == {"items": []}
