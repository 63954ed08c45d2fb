"""Ended sessions: each is found by whom, where, when and why, in the viewer's own time, and by nobody it is not for."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from tests.access.scene import past
from tests.staff.world import World, logged_in, person, world

from demarc.access import history
from demarc.access.queries import ENDINGS
from demarc.base import clock
from demarc.base.models import OperationLog
from demarc.staff.models import Login
from demarc.wire.radius.dictionary import TERMINATE_CAUSES

NOON = datetime(2026, 2, 10, 12, 0, tzinfo=UTC)
PATH = "/sessions/past/"


@pytest.fixture
def place(pages) -> World:
    """Ana was on in the morning and over noon; a stranger, lately, at another device."""
    made = world()
    nas, hour = made.scene.nas, timedelta(hours=1)
    past(nas, made.login, "morning", NOON - 3 * hour, NOON - hour, terminate_cause=1)
    past(nas, made.login, "noon", NOON - hour, NOON + hour, framed_ipv4="172.16.0.11", terminate_cause=2)
    six = {"framed_ipv4": None, "framed_ipv6_prefix": "2001:db8:8::/64", "delegated_prefix": "2001:db8:7::/48"}
    lately = clock.now() - hour
    stranger = {"subscriber_id": None, "service_id": None, "user_name": "zoe", "calling_station": "02-AB-00-00-00-09"}
    past(nas, made.login, "lately", lately, lately + hour / 2, ending="stale", **six, **stranger)
    return made


def found(*, partners=None, **wanted) -> set[str]:
    rows = history.past(partners, history.Past(**wanted), clock.now())
    return {row.session_id for row in rows}


EVERYTHING = {"since": datetime(2020, 1, 1, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("wanted", "sessions"),
    [
        ({"text": "ana"}, {"morning", "noon"}),
        ({"text": "Ana of"}, {"morning", "noon"}),
        ({"text": "zo"}, {"lately"}),
        ({"text": "172.16.0.11"}, {"noon"}),
        ({"text": "2001:db8:7:99::1"}, {"lately"}),
        ({"text": "2001:db8:8::1"}, {"lately"}),
        ({"text": "2001:db8:9::1"}, set()),
        ({"text": "02:00:00"}, {"morning", "noon"}),
        ({"text": "02-ab-00"}, {"lately"}),
        ({"text": "02:ab:00:00:00:09"}, {"lately"}),
        ({"text": "an%"}, set()),
        (EVERYTHING, {"morning", "noon", "lately"}),
        (EVERYTHING | {"terminate_cause": 2}, {"noon"}),
        (EVERYTHING | {"ending": "stale"}, {"lately"}),
        ({"since": NOON, "until": NOON}, {"noon"}),
        ({"until": NOON - timedelta(hours=1, minutes=30)}, {"morning"}),
        ({}, {"lately"}),
    ],
)
def test_they_are_found_by_whom_where_when_and_why(place, wanted, sessions):
    assert found(**wanted) == sessions


def test_they_are_found_by_customer_and_by_router(place):
    assert found(customer_id=place.customer.pk) == {"morning", "noon"}
    assert found(customer_id=place.customer.pk + 10_000) == set()
    assert found(router_id=place.scene.router.pk, **EVERYTHING) == {"morning", "noon", "lately"}
    assert found(router_id=place.scene.router.pk + 10_000, **EVERYTHING) == set()


def test_a_login_a_device_and_a_moment_are_found_by_index(place):
    for column, wanted in (
        ("user_name", {"text": "zoe"}),
        ("calling_station", {"text": "02:ab:00:00"}),
        ("ended_at", EVERYTHING),
    ):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            plan = history.past(None, history.Past(**wanted), clock.now()).explain()
        assert column in plan.partition("Index")[2], plan


def test_the_page_reads_times_in_the_viewer_s_zone(place):
    viewer = person("Super administrator")
    Login.objects.filter(pk=viewer.pk).update(zone="Asia/Tokyo")
    client = logged_in(viewer)
    noon_there = "2026-02-10T21:00"
    page = client.get(PATH, {"from": noon_there, "to": noon_there}).content.decode()
    assert "172.16.0.11" in page
    assert "172.16.0.10" not in page
    assert f'value="{noon_there}"' in page
    for nonsense in ("yesterday", "2026-02-10T21:00+09:00", "0001-01-01T00:00", "9999-12-31T23:59"):
        assert client.get(PATH, {"from": nonsense}).status_code == 200


def test_the_page_is_narrowed_and_written_down_and_given_as_a_file(place):
    client = logged_in(person("Super administrator"))
    page = client.get(PATH, {"customer": place.customer.pk, "cause": "2"}).content.decode()
    assert "172.16.0.11" in page
    assert f'href="/customers/{place.customer.pk}/"' in page
    assert page.count("line lost") == 1
    assert "Line lost (Lost-Carrier)" in page
    assert "172.16.0.10" not in page
    assert OperationLog.objects.filter(verb="listed", subject_kind="past_sessions").count() == 1
    lines = b"".join(client.get(PATH, {"q": "ana", "format": "csv"}).streaming_content).decode().splitlines()
    assert len(lines) == 3
    assert (
        f"{PATH}?customer={place.customer.pk}"
        in client.get(f"/customers/{place.customer.pk}/sessions/").content.decode()
    )


def test_nobody_sees_another_provider_s(place):
    other = world("Other", number=1)
    past(other.scene.nas, other.login, "theirs", NOON, NOON + timedelta(hours=1))
    assert found(partners=[place.partner.pk], **EVERYTHING) == {"morning", "noon", "lately"}
    assert found(partners=[place.partner.pk], text="ana1") == set()
    viewer = person("Technician")
    viewer.partners.add(place.partner)
    page = logged_in(viewer).get(PATH, {"customer": other.customer.pk, "q": "ana"}).content.decode()
    assert other.customer.name not in page
    assert "ana1" not in page


def test_every_cause_that_a_router_may_give_has_words():
    assert ENDINGS.keys() == TERMINATE_CAUSES.keys()
