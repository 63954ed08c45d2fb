"""A change of a service, now or on a day to come; and what it bills and credits, carried out and taken back."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db import transaction

from demarc.base.actors import Actor
from demarc.billing.actions.documents import Issued
from demarc.billing.actions.fees import CHANGED, charge_fees
from demarc.billing.actions.invoices import correct_services
from demarc.billing.actions.services import activate
from demarc.billing.models import BilledThrough, Item, RecurringState
from demarc.billing.rehearsal import rehearsed
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY, billing_day, start_of_day
from demarc.plans import actions as plans
from demarc.plans.models import Service, ServiceState
from demarc.plans.queries import newest_facts, planned_changes

LEAVING = {
    ServiceState.PAUSED: plans.pause_service,
    ServiceState.STOPPED: plans.stop_service,
    ServiceState.ENDED: plans.end_service,
}


class Wanted(NamedTuple):
    """What is to change; None stays. `state`: active, paused, stopped or ended. `price`: a month's own, with a plan."""

    plan_id: int | None = None
    state: str | None = None
    quantity: int | None = None
    price: int | None = None


class Foreseen(NamedTuple):
    """What a change bills on its day: fees, and documents as they would be written."""

    on: date
    fees: Sequence[Item]
    issued: Sequence[Issued]


@transaction.atomic
def change_service(
    service_id: int, wanted: Wanted, *, on: date | None = None, period_end: bool = False, by: Actor, at: datetime
) -> date:
    """Change a service today (None), on a day to come, or when what is billed ahead is over: the day. What was billed
    is put right by the reader of HoldingChanged, today or on the day. The log rows are plans' own.

    Refused: as the verbs of plans, nothing named, nothing that is not so already, a day that is past, an own price
    planned ahead.
    """
    service = Service.objects.select_related("partner", "account").filter(pk=service_id).first()
    if service is None:
        raise Refused("There is no such service.", field="service_id", code="unknown")
    today = billing_day(at, ZoneInfo(service.partner.zone))
    day = _period_end(service, today) if period_end else on or today
    if not any(field is not None for field in wanted[:3]):
        raise Refused("Say what is to change: the plan, the state or the number.", field="plan_id", code="required")
    if wanted.price is not None and (wanted.plan_id is None or day != today):
        raise Refused("An own price comes with a new plan, from today on.", field="price", code="one_of_two")
    before = newest_facts([service_id], day)
    if day == today:
        _change_now(service_id, wanted, today, by, at)
    else:
        plan_id, state, quantity = wanted[:3]
        plans.plan_ahead(service_id, on=day, plan_id=plan_id, state=state, quantity=quantity, by=by, at=at)
    if newest_facts([service_id], day) == before:
        field = "" if wanted.plan_id is None else "plan_id"
        raise Refused("Nothing would change: it is so already.", field=field, code="unchanged")
    return day


def foresee_change(
    service_id: int, wanted: Wanted, *, on: date | None = None, period_end: bool = False, by: Actor, at: datetime
) -> Foreseen:
    """What the same call of `change_service` bills and credits on its day, if nothing else changes until then. Keeps
    nothing. Refused as that."""

    def act() -> date:
        return change_service(service_id, wanted, on=on, period_end=period_end, by=by, at=at)

    return foresee(service_id, act, by=by, at=at)


def foresee(service_id: int, act: Callable[[], date], *, by: Actor, at: datetime) -> Foreseen:
    """What a deed that changes a service, and answers from which day on, bills and credits on that day, if nothing else
    changes until then but what is planned. Keeps nothing. Refused as the deed."""

    def done() -> Foreseen:
        day = act()
        service = Service.objects.select_related("partner").get(pk=service_id)
        zone, today = ZoneInfo(service.partner.zone), billing_day(at, ZoneInfo(service.partner.zone))
        coming = {one.fact.valid_from for one in planned_changes([service_id], today)} if day > today else set()
        for earlier in sorted(planned for planned in coming if planned < day):
            _on_the_day(service, by, start_of_day(earlier, zone))
        return Foreseen(day, *_on_the_day(service, by, start_of_day(day, zone) if day > today else at))

    return rehearsed(done)


def _on_the_day(service: Service, by: Actor, at: datetime) -> tuple[list[Item], list[Issued]]:
    """What the jobs do for a service whose facts begin."""
    plans.carry_out_planned(service.partner_id, only=service.pk, by=by, at=at)
    fees = charge_fees([service.pk], CHANGED, by=by, at=at)
    return fees, correct_services([service.pk], by=by, at=at)


def _change_now(service_id: int, wanted: Wanted, today: date, by: Actor, at: datetime) -> None:
    now = newest_facts([service_id], today)[service_id]
    if wanted.plan_id is not None and (wanted.plan_id, wanted.price) != (now.plan_id, now.price_override):
        plans.change_plan(service_id, plan_id=wanted.plan_id, price_override=wanted.price, by=by, at=at)
    if wanted.quantity is not None:
        own = newest_facts([service_id], today)[service_id].price_override
        plans.set_service_price(service_id, price=own, quantity=wanted.quantity, by=by, at=at)
    if wanted.state == ServiceState.ACTIVE:
        activate(service_id, by=by, at=at)
    elif wanted.state is not None:
        LEAVING[ServiceState(wanted.state)](service_id, by=by, at=at)


def _period_end(service: Service, today: date) -> date:
    """The first day that is not billed ahead: of postpaid accounts the next billing day, of prepaid ones tomorrow."""
    payer = service.account.parent_id or service.account_id
    billed = BilledThrough.objects.filter(service=service).values_list("day", flat=True).first()
    if billed is not None and billed >= today:
        return billed + ONE_DAY
    state = RecurringState.objects.filter(account_id=payer, next_on__gt=today).first()
    return state.next_on if state else today + ONE_DAY
