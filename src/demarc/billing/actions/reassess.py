"""Letting recurring accounts online again: at a payment, a correction, a promise or a dispute, at once.

The other side, taking access, is in `waves`. Both follow core.dunning, so neither undoes the other.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from demarc.base import log
from demarc.base.actors import Actor
from demarc.base.events import emit_ids
from demarc.billing.actions.invoices import bill_item
from demarc.billing.actions.services import activate_many
from demarc.billing.debts import Case, load_cases, with_children
from demarc.billing.models import Deactivation
from demarc.core import dunning
from demarc.customers.queries import accounts_blocked_for_money
from demarc.plans.access_state import restore
from demarc.plans.models import Service, ServiceState

REACTIVATION = "Reactivation after blocking"


@transaction.atomic
def reassess(account_ids: Sequence[int], *, by: Actor, at: datetime) -> list[int]:
    """Lift the money blocks of recurring accounts that owe nothing overdue any more, or whose promise holds, and take
    up services that were stopped for the debt: the accounts that were let online. Whoever stays blocked is shown the
    new sum. Never refused; prepaid accounts are left alone."""
    blocked = accounts_blocked_for_money(account_ids=account_ids)
    cases = load_cases(blocked, at=at, lock=True) if blocked else {}
    freed = [case for case in cases.values() if not stays_blocked(case, at=at)]
    lift(freed, by=by, at=at)
    paid = [case for case in freed if not dunning.owes(case.facts, case.policy, case.payer.today)]
    for case in paid:
        if case.policy.reactivation_fee:
            _bill_fee(case, case.policy.reactivation_fee, REACTIVATION, by, at)
    _take_up([case.payer.account_id for case in paid if case.facts.deactivated], by, at)
    freed_ids = [case.payer.account_id for case in freed]
    still = Service.objects.filter(account_id__in=[key for key in cases if key not in freed_ids])
    emit_ids("ServiceChanged", "services", list(still.order_by("id").values_list("id", flat=True)))
    return freed_ids


def lift(cases: Sequence[Case], *, by: Actor, at: datetime) -> None:
    """Lift the money blocks of accounts, with their sub-accounts; one log row."""
    if not cases:
        return
    families = with_children(case.payer.account_id for case in cases)
    restore([account_id for family in families.values() for account_id in family], by=by, at=at)
    first = cases[0].payer
    subject = ("customer", first.customer_id) if len(cases) == 1 else ("partner", first.partner_id)
    told = {"accounts": [case.payer.account_id for case in cases[:50]], "count": len(cases)}
    log.record("money_block_lifted", by=by, at=at, subject=subject, partner_id=first.partner_id, **told)


def stays_blocked(case: Case, *, at: datetime) -> bool:
    """Whether his block is right. One that staff let online for a while keeps the block beneath it."""
    graced = case.online_until is not None and case.online_until > at
    promised = dunning.promise_holds(case.facts, case.payer.today) and not graced
    return not promised and dunning.owes(case.facts, case.policy, case.payer.today)


def bill_fees(cases: Iterable[Case], text: str, *, by: Actor, at: datetime) -> None:
    """Put the blocking fee on the next document of those whose policy has one."""
    for case in cases:
        if case.policy.blocking_fee:
            _bill_fee(case, case.policy.blocking_fee, text, by, at)


def _bill_fee(case: Case, amount: int, text: str, by: Actor, at: datetime) -> None:
    bill_item(account_id=case.payer.account_id, text=text, amount=amount, by=by, at=at)


def _take_up(account_ids: Sequence[int], by: Actor, at: datetime) -> None:
    """Activate what was stopped when they were deactivated, as far as nobody has ended it since."""
    gone = list(Deactivation.objects.filter(account_id__in=account_ids, undone_at=None).order_by("id"))
    stopped = [service_id for one in gone for service_id in one.services]
    still = Service.objects.filter(pk__in=stopped, state=ServiceState.STOPPED).order_by("id")
    services = list(still.values_list("id", flat=True))
    if services:
        activate_many(services, by=by, at=at)
    Deactivation.objects.filter(pk__in=[one.pk for one in gone]).update(undone_at=at)
