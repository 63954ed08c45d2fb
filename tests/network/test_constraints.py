"""The database refuses what must not be in the tables of the network, also when no action was asked."""

import pytest
from tests import cast
from tests.cast import AT, STAFF
from tests.refusals import refused_by

from demarc.network import actions
from demarc.network.models import CauseRule, Pool, Router, RouterCause, Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner():
    made = cast.partner()
    actions.set_up_partner(made.pk, by=STAFF, at=AT)
    return made


def pool(partner, network="172.16.0.0/20", **facts):
    given = {"name": network, "first": "172.16.0.1", "last": "172.16.15.254", "kind": "dynamic"} | facts
    return Pool.objects.create(partner=partner, network=network, **given)


@pytest.mark.parametrize("network", ["172.16.0.0/20", "172.16.8.0/21", "172.16.0.0/16", "172.16.15.255/32"])
def test_pools_of_one_vrf_do_not_overlap_whoever_has_them(partner, network):
    pool(partner)
    inside = {"first": network.partition("/")[0], "last": network.partition("/")[0], "name": "Second"}
    for owner in (partner, cast.partner("Neighbour")):
        with refused_by("network_pool_no_overlap"):
            pool(owner, network, **inside)
    assert pool(partner, network, **inside, vrf=1).vrf == 1


def test_a_pools_range_lies_inside_its_network_the_right_way_round(partner):
    with refused_by("network_pool_inside"):
        pool(partner, last="172.16.16.1")
    with refused_by("network_pool_order"):
        pool(partner, first="172.16.0.9", last="172.16.0.8")


@pytest.mark.parametrize("network", ["10.0.0.0/7", "0.0.0.0/0"])
def test_a_pool_has_a_size_that_can_be(partner, network):
    with refused_by("network_pool_size"):
        pool(partner, network, first="11.0.0.1", last="11.0.0.2")


def test_a_name_is_used_once(partner):
    pool(partner)
    with refused_by("network_pool_name"):
        pool(partner, "10.9.0.0/24", name="172.16.0.0/20", first="10.9.0.1", last="10.9.0.2")
    Router.objects.create(partner=partner, name="North", created_at=AT)
    with refused_by("network_router_name"):
        Router.objects.create(partner=partner, name="North", created_at=AT)
    Site.objects.create(partner=partner, name="Tower")
    with refused_by("network_site_name"):
        Site.objects.create(partner=partner, name="Tower")


@pytest.mark.parametrize(
    ("facts", "constraint"),
    [
        ({"cause": 5}, "range"),
        ({"page_port": 0}, "port"),
        ({"page_port": 65536}, "port"),
        ({"list_name": ""}, "list"),
        ({"cause": 1}, "cause"),
    ],
)
def test_a_row_of_the_cause_table_is_one_that_can_be(partner, facts, constraint):
    with refused_by(f"network_causerule_{constraint}"):
        CauseRule.objects.filter(partner=partner, cause=2).update(**facts)


def test_a_word_is_one_of_the_words(partner):
    router = Router.objects.create(partner=partner, name="North", created_at=AT)
    with refused_by("network_router_nas_type"):
        Router.objects.filter(pk=router.pk).update(nas_type="odd")
    with refused_by("network_routercause_answer"):
        RouterCause.objects.create(router=router, cause=2, answer="odd")
    with refused_by("network_pool_kind"):
        pool(partner, kind="odd")
