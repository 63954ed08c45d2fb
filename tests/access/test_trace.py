"""Who had an address at a moment, in a zone: one answer, written down with its reason."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from tests.access.scene import login, online, past, scene, service
from tests.cast import STAFF
from tests.staff.world import logged_in, person, world

from demarc.access import actions
from demarc.access.models import SessionLive
from demarc.access.trace import HAD_IPV4
from demarc.base.models import OperationLog
from demarc.core.errors import Refused

pytestmark = pytest.mark.django_db
ADDRESS = "172.16.0.10"
NOON = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)
WALL = NOON.replace(tzinfo=None)
LATER = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def ana():
    on = scene()
    ana = login(service(on))
    past(on.nas, ana, "first", NOON - timedelta(hours=3), NOON - timedelta(hours=1))
    past(on.nas, ana, "second", NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    return ana


def asked(address=ADDRESS, wall=WALL, zone="UTC", reason="case 4711", partners=None):
    question = actions.Question(address, wall, zone, reason)
    return actions.trace_address(question, partner_ids=partners, by=STAFF, at=LATER)


def test_the_session_of_that_moment_is_named_with_customer_device_and_port(ana):
    (holder,) = asked()
    assert (holder.session_id, holder.user_name, holder.certain) == ("second", "ana", True)
    assert (holder.customer_id, holder.mac, holder.port) == (ana.service.customer_id, "02:00:00:00:00:01", "vlan7")


def test_the_moment_is_read_in_its_zone(ana):
    (holder,) = asked(wall=datetime(2026, 2, 10, 11, 30), zone="Europe/Prague")
    assert (holder.session_id, holder.certain) == ("first", True)


def test_within_two_minutes_both_are_named_and_one_is_certain(ana):
    found = asked(wall=(NOON - timedelta(hours=1, minutes=1)).replace(tzinfo=None))
    assert [(one.session_id, one.certain) for one in found] == [("second", False), ("first", True)]


def test_where_clocks_showed_a_time_twice_both_times_are_looked_at(ana):
    nas = online(ana, ana.partner.routers.get().nas, None).nas
    past(nas, ana, "summer", datetime(2025, 10, 26, 0, 20, tzinfo=UTC), datetime(2025, 10, 26, 0, 40, tzinfo=UTC))
    past(nas, ana, "winter", datetime(2025, 10, 26, 1, 20, tzinfo=UTC), datetime(2025, 10, 26, 1, 40, tzinfo=UTC))
    found = asked(wall=datetime(2025, 10, 26, 2, 30), zone="Europe/Prague")
    assert {one.session_id for one in found} == {"summer", "winter"}


def test_who_is_on_now_is_found_too(ana):
    session = online(ana, ana.partner.routers.get().nas, "172.16.0.99", started_at=NOON)
    assert SessionLive.objects.filter(pk=session.pk).exists()
    (holder,) = asked("172.16.0.99", wall=WALL + timedelta(minutes=5))
    assert holder.ended_at is None


@pytest.mark.parametrize(
    ("facts", "address"),
    [
        ({"delegated_prefix": "2001:db8:7::/48"}, "2001:db8:7:1::5"),
        ({"framed_ipv6_prefix": "2001:db8:8::/64"}, "2001:db8:8::9"),
        ({"framed_ipv6": "2001:db8::77"}, "2001:db8::77"),
    ],
)
def test_an_ipv6_address_is_found_by_its_prefix(ana, facts, address):
    nas = ana.partner.routers.get().nas
    past(nas, ana, "six", NOON - timedelta(hours=1), NOON + timedelta(hours=1), **({"framed_ipv4": None} | facts))
    (holder,) = asked(address)
    assert holder.session_id == "six"
    assert asked("2001:db8:99::1") == []


def test_nobody_of_another_provider_is_named(ana):
    assert asked(partners=[ana.partner_id + 1]) == []
    assert len(asked(partners=[ana.partner_id])) == 1


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"address": "nonsense"}, "address"),
        ({"address": "fe80::1%eth0"}, "address"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"reason": " x "}, "reason"),
        ({"wall": datetime(2026, 3, 29, 2, 30), "zone": "Europe/Prague"}, "wall"),
        ({"wall": datetime(2030, 1, 1)}, "wall"),
        ({"wall": datetime.min, "zone": "Asia/Tokyo"}, "zone"),
    ],
)
def test_a_question_that_has_no_answer_is_refused_at_its_field(ana, facts, field):
    with pytest.raises(Refused) as refused:
        asked(**facts)
    assert refused.value.field == field


def test_each_question_leaves_a_row_with_its_reason(ana):
    before = OperationLog.objects.filter(verb="address_traced").count()
    asked()
    asked("10.9.9.9")
    assert OperationLog.objects.filter(verb="address_traced").count() == before + 2


def test_the_history_is_asked_by_index(ana):
    values = {"address": ADDRESS, "until": NOON, "since": NOON, "limit": 50, "partners": None}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {HAD_IPV4}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "framed_ipv4" in plan
    assert "Index Cond" in plan
    assert "Seq Scan on access_session" not in plan


def test_the_page_asks_by_post_and_shows_the_answer(pages):
    place = world()
    client = logged_in(person("Super administrator"))
    assert client.get("/sessions/trace/").status_code == 200
    wall = place.session.started_at.strftime("%Y-%m-%dT%H:%M:%S")
    form = {"address": "172.16.0.10", "wall": wall, "zone": "UTC", "reason": "case 4711"}
    answer = client.post("/sessions/trace/", form)
    assert place.customer.name in answer.content.decode()
    assert client.post("/sessions/trace/", form | {"reason": ""}).status_code == 422
