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
credit(document_id, *, reason="", by, at) -> Issued              foresee_credit(document_id, *, by, at)
preview_run(partner_id, *, day=None, by, at) -> InvoiceRun       confirm_run, hold_run, pause_run, resume_run,
    cancel_run(run_id, *, by, at) -> InvoiceRun
change_service(service_id, wanted, *, on=None, period_end=False, by, at) -> date
foresee_change(same) -> Foreseen: what that bills, taken back
make_recurring, make_prepaid, unlink_account(account_id, *, by, at); link_account(account_id, *, parent_id, by, at)
invoice_consumed(partner_id, *, month, by, at) -> int            invoice_last_month(*, by, at) -> int
work_run(run_id, *, by, at, hands=1) -> InvoiceRun               unpark_recurring(account_id, *, by, at)
change_services(service_ids, *, by, at) -> list[Issued]          charge_fees(service_ids, kinds, *, by, at)
issue_due(*, by, at) -> list[InvoiceRun]                         ask_preview, ask_days(partner_id, *, by, at)
set_auto_issue(partner_id, *, auto, by, at) -> bool
remind_and_block(partner_id, *, by, at, chunk=2000) -> Dunned    reassess(account_ids, *, by, at) -> [account ids]
promise(account_id, *, until, comment="", by, at) -> Promise     end_promise(account_id, *, by, at)
dispute, end_dispute(document_id, *, reason, by, at) -> Document set_dunning_terms(partner_id, *, valid_from, ...)
plan_wave(partner_id, *, by, at) -> Wave | None                  work_wave(wave_id, *, by, at, chunk=2000) -> more?
confirm_wave, restore_wave(wave_id, *, by, at) -> Wave           stop_blocking, allow_blocking(partner_id, ...)
note_outage(partner_id, *, began_at, ...) -> Outage              end_outage(outage_id, *, ended_at=None, by, at)
"""

from demarc.billing.actions.changes import Wanted, change_service, foresee, foresee_change
from demarc.billing.actions.consumed import invoice_consumed, invoice_last_month
from demarc.billing.actions.conversion import (
    link_account,
    make_prepaid,
    make_recurring,
    unlink_account,
)
from demarc.billing.actions.credits import ForeseenCredit, credit, foresee_credit
from demarc.billing.actions.daily import ask_preview, issue_due, set_auto_issue
from demarc.billing.actions.days import ask_days, bill, open_day, retry_accounts, unpark
from demarc.billing.actions.dunning import Dunned, remind_and_block
from demarc.billing.actions.fees import change_services, charge_fees
from demarc.billing.actions.invoices import (
    NewItem,
    begin_recurring,
    bill_item,
    bill_items,
    cancel_item,
    correct_services,
)
from demarc.billing.actions.payments import NewPayment, correct, receive, receive_many, refund
from demarc.billing.actions.promises import (
    OutageFields,
    allow_blocking,
    dispute,
    end_dispute,
    end_outage,
    end_promise,
    note_outage,
    promise,
    set_dunning_terms,
    stop_blocking,
)
from demarc.billing.actions.reassess import reassess
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
from demarc.billing.actions.waves import confirm_wave, plan_wave, restore_wave, work_wave
from demarc.billing.actions.whatif import Change, what_if

__all__ = [
    "Change",
    "Dunned",
    "ForeseenCredit",
    "NewItem",
    "NewPayment",
    "OutageFields",
    "Wanted",
    "activate",
    "activate_many",
    "ask_days",
    "ask_preview",
    "allow_blocking",
    "begin_recurring",
    "bill",
    "bill_item",
    "bill_items",
    "cancel_item",
    "cancel_run",
    "change_service",
    "change_services",
    "charge_fees",
    "confirm_run",
    "confirm_wave",
    "correct",
    "correct_services",
    "credit",
    "dispute",
    "end_dispute",
    "end_outage",
    "end_promise",
    "foresee",
    "foresee_change",
    "foresee_credit",
    "hold_run",
    "invoice_consumed",
    "invoice_last_month",
    "link_account",
    "make_prepaid",
    "make_recurring",
    "unlink_account",
    "issue_due",
    "note_outage",
    "open_day",
    "pause_run",
    "plan_wave",
    "preview_run",
    "promise",
    "reassess",
    "receive",
    "receive_many",
    "refund",
    "remind_and_block",
    "restore_wave",
    "resume_run",
    "set_auto_issue",
    "retry_accounts",
    "set_dunning_terms",
    "stop_blocking",
    "unpark",
    "unpark_recurring",
    "what_if",
    "work_run",
    "work_wave",
]
