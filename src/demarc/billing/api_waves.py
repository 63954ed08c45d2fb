"""Waves of blocking over the API, the stop of all blocking, and outages of ours."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from demarc.base import clock
from demarc.billing import actions, queries
from demarc.billing.api_dunning import ReasonIn
from demarc.billing.models import BlockingStop, Outage, OutageKind, RowState, Wave, WaveRow, WaveState
from demarc.core.errors import Refused
from demarc.staff.apidoor import Token, actor_of, one, partner_for, scope
from demarc.staff.apiforms import Input, Listing, Page, given, listing, private_listing, shown

router = Router(tags=["money"])


class WaveSearch(Page):
    """Which waves."""

    state: WaveState | None = None


class WaveOut(Schema):
    """The accounts of a provider that are blocked on one day."""

    id: int
    partner_id: int
    day: date
    state: WaveState
    size: int
    usual_max: int
    blocked: int
    spared: int
    restored: int
    amount: str
    confirmed_at: datetime | None
    confirmed_by: str

    @staticmethod
    def resolve_amount(wave: Wave) -> str:
        return shown(wave.amount, wave.partner.currency)


class WaveRowOut(Schema):
    """One account of a wave."""

    id: int
    account_id: int
    customer_id: int
    customer: str
    amount: str
    state: RowState

    @staticmethod
    def resolve_customer_id(row: WaveRow) -> int:
        return row.account.customer_id

    @staticmethod
    def resolve_customer(row: WaveRow) -> str:
        return row.account.customer.name

    @staticmethod
    def resolve_amount(row: WaveRow) -> str:
        return shown(row.amount, row.account.currency)


class StopOut(Schema):
    """Whether all blocking of a provider is stopped."""

    partner_id: int
    stopped: bool
    reason: str
    stopped_by: str
    stopped_at: datetime | None


class OutageIn(Input):
    """An outage of ours; without `ended_at` it lasts."""

    began_at: datetime
    ended_at: datetime | None = None
    kind: OutageKind = OutageKind.NETWORK
    note: str = ""


class OutageOut(Schema):
    """An outage; nobody is blocked while it lasts and for some hours after."""

    id: int
    partner_id: int
    kind: OutageKind
    began_at: datetime
    ended_at: datetime | None
    note: str


@router.get("/waves", auth=Token("dunning.see"), response=Listing[WaveOut], summary="Waves of blocking, newest first")
def waves(request: HttpRequest, search: Query[WaveSearch]) -> dict[str, Any]:
    rows = queries.wave_list(scope(request))
    return listing(rows if search.state is None else rows.filter(state=search.state), search)


@router.get(
    "/waves/{wave_id}/accounts",
    auth=Token("dunning.see"),
    response=Listing[WaveRowOut],
    summary="The accounts of a wave, newest first",
)
def wave_accounts(request: HttpRequest, wave_id: int, page: Query[Page]) -> dict[str, Any]:
    found = one(request, Wave.objects.all(), wave_id, "wave")
    return private_listing(request, "wave", found.rows.select_related("account", "account__customer"), page)


@router.post(
    "/waves/{wave_id}/confirm", auth=Token("dunning.edit"), response=WaveOut, summary="Let a wave go that is held"
)
def confirm_wave(request: HttpRequest, wave_id: int) -> Wave:
    one(request, Wave.objects.all(), wave_id, "wave")
    return actions.confirm_wave(wave_id, by=actor_of(request), at=clock.now())


@router.post(
    "/waves/{wave_id}/restore",
    auth=Token("dunning.edit"),
    response=WaveOut,
    summary="Take the last wave back: all it blocked are let online",
)
def restore_wave(request: HttpRequest, wave_id: int) -> Wave:
    one(request, Wave.objects.all(), wave_id, "wave")
    return actions.restore_wave(wave_id, by=actor_of(request), at=clock.now())


@router.post(
    "/partners/{partner_id}/blocking/stop", auth=Token("dunning.edit"), response=StopOut, summary="Stop all blocking"
)
def stop_blocking(request: HttpRequest, partner_id: int, payload: ReasonIn) -> dict[str, Any]:
    partner_for(request, partner_id)
    actions.stop_blocking(partner_id, reason=payload.reason, by=actor_of(request), at=clock.now())
    return _stop_out(partner_id)


@router.post(
    "/partners/{partner_id}/blocking/allow",
    auth=Token("dunning.edit"),
    response=StopOut,
    summary="Let blocking go its way again",
)
def allow_blocking(request: HttpRequest, partner_id: int) -> dict[str, Any]:
    partner_for(request, partner_id)
    actions.allow_blocking(partner_id, by=actor_of(request), at=clock.now())
    return _stop_out(partner_id)


@router.post(
    "/partners/{partner_id}/outages",
    auth=Token("dunning.edit"),
    response={201: OutageOut},
    summary="Note an outage of ours, or a failed import of payments; a monitor may do it",
)
def note_outage(request: HttpRequest, partner_id: int, payload: OutageIn) -> Outage:
    partner_for(request, partner_id)
    fields: dict[str, Any] = given(payload) | {
        name: _aware(getattr(payload, name), name) for name in ("began_at", "ended_at")
    }
    return actions.note_outage(partner_id, by=actor_of(request), at=clock.now(), **fields)


@router.post(
    "/outages/{outage_id}/end", auth=Token("dunning.edit"), response=OutageOut, summary="An outage is over now"
)
def end_outage(request: HttpRequest, outage_id: int) -> Outage:
    one(request, Outage.objects.all(), outage_id, "outage")
    return actions.end_outage(outage_id, by=actor_of(request), at=clock.now())


def _stop_out(partner_id: int) -> dict[str, Any]:
    stop = BlockingStop.objects.filter(partner_id=partner_id, lifted_at=None).first()
    return {
        "partner_id": partner_id,
        "stopped": stop is not None,
        "reason": stop.reason if stop else "",
        "stopped_by": stop.by_label if stop else "",
        "stopped_at": stop.recorded_at if stop else None,
    }


def _aware(moment: datetime | None, field: str) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise Refused("Name the zone too, such as 2024-05-31T10:00:00Z.", field=field, code="no_zone")
    return moment
