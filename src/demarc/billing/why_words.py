"""The facts behind amounts and blocks in words for staff, who act on them; for customers see customer_words."""

from django.utils import timezone

from demarc.billing import dunning_words
from demarc.billing.models import DayDecision, Decision, TransferKind
from demarc.billing.queries.why import Charge, Source, WhyBlocked, WhyDay, WhyMove
from demarc.core.charging import LimitRule
from demarc.customers.models import Block
from demarc.plans.models import ServiceState
from demarc.ui import formats

LEFT = {
    ServiceState.PAUSED: "is paused",
    ServiceState.STOPPED: "is stopped",
    ServiceState.ENDED: "has ended",
}
RULES = {
    LimitRule.COVER: "the day must be covered",
    LimitRule.STOP_AT_LIMIT: "it blocks when the limit is reached",
}


def day_staff(why: WhyDay) -> list[str]:
    """Why a day was charged, blocked or free: a sentence for each fact behind it."""
    charged = [words for charge in why.charges for words in charge_staff(charge, why.account.currency)]
    if why.decision is None:
        return charged or ["This day is not decided: nothing was charged for it."]
    return charged + _decision_words(why, why.decision)


def charge_staff(charge: Charge, currency: str) -> list[str]:
    """How the charge of one service came to be, and which facts it rests on."""
    price = formats.money(charge.price, currency)
    told = f"{charge.plan}, service {charge.service_id}: {formats.money(charge.amount, currency)} for "
    told += f"{formats.day(charge.day)}, part {charge.nth} of {charge.parts} at {_month(charge, currency)} a month"
    if charge.through is None or charge.before is None:
        told += ". Its facts do not give that amount; the checker says more."
    else:
        through, before = formats.money(charge.through, currency), formats.money(charge.before, currency)
        told += f": {through} through this part less {before} through the one before."
    whose = "agreed for" if charge.own else "the plan's price since"
    return [
        told,
        f"{charge.plan} costs {price} a month, {whose} {_source(charge.listed)}.",
        f"In use{f', {charge.quantity} of it,' if charge.quantity > 1 else ''} since {_source(charge.held)}.",
    ]


def move_staff(move: WhyMove, currency: str) -> list[str]:
    """What a movement of an account is."""
    if move.charge is not None:
        return charge_staff(move.charge, currency)
    amount, day = formats.money(move.amount, currency), formats.day(move.transfer.day)
    if move.document is not None:
        return [
            f"{amount} of {move.document.get_kind_display().lower()} {move.document.number} of {day}, made as "
            f"“{move.document.get_source_display()}”; its lines say why."
        ]
    if move.payment is not None:
        paid = move.payment
        return [f"{amount}: payment {paid.number} of {day}, {paid.get_method_display()}, entered by {paid.by_label}."]
    if move.transfer.kind == TransferKind.MOVED:
        way = "from an account that pays through this one" if move.amount > 0 else "to the account that pays for it"
        return [f"{amount} moved {way} on {day}."]
    return [f"{amount}: a correction of {day}; who made it and why is in the operation log."]


def block_staff(found: WhyBlocked) -> list[str]:
    """Why there is no access, and what opens it; times in the provider's zone, as the days are."""
    with timezone.override(found.zone):
        return _block_staff(found)


def _block_staff(found: WhyBlocked) -> list[str]:
    if found.service is not None and found.fact is not None:
        state = LEFT[ServiceState(found.service.state)]
        fact = Source(found.fact.valid_from, found.fact.recorded_at, found.fact.by_label)
        return [f"{found.service} {state} from {_source(fact)}."]
    block = found.block
    if block is None:
        return []
    if block.account_id is None:
        reason = f": {block.reason}" if block.reason else "; no reason was given"
        return [f"Blocked by {block.set_by_label} on {formats.moment(block.set_at)}{reason}. Payment does not lift it."]
    return _for_money(found, block)


def _for_money(found: WhyBlocked, block: Block) -> list[str]:
    """Why an account is blocked for money, and what opens it."""
    told = [f"Account {block.account} is blocked for money since {formats.moment(block.set_at)}."]
    if found.standing is not None:
        told += dunning_words.staff_words(found.standing.why, found.currency)
    elif found.day is not None and found.day.decision is not None:
        told += _decision_words(found.day, found.day.decision)
    if found.cost:
        told.append(f"Today costs {formats.money(found.cost, found.currency)}.")
    if block.grace_until:
        told.append(f"Staff let him online all the same until {formats.moment(block.grace_until)}.")
    if found.by_staff:
        told.append("Staff blocked him too: a payment alone does not bring access back.")
    return [*told, f"A payment of {formats.money(found.owed, found.currency)} opens it."]


def _decision_words(why: WhyDay, one: DayDecision) -> list[str]:
    """What was decided about a day, by which balance and rule."""
    currency = why.account.currency
    limit, cost = formats.money(why.terms.minimal_balance, currency), formats.money(one.cost, currency)
    when = f"00:00 of {formats.day(one.day)}" if one.paid_at is None else formats.moment(one.paid_at)
    told = [
        f"At {when} the balance was {formats.money(one.balance_before, currency)}, its limit is {limit}"
        f"{f'; the day costs {cost}' if one.cost else ''}."
    ]
    rule = RULES[LimitRule(why.terms.limit_rule)]
    if one.decision == Decision.CHARGED:
        told.append(f"{cost} were taken; the rule is: {rule}.")
    elif one.decision == Decision.BLOCKED and one.cost:
        told.append(f"The rule is: {rule}. So access was blocked.")
    elif one.decision == Decision.BLOCKED:
        told.append("He was blocked already, so nothing was tried and nothing taken.")
    else:
        told.append("No service was in use that costs anything, so nothing was due.")
    if one.catch_up:
        told.append(f"The day was over when it was decided, on {formats.moment(one.decided_at)}: it was caught up.")
    if one.paid_at is not None:
        told.append("It was blocked first, and access came back at that time.")
    return told


def _month(charge: Charge, currency: str) -> str:
    """A month's price, of all that is held."""
    price = formats.money(charge.price, currency)
    return f"{charge.quantity} × {price}" if charge.quantity > 1 else price


def _source(source: Source) -> str:
    told = formats.moment(source.recorded_at)
    return f"{formats.day(source.valid_from)}, written down by {source.recorded_by} at {told}"
