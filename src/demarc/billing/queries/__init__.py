"""Reads of money for pages, the API and other rooms; nothing here writes.

account_summary(account_id, *, at) -> AccountSummary             account_summaries(account_ids, *, at) -> {id: ...}
owed(account_ids, *, at) -> {id: (minor units, currency)}        ledger_months(account_id, *, months=12)
after_payment(account_id, amount, *, at) -> AfterPayment
payment_list(partner_ids) -> QuerySet[Payment]                   money_in(partner_ids, day) -> [Takings]
parked_accounts(partner_ids) -> QuerySet[PrepaidState]           running_out(partner_ids, *, at, within_days, limit)
preview(*, day, at) -> [Preview]                                 accounts_behind(partner_id, day, *, chunk=2000)
accounts_due(partner_id, day, *, chunk=2000)
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
)
from demarc.billing.queries.runs import (
    Preview,
    RunningOut,
    accounts_behind,
    accounts_due,
    parked_accounts,
    preview,
    running_out,
)
from demarc.billing.queries.statement import ChargedDay, LedgerMonth, Movement, ledger_months

__all__ = [
    "AccountSummary",
    "AfterPayment",
    "ChargedDay",
    "LedgerMonth",
    "Movement",
    "Preview",
    "RunningOut",
    "Takings",
    "account_summaries",
    "account_summary",
    "accounts_behind",
    "accounts_due",
    "after_payment",
    "ledger_months",
    "money_in",
    "owed",
    "parked_accounts",
    "payment_list",
    "preview",
    "running_out",
]
