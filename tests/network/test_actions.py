"""Routers, pools, the cause table and the blocking page."""

from dataclasses import replace

import psycopg
import pytest
from django.db import IntegrityError, transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from tests import cast
from tests.cast import AT, STAFF

from demarc.base.models import OperationLog, Partner
from demarc.core.access import Cause
from demarc.core.errors import Refused
from demarc.network import actions, queries
from demarc.network.models import CauseAnswer, CauseRule, Pool, PoolKind
from demarc.project.config import OWNER

pytestmark = pytest.mark.django_db

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def pool(partner: Partner, name: str = "Pool", network: str = "172.16.0.0/20", **facts) -> Pool:
    return actions.create_pool(partner_id=partner.pk, name=name, network=network, by=STAFF, at=AT, **facts)


def router(partner: Partner, name: str = "North", **facts):
    return actions.create_router(partner_id=partner.pk, name=name, by=STAFF, at=AT, **facts)


def ports(partner: Partner) -> dict[int, int]:
    return {rule.cause: rule.page_port for rule in queries.cause_rules(partner.pk)}


def test_a_new_partner_gets_five_causes_with_their_lists_pools_and_pages():
    partner = cast.partner()
    actions.set_up_partner(partner.pk, by=STAFF, at=AT)
    rows = [(r.cause, r.list_name, str(r.pool.network), r.page_port) for r in queries.cause_rules(partner.pk)]
    assert rows == [
        (0, "Reject_0", "10.250.250.0/24", 8101),
        (1, "Reject_1", "10.250.251.0/24", 8101),
        (2, "Reject_2", "10.250.252.0/24", 8102),
        (3, "Reject_3", "10.250.253.0/24", 8103),
        (4, "Reject_4", "10.250.254.0/24", 8104),
    ]


def test_switching_the_preset_swaps_the_pages_of_causes_three_and_four_and_keeps_the_pools():
    partner = cast.partner()
    actions.set_up_partner(partner.pk, by=STAFF, at=AT)
    pools = [rule.pool_id for rule in queries.cause_rules(partner.pk)]
    actions.set_up_partner(partner.pk, preset="splynx", by=STAFF, at=AT)
    assert ports(partner) == {0: 8101, 1: 8101, 2: 8102, 3: 8104, 4: 8103}
    assert [rule.pool_id for rule in queries.cause_rules(partner.pk)] == pools
    actions.set_up_partner(partner.pk, by=STAFF, at=AT)
    assert ports(partner) == {0: 8101, 1: 8101, 2: 8102, 3: 8103, 4: 8104}


def test_a_second_partner_goes_without_the_pools_that_the_first_one_has():
    first, second = cast.partner(), cast.partner("Other")
    actions.set_up_partner(first.pk, by=STAFF, at=AT)
    actions.set_up_partner(second.pk, by=STAFF, at=AT)
    assert [rule.pool_id for rule in queries.cause_rules(second.pk)] == [None] * 5
    without_pool = router(second)
    asked = CauseAnswer.POOL
    actions.set_router_cause(without_pool.pk, Cause.NO_MONEY, answer=asked, by=STAFF, at=AT)
    assert queries.router_answers([second.pk])[without_pool.pk][Cause.NO_MONEY] == CauseAnswer.LIST


def test_an_unknown_preset_is_refused():
    with pytest.raises(Refused) as refused:
        actions.set_up_partner(cast.partner().pk, preset="cisco", by=STAFF, at=AT)
    assert refused.value.field == "preset"


@pytest.mark.parametrize(
    ("here", "ports"), [((81, 82, 83, 84), [81, 81, 82, 83, 84]), ((81, 82), [81, 81, 82, 82, 82])]
)
def test_a_preset_names_the_page_ports_of_this_installation(settings, here, ports):
    settings.CONFIG = replace(settings.CONFIG, page_ports=here)
    assert [row.page_port for row in queries.preset_rows("demarc")] == ports


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"list_name": 'Reject"; /system reset'}, "list_name"),
        ({"list_name": ""}, "list_name"),
        ({"list_name": "Demarc_active"}, "list_name"),
        ({"list_name": "Reject_4"}, "list_name"),
        ({"page_port": 0}, "page_port"),
        ({"page_port": 65536}, "page_port"),
        ({"pool_id": 999}, "pool_id"),
    ],
)
def test_a_cause_row_that_routers_could_not_follow_is_refused_at_its_field(change, field):
    partner = cast.partner()
    actions.set_up_partner(partner.pk, by=STAFF, at=AT)
    with pytest.raises(Refused) as refused:
        actions.set_cause_rule(partner.pk, 2, by=STAFF, at=AT, **change)
    assert refused.value.field == field
    assert CauseRule.objects.get(partner=partner, cause=2).list_name == "Reject_2"


def test_a_cause_can_have_another_list_page_and_pool():
    partner = cast.partner()
    actions.set_up_partner(partner.pk, by=STAFF, at=AT)
    own = pool(partner, "For debtors", "10.9.0.0/24", kind=PoolKind.REJECT)
    rule = actions.set_cause_rule(partner.pk, 2, list_name="debtors", page_port=8080, pool_id=own.pk, by=STAFF, at=AT)
    rule.refresh_from_db()
    assert (rule.list_name, rule.page_port, rule.pool_id) == ("debtors", 8080, own.pk)


def test_a_pool_for_sessions_cannot_be_a_reject_pool():
    partner = cast.partner()
    actions.set_up_partner(partner.pk, by=STAFF, at=AT)
    with pytest.raises(Refused):
        actions.set_cause_rule(partner.pk, 2, pool_id=pool(partner).pk, by=STAFF, at=AT)


def test_a_mikrotik_keeps_its_blocked_customers_in_a_list_and_any_other_router_gives_them_the_reject_pool():
    partner = cast.partner()
    actions.set_up_partner(partner.pk, by=STAFF, at=AT)
    mikrotik, other = router(partner), router(partner, "South", nas_type="generic")
    answers = queries.router_answers([partner.pk])
    assert [answers[mikrotik.pk][cause] for cause in Cause] == ["reject", "list", "list", "pool", "reject"]
    assert [answers[other.pk][cause] for cause in Cause] == ["reject", "pool", "pool", "pool", "reject"]


def test_a_routers_answer_can_be_chosen_and_given_back():
    partner = cast.partner()
    actions.set_up_partner(partner.pk, by=STAFF, at=AT)
    north = router(partner)
    actions.set_router_cause(north.pk, Cause.WRONG_PASSWORD, answer="pool", by=STAFF, at=AT)
    assert queries.router_answers([partner.pk])[north.pk][Cause.WRONG_PASSWORD] == CauseAnswer.POOL
    actions.set_router_cause(north.pk, Cause.WRONG_PASSWORD, answer=None, by=STAFF, at=AT)
    assert queries.router_answers([partner.pk])[north.pk][Cause.WRONG_PASSWORD] == CauseAnswer.REJECT


@pytest.mark.parametrize(("cause", "answer", "field"), [(7, "list", "cause"), (1, "maybe", "answer")])
def test_an_answer_that_does_not_exist_is_refused(cause, answer, field):
    north = router(cast.partner())
    with pytest.raises(Refused) as refused:
        actions.set_router_cause(north.pk, cause, answer=answer, by=STAFF, at=AT)
    assert refused.value.field == field


def test_a_routers_name_is_its_own_within_a_partner():
    partner, other = cast.partner(), cast.partner("Other")
    north = router(partner)
    router(other)
    with pytest.raises(Refused) as refused:
        router(partner)
    assert (refused.value.field, refused.value.holder) == ("name", ("router", north.pk))
    south = router(partner, "South")
    with pytest.raises(Refused):
        actions.update_router(south.pk, name="North", by=STAFF, at=AT)
    assert actions.update_router(south.pk, name=" West\t", by=STAFF, at=AT).name == "West"


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"name": ""}, "name"), ({"nas_type": "toaster"}, "nas_type"), ({"site_id": 999}, "site_id")],
)
def test_a_router_of_nonsense_is_refused_at_its_field(facts, field):
    with pytest.raises(Refused) as refused:
        router(cast.partner(), **facts)
    assert refused.value.field == field


def test_a_router_stands_at_a_site_of_its_own_partner():
    partner, other = cast.partner(), cast.partner("Other")
    site = actions.create_site(partner_id=partner.pk, name="Hill", by=STAFF, at=AT)
    assert router(partner, site_id=site.pk).site == site
    with pytest.raises(Refused):
        router(other, site_id=site.pk)
    with pytest.raises(Refused):
        actions.create_site(partner_id=partner.pk, name="Hill", by=STAFF, at=AT)


def test_a_pool_without_a_range_is_all_hosts_of_its_network():
    made = pool(cast.partner(), network=" 172.16.0.0/20 ")
    assert (made.first, made.last) == ("172.16.0.1", "172.16.15.254")


def test_a_pool_may_be_a_part_of_its_network():
    made = pool(cast.partner(), network="172.16.0.0/20", first="172.16.0.10", last="172.16.0.20")
    assert (made.first, made.last) == ("172.16.0.10", "172.16.0.20")


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"network": "172.16.0.1/20"}, "network"),
        ({"network": "everything"}, "network"),
        ({"network": "2001:db8::/64"}, "network"),
        ({"network": "0.0.0.0/0"}, "network"),
        ({"network": "127.0.0.0/24"}, "network"),
        ({"network": "239.0.0.0/24"}, "network"),
        ({"first": "172.17.0.1"}, "first"),
        ({"last": "172.17.0.1"}, "last"),
        ({"first": "router"}, "first"),
        ({"first": "172.16.0.9", "last": "172.16.0.8"}, "last"),
        ({"kind": "holy"}, "kind"),
        ({"vrf": -1}, "vrf"),
        ({"router_id": 999}, "router_id"),
        ({"name": "\n"}, "name"),
    ],
)
def test_a_pool_of_nonsense_is_refused_at_its_field(facts, field):
    with pytest.raises(Refused) as refused:
        pool(cast.partner(), **facts)
    assert refused.value.field == field
    assert not Pool.objects.exists()


def test_an_overlapping_pool_is_refused_with_the_one_in_its_way():
    partner = cast.partner()
    first = pool(partner)
    with pytest.raises(Refused) as refused:
        pool(partner, "Inside", "172.16.4.0/24")
    assert (refused.value.code, refused.value.holder) == ("overlap", ("pool", first.pk))
    assert "Pool (172.16.0.0/20)" in refused.value.message


def test_an_overlap_with_another_partners_pool_is_refused_without_its_name():
    pool(cast.partner(), "Secret plan")
    with pytest.raises(Refused) as refused:
        pool(cast.partner("Other"), "Mine")
    assert refused.value.holder is None
    assert "Secret plan" not in refused.value.message


def test_the_same_network_may_be_used_in_another_vrf():
    partner = cast.partner()
    pool(partner)
    assert pool(partner, "Same", vrf=1).vrf == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_who_make_overlapping_pools_at_once_one_is_refused_by_the_database(cluster, monkeypatch):
    partner = cast.partner()
    check = "demarc.network.actions.pools.overlapping_pool"
    original = queries.overlapping_pool

    def quicker(network, vrf):
        """Someone else's pool is committed between our look and our write."""
        if not Pool.objects.exists():
            with psycopg.connect(cluster.url(OWNER)) as conn:
                conn.execute(
                    "INSERT INTO network_pool (partner_id, name, kind, vrf, network, first, last)"
                    " VALUES (%s, 'Quicker', 'dynamic', 0, '172.16.0.0/16', '172.16.0.1', '172.16.0.9')",
                    [partner.pk],
                )
            return None
        return original(network, vrf)

    monkeypatch.setattr(check, quicker)
    with pytest.raises(Refused, match="Quicker"):
        pool(partner)


def test_the_database_itself_refuses_pools_that_overlap_or_leave_their_network():
    partner = cast.partner()
    facts = {"partner": partner, "kind": "dynamic", "network": "172.16.0.0/20", "last": "172.16.0.9"}
    Pool.objects.create(name="A", first="172.16.0.1", **facts)
    for name, first, change in [
        ("B", "172.16.0.1", {}),
        ("C", "172.15.0.1", {"vrf": 1}),
        ("D", "172.16.0.10", {"vrf": 1}),
        ("E", "172.16.0.1", {"vrf": 1, "kind": "holy"}),
    ]:
        with pytest.raises(IntegrityError), transaction.atomic():
            Pool.objects.create(name=name, first=first, **facts | change)


def test_a_pool_can_be_renamed_and_given_to_a_router():
    partner = cast.partner()
    made, north = pool(partner), router(partner)
    changed = actions.update_pool(made.pk, name="North", router_id=north.pk, by=STAFF, at=AT)
    assert (changed.name, changed.router) == ("North", north)
    pool(partner, "South", "172.17.0.0/24")
    with pytest.raises(Refused):
        actions.update_pool(made.pk, name="South", by=STAFF, at=AT)


def test_words_and_looks_of_the_blocking_page_are_kept_as_given():
    partner = cast.partner()
    page = actions.save_blocking_page(
        partner.pk, title="Pay\nplease", message="First.\r\nSecond.", colour="#aa00FF", logo=PNG, by=STAFF, at=AT
    )
    page.refresh_from_db()
    assert (page.title, page.message, page.colour) == ("Pay please", "First.\nSecond.", "#aa00FF")
    assert (bytes(page.logo), page.logo_type) == (PNG, "image/png")
    page = actions.save_blocking_page(partner.pk, logo=b"", by=STAFF, at=AT)
    assert (page.title, page.logo, page.logo_type) == ("Pay please", None, "")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"colour": "#0054a6;}"}, "colour"),
        ({"logo": b"<svg onload=alert(1)>"}, "logo"),
        ({"logo": b"GIF89a"}, "logo"),
        ({"logo": PNG + bytes(200_000)}, "logo"),
        ({"title": "x" * 121}, "title"),
        ({"message": "x" * 4001}, "message"),
        ({"how_to_pay": "bell\a"}, "how_to_pay"),
    ],
)
def test_a_blocking_page_of_nonsense_is_refused_at_its_field(change, field):
    with pytest.raises(Refused) as refused:
        actions.save_blocking_page(cast.partner().pk, by=STAFF, at=AT, **change)
    assert refused.value.field == field


def test_whatever_changes_a_routers_answers_is_logged_once_and_published():
    partner = cast.partner()
    rows, jobs = OperationLog.objects.count(), ProcrastinateJob.objects.count()
    actions.set_up_partner(partner.pk, by=STAFF, at=AT)
    north = router(partner)
    actions.set_router_cause(north.pk, 1, answer="pool", by=STAFF, at=AT)
    actions.set_cause_rule(partner.pk, 1, page_port=8102, by=STAFF, at=AT)
    pool(partner)
    actions.save_blocking_page(partner.pk, title="Hello", by=STAFF, at=AT)
    assert OperationLog.objects.count() - rows == 6
    published = ProcrastinateJob.objects.filter(task_name="access.publish_policy", args={"partners": [partner.pk]})
    assert published.count() == ProcrastinateJob.objects.count() - jobs == 6
