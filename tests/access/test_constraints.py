"""The database refuses what must not be in the tables of access, also when no action was asked."""

import pytest
from tests.access.scene import login, online, scene, service
from tests.refusals import refused_by

from demarc.access.models import BoundMac, CoaIntent, Nas, StaticAddress, Subscriber

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage():
    return scene()


@pytest.fixture
def ana(stage):
    return login(service(stage), "ana")


@pytest.fixture
def ben(stage):
    return login(service(stage, "Ben"), "ben")


def test_a_login_is_one_customers(ana, ben):
    with refused_by("access_subscriber_login"):
        Subscriber.objects.filter(pk=ben.pk).update(login=ana.login)
    with refused_by("access_subscriber_has_login"):
        Subscriber.objects.filter(pk=ben.pk).update(login="")


def test_an_address_has_one_active_holder(ana, ben):
    StaticAddress.objects.create(subscriber=ana, address="203.0.113.9")
    with refused_by("access_staticaddress_one_holder"):
        StaticAddress.objects.create(subscriber=ben, address="203.0.113.9")
    StaticAddress.objects.filter(subscriber=ana).update(active=False)
    StaticAddress.objects.create(subscriber=ben, address="203.0.113.9")


@pytest.mark.parametrize("written", ["00:11:22:33:44:55", "00-11-22-33-44-55", "0011.2233.4455"])
def test_a_mac_has_one_active_holder_however_it_is_written(ana, ben, written):
    BoundMac.objects.create(subscriber=ana, mac="00:11:22:33:44:55")
    with refused_by("access_boundmac_one_holder"):
        BoundMac.objects.create(subscriber=ben, mac=written)


def test_an_address_is_in_one_session(stage, ana, ben):
    online(ana, stage.nas, "172.16.0.10")
    with refused_by("access_sessionlive_address"):
        online(ben, stage.nas, "172.16.0.10")


def test_a_session_is_known_once(stage, ana):
    online(ana, stage.nas, "172.16.0.10")
    with refused_by("access_sessionlive_key"):
        online(ana, stage.nas, "172.16.0.11")


@pytest.mark.parametrize("limit", [0, 101])
def test_a_login_has_one_to_a_hundred_sessions(ana, limit):
    with refused_by("access_subscriber_limit"):
        Subscriber.objects.filter(pk=ana.pk).update(simultaneous_limit=limit)


@pytest.mark.parametrize(
    ("facts", "constraint"),
    [
        ({"interim_s": 59}, "interim"),
        ({"interim_s": 86401}, "interim"),
        ({"coa_port": 0}, "coa_port"),
        ({"coa_port": 65536}, "coa_port"),
        ({"require_authenticator": "odd"}, "require"),
    ],
)
def test_a_nas_is_spoken_to_in_a_way_that_can_be(stage, facts, constraint):
    with refused_by(f"access_nas_{constraint}"):
        Nas.objects.filter(pk=stage.nas.pk).update(**facts)


def test_a_source_address_is_one_nas(stage):
    other = scene("Neighbour", number=1)
    with refused_by("access_nas_address_.*"):
        Nas.objects.filter(pk=other.nas.pk).update(address=stage.nas.address)


def test_an_intent_is_in_one_of_the_states(stage, ana):
    intent = CoaIntent.objects.create(nas=stage.nas, node="main", subscriber=ana, kind="coa", user_name="ana")
    with refused_by("access_coaintent_state"):
        CoaIntent.objects.filter(pk=intent.pk).update(state="odd")
    with refused_by("access_coaintent_kind"):
        CoaIntent.objects.filter(pk=intent.pk).update(kind="odd")
