"""What if, over the API: other prices, rates or terms over the real customers. Stores nothing."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from demarc.base import clock
from demarc.billing import actions
from demarc.core.money import parse
from demarc.plans.models import Plan
from demarc.staff.apidoor import Token, actor_of, one, partner_for
from demarc.staff.apiforms import Amount, Day, Id, Input, Whole, shown

PRICES_MAX = 100

router = Router(tags=["documents"])


class OtherPrice(Input):
    """A plan's month at another price."""

    plan_id: Id
    price: Amount


class OtherTax(Input):
    """Another rate of a tax category, as a fraction: "0.21" for 21 %."""

    category: str
    rate: Annotated[str, Field(pattern=r"^[0-9](\.[0-9]{1,6})?$", examples=["0.21"])]


class WhatIfIn(Input):
    """What would be otherwise from today on; at least one of it. `due_days` counts for what is open now, too.
    `day`: the run that is looked at (default: the next month's)."""

    prices: Annotated[list[OtherPrice], Field(max_length=PRICES_MAX)] = []
    taxes: Annotated[list[OtherTax], Field(max_length=PRICES_MAX)] = []
    due_days: Whole | None = None
    block_hour: Whole | None = None
    day: Day | None = None


class FiguresOut(Schema):
    """What a run comes to. `blocked`: accounts that the rules block within 60 days if nobody pays, be it for an older
    document or for one of this run."""

    documents: int
    net: str
    tax: str
    gross: str
    blocked: int


class DifferentOut(Schema):
    """An account whose documents would sum to something else; null where there would be none."""

    account_id: int
    before: str | None
    after: str | None


class WhatIfOut(Schema):
    """The run of `day` as it is and as it would be. `different`: how many accounts; `accounts`: the most different."""

    day: date
    currency: str
    before: FiguresOut
    after: FiguresOut
    different: int
    accounts: list[DifferentOut]


@router.post(
    "/partners/{partner_id}/what-if",
    auth=Token("accounts.edit"),
    response=WhatIfOut,
    summary="What the next run would come to, and whom it blocks, with other prices, rates or terms; stores nothing",
)
def what_if(request: HttpRequest, partner_id: int, payload: WhatIfIn) -> dict[str, Any]:
    partner = partner_for(request, partner_id)
    for other in payload.prices:
        one(request, Plan.objects.all(), other.plan_id, "plan", field="prices")
    change = actions.Change(
        prices={one_.plan_id: parse(one_.price, partner.currency, field="prices").amount for one_ in payload.prices},
        taxes={one_.category: Decimal(one_.rate) for one_ in payload.taxes},
        due_days=payload.due_days,
        block_hour=payload.block_hour,
    )
    answer = actions.what_if(partner.pk, change, day=payload.day, by=actor_of(request), at=clock.now())
    accounts = [
        {
            "account_id": one_.account_id,
            "before": _amount(one_.before, partner.currency),
            "after": _amount(one_.after, partner.currency),
        }
        for one_ in answer.accounts
    ]
    figures = {"before": _figures(answer.before, partner.currency), "after": _figures(answer.after, partner.currency)}
    told = {"day": answer.day, "currency": partner.currency, "different": answer.different, "accounts": accounts}
    return told | figures


def _figures(figures: Any, currency: str) -> dict[str, Any]:
    sums = {name: shown(getattr(figures, name), currency) for name in ("net", "tax", "gross")}
    return {"documents": figures.documents, "blocked": figures.blocked} | sums


def _amount(amount: int | None, currency: str) -> str | None:
    return None if amount is None else shown(amount, currency)
