"""Documents, one-time items and runs as readers look for them; where a document stands, by what is open of it."""

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import Count, F, IntegerField, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from demarc.base import words
from demarc.base.models import Partner, Setting
from demarc.billing.models import (
    Allocation,
    Document,
    DocumentKind,
    DocumentSource,
    InvoiceRun,
    Item,
    PreviewRow,
    RecurringState,
    RunState,
)
from demarc.core.period import billing_day
from demarc.customers.queries import named

STATES = {
    "open": "Open",
    "partly": "Partly paid",
    "overdue": "Overdue",
    "paid": "Paid",
    "credited": "Credited",
}
CREDITED_WHOLE = (DocumentSource.RUN, DocumentSource.FIRST, DocumentSource.MANUAL)
"""How an invoice came to be that can be credited as a whole."""
LETTERS = ("", "C")
"""What a number begins with, before its year: an invoice's, a credit note's."""
NUMBER = re.compile("(C?)([0-9]{1,20})")
YEAR_DIGITS = 4
COUNT_DIGITS = 6
YEARS_BACK = 11
AUTO_ISSUE = "billing.auto_issue"
LONGEST_AHEAD = timedelta(hours=14)
"""No zone is further ahead of UTC."""
AT_WORK = (RunState.RUNNING, RunState.PAUSED)
WAITING = (RunState.PREVIEW, RunState.HELD)


class Totals(NamedTuple):
    """What some documents of one currency sum to, minor units."""

    currency: str
    documents: int
    gross: int
    open_amount: int


class DueRun(NamedTuple):
    """A partner with accounts whose billing day has come: the first such day, and the run that waits or works."""

    partner: Partner
    day: date
    first: date
    accounts: int
    run: InvoiceRun | None


def document_list(partner_ids: Sequence[int] | None) -> QuerySet[Document]:
    """Documents that the reader may see (None: all), newest first, each with `credited`: what credit notes paid."""
    paid = Allocation.objects.filter(document=OuterRef("pk"), credit_note__isnull=False).order_by()
    credited = Subquery(paid.values("document").annotate(sum=Sum("amount")).values("sum"), output_field=IntegerField())
    found = Document.objects.select_related("account", "account__customer", "partner").order_by("-id")
    found = found.annotate(credited=Coalesce(credited, 0))
    return found if partner_ids is None else found.filter(partner_id__in=partner_ids)


def documents_named(text: str, partner_ids: Sequence[int] | None, year: int) -> Q:
    """Documents found by their customer, the beginning of their number, or its last digits in one of the YEARS_BACK
    years up to `year`. A union, so that each half has its index."""
    people = Document.objects.filter(named(text, partner_ids))
    return Q(pk__in=people.values("pk").union(Document.objects.filter(_numbered(text, year)).values("pk")))


def _numbered(text: str, year: int) -> Q:
    """What looks like no number finds none, and as a beginning it needs the whole year: less begins them all."""
    asked = NUMBER.fullmatch(text.strip().upper())
    if asked is None:
        return Q(pk__in=())
    letter, digits = asked.groups()
    found = Q(pk__in=())
    if len(digits) >= YEAR_DIGITS:
        found |= words.beginning("number", letter + digits)
    if len(digits) <= COUNT_DIGITS:
        years = range(year - YEARS_BACK + 1, year + 1)
        letters = [letter] if letter else LETTERS
        found |= Q(number__in=[f"{one}{of}{digits.zfill(COUNT_DIGITS)}" for one in letters for of in years])
    return found


def documents_like(text: str, partner_ids: Sequence[int] | None, year: int, limit: int) -> list[Document]:
    """At most `limit` documents of these partners (None: all) by their numbers, the newest first."""
    return list(document_list(partner_ids).filter(_numbered(text, year))[:limit])


def in_state(rows: QuerySet[Document], state: str, today: date) -> QuerySet[Document]:
    """Those of `document_list` that stand so, a word of STATES."""
    invoices = rows.filter(kind=DocumentKind.INVOICE)
    settled = Q(open_amount=0)
    by_credit: dict[str, Any] = {"gross__gt": 0, "credited": F("gross")}
    return {
        "open": invoices.filter(open_amount__gt=0, due_on__gte=today, open_amount=F("gross")),
        "partly": invoices.filter(open_amount__gt=0, due_on__gte=today, open_amount__lt=F("gross")),
        "overdue": invoices.filter(open_amount__gt=0, due_on__lt=today),
        "credited": invoices.filter(settled, **by_credit),
        "paid": invoices.filter(settled).exclude(**by_credit),
    }[state]


def state_of(document: Document, today: date) -> str:
    """Where an invoice of `document_list` stands, a word of STATES; "" for what nobody pays."""
    if document.kind != DocumentKind.INVOICE:
        return ""
    if document.open_amount == 0:
        return "credited" if document.gross > 0 and getattr(document, "credited", 0) == document.gross else "paid"
    if document.due_on < today:
        return "overdue"
    return "partly" if document.open_amount < document.gross else "open"


def may_be_credited(document: Document) -> bool:
    """Whether crediting the whole document is worth offering; the action decides."""
    invoice = document.kind == DocumentKind.INVOICE and document.source in CREDITED_WHOLE and document.gross > 0
    return invoice and not document.corrected_by.filter(source=DocumentSource.MANUAL).exists()


def totals_by_currency(rows: QuerySet[Document]) -> list[Totals]:
    """What these documents sum to; proformas do not count."""
    counted = rows.exclude(kind=DocumentKind.PROFORMA).order_by()
    sums = counted.values_list("currency").annotate(Count("id"), Sum("gross"), Sum("open_amount"))
    return [Totals(*row) for row in sums.order_by("currency")]


def open_items(account_ids: Iterable[int]) -> QuerySet[Item]:
    """What is still to be billed once, oldest first."""
    waiting = Item.objects.filter(account_id__in=list(account_ids), document=None, cancelled_at=None)
    return waiting.order_by("due_from", "id")


def parked_calendars(partner_ids: Sequence[int] | None) -> QuerySet[RecurringState]:
    """Recurring accounts left out of the runs until someone looks, the longest parked first."""
    found = RecurringState.objects.filter(parked_at__isnull=False).select_related("account", "account__customer")
    if partner_ids is not None:
        found = found.filter(partner_id__in=partner_ids)
    return found.order_by("parked_at", "account_id")


def run_list(partner_ids: Sequence[int] | None) -> QuerySet[InvoiceRun]:
    """Runs that the reader may see (None: all), newest first."""
    found = InvoiceRun.objects.select_related("partner").order_by("-id")
    return found if partner_ids is None else found.filter(partner_id__in=partner_ids)


def last_run(run: InvoiceRun) -> InvoiceRun | None:
    """The run before it that was done and issued something on the same day of a month; else any that did."""
    done = InvoiceRun.objects.filter(
        partner_id=run.partner_id, state=RunState.DONE, documents__gt=0, day__lt=run.day
    ).order_by("-day", "-id")
    return done.filter(day__day=run.day.day).first() or done.first()


def run_instead(run: InvoiceRun) -> InvoiceRun | None:
    """Where to look now for what a preview showed that was never confirmed: the next run that has its days, too."""
    if run.state != RunState.CANCELLED or run.confirmed_at is not None:
        return None
    later = InvoiceRun.objects.filter(partner_id=run.partner_id, pk__gt=run.pk, day__gte=run.day)
    return later.exclude(state=RunState.CANCELLED).order_by("id").first()


def preview_rows(run_id: int, *, flagged: bool = False) -> QuerySet[PreviewRow]:
    """The documents of a preview in its order; only those with a flag, if asked."""
    found = PreviewRow.objects.filter(run_id=run_id).select_related("account", "account__customer").order_by("id")
    return found.exclude(flag="") if flagged else found


def due_runs(partner_ids: Sequence[int] | None, *, at: datetime) -> list[DueRun]:
    """The partners of the reader whose documents are due today, by name; parked accounts do not count."""
    latest = (at + LONGEST_AHEAD).date()
    waiting = RecurringState.objects.filter(next_on__lte=latest, parked_at=None).order_by().values_list("partner_id")
    at_work = InvoiceRun.objects.filter(state__in=AT_WORK).order_by().values_list("partner_id")
    partners = Partner.objects.filter(pk__in=[key for (key,) in waiting.union(at_work)]).order_by("name")
    if partner_ids is not None:
        partners = partners.filter(pk__in=partner_ids)
    found = []
    for partner in partners:
        today = billing_day(at, ZoneInfo(partner.zone))
        due = RecurringState.objects.filter(partner=partner, next_on__lte=today, parked_at=None)
        told = due.aggregate(first=Min("next_on"), accounts=Count("account_id"))
        runs = InvoiceRun.objects.filter(partner=partner, state__in=[*AT_WORK, *WAITING], day__lte=today)
        run = runs.order_by("-id").first()
        if told["accounts"] or (run is not None and run.state in AT_WORK):
            found.append(DueRun(partner, today, told["first"] or today, told["accounts"], run))
    return found


def auto_issue(partner_id: int) -> bool:
    """Whether a preview in which nothing is odd is confirmed without a person; so it is unless someone said no."""
    kept = Setting.objects.filter(partner_id=partner_id, key=AUTO_ISSUE).first()
    return kept is None or kept.value is True
