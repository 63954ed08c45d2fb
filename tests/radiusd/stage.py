"""A provider with one router and customers, straight into the tables: what radiusd finds when it starts."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_network
from pathlib import Path

from demarc.access.models import Nas, Policy, PoolBlock, Subscriber
from demarc.base.models import Partner
from demarc.base.seal import Sealer
from demarc.core.access import PRESETS
from demarc.core.addressing import blocks, prefixes
from demarc.customers.models import Account, Customer
from demarc.network.models import Pool, PoolKind, Router, RouterCause
from demarc.plans.models import Plan, Service

SECRET = "testing123-testing123"
BLOCK = 64
START = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Stage:
    """What was put there. `sealer` seals for radiusd."""

    sealer: Sealer
    partner: Partner
    plan: Plan
    nases: list[Nas] = field(default_factory=list)
    reject_pools: dict[int, Pool] = field(default_factory=dict)

    def seal(self, secret: str, place: str) -> bytes:
        return self.sealer.seal(secret.encode(), place)


def set_stage(keys: Path, addresses: tuple[str, ...] = ("127.0.0.1",), secret: str = SECRET) -> Stage:
    """A partner with the shipped cause table, a plan, and one router with a pool per address."""
    partner = Partner.objects.create(name="Valley Net", zone="Europe/Prague", currency="EUR")
    plan = Plan.objects.create(
        partner=partner, name="Home 10", currency="EUR", speed_down_kbps=10_000, speed_up_kbps=2_000
    )
    stage = Stage(Sealer((keys / "radius.pub").read_bytes()), partner, plan)
    for preset in PRESETS["demarc"]:
        stage.reject_pools[int(preset.cause)] = add_pool(
            stage, preset.list_name, str(preset.network), kind=PoolKind.REJECT
        )
    publish_policy(stage)
    for number, address in enumerate(addresses):
        add_nas(stage, address, secret, network=f"172.16.{16 * number}.0/20")
    return stage


def publish_policy(stage: Stage) -> None:
    causes = {
        str(int(preset.cause)): {
            "list": preset.list_name,
            "pool_id": stage.reject_pools[int(preset.cause)].pk,
            "page_port": preset.page_port,
        }
        for preset in PRESETS["demarc"]
    }
    body = {
        "partner_id": stage.partner.pk,
        "name": stage.partner.name,
        "causes": causes,
        "blocked_session_timeout_s": 300,
    }
    Policy.objects.update_or_create(partner=stage.partner, defaults={"body": body})


def add_pool(stage: Stage, name: str, network: str, kind: str = PoolKind.DYNAMIC, router: Router | None = None) -> Pool:
    net = ip_network(network)
    pool = Pool.objects.create(
        partner=stage.partner, name=name, kind=kind, network=network, router=router,
        first=str(net[1]), last=str(net[-2]),
    )  # fmt: skip
    if kind != PoolKind.STATIC:
        starts = range(0, net.num_addresses, BLOCK)
        _cut(pool, [(max(net[at], net[1]), min(net[at + BLOCK - 1], net[-2])) for at in starts])
    return pool


def add_prefix_pool(stage: Stage, name: str, network: str, kind: str, length: int, size: int = 4) -> Pool:
    """With blocks of `size` prefixes."""
    span = prefixes(ip_network(network), length)
    pool = Pool.objects.create(
        partner=stage.partner, name=name, kind=kind, network=network, prefix_length=length,
        first=str(span.first.network_address), last=str(span.last.network_address),
    )  # fmt: skip
    for block in blocks(span, size):
        PoolBlock.objects.create(
            pool=pool, first=str(block.first.network_address), last=str(block.last.network_address), size=len(block)
        )
    return pool


def _cut(pool: Pool, ends: list[tuple[IPv4Address, IPv4Address]]) -> None:
    PoolBlock.objects.bulk_create(
        PoolBlock(pool=pool, first=str(first), last=str(last), size=int(last) - int(first) + 1) for first, last in ends
    )


def add_nas(stage: Stage, address: str, secret: str = SECRET, network: str | None = None, **fields: object) -> Nas:
    nas_type = fields.pop("nas_type", "mikrotik")
    router = Router.objects.create(partner=stage.partner, name=f"Router {address}", created_at=START, nas_type=nas_type)
    nas = Nas.objects.create(router=router, partner=stage.partner, address=address, secret=b"", **fields)
    nas.secret = stage.seal(secret, f"access_nas.secret.{nas.pk}")
    nas.save()
    if network:
        add_pool(stage, f"Pool of {address}", network, router=router)
    stage.nases.append(nas)
    return nas


def answer(nas: Nas, cause: int, what: str) -> None:
    """This NAS's answer for a cause: list, pool or reject."""
    RouterCause.objects.update_or_create(router=nas.router, cause=cause, defaults={"answer": what})


def add_subscriber(stage: Stage, login: str, password: str = "secret", **fields: object) -> Subscriber:
    """An active subscriber with customer, account and service; `cause` blocks."""
    number = f"C{Customer.objects.count() + 1:06d}"
    customer = Customer.objects.create(
        partner=stage.partner, number=number, name=f"Customer {login}", status_since=START
    )
    account = Account.objects.create(
        partner=stage.partner, customer=customer, number=number, currency="EUR", zone="Europe/Prague"
    )
    service = Service.objects.create(
        partner=stage.partner, customer=customer, account=account, plan=stage.plan, state="active", access_since=START
    )
    values = {
        "active": True, "cause": None, "down_kbps": 10_000, "up_kbps": 2_000, "rate_limit": "2M/10M", **fields
    }  # fmt: skip
    subscriber = Subscriber.objects.create(partner=stage.partner, service=service, login=login, secret=b"", **values)
    subscriber.secret = stage.seal(password, f"access_subscriber.secret.{subscriber.pk}")
    subscriber.save()
    return subscriber
