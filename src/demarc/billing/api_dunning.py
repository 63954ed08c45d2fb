"""Reminding and blocking over the API: rules, why an account is blocked, promises, disputes, waves, what-if."""

from datetime import date, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from demarc.base import clock
from demarc.base.models import Partner
from demarc.billing import actions, queries
from demarc.billing.customer_words import Told
from demarc.billing.debts import Guards
from demarc.billing.dunning_rules import checked
from demarc.billing.dunning_words import staff_words
from demarc.billing.models import (
    Document,
    Promise,
    ReminderChannel,
)
from demarc.billing.queries import WhatIf
from demarc.core.dunning import Cause, Policy
from demarc.core.money import parse
from demarc.customers.models import Account
from demarc.staff.apidoor import Token, actor_of, one, partner_for, seen
from demarc.staff.apiforms import (
    Amount,
    Day,
    Flag,
    Input,
    Whole,
    given,
    left_out_stays,
    shown,
)

AMOUNTS = ("threshold", "blocking_fee", "reactivation_fee")
GUARDS = {"wave_factor": "factor", "wave_least": "least", "outage_hours": "outage_hours"}

router = Router(tags=["money"])


class ReminderIo(Schema):
    """`days` from the day a document is due, -3: three days before; `hour` in the provider's zone."""

    days: Whole
    hour: Whole = 9
    channel: ReminderChannel = ReminderChannel.MAIL


class RulesOut(Schema):
    """The rules in force today. `deactivate_after_days` 0: never; `country` empty: no holidays. A wave beyond
    `wave_factor` times the usual one and beyond `wave_least` waits for a person."""

    reminders: list[ReminderIo]
    blocks: bool
    grace_days: int
    block_hour: int
    on_weekends: bool
    on_holidays: bool
    country: str
    threshold: str
    one_time_blocks: bool
    deactivate_after_days: int
    blocking_fee: str
    reactivation_fee: str
    wave_factor: int
    wave_least: int
    outage_hours: int


class RulesChange(Input, json_schema_extra=left_out_stays):
    """Rules to change from `valid_from` on; those left out stay. Of an account, null gives a rule back to the
    provider's."""

    reminders: list[ReminderIo] | None = None
    blocks: Flag | None = None
    grace_days: Whole | None = None
    block_hour: Whole | None = None
    on_weekends: Flag | None = None
    on_holidays: Flag | None = None
    country: str | None = None
    threshold: Amount | None = None
    one_time_blocks: Flag | None = None
    deactivate_after_days: Whole | None = None
    blocking_fee: Amount | None = None
    reactivation_fee: Amount | None = None


class AccountRulesIn(RulesChange):
    """An account's own rules from a day on."""

    valid_from: Day


class PartnerRulesIn(AccountRulesIn):
    """A provider's rules from a day on, with the guards."""

    wave_factor: Whole | None = None
    wave_least: Whole | None = None
    outage_hours: Whole | None = None


class WhyOut(Schema):
    """One fact of the chain; what it is about as far as it has one."""

    cause: Cause
    document: str
    day: date | None
    amount: str | None


class StandingOut(Schema):
    """Why an account is blocked, or when it will be; of a prepaid account the chain is empty. `owed`: what brings
    access back or keeps it; `words` and `customer_words` say the chain in sentences."""

    account_id: int
    blocked_on: date | None
    promised_until: date | None
    owed: str
    currency: str
    chain: list[WhyOut]
    words: list[str]
    customer_words: list[str]


class PromiseIn(Input):
    """Until the end of which day he is left alone."""

    until: Day
    comment: str = ""


class PromiseOut(Schema):
    """A promise to pay."""

    id: int
    account_id: int
    until: date
    comment: str
    ended_at: datetime | None


class ReasonIn(Input):
    """Why; kept in the operation log."""

    reason: str


class DisputeOut(Schema):
    """A document's dispute; `disputed_at` null: there is none."""

    id: int
    number: str
    open_amount: str
    disputed_at: datetime | None

    @staticmethod
    def resolve_open_amount(document: Document) -> str:
        return shown(document.open_amount, document.currency)


class WhatIfSearch(Schema):
    """Rules to try; those left out are as they are. `due_days`: after a document's date."""

    blocks: bool | None = None
    grace_days: Annotated[int, Field(ge=0, le=99)] | None = None
    block_hour: Annotated[int, Field(ge=0, le=23)] | None = None
    on_weekends: bool | None = None
    on_holidays: bool | None = None
    country: Annotated[str, Field(max_length=2)] | None = None
    threshold: Amount | None = None
    one_time_blocks: bool | None = None
    deactivate_after_days: Annotated[int, Field(ge=0, le=365)] | None = None
    due_days: Annotated[int, Field(ge=0, le=365)] | None = None


class ForeseenDayOut(Schema):
    """One day: by the rules tried, and how many are blocked by those in force."""

    day: date
    reminded: int
    blocked: int
    deactivated: int
    blocked_now: int
    owed: str


class ForesightOut(Schema):
    """What would happen over the next 60 days if nobody paid; `complete` false: there are more accounts than are looked
    at."""

    accounts: int
    complete: bool
    blocked: int
    blocked_now: int
    days: list[ForeseenDayOut]


@router.get(
    "/partners/{partner_id}/dunning", auth=Token("dunning.see"), response=RulesOut, summary="How debtors are treated"
)
def dunning_rules(request: HttpRequest, partner_id: int) -> dict[str, Any]:
    return _rules_out(partner_for(request, partner_id))


@router.post(
    "/partners/{partner_id}/dunning",
    auth=Token("settings.edit"),
    response={201: RulesOut},
    summary="Change how debtors are treated from a day on",
)
def set_dunning_rules(request: HttpRequest, partner_id: int, payload: PartnerRulesIn) -> dict[str, Any]:
    partner = partner_for(request, partner_id)
    fields = _fields(given(payload), partner.currency)
    actions.set_dunning_terms(partner.pk, by=actor_of(request), at=clock.now(), **fields)
    return _rules_out(partner)


@router.post(
    "/accounts/{account_id}/dunning",
    auth=Token("dunning.edit"),
    response={201: RulesOut},
    summary="Give an account own rules of reminding and blocking from a day on",
)
def set_account_dunning_rules(request: HttpRequest, account_id: int, payload: AccountRulesIn) -> dict[str, Any]:
    account = one(request, Account.objects.select_related("partner"), account_id, "account")
    fields = {"account_id": account.pk} | _fields(given(payload), account.currency)
    actions.set_dunning_terms(account.partner_id, by=actor_of(request), at=clock.now(), **fields)
    return _rules_out(account.partner, account.pk)


@router.get(
    "/accounts/{account_id}/dunning",
    auth=Token("dunning.see"),
    response=StandingOut,
    summary="Why a recurring account is blocked, or when it will be",
)
def dunning_standing(request: HttpRequest, account_id: int) -> dict[str, Any]:
    account = one(request, Account.objects.select_related("customer__partner"), account_id, "account")
    seen(request, account.customer_id, account.partner_id, "dunning")
    standing = queries.standing(account_id, at=clock.now())
    why, currency = standing.why if standing else [], account.currency
    chain = [
        {
            "cause": one_.cause,
            "document": one_.number,
            "day": one_.day,
            "amount": None if one_.amount is None else shown(one_.amount, currency),
        }
        for one_ in why
    ]
    return {
        "account_id": account_id,
        "blocked_on": standing.case.facts.blocked_on if standing else None,
        "promised_until": standing.promise.until if standing and standing.promise else None,
        "owed": shown(standing.owed if standing else 0, currency),
        "currency": currency,
        "chain": chain,
        "words": staff_words(why, currency),
        "customer_words": Told(account.customer).debts(why, currency),
    }


@router.post(
    "/accounts/{account_id}/promise",
    auth=Token("promises.edit"),
    response={201: PromiseOut},
    summary="Record a promise to pay; a blocked account is online at once",
)
def promise(request: HttpRequest, account_id: int, payload: PromiseIn) -> Promise:
    one(request, Account.objects.all(), account_id, "account")
    until, comment = payload.until, payload.comment
    return actions.promise(account_id, until=until, comment=comment, by=actor_of(request), at=clock.now())


@router.post(
    "/accounts/{account_id}/promise/end",
    auth=Token("promises.edit"),
    response=PromiseOut,
    summary="End a promise to pay",
)
def end_promise(request: HttpRequest, account_id: int) -> Promise:
    one(request, Account.objects.all(), account_id, "account")
    return actions.end_promise(account_id, by=actor_of(request), at=clock.now())


@router.post(
    "/documents/{document_id}/dispute",
    auth=Token("promises.edit"),
    response=DisputeOut,
    summary="Note that the customer contests a document",
)
def dispute(request: HttpRequest, document_id: int, payload: ReasonIn) -> Document:
    one(request, Document.objects.all(), document_id, "document")
    return actions.dispute(document_id, reason=payload.reason, by=actor_of(request), at=clock.now())


@router.post(
    "/documents/{document_id}/dispute/end",
    auth=Token("promises.edit"),
    response=DisputeOut,
    summary="Note that a dispute is settled",
)
def end_dispute(request: HttpRequest, document_id: int, payload: ReasonIn) -> Document:
    one(request, Document.objects.all(), document_id, "document")
    return actions.end_dispute(document_id, reason=payload.reason, by=actor_of(request), at=clock.now())


@router.get(
    "/partners/{partner_id}/dunning/simulation",
    auth=Token("dunning.see"),
    response=ForesightOut,
    summary="Whom other rules would remind and block over 60 days; stores nothing",
)
def simulate_dunning(request: HttpRequest, partner_id: int, search: Query[WhatIfSearch]) -> dict[str, Any]:
    partner = partner_for(request, partner_id)
    wanted = checked(_fields(search.model_dump(exclude_none=True), partner.currency))  # type: ignore[arg-type] # WhatIfSearch has its fields
    due_days = wanted.pop("due_days", None)
    foresight = queries.foresee(partner, WhatIf(wanted, due_days), at=clock.now())
    days = [
        {
            "day": row.day,
            "reminded": row.then[0],
            "blocked": row.then[1],
            "deactivated": row.then[2],
            "blocked_now": row.now[1],
            "owed": shown(row.amount, partner.currency),
        }
        for row in foresight.days
    ]
    return {
        "accounts": foresight.accounts,
        "complete": not foresight.cut,
        "blocked": foresight.blocked_then,
        "blocked_now": foresight.blocked_now,
        "days": days,
    }


def _fields(wanted: dict[str, Any], currency: str) -> dict[str, Any]:
    """The rules as the action takes them: amounts in minor units, reminders as triples."""
    for name in AMOUNTS:
        if wanted.get(name) is not None:
            wanted[name] = parse(wanted[name], currency).amount
    if wanted.get("reminders") is not None:
        wanted["reminders"] = [
            (one_["days"], one_.get("hour", 9), str(one_.get("channel", "mail"))) for one_ in wanted["reminders"]
        ]
    return wanted


def _rules_out(partner: Partner, account_id: int | None = None) -> dict[str, Any]:
    policy, guards = queries.policy_on(partner.pk, clock.today(partner.zone), account_id)
    return _policy_out(policy, partner.currency) | _guards_out(guards)


def _policy_out(policy: Policy, currency: str) -> dict[str, Any]:
    said = policy._asdict() | {name: shown(getattr(policy, name), currency) for name in AMOUNTS}
    said["reminders"] = [reminder._asdict() for reminder in policy.reminders]
    return said


def _guards_out(guards: Guards) -> dict[str, Any]:
    return {name: getattr(guards, field) for name, field in GUARDS.items()}
