"""Blocks that people set and lift. Those for money are set and lifted by billing (plans.access_state)."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.base.events import emit_ids
from demarc.base.rows import insert
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY, billing_day, start_of_day
from demarc.customers.models import Block, BlockCause, Customer
from demarc.plans.access_state import set_access
from demarc.plans.queries import accounts_of


def block(customer_id: int, *, reason: str, by: Actor, at: datetime) -> Block:
    """Staff take access from a customer until they give it back; no payment does. He is not charged meanwhile.

    Refused: unknown customer, blocked by staff already (the block is named).
    """
    return block_many([customer_id], reason=reason, by=by, at=at)[0]


@transaction.atomic
def block_many(customer_ids: Sequence[int], *, reason: str, by: Actor, at: datetime) -> list[Block]:
    """Block customers, all or none, as `block` does; each has his row in the log."""
    customers = _customers(customer_ids)
    if Block.objects.filter(customer__in=customers, cause=BlockCause.NOT_ACTIVE, lifted_at=None).exists():
        raise _already()  # the database would refuse it too, and write an error into its log
    reason = texts.one_line(reason, field="reason", length_max=200)
    set_by = {"set_at": at, "set_by_kind": by.kind, "set_by_id": by.id, "set_by_label": by.label}
    blocked = [
        Block(partner_id=one.partner_id, customer=one, cause=BlockCause.NOT_ACTIVE, reason=reason, **set_by)
        for one in customers
    ]
    try:
        with transaction.atomic():
            insert(blocked)
    except IntegrityError as error:
        raise _already() from error
    set_access(accounts_of(customer_ids), at=at)
    for one in blocked:
        log.record(
            "blocked", by=by, at=at, subject=("customer", one.customer_id), partner_id=one.partner_id, reason=reason
        )
    return blocked


@transaction.atomic
def unblock(customer_id: int, *, by: Actor, at: datetime) -> None:
    """Lift what staff set. Where money is missing, let him online without it until the next 00:00, uncharged.

    When money came in while staff kept him blocked, his day is tried now (event RetryDue). Refused: unknown customer,
    not blocked.
    """
    customer = _customer(customer_id)
    blocks = list(Block.objects.select_for_update().filter(customer=customer, lifted_at=None).order_by("id"))
    if not blocks:
        raise Refused("This customer is not blocked.", code="not_blocked")
    zone = ZoneInfo(customer.partner.zone)
    midnight = start_of_day(billing_day(at, zone) + ONE_DAY, zone)
    for one in blocks:
        if one.cause == BlockCause.NO_MONEY:
            one.grace_until = midnight
        else:
            one.lifted_at, one.lifted_by_label = at, by.label
    Block.objects.bulk_update(blocks, ["grace_until", "lifted_at", "lifted_by_label"])
    set_access(accounts_of([customer_id]), at=at)
    log.record("unblocked", by=by, at=at, subject=("customer", customer_id), partner_id=customer.partner_id)
    if any(one.lifted_at for one in blocks):
        emit_ids("RetryDue", "accounts", [one.account_id for one in blocks if one.account_id])


def _already() -> Refused:
    return Refused("This customer is blocked already.", code="already_blocked")


def _customer(customer_id: int) -> Customer:
    return _customers([customer_id])[0]


def _customers(customer_ids: Sequence[int]) -> list[Customer]:
    found = Customer.objects.select_related("partner").in_bulk(customer_ids)
    if len(found) < len(set(customer_ids)):
        raise Refused("There is no such customer.", field="customer_id", code="unknown")
    return [found[customer_id] for customer_id in customer_ids]
