"""Recurring billing of single accounts: a service begins, a fact changes, something is sold once. Runs: see `runs`."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Required, TypedDict, Unpack

from django.db import transaction
from django.db.models.functions import Coalesce

from demarc.base import limits, log, sql, texts
from demarc.base.actors import Actor, recorded
from demarc.billing.accounts import open_payers
from demarc.billing.actions.documents import Issued, Ready, issue
from demarc.billing.books import Books, covers_of, load_books, newest_documents
from demarc.billing.facts import Payer, payers
from demarc.billing.models import DocumentSource, Item
from demarc.core import recurring
from demarc.core.coverage import Use
from demarc.core.errors import Refused
from demarc.core.period import ONE_DAY
from demarc.customers.models import Account, BillingType
from demarc.plans.models import STANDARD, Service
from demarc.plans.taxes import tax_category

BATCH = 2000
KEY_LENGTH = 50  # with the account's number before it, it fits its column

BEGIN = """
INSERT INTO billing_recurringstate (account_id, partner_id, next_on, billing_day, parked_reason)
SELECT n.account_id, n.partner_id, n.next_on, n.billing_day, ''
FROM unnest(%(accounts)s::bigint[], %(partners)s::bigint[], %(days)s::date[], %(billing_days)s::int[])
    AS n (account_id, partner_id, next_on, billing_day)
ON CONFLICT (account_id) DO NOTHING
"""


class NewItem(TypedDict, total=False):
    """Something to be billed once: `amount` minor units, negative for a rebate; with its tax, unless `included` says
    no. `now`: on a document of its own at once, else on the next one. `key` makes it happen once only."""

    account_id: Required[int]
    text: Required[str]
    amount: Required[int]
    service_id: int | None
    included: bool
    tax_category: str
    due_from: date | None
    now: bool
    key: str


@transaction.atomic
def begin_recurring(service_ids: Sequence[int], *, by: Actor, at: datetime) -> list[Issued]:
    """Services of recurring accounts were activated: their accounts get a calendar, and where the rules say so, each
    account a document for the time until its next regular one. Never refused; prepaid accounts are left alone."""
    of_account = _recurring_services(service_ids)
    found = _locked(of_account, at)
    books = load_books(_partners(found), day=_day(found))
    _begin_calendars([payer for payer in found.values() if books.states[payer.account_id].next_on is None], books)
    newest = newest_documents(found)
    ready = [
        one
        for payer in found.values()
        if (one := _first_document(payer, books, of_account[payer.account_id], newest.get(payer.account_id, 0)))
    ]
    return issue(ready, by=by, at=at)


@transaction.atomic
def correct_services(service_ids: Sequence[int], *, by: Actor, at: datetime) -> list[Issued]:
    """Facts of services changed: what was billed ahead is put right, with one document for each account, and a service
    taken up again is billed until the next regular document. Repeating it changes nothing. Never refused."""
    of_account = _recurring_services(service_ids)
    found = _locked(of_account, at)
    books = load_books(_partners(found), day=_day(found), services=service_ids, correcting=True)
    ready = []
    for payer in found.values():
        book, state = books.books[payer.account_id], books.states[payer.account_id]
        if state.next_on is None or state.parked:
            continue
        since = _earliest(payer.today)
        draft = recurring.correction(book, covers_of(book.held, since=since), payer.today, since)
        if draft is not None:
            newest = max((cover.cover_id for cover in draft.replaced), default=0)
            facts = max(segment.service_fact_id for _, segment, _ in draft.kept) if draft.kept else 0
            key = f"change:{payer.account_id}:{newest}:{facts}"
            ready.append(Ready(payer, draft, DocumentSource.CHANGE, key))
    issued = issue(ready, by=by, at=at)
    taken_up = [
        service_id
        for account_id, some in of_account.items()
        for service_id in some
        if any(
            held.service_id == service_id and _unbilled(held, found[account_id].today, books.states[account_id].next_on)
            for held in books.books[account_id].held
        )
    ]
    return issued + (begin_recurring(taken_up, by=by, at=at) if taken_up else [])


@transaction.atomic
def bill_item(*, by: Actor, at: datetime, **given: Unpack[NewItem]) -> Item:
    """Bill something once; a key that the account used before gives the item it made, provided that the facts are the
    same. Refused: unknown account or service, no text, an amount of zero or out of range, a date out of range, key used
    for something else or for what was cancelled since (code conflict); prepaid accounts pay at once by a correction
    instead."""
    found = _locked([given["account_id"]], at)
    payer = found.get(given["account_id"])
    if payer is None:
        raise Refused("There is no such account.", field="account_id", code="unknown")
    limits.money(given["amount"], -limits.PRICE_MAX, limits.PRICE_MAX, payer.currency, field="amount")
    if not given["amount"]:
        raise Refused("Zero cannot be billed; give an amount.", field="amount", code="zero")
    item = _item(payer, given)
    earlier = Item.objects.filter(key=item.key).first() if item.key else None
    if earlier is not None:
        return _same(earlier, item)
    for name, value in recorded(by, at).items():
        setattr(item, name, value)
    item.save(force_insert=True)
    log.record(
        "item_added",
        by=by,
        at=at,
        subject=("customer", payer.customer_id),
        partner_id=payer.partner_id,
        item=item.pk,
        amount=item.amount,
    )
    if given.get("now") and item.due_from <= payer.today:
        bill_items(payer.account_id, by=by, at=at)
        item.refresh_from_db()
    return item


@transaction.atomic
def bill_items(account_id: int, *, by: Actor, at: datetime) -> list[Issued]:
    """Bill what is open of one-time items now, on a document of its own of the account that pays: with the items of all
    who pay through it. Never refused."""
    account_id = Account.objects.values_list(Coalesce("parent_id", "pk"), flat=True).get(pk=account_id)
    payer = _locked([account_id], at)[account_id]
    book = load_books({account_id: payer.partner_id}, day=payer.today).books[account_id]
    draft = recurring.draft_on(book, (), book.items, payer.today, payer.today)
    if draft is None:
        return []
    items = sorted(line.item_id for line in draft.lines if line.item_id is not None)
    return issue([Ready(payer, draft, DocumentSource.MANUAL, f"items:{account_id}:{items[0]}")], by=by, at=at)


@transaction.atomic
def cancel_item(item_id: int, *, by: Actor, at: datetime) -> Item:
    """Not to be billed after all. Refused: unknown item, billed or cancelled already."""
    item = Item.objects.select_for_update(no_key=True).select_related("account").filter(pk=item_id).first()
    if item is None:
        raise Refused("There is no such item.", field="item_id", code="unknown")
    if item.document_id is not None:
        raise Refused("It is billed already; credit the document instead.", code="billed")
    if item.cancelled_at is not None:
        raise Refused("It is cancelled already.", code="cancelled")
    item.cancelled_at = at
    item.save(update_fields=["cancelled_at"])
    subject = ("customer", item.account.customer_id)
    log.record("item_cancelled", by=by, at=at, subject=subject, partner_id=item.partner_id, item=item_id)
    return item


def _begin_calendars(some: Sequence[Payer], books: Books) -> None:
    """Give accounts their first regular billing day."""
    if not some:
        return
    for payer in some:
        state = books.states[payer.account_id]
        state.next_on = recurring.first_on(books.books[payer.account_id].rules, payer.today)
    sql.execute(
        BEGIN,
        accounts=sql.array(payer.account_id for payer in some),
        partners=sql.array(payer.partner_id for payer in some),
        days=sql.array(books.states[payer.account_id].next_on for payer in some),
        billing_days=sql.array(books.books[payer.account_id].rules.billing_day for payer in some),
    )


def _item(payer: Payer, given: NewItem) -> Item:
    """The item, not saved yet and without who recorded it. Refused as `bill_item` says."""
    service_id = given.get("service_id")
    if service_id is not None and not Service.objects.filter(pk=service_id, account_id=payer.account_id).exists():
        raise Refused("The account has no such service.", field="service_id", code="unknown")
    key = texts.one_line(given.get("key", ""), field="key", length_max=KEY_LENGTH)
    return Item(
        partner_id=payer.partner_id,
        account_id=payer.account_id,
        service_id=service_id,
        text=texts.name(given["text"], field="text", length_max=200),
        amount=given["amount"],
        included=given.get("included", True),
        tax_category=tax_category(payer.partner_id, given.get("tax_category", STANDARD)),
        due_from=limits.fact_day(given.get("due_from") or payer.today, field="due_from"),
        key=f"item:{payer.account_id}:{key}" if key else None,
    )


def _same(earlier: Item, item: Item) -> Item:
    """The item that its key made, which must be this one. Refused: it is another, or it was cancelled."""
    facts = ("account_id", "service_id", "text", "amount", "included", "tax_category", "due_from", "cancelled_at")
    if any(getattr(earlier, fact) != getattr(item, fact) for fact in facts):
        raise Refused("This key was used for something else; use a new one.", field="key", code="conflict")
    return earlier


def _first_document(payer: Payer, books: Books, service_ids: Sequence[int], newest: int) -> Ready | None:
    """What bills services from today until the account's next regular document, when the rules want it at once. What
    costs nothing waits for that one: a regular document is issued also when it sums to nothing (a free month, a full
    discount), for the customer sees on it what he had, and a month without one would look forgotten."""
    book, state = books.books[payer.account_id], books.states[payer.account_id]
    if book.rules.postpaid or not book.rules.own_first or state.next_on is None or state.parked:
        return None
    through = state.next_on - ONE_DAY
    fresh = [held for held in book.held if held.service_id in service_ids]
    draft = recurring.draft_on(book, fresh, book.items, payer.today, through)
    if draft is None or not draft.through or draft.free:
        return None
    begun = "-".join(str(service_id) for service_id in sorted(draft.through)[:5])
    return Ready(payer, draft, DocumentSource.FIRST, f"first:{payer.account_id}:{newest}:{begun}")


def _unbilled(held: recurring.Held, today: date, next_on: date | None) -> bool:
    """Whether the service is in use today and not billed until the next regular document. It may be settled through
    today and for no day after: by the day until its account became recurring, and without a document as it was free.
    """
    in_use = any(one.use is Use.BILLED and one.first <= today <= one.last for one in held.stretches)
    billed = held.charged_through is not None and held.charged_through >= max(today, (next_on or today) - ONE_DAY)
    return in_use and not billed


def _earliest(today: date) -> date:
    """The first day that a fact of now may still change what was billed for: the first of a month three years ago."""
    return today.replace(year=today.year - 3, day=1)


def _recurring_services(service_ids: Iterable[int]) -> dict[int, list[int]]:
    """The services by the account that pays for them, of recurring accounts only."""
    rows = Service.objects.filter(pk__in=list(service_ids)).values_list("id", "account_id", "account__parent_id")
    of_account: dict[int, list[int]] = defaultdict(list)
    for service_id, account_id, parent_id in rows.order_by("id"):
        of_account[parent_id or account_id].append(service_id)
    recurring_ones = Account.objects.filter(pk__in=list(of_account), billing_type=BillingType.RECURRING)
    wanted = set(recurring_ones.values_list("id", flat=True))
    return {account_id: some for account_id, some in sorted(of_account.items()) if account_id in wanted}


def _locked(account_ids: Iterable[int], at: datetime) -> dict[int, Payer]:
    accounts = sorted(account_ids)
    open_payers(accounts)
    return payers(accounts, at=at, lock=True)


def _partners(found: dict[int, Payer]) -> dict[int, int]:
    return {payer.account_id: payer.partner_id for payer in found.values()}


def _day(found: dict[int, Payer]) -> date:
    return max((payer.today for payer in found.values()), default=limits.FIRST_DAY)
