"""Public addresses that customers share by port, over the API."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import AwareDatetime, field_validator

from demarc.access import actions
from demarc.access.models import NatRange
from demarc.base import clock
from demarc.staff.apidoor import Token, actor_of, one, partner_for, within
from demarc.staff.apiforms import Id, Input, Listing, Page, Whole, given, listing

router = Router()


class NatRangeIn(Input):
    """Private addresses that take blocks of `ports_each` ports in order, from `first_port` of the first public address
    on; `since` null: from now on."""

    partner_id: Id
    inside: str
    outside: str
    ports_each: Whole
    first_port: Whole = 1024
    vrf: Whole = 0
    since: AwareDatetime | None = None


class NatRangeOut(Schema):
    """A range; `valid_to` null: still so."""

    id: int
    partner_id: int
    vrf: int
    inside: str
    outside: str
    first_port: int
    ports_each: int
    valid_from: datetime
    valid_to: datetime | None

    @field_validator("inside", "outside", mode="before")
    @classmethod
    def text(cls, value: object) -> str:
        """A network as it is written."""
        return str(value)


@router.get(
    "/nat-ranges",
    auth=Token("pools.see"),
    response=Listing[NatRangeOut],
    tags=["network"],
    summary="Public addresses that customers share by port, newest first",
)
def nat_ranges(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(within(request, NatRange.objects.all()), page)


@router.post(
    "/nat-ranges",
    auth=Token("pools.edit"),
    response={201: NatRangeOut},
    tags=["network"],
    summary="Write down which private addresses share which public ones",
)
def add_nat_range(request: HttpRequest, payload: NatRangeIn) -> NatRange:
    facts = given(payload)
    partner = partner_for(request, facts.pop("partner_id"))
    return actions.add_nat_range(partner.pk, by=actor_of(request), at=clock.now(), **facts)


@router.post(
    "/nat-ranges/{range_id}/end",
    auth=Token("pools.edit"),
    response=NatRangeOut,
    tags=["network"],
    summary="End a range; questions about the past are answered by it still",
)
def end_nat_range(request: HttpRequest, range_id: int) -> NatRange:
    one(request, NatRange.objects.all(), range_id, "range")
    return actions.end_nat_range(range_id, by=actor_of(request), at=clock.now())
