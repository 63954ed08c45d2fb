"""Which public addresses customers share by port, and since when: by it a question about an address and a port is
answered. Ranges are ended, never edited.
"""

from datetime import datetime
from ipaddress import IPv4Network
from typing import Required, TypedDict, Unpack

from django.db import IntegrityError, transaction

from demarc.access.models import NatRange
from demarc.base import log
from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.core.errors import Refused
from demarc.core.nat import PORTS, Sharing

VRF_MAX = 2**31 - 1


class NatFacts(TypedDict, total=False):
    """`inside`, `outside`: networks as text; `first_port` 1024 and `vrf` 0 unless named; `since`: from when it is so on
    the routers, now unless named."""

    inside: Required[str]
    outside: Required[str]
    ports_each: Required[int]
    first_port: int
    vrf: int
    since: datetime | None


@transaction.atomic
def add_nat_range(partner_id: int, *, by: Actor, at: datetime, **facts: Unpack[NatFacts]) -> NatRange:
    """Write down that these private addresses share these public ones.

    Refused: no such partner; no network, or one of IPv6; a number out of range; not a block for everybody; a time to
    come; a public address that another range has at that time.
    """
    if not Partner.objects.select_for_update().filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    vrf, since = facts.get("vrf", 0), facts.get("since") or at
    sharing = _sharing(facts)
    if not 0 <= vrf <= VRF_MAX:
        raise Refused(f"Name a VRF from 0 to {VRF_MAX}.", field="vrf", code="out_of_range")
    if since > at:
        raise Refused("This time is still to come.", field="since", code="out_of_range")
    _refuse_taken(sharing.outside, since)
    made = NatRange(
        partner_id=partner_id,
        vrf=vrf,
        inside=sharing.inside,
        outside=sharing.outside,
        first_port=sharing.first_port,
        ports_each=sharing.ports_each,
        valid_from=since,
    )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:  # row security hides whose it is, or another one was quicker
        raise Refused("Another range has these public addresses.", field="outside", code="taken") from error
    told = {"inside": str(made.inside), "outside": str(made.outside), "ports_each": made.ports_each}
    log.record("nat_range_added", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **told)
    return made


@transaction.atomic
def end_nat_range(range_id: int, *, by: Actor, at: datetime) -> NatRange:
    """From now on it is not so any more; questions about the past are answered by it still. Refused: no such range, or
    it has ended."""
    found = NatRange.objects.select_for_update().filter(pk=range_id).first()
    if found is None:
        raise Refused("There is no such range.", code="unknown")
    if found.valid_to is not None:
        raise Refused("It has ended already.", code="state")
    found.valid_to = at
    found.save(update_fields=["valid_to"])
    subject, told = ("partner", found.partner_id), {"outside": str(found.outside)}
    log.record("nat_range_ended", by=by, at=at, subject=subject, partner_id=found.partner_id, **told)
    return found


def _sharing(facts: NatFacts) -> Sharing:
    first_port, ports_each = facts.get("first_port", 1024), facts["ports_each"]
    if not 0 <= first_port < PORTS:
        raise Refused(f"Name a port from 0 to {PORTS - 1}.", field="first_port", code="out_of_range")
    if not 1 <= ports_each <= PORTS - first_port:
        raise Refused(f"Name 1 to {PORTS - first_port} ports.", field="ports_each", code="out_of_range")
    inside, outside = _network(facts["inside"], "inside"), _network(facts["outside"], "outside")
    sharing = Sharing(inside, outside, first_port, ports_each)
    if not sharing.fits:
        room = outside.num_addresses * sharing.blocks
        words = f"{inside.num_addresses:,} private addresses, but only {room:,} blocks of ports."
        raise Refused(words, field="ports_each", code="out_of_range")
    return sharing


def _network(text: str, field: str) -> IPv4Network:
    try:
        return IPv4Network(text.strip())
    except ValueError as error:
        raise Refused(f"{text} is not an IPv4 network such as 100.64.0.0/22.", field=field, code="invalid") from error


def _refuse_taken(outside: IPv4Network, since: datetime) -> None:
    """Of all providers: a public address is one. The exclusion constraint answers a race."""
    known = NatRange.objects.order_by("id")
    for one in known.exclude(valid_to__lte=since):
        if one.outside.overlaps(outside):
            raise Refused(f"{one.outside} is shared already at that time.", field="outside", code="taken")
