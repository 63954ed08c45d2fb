"""Asking who had an address. It changes nothing; it is an action because each question leaves a row with its reason."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from demarc.access.trace import Holder, holders, sharing_at
from demarc.base import limits, log, texts
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.core.period import instants

REASON_MIN = 5


class Question(NamedTuple):
    """Who had `address`, and of a shared one `port`, when clocks in `zone` showed `wall` (naive), and why it is
    asked."""

    address: str
    wall: datetime
    zone: str
    reason: str
    port: int | None = None


@transaction.atomic
def trace_address(question: Question, *, partner_ids: Sequence[int] | None, by: Actor, at: datetime) -> list[Holder]:
    """The sessions of these partners (None: all) that had the address then; where the clocks showed that time twice, at
    either. Writes one log row.

    Refused: no address, no such zone, a time that its clocks left out or that is to come, no reason to speak of; of a
    public address that customers shared then, no port, or one that was nobody's.
    """
    address, moments = _address(question.address), _moments(question)
    if moments[0] > at:
        raise Refused("This time is still to come.", field="wall")
    reason = texts.one_line(question.reason, field="reason", length_max=200)
    if len(reason) < REASON_MIN:
        raise Refused("Say why: a case number, or who asks.", field="reason")
    found = _holders(address, question.port, moments, partner_ids)
    log.record(
        "address_traced",
        by=by,
        at=at,
        subject=("access", None),
        address=str(address),
        port=question.port,
        moments=[moment.isoformat() for moment in moments],
        reason=reason,
        customers=sorted({holder.customer_id for holder in found if holder.customer_id}),
    )
    return found


def _holders(
    address: IPv4Address | IPv6Address, port: int | None, moments: Sequence[datetime], partner_ids: Sequence[int] | None
) -> list[Holder]:
    """A shared address is another's at each port: whose private address it was is told by the range of that moment."""
    found: list[Holder] = []
    for moment in moments:
        shared = sharing_at(address, moment, partner_ids)
        if shared is None:
            found += [one for one in holders(address, [moment], partner_ids) if one not in found]
            continue
        if port is None:
            raise Refused(f"{shared.sharing.blocks} customers shared this address then: name the port.", field="port")
        inside = shared.inside_of(address, port)
        if inside is None:
            raise Refused("This port of the address was nobody's then.", field="port", code="unknown")
        mine = [one for one in holders(inside, [moment], partner_ids) if one.vrf == shared.vrf]
        found += [one for one in mine if one not in found]
    return found


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        address = ip_address(text.strip())
    except ValueError as error:
        raise Refused(f"{text} is not an IP address.", field="address") from error
    if "%" in str(address):
        raise Refused("Write the address without the interface behind it.", field="address")
    return address


def _moments(question: Question) -> list[datetime]:
    zone = question.zone
    try:
        moments = instants(question.wall, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OverflowError, OSError) as error:
        raise Refused(f"There is no time zone {zone}; write it as Europe/Prague or UTC.", field="zone") from error
    if not moments:
        raise Refused(f"Clocks in {zone} never showed this time: they were set forward.", field="wall")
    limits.fact_day(question.wall.date(), field="wall")
    return moments
