"""Billing days of prepaid accounts over the API: what each decided, and those that are open begun now."""

from datetime import date, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status

from demarc.base import clock
from demarc.base.models import Partner
from demarc.billing import actions, queries
from demarc.staff.apidoor import Token, actor_of, partner_for, scope
from demarc.staff.apiforms import Id, Input, Listing, Page, listing

router = Router(tags=["money"])


class BillingDayOut(Schema):
    """A day of all prepaid accounts of a provider, and how many accounts it charged, blocked, left as they are, and
    could not decide. `finished_at` null: it is at work."""

    partner_id: int
    day: date
    charged: int
    blocked: int
    nothing_due: int
    parked: int
    started_at: datetime
    finished_at: datetime | None


class DaysIn(Input):
    """Whose open days."""

    partner_id: Id


class DaysOut(Schema):
    """The day through which all will be decided: today in the provider's zone."""

    until: date


@router.get(
    "/billing-days", auth=Token("runs.see"), response=Listing[BillingDayOut], summary="Billing days, newest first"
)
def billing_days(request: HttpRequest, search: Query[Page]) -> dict[str, Any]:
    return listing(queries.day_list(scope(request)), search)


@router.post(
    "/billing-days",
    auth=Token("runs.edit"),
    response={202: DaysOut},
    summary="Begin the billing days that are open; what is decided stays, so it needs no Idempotency-Key",
)
def begin_days(request: HttpRequest, payload: DaysIn) -> Status[dict[str, date]]:
    partner: Partner = partner_for(request, payload.partner_id)
    actions.ask_days(partner.pk, by=actor_of(request), at=clock.now())
    return Status(202, {"until": clock.today(partner.zone)})
