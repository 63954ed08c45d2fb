"""Who had a public address and a port that many share: by the rule of that moment, and of one's own provider."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from tests.access.scene import login, past, scene, service
from tests.access.test_trace import LATER, NOON, WALL
from tests.cast import STAFF
from tests.staff.world import logged_in, person, world

from demarc.access import actions
from demarc.access.models import NatRange
from demarc.base.models import OperationLog
from demarc.core.errors import Refused

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
RANGE = {"inside": "100.64.0.0/26", "outside": "203.0.113.7/32", "ports_each": 1000, "since": NOON - 10 * HOUR}


@pytest.fixture
def on():
    """Ana has the second of 64 private addresses, Ben the third, around noon."""
    made = scene()
    for name, address in (("ana", "100.64.0.1"), ("ben", "100.64.0.2")):
        past(made.nas, login(service(made, name), name), name, NOON - HOUR, NOON + HOUR, framed_ipv4=address)
    actions.add_nat_range(made.partner.pk, by=STAFF, at=NOON, **RANGE)
    return made


def asked(port=None, *, address="203.0.113.7", wall=WALL, partners=None):
    question = actions.Question(address, wall, "UTC", "case 4711", port)
    return [one.user_name for one in actions.trace_address(question, partner_ids=partners, by=STAFF, at=LATER)]


def test_the_port_tells_whose_session_it_was_and_is_written_down(on):
    assert asked(2024) == ["ana"]
    assert asked(3023) == ["ana"] != asked(3024)
    assert asked(3024) == ["ben"]
    assert asked(4024) == [], "somebody's port, but nobody was on"
    assert OperationLog.objects.filter(verb="address_traced").count() == 5
    assert asked(None, address="100.64.0.1") == ["ana"], "a private address needs no port"


@pytest.mark.parametrize("port", [None, 80, 65535])
def test_without_a_port_or_with_nobody_s_it_is_refused_at_the_port(on, port):
    with pytest.raises(Refused) as refused:
        asked(port)
    assert refused.value.field == "port"


def test_the_rule_of_that_moment_counts(on):
    past_rule = NatRange.objects.get()
    actions.end_nat_range(past_rule.pk, by=STAFF, at=NOON + 2 * HOUR)
    actions.add_nat_range(on.partner.pk, by=STAFF, at=NOON + 2 * HOUR, **RANGE | {"ports_each": 500, "since": None})
    assert asked(2024) == ["ana"]
    later = (NOON + 3 * HOUR).replace(tzinfo=None)
    ben = on.partner.services.latest("id").subscribers.get()
    past(on.nas, ben, "later", NOON + 2 * HOUR, NOON + 4 * HOUR, framed_ipv4="100.64.0.2")
    assert asked(2024, wall=later) == ["ben"]
    with pytest.raises(Refused):
        actions.end_nat_range(past_rule.pk, by=STAFF, at=LATER)


def test_another_address_world_is_not_meant(on):
    NatRange.objects.update(vrf=7)
    assert asked(2024) == []


def test_another_provider_s_range_tells_nothing(on):
    assert asked(2024, partners=[on.partner.pk + 1]) == []


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"inside": "100.64.0.0/25"}, "ports_each"),
        ({"inside": "2001:db8::/64"}, "inside"),
        ({"outside": "203.0.113.9/30"}, "outside"),
        ({"outside": "203.0.113.0/24"}, "outside"),
        ({"first_port": 65536}, "first_port"),
        ({"ports_each": 0}, "ports_each"),
        ({"vrf": -1}, "vrf"),
        ({"since": LATER + HOUR}, "since"),
    ],
)
def test_a_range_that_cannot_be_is_refused_at_its_field(on, facts, field):
    free = {"outside": "203.0.113.8/32"}
    with pytest.raises(Refused) as refused:
        actions.add_nat_range(on.partner.pk, by=STAFF, at=LATER, **RANGE | free | facts)
    assert refused.value.field == field


def test_the_database_lets_no_two_share_an_address_at_one_time(on):
    facts = {"partner": on.partner, "inside": "100.64.1.0/26", "ports_each": 1000, "valid_from": NOON}
    with pytest.raises(IntegrityError):
        NatRange.objects.create(**facts, outside="203.0.113.6/31")


def test_a_range_is_added_listed_and_ended_on_pages(pages):
    place = world()
    client = logged_in(person("Super administrator"))
    form = {
        "inside": "100.64.0.0/26",
        "outside": "203.0.113.7/32",
        "ports_each": "1000",
        "first_port": "1024",
        "vrf": "0",
    }
    assert client.post("/nat/new/", form | {"ports_each": "2000"}).status_code == 422
    assert client.post("/nat/new/", form).status_code == 302
    assert "203.0.113.7/32" in client.get("/nat/").content.decode()
    made = NatRange.objects.get(partner=place.partner)
    assert client.get(f"/nat/{made.pk}/end/").status_code == 200
    assert client.post(f"/nat/{made.pk}/end/").status_code == 302
    assert "Still so" not in client.get("/nat/").content.decode()
    wall = place.session.started_at.strftime("%Y-%m-%dT%H:%M:%S")
    question = {"address": "172.16.0.10", "port": "70000", "wall": wall, "zone": "UTC", "reason": "case 4711"}
    assert client.post("/sessions/trace/", question).status_code == 422
    assert place.customer.name in client.post("/sessions/trace/", question | {"port": "80"}).content.decode()
