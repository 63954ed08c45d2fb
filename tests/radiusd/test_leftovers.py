"""Fewer processes than before: what those that are gone had acknowledged is shipped, then their files go."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from tests.cluster import Cluster
from tests.radiusd.stage import SECRET, Stage, add_subscriber, set_stage

from demarc.access.models import SessionLog
from demarc.project.config import RADIUS
from demarc.radiusd import journal, leftovers, records
from demarc.radiusd.config import Config
from demarc.wire.radius import Secret, accounting_request, encode_attributes

pytestmark = pytest.mark.usefixtures("committed")
STOP = 2


@pytest.fixture(scope="module")
def stage(committed: None) -> Stage:
    staged = set_stage(Path(settings.DEMARC_KEYS))
    add_subscriber(staged, "alice")
    return staged


@pytest.fixture
def config(cluster: Cluster, tmp_path: Path) -> Config:
    (tmp_path / "run").mkdir()
    return Config(url=cluster.url(RADIUS), data=tmp_path, keys=Path(settings.DEMARC_KEYS))


def write_stop(config: Config, stage: Stage, session: str) -> None:
    """One acknowledged Stop in the journal of this process."""
    named = {"Acct-Status-Type": STOP, "User-Name": "alice", "Acct-Session-Id": session, "Acct-Session-Time": 5}
    packet = accounting_request(1, encode_attributes(named.items()), Secret(SECRET.encode()))
    nas = stage.nases[0]
    record = records.Record(records.PACKET, 1_772_000_000_000_000, nas.pk, nas.partner_id, 0, 0, 0, "", packet)
    config.journal.mkdir(parents=True)
    journal.path_of(config.journal, 1).write_bytes(journal.frame(records.encode(record)))


async def ship(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMARC_RADIUS_URL", config.url)
    await leftovers.ship(config)


def test_a_journal_of_a_process_that_is_no_more_is_shipped_and_removed(config, stage, monkeypatch):
    gone = replace(config, index=2, processes=3)
    write_stop(gone, stage, "left")
    write_stop(config, stage, "ours")
    gone.status.write_text("{}")
    config.status.write_text("{}")
    asyncio.run(ship(config, monkeypatch))
    assert [one.session_id for one in SessionLog.objects.all()] == ["left"]
    assert journal.segments(gone.journal) == []
    assert journal.segments(config.journal) == [1]
    assert (gone.status.exists(), config.status.exists()) == (False, True)


def test_a_process_that_is_still_wanted_keeps_its_journal(config, stage):
    both = replace(config, processes=2)
    write_stop(replace(both, index=1), stage, "mine")
    assert leftovers.left(both) == []
    assert [writer for _, writer in leftovers.left(config)] == ["main/1"]
