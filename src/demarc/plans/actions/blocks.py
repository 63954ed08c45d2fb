"""Blocks that people set and lift. Those for money are set and lifted by billing (plans.access_state)."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from demarc.base import log, texts
from demarc.base.actors import Actor
from demarc.base.events import emit_ids
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY, billing_day, start_of_day
from demarc.customers.models import Block, BlockCause, Customer
from demarc.plans.access_state import set_access
from demarc.plans.queries import accounts_of


@transaction.atomic
def block(customer_id: int, *, reason: str, by: Actor, at: datetime) -> Block:
    """Staff take access from a customer until they give it back; no payment does. He is not charged meanwhile.

    Refused: unknown customer, blocked by staff already (the block is named).
    """
    customer = _customer(customer_id)
    if Block.objects.filter(customer=customer, cause=BlockCause.NOT_ACTIVE, lifted_at=None).exists():
        raise _already()  # the database would refuse it too, and write an error into its log
    reason = texts.one_line(reason, field="reason", length_max=200)
    blocked = Block(
        partner_id=customer.partner_id,
        customer=customer,
        cause=BlockCause.NOT_ACTIVE,
        reason=reason,
        set_at=at,
        set_by_kind=by.kind,
        set_by_id=by.id,
        set_by_label=by.label,
    )
    try:
        with transaction.atomic():
            blocked.save(force_insert=True)
    except IntegrityError as error:
        raise _already() from error
    set_access(accounts_of(customer_id), at=at)
    log.record(
        "blocked", by=by, at=at, subject=("customer", customer_id), partner_id=customer.partner_id, reason=reason
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
    set_access(accounts_of(customer_id), at=at)
    log.record("unblocked", by=by, at=at, subject=("customer", customer_id), partner_id=customer.partner_id)
    if any(one.lifted_at for one in blocks):
        emit_ids("RetryDue", "accounts", [one.account_id for one in blocks if one.account_id])


def _already() -> Refused:
    return Refused("This customer is blocked already.", code="already_blocked")


def _customer(customer_id: int) -> Customer:
    customer = Customer.objects.select_related("partner").filter(pk=customer_id).first()
    if customer is None:
        raise Refused("There is no such customer.", field="customer_id", code="unknown")
    return customer
