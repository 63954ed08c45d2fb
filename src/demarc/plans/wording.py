"""What a service's facts say, in words for staff."""

from typing import NamedTuple

from demarc.plans.models import ServiceFact, ServiceState
from demarc.ui import formats

BECOMES = {
    ServiceState.ACTIVE: "active again",
    ServiceState.PAUSED: "paused",
    ServiceState.STOPPED: "stopped",
    ServiceState.ENDED: "ended for good",
}


class Restraint(NamedTuple):
    """Why a service that nobody blocks has not its whole access, as another room says it on pages: a chip's tone and
    words, and a sentence with why and until when."""

    tone: str
    short: str
    words: str


def changed_words(before: ServiceFact, after: ServiceFact, currency: str) -> str:
    """What is another after a change: "Fibre 600, own price 12.00 EUR"."""
    told = [after.plan.name] if after.plan_id != before.plan_id else []
    if after.state != before.state:
        told.append(BECOMES.get(ServiceState(after.state), after.get_state_display().lower()))
    if after.price_override != before.price_override:
        told.append(_price_words(after, currency))
    if after.quantity != before.quantity:
        told.append(f"{formats.number(after.quantity)} of it")
    words = ", ".join(told) or "no change"
    return words[0].upper() + words[1:]


def held_words(fact: ServiceFact, currency: str) -> str:
    """All that a fact says: "Fibre 600, active, the plan's price"."""
    number = f", {formats.number(fact.quantity)} of it" if fact.quantity > 1 else ""
    return f"{fact.plan}, {fact.get_state_display().lower()}, {_price_words(fact, currency)}{number}"


def _price_words(fact: ServiceFact, currency: str) -> str:
    if fact.price_override is None:
        return "the plan's price"
    return f"own price {formats.money(fact.price_override, currency)} a month"
