"""Asking who had an address. It changes nothing; it is an action because each question leaves a row with its reason."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from demarc.access.trace import Holder, holders
from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.core.errors import Refused
from demarc.core.period import instants

REASON_MIN = 5


class Question(NamedTuple):
    """Who had `address` when clocks in `zone` showed `wall` (naive), and why it is asked."""

    address: str
    wall: datetime
    zone: str
    reason: str


@transaction.atomic
def trace_address(question: Question, *, partner_ids: Sequence[int] | None, by: Actor, at: datetime) -> list[Holder]:
    """The sessions of these partners (None: all) that had the address then; where the clocks showed that time twice, at
    either. Writes one log row.

    Refused: no address, no such zone, a time that its clocks left out or that is to come, no reason to speak of.
    """
    address, moments = _address(question.address), _moments(question)
    if moments[0] > at:
        raise Refused("This time is still to come.", field="wall")
    reason = texts.one_line(question.reason, field="reason", length_max=200)
    if len(reason) < REASON_MIN:
        raise Refused("Say why: a case number, or who asks.", field="reason")
    found = holders(address, moments, partner_ids)
    log.record(
        "address_traced",
        by=by,
        at=at,
        subject=("access", None),
        address=str(address),
        moments=[moment.isoformat() for moment in moments],
        reason=reason,
        customers=sorted({holder.customer_id for holder in found if holder.customer_id}),
    )
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
    return moments
