"""From a service's state to its logins, and to what routers are told about the sessions that are on."""

import threading
import time
from datetime import date, timedelta

import psycopg
import pytest
from django.db import connection, connections
from tests import cast
from tests.access.scene import Scene, login, online, pool, scene, service, set_state, told
from tests.cast import AT, STAFF

from demarc.access import actions
from demarc.access.models import CoaIntent, Feed, Nas, SessionLive, Subscriber
from demarc.base.models import OperationLog
from demarc.network import actions as network
from demarc.plans import actions as plans
from demarc.plans.models import Service
from demarc.project.config import OWNER

pytestmark = pytest.mark.django_db

NO_MONEY, NOT_ACTIVE = 2, 1
LATER = AT + timedelta(days=1)


@pytest.fixture
def on() -> Scene:
    return scene()


@pytest.fixture
def ana(on) -> Subscriber:
    """Ana is online with an address of the router's pool."""
    subscriber = login(service(on))
    online(subscriber, on.nas)
    return subscriber


def block(subscriber: Subscriber, cause: int | None = NO_MONEY, **facts) -> None:
    set_state(subscriber.service, cause, at=LATER, **facts)
    actions.sync_services([subscriber.service_id], at=LATER)


def news(subscriber: Subscriber) -> int:
    return Feed.objects.filter(kind="subscriber", key=subscriber.pk).count()


def test_a_block_reaches_the_login_the_feed_and_the_router(ana):
    before = news(ana)
    block(ana)
    ana.refresh_from_db()
    assert (ana.active, ana.cause, ana.since) == (True, NO_MONEY, LATER)
    assert news(ana) == before + 1
    assert told(ana) == [("coa", "Reject_2", "1M/5M", "queued")]


def test_an_unblock_puts_the_session_into_another_list_since_coa_cannot_take_it_out_of_one(ana):
    block(ana)
    block(ana, None)
    assert told(ana)[-1] == ("coa", "Demarc_active", "1M/5M", "queued")
    intent = CoaIntent.objects.latest("id")
    assert intent.unblock, "unblock goes first"
    assert (intent.user_name, intent.session_id, intent.framed_ipv4) == ("ana", f"8{ana.pk:07x}", "172.16.0.10")


def test_what_is_still_to_be_sent_is_replaced_by_what_is_wanted_now(ana):
    block(ana)
    CoaIntent.objects.update(state="sent", tries=2)
    block(ana, None)
    block(ana, NOT_ACTIVE)
    assert [(list_name, state) for _, list_name, _, state in told(ana)] == [
        ("Reject_2", "superseded"),
        ("Demarc_active", "superseded"),
        ("Reject_1", "queued"),
    ]


def test_what_was_answered_stays_answered(ana):
    block(ana)
    CoaIntent.objects.update(state="ack")
    block(ana, None)
    assert [state for *_, state in told(ana)] == ["ack", "queued"]


def test_a_second_run_changes_nothing(ana):
    block(ana)
    rows = (news(ana), len(told(ana)), OperationLog.objects.count())
    actions.sync_services([ana.service_id], at=LATER)
    assert (news(ana), len(told(ana)), OperationLog.objects.count()) == rows


def test_one_row_of_the_log_says_how_many_logins_and_sessions(ana):
    before = OperationLog.objects.filter(verb="access_synced").count()
    block(ana)
    assert OperationLog.objects.filter(verb="access_synced").count() == before + 1


def test_a_router_that_blocks_by_disconnect_cuts_the_session(on, ana):
    Nas.objects.update(block_by="disconnect")
    block(ana)
    block(ana, None)
    assert [(kind, list_name, rate) for kind, list_name, rate, _ in told(ana)] == [("disconnect", "", "")] * 2


def test_who_shall_get_the_reject_pool_or_a_reject_is_cut_since_coa_cannot_change_an_address(on, ana):
    for answer in ("pool", "reject"):
        network.set_router_cause(on.router.pk, NO_MONEY, answer=answer, by=STAFF, at=AT)
        block(ana, None)
        block(ana)
        assert told(ana)[-1][0] == "disconnect"


def test_a_session_in_the_reject_pool_is_cut_when_its_customer_pays(on, ana):
    set_state(ana.service, NO_MONEY)
    actions.sync_services([ana.service_id], at=AT)
    SessionLive.objects.update(framed_ipv4="10.250.252.7", list_name="Reject_2")
    block(ana, None)
    assert told(ana)[-1][0] == "disconnect"
    assert CoaIntent.objects.latest("id").unblock


def test_a_session_in_the_list_of_a_wrong_mac_is_judged_by_a_new_request_only(ana):
    SessionLive.objects.update(list_name="Reject_3")
    block(ana)
    assert told(ana)[-1][0] == "disconnect"


def test_a_router_that_takes_no_coa_is_not_told_and_that_is_written_down(ana):
    Nas.objects.update(coa_enabled=False)
    block(ana)
    assert told(ana) == [("coa", "Reject_2", "1M/5M", "not_sent")]


def test_nobody_is_told_about_a_customer_who_is_offline(on):
    ben = login(service(on, "Ben"), "ben")
    block(ben)
    assert told(ben) == []


def test_every_session_of_every_login_of_the_service_is_told(on, ana):
    second = login(ana.service, "ana-tv")
    online(second, on.nas, "172.16.0.11")
    online(ana, on.nas, None, session_id="other")
    block(ana)
    assert len(told(ana)) == 2
    assert len(told(second)) == 1


def test_new_speeds_reach_a_session_without_cutting_it(on, ana):
    plans.update_plan(on.plan.pk, speed_down_kbps=20_000, by=STAFF, at=AT)
    actions.sync_services([ana.service_id], at=LATER)
    assert told(ana) == [("coa", "Demarc_active", "1M/20M", "queued")]


def test_bursts_priority_and_contention_are_in_the_rate(on, ana):
    plans.update_plan(
        on.plan.pk, burst_percent=100, burst_threshold_percent=75, burst_time_s=30, priority=3, contention_ratio=5,
        by=STAFF, at=AT,
    )  # fmt: skip
    actions.sync_services([ana.service_id], at=LATER)
    ana.refresh_from_db()
    assert ana.rate_limit == "1M/5M 2M/10M 750k/3750k 30/30 3 200k/1M"


def test_another_static_address_cuts_the_session_that_has_the_old_one(on, ana):
    actions.set_addresses(ana.pk, static_ipv4="203.0.113.5", by=STAFF, at=LATER)
    assert told(ana)[-1][0] == "disconnect"
    SessionLive.objects.update(framed_ipv4="203.0.113.5")
    actions.set_addresses(ana.pk, static_ipv4=None, by=STAFF, at=LATER)
    assert [kind for kind, *_ in told(ana)] == ["disconnect", "disconnect"]


def test_a_new_mac_leaves_the_session_alone(ana):
    actions.set_addresses(ana.pk, macs=["00:1A:2B:3C:4D:5E"], by=STAFF, at=LATER)
    assert told(ana) == []


def test_the_end_of_a_service_cuts_its_sessions(ana):
    plans.end_service(ana.service_id, by=STAFF, at=LATER)
    actions.sync_services([ana.service_id], at=LATER)
    assert told(ana)[-1][0] == "disconnect"


def test_a_partner_without_a_cause_table_can_only_cut(on, ana):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM network_causerule")
    block(ana)
    assert told(ana)[-1][0] == "disconnect"


def test_a_pause_and_a_block_of_staff_are_cause_one(ana):
    block(ana, NOT_ACTIVE, state="paused")
    ana.refresh_from_db()
    assert (ana.active, ana.cause) == (False, NOT_ACTIVE)
    assert told(ana)[-1][1] == "Reject_1"


def test_a_late_payers_login_carries_what_opens_it_to_the_cent(on):
    """40.00 a month is 1.29 on the first of May; the page must not name a cent too little."""
    late = cast.late_customer(on.partner, on.plan)
    ana = login(late.services.get())
    first = cast.midnight(date(2024, 5, 1))
    cast.open_day(on.partner, first.date())
    actions.sync_services([ana.service_id], at=first)
    assert owed(ana) == (129, "EUR")
    cast.pay(late, 100, at=first + timedelta(hours=9))
    actions.sync_services([ana.service_id], at=first + timedelta(hours=9))
    assert owed(ana) == (29, "EUR")
    cast.pay(late, 29, at=first + timedelta(hours=10))
    actions.sync_services([ana.service_id], at=first + timedelta(hours=10))
    assert owed(ana) == (None, "")
    assert Subscriber.objects.get(pk=ana.pk).cause is None


def owed(subscriber: Subscriber) -> tuple[int | None, str]:
    subscriber.refresh_from_db()
    return subscriber.owed, subscriber.owed_currency


def test_a_block_of_staff_names_no_sum(ana):
    block(ana, NOT_ACTIVE)
    assert owed(ana) == (None, "")


@pytest.mark.django_db(transaction=True)
def test_radiusd_is_woken_at_the_commit_for_news_and_for_coa(cluster):
    on = scene()
    ana = login(service(on))
    online(ana, on.nas)
    with psycopg.connect(cluster.url(OWNER), autocommit=True) as listener:
        listener.execute("LISTEN demarc_feed")
        listener.execute("LISTEN demarc_coa")
        block(ana)
        heard = {note.channel for note in listener.notifies(timeout=5, stop_after=2)}
    assert heard == {"demarc_feed", "demarc_coa"}


@pytest.mark.django_db(transaction=True)
def test_of_two_runs_at_once_the_later_state_wins(cluster):
    """The first has locked the login when the state changes again; the second waits and then sees the new state."""
    on = scene()
    ana = login(service(on))
    errors = []

    def second_run():
        try:
            actions.sync_services([ana.service_id], at=LATER)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)
        finally:
            connections.close_all()

    with psycopg.connect(cluster.url(OWNER)) as first:
        first.execute("SELECT FROM access_subscriber WHERE id = %s FOR UPDATE", [ana.pk])
        run = threading.Thread(target=second_run)
        run.start()
        with psycopg.connect(cluster.url(OWNER)) as meanwhile:
            assert any(_someone_waits(meanwhile) for _ in range(500))
            meanwhile.execute("UPDATE plans_service SET blocked_cause = 2 WHERE id = %s", [ana.service_id])
        first.commit()
    run.join(10)
    assert errors == []
    assert Subscriber.objects.get(pk=ana.pk).cause == NO_MONEY


def _someone_waits(conn: psycopg.Connection) -> bool:
    time.sleep(0.01)
    return conn.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)").fetchone() == (True,)


def test_a_session_that_began_while_its_customer_was_blocked_is_put_right_once(on):
    """Its accounting arrived after the block had looked for sessions."""
    ben = login(service(on, "Ben"), "ben")
    block(ben)
    online(ben, on.nas, "172.16.0.20")
    assert actions.repair_sessions(at=LATER) == 1
    assert told(ben) == [("coa", "Reject_2", "1M/5M", "queued")]
    assert actions.repair_sessions(at=LATER) == 0
    CoaIntent.objects.update(state="no_answer")
    assert actions.repair_sessions(at=LATER) == 0, "sending it again is the sender's"


def test_sessions_that_are_as_they_should_be_are_not_repaired(on, ana):
    ben = login(service(on, "Ben"), "ben")
    block(ben)
    online(ben, on.nas, "172.16.0.20", list_name="Reject_2")
    SessionLive.objects.filter(subscriber=ana).update(list_name="Demarc_active")
    wrong_mac = login(service(on, "Cyd"), "cyd")
    online(wrong_mac, on.nas, "172.16.0.21", list_name="Reject_3")
    assert actions.repair_sessions(at=LATER) == 0


def test_a_session_left_in_a_list_by_a_lost_message_is_repaired(ana):
    SessionLive.objects.update(list_name="Reject_2")
    assert actions.repair_sessions(at=LATER) == 1
    assert told(ana)[-1][1] == "Demarc_active"


def test_two_thousand_services_are_brought_after_in_one_go(on):
    pool(on.partner, "Big", "172.24.0.0/16")
    ids = _many(on, 2000)
    Service.objects.filter(pk__in=ids).update(blocked_cause=NO_MONEY, access_since=LATER)
    outcome = actions.sync_services(ids, at=LATER)
    assert len(outcome.changed) == outcome.told == CoaIntent.objects.filter(list_name="Reject_2").count() == 2000
    assert OperationLog.objects.filter(verb="access_synced").count() == 1


def _many(on: Scene, count: int) -> list[int]:
    """Services with a login and a session each, by SQL, since only their number matters here."""
    first = service(on, "First")
    login(first, "first")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO plans_service (partner_id, customer_id, account_id, plan_id, description, state,
                blocked_cause, access_since)
            SELECT partner_id, customer_id, account_id, plan_id, '', state, blocked_cause, access_since
            FROM plans_service, generate_series(1, %s) WHERE id = %s RETURNING id
            """,
            [count, first.pk],
        )
        ids = [row[0] for row in cursor.fetchall()]
    actions.create_subscribers(
        [{"service_id": one, "login": f"c{one}", "password": "pw"} for one in ids], by=STAFF, at=AT
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO access_sessionlive (nas_id, boot_epoch, session_id, user_name, partner_id, subscriber_id,
                service_id, started_at, updated_at, calling_station, called_station, nas_port_id, vrf, framed_ipv4,
                session_time_s, input_octets, output_octets, gigawords_seen, list_name, counting)
            SELECT %s, 1, id::text, login, partner_id, id, service_id, now(), now(), '', '', '', 0,
                '172.24.0.0'::inet + row_number() OVER (), 0, 0, 0, false, '', '{}'
            FROM access_subscriber WHERE service_id = ANY(%s)
            """,
            [on.nas.pk, ids],
        )
    return ids
