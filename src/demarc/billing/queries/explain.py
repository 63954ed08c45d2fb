"""Why an amount or a block is what it is: the dated facts behind it, read back from the ids that were kept with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from demarc.billing.models import DayDecision, Decision, Document, Payment, Transfer, TransferKind
from demarc.billing.queries.accounts import owed
from demarc.billing.queries.dunning import Standing, standing
from demarc.core.period import DayRule, billing_day, day_share, start_of_day
from demarc.customers.models import Account, BillingType, Block, Customer
from demarc.customers.queries import Terms, TermsBook
from demarc.plans.models import PlanPrice, Service, ServiceFact, ServiceState

SHOWN_MAX = 200


class Source(NamedTuple):
    """A dated fact: from which day on it is so, and who wrote it down when."""

    valid_from: date
    recorded_at: datetime
    recorded_by: str


class Charge(NamedTuple):
    """A service's charge of one prepaid day: part `nth` of `parts` of a month at `price`, minor units. `own`: that
    price was agreed with the customer; `held` is the fact that the service was in use, `listed` the price's."""

    service_id: int
    plan: str
    day: date
    amount: int
    price: int
    own: bool
    nth: int
    parts: int
    held: Source
    listed: Source


class ExplainedDay(NamedTuple):
    """A decided day with the rules that its 00:00 saw, and what each service was charged."""

    decision: DayDecision
    terms: Terms
    charges: Sequence[Charge]


@dataclass(frozen=True)
class ExplainedMove:
    """A movement of an account and what stands behind it: the charge, the document, the payment; all None for a
    correction and for money moved between accounts."""

    transfer: Transfer
    amount: int
    charge: Charge | None = None
    document: Document | None = None
    payment: Payment | None = None


@dataclass(frozen=True)
class ExplainedBlock:
    """A reason why a customer, an account or a service has no access: the block or the service's fact, and for money
    the prepaid day or the standing of documents. `since`: a day of the provider's zone; `owed`: the least payment that
    opens the account."""

    since: date
    block: Block | None = None
    day: ExplainedDay | None = None
    standing: Standing | None = None
    service: Service | None = None
    fact: ServiceFact | None = None
    owed: int = 0
    currency: str = ""


def explained_day(decision: DayDecision) -> ExplainedDay:
    """A day, with what it rests on."""
    account = decision.account
    seen_at = decision.paid_at or start_of_day(decision.day, ZoneInfo(account.zone))
    terms = TermsBook.of([account.pk], [account.partner_id]).on(account.pk, account.partner_id, decision.day, seen_at)
    rows = Transfer.objects.filter(entry_id=decision.entry_id, kind=TransferKind.CHARGE) if decision.entry_id else []
    return ExplainedDay(decision, terms, _charges(rows, terms))


def explained_move(transfer: Transfer) -> ExplainedMove:
    """A movement, with what it rests on."""
    raises = transfer.credit_account.payer_id == transfer.account_id
    amount = transfer.amount if raises else -transfer.amount
    if transfer.kind == TransferKind.CHARGE:
        account = transfer.account
        seen_at = max(transfer.recorded_at, start_of_day(transfer.day, ZoneInfo(account.zone)))
        book = TermsBook.of([account.pk], [account.partner_id])
        terms = book.on(account.pk, account.partner_id, transfer.day, seen_at)
        return ExplainedMove(transfer, amount, charge=_charges([transfer], terms)[0])
    entry = {"entry_id": transfer.entry_id, "account_id": transfer.account_id}
    document = Document.objects.filter(**entry).first()
    return ExplainedMove(transfer, amount, document=document, payment=Payment.objects.filter(**entry).first())


def explained_blocks(customer: Customer, *, at: datetime) -> list[ExplainedBlock]:
    """Why a customer's services have no access now, the customer's own block first; empty when all have."""
    blocks = list(Block.objects.filter(customer=customer, lifted_at=None).select_related("account").order_by("id"))
    zone = ZoneInfo(customer.partner.zone)
    found = [ExplainedBlock(billing_day(one.set_at, zone), block=one) for one in blocks if one.account_id is None]
    for block in blocks:
        if block.account is not None:
            found.append(_for_money(block, block.account, billing_day(block.set_at, zone), at))
    out = Service.objects.filter(customer=customer).exclude(state__in=[ServiceState.ACTIVE, ServiceState.PENDING])
    for service in out.select_related("plan").order_by("id")[:SHOWN_MAX]:
        fact = _fact_of_state(service)
        found.append(ExplainedBlock(fact.valid_from, service=service, fact=fact))
    return found


def _for_money(block: Block, account: Account, since: date, at: datetime) -> ExplainedBlock:
    missing, currency = owed([account.pk], at=at).get(account.pk, (0, account.currency))
    told = {"since": since, "block": block, "owed": missing, "currency": currency}
    if account.billing_type == BillingType.RECURRING:
        return ExplainedBlock(**told, standing=standing(account.parent_id or account.pk, at=at))  # type: ignore[arg-type]
    days = DayDecision.objects.filter(account=account, decision=Decision.BLOCKED, cost__gt=0).select_related("account")
    newest = days.order_by("-day").first()
    return ExplainedBlock(**told, day=explained_day(newest) if newest else None)  # type: ignore[arg-type]


def _fact_of_state(service: Service) -> ServiceFact:
    """The fact with which the service's present state began."""
    facts = list(ServiceFact.objects.filter(service=service).order_by("-valid_from", "-id")[:SHOWN_MAX])
    begun = facts[0]
    for fact in facts:
        if fact.state == service.state:
            begun = fact
        elif begun.state == service.state:
            break
    return begun


def _charges(rows: Iterable[Transfer], terms: Terms) -> list[Charge]:
    some = sorted(rows, key=lambda row: row.seq)
    facts = ServiceFact.objects.select_related("plan").in_bulk([row.service_fact_id for row in some])
    prices = PlanPrice.objects.in_bulk([row.price_fact_id for row in some])
    found = []
    for row in some:
        held = facts[row.service_fact_id or 0]
        listed = prices.get(row.price_fact_id or 0)  # none: an own price, which is in the service's fact
        nth, parts = day_share(row.day, DayRule(terms.day_rule))
        price = held.price_override if listed is None else listed.amount
        found.append(
            Charge(
                service_id=row.service_id or 0,
                plan=held.plan.name,
                day=row.day,
                amount=row.amount,
                price=price or 0,
                own=listed is None,
                nth=nth,
                parts=parts,
                held=_source(held),
                listed=_source(listed or held),
            )
        )
    return found


def _source(fact: ServiceFact | PlanPrice) -> Source:
    return Source(fact.valid_from, fact.recorded_at, fact.by_label)
