"""What an account has, what it costs and until when it lasts, by core's own rules; and the payments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet, Sum

from demarc.base.models import Partner
from demarc.billing.debts import load_cases
from demarc.billing.facts import Payer, load
from demarc.billing.models import Payment
from demarc.core import charging, dunning
from demarc.core.errors import Refused
from demarc.customers.models import Account, BillingType
from demarc.customers.queries import named


@dataclass(frozen=True)
class AccountSummary:
    """One account now; amounts in minor units of `currency`.

    `pays_until` is the last day that the balance pays for if nothing changes (None: blocked for money, no day is
    charged at all, or `pays_all`: all that will still be charged before the last service ends), `lasts_long` that it
    is more than a year ahead. `next_cost`: what the next day costs, or today when blocked; None: days of recurring
    accounts cost nothing. `owed`: the least payment that brings a blocked one online.
    """

    account_id: int
    currency: str
    balance: int
    minimal_balance: int
    day_rule: str
    limit_rule: str
    pays_until: date | None
    lasts_long: bool
    pays_all: bool
    next_cost: int | None
    blocked_for_money: bool
    blocked_by_staff: bool
    owed: int
    parked: bool


class Takings(NamedTuple):
    """What came in on one day by one method, refunds taken off."""

    currency: str
    method: str
    payments: int
    amount: int


def account_summary(account_id: int, *, at: datetime) -> AccountSummary:
    """One account. Refused when there is none."""
    found = account_summaries([account_id], at=at)
    if account_id not in found:
        raise Refused("There is no such account.", field="account_id", code="unknown")
    return found[account_id]


def account_summaries(account_ids: Sequence[int], *, at: datetime) -> dict[int, AccountSummary]:
    """Some accounts, by id; for a page of a list. About eight queries."""
    book = load(account_ids, at=at, charges=True)
    short = _short_of(account_ids, at)
    found = {}
    for payer in book.payers.values():
        facts = book.now(payer)
        runway = charging.runway(facts, payer.today)
        last = _last_paid(payer, facts, runway)
        far = last is not None and (last - payer.today).days >= charging.RUNWAY_DAYS
        found[payer.account_id] = AccountSummary(
            account_id=payer.account_id,
            currency=payer.currency,
            balance=payer.balance,
            minimal_balance=facts.minimal_balance,
            day_rule=facts.day_rule.value,
            limit_rule=facts.limit_rule.value,
            pays_until=last,
            lasts_long=far and runway.cost_next_day > 0,
            pays_all=last is None and runway.last_paid_day is not None and runway.cost_next_day > 0,
            next_cost=None if payer.account_id in short else runway.cost_next_day,
            blocked_for_money=facts.blocked_for_money,
            blocked_by_staff=facts.blocked_by_hand,
            owed=short.get(payer.account_id, charging.shortfall(facts, payer.today)),
            parked=payer.parked,
        )
    return found


class AfterPayment(NamedTuple):
    """What a payment would change: the balance, whether the account is online again, and until when it then lasts.
    `charged`: a day is charged when it opens, as with prepaid ones."""

    balance: int
    opens: bool
    still_owed: int
    pays_until: date | None
    charged: bool = True


def after_payment(account_id: int, amount: int, *, at: datetime) -> AfterPayment:
    """What it would be like if this amount were received now. Refused when there is no such account."""
    book = load([account_id], at=at, charges=True)
    payer = book.payers.get(account_id)
    if payer is None:
        raise Refused("There is no such account.", field="account_id", code="unknown")
    case = load_cases([account_id], at=at).get(account_id)
    if case is not None:
        left = max(0, dunning.shortfall(case.facts, case.policy, payer.today) - amount)
        by_staff = book.now(payer).blocked_by_hand
        opens = case.facts.blocked_on is not None and not left and not by_staff
        return AfterPayment(payer.balance + amount, opens, left, None, charged=False)
    facts = book.now(payer)._replace(balance=payer.balance + amount)
    undecided = payer.decided_through is not None and payer.decided_through < payer.today
    tried = None if undecided else charging.retry(facts, payer.today)
    opens = tried is not None and tried.decision is not charging.Decision.BLOCKED
    if tried is not None and opens:
        facts = facts._replace(balance=tried.balance_after, blocked_for_money=False)
    runway = charging.runway(facts, payer.today)
    until = _last_paid(payer, facts, runway)
    return AfterPayment(facts.balance, opens, charging.shortfall(facts, payer.today), until)


def owed(account_ids: Iterable[int], *, at: datetime) -> dict[int, tuple[int, str]]:
    """For those of these accounts that are blocked for money: the least payment that opens them, and its currency."""
    accounts = list(account_ids)
    book = load(accounts, at=at, charges=True)
    short = _short_of(accounts, at)
    found = {}
    for payer in book.payers.values():
        facts = book.now(payer)
        if facts.blocked_for_money:
            missing = short.get(payer.account_id, charging.shortfall(facts, payer.today))
            found[payer.account_id] = (max(1, missing), payer.currency)
    return found


def payment_list(partner_ids: Sequence[int] | None) -> QuerySet[Payment]:
    """Payments and refunds that the reader may see (None: all), newest first."""
    found = Payment.objects.select_related("account", "account__customer", "partner").order_by("-id")
    return found if partner_ids is None else found.filter(partner_id__in=partner_ids)


def payments_named(text: str, partner_ids: Sequence[int] | None) -> Q:
    """Payments found by their customer or their number. A union, so that each half has its index."""
    keepers = list(Partner.objects.values_list("pk", flat=True)) if partner_ids is None else partner_ids
    numbered = Payment.objects.filter(partner__in=keepers, number__in=[text, text.zfill(6)])
    people = Payment.objects.filter(named(text, partner_ids))
    return Q(pk__in=people.values("pk").union(numbered.values("pk")))


def money_in(partner_ids: Sequence[int] | None, day: date) -> list[Takings]:
    """What was received on a day, by currency and method."""
    of_day = payment_list(partner_ids).filter(received_on=day).order_by("currency", "method")
    sums = of_day.values_list("currency", "method").annotate(payments=Count("id"), amount=Sum("amount"))
    return [Takings(*row) for row in sums]


def _last_paid(payer: Payer, facts: charging.AccountFacts, runway: charging.Runway) -> date | None:
    """The last day that the balance pays for. None also where it reaches the end of the runway because nothing is in
    use there any more."""
    last = runway.last_paid_day
    if last is None or payer.decided_through is None:
        return None
    in_use = any(_in_use(service, last) for service in facts.services)
    return last if in_use or (last - payer.today).days < charging.RUNWAY_DAYS else None


def _in_use(service: charging.ServiceFacts, day: date) -> bool:
    known = [state for state in service.states if state.valid_from <= day]
    return bool(known) and max(known, key=lambda state: (state.valid_from, state.id)).active


def _short_of(account_ids: Iterable[int], at: datetime) -> dict[int, int]:
    """What recurring accounts must pay so that nothing overdue blocks them; a sub-account what its payer must."""
    payers = {
        key: parent or key
        for key, parent in Account.objects.filter(
            pk__in=list(account_ids), billing_type=BillingType.RECURRING
        ).values_list("id", "parent_id")
    }
    cases = load_cases(set(payers.values()), at=at) if payers else {}
    short = {key: dunning.shortfall(case.facts, case.policy, case.payer.today) for key, case in cases.items()}
    return {account_id: short.get(payer, 0) for account_id, payer in payers.items()}
