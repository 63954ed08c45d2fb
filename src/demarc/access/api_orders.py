"""What routers were told, and who had an address, over the API."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from demarc.access import actions, orders, queries
from demarc.access.api import DisconnectOut
from demarc.access.models import CoaIntent, CoaKind, CoaState
from demarc.base import clock
from demarc.core.errors import Refused
from demarc.staff.apidoor import Token, actor_of, one, scope
from demarc.staff.apiforms import Input, Listing

router = Router()
HOURS_MAX = 720


class Period(Schema):
    """How far back."""

    hours: Annotated[int, Field(ge=1, le=HOURS_MAX)] = 24


class SpeedOut(Schema):
    """Orders to one router (null: to all). Seconds from when a thing was wanted until half, and 99 of 100, were
    confirmed by the router and seen in accounting; null where none was."""

    router_id: int | None
    router: str
    told: int
    waiting: int
    stuck: int
    why: str
    confirmed_half_s: float | None
    confirmed_99_s: float | None
    seen_half_s: float | None
    seen_99_s: float | None


class StuckOut(Schema):
    """A session that is on and not as it should be."""

    intent_id: int
    router_id: int
    user_name: str
    session_id: str
    kind: CoaKind
    state: CoaState
    error_cause: int | None
    tries: int
    created_at: datetime
    words: str


class TraceIn(Input):
    """`time`: as clocks in `zone` showed it. `reason` is written down. `port`: of an address that customers share."""

    address: Annotated[str, Field(max_length=45)]
    time: Annotated[str, Field(max_length=26, examples=["2026-03-10T12:00:00"])]
    zone: Annotated[str, Field(max_length=60)] = "UTC"
    reason: Annotated[str, Field(max_length=200)]
    port: Annotated[int, Field(strict=True, ge=0, le=65535)] | None = None


class HolderOut(Schema):
    """A session that had the address; `certain` false: it began or ended within two minutes of then; `ended_at` null:
    it is on."""

    customer_id: int | None
    service_id: int | None
    router_id: int
    user_name: str
    session_id: str
    mac: str
    port: str
    addresses: list[str]
    started_at: datetime
    ended_at: datetime | None
    certain: bool


@router.get(
    "/orders",
    auth=Token("orders.see"),
    response=Listing[SpeedOut],
    tags=["sessions"],
    summary="How soon routers did what they were told: all together, then each",
)
def order_speeds(request: HttpRequest, period: Query[Period]) -> dict[str, Any]:
    return {"items": [_speed(speed) for speed in orders.speeds(scope(request), period.hours)], "next": None}


def _speed(speed: orders.Speed) -> dict[str, Any]:
    answered, seen = speed.answered_s or (None, None), speed.seen_s or (None, None)
    return speed._asdict() | {
        "confirmed_half_s": answered[0],
        "confirmed_99_s": answered[1],
        "seen_half_s": seen[0],
        "seen_99_s": seen[1],
    }


@router.get(
    "/orders/stuck",
    auth=Token("orders.see"),
    response=Listing[StuckOut],
    tags=["sessions"],
    summary="Sessions that are on and not as their router was told, the latest 100",
)
def stuck_orders(request: HttpRequest) -> dict[str, Any]:
    rows = [
        {
            "intent_id": intent.pk,
            "router_id": intent.nas.router_id,
            "words": queries.confirmation(intent).words,
            **{name: getattr(intent, name) for name in StuckOut.model_fields if hasattr(intent, name)},
        }
        for intent in queries.unconfirmed(scope(request), 100)
    ]
    return {"items": rows, "next": None}


@router.post(
    "/orders/{intent_id}/retry",
    auth=Token("orders.edit"),
    response=DisconnectOut,
    tags=["sessions"],
    summary="Tell a router once more what it did not do",
)
def retry_order(request: HttpRequest, intent_id: int) -> CoaIntent:
    one(request, CoaIntent.objects.all(), intent_id, "order", key="nas__partner_id")
    return actions.retry_intent(intent_id, by=actor_of(request), at=clock.now())


@router.post(
    "/sessions/trace",
    auth=Token("trace.see"),
    response=list[HolderOut],
    tags=["sessions"],
    summary="Who had an address at a moment; each question is written down with its reason",
)
def trace_address(request: HttpRequest, payload: TraceIn) -> list[dict[str, Any]]:
    try:
        wall = datetime.fromisoformat(payload.time)
    except ValueError as error:
        raise Refused("Write a time like 2026-03-10T12:00:00.", field="time", code="invalid") from error
    if wall.tzinfo is not None:
        raise Refused("Write the time without an offset, and its zone beside it.", field="time", code="invalid")
    question = actions.Question(payload.address, wall, payload.zone, payload.reason, payload.port)
    found = actions.trace_address(question, partner_ids=scope(request), by=actor_of(request), at=clock.now())
    return [holder._asdict() for holder in found]
