"""CoA and Disconnect from a real radiusd to a listening NAS: quick, repeated, recorded, never in the wrong order."""

import time
from collections.abc import Iterator
from datetime import timedelta
from ipaddress import IPv4Address
from itertools import count
from pathlib import Path

import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from tests.cluster import Cluster
from tests.radiusd.process import Radiusd, radiusd
from tests.radiusd.stage import SECRET, Stage, add_nas, add_subscriber, set_stage
from tests.sim.nas import PretendNas

from demarc.access.feed import tell_radius, wake_coa_sender
from demarc.access.models import CoaIntent, Nas, Policy, SessionLive, SessionLog, Subscriber
from demarc.project.config import RADIUS

pytestmark = pytest.mark.lab
ADDRESS = "172.16.0.5"
NUMBERS = count(1)


@pytest.fixture(scope="module")
def stage(committed: None) -> Stage:
    return set_stage(Path(settings.DEMARC_KEYS), addresses=())


@pytest.fixture(scope="module")
def router(stage: Stage) -> Iterator[PretendNas]:
    with PretendNas("127.0.0.21", secret=SECRET) as one:
        add_nas(stage, one.address, coa_port=one.port)
        yield one


@pytest.fixture(scope="module")
def subscriber(stage: Stage) -> Subscriber:
    return add_subscriber(stage, "dora")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("radiusd")


@pytest.fixture(scope="module")
def server(router: PretendNas, subscriber: Subscriber, cluster: Cluster, data: Path) -> Iterator[Radiusd]:
    with radiusd(data, cluster.url(RADIUS), DEMARC_KEYS=str(settings.DEMARC_KEYS)) as running:
        yield running


@pytest.fixture
def session(server: Radiusd, router: PretendNas) -> SessionLive:
    """dora is online."""
    router.behaviour, router.on_coa = "ack", None
    router.heard.clear()
    CoaIntent.objects.all().delete()
    name = f"s{next(NUMBERS)}"  # one that has ended does not begin again
    router.account(server.acct, "Start", "dora", name, Framed_IP_Address=IPv4Address(ADDRESS))
    return eventually(lambda: SessionLive.objects.filter(session_id=name).first())


def eventually(what, within_s: float = 15):
    until = time.monotonic() + within_s
    while not (found := what()):
        assert time.monotonic() < until, "not so in time"
        time.sleep(0.03)
    return found


def intend(session: SessionLive, kind: str = "coa", **facts: object) -> CoaIntent:
    """As access.actions writes it: the row and the news in one transaction."""
    values = {"list_name": "Reject_2", "rate_limit": "2M/10M"} if kind == "coa" else {}
    with transaction.atomic():
        intent = CoaIntent.objects.create(
            nas=session.nas, node="main", subscriber=session.subscriber, kind=kind, user_name=session.user_name,
            session_id=session.session_id, framed_ipv4=session.framed_ipv4, **(values | facts),
        )  # fmt: skip
        wake_coa_sender()
    return intent


def state_of(intent: CoaIntent) -> str:
    intent.refresh_from_db()
    return intent.state


def test_a_change_reaches_the_router_at_once_and_its_consent_is_recorded(session, router):
    began = time.monotonic()
    intent = intend(session)
    heard = router.wait_for(kind="CoA-Request")
    assert heard.at - began < 0.5
    assert (heard["User-Name"], heard["Acct-Session-Id"]) == ("dora", session.session_id)
    assert (str(heard["Framed-IP-Address"]), heard["Mikrotik-Address-List"]) == (ADDRESS, "Reject_2")
    assert heard["Mikrotik-Rate-Limit"] == "2M/10M"
    assert {"Event-Timestamp", "Message-Authenticator", "NAS-IP-Address"} <= set(heard.attributes)
    eventually(lambda: state_of(intent) == "ack")
    assert intent.tries == 1
    session.refresh_from_db()
    assert session.list_name == "Reject_2"


def test_a_disconnect_names_the_session_and_nothing_else(session, router):
    intent = intend(session, "disconnect")
    heard = router.wait_for(kind="Disconnect-Request")
    assert not [name for name in heard.attributes if name.startswith("Mikrotik")]
    eventually(lambda: state_of(intent) == "ack")


def test_a_router_that_refuses_a_change_is_told_to_cut_the_session(session, router):
    router.on_coa = lambda heard: 401 if heard.kind == "CoA-Request" else "ack"
    intent = intend(session)
    router.wait_for(kind="Disconnect-Request", Acct_Session_Id=session.session_id)
    assert (state_of(intent), intent.error_cause) == ("nak", 401)
    cut = CoaIntent.objects.get(kind="disconnect")
    assert (cut.follows_id, cut.created_at) == (intent.pk, intent.created_at)
    eventually(lambda: state_of(cut) == "ack")
    assert SessionLive.objects.filter(pk=session.pk).exists()  # until its Stop


def test_another_router_than_the_one_meant_cuts_nothing(session, router):
    router.behaviour = 403
    intent = intend(session)
    eventually(lambda: state_of(intent) == "nak")
    time.sleep(1.2)
    assert not CoaIntent.objects.filter(kind="disconnect").exists()


def test_a_cut_is_proven_by_the_stop(session, router, server):
    intent = intend(session, "disconnect")
    eventually(lambda: state_of(intent) == "ack")
    router.account(server.acct, "Stop", "dora", session.session_id, Acct_Terminate_Cause=6)
    eventually(lambda: state_of(intent) == "confirmed")
    assert intent.confirmed_at >= intent.answered_at


def test_a_stop_that_overtakes_the_answer_proves_the_cut_and_the_answer_is_recorded_too(session, router, server):
    def stop_first(heard):
        router.on_coa = None
        router.account(server.acct, "Stop", "dora", session.session_id, Acct_Terminate_Cause=6)
        time.sleep(0.7)
        return "ack"

    router.on_coa = stop_first
    intent = intend(session, "disconnect")
    eventually(lambda: state_of(intent) == "confirmed" and intent.answered_at)


def test_a_change_is_proven_by_the_next_interim(session, router, server):
    intent = intend(session)
    eventually(lambda: state_of(intent) == "ack")
    interim(session, router, server)
    eventually(lambda: state_of(intent) == "confirmed")


def test_a_change_that_accounting_contradicts_ends_in_a_cut(session, router, server):
    intent = intend(session)
    eventually(lambda: state_of(intent) == "ack")
    interim(session, router, server, Mikrotik_Rate_Limit="50M/50M")
    router.wait_for(kind="Disconnect-Request", Acct_Session_Id=session.session_id)
    assert state_of(intent) == "ignored"


def test_an_interim_from_before_the_change_proves_nothing(session, router, server):
    interim(session, router, server)
    server.shipped()
    intent = intend(session)
    eventually(lambda: state_of(intent) == "ack")
    time.sleep(0.5)
    assert state_of(intent) == "ack"


def interim(session: SessionLive, router: PretendNas, server: Radiusd, **attributes: object) -> None:
    facts = {"Framed_IP_Address": IPv4Address(ADDRESS), "Acct_Session_Time": 60} | attributes
    router.account(server.acct, "Interim-Update", "dora", session.session_id, **facts)


def test_a_session_that_ends_before_it_is_told_leaves_nothing_to_do(session, router, server):
    intent = intend(session, due_at=timezone.now() + timedelta(hours=1))
    router.account(server.acct, "Stop", "dora", session.session_id)
    eventually(lambda: state_of(intent) == "gone")


def test_one_who_comes_again_after_a_cut_proves_it_though_his_stop_was_lost(session, router, server):
    intent = intend(session, "disconnect")
    eventually(lambda: state_of(intent) == "ack")
    time.sleep(0.2)
    router.account(server.acct, "Start", "dora", "again", Framed_IP_Address=IPv4Address(ADDRESS))
    eventually(lambda: state_of(intent) == "confirmed")


def test_a_session_that_the_router_does_not_know_is_closed(session, router, server):
    router.behaviour = 503
    intent = intend(session, "disconnect")
    eventually(lambda: state_of(intent) == "gone")
    assert intent.error_cause == 503
    eventually(lambda: not SessionLive.objects.filter(pk=session.pk).exists())
    assert SessionLog.objects.latest("ended_at").ending == "stale"


def test_a_lost_packet_is_sent_again_with_the_same_bytes(session, router):
    router.on_coa = lambda heard: "silent" if len(router.heard) == 1 else None
    intent = intend(session)
    eventually(lambda: state_of(intent) == "ack")
    first, second = router.heard
    assert first.octets == second.octets
    assert 1.7 < second.at - first.at < 2.5


def test_the_newest_intent_wins_over_one_that_is_under_way(session, router):
    """The block was lost; the payment came; the block's repetition must not come after the unblock."""
    router.on_coa = lambda heard: "silent" if heard.get("Mikrotik-Address-List") == "Reject_2" else "ack"
    block = intend(session)
    router.wait_for(Mikrotik_Address_List="Reject_2")
    unblock = intend(session, unblock=True, list_name="Demarc_active")
    eventually(lambda: state_of(unblock) == "ack")
    eventually(lambda: state_of(block) == "superseded")
    time.sleep(2.6)
    assert [heard["Mikrotik-Address-List"] for heard in router.heard] == ["Reject_2", "Demarc_active"]


def test_lifting_goes_before_a_queue_of_blocks(session, router, stage):
    with transaction.atomic():
        for number in range(300):
            CoaIntent.objects.create(
                nas=session.nas, node="main", kind="coa", list_name="Reject_2", user_name=f"u{number}", session_id="x"
            )
        unblock = CoaIntent.objects.create(
            nas=session.nas, node="main", subscriber=session.subscriber, kind="coa", unblock=True,
            list_name="Demarc_active", user_name="dora", session_id=session.session_id,
        )  # fmt: skip
        wake_coa_sender()
    eventually(lambda: state_of(unblock) == "ack")
    place = next(n for n, heard in enumerate(router.heard) if heard["User-Name"] == "dora")
    assert place < 32
    eventually(lambda: not CoaIntent.objects.exclude(state="ack").exists(), within_s=30)


def test_a_silent_router_holds_up_no_other(session, router, stage, server):
    with PretendNas("127.0.0.22", secret=SECRET, behaviour="silent") as dead:
        nas = add_nas(stage, dead.address, coa_port=dead.port)
        tell(nas)
        server.until(lambda status: status["nases"] >= 2)
        for number in range(400):
            CoaIntent.objects.create(
                nas=nas, node="main", kind="coa", list_name="Reject_2", user_name=f"u{number}", session_id="x"
            )
        wake()
        dead.wait_for(kind="CoA-Request")
        began = time.monotonic()
        intend(session)
        assert router.wait_for(kind="CoA-Request").at - began < 1
        CoaIntent.objects.filter(nas=nas).delete()


def tell(nas: Nas) -> None:
    with transaction.atomic():
        tell_radius("nas", [nas.pk])


def wake() -> None:
    with transaction.atomic():
        wake_coa_sender()


def test_an_intent_without_an_answer_is_sent_again_when_its_time_comes(session, router):
    intent = intend(session, state="no_answer", tries=1)
    router.wait_for(kind="CoA-Request")
    eventually(lambda: state_of(intent) == "ack")
    given_up = intend(session, state="no_answer", tries=5)
    time.sleep(1.5)
    assert state_of(given_up) == "no_answer"


def test_what_was_under_way_when_radiusd_died_is_sent_again(session, router, server, cluster, tmp_path):
    CoaIntent.objects.create(
        nas=session.nas, node="main", subscriber=session.subscriber, kind="coa", list_name="Reject_2",
        user_name="dora", session_id=session.session_id, state="sent", tries=1,
    )  # fmt: skip
    with radiusd(tmp_path, cluster.url(RADIUS), DEMARC_KEYS=str(settings.DEMARC_KEYS)):
        router.wait_for(kind="CoA-Request", within_s=10)
        eventually(lambda: CoaIntent.objects.get().state == "ack")


def test_the_old_session_is_cut_for_a_new_one_where_the_make_says_so(session, router, stage, server):
    """dora is online; her new device asks, and is let in while the old session is told to go."""
    policy = Policy.objects.get(partner=stage.partner)
    policy.body["answers"] = {"mikrotik": {"block": "list", "second": "replace"}}
    policy.save()
    with transaction.atomic():
        tell_radius("policy", [stage.partner.pk])
    replies = []

    def let_in() -> bool:
        replies.append(router.log_in(server.auth, "dora", "secret", Calling_Station_Id="02:00:00:00:00:77"))
        return replies[-1] is not None and replies[-1].kind == "Access-Accept"

    eventually(let_in)
    router.wait_for(kind="Disconnect-Request", Acct_Session_Id=session.session_id)
    let_in()
    time.sleep(0.5)
    cut = CoaIntent.objects.get()
    assert (cut.kind, cut.subscriber_id, state_of(cut)) == ("disconnect", session.subscriber_id, "ack")
