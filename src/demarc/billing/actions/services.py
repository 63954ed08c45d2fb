"""Putting a service in use, with its money: from when it is charged, and whether the first day is."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from demarc.base.actors import Actor
from demarc.billing import bulk
from demarc.billing.accounts import open_payers
from demarc.billing.actions.fees import BEGUN, charge_fees
from demarc.billing.actions.invoices import begin_recurring
from demarc.billing.facts import TICK, Book, Payer, load, payers
from demarc.billing.models import PrepaidState
from demarc.core import charging
from demarc.core.charging import Decision
from demarc.core.errors import Refused
from demarc.core.money import Money, format_plain
from demarc.customers.models import Account, BillingType
from demarc.customers.queries import TermsBook
from demarc.plans import actions as plans
from demarc.plans.models import Service

BATCH = 2000


def activate(service_id: int, *, by: Actor, at: datetime) -> Service:
    """Put one service in use, see below; afterwards its access is up to date."""
    service = activate_many([service_id], by=by, at=at)[0]
    service.refresh_from_db()
    return service


@transaction.atomic
def activate_many(service_ids: Sequence[int], *, by: Actor, at: datetime) -> list[Service]:
    """Put services in use from this moment; a prepaid account pays from the next 00:00 on, a recurring one as
    `begin_recurring` says.

    Where the terms say so, the day of activation is charged now, in full; then it is Refused when the balance does
    not carry it. Refused too: service unknown, active or ended, account parked. The log row is plans' own.
    """
    accounts = _prepaid_accounts(service_ids)
    open_payers(accounts)
    found = payers(accounts, at=at, lock=True)
    if any(payer.parked for payer in found.values()):
        raise _parked()
    known = [payer.account_id for payer in found.values() if payer.decided_through is not None]
    if bulk.settle(known, until=None, by=by, at=at).parked:
        raise _parked()
    services = plans.activate_services(service_ids, by=by, at=at)
    states = (
        PrepaidState(account_id=payer.account_id, decided_through=payer.today)
        for payer in found.values()
        if payer.decided_through is None
    )
    PrepaidState.objects.bulk_create(states, BATCH)
    book = load(_charged_on_activation(found.values(), at), at=at, charges=True)
    for service in services:
        if service.account_id in book.payers:
            _charge_first_day(book, service)
    charge_fees(service_ids, BEGUN, by=by, at=at)
    begin_recurring(service_ids, by=by, at=at)
    return services


def _charge_first_day(book: Book, service: Service) -> None:
    """Charge the day of activation where the terms say so; the payer's balance in the book follows."""
    payer = book.payers[service.account_id]
    facts = book.now(payer)
    outcome = charging.activation(facts, service.pk, payer.today)
    if outcome is None:
        return
    if outcome.decision is Decision.BLOCKED:
        short = charging.shortfall(facts._replace(blocked_for_money=True), payer.today)
        missing = format_plain(Money(short, payer.currency))
        raise Refused(
            f"The first day is charged at activation: add a payment of {missing} {payer.currency} first.",
            code="first_day_not_covered",
        )
    bulk.post_charges(book, [bulk.Decided(payer, outcome, facts.balance)], at=book.at, prefix=f"first-day:{service.pk}")
    book.payers[payer.account_id] = payer._replace(balance=outcome.balance_after)


def _prepaid_accounts(service_ids: Sequence[int]) -> list[int]:
    accounts = Account.objects.filter(services__in=service_ids, billing_type=BillingType.PREPAID).distinct()
    return sorted(accounts.values_list("id", flat=True))


def _charged_on_activation(found: Iterable[Payer], at: datetime) -> list[int]:
    """The accounts whose terms, as they are now, charge the day of activation."""
    some = list(found)
    book = TermsBook.of([payer.account_id for payer in some], {payer.partner_id for payer in some})
    known = at + TICK
    return [
        payer.account_id
        for payer in some
        if book.on(payer.account_id, payer.partner_id, payer.today, known).charge_activation_day
    ]


def _parked() -> Refused:
    return Refused("The account is parked; someone must look at it first.", code="parked")
