"""MACs that radiusd learns of a login: as many as staff allow, never another's, and told to every radiusd."""

import pytest
from django.db import connection
from tests.access.scene import Scene, login, scene, service
from tests.cast import AT, STAFF

from demarc.access import actions
from demarc.access.models import Feed
from demarc.core.errors import Refused
from demarc.radiusd.store_learning import LEARN

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD = (f"02:00:00:00:00:0{n}" for n in (1, 2, 3))


@pytest.fixture
def on() -> Scene:
    return scene()


def heard(subscriber, mac: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(LEARN, {"subscriber": subscriber.pk, "mac": mac})
        (learned,) = cursor.fetchone()
    subscriber.refresh_from_db()
    return learned


def test_as_many_are_learned_as_staff_allow_and_radiusd_is_told(on):
    ana = login(service(on), bind_mac=True, learn_macs=2)
    before = Feed.objects.filter(kind="subscriber", key=ana.pk).count()
    assert [heard(ana, mac) for mac in (FIRST, SECOND, FIRST, THIRD)] == [True, True, False, False]
    assert ana.macs == [FIRST, SECOND]
    assert Feed.objects.filter(kind="subscriber", key=ana.pk).count() == before + 2


def test_a_further_one_takes_the_place_of_the_oldest_where_it_may(on):
    ana = login(service(on), bind_mac=True, learn_macs=2, learn_replaces=True)
    assert [heard(ana, mac) for mac in (FIRST, SECOND, THIRD)] == [True] * 3
    assert ana.macs == [SECOND, THIRD]


def test_what_another_holds_is_not_learned_and_costs_the_oldest_nothing(on):
    login(service(on, "Ben"), "ben", macs=[THIRD])
    ana = login(service(on), bind_mac=True, learn_macs=1, learn_replaces=True)
    assert [heard(ana, FIRST), heard(ana, THIRD)] == [True, False]
    assert ana.macs == [FIRST]


@pytest.mark.parametrize("options", [{}, {"learn_macs": 2}, {"bind_mac": True, "macs": [FIRST]}])
def test_nothing_is_learned_unless_staff_asked_for_it(on, options):
    ana = login(service(on), **options)
    assert not heard(ana, SECOND)


def test_what_was_learned_stays_when_the_login_is_projected_again(on):
    ana = login(service(on), bind_mac=True, learn_macs=2)
    heard(ana, FIRST)
    actions.sync_services([ana.service_id], at=AT)
    ana.refresh_from_db()
    assert ana.macs == [FIRST]


def test_staff_set_and_change_how_a_login_is_bound(on):
    ana = login(service(on), bind_mac=True, learn_macs=1, port=" olt1/3 ")
    assert (ana.learn_macs, ana.nas_port_id) == (1, "olt1/3")
    actions.set_addresses(ana.pk, learn_replaces=True, port="", by=STAFF, at=AT)
    ana.refresh_from_db()
    assert (ana.learn_macs, ana.learn_replaces, ana.nas_port_id) == (1, True, "")
    for change, field in (({"learn_macs": 17}, "learn_macs"), ({"learn_macs": 0}, "macs")):
        with pytest.raises(Refused) as refused:
            actions.set_addresses(ana.pk, by=STAFF, at=AT, **change)
        assert refused.value.field == field
