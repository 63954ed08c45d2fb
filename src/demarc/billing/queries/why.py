"""Why an amount or a block is what it is: the dated facts behind it, read back from the ids that were kept with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from demarc.billing.models import DayDecision, Decision, Document, Payment, Transfer, TransferKind
from demarc.billing.queries.accounts import account_summaries, owed
from demarc.billing.queries.dunning import Standing, standing
from demarc.core.charging import day_charge
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
    """What one service costs on one prepaid day: part `nth` of `parts` of a month, of `quantity` times `price`, minor
    units. `own`: that price was agreed with the customer; `held` is the fact that the service was in use, `listed` the
    price's. A month costs `through` until this part and `before` until the part before, the day the difference; both
    None when the facts do not give the amount."""

    service_id: int
    plan: str
    day: date
    amount: int
    price: int
    quantity: int
    own: bool
    nth: int
    parts: int
    through: int | None
    before: int | None
    held: Source
    listed: Source


@dataclass(frozen=True)
class WhyDay:
    """A prepaid day of an account, by the rules that were seen when it was decided. `decision` None: it is not.
    `charged`: money was taken for it, be it at 00:00, at an activation or after a block. `charges` are what it cost or,
    if nothing was taken, would have; none when the facts do not sum to that."""

    account: Account
    day: date
    decision: DayDecision | None
    terms: Terms
    charged: bool
    charges: Sequence[Charge]


@dataclass(frozen=True)
class WhyMove:
    """A movement of an account and what stands behind it: the charge, the document, the payment; all None for a
    correction and for money moved between accounts."""

    transfer: Transfer
    amount: int
    charge: Charge | None = None
    document: Document | None = None
    payment: Payment | None = None


@dataclass(frozen=True)
class WhyBlocked:
    """A reason why a customer, an account or a service has no access: the block or the service's fact, and for money
    the prepaid day or the standing of documents. `since`: a day of the provider's `zone`; `owed`: the least payment
    that opens the account, `cost` what today costs a prepaid one, `by_staff`: staff blocked the customer too."""

    since: date
    zone: str
    block: Block | None = None
    day: WhyDay | None = None
    standing: Standing | None = None
    service: Service | None = None
    fact: ServiceFact | None = None
    owed: int = 0
    cost: int = 0
    by_staff: bool = False
    currency: str = ""


def why_day(account: Account, day: date) -> WhyDay:
    """A day of a prepaid account, with what it rests on."""
    decision = DayDecision.objects.filter(account=account, day=day).first()
    taken = list(Transfer.objects.filter(account=account, day=day, kind=TransferKind.CHARGE).order_by("id")[:SHOWN_MAX])
    terms = _terms(account, day, decision, taken)
    charges = _charges(taken, terms)
    if not charges and decision is not None and decision.cost:
        tried = list(_tried(account, day, decision.decided_at, DayRule(terms.day_rule)))
        charges = tried if sum(charge.amount for charge in tried) == decision.cost else []
    return WhyDay(account, day, decision, terms, bool(taken), charges)


def why_move(transfer: Transfer) -> WhyMove:
    """A movement, with what it rests on."""
    raises = transfer.credit_account.payer_id == transfer.account_id
    amount = transfer.amount if raises else -transfer.amount
    if transfer.kind == TransferKind.CHARGE:
        account, day = transfer.account, transfer.day
        decision = DayDecision.objects.filter(account=account, day=day).first()
        terms = _terms(account, day, decision, [transfer])
        return WhyMove(transfer, amount, charge=_charges([transfer], terms)[0])
    entry = {"entry_id": transfer.entry_id, "account_id": transfer.account_id}
    document = Document.objects.filter(**entry).first()
    return WhyMove(transfer, amount, document=document, payment=Payment.objects.filter(**entry).first())


def why_blocked(customer: Customer, *, at: datetime) -> list[WhyBlocked]:
    """Why a customer's services have no access now, the customer's own block first; empty when all have."""
    rows = Block.objects.filter(customer=customer, lifted_at=None).select_related("account__customer")
    blocks = list(rows.order_by("id")[:SHOWN_MAX])
    zone = ZoneInfo(customer.partner.zone)
    by_staff = [
        WhyBlocked(billing_day(one.set_at, zone), zone.key, block=one) for one in blocks if one.account_id is None
    ]
    found = [*by_staff, *_for_money([one for one in blocks if one.account_id], bool(by_staff), zone, at)]
    out = Service.objects.filter(customer=customer).exclude(state__in=[ServiceState.ACTIVE, ServiceState.PENDING])
    for service in out.select_related("plan").order_by("id")[:SHOWN_MAX]:
        fact = _fact_of_state(service)
        found.append(WhyBlocked(fact.valid_from, zone.key, service=service, fact=fact))
    return found


def _for_money(blocks: Sequence[Block], by_staff: bool, zone: ZoneInfo, at: datetime) -> Iterable[WhyBlocked]:
    if not blocks:
        return
    accounts = [block.account for block in blocks if block.account]
    missing = owed([account.pk for account in accounts], at=at)
    costs = account_summaries([one.pk for one in accounts if one.billing_type == BillingType.PREPAID], at=at)
    for block, account in zip(blocks, accounts, strict=True):
        prepaid = account.pk in costs
        yield WhyBlocked(
            since=billing_day(block.set_at, zone),
            zone=zone.key,
            block=block,
            day=_day_that_blocked(account) if prepaid else None,
            standing=None if prepaid else standing(account.parent_id or account.pk, at=at),
            owed=missing.get(account.pk, (0, ""))[0],
            cost=(costs[account.pk].next_cost or 0) if prepaid else 0,
            by_staff=by_staff,
            currency=account.currency,
        )


def _day_that_blocked(account: Account) -> WhyDay | None:
    """The last day that he could not pay."""
    days = DayDecision.objects.filter(account=account, decision=Decision.BLOCKED, cost__gt=0).order_by("-day")
    day = days.values_list("day", flat=True).first()
    return why_day(account, day) if day else None


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


def _terms(account: Account, day: date, decision: DayDecision | None, taken: Sequence[Transfer]) -> Terms:
    """The rules of a day as its 00:00 saw them or, paid later or at an activation, that moment."""
    midnight = start_of_day(day, ZoneInfo(account.zone))
    if decision is None:
        seen_at = max([midnight, *(transfer.recorded_at for transfer in taken)])
    else:
        seen_at = decision.paid_at or midnight
    return TermsBook.of([account.pk], [account.partner_id]).on(account.pk, account.partner_id, day, seen_at)


def _charges(rows: Iterable[Transfer], terms: Terms) -> list[Charge]:
    some = sorted(rows, key=lambda row: (row.entry_id, row.seq))
    facts = ServiceFact.objects.select_related("plan").in_bulk([row.service_fact_id for row in some])
    prices = PlanPrice.objects.in_bulk([row.price_fact_id for row in some if row.price_fact_id])
    rule = DayRule(terms.day_rule)
    return [
        _charge(facts[row.service_fact_id or 0], prices.get(row.price_fact_id or 0), row.day, rule, row.amount)
        for row in some
    ]


def _tried(account: Account, day: date, known: datetime, rule: DayRule) -> Iterable[Charge]:
    """What the services in use would have cost, by what was known when it was decided."""
    for service in Service.objects.filter(account=account).order_by("id")[:SHOWN_MAX]:
        facts = ServiceFact.objects.filter(service=service, valid_from__lte=day, recorded_at__lte=known)
        fact = facts.select_related("plan").order_by("-valid_from", "-id").first()
        if fact is None or fact.state != ServiceState.ACTIVE:
            continue
        prices = PlanPrice.objects.filter(plan_id=fact.plan_id, valid_from__lte=day, recorded_at__lte=known)
        charge = _charge(fact, prices.order_by("-valid_from", "-id").first(), day, rule, None)
        if charge.amount:
            yield charge


def _charge(held: ServiceFact, price: PlanPrice | None, day: date, rule: DayRule, amount: int | None) -> Charge:
    """The arithmetic behind an amount (None: what the day costs), by the rule or, where that was another, by that."""
    listed = None if held.price_override is not None else price
    each = listed.amount if listed else held.price_override or 0
    month = each * held.quantity
    amount = day_charge(month, day, rule) if amount is None else amount
    fitting = [one for one in (rule, *DayRule) if day_charge(month, day, one) == amount]
    nth, parts = day_share(day, fitting[0] if fitting else rule)
    through = sum(day_charge(month, day.replace(day=one), fitting[0]) for one in range(1, nth + 1)) if fitting else None
    return Charge(
        service_id=held.service_id,
        plan=held.plan.name,
        day=day,
        amount=amount,
        price=each,
        quantity=held.quantity,
        own=listed is None,
        nth=nth,
        parts=parts,
        through=through,
        before=None if through is None else through - amount,
        held=_source(held),
        listed=_source(listed or held),
    )


def _source(fact: ServiceFact | PlanPrice) -> Source:
    return Source(fact.valid_from, fact.recorded_at, fact.by_label)
