"""What logins hold alone: names, addresses, MACs. Says who holds what is asked for, and whether it may be asked for.

Reads only; the unique constraints of the database answer a race between two who ask.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Network
from itertools import pairwise
from typing import Any

from django.db import connection

from demarc.access.models import BoundMac, StaticAddress, Subscriber
from demarc.base import texts
from demarc.core.access import normal_mac
from demarc.core.errors import Refused
from demarc.network.models import Pool, PoolKind

PASSWORD_LENGTH_MAX = 128
"""RFC 2865 section 5.2: a User-Password has at most 128 octets."""
MACS_MAX = 16
OVERLAPPING = """
SELECT wanted.at, held.subscriber_id
FROM unnest(%(prefixes)s::inet[], %(own)s::bigint[]) WITH ORDINALITY AS wanted (prefix, own, at)
JOIN access_staticprefix held ON held.active AND held.prefix && wanted.prefix AND held.subscriber_id <> wanted.own
ORDER BY wanted.at LIMIT 1
"""
IN_POOLS = """
SELECT wanted.at, pool.name FROM unnest(%(prefixes)s::inet[]) WITH ORDINALITY AS wanted (prefix, at)
JOIN network_pool pool ON family(pool.network) = 6 AND pool.network && wanted.prefix ORDER BY wanted.at LIMIT 1
"""
PREFIX_FIELDS = {"framed": "framed_ipv6_prefix", "delegated": "delegated_prefix", "address": "framed_ipv6"}
PREFIX_LENGTHS = {"framed": (64, 64), "delegated": (32, 64), "address": (128, 128)}
EXAMPLES = {"framed": "2001:db8:0:7::/64", "delegated": "2001:db8:700::/56", "address": "2001:db8::7"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What one login of a partner asks to hold. `subscriber_id` None: it is new."""

    partner_id: int
    login: str
    address: IPv4Address | None = None
    macs: Sequence[str] = ()
    subscriber_id: int | None = None
    prefixes: Sequence[tuple[str, IPv6Network]] = ()


def checked_login(text: str) -> str:
    """A login without outer blanks. Refused: empty, too long, or with control characters."""
    return texts.name(text, field="login", length_max=120)


def checked_password(text: str) -> str:
    """A password as it is. Refused: empty, too long, or with a NUL, which PAP cannot carry (RFC 2865 section 5.2)."""
    if not text or len(text.encode()) > PASSWORD_LENGTH_MAX:
        raise Refused(f"A password has 1 to {PASSWORD_LENGTH_MAX} characters.", field="password")
    if "\0" in text:
        raise Refused("The password holds a character that cannot be sent.", field="password")
    return text


def checked_macs(macs: Iterable[str], *, bind: bool, learns: int = 0) -> tuple[str, ...]:
    """MAC addresses in normal form, each once. Refused: one is none, too many, or none although `bind` lets only
    them connect and none is learned."""
    found = []
    for text in macs:
        mac = normal_mac(text)
        if not mac:
            raise Refused(f"{text} is not a MAC address such as 00:1A:2B:3C:4D:5E.", field="macs")
        found.append(mac)
    if not 0 <= learns <= MACS_MAX:
        raise Refused(f"From 0 to {MACS_MAX} MAC addresses can be learned.", field="learn_macs")
    if bind and not found and not learns:
        raise Refused("Name the MAC that alone may connect, or let the first ones be learned.", field="macs")
    if len(found) > MACS_MAX:
        raise Refused(f"At most {MACS_MAX} MAC addresses.", field="macs")
    return tuple(dict.fromkeys(found))


def checked_port(text: str) -> str:
    """How the NAS names a port or line: its own text, or 0x and hex digits. Refused: too long, or not one line."""
    return texts.one_line(text, field="port", length_max=100)


def checked_address(text: str) -> IPv4Address:
    """An IPv4 address. Refused: it is none."""
    try:
        return IPv4Address(text.strip())
    except AddressValueError as error:
        raise Refused(f"{text} is not an IPv4 address.", field="static_ipv4") from error


def checked_prefix(kind: str, text: str) -> IPv6Network:
    """What one kind of IPv6 (models.PrefixKind) may be: the line's prefix a /64, as hosts on it need (RFC 4862 section
    5.5.3); a delegated one /32 to /64; an address is a /128. Refused: it is none, or not one of the internet's."""
    field = PREFIX_FIELDS[kind]
    try:
        prefix = IPv6Network(text.strip())
    except ValueError as error:
        raise Refused(f"{text} is not such as {EXAMPLES[kind]}.", field=field) from error
    shortest, longest = PREFIX_LENGTHS[kind]
    if not shortest <= prefix.prefixlen <= longest:
        raise Refused(f"Write it such as {EXAMPLES[kind]}.", field=field)
    if prefix.is_multicast or prefix.is_link_local or prefix.is_loopback or prefix.is_unspecified:
        raise Refused(f"Nobody can be reached at {prefix}.", field=field)
    return prefix


def vrf_of(address: IPv4Address, pools: Iterable[Pool]) -> int:
    """The VRF in which a partner with these pools may give the address to one service for good.

    Refused: no network of his holds it, it is for the blocked, or sessions get it from a dynamic pool.
    """
    pool = next((pool for pool in pools if address in pool.network), None)
    if pool is None:
        raise Refused(f"No pool has {address} in its network: make a static pool for it.", field="static_ipv4")
    handed_out = IPv4Address(pool.first) <= address <= IPv4Address(pool.last)
    if pool.kind == PoolKind.REJECT or (pool.kind == PoolKind.DYNAMIC and handed_out):
        raise Refused(
            f"{address} is given to sessions from the pool {pool.name}.",
            field="static_ipv4",
            code="taken",
            holder=("pool", pool.pk),
        )
    return pool.vrf


def refuse_held(asked: Sequence[Asked], vrfs: Sequence[int]) -> None:
    """Refused: someone else holds a login, an address (in the VRF of the same place in `vrfs`), or a MAC that is asked
    for, or it is asked for twice; the holder is his service."""
    _refuse_logins([one for one in asked if one.subscriber_id is None])
    _refuse_addresses([(one, vrf) for one, vrf in zip(asked, vrfs, strict=True) if one.address])
    _refuse_prefixes([(one, kind, prefix) for one in asked for kind, prefix in one.prefixes])
    _refuse_macs([(one, mac) for one in asked for mac in one.macs])


def _refuse_logins(asked: Sequence[Asked]) -> None:
    wanted = {(one.partner_id, one.login) for one in asked}
    if len(wanted) < len(asked):
        raise Refused("A login is named twice.", field="login", code="taken")
    partners, logins = {one.partner_id for one in asked}, [one.login for one in asked]
    held = Subscriber.objects.filter(partner_id__in=partners, realm="", login__in=logins)
    for holder_id, partner_id, login in held.values_list("pk", "partner_id", "login"):
        if (partner_id, login) in wanted:
            raise _held_by(f"The login {login}", "login", holder_id, partner_id)


def _refuse_addresses(asked: Sequence[tuple[Asked, int]]) -> None:
    wanted = {(vrf, str(one.address)): one for one, vrf in asked}
    if len(wanted) < len(asked):
        raise Refused("An address is named twice.", field="static_ipv4", code="taken")
    held = StaticAddress.objects.filter(active=True, address__in=[address for _, address in wanted])
    for holder_id, vrf, address in held.values_list("subscriber_id", "vrf", "address"):
        one = wanted.get((vrf, address))
        if one and one.subscriber_id != holder_id:
            raise _held_by(f"The address {address}", "static_ipv4", holder_id, one.partner_id)


def _refuse_prefixes(asked: Sequence[tuple[Asked, str, IPv6Network]]) -> None:
    for (_, _, lower), (_, kind, prefix) in pairwise(sorted(asked, key=_prefix)):
        if lower.overlaps(prefix):
            raise Refused(f"{prefix} is named twice.", field=PREFIX_FIELDS[kind], code="taken")
    wanted: dict[str, list[Any]] = {
        "prefixes": [str(prefix) for _, _, prefix in asked],
        "own": [one.subscriber_id or 0 for one, _, _ in asked],
    }
    with connection.cursor() as cursor:
        for at, holder_id in cursor.execute(OVERLAPPING, wanted):
            one, kind, prefix = asked[at - 1]
            raise _held_by(str(prefix), PREFIX_FIELDS[kind], holder_id, one.partner_id)
        for at, pool in cursor.execute(IN_POOLS, wanted):
            _, kind, prefix = asked[at - 1]
            raise Refused(f"Sessions get {prefix} from the pool {pool}.", field=PREFIX_FIELDS[kind], code="taken")


def _prefix(asked: tuple[Asked, str, IPv6Network]) -> IPv6Network:
    return asked[2]


def _refuse_macs(asked: Sequence[tuple[Asked, str]]) -> None:
    wanted = {mac.lower(): one for one, mac in asked}
    if len(wanted) < len(asked):
        raise Refused("A MAC address is named twice.", field="macs", code="taken")
    held = BoundMac.objects.filter(active=True, mac__in=list(wanted))
    for holder_id, mac in held.values_list("subscriber_id", "mac"):
        one = wanted[mac]
        if one.subscriber_id != holder_id:
            raise _held_by(f"The MAC {mac.upper()}", "macs", holder_id, one.partner_id)


def _held_by(what: str, field: str, holder_id: int, partner_id: int) -> Refused:
    """Who holds it is looked up only now: a join in the question would be slow where tables grow by thousands."""
    holder = Subscriber.objects.select_related("service__customer").get(pk=holder_id)
    if holder.partner_id != partner_id:
        return Refused(f"{what} is held by a customer of another partner.", field=field, code="taken")
    return Refused(
        f"{what} is held by {holder.service.customer}.",
        field=field,
        code="taken",
        holder=("service", holder.service_id),
    )
