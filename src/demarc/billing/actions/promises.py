"""What people decide about debts: a promise, a dispute, the rules, a stop of all blocking, an outage."""

from datetime import date, datetime, timedelta
from typing import TypedDict, Unpack

from django.db import transaction
from django.db.models import Q

from demarc.base import limits, log, texts
from demarc.base.actors import Actor, recorded
from demarc.base.models import Partner
from demarc.billing.actions.reassess import reassess
from demarc.billing.debts import load_cases
from demarc.billing.dunning_rules import DunningFields, checked
from demarc.billing.models import BlockingStop, Document, DunningTerms, Outage, OutageKind, Promise
from demarc.core.errors import Refused
from demarc.customers.models import Account

PROMISE_DAYS_MAX = 90


@transaction.atomic
def set_dunning_terms(
    partner_id: int,
    *,
    valid_from: date,
    account_id: int | None = None,
    by: Actor,
    at: datetime,
    **fields: Unpack[DunningFields],
) -> DunningTerms:
    """Change how recurring accounts are reminded and blocked from `valid_from` on, those of a partner or one; what is
    not named stays as it is on that day. Refused: unknown partner, account or country, a number or date out of range,
    two reminders on one day, more than eight."""
    limits.fact_day(valid_from)
    given = checked(fields)
    if not Partner.objects.filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    if account_id is not None and not Account.objects.filter(pk=account_id, partner_id=partner_id).exists():
        raise Refused("There is no such account.", field="account_id", code="unknown")
    whose = Q(partner_id=partner_id, account=None) if account_id is None else Q(account_id=account_id)
    before = DunningTerms.objects.filter(whose, valid_from__lte=valid_from)
    old = before.order_by("valid_from", "id").last() or DunningTerms()
    terms = DunningTerms(partner_id=partner_id, account_id=account_id, valid_from=valid_from, **recorded(by, at))
    for rule in DunningFields.__annotations__:
        setattr(terms, rule, given.get(rule, getattr(old, rule)))
    terms.save(force_insert=True)
    subject = ("partner", partner_id) if account_id is None else ("account", account_id)
    changed = log.changes(log.snapshot(old), terms, names=DunningFields.__annotations__)
    told = {"changed": changed, "valid_from": valid_from}
    log.record("dunning_terms_set", by=by, at=at, subject=subject, partner_id=partner_id, **told)
    return terms


@transaction.atomic
def promise(account_id: int, *, until: date, comment: str = "", by: Actor, at: datetime) -> Promise:
    """He will pay until a day: he is online through it, at once if he was blocked, and is not reminded meanwhile. An
    earlier promise makes way. Refused: an account that is not recurring, a day that is over or more than 90
    days ahead, nothing to pay."""
    case = load_cases([account_id], at=at, lock=True).get(account_id)
    if case is None:
        raise Refused("This account gets no invoices, so there is nothing to promise.", code="not_recurring")
    today = case.payer.today
    if not today <= until <= today + timedelta(days=PROMISE_DAYS_MAX):
        last = today + timedelta(days=PROMISE_DAYS_MAX)
        raise Refused(f"Choose a day from {today} to {last}.", field="until", code="date_out_of_range")
    if not case.facts.debts:
        raise Refused("Nothing is open on this account.", code="nothing_open")
    comment = texts.one_line(comment, field="comment", length_max=200)
    _end_open(account_id, by, at)
    made = Promise.objects.create(account_id=account_id, until=until, comment=comment, **recorded(by, at))
    reassess([account_id], by=by, at=at)
    subject = ("customer", case.payer.customer_id)
    log.record("promised", by=by, at=at, subject=subject, partner_id=case.payer.partner_id, until=until)
    return made


@transaction.atomic
def end_promise(account_id: int, *, by: Actor, at: datetime) -> Promise:
    """A promise no longer counts; if he still owes, the next run blocks him. Refused: there is none."""
    account = Account.objects.filter(pk=account_id).first()
    if account is None or not _end_open(account_id, by, at):
        raise Refused("There is no promise on this account.", field="account_id", code="no_promise")
    subject = ("customer", account.customer_id)
    log.record("promise_ended", by=by, at=at, subject=subject, partner_id=account.partner_id)
    return Promise.objects.filter(account_id=account_id, ended_at=at).latest("id")


@transaction.atomic
def dispute(document_id: int, *, reason: str, by: Actor, at: datetime) -> Document:
    """The customer contests a document: until that is settled nobody is reminded of it or blocked for it, and money
    pays it last. Refused: unknown document, nothing open on it, disputed already, no reason."""
    reason = texts.name(reason, field="reason", length_max=300)
    document = _document(document_id, at)
    if not document.open_amount:
        raise Refused("Nothing is open on this document.", code="nothing_open")
    if document.disputed_at is not None:
        raise Refused("This document is disputed already.", code="already_disputed")
    return _set_disputed(document, at, "disputed", by, at, reason)


@transaction.atomic
def end_dispute(document_id: int, *, reason: str, by: Actor, at: datetime) -> Document:
    """The dispute is settled and the document is owed like any other. Refused: unknown document, not disputed, no
    reason."""
    reason = texts.name(reason, field="reason", length_max=300)
    document = _document(document_id, at)
    if document.disputed_at is None:
        raise Refused("This document is not disputed.", code="not_disputed")
    return _set_disputed(document, None, "dispute_ended", by, at, reason)


@transaction.atomic
def stop_blocking(partner_id: int, *, reason: str, by: Actor, at: datetime) -> BlockingStop:
    """From this moment nobody of the partner is blocked or deactivated for money, until somebody allows it again.
    Refused: unknown partner, stopped already, no reason."""
    reason = texts.name(reason, field="reason", length_max=200)
    if not Partner.objects.select_for_update(no_key=True).filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    if BlockingStop.objects.filter(partner_id=partner_id, lifted_at=None).exists():
        raise Refused("Blocking is stopped already.", code="already_stopped")
    stop = BlockingStop.objects.create(partner_id=partner_id, reason=reason, **recorded(by, at))
    told = {"reason": reason}
    log.record("stopped_blocking", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **told)
    return stop


@transaction.atomic
def allow_blocking(partner_id: int, *, by: Actor, at: datetime) -> None:
    """Blocking goes its way again, from the next run on. Refused: it is not stopped."""
    open_stops = BlockingStop.objects.filter(partner_id=partner_id, lifted_at=None)
    if not open_stops.update(lifted_at=at, lifted_by=by.label):
        raise Refused("Blocking is not stopped.", code="not_stopped")
    log.record("allowed_blocking", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id)


class OutageFields(TypedDict, total=False):
    """An outage of ours; without `ended_at` it lasts."""

    kind: str
    ended_at: datetime | None
    note: str


@transaction.atomic
def note_outage(
    partner_id: int, *, began_at: datetime, by: Actor, at: datetime, **given: Unpack[OutageFields]
) -> Outage:
    """Write down that our network, or an import of payments, failed: nobody is blocked while it lasts and for the hours
    after it that the rules say. Refused: unknown partner or kind, a time in the future, an end before the beginning."""
    if not Partner.objects.filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    kind = limits.word(given.get("kind", OutageKind.NETWORK), OutageKind.values, field="kind")
    note = texts.one_line(given.get("note", ""), field="note", length_max=200)
    ended_at = given.get("ended_at")
    _check_times(began_at, ended_at, at)
    outage = Outage.objects.create(
        partner_id=partner_id, kind=kind, began_at=began_at, ended_at=ended_at, note=note, **recorded(by, at)
    )
    told = {"outage": outage.pk, "kind": kind, "began_at": began_at, "ended_at": ended_at}
    log.record("outage_noted", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **told)
    return outage


@transaction.atomic
def end_outage(outage_id: int, *, ended_at: datetime | None = None, by: Actor, at: datetime) -> Outage:
    """An outage is over (None: now). Refused: unknown outage, over already, a time in the future or before it began."""
    outage = Outage.objects.select_for_update(no_key=True).filter(pk=outage_id).first()
    if outage is None:
        raise Refused("There is no such outage.", field="outage_id", code="unknown")
    if outage.ended_at is not None:
        raise Refused("This outage is over already.", code="over")
    outage.ended_at = ended_at or at
    _check_times(outage.began_at, outage.ended_at, at)
    outage.save(update_fields=["ended_at"])
    subject = ("partner", outage.partner_id)
    log.record("outage_ended", by=by, at=at, subject=subject, partner_id=outage.partner_id, outage=outage_id)
    return outage


def _end_open(account_id: int, by: Actor, at: datetime) -> bool:
    open_ones = Promise.objects.filter(account_id=account_id, ended_at=None)
    return bool(open_ones.update(ended_at=at, ended_by=by.label))


def _document(document_id: int, at: datetime) -> Document:
    """The document, with its payer held: whoever pays it waits."""
    document = Document.objects.select_related("account").filter(pk=document_id).first()
    if document is None:
        raise Refused("There is no such document.", field="document_id", code="unknown")
    load_cases([document.account_id], at=at, lock=True)
    document.refresh_from_db(fields=["open_amount", "disputed_at"])
    return document


def _set_disputed(
    document: Document, since: datetime | None, verb: str, by: Actor, at: datetime, reason: str
) -> Document:
    document.disputed_at = since
    document.save(update_fields=["disputed_at"])
    reassess([document.account_id], by=by, at=at)
    subject = ("customer", document.account.customer_id)
    told = {"document": document.pk, "number": document.number, "reason": reason}
    log.record(verb, by=by, at=at, subject=subject, partner_id=document.partner_id, **told)
    return document


def _check_times(began_at: datetime, ended_at: datetime | None, at: datetime) -> None:
    if began_at > at:
        raise Refused("It cannot begin later than now.", field="began_at", code="future")
    if ended_at is not None and not began_at <= ended_at <= at:
        raise Refused("It ends after it began, and not later than now.", field="ended_at", code="date_out_of_range")
