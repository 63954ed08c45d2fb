"""How a provider sends: rules, mail server, SMS gateway. Secrets are sealed here; the sending job alone opens them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any, TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from demarc.base import limits, log, texts
from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.base.vault import seal_for_messages
from demarc.core.errors import Refused
from demarc.messages import queries, sms
from demarc.messages.accounts import PASSWORD
from demarc.messages.actions.sending import TOKEN
from demarc.messages.kinds import CHANNELS, TEMPLATED
from demarc.messages.models import BodyForm, MailServer, Method, Rules, Security, SmsGateway

SECRET_LENGTH_MAX = 500
HOST_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-:")


class RuleFields(TypedDict, total=False):
    """What customers are told and when. `channels`: kind to its channels, an empty list for never."""

    dry_run: bool
    channels: Mapping[str, Sequence[str]]
    quiet_from: time
    quiet_until: time
    quiet_mail: bool
    quiet_sms: bool
    low_days: int
    low_hour: int


class MailFields(TypedDict, total=False):
    """How mail leaves. An empty `password` keeps the present one; a password needs STARTTLS or TLS."""

    host: str
    port: int
    security: str
    username: str
    password: str
    from_name: str
    from_address: str
    reply_to: str


class SmsFields(TypedDict, total=False):
    """How SMS leave (messages.sms). An empty `token` keeps the present one."""

    method: str
    url: str
    headers: str
    body_form: str
    body: str
    sender: str
    token: str
    success_text: str
    loopback: bool


MAY_HOLD_KEYS = {"headers", "body", "url"}


@transaction.atomic
def set_rules(partner_id: int, *, by: Actor, at: datetime, **fields: Unpack[RuleFields]) -> Rules:
    """Change the rules; what is not named stays. Refused: unknown provider, kind or channel, a number out of range."""
    _expect_partner(partner_id)
    rules, _ = Rules.objects.select_for_update().get_or_create(partner_id=partner_id)
    before = log.snapshot(rules)
    if "channels" in fields:
        fields["channels"] = dict(rules.channels) | _channels(fields["channels"])
    for name, value in fields.items():
        setattr(rules, name, value)
    limits.whole(rules.low_days, 1, 30, field="low_days")
    limits.whole(rules.low_hour, 0, 23, field="low_hour")
    rules.save()
    told = {"changed": log.changes(before, rules)}
    log.record("message_rules_set", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **told)
    return rules


@transaction.atomic
def save_mail_server(partner_id: int, *, by: Actor, at: datetime, **fields: Unpack[MailFields]) -> MailServer:
    """Set up how mail leaves, or change it; what is not named stays.

    Refused: no host or sender's address, an address that is none, a port out of range, a password in the clear.
    """
    _expect_partner(partner_id)
    row = MailServer.objects.select_for_update().filter(partner_id=partner_id).first() or MailServer(
        partner_id=partner_id
    )
    before = log.snapshot(row)
    password = fields.pop("password", "")
    for name, value in fields.items():
        setattr(row, name, value)
    _check_mail(row)
    if not row.username or row.security == Security.NONE:
        if password:
            raise Refused("A password needs a user name, and STARTTLS or TLS.", field="password")
        row.password = None
    elif password:
        secret = texts.one_line(password, field="password", length_max=SECRET_LENGTH_MAX)
        row.password = seal_for_messages(secret, PASSWORD.format(partner_id))
    row.save()
    _log_saved("mail_server_saved", before, row, by=by, at=at)
    return row


@transaction.atomic
def save_sms_gateway(partner_id: int, *, by: Actor, at: datetime, **fields: Unpack[SmsFields]) -> SmsGateway:
    """Set up how SMS leave, or change it; what is not named stays.

    Refused: no web address, no place for the text, a header that is none, this machine as the gateway anywhere but in
    a data directory made with --demo or --test.
    """
    _expect_partner(partner_id)
    row = SmsGateway.objects.select_for_update().filter(partner_id=partner_id).first() or SmsGateway(
        partner_id=partner_id
    )
    before = log.snapshot(row)
    token = fields.pop("token", "")
    for name, value in fields.items():
        setattr(row, name, value)
    _check_sms(row)
    if token:
        secret = texts.one_line(token, field="token", length_max=SECRET_LENGTH_MAX)
        row.token = seal_for_messages(secret, TOKEN.format(partner_id))
    row.save()
    _log_saved("sms_gateway_saved", before, row, by=by, at=at)
    return row


def _log_saved(verb: str, before: Mapping[str, Any], row: MailServer | SmsGateway, *, by: Actor, at: datetime) -> None:
    """What was changed; of what may hold a key (headers, the body, an address with one in it) only that it was."""
    changed = log.changes(before, row)
    told = {name: ["", "changed"] if name in MAY_HOLD_KEYS else pair for name, pair in changed.items()}
    subject = ("partner", row.partner_id)
    log.record(verb, by=by, at=at, subject=subject, partner_id=row.partner_id, changed=told)


def _channels(wanted: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    for kind, channels in wanted.items():
        limits.word(kind, list(TEMPLATED), field="channels")
        for channel in channels:
            limits.word(channel, CHANNELS, field="channels")
    return {kind: [channel for channel in CHANNELS if channel in channels] for kind, channels in wanted.items()}


def _check_mail(row: MailServer) -> None:
    row.host = texts.name(row.host, field="host", length_max=253).lower()
    if not HOST_LETTERS.issuperset(row.host):
        raise Refused("Write the server's name or address, such as mail.example.com.", field="host")
    limits.whole(row.port, 1, 65535, field="port")
    limits.word(row.security, Security.values, field="security")
    row.username = texts.one_line(row.username, field="username", length_max=254)
    row.from_name = texts.one_line(row.from_name, field="from_name", length_max=120)
    row.from_address = _mail_address(row.from_address, "from_address")
    row.reply_to = _mail_address(row.reply_to, "reply_to") if row.reply_to else ""


def _mail_address(text: str, field: str) -> str:
    text = texts.one_line(text, field=field, length_max=254)
    try:
        validate_email(text)
        text.encode("ascii")
    except (ValidationError, UnicodeError):
        raise Refused("Write an e-mail address like ana@example.com.", field=field, code="email") from None
    return text


def _check_sms(row: SmsGateway) -> None:
    limits.word(row.method, Method.values, field="method")
    limits.word(row.body_form, BodyForm.values, field="body_form")
    row.url = texts.one_line(row.url, field="url", length_max=1000)
    row.headers = texts.plain(row.headers, field="headers", length_max=2000)
    row.body = texts.plain(row.body, field="body", length_max=4000)
    row.sender = texts.one_line(row.sender, field="sender", length_max=60)
    row.success_text = texts.one_line(row.success_text, field="success_text", length_max=200)
    if row.loopback and not queries.loopback_allowed():
        raise Refused("Only a demo or a test may send to this machine.", field="loopback")
    sms.check(sms.Gateway(row.method, row.url, row.headers, row.body_form, row.body, row.sender))


def _expect_partner(partner_id: int) -> None:
    if not Partner.objects.filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
