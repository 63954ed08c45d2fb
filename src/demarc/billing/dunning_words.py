"""The chain of facts behind a block in words for staff, who act on them; for the customer see customer_words."""

from collections.abc import Iterable

from demarc.core.dunning import Cause, Why
from demarc.ui import formats

STAFF: dict[Cause, str] = {
    Cause.OVERDUE: "Document {number} was due on {day} and {amount} of it is open; it counts.",
    Cause.NOT_YET: "Document {number} has {amount} open; it counts from {day} on.",
    Cause.DISPUTED: "Document {number} with {amount} open is disputed; it does not count.",
    Cause.ONE_TIME: "Document {number} with {amount} open was made by hand; by the rules it does not block.",
    Cause.NOTHING_OPEN: "Nothing is open.",
    Cause.BELOW_LIMIT: "The balance is below the account's limit of {amount}.",
    Cause.WITHIN_LIMIT: "The balance is within the account's limit of {amount}, so nothing follows.",
    Cause.SMALL: "The debt is below {amount}, from which on the rules block.",
    Cause.SWITCHED_OFF: "The rules block nobody.",
    Cause.PROMISED: "A promise or a grace keeps access until the end of {day}.",
    Cause.BLOCKED: "Blocked for it since {day}.",
    Cause.BLOCKS: "Will be blocked on {day}, unless it is paid.",
    Cause.DEACTIVATES: "The services will be stopped on {day}, unless it is paid.",
    Cause.DEACTIVATED: "The services are stopped for it; payment takes them up again.",
}


def staff_words(chain: Iterable[Why], currency: str) -> list[str]:
    """A sentence for each fact."""
    return [
        STAFF[why.cause].format(number=why.number, day=formats.day(why.day), amount=formats.money(why.amount, currency))
        for why in chain
    ]
