"""IPv6 that a login holds for good: given, held by one alone, projected, and no way around a block."""

import pytest
from tests.access.scene import Scene, login, online, scene, service, set_state, told
from tests.cast import AT, STAFF
from tests.refusals import refused_by
from tests.staff.world import logged_in, person, world

from demarc.access import actions
from demarc.access.models import StaticPrefix
from demarc.core.errors import Refused

pytestmark = pytest.mark.django_db
SIX = {"framed_ipv6_prefix": "2001:db8:0:7::/64", "delegated_prefix": "2001:db8:700::/56", "framed_ipv6": "2001:db8::7"}


@pytest.fixture
def on() -> Scene:
    return scene()


def held(subscriber) -> list[str]:
    subscriber.refresh_from_db()
    return [str(getattr(subscriber, name)) for name in SIX]


def give(subscriber, **changes):
    return actions.set_addresses(subscriber.pk, by=STAFF, at=AT, **changes)


def test_a_login_is_made_with_its_prefixes_and_keeps_them(on):
    ana = login(service(on), **SIX)
    assert held(ana) == list(SIX.values())
    give(ana, static_ipv4=None)
    assert held(ana) == list(SIX.values())
    give(ana, delegated_prefix=None)
    assert held(ana)[1] == "None"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("framed_ipv6_prefix", "2001:db8::/56"),
        ("framed_ipv6_prefix", "192.0.2.0/24"),
        ("delegated_prefix", "2001:db8::1/56"),
        ("delegated_prefix", "ff00::/56"),
        ("framed_ipv6", "2001:db8::/64"),
        ("framed_ipv6", "::1"),
    ],
)
def test_what_no_customer_can_have_is_refused_at_its_field(on, field, text):
    with pytest.raises(Refused) as refused:
        login(service(on), **{field: text})
    assert refused.value.field == field


def test_what_overlaps_another_s_is_refused_and_the_holder_named(on):
    ana = login(service(on), **SIX)
    with pytest.raises(Refused) as refused:
        login(service(on, "Ben"), "ben", delegated_prefix="2001:db8:700:10::/60")
    assert (refused.value.field, refused.value.holder) == ("delegated_prefix", ("service", ana.service_id))
    with pytest.raises(Refused):
        login(service(on, "Cleo"), "cleo", delegated_prefix="2001:db8:9::/48", framed_ipv6="2001:db8:9::1")


def test_the_database_refuses_an_overlap_too(on):
    ana = login(service(on), **SIX)
    with refused_by("access_staticprefix_no_overlap"):
        StaticPrefix.objects.create(
            subscriber=login(service(on, "Ben"), "ben"), kind="address", prefix="2001:db8:700::1"
        )
    assert ana.prefixes.count() == 3


def test_a_service_that_ended_gives_its_prefixes_back(on):
    ana = login(service(on), **SIX)
    set_state(ana.service, 1, state="ended")
    actions.sync_services([ana.service_id], at=AT)
    assert held(ana) == ["None"] * 3
    assert login(service(on, "Ben"), "ben", **SIX)


def test_a_session_with_ipv6_is_cut_on_a_block_since_a_list_holds_only_ipv4(on):
    ana = login(service(on), **SIX)
    online(ana, on.nas, delegated_prefix=SIX["delegated_prefix"])
    set_state(ana.service, 2)
    actions.sync_services([ana.service_id], at=AT)
    assert [kind for kind, *_ in told(ana)] == ["disconnect"]


def test_one_who_was_let_in_blocked_is_cut_when_he_has_paid_to_get_his_ipv6_back(on):
    ana, ben = login(service(on), **SIX), login(service(on, "Ben"), "ben")
    for one, address in ((ana, "172.16.0.10"), (ben, "172.16.0.11")):
        set_state(one.service, 2)
        actions.sync_services([one.service_id], at=AT)
        online(one, on.nas, address, list_name="Reject_2")
        set_state(one.service, None)
        actions.sync_services([one.service_id], at=AT)
    assert ([kind for kind, *_ in told(ana)], [kind for kind, *_ in told(ben)]) == (["disconnect"], ["coa"])


def test_the_form_gives_and_shows_ipv6(pages):
    place = world()
    client = logged_in(person("Super administrator"))
    path = f"/logins/{place.login.pk}/addresses/"
    assert client.post(path, {"macs": "", **SIX}).status_code == 302
    assert held(place.login) == list(SIX.values())
    page = client.get(f"/services/{place.service.pk}/").content.decode()
    assert all(text in page for text in SIX.values())
    assert SIX["delegated_prefix"] in client.get(path).content.decode()
