"""Issuing documents, one or two thousand at once: numbers, lines, tax, transfers, covers and what pays for them.

The only place where a draft of core.recurring becomes a record. Statements are set-based, rows go in as arrays, numbers
are taken in the caller's transaction: a document that is rolled back leaves no gap.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from demarc.base import sql
from demarc.base.actors import Actor
from demarc.base.events import emit_ids
from demarc.base.numbering import take, take_ids
from demarc.billing import bulk
from demarc.billing.accounts import house_account, tax_name
from demarc.billing.facts import Payer
from demarc.billing.models import DocumentSource, LedgerKind
from demarc.billing.parties import parties
from demarc.billing.wording import derivation
from demarc.core import ledger
from demarc.core.coverage import Segment
from demarc.core.invoicing import Part, allocate
from demarc.core.recurring import Cover, Draft

ADD_DOCUMENTS = """
INSERT INTO billing_document (id, partner_id, account_id, kind, source, number, issued_on, due_on, currency, net, tax,
    gross, open_amount, first_day, last_day, entry_id, corrects_id, run_id, parties, key, recorded_at, by_kind, by_id,
    by_label)
"""

ADD_LINES = """
INSERT INTO billing_documentline (document_id, seq, service_id, text, first_day, last_day, amount, included,
    tax_category, rate, revenue, derivation)
"""

ADD_TAXES = "INSERT INTO billing_documenttax (document_id, category, rate, net, tax)"

ADD_COVERS = """
INSERT INTO billing_cover (service_id, document_id, first_day, last_day, month, of_days, plan_id, own, price, quantity,
    percent, fixed, amount, tax_category, rate, included, revenue, service_fact_id, price_fact_id)
"""

ADD_ALLOCATIONS = "INSERT INTO billing_allocation (document_id, payment_id, credit_note_id, amount, at)"

REPLACE_COVERS = """
UPDATE billing_cover c SET replaced_by_id = n.document_id
FROM unnest(%(covers)s::bigint[], %(documents)s::bigint[]) AS n (id, document_id) WHERE c.id = n.id
"""

BILL_THROUGH = """
INSERT INTO billing_billedthrough (service_id, day, begun_on)
SELECT * FROM unnest(%(services)s::bigint[], %(days)s::date[], %(begun)s::date[])
ON CONFLICT (service_id) DO UPDATE SET day = EXCLUDED.day
"""

BILL_ITEMS = """
UPDATE billing_item i SET document_id = n.document_id
FROM unnest(%(items)s::bigint[], %(documents)s::bigint[]) AS n (id, document_id)
WHERE i.id = n.id AND i.document_id IS NULL
"""

# The oldest debt first: by the day it was due. What the customer contests comes last, or he would be blocked for a debt
# that his money was meant for.
OPEN = """
SELECT account_id, id, open_amount FROM billing_document
WHERE open_amount > 0 AND account_id = ANY(%(accounts)s::bigint[])
ORDER BY account_id, disputed_at IS NOT NULL, due_on, id
"""

BALANCES = "SELECT payer_id, balance FROM billing_ledgeraccount WHERE payer_id = ANY(%(accounts)s::bigint[])"

SETTLE = """
UPDATE billing_document d SET open_amount = n.left_open
FROM unnest(%(documents)s::bigint[], %(left_open)s::bigint[]) AS n (id, left_open) WHERE d.id = n.id
"""


Shares = Sequence[tuple[ledger.Account, int]]
"""Accounts of the house and what of a document belongs to each."""


class Ready(NamedTuple):
    """A draft with who pays it, where it comes from and the key that makes it happen once."""

    payer: Payer
    draft: Draft
    source: str
    key: str


class Issued(NamedTuple):
    """A document as it was written."""

    document_id: int
    kind: str
    number: str
    ready: Ready


class Claim(NamedTuple):
    """An invoice that wants money."""

    document_id: int
    amount: int


@dataclass
class Settlement:
    """What paying does: allocations (document, payment, credit note, amount), and what stays open of each touched."""

    rows: list[tuple[int, int | None, int | None, int]]
    left_open: dict[int, int]


def issue(ready: Sequence[Ready], *, by: Actor, at: datetime, run_id: int | None = None) -> list[Issued]:
    """Write documents in the order given. The payers are locked by the caller, and their balances those of now.

    Each payer's money pays his oldest debts first. Readers are told on the event DocumentsIssued. A correction that has
    nothing to bill or credit becomes no document: its days are noted where they were billed at nothing before.
    """
    _write_covers([Issued(one.draft.corrects or 0, "", "", one) for one in ready if one.draft.moves_nothing])
    ready = [one for one in ready if not one.draft.moves_nothing]
    if not ready:
        return []
    planned = _planned(ready)
    entries = _post(planned, at)
    settled = _settle_with_balances(planned)
    _write_covers(planned)
    known = parties(one.ready.payer for one in planned)
    issued = _numbered(planned)
    who = (at, by.kind, by.id, by.label, run_id)
    sql.insert(ADD_DOCUMENTS, (_document(one, entries, settled, known, who) for one in issued))
    # Parts after what they belong to: row security looks for it.
    sql.insert(ADD_LINES, (row for one in planned for row in _lines(one)))
    sql.insert(ADD_TAXES, ((one.document_id, *tax) for one in planned for tax in one.ready.draft.totals.taxes))
    _write_settlement(settled, {one.document_id for one in planned}, at)
    emit_ids("DocumentsIssued", "documents", [one.document_id for one in issued], queue="run" if run_id else "now")
    return issued


def cut_given(covers: Iterable[Cover], *, at: date) -> None:
    """Days that a credit note gave are given through the day `at` only; later ones may be charged another way."""
    late = [one for one in covers if one.given and one.segment.last > at]
    if not late:
        return
    replaced, documents = [one.cover_id for one in late], [one.document_id for one in late]
    sql.execute(REPLACE_COVERS, covers=sql.array(replaced), documents=sql.array(documents))
    sql.insert(
        ADD_COVERS,
        (
            _cover(one.document_id, one.service_id, one.segment._replace(last=at), one.part)
            for one in late
            if one.segment.first <= at
        ),
    )


def pay_documents(paid: Sequence[tuple[int, int | None, int]], *, at: datetime) -> None:
    """Let money that was just credited pay the oldest debts: (account, payment or None, amount) in order. The accounts
    are locked by the caller."""
    claims = _claims({account_id for account_id, _, _ in paid})
    if not claims:
        return
    of_account: dict[int, list[tuple[int | None, int]]] = defaultdict(list)
    for account_id, payment, amount in paid:
        of_account[account_id].append((payment, amount))
    settled = Settlement([], {})
    for account_id, balance in sql.rows(BALANCES, accounts=sql.array(claims)):
        mine, wanted = of_account[account_id], claims[account_id]
        before = balance + sum(claim.amount for claim in wanted) - sum(amount for _, amount in mine)
        wanted = _give(settled, wanted, before)
        for payment, amount in mine:
            wanted = _give(settled, wanted, amount + min(before, 0), payment=payment)
            before = min(before + amount, 0)
    _write_settlement(settled, set(), at)


def _planned(ready: Sequence[Ready]) -> list[Issued]:
    """Each document with its id and kind; the number comes last."""
    ids = take_ids("billing_document_id_seq", len(ready))
    return [
        Issued(document_id, "credit_note" if one.draft.totals.gross < 0 else "invoice", "", one)
        for document_id, one in zip(ids, ready, strict=True)
    ]


def _numbered(planned: Sequence[Issued]) -> list[Issued]:
    """Give each document its number: one series for each partner, kind and year, without gaps.

    Last of all, because whoever issues in the same series waits from here until this transaction ends.
    """
    series: dict[tuple[int, str, int], list[int]] = defaultdict(list)
    for place, (_, kind, _, one) in enumerate(planned):
        series[one.payer.partner_id, kind, one.draft.on.year].append(place)
    numbers: dict[int, str] = {}
    for (partner_id, kind, year), places in sorted(series.items()):
        first = take(partner_id, f"{kind}:{year}", len(places))
        letter = "C" if kind == "credit_note" else ""
        numbers |= {place: f"{letter}{year}{first + offset:06d}" for offset, place in enumerate(places)}
    return [one._replace(number=numbers[place]) for place, one in enumerate(planned)]


def _post(issued: Sequence[Issued], at: datetime) -> dict[int, int]:
    """The ledger's side: the entry of each document that moves money."""
    houses: dict[tuple[int, str, str, str], ledger.Account] = {}

    def house(payer: Payer, kind: str, name: str) -> ledger.Account:
        key = (payer.partner_id, payer.currency, kind, name)
        if key not in houses:
            houses[key] = house_account(*key)
        return houses[key]

    postings: list[bulk.Posting] = []
    documents: list[int] = []
    for one in issued:
        payer, draft = one.ready.payer, one.ready.draft
        revenues = [(house(payer, LedgerKind.REVENUE, name), net) for name, net in draft.totals.revenues]
        taxes = [
            (house(payer, LedgerKind.TAX, tax_name(one.category, one.rate)), one.tax) for one in draft.totals.taxes
        ]
        if one.ready.source == DocumentSource.CONSUMED:
            transfers = _taxes_of_consumed(revenues, taxes, draft)
        else:
            side = ledger.Account(payer.ledger_id, ledger.AccountKind.PAYER, payer.currency)
            shares = [(where, amount) for where, amount in (*revenues, *taxes) if amount]
            transfers = [ledger.billed(side, where, amount, draft.on) for where, amount in shares]
        if transfers:
            postings.append(bulk.Posting(payer, ledger.entry(transfers), f"document:{one.ready.key}"))
            documents.append(one.document_id)
    return dict(zip(documents, bulk.post(postings, at), strict=True))


def _taxes_of_consumed(revenues: Shares, taxes: Shares, draft: Draft) -> list[ledger.Transfer]:
    """What was charged gross by the day is in revenue: its tax goes over. Both sides sum to the document's tax."""
    gross: dict[str, int] = defaultdict(int)
    for line in draft.lines:
        gross[line.part.revenue] += line.part.amount
    left = [gross[name] - net for name, net in draft.totals.revenues]
    transfers = []
    for where, tax in taxes:
        for place, part in enumerate(allocate(tax, left)):
            if part:
                transfers.append(ledger.tax_of_consumed(revenues[place][0], where, part, draft.on))
                left[place] -= part
    return transfers


def _settle_with_balances(issued: Sequence[Issued]) -> Settlement:
    """Pay the payers' open documents, the new ones last, with what is on their accounts and with new credits."""
    of_account: dict[int, list[Issued]] = defaultdict(list)
    for one in issued:
        if one.ready.source != DocumentSource.CONSUMED:  # which is paid
            of_account[one.ready.payer.account_id].append(one)
    claims = _claims(of_account)
    settled = Settlement([], {})
    for account_id, some in of_account.items():
        wanted = claims.get(account_id, [])
        available = some[0].ready.payer.balance + sum(claim.amount for claim in wanted)
        wanted += [
            Claim(one.document_id, one.ready.draft.totals.gross) for one in some if one.ready.draft.totals.gross > 0
        ]
        for credit in (one for one in some if one.kind == "credit_note"):
            amount = -credit.ready.draft.totals.gross
            wanted = _give(settled, _taken_back_first(credit, wanted), amount, credit_note=credit.document_id)
        _give(settled, wanted, available)
    return settled


def _taken_back_first(credit: Issued, wanted: Sequence[Claim]) -> list[Claim]:
    """The credit note of a whole invoice settles that one, then the oldest debts as any other does."""
    whole = credit.ready.draft.corrects if credit.ready.source == DocumentSource.MANUAL else None
    return sorted(wanted, key=lambda claim: claim.document_id != whole)


def _claims(accounts: Iterable[int]) -> dict[int, list[Claim]]:
    found: dict[int, list[Claim]] = defaultdict(list)
    for account_id, document_id, amount in sql.rows(OPEN, accounts=sql.array(accounts)):
        found[account_id].append(Claim(document_id, amount))
    return found


def _give(
    settled: Settlement,
    wanted: Sequence[Claim],
    available: int,
    *,
    payment: int | None = None,
    credit_note: int | None = None,
) -> list[Claim]:
    """Spread what is available over the claims: what is left of them."""
    left = []
    for claim, part in zip(wanted, allocate(available, [claim.amount for claim in wanted]), strict=True):
        if part:
            settled.rows.append((claim.document_id, payment, credit_note, part))
        settled.left_open[claim.document_id] = claim.amount - part
        left.append(Claim(claim.document_id, claim.amount - part))
    return left


def _write_settlement(settled: Settlement, fresh: set[int], at: datetime) -> None:
    """`fresh`: documents that are written with their open amount already."""
    touched = {row[0] for row in settled.rows} - fresh
    left_open = {document: settled.left_open[document] for document in sorted(touched)}
    if left_open:
        sql.execute(SETTLE, documents=sql.array(left_open), left_open=sql.array(left_open.values()))
    sql.insert(ADD_ALLOCATIONS, ((*row, at) for row in settled.rows))


def _document(
    one: Issued, entries: dict[int, int], settled: Settlement, known: dict[int, str], who: tuple[Any, ...]
) -> tuple[Any, ...]:
    payer, draft = one.ready.payer, one.ready.draft
    sums = draft.totals
    first, last = min(line.first for line in draft.lines), max(line.last for line in draft.lines)
    named = (one.document_id, payer.partner_id, payer.account_id, one.kind, one.ready.source, one.number)
    dated = (draft.on, draft.due_on, payer.currency, sums.net, sums.tax, sums.gross)
    state = (settled.left_open.get(one.document_id, 0), first, last, entries.get(one.document_id), draft.corrects)
    at, kind, actor_id, label, run_id = who
    return (*named, *dated, *state, run_id, known[payer.account_id], one.ready.key, at, kind, actor_id, label)


def _lines(one: Issued) -> Iterator[tuple[Any, ...]]:
    for seq, line in enumerate(one.ready.draft.lines):
        yield (
            one.document_id,
            seq,
            line.service_id,
            line.text,
            line.first,
            line.last,
            *_money(line.part),
            json.dumps(derivation(line)),
        )


def _write_covers(issued: Sequence[Issued]) -> None:
    replaced = [(cover.cover_id, one.document_id) for one in issued for cover in one.ready.draft.replaced]
    if replaced:
        sql.execute(
            REPLACE_COVERS,
            covers=sql.array(row[0] for row in replaced),
            documents=sql.array(row[1] for row in replaced),
        )
    sql.insert(ADD_COVERS, (row for one in issued for row in _covers(one)))
    through: dict[int, date] = {}
    begun: dict[int, date] = {}
    items: dict[int, int] = {}
    for one in issued:
        through.update(one.ready.draft.through)
        for line in one.ready.draft.lines:
            if line.segments and line.service_id is not None:
                begun.setdefault(line.service_id, line.first)
        items.update({line.item_id: one.document_id for line in one.ready.draft.lines if line.item_id is not None})
    if through:
        sql.execute(
            BILL_THROUGH,
            services=sql.array(through),
            days=sql.array(through.values()),
            begun=sql.array(begun.get(service_id, day) for service_id, day in through.items()),
        )
    if items:
        sql.execute(BILL_ITEMS, items=sql.array(items), documents=sql.array(items.values()))


def _covers(one: Issued) -> Iterator[tuple[Any, ...]]:
    draft = one.ready.draft
    if draft.replaced:
        for service_id, segment, part in draft.kept:
            yield _cover(one.document_id, service_id, segment, part)
        return
    for line in draft.lines:
        for segment in line.segments:
            yield _cover(one.document_id, line.service_id or 0, segment, line.part)


def _cover(document_id: int, service_id: int, segment: Segment, part: Part) -> tuple[Any, ...]:
    dated = (service_id, document_id, segment.first, segment.last, segment.month, segment.of_days)
    taxed = (part.taxed.category, part.taxed.rate, part.taxed.included, part.revenue)
    return (*dated, *segment.basis, segment.amount, *taxed, segment.service_fact_id, segment.price_fact_id)


def _money(part: Part) -> tuple[Any, ...]:
    return part.amount, part.taxed.included, part.taxed.category, part.taxed.rate, part.revenue
