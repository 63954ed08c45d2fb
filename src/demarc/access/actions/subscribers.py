"""Logins of services: making them, one or a hundred thousand, and changing what they hold.

The single verb is the bulk verb with one element. Passwords are sealed here and opened by radiusd alone.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import IPv6Network
from typing import Any, Required, TypedDict, Unpack

from django.db import IntegrityError, transaction

from demarc.access.actions.sync import project
from demarc.access.feed import tell_radius
from demarc.access.holdings import (
    PREFIX_FIELDS,
    Asked,
    checked_address,
    checked_login,
    checked_macs,
    checked_password,
    checked_port,
    checked_prefix,
    refuse_held,
    vrf_of,
)
from demarc.access.models import BoundMac, StaticAddress, StaticPrefix, Subscriber
from demarc.base import log, sql
from demarc.base.actors import Actor
from demarc.base.numbering import take_ids
from demarc.base.vault import seal_for_radius
from demarc.core.errors import Refused
from demarc.network.models import Pool, PoolKind
from demarc.plans.models import Service, ServiceState

CHUNK = 2000
HELD_ELSEWHERE = "Somebody else holds a login, an address or a MAC of these."
"""Where row security hides who does."""
PLACE = "access_subscriber.secret.{}"
ADD_SUBSCRIBERS = """
INSERT INTO access_subscriber (id, partner_id, service_id, realm, login, secret, bind_mac, simultaneous_limit, pool_id,
    learn_macs, learn_replaces, nas_port_id, session_timeout_s, active, cause, routes, macs, down_kbps, up_kbps,
    rate_limit, owed_currency)
"""
ADD_ADDRESSES = "INSERT INTO access_staticaddress (subscriber_id, vrf, address, active)"
ADD_PREFIXES = "INSERT INTO access_staticprefix (subscriber_id, kind, prefix, active)"
ADD_MACS = "INSERT INTO access_boundmac (subscriber_id, mac, active)"

HELD = (
    *("static_ipv4", "framed_ipv6_prefix", "delegated_prefix", "framed_ipv6", "macs"),
    *("bind_mac", "learn_macs", "learn_replaces", "nas_port_id"),
)
"""What the operation log tells of a change of what a login holds."""


class Holdings(TypedDict, total=False):
    """What a login holds for good (None: none): an address, a prefix for the line, one to delegate, an IPv6 address;
    MACs (any form), and whether only they may connect; how many are learned by themselves, and whether a further one
    replaces the oldest; the port, or circuit or remote id, at which alone it may connect."""

    static_ipv4: str | None
    framed_ipv6_prefix: str | None
    delegated_prefix: str | None
    framed_ipv6: str | None
    macs: Sequence[str]
    bind_mac: bool
    learn_macs: int
    learn_replaces: bool
    port: str


class Options(Holdings, total=False):
    """What a login may be made with; `pool_id`: its own dynamic pool instead of its router's.

    `to_be_learned`: without a password it is made all the same, and the old RADIUS server is to teach it (MovingIn).
    """

    pool_id: int | None
    simultaneous_limit: int
    to_be_learned: bool


class NewSubscriber(Options, total=False):
    """A login to be made."""

    service_id: Required[int]
    login: Required[str]
    password: Required[str]


@transaction.atomic
def create_subscriber(
    *, service_id: int, login: str, password: str, by: Actor, at: datetime, **options: Unpack[Options]
) -> Subscriber:
    """A login for a service. Refused: the service ended, login, address or MAC held by another (the holder is his
    service), an address in no pool or in a dynamic one, pool or limit out of range."""
    new: NewSubscriber = {"service_id": service_id, "login": login, "password": password, **options}
    (subscriber_id,) = _create([new], at)
    subscriber = Subscriber.objects.select_related("service").get(pk=subscriber_id)
    _record("login_created", subscriber, by=by, at=at, login=subscriber.login)
    return subscriber


@transaction.atomic
def create_subscribers(new: Sequence[NewSubscriber], *, by: Actor, at: datetime) -> list[int]:
    """Many logins of one partner at once: their ids, in order. Refused as in create_subscriber, and nothing is made."""
    made = [made_id for start in range(0, len(new), CHUNK) for made_id in _create(new[start : start + CHUNK], at)]
    partner_id = Subscriber.objects.get(pk=made[0]).partner_id if made else None
    log.record("logins_created", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, count=len(made))
    return made


def _create(new: Sequence[NewSubscriber], at: datetime) -> list[int]:
    services = Service.objects.in_bulk([one["service_id"] for one in new])
    pools = _pools(service.partner_id for service in services.values())
    ids = take_ids("access_subscriber_id_seq", len(new))
    rows = [_row(subscriber_id, one, services, pools) for subscriber_id, one in zip(ids, new, strict=True)]
    asked = [
        Asked(
            partner_id=row["partner_id"],
            login=row["login"],
            address=checked_address(address) if (address := one.get("static_ipv4")) else None,
            macs=checked_macs(one.get("macs", ()), bind=row["bind_mac"], learns=row["learn_macs"]),
            prefixes=_prefixes({kind: str(one.get(name) or "") for kind, name in PREFIX_FIELDS.items()}),
        )
        for row, one in zip(rows, new, strict=True)
    ]
    vrfs = [vrf_of(one.address, pools[one.partner_id]) if one.address else 0 for one in asked]
    refuse_held(asked, vrfs)
    try:
        with transaction.atomic():
            sql.insert(ADD_SUBSCRIBERS, (row.values() for row in rows))
            _add_holdings(zip(ids, asked, vrfs, strict=True))
    except IntegrityError as error:  # another one was quicker; say who
        refuse_held(asked, vrfs)
        raise Refused(HELD_ELSEWHERE, code="taken") from error
    project(sorted(services), at=at)
    return ids


def _row(
    subscriber_id: int, one: NewSubscriber, services: dict[int, Service], pools: dict[int, list[Pool]]
) -> dict[str, Any]:
    """A row for ADD_SUBSCRIBERS, in its order; the projected columns start closed."""
    service = services.get(one["service_id"])
    if service is None or service.state == ServiceState.ENDED:
        raise Refused("The service has ended.", field="service_id", code="ended")
    limit = one.get("simultaneous_limit", 1)
    if not 1 <= limit <= 100:
        raise Refused("From 1 to 100 sessions at a time.", field="simultaneous_limit")
    pool_id = one.get("pool_id")
    if pool_id and not any(p.pk == pool_id and p.kind == PoolKind.DYNAMIC for p in pools[service.partner_id]):
        raise Refused("Choose one of the partner's dynamic pools.", field="pool_id")
    return {
        "id": subscriber_id,
        "partner_id": service.partner_id,
        "service_id": service.pk,
        "realm": "",
        "login": checked_login(one["login"]),
        "secret": "\\x" + _sealed(one, subscriber_id).hex(),
        "bind_mac": one.get("bind_mac", False),
        "simultaneous_limit": limit,
        "pool_id": pool_id,
        "learn_macs": one.get("learn_macs", 0),
        "learn_replaces": one.get("learn_replaces", False),
        "nas_port_id": checked_port(one.get("port", "")),
        "session_timeout_s": 0,
        "active": False,
        "cause": 1,
        "routes": "{}",
        "macs": "{}",
        "down_kbps": 0,
        "up_kbps": 0,
        "rate_limit": "",
        "owed_currency": "",
    }


def _sealed(one: NewSubscriber, subscriber_id: int) -> bytes:
    """The password, sealed; empty for one that is to be learned."""
    if one.get("to_be_learned") and not one["password"]:
        return b""
    return seal_for_radius(checked_password(one["password"]), PLACE.format(subscriber_id))


def _prefixes(texts: dict[str, str]) -> list[tuple[str, IPv6Network]]:
    return [(kind, checked_prefix(kind, text)) for kind, text in texts.items() if text]


def _pools(partner_ids: Iterable[int]) -> dict[int, list[Pool]]:
    found: dict[int, list[Pool]] = {partner_id: [] for partner_id in partner_ids}
    for pool in Pool.objects.filter(partner_id__in=found).order_by("vrf", "id"):
        found[pool.partner_id].append(pool)
    return found


def _add_holdings(held: Iterable[tuple[int, Asked, int]]) -> None:
    known = list(held)
    sql.insert(ADD_ADDRESSES, ((holder, vrf, one.address, True) for holder, one, vrf in known if one.address))
    sql.insert(ADD_PREFIXES, ((holder, kind, str(net), True) for holder, one, _ in known for kind, net in one.prefixes))
    sql.insert(ADD_MACS, ((holder, mac, True) for holder, one, _ in known for mac in one.macs))


@transaction.atomic
def change_password(subscriber_id: int, *, password: str, by: Actor, at: datetime) -> None:
    """A new password; sessions that are on stay on. Refused: empty, too long, or one that cannot be sent."""
    subscriber = Subscriber.objects.select_for_update(of=("self",)).select_related("service").get(pk=subscriber_id)
    subscriber.secret = seal_for_radius(checked_password(password), PLACE.format(subscriber_id))
    subscriber.save(update_fields=["secret"])
    _record("password_changed", subscriber, by=by, at=at, login=subscriber.login)
    tell_radius("subscriber", [subscriber_id])


@transaction.atomic
def set_addresses(subscriber_id: int, *, by: Actor, at: datetime, **changes: Unpack[Holdings]) -> Subscriber:
    """Give a login another address, or none; other MACs, or none. A session on another address is cut.

    Refused: the service ended, held by another (the holder is his service), in no pool or in a dynamic one.
    """
    subscriber = Subscriber.objects.select_for_update(of=("self",)).select_related("service").get(pk=subscriber_id)
    if subscriber.service.state == ServiceState.ENDED:
        raise Refused("The service has ended.", code="ended")
    before = log.snapshot(subscriber)
    subscriber.bind_mac = changes.get("bind_mac", subscriber.bind_mac)
    subscriber.learn_macs = changes.get("learn_macs", subscriber.learn_macs)
    subscriber.learn_replaces = changes.get("learn_replaces", subscriber.learn_replaces)
    subscriber.nas_port_id = checked_port(changes.get("port", subscriber.nas_port_id))
    present = StaticAddress.objects.filter(subscriber=subscriber, active=True).first()
    wanted = changes.get("static_ipv4", present.address if present else None)
    six = {kind: str(changes.get(name, getattr(subscriber, name)) or "") for kind, name in PREFIX_FIELDS.items()}
    asked = Asked(
        partner_id=subscriber.partner_id,
        login=subscriber.login,
        address=checked_address(wanted) if wanted else None,
        macs=checked_macs(changes.get("macs", subscriber.macs), bind=subscriber.bind_mac, learns=subscriber.learn_macs),
        subscriber_id=subscriber_id,
        prefixes=_prefixes(six),
    )
    vrf = vrf_of(asked.address, _pools([asked.partner_id])[asked.partner_id]) if asked.address else 0
    refuse_held([asked], [vrf])
    try:
        with transaction.atomic():
            StaticAddress.objects.filter(subscriber=subscriber).delete()
            StaticPrefix.objects.filter(subscriber=subscriber).delete()
            BoundMac.objects.filter(subscriber=subscriber).delete()
            _add_holdings([(subscriber_id, asked, vrf)])
    except IntegrityError as error:  # another one was quicker; say who
        refuse_held([asked], [vrf])
        raise Refused(HELD_ELSEWHERE, code="taken") from error
    subscriber.save(update_fields=["bind_mac", "learn_macs", "learn_replaces", "nas_port_id"])
    project([subscriber.service_id], at=at)
    tell_radius("subscriber", [subscriber_id])
    subscriber.refresh_from_db()
    changed = log.changes(before, subscriber, names=HELD)
    _record("addresses_set", subscriber, by=by, at=at, login=subscriber.login, changed=changed)
    return subscriber


def _record(verb: str, subscriber: Subscriber, *, by: Actor, at: datetime, **body: object) -> None:
    customer = ("customer", subscriber.service.customer_id)
    log.record(verb, by=by, at=at, subject=customer, partner_id=subscriber.partner_id, **body)
