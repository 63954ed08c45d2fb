"""Pools of addresses. Knows no lease: those are the access room's and radiusd's."""

from datetime import datetime
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Network
from typing import NamedTuple, TypedDict, Unpack

from django.db import IntegrityError, transaction

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.base.events import emit
from demarc.core.addressing import prefixes, usable
from demarc.core.errors import Refused
from demarc.network.models import PREFIX_KINDS, Pool, PoolKind, Router
from demarc.network.queries import overlapping_pool

NO_HOSTS = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3")))
"""RouterOS takes a Framed-IP-Address of 127/8, or from 224 on, as "choose one yourself"."""

LINE_LENGTH = 64
PREFIX_LENGTHS: dict[str, int] = {PoolKind.PREFIX: LINE_LENGTH, PoolKind.DELEGATED: 56}
PREFIX_BITS_MAX = 20
HELD_IN_POOL = "access_prefix_not_in_pool"
"""The guard of the access room's prefixes that are held for good (its migration 0006)."""


class PoolPlace(TypedDict, total=False):
    """Where a pool lies. Without `first` and `last` it is all hosts of its network; a pool without a router is for
    all routers of the partner. `prefix_length`: of a pool of IPv6 prefixes, how long each is; 64 and 56 by itself."""

    first: str | None
    last: str | None
    router_id: int | None
    vrf: int
    prefix_length: int | None


class PoolFacts(TypedDict, total=False):
    """What may be changed on a pool; its addresses are fixed, since sessions and customers hold them."""

    name: str
    router_id: int | None


class _Range(NamedTuple):
    network: IPv4Network | IPv6Network
    first: str
    last: str
    prefix_length: int = 32


@transaction.atomic
def create_pool(
    *,
    partner_id: int,
    name: str,
    network: str,
    kind: str = PoolKind.DYNAMIC,
    by: Actor,
    at: datetime,
    **place: Unpack[PoolPlace],
) -> Pool:
    """A network whose addresses are given out: to sessions (dynamic), to one service each (static), or to the blocked;
    or an IPv6 network whose prefixes sessions get, for the line or for the customer's router.

    Refused: not a network that can hold hosts, range outside it, name taken, an overlap (the pool in the way is the
    holder), or a login holds a prefix in it for good.
    """
    if kind not in PoolKind.values:
        raise Refused(f"Choose one of {', '.join(PoolKind.values)}.", field="kind")
    if kind in PREFIX_KINDS:
        span = _prefixes(kind, network, place.get("prefix_length"))
    else:
        span = _range(network, place.get("first"), place.get("last"))
    pool = Pool(
        partner_id=partner_id,
        name=name,
        kind=kind,
        vrf=place.get("vrf", 0),
        router_id=place.get("router_id"),
        **span._asdict(),
    )
    _check_pool(pool)
    _refuse_overlap(span.network, pool)
    try:
        with transaction.atomic():
            pool.save()
    except IntegrityError as error:  # another one was quicker, or what only the database sees; say which
        _refuse_overlap(span.network, pool)
        if HELD_IN_POOL in str(error):
            raise Refused(f"A login holds a prefix of {span.network} for good.", field="network") from error
        # Row security hides the other provider's pools.
        raise Refused(f"Another pool has addresses of {span.network}.", field="network", code="overlap") from error
    _pool_changed("created", pool, by=by, at=at, name=pool.name, network=str(span.network), kind=kind)
    return pool


@transaction.atomic
def update_pool(pool_id: int, *, by: Actor, at: datetime, **changes: Unpack[PoolFacts]) -> Pool:
    """Rename a pool or give it to another router. Refused: name empty or taken, router of another partner."""
    pool = Pool.objects.select_for_update().get(pk=pool_id)
    before = log.snapshot(pool)
    pool.name = changes.get("name", pool.name)
    pool.router_id = changes.get("router_id", pool.router_id)
    _check_pool(pool)
    pool.save(update_fields=["name", "router"])
    _pool_changed("changed", pool, by=by, at=at, changed=log.changes(before, pool))
    return pool


def _pool_changed(verb: str, pool: Pool, *, by: Actor, at: datetime, **body: object) -> None:
    log.record(verb, by=by, at=at, subject=("pool", pool.pk), partner_id=pool.partner_id, **body)
    emit("PolicyChanged", partners=[pool.partner_id])


def _range(network: str, first: str | None, last: str | None) -> _Range:
    try:
        net = IPv4Network(network.strip())
    except ValueError as error:
        raise Refused(f"{network} is not a network such as 172.16.0.0/20.", field="network") from error
    if net.prefixlen < 8 or any(net.overlaps(bad) for bad in NO_HOSTS):
        raise Refused(f"Customers cannot have the addresses of {net}.", field="network")
    hosts = usable(net)
    start = _inside(net, first, "first") if first else hosts.first
    end = _inside(net, last, "last") if last else hosts.last
    if end < start:
        raise Refused(f"The last address {end} comes before the first {start}.", field="last")
    return _Range(net, str(start), str(end))


def _prefixes(kind: str, network: str, length: int | None) -> _Range:
    """RFC 4862 section 5.5.3 wants a /64 on a line; a delegated prefix is longer than its network and no longer than
    that."""
    try:
        net = IPv6Network(network.strip())
    except ValueError as error:
        raise Refused(f"{network} is not an IPv6 network such as 2001:db8:100::/40.", field="network") from error
    if net.is_multicast or net.is_link_local or net.is_loopback or net.is_unspecified:
        raise Refused(f"Customers cannot have the addresses of {net}.", field="network")
    each = length or PREFIX_LENGTHS[kind]
    if each != LINE_LENGTH and kind == PoolKind.PREFIX:
        raise Refused(f"The prefix of a line is a /{LINE_LENGTH}.", field="prefix_length")
    if not net.prefixlen <= each <= LINE_LENGTH:
        raise Refused(f"From {net.prefixlen} to {LINE_LENGTH}.", field="prefix_length")
    if each - net.prefixlen > PREFIX_BITS_MAX:
        raise Refused(f"{net} has more than a million prefixes of /{each}: take a smaller one.", field="network")
    span = prefixes(net, each)
    return _Range(net, str(span.first.network_address), str(span.last.network_address), each)


def _inside(network: IPv4Network, text: str, field: str) -> IPv4Address:
    try:
        address = IPv4Address(text.strip())
    except AddressValueError as error:
        raise Refused(f"{text} is not an IPv4 address.", field=field) from error
    if address not in network:
        raise Refused(f"{address} lies outside {network}.", field=field)
    return address


def _check_pool(pool: Pool) -> None:
    pool.name = texts.name(pool.name)
    if not 0 <= pool.vrf < 2**31 - 1:
        raise Refused("A VRF is a number from 0 on.", field="vrf")
    if pool.router_id and not Router.objects.filter(pk=pool.router_id, partner_id=pool.partner_id).exists():
        raise Refused("The partner has no such router.", field="router_id")
    namesakes = Pool.objects.filter(partner_id=pool.partner_id, name=pool.name).exclude(pk=pool.pk)
    if taken := namesakes.first():
        raise Refused(f"There is a pool {pool.name} already.", field="name", code="taken", holder=("pool", taken.pk))


def _refuse_overlap(network: IPv4Network | IPv6Network, pool: Pool) -> None:
    other = overlapping_pool(network, pool.vrf)
    if other is None:
        return
    if other.partner_id != pool.partner_id:
        raise Refused(f"{network} overlaps a network of another partner.", field="network", code="overlap")
    raise Refused(
        f"{network} overlaps the pool {other.name} ({other.network}).",
        field="network",
        code="overlap",
        holder=("pool", other.pk),
    )
