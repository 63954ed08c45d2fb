"""What is written into the outbox, in the transaction of the fact it tells of. The single verb is the bulk verb with
one element."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Required, TypedDict, Unpack

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from demarc.base import limits, log, texts
from demarc.base.actors import Actor
from demarc.base.events import emit
from demarc.base.models import Partner
from demarc.core.errors import Refused
from demarc.customers.models import Account, Customer
from demarc.messages import attachments, queries
from demarc.messages.attachments import Reference
from demarc.messages.kinds import CHANNELS, KINDS, MAIL, NOTE, TEST, Kind
from demarc.messages.models import Message, Rules, State
from demarc.messages.queries import Sender
from demarc.messages.shipped import Text, shipped
from demarc.messages.sms import number_of
from demarc.messages.wording import SMS_MAX, SUBJECT_MAX, Composed, Reader, Value, as_html, compose, worded

BATCH = 2000
KEY_LENGTH = 120
TEXT_MAX = 10_000
NO_ADDRESS = {"mail": "There is no e-mail address.", "sms": "There is no phone number that takes an SMS."}
NOT_SET_UP = {"mail": "No mail server is set up.", "sms": "No SMS gateway is set up."}
OVER = (State.SENT, State.FAILED, State.DROPPED, State.DRY_RUN)


class News(TypedDict, total=False):
    """Something to be told. `key` names the fact: told again under it, nothing more is written.

    `account_id` says who pays and thereby who is told; without an account, `customer_id`. `values` by the names in
    messages.kinds, as core.money.Money, date, int or str: they are put into words in the customer's language.
    `channels`: instead of those that the rules name.
    """

    kind: Required[str]
    key: Required[str]
    account_id: int
    customer_id: int
    values: Mapping[str, Value]
    attachments: Sequence[Reference]
    channels: Sequence[str]


def enqueue(*, by: Actor, at: datetime, **news: Unpack[News]) -> list[Message]:
    """Tell one customer something by each channel that the rules name: see below."""
    return enqueue_many([news], by=by, at=at)


@transaction.atomic
def enqueue_many(news: Sequence[News], *, by: Actor, at: datetime) -> list[Message]:
    """Write what is to be told into the outbox: the messages that are new, fewer or none when told before.

    In the caller's transaction: message and fact are there together or not at all. A customer without an address gets
    a failed message that says so, a provider's dry run one that says that. Refused: kind, account, customer, a value's
    name or an attachment's kind unknown.
    """
    book = _Book(news)
    made = [message for one in news for message in book.messages(one, by, at)]
    return _write(made, verb="enqueued", by=by, at=at)


@transaction.atomic
def write_note(customer_id: int, *, channel: str, said: Text, key: str, by: Actor, at: datetime) -> Message:
    """Staff's own words to one customer; an SMS has no subject.

    Refused: no text, too long, a channel or customer unknown, the key used.
    """
    limits.word(channel, CHANNELS, field="channel")
    customer = _customer(customer_id)
    words = _typed(channel, said)
    reader = Reader(customer.partner, customer, customer.accounts.order_by("id").first())
    message = _Draft(NOTE, channel, _key(key), words).message(reader, _sender(customer.partner_id), by, at)
    return _only(_write([message], verb="enqueued", by=by, at=at, soon=True))


@transaction.atomic
def send_test(partner_id: int, *, channel: str, recipient: str, key: str, by: Actor, at: datetime) -> Message:
    """A message to an address of one's own, to see whether the settings work. It leaves in a dry run too.

    Refused: no such provider, an address that is none, nothing set up for the channel, the key used.
    """
    limits.word(channel, CHANNELS, field="channel")
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    if channel == MAIL:
        _expect_mail_address(recipient.strip())
    someone = Customer(partner=partner, email=recipient.strip(), phone=recipient.strip())
    reader = Reader(partner, someone)
    words = worded(TEST, {}, Reader(partner), reader.language)
    composed = compose(TEST, channel, shipped(TEST.name, channel, reader.language), words)
    live = _sender(partner_id)._replace(rules=Rules(partner=partner, dry_run=False))
    message = _Draft(TEST, channel, _key(key), composed).message(reader, live, by, at)
    if message.state == State.FAILED:
        raise Refused(message.trouble, field="recipient" if not message.recipient else "channel", code="cannot_send")
    return _only(_write([message], verb="test_sent", by=by, at=at, soon=True))


@transaction.atomic
def resend(message_id: int, *, key: str, by: Actor, at: datetime) -> Message:
    """The same words again, as a message of its own, to the customer's present address.

    Refused: no such message, one that is still on its way, one about no customer, the key used.
    """
    old = Message.objects.select_for_update(of=("self",)).select_related("customer", "account", "partner")
    found = old.filter(pk=message_id).first()
    if found is None:
        raise Refused("There is no such message.", field="message_id", code="unknown")
    if found.state not in OVER:
        raise Refused("This message is still on its way.", code="not_over")
    if found.customer is None:
        raise Refused("Only messages to customers are sent again; send a new test instead.", code="no_customer")
    words = Composed(found.subject, found.text, found.html)
    reader = Reader(found.partner, found.customer, found.account)
    draft = _Draft(KINDS[found.kind], found.channel, _key(key), words, found.attachments)
    again = draft.message(reader, _sender(found.partner_id), by, at)
    again.language, again.resent_from = found.language, found
    return _only(_write([again], verb="resent", by=by, at=at, soon=True))


@dataclass(frozen=True, slots=True)
class _Draft:
    """Words on their way to become a message."""

    kind: Kind
    channel: str
    key: str
    words: Composed
    attachments: Sequence[Reference] = ()

    def message(self, to: Reader, sender: Sender, by: Actor, at: datetime) -> Message:
        """The row; waiting, or ended at once with the reason."""
        recipient = _recipient(to.customer, self.channel)
        state, trouble = _first_state(self.channel, recipient, sender)
        zone = queries.zone_of(to.account, to.partner)
        not_before = (queries.quiet_until(sender.rules, self.channel, zone, at) if self.kind.quiet else None) or at
        return Message(
            partner=to.partner,
            customer=to.customer if to.customer and to.customer.pk else None,
            account=to.account,
            kind=self.kind.name,
            channel=self.channel,
            event_key=self.key,
            language=to.language,
            recipient=recipient,
            subject=self.words.subject,
            text=self.words.text,
            html=self.words.html,
            attachments=list(self.attachments) if self.channel == MAIL else [],
            state=state,
            trouble=trouble,
            created_at=at,
            created_by_label=by.label,
            not_before=not_before,
            expires_at=not_before + self.kind.lives,
            ended_at=None if state == State.WAITING else at,
        )


class _Book:
    """All that the messages of some news need, read at once."""

    def __init__(self, news: Sequence[News]) -> None:
        for one in news:
            limits.word(one["kind"], list(KINDS), field="kind")
            attachments.check(one.get("attachments", ()))
        accounts = [one["account_id"] for one in news if "account_id" in one]
        customers = [one["customer_id"] for one in news if "account_id" not in one and "customer_id" in one]
        self._accounts = Account.objects.select_related("customer", "partner").in_bulk(accounts)
        self._customers = Customer.objects.select_related("partner").in_bulk(customers)
        partners = {account.partner_id for account in self._accounts.values()}
        partners |= {customer.partner_id for customer in self._customers.values()}
        self._senders = queries.senders(partners)
        self._texts = queries.own_texts(partners, {one["kind"] for one in news})

    def messages(self, one: News, by: Actor, at: datetime) -> Iterable[Message]:
        """The rows of one piece of news, one for each channel."""
        kind, reader = KINDS[one["kind"]], self._reader(one)
        values = one.get("values", {})
        for name in values:
            limits.word(name, list(kind.names), field="values")
        sender = self._senders[reader.partner.pk]
        language = reader.language if reader.language in queries.LANGUAGES else settings.LANGUAGE_CODE
        words = worded(kind, values, reader, language)
        for channel in one.get("channels") or sender.rules.channels_of(kind.name):
            composed = self._composed(kind, channel, (reader.partner.pk, language), words)
            draft = _Draft(kind, channel, _key(one["key"]), composed, one.get("attachments", ()))
            yield draft.message(reader, sender, by, at)

    def _reader(self, one: News) -> Reader:
        account = self._accounts.get(one.get("account_id", 0))
        customer = account.customer if account else self._customers.get(one.get("customer_id", 0))
        if customer is None:
            field = "account_id" if "account_id" in one else "customer_id"
            raise Refused(f"There is no such {field.removesuffix('_id')}.", field=field, code="unknown")
        return Reader((account or customer).partner, customer, account)

    def _composed(self, kind: Kind, channel: str, of: tuple[int, str], words: Mapping[str, str]) -> Composed:
        """By the provider's own text; by the shipped one when his has become wrong, for a fact is to be told."""
        partner_id, language = of
        own = self._texts.get((partner_id, kind.name, channel, language))
        with suppress(Refused):
            if own:
                return compose(kind, channel, own, words)
        return compose(kind, channel, shipped(kind.name, channel, language), words)


def _expect_mail_address(text: str) -> None:
    try:
        validate_email(text)
    except ValidationError:
        raise Refused("Write an e-mail address like ana@example.com.", field="recipient", code="email") from None


def _sender(partner_id: int) -> Sender:
    return queries.senders([partner_id])[partner_id]


def _first_state(channel: str, recipient: str, sender: Sender) -> tuple[State, str]:
    if not recipient:
        return State.FAILED, NO_ADDRESS[channel]
    if sender.rules.dry_run:
        return State.DRY_RUN, ""
    if channel not in sender.ready:
        return State.FAILED, NOT_SET_UP[channel]
    return State.WAITING, ""


def _recipient(customer: Customer | None, channel: str) -> str:
    if customer is None:
        return ""
    if channel == MAIL:
        return customer.email if "@" in customer.email and customer.email.isprintable() else ""
    return number_of(customer.phone)


def _write(made: Sequence[Message], *, verb: str, by: Actor, at: datetime, soon: bool = False) -> list[Message]:
    """The rows that are new by their keys, in the order of the keys so that two who write the same do not lock each
    other out. One operation-log row; none when there was nothing new."""
    rows = sorted(made, key=lambda message: (message.partner_id, message.event_key, message.channel))
    Message.objects.bulk_create(rows, BATCH, ignore_conflicts=True)
    written = list(Message.objects.filter(public_id__in=[row.public_id for row in rows]).order_by("id"))
    if not written:
        return []
    first = written[0]
    alone = len({row.customer_id for row in written}) == 1 and first.customer_id
    subject = ("customer", first.customer_id) if alone else ("partner", first.partner_id)
    told = {"messages": len(written), "kinds": sorted({row.kind for row in written})}
    log.record(verb, by=by, at=at, subject=subject, partner_id=first.partner_id, **told)
    if soon:
        emit("MessagesWaiting", queue="slow", partners=sorted({row.partner_id for row in written}))
    return written


def _only(written: Sequence[Message]) -> Message:
    if not written:
        raise Refused("This was sent before.", field="key", code="conflict")
    return written[0]


def _typed(channel: str, said: Text) -> Composed:
    text = texts.plain(said.text, field="text", length_max=TEXT_MAX if channel == MAIL else SMS_MAX)
    if not text:
        raise Refused("Write something.", field="text")
    if channel != MAIL:
        return Composed("", text, "")
    return Composed(texts.name(said.subject, field="subject", length_max=SUBJECT_MAX), text, as_html(text))


def _key(key: str) -> str:
    if not key or len(key) > KEY_LENGTH or not key.isprintable():
        raise Refused(f"A key has from 1 to {KEY_LENGTH} printable characters.", field="key")
    return key


def _customer(customer_id: int) -> Customer:
    customer = Customer.objects.select_related("partner").filter(pk=customer_id).first()
    if customer is None:
        raise Refused("There is no such customer.", field="customer_id", code="unknown")
    return customer
