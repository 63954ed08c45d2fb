"""The fees of services, as items to be billed once: each for one event of one service, whoever asks however often.

A recurring account gets them with its next document (a setup fee with the first one). A prepaid account pays at once:
the fee has a document of its own, which is paid from the balance, so that revenue and tax are what they are.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q

from demarc.base import log
from demarc.base.actors import Actor, recorded
from demarc.billing import bulk
from demarc.billing.accounts import open_payers
from demarc.billing.actions.documents import Issued
from demarc.billing.actions.invoices import bill_items, correct_services
from demarc.billing.facts import Payer, payers
from demarc.billing.models import Item
from demarc.billing.wording import fee_words
from demarc.core.fees import Fee, FeeKind, Held, fees
from demarc.customers.models import BillingType
from demarc.plans.models import Plan, Service, ServiceFact

LATELY = timedelta(days=3)
"""A fee is for what happened lately: a plan that is given a fee today asks none for what happened before."""
BEGUN = frozenset({FeeKind.SETUP, FeeKind.REACTIVATION})
CHANGED = frozenset({FeeKind.CHANGE, FeeKind.CANCELLATION, FeeKind.REACTIVATION})
"""Taking up again is in both: when it was planned, nobody activates the service."""


@transaction.atomic
def change_services(service_ids: Sequence[int], *, by: Actor, at: datetime) -> list[Issued]:
    """Facts of services changed (event HoldingChanged): their fees, and then what was billed is put right. Repeating it
    changes nothing. Never refused."""
    charge_fees(service_ids, CHANGED, by=by, at=at)
    return correct_services(service_ids, by=by, at=at)


@transaction.atomic
def charge_fees(service_ids: Sequence[int], kinds: Iterable[FeeKind], *, by: Actor, at: datetime) -> list[Item]:
    """Bill those fees of services that are of these kinds, of the last days, above zero and not billed yet: the new
    items. One log row for each account. Never refused."""
    kinds = frozenset(kinds)
    asking = Q(*((f"plan__{kind}_fee__gt", 0) for kind in sorted(kinds)), _connector=Q.OR)
    rows = Service.objects.filter(asking, pk__in=list(service_ids))
    services = {service.pk: service for service in rows.select_related("account__parent", "customer", "partner")}
    if not services:
        return []
    paying = {service.pk: service.account.parent or service.account for service in services.values()}
    open_payers(sorted({account.pk for account in paying.values()}))
    found = payers(sorted({account.pk for account in paying.values()}), at=at, lock=True)
    plans, wanted = _wanted(services, kinds, found, paying={key: one.pk for key, one in paying.items()})
    known = set(Item.objects.filter(key__in=list(wanted)).values_list("key", flat=True))
    made: dict[int, list[Item]] = defaultdict(list)
    for key, (service, fee) in wanted.items():
        amount = _amount(plans[fee.plan_id], fee.kind)
        if amount and key not in known:
            item = _item(service, fee, plans[fee.plan_id], key)
            item.account_id, item.amount = paying[service.pk].pk, amount
            made[item.account_id].append(item)
    for account_id, items in made.items():
        for item in items:
            item.__dict__.update(recorded(by, at))
        Item.objects.bulk_create(items)
        _record(found[account_id], items, by, at)
    prepaid = {account.pk for account in paying.values() if account.billing_type == BillingType.PREPAID}
    for account_id in sorted(prepaid & made.keys()):
        bulk.settle(_behind(found[account_id]), until=None, by=by, at=at)
        bill_items(account_id, by=by, at=at)
    return [item for items in made.values() for item in items]


def _amount(plan: Plan, kind: FeeKind) -> int:
    """What a plan asks for it, minor units."""
    amount: int = getattr(plan, f"{kind}_fee")
    return amount


def _wanted(
    services: Mapping[int, Service], kinds: frozenset[FeeKind], found: Mapping[int, Payer], *, paying: Mapping[int, int]
) -> tuple[dict[int, Plan], dict[str, tuple[Service, Fee]]]:
    """The plans, and the fees of the last days by the key that makes each happen once."""
    facts: dict[int, list[Held]] = defaultdict(list)
    rows = ServiceFact.objects.filter(service_id__in=list(services)).order_by("service_id", "valid_from", "id")
    for service_id, day, plan_id, state in rows.values_list("service_id", "valid_from", "plan_id", "state"):
        facts[service_id].append(Held(day, plan_id, state))
    plans = Plan.objects.in_bulk({one.plan_id for some in facts.values() for one in some})
    terms = {plan_id: plan.contract_months for plan_id, plan in plans.items()}
    wanted = {}
    for service_id, held in facts.items():
        today = found[paying[service_id]].today
        for fee in fees(held, terms):
            if fee.kind in kinds and today - LATELY <= fee.day <= today:
                wanted[_key(service_id, fee)] = (services[service_id], fee)
    return plans, wanted


def _key(service_id: int, fee: Fee) -> str:
    day: date | str = "once" if fee.kind == FeeKind.SETUP else fee.day
    return f"fee:{fee.kind}:{service_id}:{day}"


def _item(service: Service, fee: Fee, plan: Plan, key: str) -> Item:
    language = service.customer.language or service.partner.language
    return Item(
        partner_id=service.partner_id,
        service=service,
        text=f"{fee_words(fee.kind, language)}: {plan.name}"[:200],
        included=plan.price_includes_tax,
        tax_category=plan.tax_category,
        due_from=fee.day,
        key=key,
    )


def _record(payer: Payer, items: Sequence[Item], by: Actor, at: datetime) -> None:
    told = {"fees": [item.text for item in items], "amount": sum(item.amount for item in items)}
    subject = ("customer", payer.customer_id)
    log.record("fees_added", by=by, at=at, subject=subject, partner_id=payer.partner_id, **told)


def _behind(payer: Payer) -> list[int]:
    """Whose days have to be decided first, so that a late run ends as a punctual one."""
    late = payer.decided_through is not None and payer.decided_through < payer.today
    return [payer.account_id] if late else []
