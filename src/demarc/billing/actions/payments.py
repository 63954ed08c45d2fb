"""Money that comes in, goes back or is put right. The single verb is the bulk verb with one element."""

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Required, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.db.models import Sum

from demarc.base import limits, log, texts
from demarc.base.actors import Actor, recorded
from demarc.base.events import emit_ids
from demarc.base.numbering import take, take_ids
from demarc.base.rows import insert
from demarc.billing import bulk
from demarc.billing.accounts import CORRECTIONS, TILLS, house_account, open_payers
from demarc.billing.actions.conversion import bring_back, move_to_parents
from demarc.billing.actions.documents import pay_documents
from demarc.billing.actions.reassess import reassess
from demarc.billing.actions.reopening import reopen
from demarc.billing.facts import Payer, payers
from demarc.billing.models import Payment, PaymentMethod, Transfer, TransferKind
from demarc.core import ledger
from demarc.core.errors import Refused
from demarc.core.money import Money, format_plain
from demarc.core.period import ONE_DAY, billing_day
from demarc.customers.models import Account
from demarc.customers.queries import accounts_blocked_for_money

KEY_LENGTH = 80
SERIES = "payment"

Payers = Mapping[int, Payer]
Name = tuple[int, str]
"""A payment's name: its partner and its key."""


class PaymentFacts(NamedTuple):
    """What must be the same when a key is used again."""

    account_id: int
    amount: int
    method: str
    received_on: date
    comment: str


class NewPayment(TypedDict, total=False):
    """Money to be received: `amount` minor units of the account's currency; `key` makes it happen once only."""

    account_id: Required[int]
    amount: Required[int]
    method: Required[str]
    received_on: Required[date]
    key: Required[str]
    comment: str
    currency: str | None


def receive(*, by: Actor, at: datetime, **payment: Unpack[NewPayment]) -> Payment:
    """Receive one payment, see below."""
    return receive_many([payment], by=by, at=at)[0]


@transaction.atomic
def receive_many(payments: Sequence[NewPayment], *, by: Actor, at: datetime) -> list[Payment]:
    """Credit payments to their accounts; who is blocked for money and can pay today by now, or owes nothing overdue any
    more, is online again.

    A key that was used before gives the payment it made, provided that the facts are the same. New ones are told of
    (event PaymentsReceived).

    Refused (the first fault found, and then nothing is received): unknown account, amount not from 1 to 10**12, another
    currency than the account's, a date before 2000, before the day on which the customer was added, or more than a day
    ahead, unknown method, key used for something else (code conflict), balance beyond the limit.
    """
    accounts = sorted({payment["account_id"] for payment in payments})
    open_payers(accounts)
    found = payers(accounts, at=at, lock=True)
    known_from = _known_from(found)
    names = [_check(payment, found, known_from) for payment in payments]
    known = _used_keys(names)
    for name, payment in zip(names, payments, strict=True):
        if name in known and _facts(known[name]) != _facts_of(payment):
            raise _conflict()
    fresh = {name: payment for name, payment in zip(names, payments, strict=True) if name not in known}
    if fresh:
        bulk.settle(_behind(found), until=None, by=by, at=at)
        entries = _credit(fresh, found, at)
        bulk.retry(accounts_blocked_for_money(account_ids=accounts), by=by, at=at)
        ids = dict(zip(fresh, take_ids("billing_payment_id_seq", len(fresh)), strict=True))
        pay_documents([(one["account_id"], ids[name], one["amount"]) for name, one in fresh.items()], at=at)
        reassess(accounts, by=by, at=at)
        move_to_parents(accounts, at=at)
        made = _write_payments(fresh, ids, entries, found, recorded(by, at))
        known |= made
        emit_ids("PaymentsReceived", "payments", [payment.pk for payment in made.values()], queue="run")
        _log_received(list(fresh.values()), found, by=by, at=at)
    return [known[name] for name in names]


@transaction.atomic
def refund(payment_id: int, *, amount: int, key: str, by: Actor, at: datetime) -> Payment:
    """Give back all or part of a payment, by the way it came; the answer is a payment of a negative amount.

    What it had paid is open again, as far as there is no other money for it; what of it had gone over to the account
    that pays comes back from there. Nobody is blocked for it at once. Refused: unknown payment, a refund itself, more
    than is left of it, key used for something else (code conflict).
    """
    payment = Payment.objects.filter(pk=payment_id, amount__gt=0).first()
    if payment is None:
        raise Refused("There is no such payment.", field="payment_id", code="unknown")
    parent_id = Account.objects.values_list("parent_id", flat=True).get(pk=payment.account_id)
    locked = payers([payment.account_id, *([parent_id] if parent_id else [])], at=at, lock=True)
    payer = locked[payment.account_id]
    limits.money(amount, 1, limits.PRICE_MAX, payer.currency, field="amount")
    earlier = _used_keys([(payer.partner_id, _key(key))])
    for refunded in earlier.values():
        if (refunded.refunds_id, refunded.amount) != (payment_id, -amount):
            raise _conflict()
        return refunded
    _check_left(payment, amount)
    bulk.settle(_behind({payer.account_id: payer}), until=None, by=by, at=at)
    till = house_account(payer.partner_id, payer.currency, *TILLS[PaymentMethod(payment.method)])
    transfer = ledger.refund(_side(payer), till, amount, payer.today)
    name = f"refund:{payer.partner_id}:{key}"
    entry = bulk.post([bulk.Posting(payer, ledger.entry([transfer]), name)], at)[0]
    back = _payment(payer, take(payer.partner_id, SERIES), entry, recorded(by, at))
    back.amount, back.method, back.received_on, back.key = -amount, payment.method, transfer.day, key
    back.refunds = payment
    gone_over = _gone_over(payment)
    back.save(force_insert=True)
    if parent_id and min(gone_over, amount) > 0:
        bring_back(payer.account_id, parent_id, min(gone_over, amount), at=at)
    reopen(payer.account_id, amount, payment=payment.pk, at=at)
    told = {"amount": amount, "currency": payer.currency, "payment": payment.number}
    log.record("refunded", by=by, at=at, subject=_subject(payer), partner_id=payer.partner_id, **told)
    return back


@transaction.atomic
def correct(account_id: int, *, amount: int, reason: str, key: str, by: Actor, at: datetime) -> Transfer:
    """Put a balance right: raise (> 0) or lower it (< 0). The reason is kept in the operation log.

    Who is blocked for money and can pay today by now is online again. Refused: unknown account, amount 0 or beyond
    10**12, no reason, key used for something else (code conflict), balance beyond the limit.
    """
    reason = texts.name(reason, field="reason", length_max=300)
    open_payers([account_id])
    payer = _payer(payers([account_id], at=at, lock=True), account_id)
    limits.money(amount, -limits.PRICE_MAX, limits.PRICE_MAX, payer.currency, field="amount")
    name = f"correction:{payer.partner_id}:{_key(key)}"
    writeoff = house_account(payer.partner_id, payer.currency, *CORRECTIONS)
    transfer = ledger.correction(_side(payer), writeoff, amount, payer.today)
    earlier = Transfer.objects.filter(key=name, kind=TransferKind.CORRECTION).first()
    if earlier is not None:
        sides = (earlier.debit_account_id, earlier.credit_account_id, earlier.amount)
        if sides != (transfer.debit, transfer.credit, transfer.amount):
            raise _conflict()
        return earlier
    bulk.check_balance(payer.balance + amount)
    bulk.settle(_behind({account_id: payer}), until=None, by=by, at=at)
    entry = bulk.post([bulk.Posting(payer, ledger.entry([transfer]), name)], at)[0]
    if amount > 0:
        pay_documents([(account_id, None, amount)], at=at)
    bulk.retry(accounts_blocked_for_money(account_ids=[account_id]), by=by, at=at)
    reassess([account_id], by=by, at=at)
    told = {"amount": amount, "currency": payer.currency, "reason": reason}
    log.record("corrected", by=by, at=at, subject=_subject(payer), partner_id=payer.partner_id, **told)
    return Transfer.objects.get(entry_id=entry)


def _known_from(found: Payers) -> dict[int, date]:
    """By account, the day on which its customer was added, in his provider's zone."""
    added = dict(Account.objects.filter(pk__in=list(found)).values_list("id", "customer__created_at"))
    return {payer.account_id: billing_day(added[payer.account_id], payer.zone) for payer in found.values()}


def _check(payment: NewPayment, found: Payers, known_from: Mapping[int, date]) -> Name:
    """The payment's name, when it can be received."""
    payer = _payer(found, payment["account_id"])
    limits.money(payment["amount"], 1, limits.PRICE_MAX, payer.currency, field="amount")
    limits.word(payment["method"], PaymentMethod.values, field="method")
    if (payment.get("currency") or payer.currency) != payer.currency:
        raise Refused(f"This account holds {payer.currency}; pay in that.", field="currency", code="currency")
    limits.fact_day(payment["received_on"], field="received_on")
    if payment["received_on"] > payer.today + ONE_DAY:
        raise Refused("Money cannot be received later than tomorrow.", field="received_on", code="date_out_of_range")
    if payment["received_on"] < known_from[payer.account_id]:
        raise Refused(
            f"The customer was added on {known_from[payer.account_id]}; choose that day or a later one.",
            field="received_on",
            code="date_out_of_range",
        )
    texts.one_line(payment.get("comment", ""), field="comment", length_max=300)
    bulk.check_balance(payer.balance + payment["amount"])
    return payer.partner_id, _key(payment["key"])


def _credit(fresh: Mapping[Name, NewPayment], found: Payers, at: datetime) -> dict[Name, int]:
    """Post the payments: entries by name."""
    tills: dict[tuple[int, str, str], ledger.Account] = {}
    postings = []
    for (partner_id, key), payment in fresh.items():
        payer = found[payment["account_id"]]
        name = (partner_id, payer.currency, payment["method"])
        if name not in tills:
            tills[name] = house_account(partner_id, payer.currency, *TILLS[PaymentMethod(payment["method"])])
        transfer = ledger.payment(_side(payer), tills[name], payment["amount"], payment["received_on"])
        postings.append(bulk.Posting(payer, ledger.entry([transfer]), f"payment:{partner_id}:{key}"))
    return dict(zip(fresh, bulk.post(postings, at), strict=True))


def _write_payments(
    fresh: Mapping[Name, NewPayment],
    ids: Mapping[Name, int],
    entries: Mapping[Name, int],
    found: Payers,
    record: dict[str, Any],
) -> dict[Name, Payment]:
    """The payments' rows. Last, because a partner's next number is waited for by all who receive money for him."""
    counts = Counter(partner_id for partner_id, _ in fresh)
    numbers = {partner_id: itertools.count(take(partner_id, SERIES, n)) for partner_id, n in sorted(counts.items())}
    made = {}
    for name, given in fresh.items():
        payer = found[given["account_id"]]
        payment = _payment(payer, next(numbers[name[0]]), entries[name], record)
        payment.pk = ids[name]
        payment.amount, payment.method, payment.received_on, payment.comment = _facts_of(given)[1:]
        payment.key = name[1]
        made[name] = payment
    try:
        insert(list(made.values()))
    except IntegrityError as error:
        # Somebody used the key for another account while we held this one.
        raise _conflict() from error
    return made


def _payment(payer: Payer, number: int, entry: int, record: dict[str, Any]) -> Payment:
    return Payment(
        partner_id=payer.partner_id,
        account_id=payer.account_id,
        currency=payer.currency,
        number=f"{number:06d}",
        entry_id=entry,
        **record,
    )


def _log_received(payments: Sequence[NewPayment], found: Payers, *, by: Actor, at: datetime) -> None:
    payer = found[payments[0]["account_id"]]
    subject = _subject(payer) if len(payments) == 1 else ("partner", payer.partner_id)
    amount = sum(payment["amount"] for payment in payments)
    told = {"amount": amount, "currency": payer.currency, "payments": len(payments)}
    log.record("received", by=by, at=at, subject=subject, partner_id=payer.partner_id, **told)


def _check_left(payment: Payment, amount: int) -> None:
    given_back = -sum(payment.refunded_by.values_list("amount", flat=True))
    left = payment.amount - given_back
    if amount > left:
        raise Refused(
            f"Of this payment {format_plain(Money(left, payment.currency))} {payment.currency} is left to give back.",
            field="amount",
            code="more_than_left",
        )


def _gone_over(payment: Payment) -> int:
    """What is left of a payment that paid no document of its own account."""
    used = payment.allocations.aggregate(sum=Sum("amount"))["sum"] or 0
    given_back = -sum(payment.refunded_by.values_list("amount", flat=True))
    return payment.amount - used - given_back


def _used_keys(names: Iterable[Name]) -> dict[Name, Payment]:
    """The payments made earlier under these keys."""
    by_partner: dict[int, list[str]] = {}
    for partner_id, key in names:
        by_partner.setdefault(partner_id, []).append(key)
    return {
        (partner_id, payment.key): payment
        for partner_id, keys in by_partner.items()
        for payment in Payment.objects.filter(partner_id=partner_id, key__in=keys)
    }


def _facts(payment: Payment) -> PaymentFacts:
    return PaymentFacts(payment.account_id, payment.amount, payment.method, payment.received_on, payment.comment)


def _facts_of(payment: NewPayment) -> PaymentFacts:
    comment = texts.one_line(payment.get("comment", ""), field="comment", length_max=300)
    return PaymentFacts(payment["account_id"], payment["amount"], payment["method"], payment["received_on"], comment)


def _behind(found: Payers) -> list[int]:
    """Whose days have to be decided first, so that a late run ends as a punctual one."""
    return [
        payer.account_id
        for payer in found.values()
        if payer.decided_through is not None and payer.decided_through < payer.today
    ]


def _payer(found: Payers, account_id: int) -> Payer:
    payer = found.get(account_id)
    if payer is None:
        raise Refused("There is no such account.", field="account_id", code="unknown")
    return payer


def _side(payer: Payer) -> ledger.Account:
    """The payer as a side of transfers."""
    return ledger.Account(payer.ledger_id, ledger.AccountKind.PAYER, payer.currency)


def _subject(payer: Payer) -> tuple[str, int]:
    return "customer", payer.customer_id


def _key(key: str) -> str:
    key = texts.one_line(key, field="key", length_max=KEY_LENGTH)
    if not key:
        raise Refused("Give every payment a key, so that it is made once only.", field="key", code="required")
    return key


def _conflict() -> Refused:
    return Refused("This key was used for something else; use a new one.", field="key", code="conflict")
