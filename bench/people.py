"""Subscribers for benchmarks, made by the rooms' bulk actions. Import it after Django is set up."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bench.peer import SECRET, User
from demarc.access.actions import NewSubscriber, create_subscribers, publish_policy, save_nas, sync_services
from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.base.models import Partner
from demarc.billing.actions import NewPayment, activate_many, receive_many
from demarc.customers.actions import NewCustomer, create_customers, create_partner
from demarc.network.actions import create_pool, create_router, set_up_partner
from demarc.plans.actions import NewService, add_services, create_plan

CHUNK = 2000


def user(number: int) -> User:
    """One subscriber; radload.c writes the device of its n-th user like this."""
    device = "02:00:" + number.to_bytes(4, "big").hex(":")
    return User(f"user{number:06d}", f"pass{number:06d}", device, f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64")


def subscribers(count: int, nases: Sequence[str]) -> list[User]:
    """`count` active subscribers who pay monthly, behind these RADIUS clients.

    Each is bound to his device, may be online once, gets IPv4 from a pool and has an IPv6 prefix for good.
    """
    at = clock.now()
    partner = provider()
    for number, address in enumerate(nases):
        router = create_router(partner_id=partner.pk, name=f"bras-{number + 1}", by=SYSTEM, at=at)
        save_nas(router_id=router.pk, address=address, secret=SECRET, by=SYSTEM, at=at)
        create_pool(
            partner_id=partner.pk, name=f"pool {number + 1}", network=f"172.{16 + number}.0.0/16", router_id=router.pk,
            by=SYSTEM, at=at,
        )  # fmt: skip
    users = [user(number) for number in range(count)]
    for start in range(0, count, CHUNK):
        some = users[start : start + CHUNK]
        services = held(partner, len(some), start, "recurring")
        create_subscribers([login_of(*pair) for pair in zip(services, some, strict=True)], by=SYSTEM, at=at)
        activate_many(services, by=SYSTEM, at=at)
        sync_services(services, by=SYSTEM, at=at)
    publish_policy(partner.pk, by=SYSTEM, at=at)
    return users


def login_of(service_id: int, one: User) -> NewSubscriber:
    """Bound to his device, with his prefix."""
    return NewSubscriber(
        service_id=service_id, login=one.login, password=one.password, macs=[one.device], bind_mac=True,
        framed_ipv6_prefix=one.prefix,
    )  # fmt: skip


def provider() -> Partner:
    """A partner with one plan."""
    at = clock.now()
    partner = create_partner(name="Bench", zone="Europe/Madrid", currency="EUR", language="en", by=SYSTEM, at=at)
    set_up_partner(partner.pk, by=SYSTEM, at=at)
    create_plan(
        partner_id=partner.pk, name="Fibre", price=4000, speed_down_kbps=50_000, speed_up_kbps=10_000, by=SYSTEM, at=at
    )
    return partner


def held(partner: Partner, count: int, start: int, billing_type: str, at: datetime | None = None) -> list[int]:
    """Customers with a pending service each; the services' ids."""
    at = at or clock.now()
    new = [NewCustomer(name=f"Customer {start + number}", billing_type=billing_type) for number in range(count)]
    customers = create_customers(new, partner_id=partner.pk, by=SYSTEM, at=at)
    plan_id = partner.plans.get().pk
    wanted = [NewService(customer_id=customer.pk, plan_id=plan_id) for customer in customers]
    return [service.pk for service in add_services(wanted, by=SYSTEM, at=at)]


def prepaid(partner: Partner, count: int, paid: int, *, at: datetime) -> Iterator[int]:
    """`count` prepaid accounts with an active service and `paid` minor units each; yields how many are done."""
    for start in range(0, count, CHUNK):
        customers = create_customers(
            [NewCustomer(name=f"Prepaid {start + number}") for number in range(min(CHUNK, count - start))],
            partner_id=partner.pk, by=SYSTEM, at=at,
        )  # fmt: skip
        plan_id = partner.plans.get().pk
        services = add_services(
            [NewService(customer_id=customer.pk, plan_id=plan_id) for customer in customers], by=SYSTEM, at=at
        )
        receive_many(
            [
                NewPayment(
                    account_id=service.account_id, amount=paid, method="bank", received_on=at.date(),
                    key=f"bench:{service.account_id}",
                )
                for service in services
            ],
            by=SYSTEM, at=at,
        )  # fmt: skip
        activate_many([service.pk for service in services], by=SYSTEM, at=at)
        yield start + len(services)
