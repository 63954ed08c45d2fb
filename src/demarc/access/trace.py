"""Who had an address at a moment: by index, among the sessions that are on and in the partitioned history.

Reads only; `actions.trace_address` is the way in, since each question is written down with its reason.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from demarc.access.models import NatRange
from demarc.core.nat import Sharing

MARGIN = timedelta(minutes=2)
"""Clocks differ: a session that ended or began so shortly before or after is named, too, but not as certain."""

LOOKED_AT_MAX = 50

_COLUMNS = """s.id, s.nas_id, s.session_id, s.user_name, s.partner_id, s.subscriber_id, s.service_id, s.started_at,
    s.calling_station, s.nas_port_id, s.vrf, s.framed_ipv4, s.framed_ipv6_prefix, s.delegated_prefix, s.framed_ipv6"""
_HOLDS_4 = "s.framed_ipv4 = %(address)s::inet"
_HOLDS_6 = """(s.framed_ipv6 = %(address)s::inet OR s.framed_ipv6_prefix >>= %(address)s::inet
    OR s.delegated_prefix >>= %(address)s::inet)"""


def _question(holds: str, vrf: str) -> str:
    """The last sessions that had it and began before then; of the history first those that began last."""
    return f"""
        SELECT found.*, router.id, router.name, service.customer_id, customer.name
        FROM (
            (SELECT {_COLUMNS}, NULL::timestamptz AS ended_at FROM access_sessionlive s
             WHERE {holds} {vrf} AND s.started_at <= %(until)s LIMIT %(limit)s)
            UNION ALL
            (SELECT {_COLUMNS}, s.ended_at FROM access_sessionlog s
             WHERE {holds} AND s.started_at <= %(until)s ORDER BY s.started_at DESC LIMIT %(limit)s)
        ) found
        JOIN access_nas nas ON nas.id = found.nas_id
        JOIN network_router router ON router.id = nas.router_id
        LEFT JOIN plans_service service ON service.id = found.service_id
        LEFT JOIN customers_customer customer ON customer.id = service.customer_id
        WHERE (found.ended_at IS NULL OR found.ended_at >= %(since)s)
            AND (%(partners)s::bigint[] IS NULL OR found.partner_id = ANY(%(partners)s))
        ORDER BY found.started_at DESC
    """  # noqa: S608 - constants only


# The live table's index begins with the VRF; to name those that there are lets it be used.
HAD_IPV4 = _question(_HOLDS_4, "AND s.vrf = ANY((SELECT array_agg(DISTINCT vrf) || 0 FROM network_pool)::int[])")
HAD_IPV6 = _question(_HOLDS_6, "")


class Holder(NamedTuple):
    """A session that had the address. `certain`: by our clock it did; else it began or ended within MARGIN of then.
    `ended_at` None: it is on."""

    session_id: str
    user_name: str
    mac: str
    port: str
    vrf: int
    router_id: int
    router: str
    service_id: int | None
    customer_id: int | None
    customer: str
    addresses: tuple[str, ...]
    started_at: datetime
    ended_at: datetime | None
    certain: bool


def holders(
    address: IPv4Address | IPv6Address, moments: Sequence[datetime], partner_ids: Sequence[int] | None
) -> list[Holder]:
    """The sessions of these partners (None: all) that had `address` at any of `moments`, the latest first."""
    found: dict[tuple[Any, ...], Holder] = {}
    for moment in moments:
        values: dict[str, Any] = {
            "address": str(address),
            "until": moment + MARGIN,
            "since": moment - MARGIN,
            "limit": LOOKED_AT_MAX,
            "partners": None if partner_ids is None else list(partner_ids),
        }
        with connection.cursor() as cursor:
            cursor.execute(HAD_IPV4 if address.version == 4 else HAD_IPV6, values)
            for row in cursor.fetchall():
                holder = _holder(row, moment)
                key = (holder.router_id, holder.session_id, holder.user_name, holder.started_at)
                if key not in found or holder.certain:
                    found[key] = holder
    return list(found.values())


class Shared(NamedTuple):
    """How a public address was shared at a moment; `vrf`: of the private addresses."""

    sharing: Sharing
    vrf: int

    def inside_of(self, address: IPv4Address | IPv6Address, port: int) -> IPv4Address | None:
        """Whose the address and port were; None: nobody's."""
        return self.sharing.inside_of(address, port) if isinstance(address, IPv4Address) else None


def sharing_at(
    address: IPv4Address | IPv6Address, moment: datetime, partner_ids: Sequence[int] | None
) -> Shared | None:
    """How these partners' customers (None: all) shared a public address then; None: it was nobody's or one's alone."""
    then = Q(valid_to=None) | Q(valid_to__gt=moment)
    found = NatRange.objects.filter(then, valid_from__lte=moment).order_by("id")
    if partner_ids is not None:
        found = found.filter(partner_id__in=partner_ids)
    for one in found:
        if address in one.outside:
            return Shared(Sharing(one.inside, one.outside, one.first_port, one.ports_each), one.vrf)
    return None


def _holder(row: Sequence[Any], moment: datetime) -> Holder:
    _, _, session_id, user_name, _, _, service_id, started_at, mac, port, vrf = row[:11]
    addresses, ended_at = row[11:15], row[15]
    router_id, router, customer_id, customer = row[16:]
    return Holder(
        session_id=session_id,
        user_name=user_name,
        mac=mac,
        port=port,
        vrf=vrf,
        router_id=router_id,
        router=router,
        service_id=service_id,
        customer_id=customer_id,
        customer=customer or "",
        addresses=tuple(str(one) for one in addresses if one is not None),
        started_at=started_at,
        ended_at=ended_at,
        certain=started_at <= moment and (ended_at is None or moment <= ended_at),
    )
