"""Reads of messages, texts and settings for pages, the API and the sending job. Nothing here writes.

A partner without rules of his own has the defaults, unsaved: a dry run.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from demarc.base import clock, limits, words
from demarc.base.models import Partner
from demarc.billing.models import Payment
from demarc.billing.queries import account_summaries
from demarc.core.errors import Refused
from demarc.core.money import Money, parse
from demarc.core.period import billing_day
from demarc.customers.models import Account, Customer
from demarc.customers.queries import CONTACTS, RECORD
from demarc.messages.kinds import DAY, MAIL, MONEY, NUMBER, SMS, TEMPLATED, Kind
from demarc.messages.models import Channel, MailServer, Message, Rules, SmsGateway, State, Wording
from demarc.messages.shipped import Text, shipped
from demarc.messages.wording import Composed, Reader, Value, compose, worded
from demarc.staff import masks

LATELY = timedelta(days=7)
LANGUAGES = tuple(code for code, _ in settings.LANGUAGES)


class Sender(NamedTuple):
    """How a provider sends: his rules, and the channels for which a server or gateway is set up."""

    rules: Rules
    ready: frozenset[str]


class Counted(NamedTuple):
    """How a provider's messages of the last LATELY stand."""

    waiting: int
    failed: int


def rules_of(partner_ids: Iterable[int]) -> dict[int, Rules]:
    """The rules of these providers, all of them."""
    wanted = set(partner_ids)
    known = {rules.partner_id: rules for rules in Rules.objects.filter(partner_id__in=wanted)}
    return {partner_id: known.get(partner_id) or Rules(partner_id=partner_id) for partner_id in wanted}


def own_texts(partner_ids: Iterable[int], kinds: Iterable[str]) -> dict[tuple[int, str, str, str], Text]:
    """The texts that providers wrote themselves, by provider, kind, channel and language."""
    rows = Wording.objects.filter(partner_id__in=set(partner_ids), kind__in=set(kinds))
    return {
        (row.partner_id, row.kind, row.channel, row.language): Text(row.subject, row.text, row.html) for row in rows
    }


def text_in_force(partner_id: int, kind: str, channel: str, language: str) -> tuple[Text, Wording | None]:
    """The text that is sent, and the provider's own row behind it, if there is one."""
    own = Wording.objects.filter(partner_id=partner_id, kind=kind, channel=channel, language=language).first()
    return (Text(own.subject, own.text, own.html) if own else shipped(kind, channel, language)), own


def message_list(
    partner_ids: Sequence[int] | None, *, text: str = "", contacts: bool = True, **is_: Any
) -> QuerySet[Message]:
    """Messages that the reader may see (None: all), newest first. `text` finds a customer by the words of his record,
    those of how he is reached for who may read `contacts`; `is_` are columns and their values."""
    found = Message.objects.select_related("customer", "partner").order_by("-id").filter(**is_)
    if partner_ids is not None:
        found = found.filter(partner_id__in=partner_ids)
    if text:
        ids = words.begins(RECORD + CONTACTS if contacts else RECORD, text, partner_ids)
        found = found.filter(customer__in=ids) if ids else found.none()
    return found


def recipient_shown(message: Message, words: Collection[str]) -> str:
    """To whom it goes, as somebody may read it who may do what `words` say."""
    return masks.shown(message.recipient, "email" if message.channel == Channel.MAIL else "phone", words)


def counted(partner_ids: Sequence[int] | None, *, at: datetime) -> Counted:
    """What waits, and what failed lately although there was somewhere to send it to."""
    found = message_list(partner_ids)
    failed = found.filter(state=State.FAILED, ended_at__gte=at - LATELY).exclude(recipient="")
    return Counted(found.filter(state__in=[State.WAITING, State.SENDING]).count(), failed.count())


def senders(partner_ids: Iterable[int]) -> dict[int, Sender]:
    """How each of these providers sends, all of them."""
    rules = rules_of(partner_ids)
    mail = set(MailServer.objects.filter(partner_id__in=rules).values_list("partner_id", flat=True))
    sms = set(SmsGateway.objects.filter(partner_id__in=rules).values_list("partner_id", flat=True))
    return {
        partner_id: Sender(one, frozenset(word for word, ready in ((MAIL, mail), (SMS, sms)) if partner_id in ready))
        for partner_id, one in rules.items()
    }


def zone_of(account: Account | None, partner: Partner) -> ZoneInfo:
    """By whose clock it is night."""
    return ZoneInfo(account.zone if account else partner.zone)


def quiet_until(rules: Rules, channel: str, zone: ZoneInfo, at: datetime) -> datetime | None:
    """The end of the quiet hours that `at` lies in, or None when it may be sent now."""
    quiet = rules.quiet_mail if channel == MAIL else rules.quiet_sms
    if not quiet or rules.quiet_from == rules.quiet_until:
        return None
    wall = at.astimezone(zone)
    if not _within(wall.time(), rules.quiet_from, rules.quiet_until):
        return None
    day = wall.date() if wall.time() < rules.quiet_until else wall.date() + timedelta(days=1)
    return datetime.combine(day, rules.quiet_until, tzinfo=zone)


def _within(moment: time, start: time, end: time) -> bool:
    return start <= moment < end if start < end else moment >= start or moment < end


def loopback_allowed() -> bool:
    """Whether a gateway on this machine may be tried: only in a data directory made with --demo or --test."""
    return clock.movable(settings.CONFIG.data)


def preview(customer: Customer, kind: Kind, channel: str, text: Text, *, language: str = "", at: datetime) -> Composed:
    """A text as this customer would read it, by his money of now; what only the news would say is made up.

    Refused: the text has a fault.
    """
    account = customer.accounts.select_related("partner").order_by("id").first()
    reader = Reader(customer.partner, customer, account)
    values = sample_values(kind, account, at) if account else {}
    return compose(kind, channel, text, worded(kind, values, reader, language or reader.language))


def sample_values(kind: Kind, account: Account, at: datetime) -> Mapping[str, Value]:
    """Plausible values for a kind's names: the account's real money and last payment, the rest from the table."""
    today = billing_day(at, ZoneInfo(account.zone))
    values: dict[str, Value] = {
        variable.name: _sample(variable.sort, variable.sample, account.currency, today) for variable in kind.variables
    }
    summary = account_summaries([account.pk], at=at).get(account.pk)
    if summary:
        values |= {"balance": Money(summary.balance, summary.currency)}
        if summary.pays_until:
            values |= {"paid_until": summary.pays_until}
    payment = Payment.objects.filter(account=account, amount__gt=0).order_by("-id").first()
    if payment and kind.name == "payment_received":
        values |= {
            "amount": Money(payment.amount, payment.currency),
            "received_on": payment.received_on,
            "number": payment.number,
        }
    return values


def _sample(sort: str, sample: str, currency: str, today: date) -> Value:
    if not sample:
        return None
    if sort == MONEY:
        return _money(sample, currency)
    if sort == DAY:
        return today + timedelta(days=int(sample))
    return int(sample) if sort == NUMBER else sample


def _money(sample: str, currency: str) -> Money:
    try:
        return parse(sample, currency)
    except Refused:  # a currency without decimals
        return parse(sample.partition(".")[0], currency)


def templated(kind: str, *, field: str = "kind") -> Kind:
    """The kind of this name that has texts. Refused: there is none."""
    limits.word(kind, list(TEMPLATED), field=field)
    return TEMPLATED[kind]
