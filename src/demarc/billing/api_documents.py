"""Documents, one-time items and runs over the API. Parses, calls one action or query, answers. Amounts are strings."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema

from demarc.base import clock
from demarc.base.models import Partner
from demarc.billing import actions, pdf, queries
from demarc.billing.models import Document, DocumentKind, DocumentLine, DocumentSource, InvoiceRun, Item, PreviewRow
from demarc.billing.models import RunState as State
from demarc.billing.wording import Month
from demarc.core.money import parse
from demarc.customers.models import Account
from demarc.staff.apidoor import Token, actor_of, one, partner_for, scope, seen
from demarc.staff.apiforms import (
    Amount,
    Day,
    Filter,
    Flag,
    Id,
    Input,
    Key,
    Listing,
    Page,
    answered_once,
    listing,
    private_listing,
    shown,
)

Standing = Literal["open", "partly", "overdue", "paid", "credited"]

router = Router(tags=["documents"])


class DocumentSearch(Page):
    """Whose documents, of which kind, issued when, standing how."""

    account_id: Filter | None = None
    kind: DocumentKind | None = None
    state: Standing | None = None
    issued_from: date | None = None
    issued_to: date | None = None


class DocumentOut(Schema):
    """An invoice, a credit note (sums negative) or a proforma. `state` null: nobody has to pay it. `open`: what is
    still to be paid. `corrects`: the document whose billed days it puts right."""

    id: int
    account_id: int
    customer_id: int
    kind: DocumentKind
    source: DocumentSource
    number: str
    issued_on: date
    due_on: date
    first_day: date
    last_day: date
    currency: str
    net: str
    tax: str
    gross: str
    open: str
    state: Standing | None
    corrects: int | None
    run_id: int | None

    @staticmethod
    def resolve_customer_id(document: Document) -> int:
        return document.account.customer_id

    @staticmethod
    def resolve_net(document: Document) -> str:
        return shown(document.net, document.currency)

    @staticmethod
    def resolve_tax(document: Document) -> str:
        return shown(document.tax, document.currency)

    @staticmethod
    def resolve_gross(document: Document) -> str:
        return shown(document.gross, document.currency)

    @staticmethod
    def resolve_open(document: Document) -> str:
        return shown(document.open_amount, document.currency)

    @staticmethod
    def resolve_state(document: Document) -> str | None:
        return queries.state_of(document, clock.today(document.account.zone)) or None

    @staticmethod
    def resolve_corrects(document: Document) -> int | None:
        return document.corrects_id


class DerivationOut(Schema):
    """A billed month of a line: `days` of the `of_days` days of the month, from `first` on, at `price` a month for each
    of `quantity`, less `percent` (a fraction) and `off` a month, come to `amount`."""

    first: date
    days: int
    of_days: int
    price: str
    quantity: int
    percent: Decimal
    off: str
    amount: str


class LineOut(Schema):
    """A line. `included`: its amount includes the tax. `derivation`: how the amount came to be; empty for a credit and
    for what is billed once."""

    id: int
    text: str
    service_id: int | None
    first_day: date
    last_day: date
    amount: str
    included: bool
    tax_category: str
    rate: Decimal
    derivation: list[DerivationOut]

    @staticmethod
    def resolve_amount(line: DocumentLine) -> str:
        return shown(line.amount, line.document.currency)

    @staticmethod
    def resolve_derivation(line: DocumentLine) -> list[dict[str, Any]]:
        return [_derived(Month.read(row), line.document.currency) for row in line.derivation]


class ItemIn(Input):
    """Something to be billed once; a negative amount is a rebate. It comes with the next document after `due_from`
    (default: today), or at once on one of its own (`now`)."""

    text: str
    amount: Amount
    service_id: Id | None = None
    included: Flag = True
    tax_category: str = "standard"
    due_from: Day | None = None
    now: Flag = False


class ItemOut(Schema):
    """Something to be billed once; `document_id` null: not yet."""

    id: int
    account_id: int
    service_id: int | None
    text: str
    amount: str
    included: bool
    tax_category: str
    due_from: date
    document_id: int | None
    cancelled_at: datetime | None

    @staticmethod
    def resolve_amount(item: Item) -> str:
        return shown(item.amount, item.account.currency)


class BilledOut(Schema):
    """The document that open items went on; null: there were none."""

    document_id: int | None


class RunSearch(Page):
    """Runs in which state."""

    state: State | None = None


class RunIn(Input):
    """Whose documents to preview, of all billing days through `day` (default: today)."""

    partner_id: Id
    day: Day | None = None


class AnomalyOut(Schema):
    """What is odd about a run: a stable word, in words, how often (of "total": the sum, in minor units); some of the
    accounts."""

    code: str
    words: str
    count: int
    accounts: list[int]


class RunOut(Schema):
    """A run: sums of the preview until it is confirmed, then of what is issued so far. The hashes are equal when what
    was shown is what was issued."""

    id: int
    partner_id: int
    day: date
    state: State
    accounts: int
    done: int
    documents: int
    net: str
    tax: str
    gross: str
    anomalies: list[AnomalyOut]
    preview_hash: str
    posted_hash: str
    confirmed_at: datetime | None
    confirmed_by: str
    finished_at: datetime | None

    @staticmethod
    def resolve_net(run: InvoiceRun) -> str:
        return shown(run.net, run.partner.currency)

    @staticmethod
    def resolve_tax(run: InvoiceRun) -> str:
        return shown(run.tax, run.partner.currency)

    @staticmethod
    def resolve_gross(run: InvoiceRun) -> str:
        return shown(run.gross, run.partner.currency)


class RowSearch(Page):
    """Rows of a preview; only those with something odd, if asked."""

    odd: bool = False


class RowOut(Schema):
    """A document that a run will issue, and what the account's last regular one came to. `flag`: what is odd."""

    id: int
    account_id: int
    day: date
    gross: str
    previous: str | None
    flag: str
    note: str

    @staticmethod
    def resolve_gross(row: PreviewRow) -> str:
        return shown(row.gross, row.account.currency)

    @staticmethod
    def resolve_previous(row: PreviewRow) -> str | None:
        return None if row.previous is None else shown(row.previous, row.account.currency)


@router.get("/documents", auth=Token("documents.see"), response=Listing[DocumentOut], summary="Documents, newest first")
def documents(request: HttpRequest, search: Query[DocumentSearch]) -> dict[str, Any]:
    rows = queries.document_list(scope(request))
    exact: dict[str, Any] = {"account_id": search.account_id, "kind": search.kind}
    exact |= {"issued_on__gte": search.issued_from, "issued_on__lte": search.issued_to}
    rows = rows.filter(**{name: value for name, value in exact.items() if value is not None})
    if search.state:
        rows = queries.in_state(rows, search.state, clock.now().date())
    return private_listing(request, "documents", rows, search)


@router.get("/documents/{document_id}", auth=Token("documents.see"), response=DocumentOut, summary="A document")
def document(request: HttpRequest, document_id: int) -> Document:
    return _document(request, document_id)


@router.get(
    "/documents/{document_id}/lines",
    auth=Token("documents.see"),
    response=Listing[LineOut],
    summary="A document's lines, the last first, each with how its amount came to be",
)
def document_lines(request: HttpRequest, document_id: int, page: Query[Page]) -> dict[str, Any]:
    _document(request, document_id)
    return listing(DocumentLine.objects.filter(document_id=document_id).select_related("document"), page)


@router.get(
    "/documents/{document_id}/pdf",
    auth=Token("documents.see"),
    summary="A document as its customer gets it, A4",
    openapi_extra={"responses": {200: {"description": "The PDF", "content": {"application/pdf": {}}}}},
)
def document_pdf(request: HttpRequest, document_id: int) -> HttpResponse:
    found = _document(request, document_id)
    answer = HttpResponse(pdf.render(found.pk), content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{pdf.file_name(found)}"'
    return answer


@router.get(
    "/accounts/{account_id}/items",
    auth=Token("documents.see"),
    response=Listing[ItemOut],
    summary="What was and is to be billed once, newest first",
)
def items(request: HttpRequest, account_id: int, page: Query[Page]) -> dict[str, Any]:
    account = _account(request, account_id, "items")
    return listing(Item.objects.filter(account=account).select_related("account"), page)


@router.post(
    "/accounts/{account_id}/items", auth=Token("documents.edit"), response={201: ItemOut}, summary="Bill something once"
)
def bill_item(request: HttpRequest, account_id: int, payload: ItemIn, idempotency_key: Key) -> HttpResponse:
    account = one(request, Account.objects.all(), account_id, "account")

    def make(key: str) -> ItemOut:
        fields = payload.model_dump()
        fields["amount"] = parse(payload.amount, account.currency).amount
        return ItemOut.from_orm(
            actions.bill_item(account_id=account_id, by=actor_of(request), at=clock.now(), **fields)
        )

    return answered_once(request, idempotency_key, payload, make)


@router.post(
    "/accounts/{account_id}/items/bill",
    auth=Token("documents.edit"),
    response={201: BilledOut},
    summary="Bill the open items now, on a document of their own",
)
def bill_items(request: HttpRequest, account_id: int, idempotency_key: Key) -> HttpResponse:
    one(request, Account.objects.all(), account_id, "account")

    def make(key: str) -> BilledOut:
        issued = actions.bill_items(account_id, by=actor_of(request), at=clock.now())
        return BilledOut(document_id=issued[0].document_id if issued else None)

    return answered_once(request, idempotency_key, Input(), make)


@router.post(
    "/items/{item_id}/cancel",
    auth=Token("documents.edit"),
    response=ItemOut,
    summary="Do not bill an item; it can be done once, so it needs no Idempotency-Key",
)
def cancel_item(request: HttpRequest, item_id: int) -> Item:
    one(request, Item.objects.all(), item_id, "item")
    return actions.cancel_item(item_id, by=actor_of(request), at=clock.now())


@router.get("/runs", auth=Token("runs.see"), response=Listing[RunOut], summary="Runs of documents, newest first")
def runs(request: HttpRequest, search: Query[RunSearch]) -> dict[str, Any]:
    rows = queries.run_list(scope(request))
    return listing(rows.filter(state=search.state) if search.state else rows, search)


@router.post(
    "/runs",
    auth=Token("runs.edit"),
    response={201: RunOut},
    summary="Preview the documents that are due; an earlier preview of that day makes way",
)
def preview_run(request: HttpRequest, payload: RunIn, idempotency_key: Key) -> HttpResponse:
    partner: Partner = partner_for(request, payload.partner_id)

    def make(key: str) -> RunOut:
        return RunOut.from_orm(actions.preview_run(partner.pk, day=payload.day, by=actor_of(request), at=clock.now()))

    return answered_once(request, idempotency_key, payload, make)


@router.get("/runs/{run_id}", auth=Token("runs.see"), response=RunOut, summary="A run, and how far it is")
def run(request: HttpRequest, run_id: int) -> InvoiceRun:
    return _run(request, run_id)


@router.get(
    "/runs/{run_id}/rows",
    auth=Token("runs.see"),
    response=Listing[RowOut],
    summary="The documents of a preview, the last first; they are kept until the next run is done",
)
def run_rows(request: HttpRequest, run_id: int, search: Query[RowSearch]) -> dict[str, Any]:
    _run(request, run_id)
    return private_listing(request, "run_rows", queries.preview_rows(run_id, flagged=search.odd), search)


@router.post(
    "/runs/{run_id}/confirm",
    auth=Token("runs.edit"),
    response=RunOut,
    summary="Issue what was previewed; it can be done once, so it needs no Idempotency-Key",
)
def confirm_run(request: HttpRequest, run_id: int) -> InvoiceRun:
    return _done(request, run_id, actions.confirm_run)


@router.post("/runs/{run_id}/pause", auth=Token("runs.edit"), response=RunOut, summary="Pause a run at work")
def pause_run(request: HttpRequest, run_id: int) -> InvoiceRun:
    return _done(request, run_id, actions.pause_run)


@router.post("/runs/{run_id}/resume", auth=Token("runs.edit"), response=RunOut, summary="Go on with a paused run")
def resume_run(request: HttpRequest, run_id: int) -> InvoiceRun:
    return _done(request, run_id, actions.resume_run)


@router.post(
    "/runs/{run_id}/cancel",
    auth=Token("runs.edit"),
    response=RunOut,
    summary="End a run for good; what is issued stays",
)
def cancel_run(request: HttpRequest, run_id: int) -> InvoiceRun:
    return _done(request, run_id, actions.cancel_run)


def _document(request: HttpRequest, document_id: int) -> Document:
    found = one(request, queries.document_list(None), document_id, "document")
    seen(request, found.account.customer_id, found.partner_id, "document")
    return found


def _account(request: HttpRequest, account_id: int, what: str) -> Account:
    found = one(request, Account.objects.all(), account_id, "account")
    seen(request, found.customer_id, found.partner_id, what)
    return found


def _run(request: HttpRequest, run_id: int) -> InvoiceRun:
    return one(request, queries.run_list(None), run_id, "run")


def _done(request: HttpRequest, run_id: int, act: Callable[..., InvoiceRun]) -> InvoiceRun:
    _run(request, run_id)
    return act(run_id, by=actor_of(request), at=clock.now())


def _derived(month: Month, currency: str) -> dict[str, Any]:
    amounts = {"price": month.price, "off": month.fixed, "amount": month.amount}
    exact = {"first": month.first, "days": month.days, "of_days": month.of_days, "quantity": month.quantity}
    percent = Decimal(month.percent) / 10_000
    return exact | {"percent": percent} | {name: shown(value, currency) for name, value in amounts.items()}
