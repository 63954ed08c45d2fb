"""How requests for access were answered and why, over the API; read only.

They hold no password; what stands in them came from outside and is given as it came.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from demarc.access import tracing
from demarc.access.models import AnsweredBy, Decision, Nas, Outcome, Subscriber
from demarc.base import clock
from demarc.core.access import Cause
from demarc.staff.apidoor import Token, one, scope, seen
from demarc.staff.apiforms import Filter, Listing, Page, Search, private_listing

router = Router()
HOURS_MAX = 192


class DecisionSearch(Page):
    """`q`: the beginning of a login, all of a MAC, or an address. `hours`: how far back; they are kept for a week."""

    q: Search = ""
    hours: Annotated[int, Field(ge=1, le=HOURS_MAX)] = 24
    router_id: Filter | None = None
    outcome: Outcome | None = None
    answered_by: AnsweredBy | None = None


class DecisionOut(Schema):
    """An answer to a request for access. `cause`: why it was limited or refused; null: it was not, or there were too
    many sessions. `address_from`: static, pool, reject_pool, framed_pool or nas."""

    id: int
    at: datetime
    node: str
    nas_id: int
    subscriber_id: int | None
    login: str
    method: str
    mac: Annotated[str, Field(validation_alias="station")]
    port: str
    outcome: Outcome
    answered_by: AnsweredBy
    cause: Cause | None
    why: str
    address: str | None
    address_from: str


class StepOut(Schema):
    """One thing that was looked at and what was found; `good` null: it spoke neither for the caller nor against."""

    title: str
    words: str
    good: bool | None


class DecisionTold(DecisionOut):
    """An answer step by step. `sent`, `old`: attributes of ours and of the old server's; `differs`: where they do."""

    steps: list[StepOut]
    sent: list[str]
    old: list[str]
    differs: list[str]


@router.get(
    "/decisions",
    auth=Token("sessions.see"),
    response=Listing[DecisionOut],
    tags=["sessions"],
    summary="How requests for access were answered, the latest first",
)
def decisions(request: HttpRequest, search: Query[DecisionSearch]) -> dict[str, Any]:
    rows = tracing.decisions(scope(request), clock.now() - timedelta(hours=search.hours), search.q)
    if search.router_id is not None:
        rows = rows.filter(nas_id__in=list(Nas.objects.filter(router_id=search.router_id).values_list("pk", flat=True)))
    if search.outcome is not None:
        rows = rows.filter(outcome=search.outcome)
    if search.answered_by is not None:
        rows = rows.filter(answered_by=search.answered_by)
    return private_listing(request, "decisions", rows, search)


@router.get(
    "/decisions/{decision_id}",
    auth=Token("sessions.see"),
    response=DecisionTold,
    tags=["sessions"],
    summary="Why somebody was answered so, step by step",
)
def decision(request: HttpRequest, decision_id: int) -> dict[str, Any]:
    found = one(request, Decision.objects.all(), decision_id, "decision")
    login = Subscriber.objects.select_related("service").filter(pk=found.subscriber_id or 0).first()
    if login is not None:
        seen(request, login.service.customer_id, found.partner_id, "decision")
    name = Nas.objects.filter(pk=found.nas_id).values_list("router__name", flat=True).first()
    columns = {field.attname: getattr(found, field.attname) for field in Decision._meta.concrete_fields}
    steps = [step._asdict() for step in tracing.steps(found, name or "")]
    return columns | {"steps": steps}
