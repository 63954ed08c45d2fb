"""No address is ever in two hands: two processes on one pool, a restart, and what the database remembers."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from tests.cluster import Cluster
from tests.radiusd.stage import Stage, add_pool, add_prefix_pool, add_subscriber, set_stage

from demarc.access.models import Lease, PoolBlock
from demarc.base.seal import Opener
from demarc.core.addressing import number_of
from demarc.network.models import Pool
from demarc.project.config import RADIUS
from demarc.radiusd import feed, promises
from demarc.radiusd.config import Config
from demarc.radiusd.feed import Follower
from demarc.radiusd.leases import POLL_S, Leases, Leasing
from demarc.radiusd.model import Model
from demarc.radiusd.online import Online, Place, Session
from demarc.radiusd.promises import Promise, Promises

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def stage(committed: None) -> Stage:
    return set_stage(Path(settings.DEMARC_KEYS))


@pytest.fixture
def pool(stage: Stage) -> Iterator[Pool]:
    """1,022 addresses in blocks of 64, all free."""
    pool = Pool.objects.filter(name="dynamic").first() or add_pool(stage, "dynamic", "10.64.0.0/22")
    PoolBlock.objects.update(owner="", free_after=None)
    Lease.objects.all().delete()
    return pool


@pytest.fixture
def config(cluster: Cluster, tmp_path: Path) -> Config:
    return Config(url=cluster.url(RADIUS), data=tmp_path, keys=Path(settings.DEMARC_KEYS), processes=2)


class Process:
    """What of a radiusd process has to do with addresses."""

    def __init__(self, config: Config, life: str = "1") -> None:
        self.config = config
        self.model = Model(Opener((config.keys / "radius.key").read_bytes()))
        self.online = Online()
        self.leases = Leases(self.model, Promises(config.journal))
        self.leasing = Leasing(config, self.leases, self.online, lambda: NOW, life)

    async def start(self) -> None:
        async with await feed.connect(self.config.url) as conn:
            await Follower(self.config.url, self.model).load(conn)
        self.task = asyncio.create_task(self.leasing.run())
        await asyncio.wait_for(self.leasing.ready.wait(), 10)

    async def take(self, service: int, pool: Pool) -> IPv4Address | None:
        """As the NAS does: ask again while a block is on its way."""
        while True:
            address = self.leases.take(service, (pool.pk,), NOW)
            if address is not None or not self.leases.arriving((pool.pk,)):
                return address
            await asyncio.sleep(0.01)


def test_two_processes_share_a_pool_to_its_last_address_and_give_none_twice(config, pool):
    async def story() -> list[IPv4Address]:
        processes = [Process(replace(config, index=index)) for index in (0, 1)]
        for process in processes:
            await process.start()
        given: list[IPv4Address] = []
        for service in range(1, 1200):
            for process in (processes[service % 2], processes[(service + 1) % 2]):  # what one lacks the other may have
                address = await process.take(service, pool)
                if address is not None:
                    given.append(address)
                    break
        for process in processes:
            process.task.cancel()
        return given

    given = asyncio.run(story())
    assert len(given) == len(set(given)) == 1022


def test_a_customer_keeps_his_address_as_long_as_he_can(config, pool):
    async def story() -> None:
        process = Process(config)
        await process.start()
        first = await process.take(1, pool)
        await process.take(2, pool)
        assert await process.take(1, pool) == first
        process.leases.confirm(1, first, "s1")
        process.leases.release(first, "s1")
        assert await process.take(3, pool) != first
        assert await process.take(1, pool) == first
        process.task.cancel()

    asyncio.run(story())


def test_a_restart_knows_who_is_online_and_who_was_promised_an_address(config, pool):
    async def story() -> None:
        before = Process(config)
        await before.start()
        online, promised = await before.take(1, pool), await before.take(2, pool)
        before.leases.write_down()
        before.task.cancel()
        after = Process(config, life="2")
        after.online.put(Session((1, "s1", "x"), None, 1, Place(1, b"", b""), online, False, 0.0, 0.0))
        await after.start()
        # Nobody knows whether the other one's session began: nobody else gets his address.
        given = {await after.take(service, pool) for service in range(3, 400)}
        assert len(given - {None}) > 300
        assert not {promised, online} & given
        assert await after.take(1, pool) == online
        assert await after.take(2, pool) == promised
        after.task.cancel()

    asyncio.run(story())
    assert set(PoolBlock.objects.exclude(owner="").values_list("owner", flat=True)) == {"main/0/2"}


def test_however_often_it_restarts_there_are_addresses(config, pool):
    async def story() -> None:
        for life in range(12):
            process = Process(config, life=str(life))
            await process.start()
            assert len({await process.take(service, pool) for service in range(1, 200)} - {None}) == 199
            process.leases.write_down()
            process.task.cancel()

    asyncio.run(story())


def test_after_the_machines_restart_all_of_the_old_blocks_wait(config, pool, monkeypatch):
    async def story() -> None:
        before = Process(config)
        await before.start()
        given = [await before.take(service, pool) for service in range(1, 100)]
        before.leases.write_down()
        before.task.cancel()
        monkeypatch.setattr(promises, "_boot_id", lambda: b"another".ljust(36))
        after = Process(config, life="2")
        await after.start()
        fresh = {await after.take(service, pool) for service in range(1001, 1400)} - {None}
        assert fresh
        assert not fresh & set(given)
        after.task.cancel()

    asyncio.run(story())


def test_promises_outlive_the_process_and_a_torn_one_was_never_answered(tmp_path):
    first = Promises(tmp_path)
    assert not first.whole
    first.note(1, 7, IPv4Address("10.0.0.7"), NOW)
    first.note(1, 7, IPv4Address("10.0.0.7"), NOW)
    first.note(1, 8, IPv4Address("10.0.0.8"), NOW)
    first.write()
    with (tmp_path / "promises").open("ab") as file:
        file.write(b"torn")
    second = Promises(tmp_path)
    at_s = int(NOW.timestamp())
    assert second.whole
    assert second.told == [
        Promise(1, 7, number_of(IPv4Address("10.0.0.7")), at_s),
        Promise(1, 8, number_of(IPv4Address("10.0.0.8")), at_s),
    ]
    second.note(1, 9, IPv4Address("10.0.0.9"), NOW + timedelta(hours=3))
    second.note(1, 10, IPv4Address("10.0.0.10"), NOW + timedelta(hours=6))
    second.write()
    assert [promise.service_id for promise in Promises(tmp_path).told] == [9, 10]


def test_promises_that_cannot_be_noted_are_not_believed(tmp_path, monkeypatch):
    first = Promises(tmp_path)
    first.note(1, 7, IPv4Address("10.0.0.7"), NOW)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(promises.os, "write", full)
        first.write()
    assert not Promises(tmp_path).whole


def test_blocks_of_a_process_that_is_no_more_are_adopted(config, pool):
    PoolBlock.objects.filter(pool=pool).update(owner="main/7/1")

    async def story() -> None:
        process = Process(config)
        await process.start()
        assert await process.take(1, pool) is None  # all of it waits
        process.task.cancel()

    asyncio.run(story())
    assert set(PoolBlock.objects.filter(pool=pool).values_list("owner", flat=True)) == {"main/0/1"}


def test_blocks_of_another_node_and_of_a_living_process_are_left_alone(config, pool):
    first, second = PoolBlock.objects.filter(pool=pool).order_by("first")[:2]
    PoolBlock.objects.filter(pk=first.pk).update(owner="elsewhere/0/1")
    PoolBlock.objects.filter(pk=second.pk).update(owner="main/1/1")

    async def story() -> None:
        process = Process(config)
        await process.start()
        process.task.cancel()

    asyncio.run(story())
    owners = dict(PoolBlock.objects.filter(pool=pool).values_list("pk", "owner"))
    assert (owners[first.pk], owners[second.pk]) == ("elsewhere/0/1", "main/1/1")


def test_who_had_which_address_is_written_behind(config, pool, stage):
    service = add_subscriber(stage, "alice").service

    async def story() -> IPv4Address | None:
        process = Process(config)
        await process.start()
        address = await process.take(service.pk, pool)
        await asyncio.sleep(3 * POLL_S)
        process.task.cancel()
        return address

    address = asyncio.run(story())
    assert written() == [(service.pk, address)]


def written() -> list[tuple[int, IPv4Address]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT service_id, host(address) FROM access_lease")
        return [(service, IPv4Address(address)) for service, address in cursor.fetchall()]


def test_a_pool_that_became_smaller_gives_out_only_what_is_left(config, pool):
    pool.last = "10.64.0.70"
    pool.save()

    async def story() -> set[IPv4Address | None]:
        process = Process(config)
        await process.start()
        given = {await process.take(service, pool) for service in range(1, 200)}
        process.task.cancel()
        return given

    try:
        given = asyncio.run(story()) - {None}
        assert max(given) == IPv4Address("10.64.0.70")
        assert len(given) == 70
    finally:
        pool.last = "10.64.3.254"
        pool.save()


def test_two_processes_share_a_pool_of_prefixes_and_the_database_remembers_whose_they_are(config, stage):
    six = add_prefix_pool(stage, "six", "2001:db8:100::/51", "delegated", 56)
    services = [add_subscriber(stage, f"six{number}").service_id for number in range(12)]

    async def story() -> dict[int, IPv6Network]:
        processes = [Process(replace(config, index=index)) for index in (0, 1)]
        for process in processes:
            await process.start()
        given = {}
        for number, service in enumerate(services):
            given[service] = processes[number % 2].leases.take_prefix(service, (six.pk,), NOW)
            await asyncio.sleep(0.01)
        await asyncio.sleep(3 * POLL_S)
        for process in processes:
            process.task.cancel()
        return given

    given = asyncio.run(story())
    assert len(set(given.values())) == 12
    with connection.cursor() as cursor:
        cursor.execute("SELECT service_id, address::text FROM access_lease WHERE pool_id = %s", [six.pk])
        assert dict(cursor.fetchall()) == {service: str(prefix) for service, prefix in given.items()}
    assert set(PoolBlock.objects.filter(pool=six).exclude(owner="").values_list("owner", flat=True)) == {
        "main/0/1", "main/1/1"
    }  # fmt: skip
    Pool.objects.filter(pk=six.pk).delete()
