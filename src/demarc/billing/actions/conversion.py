"""A payer changes how he pays: prepaid to recurring or back, and whether he pays through another. Exact to the day.

What was billed or charged ahead is settled by the day of the change; the next day is the other engine's.
"""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import connection, transaction
from django.db.models import Q

from demarc.base import limits, log
from demarc.base.actors import Actor
from demarc.base.events import emit_ids
from demarc.billing import bulk
from demarc.billing.accounts import house_account, open_payers
from demarc.billing.actions.documents import Ready, cut_given, issue, pay_documents
from demarc.billing.actions.invoices import begin_recurring
from demarc.billing.actions.reopening import reopen
from demarc.billing.books import covers_of, load_books, newest_documents
from demarc.billing.facts import Payer, load, payers
from demarc.billing.models import (
    BilledThrough,
    DayDecision,
    Decision,
    DocumentSource,
    LedgerKind,
    PrepaidState,
    RecurringState,
)
from demarc.core import coverage, ledger, recurring
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY
from demarc.customers.models import Account, BillingType
from demarc.plans.access_state import restore
from demarc.plans.models import Service, ServiceState

SUB_ACCOUNTS = "sub-accounts"
"""The clearing account over which money moves between payers."""

SET_TYPE = "UPDATE customers_account SET billing_type = %s WHERE id = %s"
SET_PARENT = "UPDATE customers_account SET parent_id = %s WHERE id = %s"


@transaction.atomic
def make_recurring(account_id: int, *, by: Actor, at: datetime) -> Account:
    """A prepaid account pays by documents from tomorrow on; one that is blocked for money from today, and is online.

    Refused: unknown account, recurring already, parked.
    """
    account, payer = _account(account_id, at)
    if account.billing_type == BillingType.RECURRING:
        raise Refused("This account is recurring already.", code="already_recurring")
    decided = payer.decided_through is not None and not payer.parked
    if payer.parked or (decided and bulk.settle([account_id], until=None, by=by, at=at).parked):
        raise Refused("The account is parked; someone must look at it first.", code="parked")
    _set(SET_TYPE, BillingType.RECURRING.value, account_id)
    services = list(Service.objects.filter(account=account, state=ServiceState.ACTIVE).order_by("id"))
    paid_through = payer.today - ONE_DAY if _blocked_today(account_id, payer) else payer.today
    PrepaidState.objects.filter(account=account).delete()
    _keep_paid(account_id, paid_through)
    if services:
        _begin(payer, paid_through)
        restore([account_id], by=by, at=at)
        begin_recurring([service.pk for service in services], by=by, at=at)
    _log("made_recurring", payer, by, at)
    account.refresh_from_db()
    return account


@transaction.atomic
def make_prepaid(account_id: int, *, by: Actor, at: datetime) -> Account:
    """A recurring account pays by the day from tomorrow on: what it was billed beyond today is credited, and what it
    used and was not billed for is billed. Of a service that has ended only what the terms give back is credited.

    Refused: unknown account, prepaid already, parked, one of several that pay together.
    """
    account, payer = _account(account_id, at)
    if account.billing_type == BillingType.PREPAID:
        raise Refused("This account is prepaid already.", code="already_prepaid")
    if account.parent_id is not None or account.children.exists():
        raise Refused("Unlink the accounts that pay together first.", code="linked")
    _check_not_parked(account)
    _bill_to_the_day(payer, by, at)
    RecurringState.objects.filter(account=account).delete()
    _set(SET_TYPE, BillingType.PREPAID.value, account_id)
    if Service.objects.filter(account=account, activated_at__isnull=False).exists():
        PrepaidState.objects.create(account=account, decided_through=payer.today, begun_on=payer.today + ONE_DAY)
    emit_ids("RetryDue", "accounts", [account_id])
    _log("made_prepaid", payer, by, at)
    account.refresh_from_db()
    return account


@transaction.atomic
def link_account(account_id: int, *, parent_id: int, by: Actor, at: datetime) -> Account:
    """An account pays through another from its next document on; what it has too much goes over to that one. Debts stay
    with the documents they are of.

    Refused: unknown account, not both recurring, of different providers or currencies, the same, linked already,
    parked, or more than one level deep.
    """
    account, payer = _account(account_id, at)
    parent, _ = _account(parent_id, at, field="parent_id")
    _check_link(account, parent)
    _check_not_parked(account)
    _set(SET_PARENT, parent_id, account_id)
    calendar = RecurringState.objects.filter(account=account)
    if RecurringState.objects.filter(account=parent).exists():
        calendar.delete()
    else:  # nothing of the payer's own was ever billed: from now on he is, as the account was
        calendar.update(account=parent)
    move_to_parents([account_id], at=at)
    _log("linked_account", payer, by, at, parent=parent_id)
    account.refresh_from_db()
    return account


@transaction.atomic
def unlink_account(account_id: int, *, by: Actor, at: datetime) -> Account:
    """An account pays for itself again: what it is billed through stays, its documents come on the same days as before.

    Refused: unknown account, not linked.
    """
    account, payer = _account(account_id, at)
    if account.parent_id is None:
        raise Refused("This account pays for itself.", code="not_linked")
    state = RecurringState.objects.filter(account_id=account.parent_id).first()
    _set(SET_PARENT, None, account_id)
    if state is not None:
        RecurringState.objects.create(
            account=account,
            partner_id=payer.partner_id,
            next_on=state.next_on,
            billing_day=state.billing_day,
        )
    _log("unlinked_account", payer, by, at, parent=account.parent_id)
    account.refresh_from_db()
    return account


def move_to_parents(account_ids: Sequence[int], *, at: datetime) -> None:
    """Money on accounts that pay through another, beyond what they owe themselves, goes over to those."""
    linked = Account.objects.filter(pk__in=account_ids, parent__isnull=False).values_list("id", "parent_id")
    for account_id, parent_id in linked.order_by("id"):
        found = payers([account_id, parent_id], at=at, lock=True)
        child, parent = found[account_id], found[parent_id]
        if child.balance > 0:
            _move(child, parent, child.balance, at)


def bring_back(account_id: int, parent_id: int, amount: int, *, at: datetime) -> None:
    """Money that had gone over to the account that pays goes back; what it had paid there is owed again. Both are
    locked by the caller."""
    found = payers([account_id, parent_id], at=at)
    _move(found[parent_id], found[account_id], amount, at)
    reopen(parent_id, amount, payment=None, at=at)


def _bill_to_the_day(payer: Payer, by: Actor, at: datetime) -> None:
    """Credit what was billed beyond today, bill what was used through today. One that has ended is never charged by the
    day, so that what it was billed stays its terms' affair; one that rests may be taken up again."""
    loaded = load_books({payer.account_id: payer.partner_id}, day=payer.today)
    book, state = loaded.books[payer.account_id], loaded.states[payer.account_id]
    services = Service.objects.filter(account=payer.account_id)
    ended = set(services.filter(state=ServiceState.ENDED).values_list("id", flat=True))
    held = [
        one if one.service_id in ended else one._replace(stretches=coverage.cut_off(one.stretches, payer.today))
        for one in book.held
    ]
    ending = recurring.Book(book.rules, book.plans, book.rate, held, book.items, book.rate_days)
    used = recurring.draft_on(ending, held, book.items, payer.today, payer.today)
    newest = newest_documents([payer.account_id]).get(payer.account_id, 0)
    ready = []
    if used is not None and not used.free:
        ready.append(Ready(payer, used, DocumentSource.CHANGE, f"close:{payer.account_id}:{newest}"))
    covers: list[recurring.Cover] = []
    if state.next_on is not None:  # else it was never billed by documents
        since = limits.FIRST_DAY
        covers = covers_of(held, since=since)
        credit = recurring.correction(ending, covers, payer.today, since)
        if credit is not None:
            ready.append(Ready(payer, credit, DocumentSource.CHANGE, f"back:{payer.account_id}:{newest}"))
    issue(ready, by=by, at=at)
    cut_given(covers, at=payer.today)


def _begin(payer: Payer, paid_through: date) -> None:
    """The calendar of an account whose days through `paid_through` were paid by the day."""
    begun = paid_through + ONE_DAY
    rules = load_books({payer.account_id: payer.partner_id}, day=begun).books[payer.account_id].rules
    RecurringState.objects.create(
        account_id=payer.account_id,
        partner_id=payer.partner_id,
        next_on=recurring.first_on(rules, begun),
        billing_day=rules.billing_day,
    )


def _blocked_today(account_id: int, payer: Payer) -> bool:
    """Whether the account is blocked for today, which it then has not paid. A day decided before its prepaid days began
    anew was billed by documents since."""
    decisions = DayDecision.objects.filter(account=account_id, day=payer.today, decision=Decision.BLOCKED)
    begun = Q(account__prepaid__begun_on=None) | Q(account__prepaid__begun_on__lte=payer.today)
    return decisions.filter(begun).exists()


def _keep_paid(account_id: int, paid_through: date) -> None:
    """The days through `paid_through` were paid by the day and are never billed: of all services, also of those that
    are not in use now, and even if none is."""
    paid = {"day": paid_through, "begun_on": paid_through + ONE_DAY}
    for service in Service.objects.filter(account_id=account_id, activated_at__isnull=False):
        BilledThrough.objects.update_or_create(service=service, defaults=paid)


def _move(giver: Payer, taker: Payer, amount: int, at: datetime) -> None:
    between = house_account(giver.partner_id, giver.currency, LedgerKind.CLEARING, SUB_ACCOUNTS)
    key = f"moved:{giver.account_id}:{taker.account_id}:{at.isoformat()}"
    out = ledger.moved(_side(giver), between, -amount, giver.today)
    into = ledger.moved(_side(taker), between, amount, taker.today)
    bulk.post([bulk.Posting(giver, ledger.entry([out]), f"{key}:out")], at)
    bulk.post([bulk.Posting(taker, ledger.entry([into]), f"{key}:in")], at)
    pay_documents([(taker.account_id, None, amount)], at=at)


def _check_link(account: Account, parent: Account) -> None:
    if account.pk == parent.pk:
        raise Refused("An account cannot pay through itself.", field="parent_id", code="same")
    if (account.partner_id, account.currency) != (parent.partner_id, parent.currency):
        raise Refused("Both accounts must be of one provider and currency.", field="parent_id", code="currency")
    if {account.billing_type, parent.billing_type} != {BillingType.RECURRING.value}:
        raise Refused("Only recurring accounts pay together; change the billing type first.", code="prepaid")
    if account.parent_id is not None:
        raise Refused("This account pays through another already; unlink it first.", code="linked")
    if parent.parent_id is not None or account.children.exists():
        raise Refused("Accounts that pay for others cannot pay through another.", field="parent_id", code="deep")


def _check_not_parked(account: Account) -> None:
    if RecurringState.objects.filter(account=account, parked_at__isnull=False).exists():
        raise Refused("The account is parked; someone must look at it first.", code="parked")


def _account(account_id: int, at: datetime, *, field: str = "account_id") -> tuple[Account, Payer]:
    account = Account.objects.select_related("customer").filter(pk=account_id).first()
    if account is None:
        raise Refused("There is no such account.", field=field, code="unknown")
    open_payers([account_id])
    payer = load([account_id], at=at, lock=True).payers[account_id]
    return Account.objects.get(pk=account_id), payer


def _side(payer: Payer) -> ledger.Account:
    return ledger.Account(payer.ledger_id, ledger.AccountKind.PAYER, payer.currency)


def _set(sql: str, value: str | int | None, account_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, [value, account_id])


def _log(verb: str, payer: Payer, by: Actor, at: datetime, **told: int | None) -> None:
    subject = ("customer", payer.customer_id)
    log.record(verb, by=by, at=at, subject=subject, partner_id=payer.partner_id, account=payer.account_id, **told)
