"""The chain of facts behind a block in words: for staff, who act on it, and for the customer, who is told it."""

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
CUSTOMER: dict[Cause, str] = {
    Cause.OVERDUE: "Your invoice {number} was due on {day}; {amount} is not paid yet.",
    Cause.NOT_YET: "Your invoice {number} has {amount} open.",
    Cause.DISPUTED: "We are looking into your invoice {number}; you need not pay it before that is settled.",
    Cause.ONE_TIME: "Your invoice {number} has {amount} open.",
    Cause.NOTHING_OPEN: "All your invoices are paid.",
    Cause.PROMISED: "You promised to pay; you are online until the end of {day}.",
    Cause.BLOCKED: "Your internet access has been paused since {day}. It returns as soon as your payment arrives.",
    Cause.BLOCKS: "Your internet access will be paused on {day} if we receive no payment.",
    Cause.DEACTIVATES: "Your contract's services end on {day} if we receive no payment.",
    Cause.DEACTIVATED: "Your services have been stopped. They are taken up again when your payment arrives.",
}
"""What is our own matter, such as thresholds and limits, is not said to the customer."""


def staff_words(chain: Iterable[Why], currency: str) -> list[str]:
    """A sentence for each fact."""
    return _said(chain, currency, STAFF)


def customer_words(chain: Iterable[Why], currency: str) -> list[str]:
    """A sentence for each fact that concerns the customer, to be read out or sent."""
    return _said(chain, currency, CUSTOMER)


def _said(chain: Iterable[Why], currency: str, words: dict[Cause, str]) -> list[str]:
    return [
        words[why.cause].format(number=why.number, day=formats.day(why.day), amount=formats.money(why.amount, currency))
        for why in chain
        if why.cause in words
    ]
