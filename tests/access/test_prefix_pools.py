"""Pools of IPv6 prefixes: what they may be, cut into blocks, how full they are, and nothing held for good inside."""

from ipaddress import IPv6Network
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from tests.access.scene import Scene, login, online, scene, service
from tests.cast import AT, STAFF
from tests.refusals import refused_by
from tests.staff.world import logged_in, person, world

from demarc.access import actions, queries
from demarc.access.models import PoolBlock, StaticPrefix
from demarc.core.errors import Refused
from demarc.network import actions as network
from demarc.network.models import Pool, PoolKind

pytestmark = pytest.mark.django_db
ROUTERS, LINES = "2001:db8:100::/40", "2001:db8:200::/50"


@pytest.fixture
def on() -> Scene:
    return scene()


def pool(on: Scene, net: str = ROUTERS, kind: str = PoolKind.DELEGATED, name: str = "Six", **place) -> Pool:
    return network.create_pool(
        partner_id=on.partner.pk, name=name, network=net, kind=kind, by=STAFF, at=AT, **place
    )  # fmt: skip


def test_a_delegated_prefix_is_a_56_and_that_of_a_line_a_64_by_themselves(on):
    assert pool(on).prefix_length == 56
    line = pool(on, LINES, PoolKind.PREFIX, "Line")
    assert (line.prefix_length, line.first, line.last) == (64, "2001:db8:200::", "2001:db8:200:3fff::")


@pytest.mark.parametrize(
    ("net", "kind", "length", "field"),
    [
        ("172.16.0.0/20", "delegated", None, "network"),
        ("2001:db8::1/40", "delegated", None, "network"),
        ("ff00::/40", "delegated", None, "network"),
        ("2001:db8::/32", "delegated", None, "network"),
        ("2001:db8::/48", "delegated", 40, "prefix_length"),
        ("2001:db8::/48", "delegated", 65, "prefix_length"),
        ("2001:db8::/48", "prefix", 56, "prefix_length"),
        ("2001:db8::/48", "dynamic", None, "network"),
    ],
)
def test_a_pool_that_cannot_be_is_refused_at_its_field(on, net, kind, length, field):
    with pytest.raises(Refused) as refused:
        pool(on, net, kind, prefix_length=length)
    assert refused.value.field == field


def test_the_database_keeps_family_kind_and_length_together(on):
    made = pool(on)
    for change in ({"kind": "dynamic"}, {"prefix_length": 32}, {"kind": "prefix"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Pool.objects.filter(pk=made.pk).update(**change)


def test_it_is_cut_into_blocks_that_hold_each_prefix_once(on):
    made = pool(on)
    actions.publish_policy(on.partner.pk, at=AT)
    blocks = list(PoolBlock.objects.filter(pool=made).order_by("first"))
    assert sum(block.size for block in blocks) == 2**16
    firsts = [int(IPv6Network(block.first).network_address) >> 72 for block in blocks]
    assert [after - before for before, after in pairwise(firsts)] == [block.size for block in blocks[:-1]]
    assert blocks[-1].last == made.last


def test_it_says_how_full_it_is(on):
    made, line = pool(on), pool(on, LINES, PoolKind.PREFIX, "Line")
    actions.publish_policy(on.partner.pk, at=AT)
    PoolBlock.objects.filter(pk=PoolBlock.objects.filter(pool=made).earliest("first").pk).update(owner="main/0")
    six = {"delegated_prefix": "2001:db8:100:700::/56", "framed_ipv6_prefix": "2001:db8:200:7::/64"}
    online(login(service(on)), on.nas, **six)
    assert queries.pool_use([made.pk])[made.pk][:3] == (2**16, 1, 64)
    assert queries.pool_use([line.pk])[line.pk][:2] == (2**14, 1)


def test_nobody_holds_for_good_what_sessions_get(on):
    pool(on)
    with pytest.raises(Refused) as refused:
        login(service(on), delegated_prefix="2001:db8:100:700::/56")
    assert refused.value.field == "delegated_prefix"
    with refused_by("access_prefix_not_in_pool"):
        StaticPrefix.objects.create(subscriber=login(service(on)), kind="delegated", prefix="2001:db8:100::/56")


def test_no_pool_is_made_around_what_is_held_for_good(on):
    ana = login(service(on), delegated_prefix="2001:db8:100:700::/56")
    with pytest.raises(Refused) as refused:
        pool(on)
    assert refused.value.field == "network"
    actions.set_addresses(ana.pk, delegated_prefix=None, by=STAFF, at=AT)
    assert pool(on).pk


def test_of_many_logins_made_at_once_two_with_one_prefix_are_refused(on):
    new = [
        {"service_id": service(on, name).pk, "login": name, "password": "secret", "delegated_prefix": prefix}
        for name, prefix in (
            ("ana", "2001:db8:700::/48"),
            ("ben", "2001:db8:800::/56"),
            ("cleo", "2001:db8:700:1::/64"),
        )
    ]
    with pytest.raises(Refused) as refused:
        actions.create_subscribers(new, by=STAFF, at=AT)
    assert refused.value.field == "delegated_prefix"
    actions.create_subscribers(new[:2], by=STAFF, at=AT)
    with pytest.raises(Refused, match="2001:db8:700:1::/64"):
        actions.create_subscribers(new[2:], by=STAFF, at=AT)


def test_pools_of_addresses_are_what_they_were(on):
    actions.publish_policy(on.partner.pk, at=AT)
    assert queries.pool_use([on.dynamic.pk])[on.dynamic.pk].size == 4094
    with connection.cursor() as cursor:
        cursor.execute("SELECT bool_and(size = last - first + 1) FROM access_poolblock")
        assert cursor.fetchone() == (True,)


def test_staff_make_one_on_a_page_and_programs_over_the_api(client):
    place = world()
    staff = logged_in(person("Super administrator"))
    asked = {"name": "Six", "network": ROUTERS, "kind": "delegated", "prefix_length": "60"}
    answer = staff.post("/pools/new/", asked)
    assert answer.status_code == 302
    made = Pool.objects.get(name="Six", partner=place.partner)
    page = staff.get(f"/pools/{made.pk}/").content.decode()
    assert "a /60 each" in page
    assert "of 1,048,576" in page
