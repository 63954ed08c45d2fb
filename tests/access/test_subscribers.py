"""Logins: what they hold alone, and who is told when it is taken."""

import psycopg
import pytest
from django.db import IntegrityError, transaction
from tests import cast
from tests.access.scene import login, pool, scene, service
from tests.access.test_nas import opener
from tests.cast import AT, STAFF

from demarc.access import actions, holdings
from demarc.access.models import BoundMac, Feed, StaticAddress, Subscriber
from demarc.base.models import OperationLog
from demarc.core.errors import Refused
from demarc.plans import actions as plans
from demarc.project.config import OWNER

pytestmark = pytest.mark.django_db

MAC = "00:1A:2B:3C:4D:5E"


def password_of(subscriber: Subscriber) -> bytes:
    sealed = Subscriber.objects.get(pk=subscriber.pk).secret
    return opener().open(bytes(sealed), f"access_subscriber.secret.{subscriber.pk}")


def test_a_login_of_an_active_service_has_access_at_once_with_its_plans_speed():
    on = scene()
    ana = login(service(on), static_ipv4="203.0.113.5", macs=["001a.2b3c.4d5e"], bind_mac=True)
    assert (ana.active, ana.cause, ana.since) == (True, None, AT)
    assert (ana.down_kbps, ana.up_kbps, ana.rate_limit) == (5000, 1000, "1M/5M")
    assert (ana.static_ipv4, ana.macs, ana.bind_mac) == ("203.0.113.5", [MAC], True)


def test_a_login_of_a_service_not_yet_in_use_has_none():
    ana = login(service(scene(), active=False))
    assert (ana.active, ana.cause) == (False, 1)


def test_a_password_is_sealed_for_radiusd_and_can_be_changed():
    ana = login(service(scene()))
    assert password_of(ana) == b"secret"
    actions.change_password(ana.pk, password=" Přístup 1", by=STAFF, at=AT)
    assert password_of(ana) == " Přístup 1".encode()
    assert Feed.objects.filter(kind="subscriber", key=ana.pk).count() == 2


def test_an_address_of_another_is_refused_with_his_name_and_service():
    on = scene()
    anas = service(on, "Ana")
    login(anas, static_ipv4="203.0.113.5")
    with pytest.raises(Refused) as refused:
        login(service(on, "Ben"), "ben", static_ipv4="203.0.113.5")
    assert (refused.value.field, refused.value.holder) == ("static_ipv4", ("service", anas.pk))
    assert "Ana (000001)" in refused.value.message


def test_a_mac_of_another_is_refused_however_it_is_written():
    on = scene()
    anas = service(on, "Ana")
    login(anas, macs=[MAC])
    with pytest.raises(Refused) as refused:
        login(service(on, "Ben"), "ben", macs=["00-1a-2b-3c-4d-5e"])
    assert (refused.value.field, refused.value.holder) == ("macs", ("service", anas.pk))


def test_a_mac_of_another_partners_customer_is_refused_without_his_name():
    login(service(scene(), "Ana"), macs=[MAC])
    with pytest.raises(Refused) as refused:
        login(service(scene("Other", number=1), "Ben"), "ben", macs=[MAC])
    assert refused.value.holder is None
    assert "Ana" not in refused.value.message


def test_a_login_is_its_own_within_a_partner_only():
    on, other = scene(), scene("Other", number=1)
    anas = service(on)
    login(anas)
    with pytest.raises(Refused) as refused:
        login(service(on, "Anabel"))
    assert (refused.value.field, refused.value.holder) == ("login", ("service", anas.pk))
    assert login(service(other)).login == "ana"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"name": ""}, "login"),
        ({"name": "x" * 121}, "login"),
        ({"name": "a\0b"}, "login"),
        ({"static_ipv4": "here"}, "static_ipv4"),
        ({"static_ipv4": "2001:db8::1"}, "static_ipv4"),
        ({"static_ipv4": "198.51.100.1"}, "static_ipv4"),
        ({"static_ipv4": "172.16.0.77"}, "static_ipv4"),
        ({"static_ipv4": "10.250.251.9"}, "static_ipv4"),
        ({"macs": ["00:1A:2B"]}, "macs"),
        ({"macs": [f"00:1A:2B:3C:4D:{n:02X}" for n in range(17)]}, "macs"),
        ({"bind_mac": True}, "macs"),
        ({"pool_id": 999}, "pool_id"),
        ({"simultaneous_limit": 0}, "simultaneous_limit"),
        ({"simultaneous_limit": 101}, "simultaneous_limit"),
    ],
)
def test_nonsense_is_refused_at_its_field(options, field):
    anas = service(scene())
    with pytest.raises(Refused) as refused:
        login(anas, **options)
    assert refused.value.field == field
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("password", ["", "x" * 129, "ž" * 65, "nul\0"])
def test_a_password_that_cannot_be_sent_is_refused(password):
    ana = login(service(scene()))
    with pytest.raises(Refused) as refused:
        actions.change_password(ana.pk, password=password, by=STAFF, at=AT)
    assert refused.value.field == "password"


def test_a_static_address_may_lie_beside_the_range_that_sessions_get():
    on = scene()
    pool(on.partner, "West", "172.20.0.0/24", first="172.20.0.100", last="172.20.0.200")
    assert login(service(on), static_ipv4="172.20.0.10").static_ipv4 == "172.20.0.10"


def test_only_a_dynamic_pool_can_be_a_logins_own():
    on = scene()
    assert login(service(on), pool_id=on.dynamic.pk).pool == on.dynamic
    with pytest.raises(Refused):
        login(service(on, "Ben"), "ben", pool_id=on.static.pk)


def test_an_ended_service_gets_no_login():
    ended = service(scene())
    plans.end_service(ended.pk, by=STAFF, at=AT)
    with pytest.raises(Refused) as refused:
        login(ended)
    assert refused.value.code == "ended"


def test_addresses_can_be_changed_taken_away_and_given_to_another():
    on = scene()
    ana, ben = login(service(on), static_ipv4="203.0.113.5", macs=[MAC]), login(service(on, "Ben"), "ben")
    ana = actions.set_addresses(ana.pk, static_ipv4="203.0.113.6", by=STAFF, at=AT)
    assert (ana.static_ipv4, ana.macs) == ("203.0.113.6", [MAC])
    ana = actions.set_addresses(ana.pk, static_ipv4=None, macs=[], by=STAFF, at=AT)
    assert (ana.static_ipv4, ana.macs) == (None, [])
    ben = actions.set_addresses(ben.pk, static_ipv4="203.0.113.5", macs=[MAC], bind_mac=True, by=STAFF, at=AT)
    assert (ben.static_ipv4, ben.macs, ben.bind_mac) == ("203.0.113.5", [MAC], True)


def test_keeping_the_same_address_is_no_conflict_with_oneself():
    ana = login(service(scene()), static_ipv4="203.0.113.5", macs=[MAC])
    same = actions.set_addresses(ana.pk, static_ipv4="203.0.113.5", macs=[MAC], by=STAFF, at=AT)
    assert (same.static_ipv4, same.macs) == ("203.0.113.5", [MAC])


def test_the_end_of_a_service_frees_what_it_held():
    on = scene()
    anas = service(on)
    ana = login(anas, static_ipv4="203.0.113.5", macs=[MAC])
    plans.end_service(anas.pk, by=STAFF, at=AT)
    actions.sync_services([anas.pk], at=AT)
    ben = login(service(on, "Ben"), "ben", static_ipv4="203.0.113.5", macs=[MAC])
    assert ben.static_ipv4 == "203.0.113.5"
    ana.refresh_from_db()
    assert (ana.active, ana.static_ipv4, ana.macs) == (False, None, [])
    assert StaticAddress.objects.filter(address="203.0.113.5").count() == 2, "who held it before stays known"
    with pytest.raises(Refused):
        actions.set_addresses(ana.pk, static_ipv4="203.0.113.7", by=STAFF, at=AT)


def test_the_database_itself_keeps_one_active_holder_of_an_address_and_of_a_mac():
    on = scene()
    login(service(on), static_ipv4="203.0.113.5", macs=[MAC])
    ben = login(service(on, "Ben"), "ben")
    with pytest.raises(IntegrityError), transaction.atomic():
        StaticAddress.objects.create(subscriber=ben, address="203.0.113.5")
    with pytest.raises(IntegrityError), transaction.atomic():
        BoundMac.objects.create(subscriber=ben, mac=MAC)
    with pytest.raises(IntegrityError), transaction.atomic():
        Subscriber.objects.filter(pk=ben.pk).update(login="ana")
    StaticAddress.objects.create(subscriber=ben, address="203.0.113.5", active=False)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_an_address_at_once_one_is_refused_with_the_other_as_holder(cluster, monkeypatch):
    on = scene()
    anas = service(on)
    ana, ben = login(anas), login(service(on, "Ben"), "ben")
    looked = holdings.refuse_held

    def quicker(asked, vrfs):
        """Ana's address is committed between our look and our write."""
        looked(asked, vrfs)
        if not StaticAddress.objects.exists():
            with psycopg.connect(cluster.url(OWNER)) as conn:
                conn.execute(
                    "INSERT INTO access_staticaddress (subscriber_id, vrf, address, active)"
                    " VALUES (%s, 0, '203.0.113.5', true)",
                    [ana.pk],
                )

    monkeypatch.setattr("demarc.access.actions.subscribers.refuse_held", quicker)
    with pytest.raises(Refused) as refused:
        actions.set_addresses(ben.pk, static_ipv4="203.0.113.5", by=STAFF, at=AT)
    assert refused.value.holder == ("service", anas.pk)


def test_many_logins_are_made_at_once_or_none():
    on = scene()
    made = plans.add_services(
        [{"customer_id": cast.customer(on.partner, f"C{n}").pk, "plan_id": on.plan.pk} for n in range(5)],
        by=STAFF,
        at=AT,
    )
    new = [
        {"service_id": one.pk, "login": f"c{n}", "password": "pw", "static_ipv4": f"203.0.113.{n + 1}"}
        for n, one in enumerate(made)
    ]
    ids = actions.create_subscribers(new, by=STAFF, at=AT)
    assert list(Subscriber.objects.filter(pk__in=ids).order_by("id").values_list("login", "static_ipv4")) == [
        (f"c{n}", f"203.0.113.{n + 1}") for n in range(5)
    ]
    again = [one | {"login": f"{one['login']}-2"} for one in new]
    again[4]["static_ipv4"] = None
    with pytest.raises(Refused):
        actions.create_subscribers(again, by=STAFF, at=AT)
    twice = [{**new[0], "login": "same", "static_ipv4": None}] * 2
    with pytest.raises(Refused):
        actions.create_subscribers(twice, by=STAFF, at=AT)
    assert Subscriber.objects.count() == 5
    assert OperationLog.objects.filter(verb="logins_created").count() == 1


def test_each_change_of_a_login_is_one_row_about_the_customer_without_the_password():
    of = service(scene())
    before = OperationLog.objects.count()
    ana = login(of)
    actions.change_password(ana.pk, password="new", by=STAFF, at=AT)
    actions.set_addresses(ana.pk, static_ipv4="203.0.113.5", by=STAFF, at=AT)
    rows = list(OperationLog.objects.order_by("id").values_list("verb", "subject_kind", "subject_id"))[before:]
    assert rows == [
        (verb, "customer", of.customer_id) for verb in ("login_created", "password_changed", "addresses_set")
    ]
