"""What is odd about a run before it is posted: reasons for a person to look. Reads only.

A look compares each document with the account's last regular one, and the whole with the last run. Thresholds are this
module's constants.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from demarc.base import sql
from demarc.core.recurring import Draft

RISE = 4
"""A document of so many times the last one is odd (+300 %)."""

TOTAL_PERCENT = 25
"""A run that sums to so many percent more or less than the last one is odd, and so is their number of accounts."""

RATE_MAX = Decimal("0.5")
"""No country taxes telecommunications so high."""

FEW = 20
"""Below so many documents percentages of a run say nothing."""

SHOWN_MAX = 200
NAMED_MAX = 5

WORDS = {
    "zero": "documents sum to zero, and did not before",
    "negative": "documents sum to less than nothing",
    "rise": "documents are more than four times the last one",
    "rate": "documents carry a tax of more than half",
    "twice": "accounts hold the same plan twice on one document",
    "parked": "accounts cannot be billed",
    "total": "the run's total differs from the last one",
    "accounts": "the number of customers differs from the last run",
    "changed": "accounts have changed since the preview, and were left for the next one",
}

ROW_WORDS = {
    "zero": "Sums to zero, and did not before",
    "negative": "Sums to less than nothing",
    "rise": "More than four times the last one",
    "rate": "A tax of more than half",
    "twice": "The same plan twice",
}
"""The same of one document."""

PREVIOUS = """
SELECT DISTINCT ON (account_id) account_id, gross FROM billing_document
WHERE account_id = ANY(%(accounts)s::bigint[]) AND source = 'run' ORDER BY account_id, issued_on DESC, id DESC
"""

# What an account that no run has billed yet was billed when its services began.
BEGUN = """
SELECT DISTINCT ON (account_id) account_id, gross FROM billing_document
WHERE account_id = ANY(%(accounts)s::bigint[]) AND source = 'first' AND gross <> 0 ORDER BY account_id, id DESC
"""

LAST_RUN = """
SELECT documents, gross FROM billing_invoicerun
WHERE partner_id = %(partner)s AND state = 'done' AND documents > 0 AND day < %(day)s
    AND extract(day FROM day) = extract(day FROM %(day)s::date) ORDER BY day DESC LIMIT 1
"""

Row = tuple[int, date, int, int | None, str, str]


@dataclass
class Looked:
    """Looks at a run or a chunk of it: the preview's rows, and a count of what is odd."""

    partner_id: int
    day: date
    documents: int = 0
    gross: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    named: dict[str, list[int]] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)

    def look(self, drafts: Sequence[tuple[int, Draft]], parked: Mapping[int, str]) -> None:
        """Add these documents and their rows: account, day, gross, what the last one was, flag, note."""
        before = dict(sql.rows(PREVIOUS, accounts=sql.array({account_id for account_id, _ in drafts})))
        new = {account_id for account_id, draft in drafts if draft.free and account_id not in before}
        last = dict(sql.rows(BEGUN, accounts=sql.array(new))) if new else {}
        last |= before
        for account_id, draft in drafts:
            self.documents += 1
            self.gross += draft.totals.gross
            flag = odd(draft, before.get(account_id), last.get(account_id, 0))
            last[account_id] = draft.totals.gross
            if flag:
                self._note(flag, account_id)
            note = ROW_WORDS.get(flag, "")
            self.rows.append((account_id, draft.on, draft.totals.gross, before.get(account_id), flag, note))
        for account_id, reason in parked.items():
            self._note("parked", account_id)
            self.rows.append((account_id, self.day, 0, None, "parked", reason[:200]))

    def add(self, chunk: "Looked") -> None:
        """Count another look in; its rows stay its own."""
        self.documents += chunk.documents
        self.gross += chunk.gross
        self.counts += chunk.counts
        for flag, account_ids in chunk.named.items():
            named = self.named.setdefault(flag, [])
            named += account_ids[: NAMED_MAX - len(named)]

    def found(self) -> list[dict[str, Any]]:
        """What is odd, each kind once: code, words, how many, and the first accounts."""
        kinds = [
            {"code": code, "words": WORDS[code], "count": count, "accounts": self.named.get(code, [])}
            for code, count in sorted(self.counts.items())
        ]
        return kinds + self._against_last_run()

    def _note(self, flag: str, account_id: int) -> None:
        self.counts[flag] += 1
        named = self.named.setdefault(flag, [])
        if len(named) < NAMED_MAX:
            named.append(account_id)

    def _against_last_run(self) -> list[dict[str, Any]]:
        last = sql.rows(LAST_RUN, partner=self.partner_id, day=self.day)
        if not last or last[0][0] < FEW:
            return []
        documents, gross = last[0]
        found = []
        for code, now, before in (("accounts", self.documents, documents), ("total", self.gross, gross)):
            if 100 * abs(now - before) > TOTAL_PERCENT * abs(before):
                found.append({"code": code, "words": WORDS[code], "count": now, "before": before, "accounts": []})
        return found


def since_preview(account_ids: Sequence[int]) -> list[dict[str, Any]]:
    """That accounts were not billed because something else was shown; nothing when there are none."""
    if not account_ids:
        return []
    return [
        {"code": "changed", "words": WORDS["changed"], "count": len(account_ids), "accounts": account_ids[:NAMED_MAX]}
    ]


def odd(draft: Draft, previous: int | None, last: int) -> str:
    """The first thing that is odd about a document, a word of WORDS; "" when nothing is. `previous`: the account's last
    regular document, None before the first; `last`: what it was billed last, 0 when nothing yet. One who holds nothing
    but what is free, as before, is not odd."""
    gross = draft.totals.gross
    if gross < 0:
        return "negative"
    if gross == 0:
        return "" if draft.free and not last else "zero"
    if any(tax.rate > RATE_MAX for tax in draft.totals.taxes):
        return "rate"
    if _same_plan_twice(draft):
        return "twice"
    if previous is not None and previous > 0 and gross > RISE * previous:
        return "rise"
    return ""


def _same_plan_twice(draft: Draft) -> bool:
    plans: dict[tuple[int, date], int] = {}
    for line in draft.lines:
        if line.basis is None or line.service_id is None:
            continue
        if plans.setdefault((line.basis.plan_id, line.first), line.service_id) != line.service_id:
            return True
    return False
