"""What is done with money. One module per noun; callers import from here.

activate(service_id, *, by, at) -> Service                       activate_many(service_ids, *, by, at)
receive(*, account_id, amount, method, received_on, key, comment="", currency=None, by, at) -> Payment
receive_many(list of NewPayment, *, by, at) -> list[Payment]
refund(payment_id, *, amount, key, by, at) -> Payment            correct(account_id, *, amount, reason, key, by, at)
open_day(partner_id, *, day, by, at, chunk=2000, hands=1) -> BillingDay
bill(*, until=None, by, at, hands=1) -> list[BillingDay]
retry_accounts(account_ids, *, by, at) -> int                    unpark(account_id, *, by, at) -> bool
begin_recurring, correct_services(service_ids, *, by, at) -> list[Issued]
bill_item(*, account_id, text, amount, ..., by, at) -> Item      bill_items(account_id, ...); cancel_item(item_id, ...)
preview_run(partner_id, *, day=None, by, at) -> InvoiceRun       confirm_run, hold_run, pause_run, resume_run,
    cancel_run(run_id, *, by, at) -> InvoiceRun
make_recurring, make_prepaid, unlink_account(account_id, *, by, at); link_account(account_id, *, parent_id, by, at)
invoice_consumed(partner_id, *, month, by, at) -> int
work_run(run_id, *, by, at, hands=1) -> InvoiceRun               unpark_recurring(account_id, *, by, at)
"""

from demarc.billing.actions.consumed import invoice_consumed
from demarc.billing.actions.conversion import (
    link_account,
    make_prepaid,
    make_recurring,
    unlink_account,
)
from demarc.billing.actions.days import HANDS, bill, open_day, retry_accounts, unpark
from demarc.billing.actions.invoices import (
    NewItem,
    begin_recurring,
    bill_item,
    bill_items,
    cancel_item,
    correct_services,
)
from demarc.billing.actions.payments import NewPayment, correct, receive, receive_many, refund
from demarc.billing.actions.runs import (
    cancel_run,
    confirm_run,
    hold_run,
    pause_run,
    preview_run,
    resume_run,
    unpark_recurring,
    work_run,
)
from demarc.billing.actions.services import activate, activate_many
from demarc.billing.actions.whatif import Change, what_if

__all__ = [
    "Change",
    "HANDS",
    "NewItem",
    "NewPayment",
    "activate",
    "activate_many",
    "begin_recurring",
    "bill",
    "bill_item",
    "bill_items",
    "cancel_item",
    "cancel_run",
    "confirm_run",
    "correct",
    "correct_services",
    "hold_run",
    "invoice_consumed",
    "link_account",
    "make_prepaid",
    "make_recurring",
    "unlink_account",
    "open_day",
    "pause_run",
    "preview_run",
    "receive",
    "receive_many",
    "refund",
    "resume_run",
    "retry_accounts",
    "unpark",
    "unpark_recurring",
    "what_if",
    "work_run",
]
