"""When a CoA is repeated, and what it says; the rest is in the lab, with a real radiusd and a listening NAS."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path

import pytest
from tests.radiusd.serving import POLICY, serving
from tests.sim.nas import told

from demarc.radiusd.coa import Intent, request
from demarc.radiusd.coa_wire import waits
from demarc.wire.radius import decode

AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BLOCK = Intent(1, 1, "coa", False, False, "Reject_2", "2M/10M", "dora", "s1", "172.16.0.5", 1)


@pytest.mark.parametrize("jitter", [-0.1, 0.0, 0.1])
def test_it_waits_longer_each_time_and_gives_up_after_half_a_minute(jitter):
    """RFC 5080 section 2.2.1: from 2 s, doubled, at most five sendings and 30 s."""
    told = list(waits(jitter=lambda: jitter))
    assert told[0] == pytest.approx(2, rel=0.11)
    assert all(1.8 < later / earlier < 2.2 for earlier, later in pairwise(told[:-1]))
    assert len(told) <= 5
    assert sum(told) == pytest.approx(30)


def test_a_router_of_another_make_is_told_by_filter_id(tmp_path: Path):
    with serving(tmp_path) as server:
        server.put_nases(server.nas(nas_type="generic"))
        heard = told(decode(request(BLOCK, server.model.clients_by_id[1], 7, AT)))
    assert heard["Filter-Id"] == "Reject_2"
    assert heard["Framed-IP-Address"] == IPv4Address("172.16.0.5")
    assert heard["Event-Timestamp"] == AT
    assert not [name for name in heard.attributes if name.startswith("Mikrotik")]


def by_fair_use(tmp_path: Path, *, unblock: bool = False, **templates: str):
    """What a router hears of a block by fair use, or of its end."""
    answers = {"mikrotik": {"block": "list", "second": "refuse"} | templates}
    with serving(tmp_path) as server:
        server.put_nases(server.nas(), policy=POLICY | {"answers": answers})
        intent = replace(BLOCK, fair_use=True, unblock=unblock)
        return told(decode(request(intent, server.model.clients_by_id[1], 7, AT)))


def test_a_block_by_fair_use_and_its_end_have_attributes_of_their_own(tmp_path: Path):
    own = {"coa_fair_use": "Filter-Id = used-up-{down_kbps}", "coa_fair_restore": "Filter-Id = again-{down_kbps}"}
    heard = by_fair_use(tmp_path, **own)
    assert (heard["Filter-Id"], "Mikrotik-Address-List" in heard.attributes) == ("used-up-10000", False)
    assert by_fair_use(tmp_path, unblock=True, **own)["Filter-Id"] == "again-10000"


@pytest.mark.parametrize("own", [{}, {"coa_fair_use": "", "coa_fair_restore": ""}])
@pytest.mark.parametrize("unblock", [False, True])
def test_where_fair_use_has_none_of_its_own_those_of_any_block_are_told(tmp_path: Path, own, unblock):
    heard = by_fair_use(tmp_path, unblock=unblock, coa_block="Filter-Id = b", coa_restore="Filter-Id = r", **own)
    assert heard["Filter-Id"] == ("r" if unblock else "b")
