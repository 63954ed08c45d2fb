"""Why a prepaid day was charged or blocked as it was: the decision, the services, their facts, the arithmetic."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Q

from demarc.billing.models import DayDecision, Transfer, TransferKind
from demarc.core.charging import day_charge
from demarc.core.period import DayRule, day_share
from demarc.customers.models import Account
from demarc.customers.queries import Terms, terms_for
from demarc.plans.models import PlanPrice, Service, ServiceFact, ServiceState


class Share(NamedTuple):
    """One service's part of a day: `part` of `parts` of a month's `price`; `through` is what the month costs through
    this part, `before` what through the part before: the day costs the difference. `price_fact` None: an own price."""

    service: Service
    amount: int
    price: int
    part: int
    parts: int
    through: int
    before: int
    fact: ServiceFact
    price_fact: PlanPrice | None


@dataclass(frozen=True)
class DayWhy:
    """A prepaid day of an account. `decision` None: it is not decided; `shares` are what it cost or would have, and
    empty when the facts do not sum to it."""

    account: Account
    day: date
    decision: DayDecision | None
    terms: Terms
    shares: list[Share] = field(default_factory=list)

    @property
    def charged(self) -> bool:
        """Whether money was taken for it, also when that was at the activation or after a block."""
        return bool(self.shares) and (self.decision is None or self.decision.decision != "blocked" or self._paid)

    @property
    def _paid(self) -> bool:
        return self.decision is not None and self.decision.paid_at is not None


def day_why(account: Account, day: date) -> DayWhy:
    """What is known of one day of a prepaid account."""
    decision = DayDecision.objects.filter(account=account, day=day).first()
    terms = terms_for([account.pk], day)[account.pk]
    charges = Transfer.objects.filter(account=account, day=day, kind=TransferKind.CHARGE).order_by("id")
    shares = [share for share in _charged(charges, day, terms) if share is not None]
    if not shares and decision is not None and decision.cost:
        tried = list(_tried(account, day, decision.decided_at, DayRule(terms.day_rule)))
        shares = tried if sum(share.amount for share in tried) == decision.cost else []
    return DayWhy(account, day, decision, terms, shares)


def blocked_since(account_ids: Iterable[int]) -> dict[int, DayDecision]:
    """Of these accounts, the last day on which each could not pay."""
    rows = DayDecision.objects.filter(account_id__in=list(account_ids), decision="blocked", cost__gt=0)
    return {one.account_id: one for one in rows.order_by("account_id", "-day").distinct("account_id")}


def _charged(charges: Iterable[Transfer], day: date, terms: Terms) -> Iterable[Share | None]:
    rows = list(charges)
    facts = ServiceFact.objects.select_related("plan").in_bulk([row.service_fact_id for row in rows])
    prices = PlanPrice.objects.in_bulk([row.price_fact_id for row in rows if row.price_fact_id])
    services = Service.objects.select_related("plan").in_bulk([row.service_id for row in rows])
    for row in rows:
        fact, listed = facts.get(row.service_fact_id), prices.get(row.price_fact_id)
        if fact is not None:
            listed = None if fact.price_override is not None else listed
            yield _share(services[row.service_id], fact, listed, day, row.amount, DayRule(terms.day_rule))


def _tried(account: Account, day: date, known: datetime, rule: DayRule) -> Iterable[Share]:
    """What the services in use would have cost, by what was known when it was decided."""
    for service in Service.objects.filter(account=account).select_related("plan").order_by("id")[:200]:
        facts = ServiceFact.objects.filter(service=service, valid_from__lte=day, recorded_at__lte=known)
        fact = facts.select_related("plan").order_by("-valid_from", "-id").first()
        if fact is None or fact.state != ServiceState.ACTIVE:
            continue
        prices = PlanPrice.objects.filter(Q(valid_from__lte=day), plan_id=fact.plan_id, recorded_at__lte=known)
        listed = None if fact.price_override is not None else prices.order_by("-valid_from", "-id").first()
        price = fact.price_override if listed is None else listed.amount
        share = _share(service, fact, listed, day, day_charge(price or 0, day, rule), rule)
        if share is not None and share.amount:
            yield share


def _share(
    service: Service, fact: ServiceFact, listed: PlanPrice | None, day: date, amount: int, rule: DayRule
) -> Share | None:
    """The arithmetic behind an amount, by the rule of now or, where that was another then, by the other one."""
    price = fact.price_override if listed is None else listed.amount
    if price is None:
        return None
    fitting = [one for one in (rule, *DayRule) if day_charge(price, day, one) == amount]
    if not fitting:
        return None
    part, parts = day_share(day, fitting[0])
    through = sum(_parts(price, day, fitting[0], part))
    return Share(service, amount, price, part, parts, through, through - amount, fact, listed)


def _parts(price: int, day: date, rule: DayRule, part: int) -> Iterable[int]:
    return (day_charge(price, day.replace(day=number), rule) for number in range(1, part + 1))
