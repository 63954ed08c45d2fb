"""What a module about a whole radiusd begins with; one that has others overrides `stage`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from tests.cluster import Cluster
from tests.radiusd.process import Radiusd, radiusd
from tests.radiusd.stage import Stage, add_subscriber, set_stage

from demarc.project.config import RADIUS


@pytest.fixture(scope="module")
def stage(committed: None) -> Stage:
    """The cast: active alice with a static address, active bob, late dora, and one who is bound to a device."""
    staged = set_stage(Path(settings.DEMARC_KEYS))
    add_subscriber(staged, "alice", "alpha", static_ipv4="198.51.100.7")
    add_subscriber(staged, "bob", "beta")
    add_subscriber(staged, "dora", "delta", cause=2)
    add_subscriber(staged, "mac", "mu", bind_mac=True, macs=["02:00:00:00:00:01"])
    return staged


@pytest.fixture(scope="module")
def server(stage: Stage, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radiusd]:
    data = tmp_path_factory.mktemp("radiusd")
    with radiusd(data, cluster.url(RADIUS), DEMARC_KEYS=str(settings.DEMARC_KEYS)) as running:
        yield running
