"""What radiusd is told of a partner beside his logins."""

from ipaddress import IPv4Address
from itertools import pairwise

import pytest
from tests import cast
from tests.access.scene import pool, scene
from tests.cast import AT, STAFF

from demarc.access import actions
from demarc.access.models import Feed, PoolBlock
from demarc.network import actions as network
from demarc.network.models import Pool
from demarc.network.queries import cause_rules

pytestmark = pytest.mark.django_db


def publish(partner):
    return actions.publish_policy(partner.pk, at=AT)


def spans(of: Pool) -> list[tuple[int, int]]:
    blocks = PoolBlock.objects.filter(pool=of).order_by("first")
    return [(int(IPv4Address(block.first)), int(IPv4Address(block.last))) for block in blocks]


def test_a_policy_holds_the_cause_table_and_the_list_that_lifts():
    partner = cast.partner()
    network.set_up_partner(partner.pk, by=STAFF, at=AT)
    body = publish(partner).body
    pools = {rule.cause: rule.pool_id for rule in cause_rules(partner.pk)}
    answers = body.pop("answers")
    assert set(answers) == {"mikrotik", "accel", "cisco", "generic"}
    assert (answers["mikrotik"]["block"], answers["cisco"]["block"]) == ("list", "pool")
    assert body == {
        "partner_id": partner.pk,
        "name": "Demarc",
        "causes": {
            "0": {"list": "Reject_0", "pool_id": pools[0], "page_port": 8101},
            "1": {"list": "Reject_1", "pool_id": pools[1], "page_port": 8101},
            "2": {"list": "Reject_2", "pool_id": pools[2], "page_port": 8102},
            "3": {"list": "Reject_3", "pool_id": pools[3], "page_port": 8103},
            "4": {"list": "Reject_4", "pool_id": pools[4], "page_port": 8104},
        },
        "blocked_session_timeout_s": 300,
        "restore_list": "Demarc_active",
    }


def test_publishing_again_follows_the_table():
    partner = cast.partner()
    network.set_up_partner(partner.pk, by=STAFF, at=AT)
    publish(partner)
    network.set_cause_rule(partner.pk, 2, list_name="debtors", by=STAFF, at=AT)
    assert publish(partner).body["causes"]["2"]["list"] == "debtors"


def test_radiusd_is_told_to_read_policy_pools_and_routers_again():
    on = scene()
    publish(on.partner)
    told = set(Feed.objects.values_list("kind", "key"))
    pools = Pool.objects.filter(partner=on.partner).values_list("pk", flat=True)
    assert told >= {("policy", on.partner.pk), ("nas", on.nas.pk), *(("pool", one) for one in pools)}


@pytest.mark.parametrize(
    ("text", "size", "count"),
    [("10.1.0.0/20", 64, 64), ("10.1.0.0/24", 15, 17), ("10.1.0.0/29", 1, 6), ("10.0.0.0/12", 256, 4096)],
)
def test_a_pool_is_cut_into_blocks_without_gap_or_overlap(text, size, count):
    partner = cast.partner()
    made = pool(partner, "Pool", text)
    publish(partner)
    cut = spans(made)
    assert len(cut) == count
    assert max(last - first + 1 for first, last in cut) == size
    assert (cut[0][0], cut[-1][1]) == (int(IPv4Address(made.first)), int(IPv4Address(made.last)))
    assert all(before[1] + 1 == after[0] for before, after in pairwise(cut))


def test_pools_are_cut_once_and_static_ones_never():
    on = scene()
    publish(on.partner)
    before = spans(on.dynamic)
    PoolBlock.objects.filter(pool=on.dynamic).update(owner="main/0")
    publish(on.partner)
    assert spans(on.dynamic) == before
    assert not PoolBlock.objects.filter(pool=on.dynamic, owner="").exists()
    assert spans(on.static) == []
