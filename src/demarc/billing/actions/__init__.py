"""What is done with money. One module per noun; callers import from here.

activate(service_id, *, by, at) -> Service                       activate_many(service_ids, *, by, at)
receive(*, account_id, amount, method, received_on, key, comment="", currency=None, by, at) -> Payment
receive_many(list of NewPayment, *, by, at) -> list[Payment]
refund(payment_id, *, amount, key, by, at) -> Payment            correct(account_id, *, amount, reason, key, by, at)
open_day(partner_id, *, day, by, at, chunk=2000, hands=1) -> BillingDay
bill(*, until=None, by, at, hands=1) -> list[BillingDay]
retry_accounts(account_ids, *, by, at) -> int                    unpark(account_id, *, by, at) -> bool
"""

from demarc.billing.actions.days import HANDS, bill, open_day, retry_accounts, unpark
from demarc.billing.actions.payments import NewPayment, correct, receive, receive_many, refund
from demarc.billing.actions.services import activate, activate_many

__all__ = [
    "HANDS",
    "NewPayment",
    "activate",
    "activate_many",
    "bill",
    "correct",
    "open_day",
    "receive",
    "receive_many",
    "refund",
    "retry_accounts",
    "unpark",
]
