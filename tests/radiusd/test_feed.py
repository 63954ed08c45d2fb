"""News reach the memory: none is missed however late it is committed, and none stalls the rest."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from tests.cluster import Cluster
from tests.radiusd.stage import Stage, add_nas, add_subscriber, set_stage

from demarc.access.models import Feed, Subscriber
from demarc.base.seal import Opener
from demarc.core.access import Cause
from demarc.project.config import APP, RADIUS
from demarc.radiusd import feed
from demarc.radiusd.feed import Follower
from demarc.radiusd.model import Model


@pytest.fixture(scope="module")
def stage(committed: None) -> Stage:
    return set_stage(Path(settings.DEMARC_KEYS))


@pytest.fixture(scope="module")
def alice(stage: Stage) -> Subscriber:
    return add_subscriber(stage, "alice", "alpha")


@pytest.fixture
def model(alice: Subscriber) -> Model:
    Feed.objects.all().delete()
    Subscriber.objects.update(cause=None)
    return Model(Opener((Path(settings.DEMARC_KEYS) / "radius.key").read_bytes()))


@pytest.fixture
def connections(cluster: Cluster) -> Iterator[Callable[[], psycopg.Connection]]:
    """Connections of the application, each its own transaction."""
    opened: list[psycopg.Connection] = []

    def open_one() -> psycopg.Connection:
        opened.append(psycopg.connect(cluster.url(APP)))
        return opened[-1]

    yield open_one
    for conn in opened:
        conn.close()


def block(conn: psycopg.Connection, subscriber: Subscriber, cause: int) -> None:
    conn.execute("UPDATE access_subscriber SET cause = %s WHERE id = %s", [cause, subscriber.pk])
    conn.execute("INSERT INTO access_feed (kind, key) VALUES ('subscriber', %s)", [subscriber.pk])


async def following(cluster: Cluster, model: Model) -> tuple[Follower, asyncio.Task[None]]:
    follower = Follower(cluster.url(RADIUS), model)
    task = asyncio.create_task(follower.run())
    await asyncio.wait_for(follower.loaded.wait(), 10)
    return follower, task


async def until(what: Callable[[], bool], within_s: float = 5) -> float:
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < within_s, "not so in time"
        await asyncio.sleep(0.01)
    return time.monotonic() - began


def test_everything_is_read_at_the_start(cluster, model, stage, alice):
    async def story() -> None:
        _, task = await following(cluster, model)
        assert model.password(model.logins[alice.pk]) == b"alpha"
        client = model.client("127.0.0.1")
        assert client.logins[b"alice"].id == alice.pk
        assert client.policy.rules[Cause.NO_MONEY].list_name == "Reject_2"
        assert client.policy.nas[client.id].pool_ids
        task.cancel()

    asyncio.run(story())


def test_two_transactions_that_commit_in_reverse_order_are_both_seen(cluster, model, stage, alice, connections):
    """The later one commits first; a reader that went by ids or by time alone would miss the earlier one."""
    bob = Subscriber.objects.filter(login="bob").first() or add_subscriber(stage, "bob", "beta")

    async def story() -> None:
        _, task = await following(cluster, model)
        early, late = connections(), connections()
        block(early, alice, 1)
        block(late, bob, 2)
        late.commit()
        await until(lambda: model.logins[bob.pk].rule.blocked == Cause.NO_MONEY)
        assert model.logins[alice.pk].rule.blocked is None
        await asyncio.sleep(1.2)  # a poll that sees the late one only
        early.commit()
        await until(lambda: model.logins[alice.pk].rule.blocked == Cause.NOT_ACTIVE)
        task.cancel()

    asyncio.run(story())


def test_a_transaction_that_stays_open_holds_up_no_other(cluster, model, alice, connections):
    async def story() -> None:
        _, task = await following(cluster, model)
        sleeper = connections()
        sleeper.execute("INSERT INTO access_feed (kind, key) VALUES ('subscriber', 0)")
        busy = connections()
        for cause in (1, 2, 1):
            block(busy, alice, cause)
            busy.commit()
            await until(lambda cause=cause: model.logins[alice.pk].rule.blocked == cause)
        sleeper.rollback()
        task.cancel()

    asyncio.run(story())


def test_a_notification_wakes_at_once(cluster, model, alice, connections):
    async def story() -> None:
        _, task = await following(cluster, model)
        await asyncio.sleep(0.3)
        conn = connections()
        block(conn, alice, 2)
        conn.execute("SELECT pg_notify('demarc_feed', '')")
        conn.commit()
        assert await until(lambda: model.logins[alice.pk].rule.blocked == Cause.NO_MONEY) < 0.7
        task.cancel()

    asyncio.run(story())


def test_a_login_that_changes_hands_and_one_that_goes(cluster, model, stage, alice, connections):
    gone = add_subscriber(stage, "gone")
    heir = add_subscriber(stage, "heir")

    async def story() -> None:
        _, task = await following(cluster, model)
        logins = model.logins.of_partner(stage.partner.pk)
        conn = connections()
        conn.execute("DELETE FROM access_subscriber WHERE id = %s", [gone.pk])
        conn.execute("UPDATE access_subscriber SET login = 'gone' WHERE id = %s", [heir.pk])
        conn.execute("INSERT INTO access_feed (kind, key) SELECT 'subscriber', unnest(%s)", [[heir.pk, gone.pk]])
        conn.commit()
        await until(lambda: b"heir" not in logins)
        assert logins[b"gone"].id == heir.pk
        assert gone.pk not in model.logins
        task.cancel()

    asyncio.run(story())


def test_what_happened_while_the_connection_was_gone_is_caught_up(cluster, model, alice, connections):
    async def story() -> None:
        _, task = await following(cluster, model)
        with psycopg.connect(
            cluster.superuser_url.replace("dbname=postgres", "dbname=demarc"), autocommit=True
        ) as root:
            root.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'demarc r%'"
            )
        conn = connections()
        block(conn, alice, 2)
        conn.commit()
        await until(lambda: model.logins[alice.pk].rule.blocked == Cause.NO_MONEY)
        task.cancel()

    asyncio.run(story())


def test_who_has_not_read_for_longer_than_the_feed_is_kept_reads_everything(
    cluster, model, alice, connections, monkeypatch
):
    async def story() -> None:
        _, task = await following(cluster, model)
        monkeypatch.setattr(feed, "RELOAD_S", -1)
        conn = connections()
        conn.execute("UPDATE access_subscriber SET cause = 2 WHERE id = %s", [alice.pk])  # its news was pruned
        conn.commit()
        await until(lambda: model.logins[alice.pk].rule.blocked == Cause.NO_MONEY)
        task.cancel()

    asyncio.run(story())


def test_one_row_that_makes_no_sense_keeps_no_other_out(cluster, model, stage, alice, connections):
    nas = add_nas(stage, "127.0.0.44")
    conn = connections()
    conn.execute("UPDATE access_nas SET secret = 'not sealed' WHERE id = %s", [nas.pk])
    conn.execute("UPDATE access_subscriber SET cause = 77 WHERE id = %s", [alice.pk])
    bob = add_subscriber(stage, "bert")
    conn.commit()

    async def story() -> None:
        _, task = await following(cluster, model)
        assert model.unreadable == {f"NAS {nas.pk}", f"subscriber {alice.pk}"}
        assert model.client("127.0.0.1") is not None
        assert bob.pk in model.logins
        task.cancel()

    asyncio.run(story())
