"""A plan's volume of a month: what is used is added up, who is through is slowed or blocked, and the next month frees
him."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from tests import cast
from tests.access.scene import Scene, login, online, scene, service, set_state, told
from tests.cast import STAFF
from tests.staff.world import World, logged_in, person, words, world

from demarc.access import actions, fair_use
from demarc.access.models import FairUse, MonthUse, Subscriber, Usage
from demarc.base import clock
from demarc.base.models import OperationLog, Partner
from demarc.core.errors import Refused
from demarc.network import actions as network
from demarc.network.models import NasAnswers, Router
from demarc.plans import actions as plans
from demarc.plans.models import Service

pytestmark = pytest.mark.django_db
GB = 10**9
MID = datetime(2024, 5, 20, 12, tzinfo=UTC)
SLOW = {"monthly_gb": 100, "down_kbps": 1000, "up_kbps": 500}
BLOCKS = {"monthly_gb": 100}


@pytest.fixture
def on() -> Scene:
    return scene()


@pytest.fixture
def ana(on) -> Subscriber:
    """Ana is online at 5 down and 1 up, with an address of the router's pool."""
    subscriber = login(service(on))
    actions.sync_services([subscriber.service_id], at=MID)
    online(subscriber, on.nas)
    subscriber.intents.all().delete()
    return subscriber


def used(of: Subscriber, down: int, up: int = 0, *, at: datetime = MID) -> None:
    hour = at.replace(minute=0)
    row, _ = Usage.objects.get_or_create(service_id=of.service_id, hour=hour)
    Usage.objects.filter(pk=row.pk).update(input_octets=up, output_octets=down)


def set_volume(on: Scene, **facts) -> None:
    actions.set_fair_use(on.plan.pk, by=STAFF, at=MID, **facts)


def measure(at: datetime = MID) -> None:
    assert not actions.measure_fair_use(at=at)


def state(of: Subscriber) -> tuple[str, int | None, str]:
    of.refresh_from_db()
    return of.fair_use, of.cause, of.rate_limit


def test_who_is_through_is_slowed_by_coa_and_the_month_s_start_gives_full_speed_again(on, ana):
    set_volume(on, **SLOW)
    used(ana, 60 * GB, 39 * GB)
    measure()
    assert state(ana) == ("", None, "1M/5M")
    assert told(ana) == []
    used(ana, 60 * GB, 40 * GB)
    measure(MID + timedelta(hours=1))
    assert state(ana) == ("slowed", None, "500k/1M")
    assert told(ana) == [("coa", "Demarc_active", "500k/1M", "queued")]
    measure(MID + timedelta(hours=2))
    assert len(told(ana)) == 1
    measure(datetime(2024, 6, 1, tzinfo=UTC))
    assert state(ana) == ("", None, "1M/5M")
    assert told(ana)[-1] == ("coa", "Demarc_active", "1M/5M", "queued")


def test_a_plan_without_a_slower_speed_blocks_and_the_page_does_not_ask_for_money(on, ana):
    set_volume(on, **BLOCKS)
    used(ana, 100 * GB)
    measure()
    assert state(ana) == ("blocked", 2, "1M/5M")
    assert (ana.owed, ana.since) == (None, MID)
    assert told(ana) == [("coa", "Reject_2", "1M/5M", "queued")]
    assert Service.objects.get(pk=ana.service_id).blocked_cause is None
    measure(datetime(2024, 6, 1, tzinfo=UTC))
    assert state(ana) == ("", None, "1M/5M")
    assert told(ana)[-1][:2] == ("coa", "Demarc_active")


@pytest.mark.parametrize(
    ("block", "kind"), [("list", "coa"), ("cut", "disconnect"), ("pool", "disconnect"), ("reject", "disconnect")]
)
def test_the_make_s_own_answer_is_for_them_alone(on, ana, block, kind):
    actions.set_fair_use_block(on.partner.pk, "mikrotik", block=block, by=STAFF, at=MID)
    set_volume(on, **BLOCKS)
    used(ana, 100 * GB)
    measure()
    assert [one[0] for one in told(ana)] == [kind]
    set_state(ana.service, 2)
    actions.sync_services([ana.service_id], at=MID)
    assert state(ana)[:2] == ("", 2)
    assert told(ana)[-1][:2] == ("coa", "Reject_2"), "one without money is told as before"


def about_fair_use(of: Subscriber) -> list[tuple[str, bool, bool]]:
    """Kind, whether it lifts, and whether it is about fair use, of all that routers were to be told, oldest first."""
    return list(of.intents.order_by("id").values_list("kind", "unblock", "fair_use"))


def test_the_block_and_its_end_are_told_as_fair_use_and_that_of_money_is_not(on, ana):
    set_volume(on, **BLOCKS)
    used(ana, 100 * GB)
    measure()
    measure(datetime(2024, 6, 1, tzinfo=UTC))
    assert about_fair_use(ana) == [("coa", False, True), ("coa", True, True)]
    set_state(ana.service, 2)
    actions.sync_services([ana.service_id], at=MID)
    set_state(ana.service, None)
    actions.sync_services([ana.service_id], at=datetime(2024, 6, 2, tzinfo=UTC))
    assert about_fair_use(ana)[2:] == [("coa", False, False), ("coa", True, False)]


@pytest.mark.parametrize(("own", "kind"), [("", "disconnect"), ("Filter-Id = 64/64", "coa")])
def test_a_make_without_coa_for_a_block_has_one_for_fair_use_when_it_is_written(on, ana, own, kind):
    """accel-ppp is shipped without attributes for a block: its sessions are cut."""
    Router.objects.update(nas_type="accel")
    actions.set_fair_use_block(on.partner.pk, "accel", block="list", by=STAFF, at=MID)
    network.save_answers(on.partner.pk, "accel", coa_fair_use=own, by=STAFF, at=MID)
    set_volume(on, **BLOCKS)
    used(ana, 100 * GB)
    measure()
    assert about_fair_use(ana) == [(kind, False, True)]


def test_a_retried_order_is_about_the_same(on, ana):
    set_volume(on, **BLOCKS)
    used(ana, 100 * GB)
    measure()
    ana.intents.update(state="nak")
    actions.retry_intent(ana.intents.get().pk, by=STAFF, at=MID)
    assert about_fair_use(ana) == [("coa", False, True)] * 2


@pytest.mark.parametrize(("counts", "through"), [("both", True), ("down", False), ("up", True)])
def test_only_what_counts_is_counted(on, ana, counts, through):
    set_volume(on, **BLOCKS, counts=counts)
    used(ana, 99 * GB, 100 * GB)
    measure()
    assert (state(ana)[0] == "blocked") == through


def test_the_month_is_the_provider_s_own(on, ana):
    Partner.objects.update(zone="Pacific/Auckland")
    set_volume(on, **BLOCKS)
    used(ana, 100 * GB, at=datetime(2024, 4, 30, 11, tzinfo=UTC))
    measure()
    assert state(ana)[0] == "", "that was the thirtieth of April there"
    used(ana, 100 * GB, at=datetime(2024, 4, 30, 12, tzinfo=UTC))
    measure(MID + timedelta(hours=1))
    assert state(ana)[0] == "blocked"
    measure(datetime(2024, 5, 31, 12, tzinfo=UTC))
    assert state(ana)[0] == ""


def test_a_service_is_looked_at_again_only_when_it_could_be_through(on, ana):
    """100 GB at twice 6 Mbit/s take 18 hours: it is looked at after one; half a gigabyte five and a half minutes."""
    set_volume(on, **BLOCKS)
    measure()
    assert MonthUse.objects.get().due_at == MID + timedelta(hours=1)
    used(ana, 100 * GB)
    measure(MID + timedelta(minutes=59))
    assert state(ana)[0] == ""
    used(ana, 100 * GB - GB // 2)
    measure(MID + timedelta(hours=1))
    wait = MonthUse.objects.get().due_at - MID - timedelta(hours=1)
    assert timedelta(minutes=5) < wait < timedelta(minutes=6)


def test_a_larger_volume_another_plan_and_none_at_all_free_at_once(on, ana):
    set_volume(on, **SLOW)
    used(ana, 150 * GB)
    measure()
    for change in (
        lambda: set_volume(on, **SLOW | {"monthly_gb": 200}),
        lambda: Service.objects.filter(pk=ana.service_id).update(plan=cast.plan(on.partner, "Larger")),
        lambda: actions.drop_fair_use(on.plan.pk, by=STAFF, at=MID),
    ):
        actions.sync_services([ana.service_id], at=MID)
        assert state(ana)[0] == "slowed"
        with transaction.atomic():
            change()
            actions.sync_services([ana.service_id], at=MID)
            assert state(ana)[::2] == ("", "1M/5M")
            transaction.set_rollback(True)
        actions.sync_services([ana.service_id], at=MID)


def test_one_who_is_blocked_for_money_anyway_owes_money(on, ana):
    set_volume(on, **BLOCKS)
    used(ana, 100 * GB)
    set_state(ana.service, 2)
    measure()
    assert state(ana)[:2] == ("", 2)
    set_state(ana.service, None)
    actions.sync_services([ana.service_id], at=MID)
    assert state(ana)[:2] == ("blocked", 2)


def test_services_without_a_volume_are_not_added_up(on, ana):
    used(ana, 10_000 * GB)
    measure()
    assert not MonthUse.objects.exists()
    assert state(ana) == ("", None, "1M/5M")


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"monthly_gb": 0}, "monthly_gb"),
        ({"monthly_gb": 1_000_001}, "monthly_gb"),
        ({"monthly_gb": 1, "counts": "sideways"}, "counts"),
        ({"monthly_gb": 1, "down_kbps": 100}, "up_kbps"),
        ({"monthly_gb": 1, "up_kbps": 100}, "down_kbps"),
        ({"monthly_gb": 1, "down_kbps": 5001, "up_kbps": 100}, "down_kbps"),
        ({"monthly_gb": 1, "down_kbps": -1, "up_kbps": 100}, "down_kbps"),
    ],
)
def test_a_volume_that_cannot_be_is_refused_at_its_field(on, facts, field):
    with pytest.raises(Refused) as refused:
        set_volume(on, **facts)
    assert refused.value.field == field


def test_only_internet_has_a_volume_and_each_change_is_written_down(on):
    other = plans.create_plan(partner_id=on.partner.pk, name="Rent", price=100, kind="recurring", by=STAFF, at=MID)
    with pytest.raises(Refused):
        actions.set_fair_use(other.pk, by=STAFF, at=MID, **BLOCKS)
    set_volume(on, **BLOCKS)
    actions.drop_fair_use(on.plan.pk, by=STAFF, at=MID)
    for block, make in (("sideways", "mikrotik"), ("cut", "toaster")):
        with pytest.raises(Refused):
            actions.set_fair_use_block(on.partner.pk, make, block=block, by=STAFF, at=MID)
    verbs = OperationLog.objects.filter(verb__startswith="fair_use").values_list("verb", flat=True)
    assert sorted(verbs) == ["fair_use_dropped", "fair_use_set"]


def test_the_database_refuses_one_speed_without_the_other(on):
    with pytest.raises(IntegrityError):
        FairUse.objects.create(plan=on.plan, monthly_gb=1, down_kbps=1, up_kbps=0)


# --- pages ---


@pytest.fixture
def place(pages) -> World:
    return world()


def test_a_volume_is_set_shown_and_dropped_on_pages(place):
    client = logged_in(person("Super administrator"))
    plan = f"/plans/{place.scene.plan.pk}/"
    path = f"{plan}fair-use/"
    assert client.post(path, {"monthly_gb": "200", "counts": "down", "down_kbps": "1000"}).status_code == 422
    good = {"monthly_gb": "200", "counts": "down", "down_kbps": "1000", "up_kbps": "500"}
    assert client.post(path, good).status_code == 302
    assert "200 GB" in client.get(plan).content.decode()
    page = client.get(f"/services/{place.service.pk}/").content.decode()
    assert "Used this month" in page
    assert "Not added up yet this month" in page
    assert client.get(f"{path}drop/").status_code == 200
    assert FairUse.objects.exists()
    assert client.post(f"{path}drop/").status_code == 302
    assert "as much as they like" in client.get(plan).content.decode()
    assert "Used this month" not in client.get(f"/services/{place.service.pk}/").content.decode()


def test_who_is_through_is_seen_on_the_service_s_page_and_among_the_sessions(place):
    client = logged_in(person("Super administrator"))
    actions.set_fair_use(place.scene.plan.pk, by=STAFF, at=place.session.started_at, **BLOCKS)
    used(place.login, 250 * GB, at=place.session.started_at)
    measure(place.session.started_at)
    page = client.get(f"/services/{place.service.pk}/").content.decode()
    for told_so in ("250\u00a0GB", "(250 %)", "Blocked until the month is over", "Blocked: volume used up (Reject_2)"):
        assert told_so in page
    assert "Volume used up" in client.get("/sessions/").content.decode()


@pytest.mark.parametrize(
    ("volume", "chip", "sentence"),
    [
        (BLOCKS, "Volume used up", r"Withheld by fair use since .+: 250 GB of 100 GB are used this month\. Open"),
        (
            SLOW,
            "Slowed",
            r"Slowed to 1 Mbit/s / 500 kbit/s by fair use since .+ this month\. Full speed",
        ),
    ],
)
def test_the_page_of_a_service_that_fair_use_holds_says_so_why_and_until_when(place, volume, chip, sentence):
    client = logged_in(person("Super administrator"))
    page, customer = f"/services/{place.service.pk}/", f"/customers/{place.customer.pk}/services/"
    assert "Open since" in words(client.get(page))
    actions.set_fair_use(place.scene.plan.pk, by=STAFF, at=clock.now(), **volume)
    used(place.login, 250 * GB, at=clock.now())
    measure(clock.now())
    shown = words(client.get(page))
    assert "Open since" not in shown
    first = (clock.today("UTC").replace(day=28) + timedelta(days=4)).replace(day=1)
    assert re.search(f"{sentence} again from {first.day} {first:%b}, 00:00", shown), shown
    for path in (page, customer, f"/customers/{place.customer.pk}/"):
        assert f">{chip}<" in client.get(path).content.decode()
    set_state(place.service, 2)
    assert "Withheld: no money" in words(client.get(page))


def test_fair_use_of_one_service_says_nothing_of_another(place):
    other = login(service(place.scene, "Ben"), "ben")
    actions.set_fair_use(place.scene.plan.pk, by=STAFF, at=clock.now(), **BLOCKS)
    used(place.login, 250 * GB, at=clock.now())
    measure(clock.now())
    shown = words(logged_in(person("Super administrator")).get(f"/services/{other.service_id}/"))
    assert "Open since" in shown
    assert "Withheld" not in shown


def test_how_a_make_is_told_is_chosen_beside_its_other_answers(place):
    client = logged_in(person("Super administrator"))
    path = f"/settings/{place.partner.pk}/answers/mikrotik/"
    form = {"block": "list", "second": "refuse", "online": "", "blocked": "", "coa_block": "", "coa_restore": ""}
    assert client.post(path, form | {"fair_use": "cut"}).status_code == 302
    assert fair_use.fair_use_block(place.partner.pk, "mikrotik") == "cut"
    assert actions.publish_policy(place.partner.pk, at=MID).body["answers"]["mikrotik"]["fair_use"] == "cut"
    assert client.post(path, form | {"fair_use": ""}).status_code == 302
    assert fair_use.fair_use_block(place.partner.pk, "mikrotik") == ""
    assert client.post(path, form | {"fair_use": "x"}).status_code == 422


def test_what_fair_use_tells_a_make_is_written_previewed_and_published_beside_the_other_templates(place):
    client = logged_in(person("Super administrator"))
    path = f"/settings/{place.partner.pk}/answers/cisco/"
    page = client.get(path).content.decode()
    for told_so in ("Attributes for fair use", "CoA on a block by fair use", "CoA when its month is over"):
        assert told_so in page
    form = {"block": "list", "second": "refuse", "online": "", "blocked": "", "coa_block": "", "coa_restore": ""}
    own = {"coa_fair_use": "Filter-Id = {list}-{cause}", "coa_fair_restore": "Filter-Id = {login}"}
    shown = client.post(f"{path}preview/", form | own).content.decode()
    assert "Filter-Id = Reject_2-2" in shown
    assert "Filter-Id = ana0" in shown
    inherited = client.post(f"{path}preview/", form | {"coa_block": "Filter-Id = all"}).content.decode()
    assert inherited.count("Filter-Id = all") == 2
    answer = client.post(path, form | own | {"coa_fair_use": "Filter-Id = {nothing}"})
    assert answer.status_code == 422
    assert "there is no variable {nothing}" in answer.content.decode().partition('id="id_coa_fair_use_error"')[2][:300]
    assert not NasAnswers.objects.exists()
    assert client.post(path, form | own).status_code == 302
    body = actions.publish_policy(place.partner.pk, at=MID).body["answers"]["cisco"]
    assert {name: body[name] for name in own} == own
