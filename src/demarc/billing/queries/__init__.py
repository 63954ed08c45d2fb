"""Reads of money for pages, the API and other rooms; nothing here writes.

account_summary(account_id, *, at) -> AccountSummary             account_summaries(account_ids, *, at) -> {id: ...}
owed(account_ids, *, at) -> {id: (minor units, currency)}        ledger_months(account_id, *, months=12)
after_payment(account_id, amount, *, at) -> AfterPayment
payment_list(partner_ids) -> QuerySet[Payment]                   money_in(partner_ids, day) -> [Takings]
parked_accounts(partner_ids) -> QuerySet[PrepaidState]           running_out(partner_ids, *, at, within_days, limit)
day_list(partner_ids) -> QuerySet[BillingDay]                    blocked_on(partner_id, day) -> int
preview(*, day, at, partner_ids) -> [Preview]                            accounts_behind(partner_id, day, *, chunk=2000)
accounts_due(partner_id, day, *, chunk=2000)
document_list(partner_ids), in_state(rows, state, today)         state_of(document, today), totals_by_currency(rows),
                                                                 may_be_credited(document)
open_items(account_ids)                                          run_list(partner_ids), last_run(run), run_instead(run)
preview_rows(run_id, *, flagged=False)                           due_runs(partner_ids, *, at) -> [DueRun]
auto_issue(partner_id) -> bool                                   parked_calendars(partner_ids)
policy_on(partner_id, day, account_id=None) -> (Policy, Guards)  standing(account_id, *, at) -> Standing | None
wave_list, held_waves, outage_list(partner_ids) -> QuerySet      foresee(partner, WhatIf, *, at, days=60) -> Foresight
foreseen_blocks(same) -> (accounts, cut)
"""

from demarc.billing.queries.accounts import (
    AccountSummary,
    AfterPayment,
    Takings,
    account_summaries,
    account_summary,
    after_payment,
    money_in,
    owed,
    payment_list,
    payments_named,
)
from demarc.billing.queries.documents import (
    AT_WORK,
    STATES,
    WAITING,
    DueRun,
    Totals,
    auto_issue,
    document_list,
    documents_like,
    documents_named,
    due_runs,
    in_state,
    last_run,
    may_be_credited,
    open_items,
    parked_calendars,
    preview_rows,
    run_instead,
    run_list,
    state_of,
    totals_by_currency,
)
from demarc.billing.queries.dunning import (
    Foresight,
    Standing,
    WhatIf,
    foresee,
    foreseen_blocks,
    held_waves,
    outage_list,
    policy_on,
    standing,
    wave_list,
)
from demarc.billing.queries.runs import (
    Preview,
    RunningOut,
    accounts_behind,
    accounts_due,
    blocked_on,
    day_list,
    parked_accounts,
    preview,
    running_out,
)
from demarc.billing.queries.statement import ChargedDay, LedgerMonth, Movement, ledger_months

__all__ = [
    "AT_WORK",
    "AccountSummary",
    "AfterPayment",
    "ChargedDay",
    "DueRun",
    "Foresight",
    "LedgerMonth",
    "Movement",
    "Preview",
    "RunningOut",
    "STATES",
    "Takings",
    "Totals",
    "WAITING",
    "Standing",
    "WhatIf",
    "account_summaries",
    "account_summary",
    "accounts_behind",
    "accounts_due",
    "after_payment",
    "auto_issue",
    "blocked_on",
    "day_list",
    "document_list",
    "documents_named",
    "documents_like",
    "due_runs",
    "in_state",
    "last_run",
    "ledger_months",
    "may_be_credited",
    "money_in",
    "open_items",
    "parked_calendars",
    "foresee",
    "foreseen_blocks",
    "held_waves",
    "outage_list",
    "owed",
    "parked_accounts",
    "payment_list",
    "payments_named",
    "policy_on",
    "preview",
    "preview_rows",
    "run_instead",
    "run_list",
    "running_out",
    "state_of",
    "totals_by_currency",
    "standing",
    "wave_list",
]
