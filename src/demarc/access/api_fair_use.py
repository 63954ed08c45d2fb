"""Fair use over the API: what plans allow in a month, what services used, and how routers are told who is through."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from demarc.access import actions, fair_use
from demarc.access.models import FairUse, FairUseState, Subscriber
from demarc.access.models_fair_use import Counts, FairUseBlock
from demarc.base import clock
from demarc.network.models import NasType
from demarc.plans.models import Plan, Service
from demarc.staff.apidoor import Token, actor_of, one, partner_for, seen
from demarc.staff.apiforms import Input, Whole, given

router = Router()


class FairUseIn(Input):
    """A volume of the partner's calendar month, and kbit/s after it; without speeds, blocked until the month is over.
    What is left out begins as shipped: it is no change of what was set before."""

    monthly_gb: Whole
    counts: Counts = Counts.BOTH
    down_kbps: Whole = 0
    up_kbps: Whole = 0


class FairUseOut(Schema):
    """What a plan allows in a month. `monthly_gb` null: as much as one likes. GB are 10^9 octets."""

    plan_id: int
    monthly_gb: int | None
    counts: Counts | None
    down_kbps: int
    up_kbps: int


class UsedOut(Schema):
    """A service's month so far, in octets; `volume_octets` null: there is no limit, and nothing is added up.
    `measured_at` null: not added up yet this month. `state` "": full access as far as this goes."""

    service_id: int
    octets: int
    volume_octets: int | None
    measured_at: datetime | None
    state: Annotated[str, Field(examples=["", *FairUseState.values])]


class FairUseBlockIn(Input):
    """`block` null: as other blocked customers."""

    block: FairUseBlock | None


class FairUseBlockOut(Schema):
    """How routers of a make are told of somebody whose volume is used up; null: as of other blocked customers."""

    partner_id: int
    nas_type: NasType
    block: FairUseBlock | None


@router.get(
    "/plans/{plan_id}/fair-use",
    auth=Token("plans.see"),
    response=FairUseOut,
    tags=["plans"],
    summary="What a plan allows in a month",
)
def read_fair_use(request: HttpRequest, plan_id: int) -> dict[str, Any]:
    one(request, Plan.objects.all(), plan_id, "plan")
    return _told(plan_id, fair_use.fair_use_of(plan_id))


@router.put(
    "/plans/{plan_id}/fair-use",
    auth=Token("plans.edit"),
    response=FairUseOut,
    tags=["plans"],
    summary="Set what a plan allows in a month, and what comes after it",
)
def set_fair_use(request: HttpRequest, plan_id: int, payload: FairUseIn) -> dict[str, Any]:
    one(request, Plan.objects.all(), plan_id, "plan")
    facts: Any = given(payload)
    return _told(plan_id, actions.set_fair_use(plan_id, by=actor_of(request), at=clock.now(), **facts))


@router.delete(
    "/plans/{plan_id}/fair-use",
    auth=Token("plans.edit"),
    response=FairUseOut,
    tags=["plans"],
    summary="Let a plan's services use as much as they like",
)
def drop_fair_use(request: HttpRequest, plan_id: int) -> dict[str, Any]:
    one(request, Plan.objects.all(), plan_id, "plan")
    actions.drop_fair_use(plan_id, by=actor_of(request), at=clock.now())
    return _told(plan_id, None)


@router.get(
    "/services/{service_id}/month",
    auth=Token("sessions.see"),
    response=UsedOut,
    tags=["sessions"],
    summary="What a service used of its plan's volume this month",
)
def month_used(request: HttpRequest, service_id: int) -> dict[str, Any]:
    service = one(request, Service.objects.select_related("partner"), service_id, "service")
    seen(request, service.customer_id, service.partner_id, "volume used")
    used = fair_use.used(service, clock.now())
    state = Subscriber.objects.filter(service=service).values_list("fair_use", flat=True).first()
    return {
        "service_id": service_id,
        "octets": used.octets if used else 0,
        "volume_octets": used.volume if used else None,
        "measured_at": used.measured_at if used else None,
        "state": state or "",
    }


@router.get(
    "/partners/{partner_id}/fair-use/{nas_type}",
    auth=Token("routers.see"),
    response=FairUseBlockOut,
    tags=["network"],
    summary="How routers of a make are told whose volume is used up",
)
def read_fair_use_block(request: HttpRequest, partner_id: int, nas_type: NasType) -> dict[str, Any]:
    partner = partner_for(request, partner_id)
    block = fair_use.fair_use_block(partner.pk, nas_type)
    return {"partner_id": partner.pk, "nas_type": nas_type, "block": block or None}


@router.put(
    "/partners/{partner_id}/fair-use/{nas_type}",
    auth=Token("routers.edit"),
    response=FairUseBlockOut,
    tags=["network"],
    summary="Choose how routers of a make are told whose volume is used up",
)
def set_fair_use_block(
    request: HttpRequest, partner_id: int, nas_type: NasType, payload: FairUseBlockIn
) -> dict[str, Any]:
    partner = partner_for(request, partner_id)
    block = payload.block or ""
    actions.set_fair_use_block(partner.pk, nas_type, block=block, by=actor_of(request), at=clock.now())
    return read_fair_use_block(request, partner_id, nas_type)


def _told(plan_id: int, found: FairUse | None) -> dict[str, Any]:
    if found is None:
        return {"plan_id": plan_id, "monthly_gb": None, "counts": None, "down_kbps": 0, "up_kbps": 0}
    return {"plan_id": plan_id, **{name: getattr(found, name) for name in FairUseOut.model_fields if name != "plan_id"}}
