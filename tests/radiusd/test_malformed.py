"""A slice of bench/campaigns/malformed.py: five thousand malformed packets at a running radiusd, real ones between."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.campaigns.malformed import Outcome, Target, flood
from django.conf import settings
from tests.cluster import Cluster
from tests.radiusd.process import radiusd
from tests.radiusd.stage import SECRET, add_subscriber, set_stage
from tests.sim.nas import PretendNas

from demarc.project.config import RADIUS

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("radiusd-malformed")]

NAS = "127.0.0.24"
CUSTOMER = {"login": "alice", "password": "alpha", "mac": "02:00:00:00:00:01"}


@pytest.fixture(scope="module")
def outcome(committed: None, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    stage = set_stage(Path(settings.DEMARC_KEYS), (NAS,))
    add_subscriber(stage, CUSTOMER["login"], CUSTOMER["password"])
    data = tmp_path_factory.mktemp("malformed")
    with (
        radiusd(data, cluster.url(RADIUS), DEMARC_KEYS=str(settings.DEMARC_KEYS)) as running,
        PretendNas(NAS, secret=SECRET) as nas,
    ):
        told = data / "run" / "radiusd.json"
        target = Target(running.running.pid, running.auth, running.acct, told, CUSTOMER)
        yield flood(target, nas, 15_000, 1, lambda sample: None)


def test_real_customers_are_answered_between_malformed_packets(outcome):
    assert outcome.real == 150
    assert outcome.unanswered == 0


def test_memory_and_descriptors_stay_as_they_are(outcome):
    assert outcome.growth("radiusd") < 0.05
    assert outcome.growth("shipper") < 0.05
    assert outcome.leaked_descriptors <= 0


def test_the_counters_tell_what_became_of_every_packet(outcome):
    assert outcome.counted["malformed"] > 2_000
    assert outcome.counted["wrong_secret"] > 100
    assert 0 <= outcome.unaccounted <= outcome.status_servers


def test_no_packet_meets_a_bug_and_every_record_reaches_the_database(outcome):
    assert outcome.counted["bug"] == 0
    assert outcome.parked == 0
    assert outcome.undrained == ""
