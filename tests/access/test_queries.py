"""What staff read about access: who is online, who was, and what routers confirmed."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.access.scene import Scene, login, online, scene, service, set_state
from tests.access.test_sessions import put_past
from tests.cast import AT, STAFF

from demarc.access import actions, queries
from demarc.access.models import CoaIntent, Nas, PoolBlock, SessionLog
from demarc.plans import actions as plans

pytestmark = pytest.mark.django_db


@pytest.fixture
def on() -> Scene:
    return scene()


def blocked(on: Scene, **session):
    ana = login(service(on))
    online(ana, on.nas, **session)
    set_state(ana.service, 2)
    actions.sync_services([ana.service_id], at=AT)
    return ana


def confirmed(ana, **answer) -> str:
    CoaIntent.objects.filter(subscriber=ana).update(**answer)
    return queries.router_confirmed(ana.service_id).words


def test_nothing_is_confirmed_of_a_service_that_no_router_heard_of(on):
    assert queries.router_confirmed(service(on).pk) is None


def test_what_came_of_a_block_in_words(on):
    ana = blocked(on)
    made = CoaIntent.objects.get().created_at
    assert confirmed(ana) == "block: waiting to be sent"
    assert confirmed(ana, state="sent", tries=1) == "block: sent, no answer yet (1 try)"
    assert confirmed(ana, state="no_answer", tries=5) == "block: no answer after 5 tries"
    late = made + timedelta(seconds=1.24)
    assert confirmed(ana, state="ack", answered_at=late) == "block: router confirmed 1.2 s after"
    assert confirmed(ana, answered_at=made + timedelta(minutes=3)) == "block: router confirmed 3 min after"
    assert confirmed(ana, state="nak", error_cause=503) == "block: refused: 503 no such session"
    assert confirmed(ana, error_cause=599) == "block: refused: 599"
    assert confirmed(ana, error_cause=None) == "block: refused: no reason given"
    assert not queries.router_confirmed(ana.service_id).good


def test_only_the_last_word_counts_and_replaced_ones_are_no_word(on):
    ana = blocked(on)
    CoaIntent.objects.update(state="nak", error_cause=503)
    set_state(ana.service, None)
    actions.sync_services([ana.service_id], at=AT)
    last = CoaIntent.objects.latest("id")
    last.state, last.answered_at = "ack", last.created_at + timedelta(seconds=0.3)
    last.save()
    found = queries.router_confirmed(ana.service_id)
    assert found[:3] == ("access: router confirmed 0.3 s after", last.answered_at, True)
    CoaIntent.objects.filter(pk=last.pk).update(state="superseded")
    assert queries.router_confirmed(ana.service_id).words == "block: refused: 503 no such session"


def test_a_router_that_takes_no_coa_is_named_as_such(on):
    Nas.objects.update(coa_enabled=False)
    found = queries.router_confirmed(blocked(on).service_id)
    assert (found.words, found.good) == ("block: the router takes no CoA", False)


def test_sessions_still_on_that_a_router_did_not_treat_as_told_need_attention(on):
    ana = blocked(on)
    assert queries.unconfirmed(None) == []
    CoaIntent.objects.update(state="no_answer")
    assert [one.subscriber_id for one in queries.unconfirmed([on.partner.pk])] == [ana.pk]
    assert queries.unconfirmed([on.partner.pk + 1]) == []
    assert queries.unconfirmed([]) == []
    ana.sessions.all().delete()
    assert queries.unconfirmed(None) == []


def test_logins_say_how_they_stand(on):
    ana = login(service(on))
    words = lambda: [(one.words, one.online) for one in queries.logins_of(ana.service_id)]  # noqa: E731
    assert words() == [("has access", False)]
    online(ana, on.nas)
    set_state(ana.service, 2)
    actions.sync_services([ana.service_id], at=AT)
    assert words() == [("blocked: no money (Reject_2)", True)]
    plans.end_service(ana.service_id, by=STAFF, at=AT)
    assert words() == [("ended; its addresses are free", True)]


def test_online_sessions_are_found_by_login_mac_and_address(on):
    ana, ben = login(service(on)), login(service(on, "Ben"), "ben")
    first = online(ana, on.nas, calling_station="AA:BB:CC:00:00:01")
    second = online(ben, on.nas, "172.16.0.11", calling_station="AA:BB:CC:00:00:02")
    found = lambda text: list(queries.online_sessions(None, text))  # noqa: E731
    assert found("") == [second, first]
    assert found(" AN") == [first]
    assert found("aa:bb:cc:00:00:02") == [second]
    assert found("172.16.0.10") == [first]
    assert found("172.16.0.1") == found("x'; --") == []


def test_a_scoped_reader_sees_his_partners_sessions_routers_and_nothing_else(on):
    online(login(service(on)), on.nas)
    other = scene("Other", number=1)
    theirs = online(login(service(other)), other.nas, "172.16.16.10")
    assert list(queries.online_sessions([other.partner.pk])) == [theirs]
    assert list(queries.nases([other.partner.pk])) == [other.nas]
    assert not queries.online_sessions([]).exists()


def test_past_sessions_are_read_across_months_newest_first_page_by_page(on):
    actions.make_session_months(at=AT)
    starts = [datetime(2024, month, 15, hour, tzinfo=UTC) for month in (3, 4, 5) for hour in (1, 2)]
    for start in starts:
        put_past(on, start)
    SessionLog.objects.update(service_id=7, subscriber_id=8)
    put_past(on, datetime(2024, 5, 20, tzinfo=UTC))
    newest = sorted(starts, reverse=True)
    read = queries.past_sessions(service_id=7, limit=4)
    assert [row.started_at for row in read] == newest[:4]
    assert [row.started_at for row in queries.past_sessions(subscriber_id=8, before=newest[3])] == newest[4:]
    with pytest.raises(ValueError):
        queries.past_sessions()


def test_a_pools_use_counts_sessions_and_leases_or_services(on):
    actions.publish_policy(on.partner.pk, at=AT)
    ana = login(service(on), static_ipv4="203.0.113.5")
    online(ana, on.nas)
    PoolBlock.objects.filter(pk=PoolBlock.objects.filter(pool=on.dynamic).earliest("first").pk).update(owner="main/0")
    use = queries.pool_use([on.dynamic.pk, on.static.pk])
    assert use[on.dynamic.pk] == (4094, 1, 64)
    assert use[on.static.pk] == (30, 1, 0)
