"""When a CoA is repeated, and what it says; the rest is in the lab, with a real radiusd and a listening NAS."""

from datetime import UTC, datetime
from ipaddress import IPv4Address
from itertools import pairwise
from pathlib import Path

import pytest
from tests.radiusd.serving import serving
from tests.sim.nas import told

from demarc.radiusd.coa import Intent, request
from demarc.radiusd.coa_wire import waits
from demarc.wire.radius import decode

AT = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BLOCK = Intent(1, 1, "coa", False, "Reject_2", "2M/10M", "dora", "s1", "172.16.0.5", 1)


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
