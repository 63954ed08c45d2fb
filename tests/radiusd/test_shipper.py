"""From the journal into the tables, exactly once: sessions, history, usage, restarts; whatever dies in between."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from tests.cluster import Cluster
from tests.radiusd.stage import SECRET, Stage, add_nas, add_subscriber, set_stage

from demarc.access.models import Bookmark, Nas, SessionLive, SessionLog, Subscriber, Usage
from demarc.project.config import RADIUS
from demarc.radiusd import journal, records, shipper
from demarc.radiusd.shipper import Shipper
from demarc.wire.radius import Secret, accounting_request, encode_attributes

T0 = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
START, STOP, INTERIM, ON = 1, 2, 3, 7
WRITER = "main/0"


@pytest.fixture(scope="module")
def stage(committed: None) -> Stage:
    return set_stage(Path(settings.DEMARC_KEYS), addresses=("127.0.0.1", "127.0.0.2"))


@pytest.fixture(scope="module")
def alice(stage: Stage) -> Subscriber:
    return add_subscriber(stage, "alice")


@pytest.fixture(scope="module")
def bob(stage: Stage) -> Subscriber:
    return add_subscriber(stage, "bob")


@pytest.fixture
def nas(stage: Stage) -> Iterator[Nas]:
    """The router, with empty tables before it and no restarts."""
    Nas.objects.update(boot_epoch=0, booted_at=None)
    for table in ("access_sessionlive", "access_sessionlog", "access_usage", "access_bookmark"):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")
    return stage.nases[0]


@pytest.fixture
def database(cluster: Cluster, nas: Nas) -> Iterator[psycopg.Connection]:
    with shipper.connect(cluster.url(RADIUS)) as conn:
        yield conn


class Diary:
    """Writes a journal, as radiusd would, with packets of one NAS."""

    def __init__(self, directory: Path, nas: Nas) -> None:
        self.directory = directory
        self.nas = nas
        self.number = 1

    def put(self, minute: float, status: int, who: Subscriber | None, session: str, **attributes: object) -> None:
        named = {"Acct-Status-Type": status}
        if session:
            named["Acct-Session-Id"] = session
        if who is not None:
            named["User-Name"] = who.login
        named |= {name.replace("_", "-"): value for name, value in attributes.items()}
        packet = accounting_request(1, encode_attributes(named.items()), Secret(SECRET.encode()))
        self.write(self.record(minute, packet, who))

    def record(self, minute: float, packet: bytes, who: Subscriber | None, **fields: object) -> bytes:
        at = T0 + timedelta(minutes=minute)
        known = {"subscriber_id": who.pk if who else 0, "service_id": who.service_id if who else 0}
        fields = {
            "kind": records.PACKET, "nas_id": self.nas.pk, "partner_id": self.nas.partner_id, "vrf": 0,
            "list_name": "", "octets": packet, "arrived_us": records.microseconds(at), **known, **fields,
        }  # fmt: skip
        return records.encode(records.Record(**fields))

    def write(self, payload: bytes) -> None:
        with journal.path_of(self.directory, self.number).open("ab") as file:
            file.write(journal.frame(payload))

    def day(self, who: Subscriber, session: str, address: str = "172.16.0.5") -> None:
        """Start, two interims, Stop: 300 up and 3,000 down in an hour."""
        ip = {"Framed_IP_Address": IPv4Address(address)}
        self.put(0, START, who, session, **ip)
        self.put(20, INTERIM, who, session, **ip, **counters(1200, 100, 1000))
        self.put(40, INTERIM, who, session, **ip, **counters(2400, 200, 2000))
        self.put(59, STOP, who, session, **ip, **counters(3540, 300, 3000), Acct_Terminate_Cause=1)


def counters(seconds: int, up: int, down: int) -> dict[str, object]:
    return {"Acct_Session_Time": seconds, "Acct_Input_Octets": up, "Acct_Output_Octets": down}


@pytest.fixture
def diary(tmp_path: Path, nas: Nas) -> Diary:
    return Diary(tmp_path, nas)


def ship_all(database: psycopg.Connection, directory: Path) -> Shipper:
    one = Shipper(directory, WRITER)
    while one.ship_past_poison(database):
        pass
    return one


def used(who: Subscriber) -> tuple[int, int]:
    rows = Usage.objects.filter(service_id=who.service_id)
    return sum(row.input_octets for row in rows), sum(row.output_octets for row in rows)


def test_a_whole_session_becomes_history_and_usage(database, diary, alice):
    diary.day(alice, "s1")
    ship_all(database, diary.directory)
    past = SessionLog.objects.get()
    assert (past.started_at, past.ended_at) == (T0, T0 + timedelta(minutes=59))
    assert (past.input_octets, past.output_octets, past.session_time_s) == (300, 3000, 3540)
    assert (past.subscriber_id, past.service_id, past.ending) == (alice.pk, alice.service_id, "stop")
    assert not SessionLive.objects.exists()
    assert used(alice) == (300, 3000)


def test_a_session_that_lasts_is_live_with_its_latest_counters(database, diary, alice):
    diary.put(
        0, START, alice, "s1", Framed_IP_Address=IPv4Address("172.16.0.5"), Calling_Station_Id="02:00:00:00:00:01"
    )
    diary.put(5, INTERIM, alice, "s1", **counters(300, 7, 70))
    ship_all(database, diary.directory)
    live = SessionLive.objects.get()
    assert (live.framed_ipv4, live.calling_station, live.session_time_s) == ("172.16.0.5", "02:00:00:00:00:01", 300)
    assert (live.input_octets, live.output_octets, live.updated_at) == (7, 70, T0 + timedelta(minutes=5))


@pytest.mark.parametrize("at_once", [True, False])
def test_whatever_its_name_a_session_is_found_again_and_kept_as_it_was_told(database, diary, alice, at_once):
    odd = 'a\tb\\N\\"{,}\r\né'
    diary.put(0, START, alice, odd, Called_Station_Id="\\N", NAS_Port_Id="x\ty")
    if not at_once:
        ship_all(database, diary.directory)
        assert SessionLive.objects.get().session_id == odd
    diary.put(59, STOP, alice, odd, **counters(3540, 300, 3000))
    diary.day(alice, "s2")
    ship_all(database, diary.directory)
    past, other = SessionLog.objects.order_by("session_id")
    assert (past.session_id, past.called_station, past.nas_port_id) == (odd, "\\N", "x\ty")
    assert (past.started_at, past.output_octets) == (T0, 3000)
    assert past.id != other.id
    assert not SessionLive.objects.exists()


def test_usage_falls_into_the_hour_it_was_told_in(database, diary, alice):
    diary.put(50, START, alice, "s1")
    diary.put(55, INTERIM, alice, "s1", **counters(300, 10, 100))
    diary.put(65, INTERIM, alice, "s1", **counters(900, 30, 300))
    ship_all(database, diary.directory)
    rows = [(row.hour.hour, row.input_octets, row.output_octets) for row in Usage.objects.order_by("hour")]
    assert rows == [(12, 10, 100), (13, 20, 200)]


def test_shipping_again_from_the_beginning_changes_nothing(database, diary, alice, bob):
    """The bookmark is lost, as after a restore: what was counted is not counted again."""
    diary.day(alice, "s1")
    diary.put(60, START, bob, "s2", Framed_IP_Address=IPv4Address("172.16.0.6"))
    diary.put(70, INTERIM, bob, "s2", **counters(600, 5, 50))
    ship_all(database, diary.directory)
    before = snapshot()
    Bookmark.objects.all().delete()
    ship_all(database, diary.directory)
    assert snapshot() == before
    assert (used(alice), used(bob)) == ((300, 3000), (5, 50))


def snapshot() -> list[object]:
    live = SessionLive.objects.order_by("session_id").values_list("session_id", "input_octets", "output_octets")
    past = SessionLog.objects.order_by("session_id").values_list("session_id", "input_octets", "ended_at", "ending")
    return [list(live), list(past), list(Usage.objects.order_by("id").values_list("hour", "input_octets"))]


def test_a_transaction_that_fails_leaves_no_trace_and_is_done_again(database, diary, alice):
    diary.day(alice, "s1")
    one = Shipper(diary.directory, WRITER)

    class Died(Exception):
        pass

    def die(*_: object) -> None:
        raise Died

    one._move = die
    with pytest.raises(Died):
        one.ship(database)
    assert not SessionLog.objects.exists()
    assert not Usage.objects.exists()
    ship_all(database, diary.directory)
    assert used(alice) == (300, 3000)


def test_batches_of_any_size_give_the_same(database, diary, alice):
    diary.day(alice, "s1")
    one = Shipper(diary.directory, WRITER)
    while one.ship(database, limit=1):
        pass
    assert used(alice) == (300, 3000)
    assert SessionLog.objects.get().output_octets == 3000


def test_two_shippers_of_one_journal_count_once(cluster, diary, alice, nas):
    for number in range(200):
        diary.day(alice, f"s{number}")

    def run() -> None:
        with shipper.connect(cluster.url(RADIUS)) as conn:
            one = Shipper(diary.directory, WRITER)
            while one.ship(conn, limit=50):
                pass

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert SessionLog.objects.count() == 200
    assert used(alice) == (60_000, 600_000)


def test_a_session_whose_router_turned_to_another_node_is_one_though_both_tell_of_it_at_once(
    cluster, database, diary, alice, nas, tmp_path
):
    (tmp_path / "other").mkdir()
    other = Diary(tmp_path / "other", nas)
    diary.put(0, START, alice, "s1")
    other.put(60, STOP, alice, "s1", **counters(3590, 300, 3000))

    def run() -> None:
        with shipper.connect(cluster.url(RADIUS)) as conn:
            Shipper(other.directory, "second/0").ship(conn)

    second = threading.Thread(target=run)
    with database.transaction():
        Shipper(diary.directory, WRITER).ship(database)
        second.start()
        second.join(0.5)
        assert second.is_alive()  # it waits for what the first has to say
    second.join(10)
    assert not SessionLive.objects.exists()
    assert SessionLog.objects.get().started_at == T0


def test_a_stop_without_a_start_is_history(database, diary, alice):
    diary.put(60, STOP, alice, "s1", **counters(3600, 300, 3000), Acct_Terminate_Cause=2)
    ship_all(database, diary.directory)
    past = SessionLog.objects.get()
    assert (past.started_at, past.output_octets, past.terminate_cause) == (T0, 3000, 2)


def test_an_interim_after_the_stop_does_not_bring_the_session_back(database, diary, alice):
    diary.day(alice, "s1")
    diary.put(60, INTERIM, alice, "s1", **counters(2400, 200, 2000))
    diary.put(60, START, alice, "s1")
    ship_all(database, diary.directory)
    assert not SessionLive.objects.exists()
    assert SessionLog.objects.count() == 1
    assert used(alice) == (300, 3000)


@pytest.mark.parametrize("seconds", [86_400, 4_294_967_295])
def test_a_stop_whose_session_time_is_nonsense_still_ends_the_session_of_its_name(database, diary, alice, seconds):
    diary.put(0, ON, None, "")
    diary.put(10, START, alice, "s1")
    diary.put(11, STOP, alice, "s1", **counters(seconds, 300, 3000))
    ship_all(database, diary.directory)
    past = SessionLog.objects.get()
    assert not SessionLive.objects.exists()
    assert (past.boot_epoch, past.ending) == (1, "stop")
    assert past.started_at >= T0 - timedelta(days=1)


def test_a_restart_of_the_router_ends_what_was_on_and_the_same_id_is_a_new_session(database, diary, alice, nas):
    diary.put(0, START, alice, "s1", Framed_IP_Address=IPv4Address("172.16.0.5"))
    diary.put(10, INTERIM, alice, "s1", **counters(600, 1, 10))
    diary.put(20, ON, None, "")
    diary.put(30, START, alice, "s1", Framed_IP_Address=IPv4Address("172.16.0.5"))
    ship_all(database, diary.directory)
    past, live = SessionLog.objects.get(), SessionLive.objects.get()
    assert (past.boot_epoch, past.ending, past.ended_at) == (0, "reboot", T0 + timedelta(minutes=20))
    assert (live.boot_epoch, live.started_at) == (1, T0 + timedelta(minutes=30))
    nas.refresh_from_db()
    assert (nas.boot_epoch, nas.booted_at) == (1, T0 + timedelta(minutes=20))


def test_a_restart_told_twice_is_one(database, diary, alice, nas):
    diary.put(20, ON, None, "")
    diary.put(20.1, START, alice, "s1")
    diary.put(20.2, ON, None, "", Acct_Delay_Time=12)
    ship_all(database, diary.directory)
    nas.refresh_from_db()
    assert nas.boot_epoch == 1
    assert SessionLive.objects.count() == 1


def test_the_stop_of_a_session_from_before_the_restart_amends_that_one(database, diary, alice):
    diary.put(0, START, alice, "s1")
    diary.put(20, ON, None, "")
    diary.put(25, START, alice, "s1")
    diary.put(26, STOP, alice, "s1", **counters(1140, 40, 400), Acct_Delay_Time=420, Acct_Terminate_Cause=11)
    ship_all(database, diary.directory)
    assert SessionLive.objects.get().started_at == T0 + timedelta(minutes=25)
    past = SessionLog.objects.get()
    assert (past.boot_epoch, past.output_octets, past.ending) == (0, 400, "stop")


def test_an_address_that_somebody_else_gets_ends_the_older_session(database, diary, alice, bob):
    diary.put(0, START, alice, "s1", Framed_IP_Address=IPv4Address("172.16.0.5"))
    ship_all(database, diary.directory)
    diary.put(10, START, bob, "s2", Framed_IP_Address=IPv4Address("172.16.0.5"))
    ship_all(database, diary.directory)
    assert SessionLive.objects.get().user_name == "bob"
    assert (SessionLog.objects.get().user_name, SessionLog.objects.get().ending) == ("alice", "stale")
    # The old one is heard again, and is still the older one of the two.
    diary.put(15, INTERIM, alice, "s1", Framed_IP_Address=IPv4Address("172.16.0.5"), **counters(900, 1, 10))
    ship_all(database, diary.directory)
    assert SessionLive.objects.get().user_name == "bob"
    assert SessionLog.objects.get().output_octets == 10


def test_two_who_claim_one_address_in_one_batch(database, diary, alice, bob):
    diary.put(0, START, alice, "s1", Framed_IP_Address=IPv4Address("172.16.0.5"))
    diary.put(1, START, bob, "s2", Framed_IP_Address=IPv4Address("172.16.0.5"))
    ship_all(database, diary.directory)
    assert [live.user_name for live in SessionLive.objects.all()] == ["bob"]


def test_a_session_that_fell_silent_comes_back_and_a_late_stop_amends_it(database, diary, alice):
    diary.put(0, START, alice, "s1")
    diary.write(diary.record(1, records.closed("s1", "alice", T0), alice, kind=records.CLOSED))
    ship_all(database, diary.directory)
    assert SessionLog.objects.get().ending == "stale"
    diary.put(5, INTERIM, alice, "s1", **counters(300, 1, 10))
    ship_all(database, diary.directory)
    assert SessionLive.objects.get().output_octets == 10
    diary.put(6, STOP, alice, "s1", **counters(360, 2, 20))
    ship_all(database, diary.directory)
    past = SessionLog.objects.get()
    assert (past.ending, past.output_octets, SessionLive.objects.count()) == ("stop", 20, 0)
    assert used(alice) == (2, 20)


def test_both_families_and_ports_are_kept(database, diary, alice):
    diary.put(
        0, START, alice, "s1", Framed_IPv6_Prefix=IPv6Network("2001:db8:1::/64"), NAS_Port_Id="ether1",
        Delegated_IPv6_Prefix=IPv6Network("2001:db8:2::/56"), Called_Station_Id="pppoe",
    )  # fmt: skip
    ship_all(database, diary.directory)
    live = SessionLive.objects.get()
    assert (str(live.framed_ipv6_prefix), str(live.delegated_prefix)) == ("2001:db8:1::/64", "2001:db8:2::/56")
    assert (live.nas_port_id, live.called_station) == ("ether1", "pppoe")


def test_nobodys_session_and_a_deleted_subscribers_are_kept_without_a_name(database, diary, alice):
    diary.put(0, START, None, "s1")
    diary.write(diary.record(0, packet(START, "ghost", "s2"), None, subscriber_id=999_999, service_id=999_999))
    ship_all(database, diary.directory)
    assert [live.subscriber_id for live in SessionLive.objects.order_by("session_id")] == [None, None]


def packet(status: int, login: str, session: str) -> bytes:
    pairs = [("Acct-Status-Type", status), ("User-Name", login), ("Acct-Session-Id", session)]
    return accounting_request(1, encode_attributes(pairs), Secret(SECRET.encode()))


def test_records_of_a_deleted_router_are_passed_over(database, diary, alice):
    diary.write(diary.record(0, packet(START, "x", "s1"), None, nas_id=999_999))
    diary.day(alice, "s2")
    ship_all(database, diary.directory)
    assert SessionLog.objects.get().session_id == "s2"


def test_a_record_that_cannot_be_applied_is_set_aside_and_holds_up_no_other(database, diary, alice):
    diary.put(0, START, alice, "s1")
    diary.write(diary.record(0, packet(START, "x", "bad"), None, partner_id=999_999))
    diary.write(b"no record of ours")
    diary.day(alice, "s2")
    one = ship_all(database, diary.directory)
    assert one.parked == 2
    assert SessionLog.objects.get().session_id == "s2"
    assert SessionLive.objects.get().session_id == "s1"
    assert len((diary.directory / "parked").read_bytes()) > 50


def test_octets_beyond_all_sense_do_not_stop_the_journal(database, diary, alice):
    most = 2**32 - 1
    diary.put(0, STOP, alice, "s1", **counters(most, most, most), Acct_Input_Gigawords=most, Acct_Delay_Time=most,
              Acct_Output_Gigawords=most, Acct_Terminate_Cause=most)  # fmt: skip
    diary.day(alice, "s2")
    assert ship_all(database, diary.directory).parked == 0
    assert SessionLog.objects.count() == 2


def test_the_role_may_do_nothing_else(database):
    for statement in (
        "SELECT * FROM customers_customer",
        "DELETE FROM access_subscriber",
        "SELECT * FROM base_operationlog",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute(statement)


def test_kill_9_in_the_middle_of_work_loses_and_doubles_nothing(cluster, diary, alice, bob, nas, stage):
    """The real process, killed again and again while the journal grows: received == expected == everything."""
    other = Diary(diary.directory, stage.nases[1])
    other.number = diary.number
    (diary.directory / "radius").mkdir()
    kept = diary.directory / "radius" / "journal-0"
    kept.mkdir()
    diary.directory = other.directory = kept
    sessions = 0
    for _ in range(6):
        running = start_shipper(cluster, diary.directory)
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            diary.day(alice, f"a{sessions}", "172.16.0.5")
            other.day(bob, f"b{sessions}", "172.16.0.6")
            sessions += 1
            time.sleep(0.003)
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
    with shipper.connect(cluster.url(RADIUS)) as conn:
        ship_all(conn, diary.directory)
    assert sessions > 100
    assert SessionLog.objects.count() == 2 * sessions
    assert used(alice) == used(bob) == (300 * sessions, 3000 * sessions)


def test_a_shipper_whose_radiusd_is_gone_goes_too(cluster, tmp_path, nas):
    (tmp_path / "radius" / "journal-0").mkdir(parents=True)
    orphan = start_shipper(cluster, tmp_path / "radius" / "journal-0", parent=1)
    assert orphan.wait(20) == 0


def start_shipper(cluster: Cluster, directory: Path, parent: int | None = None) -> subprocess.Popen[bytes]:
    environ = os.environ | {
        "DEMARC_DATA": str(directory.parent.parent),
        "DEMARC_KEYS": str(settings.DEMARC_KEYS),
        "DEMARC_RADIUS_URL": cluster.url(RADIUS),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "demarc.radiusd.shipper", "0", str(parent or os.getpid())], env=environ
    )


def test_the_boot_of_another_router_is_none_of_ours(database, diary, alice, stage):
    elsewhere = Diary(diary.directory, stage.nases[1])
    diary.put(0, START, alice, "s1")
    elsewhere.put(10, ON, None, "")
    ship_all(database, diary.directory)
    assert SessionLive.objects.count() == 1


def test_a_new_router_counts_too(database, diary, alice, stage):
    nas = add_nas(stage, "127.0.0.33")
    Diary(diary.directory, nas).day(alice, "s9")
    ship_all(database, diary.directory)
    assert SessionLog.objects.get().nas_id == nas.pk
