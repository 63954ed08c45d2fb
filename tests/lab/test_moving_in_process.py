"""A whole radiusd on a real database, with FreeRADIUS as the old server: one login is learned and from then on ours."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from tests.radiusd.serving import eventually
from tests.radiusd.stage import Stage, add_subscriber, set_stage
from tests.sim import freeradius
from tests.sim.freeradius import FreeRadius
from tests.sim.nas import PretendNas

from demarc.access import actions
from demarc.access.models import Decision, Learned, Subscriber
from demarc.base import clock
from demarc.base.actors import SYSTEM

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(not freeradius.available(), reason="needs freeradius"),
]

OLD_SECRET = "between the servers"
USERS = """
olga Cleartext-Password := "omega"
    Mikrotik-Rate-Limit = "3M/30M"
"""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreeRadius]:
    with freeradius.old_server(tmp_path_factory.mktemp("old"), OLD_SECRET, USERS) as running:
        yield running


@pytest.fixture(scope="module")
def stage(committed: None, old: FreeRadius) -> Stage:
    staged = set_stage(Path(settings.DEMARC_KEYS), ("127.0.0.2",))
    add_subscriber(staged, "alice", "alpha", static_ipv4="198.51.100.7")
    add_subscriber(staged, "olga")
    Subscriber.objects.filter(login="olga").update(secret=b"")
    actions.save_moving_in(
        router_id=staged.nases[0].router_id, mode="unknown", secret=OLD_SECRET, host="127.0.0.1", auth_port=old.auth,
        acct_port=old.acct, timeout_ms=3000, learn=True, by=SYSTEM, at=clock.now(),
    )  # fmt: skip
    return staged


@pytest.fixture
def nas() -> Iterator[PretendNas]:
    with PretendNas("127.0.0.2") as one:
        yield one


def test_she_moves_in(server, nas):
    assert nas.log_in(server.auth, "olga", "omega")["Mikrotik-Rate-Limit"] == "3M/30M"
    assert eventually(Learned.objects.exists, 10)
    assert actions.take_learned_passwords(at=clock.now()) == 1

    def ours() -> bool:
        answer = nas.log_in(server.auth, "olga", "omega", "chap")
        return answer is not None and answer.get("Mikrotik-Rate-Limit") == "2M/10M"

    assert eventually(ours, 10)
    assert nas.log_in(server.auth, "olga", "wrong", "chap").kind == "Access-Reject"
    status = server.until(lambda told: told["moving"].get("learned") == 1)
    assert [one["alive"] for one in status["old_servers"]] == [True]


def test_what_was_decided_is_in_the_database_within_seconds_and_holds_no_password(server, nas):
    nas.log_in(server.auth, "alice", "alpha", NAS_Port_Id="ether\u202e7", Calling_Station_Id="02:00:00:00:00:01")
    nas.log_in(server.auth, "alice", "a wrong one")
    nas.log_in(server.auth, "no\x00body\u202e", "secret word")
    assert eventually(lambda: Decision.objects.filter(login__startswith="no").exists(), 10)
    alice = Decision.objects.filter(login="alice", outcome="accept").get()
    assert (alice.credentials, alice.method, alice.address, alice.address_from) == (
        "pass", "pap", "198.51.100.7", "static",
    )  # fmt: skip
    assert (alice.port, alice.station, alice.found, alice.answered_by) == (
        "ether\u202e7", "02:00:00:00:00:01", "exact", "us",
    )  # fmt: skip
    assert "Mikrotik-Rate-Limit = 2M/10M" in alice.sent
    assert Decision.objects.get(login="alice", outcome="reject").cause == 4
    stranger = Decision.objects.get(login__startswith="no")
    assert (stranger.login, stranger.answered_by, stranger.found) == ("no\ufffdbody\u202e", "old", "none")
    everything = str(list(Decision.objects.values()))
    for word in ("alpha", "a wrong one", "secret word", "omega"):
        assert word not in everything
    server.until(lambda told: told["decisions_untold"] == 0 and told["decisions_written"] > 5)
