"""Sessions that end without a word, sessions that staff end, and room for their history."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from tests.access.scene import Scene, login, online, scene, service, told
from tests.cast import AT, STAFF

from demarc.access import actions
from demarc.access.models import CoaIntent, Feed, Nas, SessionLive, SessionLog
from demarc.base.models import OperationLog
from demarc.core.errors import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def on() -> Scene:
    return scene()


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return cursor.fetchone()[0]


def heard(session: SessionLive, minutes_ago: int) -> None:
    SessionLive.objects.filter(pk=session.pk).update(updated_at=database_now() - timedelta(minutes=minutes_ago))


def close() -> int:
    return actions.close_stale_sessions(at=AT)


def test_a_session_that_missed_three_interims_ends_at_its_last_sign_of_life(on):
    ana, ben = login(service(on)), login(service(on, "Ben"), "ben")
    gone = online(ana, on.nas, session_time_s=900, input_octets=1_000, output_octets=5_000_000_000)
    online(ben, on.nas, "172.16.0.11")
    heard(gone, 16)
    gone.refresh_from_db()
    assert close() == 1
    past = SessionLog.objects.get(subscriber_id=ana.pk)
    assert (past.ended_at, past.terminate_cause, past.ending) == (gone.updated_at, 2, "stale")
    assert (past.session_time_s, past.input_octets, past.output_octets) == (900, 1_000, 5_000_000_000)
    assert (past.framed_ipv4, past.service_id, past.started_at) == ("172.16.0.10", ana.service_id, gone.started_at)
    assert not SessionLive.objects.filter(subscriber=ana).exists()
    assert SessionLive.objects.filter(subscriber=ben).exists()


def test_a_session_heard_fourteen_minutes_ago_is_waited_for(on):
    heard(online(login(service(on)), on.nas), 14)
    Nas.objects.update(last_seen_at=database_now())
    assert close() == 0


def test_nothing_is_known_of_sessions_on_a_router_that_is_silent_itself(on):
    heard(online(login(service(on)), on.nas), 60)
    heard(online(login(service(on, "Ben"), "ben"), on.nas, "172.16.0.11"), 61)
    assert close() == 0
    Nas.objects.update(last_seen_at=database_now())
    assert close() == 2
    assert close() == 0


def test_a_slower_interim_gets_more_patience(on):
    Nas.objects.update(interim_s=3600, last_seen_at=database_now())
    heard(online(login(service(on)), on.nas), 179)
    assert close() == 0


def test_a_session_that_the_history_has_already_is_only_dropped(on):
    session = online(login(service(on)), on.nas)
    heard(session, 60)
    Nas.objects.update(last_seen_at=database_now())
    close()
    SessionLive.objects.create(
        **{
            field.attname: getattr(session, field.attname)
            for field in SessionLive._meta.fields
            if field.name not in ("id", "updated_at")
        },
        updated_at=database_now() - timedelta(hours=1),
    )
    close()
    assert SessionLog.objects.count() == 1
    assert not SessionLive.objects.exists()


def test_staff_can_cut_a_session(on):
    of = service(on)
    ana = login(of)
    intent = actions.request_disconnect(online(ana, on.nas).pk, by=STAFF, at=AT)
    assert told(ana) == [("disconnect", "", "", "queued")]
    assert (intent.nas, intent.node, intent.framed_ipv4, intent.unblock) == (on.nas, "main", "172.16.0.10", False)
    row = OperationLog.objects.latest("id")
    assert (row.verb, row.subject_kind, row.subject_id) == ("disconnected", "customer", of.customer_id)


def test_a_session_that_ended_or_whose_router_takes_no_coa_cannot_be_cut(on):
    session = online(login(service(on)), on.nas)
    Nas.objects.update(coa_enabled=False)
    with pytest.raises(Refused) as refused:
        actions.request_disconnect(session.pk, by=STAFF, at=AT)
    assert refused.value.code == "no_coa"
    session.delete()
    with pytest.raises(Refused) as refused:
        actions.request_disconnect(session.pk, by=STAFF, at=AT)
    assert refused.value.code == "ended"
    assert not CoaIntent.objects.exists()


def partition_of(started_at: datetime) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM access_sessionlog WHERE started_at = %s", [started_at])
        return cursor.fetchone()[0]


def put_past(on: Scene, started_at: datetime) -> None:
    SessionLog.objects.create(
        id=int(started_at.timestamp()), nas_id=on.nas.pk, boot_epoch=0, session_id="1", user_name="ana",
        partner_id=on.partner.pk, started_at=started_at, ended_at=started_at, calling_station="", called_station="",
        nas_port_id="", vrf=0, session_time_s=0, input_octets=0, output_octets=0, terminate_cause=1, ending="stop",
    )  # fmt: skip


def test_months_are_made_ahead_once():
    months = [date(2024, 4, 1), date(2024, 5, 1), date(2024, 6, 1)]
    assert actions.make_session_months(at=AT) == months
    assert actions.make_session_months(at=AT) == []
    assert actions.make_session_months(at=AT, first=date(2023, 12, 31)) == [
        date(2023, 12, 1),
        date(2024, 1, 1),
        date(2024, 2, 1),
        date(2024, 3, 1),
    ]


def test_rows_that_came_before_their_month_move_into_it(on):
    first = datetime(2024, 4, 1, tzinfo=UTC)
    last, march = datetime(2024, 4, 30, 23, 59, 59, 999999, UTC), datetime(2024, 3, 31, 23, 59, 59, tzinfo=UTC)
    for started_at in (first, last, march):
        put_past(on, started_at)
        assert partition_of(started_at) == "access_sessionlog_rest"
    actions.make_session_months(at=AT)
    assert partition_of(first) == partition_of(last) == "access_sessionlog_202404"
    assert partition_of(march) == "access_sessionlog_rest"
    assert SessionLog.objects.count() == 3
    put_past(on, datetime(2024, 5, 1, tzinfo=UTC))
    assert partition_of(datetime(2024, 5, 1, tzinfo=UTC)) == "access_sessionlog_202405"


def test_news_older_than_a_day_is_dropped_by_the_databases_clock(on):
    kept = Feed.objects.count()
    Feed.objects.create(kind="subscriber", key=1, at=database_now() - timedelta(hours=25))
    Feed.objects.create(kind="subscriber", key=2, at=database_now() - timedelta(hours=23))
    assert actions.prune_feed(at=AT) == 1
    assert Feed.objects.count() == kept + 1


def test_housekeeping_that_did_nothing_writes_no_row(on):
    actions.make_session_months(at=AT)
    before = OperationLog.objects.count()
    actions.make_session_months(at=AT)
    actions.prune_feed(at=AT)
    actions.close_stale_sessions(at=AT)
    actions.repair_sessions(at=AT)
    assert OperationLog.objects.count() == before
