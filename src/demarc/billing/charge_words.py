"""The facts behind amounts and blocks in words: for staff, who act on them, and for the customer, who is told them."""

from demarc.billing.dunning_words import customer_words, staff_words
from demarc.billing.models import Decision, TransferKind
from demarc.billing.queries.explain import Charge, ExplainedBlock, ExplainedDay, ExplainedMove, Source
from demarc.core.charging import LimitRule
from demarc.plans.models import ServiceState
from demarc.ui import formats

LEFT = {
    ServiceState.PAUSED: "is paused",
    ServiceState.STOPPED: "is stopped",
    ServiceState.ENDED: "has ended",
}


def charge_staff(charge: Charge, currency: str) -> list[str]:
    """How a prepaid day's charge of one service came to be, and which facts it rests on."""
    whose = "the price agreed on" if charge.own else f"the price of {charge.plan}"
    return [
        f"{charge.plan}, service {charge.service_id}: {formats.money(charge.amount, currency)} for "
        f"{formats.day(charge.day)}, day {charge.nth} of {charge.parts} at {formats.money(charge.price, currency)} "
        "a month; the days of a month sum to its price.",
        f"In use since {_source(charge.held)}.",
        f"It is {whose} since {_source(charge.listed)}.",
    ]


def charge_customer(charge: Charge, currency: str) -> list[str]:
    """The same as one would say it to the customer."""
    return [
        f"{charge.plan} costs {formats.money(charge.price, currency)} a month. For {formats.day(charge.day)}, one of "
        f"{charge.parts} days, that is {formats.money(charge.amount, currency)}."
    ]


def day_staff(day: ExplainedDay, currency: str) -> list[str]:
    """Why a day was charged, blocked or free."""
    row, limit = day.decision, formats.money(day.terms.minimal_balance, currency)
    had = f"At 00:00 of {formats.day(row.day)} the balance was {formats.money(row.balance_before, currency)}"
    told = [f"{had}, the limit {limit}; the day costs {formats.money(row.cost, currency)}."]
    if row.decision == Decision.BLOCKED and row.cost:
        reached = LimitRule(day.terms.limit_rule) is LimitRule.STOP_AT_LIMIT
        told.append("The limit is reached, so it blocks." if reached else "That does not carry the day, so it blocks.")
    elif row.decision == Decision.BLOCKED:
        told.append("The account was blocked already, so nothing was tried.")
    elif row.decision == Decision.NOTHING_DUE:
        told.append("No service was in use, so nothing was charged.")
    if row.catch_up:
        told.append("The day was over when it was decided; it was charged all the same, as if in time.")
    if row.paid_at:
        told.append(f"It was blocked first, and paid at {formats.moment(row.paid_at)}.")
    return told + [words for charge in day.charges for words in charge_staff(charge, currency)]


def day_customer(day: ExplainedDay, currency: str) -> list[str]:
    """The same as one would say it to the customer."""
    row = day.decision
    if row.decision == Decision.BLOCKED and row.cost:
        return [
            f"On {formats.day(row.day)} you had {formats.money(row.balance_before, currency)} left, and a day costs "
            f"{formats.money(row.cost, currency)}, so your internet access was paused."
        ]
    if row.decision != Decision.CHARGED:
        return [f"For {formats.day(row.day)} nothing was charged."]
    return [words for charge in day.charges for words in charge_customer(charge, currency)]


def move_staff(move: ExplainedMove, currency: str) -> list[str]:
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


def move_customer(move: ExplainedMove, currency: str) -> list[str]:
    """The same as one would say it to the customer."""
    if move.charge is not None:
        return charge_customer(move.charge, currency)
    amount, day = formats.money(abs(move.amount), currency), formats.day(move.transfer.day)
    if move.document is not None:
        return [f"{amount} belong to {move.document.get_kind_display().lower()} {move.document.number} of {day}."]
    if move.payment is not None:
        return [f"We {'received' if move.amount > 0 else 'gave back'} {amount} on {day}."]
    return [f"On {day} your balance was put {'up' if move.amount > 0 else 'down'} by {amount}."]


def block_staff(found: ExplainedBlock) -> list[str]:
    """Why there is no access."""
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
    told = [f"Account {block.account} is blocked for money since {formats.moment(block.set_at)}."]
    if found.standing is not None:
        told += staff_words(found.standing.why, found.currency)
    elif found.day is not None:
        told += day_staff(found.day, found.currency)
    if block.grace_until:
        told.append(f"Staff let him online all the same until {formats.moment(block.grace_until)}.")
    return [*told, f"A payment of {formats.money(found.owed, found.currency)} opens it."]


def block_customer(found: ExplainedBlock) -> list[str]:
    """The same as one would say it to the customer."""
    if found.service is not None:
        return [
            f"Your {found.service.plan} {LEFT[ServiceState(found.service.state)]} from {formats.day(found.since)} on."
        ]
    if found.block is None or found.block.account_id is None:
        return [f"We have paused your internet access on {formats.day(found.since)}. Please call us."]
    told = [f"Please pay {formats.money(found.owed, found.currency)}; you are online again as soon as it arrives."]
    if found.standing is not None:
        return customer_words(found.standing.why, found.currency) + told
    return (day_customer(found.day, found.currency) if found.day else []) + told


def _source(source: Source) -> str:
    told = formats.moment(source.recorded_at)
    return f"{formats.day(source.valid_from)}, written down by {source.recorded_by} at {told}"
