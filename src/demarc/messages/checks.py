"""Whether what a waiting message says is still so: looked at in the moment of sending, one check per kind.

A check answers why the message is dropped, or nothing. One that is wired (project.wiring.MESSAGE_CHECKS) goes before
the one here.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from demarc.billing.models import LedgerAccount, ReminderSent
from demarc.billing.queries import account_summaries
from demarc.core.period import billing_day
from demarc.customers.queries import accounts_blocked_for_money
from demarc.messages import wired
from demarc.messages.models import Message
from demarc.messages.queries import rules_of, zone_of

Check = Callable[[Message, datetime], str]


def untrue(message: Message, at: datetime) -> str:
    """Why the message is no longer to be sent, in words; empty when it is."""
    check = wired.check(message.kind) or CHECKS.get(message.kind)
    return str(check(message, at)) if check and message.account_id else ""


def _on_hold(message: Message, at: datetime, *, wanted: bool) -> str:
    blocked = bool(accounts_blocked_for_money(account_ids=[message.account_id or 0]))
    return "" if blocked is wanted else "On hold again." if blocked else "No longer on hold."


def _low(message: Message, at: datetime) -> str:
    summary = account_summaries([message.account_id or 0], at=at).get(message.account_id or 0)
    days = rules_of([message.partner_id])[message.partner_id].low_days
    if summary is None or summary.pays_until is None:
        return "The balance has run out, or nothing is charged any more."
    today = billing_day(at, zone_of(message.account, message.partner))
    return "Topped up meanwhile." if (summary.pays_until - today).days > days else ""


def _nothing_owed(message: Message, at: datetime) -> str:
    """Whether the document that it reminds of was paid, credited or disputed meanwhile; of what names none, whether
    anything is owed at all."""
    named, _, number = message.event_key.partition(":")
    if named == "reminder" and number.isdecimal():
        of_document = {"document__open_amount__gt": 0, "document__disputed_at": None}
        owes = ReminderSent.objects.filter(pk=int(number), **of_document).exists()
    else:
        owes = LedgerAccount.objects.filter(payer_id=message.account_id, balance__lt=0).exists()
    return "" if owes else "Nothing is owed for it any more."


CHECKS: dict[str, Check] = {
    "service_on_hold": partial(_on_hold, wanted=True),
    "service_restored": partial(_on_hold, wanted=False),
    "running_low": _low,
    "overdue": _nothing_owed,
    "reminder": _nothing_owed,
}
