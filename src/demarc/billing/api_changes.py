"""Changes of a service over the API: now, at the period's end or on a day; what each bills; and what is planned."""

from datetime import date
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from demarc.base import clock
from demarc.billing import actions
from demarc.billing.actions.documents import Issued
from demarc.billing.models import DocumentKind, Item
from demarc.billing.wording import Words, derivation
from demarc.core.money import parse
from demarc.core.recurring import Line
from demarc.plans import actions as plans
from demarc.plans.models import Plan, Service, ServiceState
from demarc.plans.queries import Planned, planned_changes
from demarc.staff.apidoor import Token, actor_of, one, seen
from demarc.staff.apiforms import Amount, Day, Id, Input, Key, Whole, answered_once, shown

router = Router(tags=["services"])


class ChangeIn(Input):
    """What is to change; what is left out stays. `when`: "now", "period_end" (the first day that is not billed ahead)
    or a day to come. `price`, a month's own, comes with `plan_id` and now only."""

    when: Literal["now", "period_end"] | Day = "now"
    plan_id: Id | None = None
    price: Amount | None = None
    state: Literal["active", "paused", "stopped", "ended"] | None = None
    quantity: Whole | None = None


class ChangedOut(Schema):
    """From which day on a service is changed. What was billed ahead is put right on that day, by one document."""

    service_id: int
    on: date


class FeeOut(Schema):
    """A fee that a change costs."""

    text: str
    amount: str


class ForeseenLineOut(Schema):
    """A line of a document to come; `why`: how its amount comes to be, in words."""

    text: str
    first_day: date
    last_day: date
    amount: str
    why: list[str]


class ForeseenDocumentOut(Schema):
    """A document that a change makes on its day."""

    kind: DocumentKind
    issued_on: date
    net: str
    tax: str
    gross: str
    lines: list[ForeseenLineOut]


class ForeseenOut(Schema):
    """What a change bills and credits on its day `on`. A recurring account gets the fees with its next document, a
    prepaid one pays them at once, and its new price from the first 00:00 after `on` that sees it."""

    service_id: int
    on: date
    currency: str
    fees: list[FeeOut]
    documents: list[ForeseenDocumentOut]


class PlannedOut(Schema):
    """What holds from a day to come on."""

    on: date
    plan_id: int
    plan: str
    price: str | None
    state: ServiceState
    quantity: int


class TakeBackIn(Input):
    """For which day the change is planned."""

    on: Day


@router.get(
    "/services/{service_id}/changes",
    auth=Token("services.see"),
    response=list[PlannedOut],
    summary="What is planned for a service, in order of days",
)
def changes(request: HttpRequest, service_id: int) -> list[dict[str, Any]]:
    found = _service(request, service_id)
    seen(request, found.customer_id, found.partner_id, "changes")
    return _planned(found)


@router.post(
    "/services/{service_id}/changes",
    auth=Token("services.edit"),
    response={201: ChangedOut},
    summary="Change a service's plan, state or number, now or on a day to come",
)
def change_service(request: HttpRequest, service_id: int, payload: ChangeIn, idempotency_key: Key) -> HttpResponse:
    found = _service(request, service_id)
    asked = _asked(request, payload, found)

    def make(key: str) -> ChangedOut:
        day = actions.change_service(service_id, by=actor_of(request), at=clock.now(), **asked)
        return ChangedOut(service_id=service_id, on=day)

    return answered_once(request, idempotency_key, payload, make)


@router.post(
    "/services/{service_id}/changes/preview",
    auth=Token("services.edit"),
    response=ForeseenOut,
    summary="What a change would bill and credit on its day; stores nothing",
)
def foresee_change(request: HttpRequest, service_id: int, payload: ChangeIn) -> dict[str, Any]:
    found = _service(request, service_id)
    asked = _asked(request, payload, found)
    foreseen = actions.foresee_change(service_id, by=actor_of(request), at=clock.now(), **asked)
    words = Words("en", found.account.currency)
    return {
        "service_id": service_id,
        "on": foreseen.on,
        "currency": words.currency,
        "fees": [_fee(item, words.currency) for item in foreseen.fees],
        "documents": [_document(issued, words) for issued in foreseen.issued],
    }


@router.post(
    "/services/{service_id}/changes/take-back",
    auth=Token("services.edit"),
    response=list[PlannedOut],
    summary="Take back what is planned for a day; it can be done once, so it needs no Idempotency-Key",
)
def take_back_change(request: HttpRequest, service_id: int, payload: TakeBackIn) -> list[dict[str, Any]]:
    found = _service(request, service_id)
    plans.cancel_planned(service_id, on=payload.on, by=actor_of(request), at=clock.now())
    return _planned(found)


def _service(request: HttpRequest, service_id: int) -> Service:
    return one(request, Service.objects.select_related("account"), service_id, "service")


def _asked(request: HttpRequest, payload: ChangeIn, service: Service) -> dict[str, Any]:
    """The change as the actions take it."""
    if payload.plan_id is not None:
        one(request, Plan.objects.all(), payload.plan_id, "plan", field="plan_id")
    price = None if payload.price is None else parse(payload.price, service.account.currency, field="price").amount
    wanted = actions.Wanted(payload.plan_id, payload.state, payload.quantity, price)
    on = payload.when if isinstance(payload.when, date) else None
    return {"wanted": wanted, "on": on, "period_end": payload.when == "period_end"}


def _planned(service: Service) -> list[dict[str, Any]]:
    today = clock.today(service.account.zone)
    return [_planned_out(one_, service.account.currency) for one_ in planned_changes([service.pk], today)]


def _planned_out(planned: Planned, currency: str) -> dict[str, Any]:
    fact = planned.fact
    price = None if fact.price_override is None else shown(fact.price_override, currency)
    named = {"on": fact.valid_from, "plan_id": fact.plan_id, "plan": fact.plan.name}
    return named | {"price": price, "state": fact.state, "quantity": fact.quantity}


def _fee(item: Item, currency: str) -> dict[str, str]:
    return {"text": item.text, "amount": shown(item.amount, currency)}


def _document(issued: Issued, words: Words) -> dict[str, Any]:
    draft = issued.ready.draft
    sums = {name: shown(getattr(draft.totals, name), words.currency) for name in ("net", "tax", "gross")}
    lines = [_line(line, words) for line in draft.lines]
    return {"kind": issued.kind, "issued_on": draft.on, "lines": lines} | sums


def _line(line: Line, words: Words) -> dict[str, Any]:
    return {
        "text": line.text,
        "first_day": line.first,
        "last_day": line.last,
        "amount": shown(line.part.amount, words.currency),
        "why": words.why(derivation(line), amount=line.part.amount, revenue=line.part.revenue),
    }
