"""The outbox, the texts and how each provider sends. Knows no event: what is told arrives as values."""

from __future__ import annotations

import uuid
from datetime import time
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from demarc.base.fields import in_list
from demarc.base.models import Partner, Recorded, choices_check
from demarc.customers.models import Account, Customer
from demarc.messages.kinds import KINDS, TEMPLATED


class Channel(models.TextChoices):
    MAIL = "mail", "E-mail"
    SMS = "sms", "SMS"


class State(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    DROPPED = "dropped", "Dropped"
    DRY_RUN = "dry_run", "Dry run"


class Security(models.TextChoices):
    NONE = "none", "None"
    STARTTLS = "starttls", "STARTTLS"
    TLS = "tls", "TLS from the start"


class Method(models.TextChoices):
    POST = "POST", "POST"
    GET = "GET", "GET"


class BodyForm(models.TextChoices):
    FORM = "form", "Form fields"
    JSON = "json", "JSON"
    TEXT = "text", "Plain text"


QUIET_FROM, QUIET_UNTIL = time(21), time(8)
LOW_DAYS, LOW_HOUR = 3, 10


class Rules(models.Model):
    """What a provider's customers are told, by which channels and when. Without a row the defaults hold: a dry run."""

    partner = models.OneToOneField(Partner, models.CASCADE, related_name="message_rules")
    dry_run = models.BooleanField(default=True, help_text="Messages are written down and nothing leaves.")
    channels: models.JSONField[Any, Any] = models.JSONField(
        default=dict, help_text="Kind to its channels; a kind that is not named goes by its usual ones."
    )
    quiet_from = models.TimeField(default=QUIET_FROM, help_text="On the customer's clock; the same as the end: never.")
    quiet_until = models.TimeField(default=QUIET_UNTIL)
    quiet_mail = models.BooleanField(default=False, help_text="Whether e-mail keeps the quiet hours.")
    quiet_sms = models.BooleanField(default=True)
    low_days = models.PositiveSmallIntegerField(default=LOW_DAYS)
    low_hour = models.PositiveSmallIntegerField(default=LOW_HOUR)
    low_looked_on = models.DateField(null=True, help_text="The provider's day of the last look for low balances.")

    class Meta:
        db_table = "messages_rules"
        constraints = [
            models.CheckConstraint(condition=Q(low_days__range=(1, 30)), name="messages_rules_low_days"),
            models.CheckConstraint(condition=Q(low_hour__range=(0, 23)), name="messages_rules_low_hour"),
        ]

    def channels_of(self, kind: str) -> tuple[str, ...]:
        """By which channels a kind goes out."""
        return tuple(self.channels.get(kind, KINDS[kind].channels))


class MailServer(models.Model):
    """How a provider's mail leaves. The password is sealed; only the worker opens it."""

    partner = models.OneToOneField(Partner, models.CASCADE, related_name="mail_server")
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField(default=587)
    security = models.CharField(max_length=10, choices=Security.choices, default=Security.STARTTLS)
    username = models.CharField(max_length=254, blank=True)
    password = models.BinaryField(null=True, help_text="Sealed (base.vault).")
    from_name = models.CharField(max_length=120, blank=True)
    from_address = models.CharField(max_length=254)
    reply_to = models.CharField(max_length=254, blank=True)

    class Meta:
        db_table = "messages_mailserver"
        constraints = [
            choices_check("security", Security, "messages_mailserver_security"),
            models.CheckConstraint(condition=Q(port__range=(1, 65535)), name="messages_mailserver_port"),
            models.CheckConstraint(
                condition=~Q(security="none") | Q(password=None), name="messages_mailserver_no_bare_password"
            ),
        ]


class SmsGateway(models.Model):
    """The HTTP gateway that takes a provider's SMS. The token is sealed; only the worker opens it."""

    partner = models.OneToOneField(Partner, models.CASCADE, related_name="sms_gateway")
    method = models.CharField(max_length=4, choices=Method.choices, default=Method.POST)
    url = models.CharField(max_length=1000)
    headers = models.TextField(blank=True, help_text="One a line: Name: value.")
    body_form = models.CharField(max_length=4, choices=BodyForm.choices, default=BodyForm.FORM)
    body = models.TextField(blank=True)
    sender = models.CharField(max_length=60, blank=True)
    token = models.BinaryField(null=True, help_text="Sealed (base.vault).")
    success_text = models.CharField(max_length=200, blank=True, help_text="What a good answer holds besides 2xx.")
    loopback = models.BooleanField(default=False, help_text="Honoured only where the clock may be moved, too.")

    class Meta:
        db_table = "messages_smsgateway"
        constraints = [
            choices_check("method", Method, "messages_smsgateway_method"),
            choices_check("body_form", BodyForm, "messages_smsgateway_body_form"),
        ]


class Wording(Recorded):
    """A provider's own text for a kind, channel and language; without a row the shipped one is used."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=30)
    channel = models.CharField(max_length=4, choices=Channel.choices)
    language = models.CharField(max_length=5)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True, help_text="Empty: made from the text.")

    class Meta:
        db_table = "messages_wording"
        constraints = [
            models.UniqueConstraint(fields=["partner", "kind", "channel", "language"], name="messages_wording_key"),
            models.CheckConstraint(condition=in_list("kind", tuple(TEMPLATED)), name="messages_wording_kind"),
            choices_check("channel", Channel, "messages_wording_channel"),
        ]


class Message(models.Model):
    """One message to one person by one channel. Written with the fact it tells of, sent by a job.

    `event_key` and `channel` are unique for a provider, so that news told twice is one message. `public_id` makes the
    Message-ID, the same at every attempt. `attachments` are references, rendered when it is sent.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="messages", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="messages")
    kind = models.CharField(max_length=30)
    channel = models.CharField(max_length=4, choices=Channel.choices)
    event_key = models.CharField(max_length=120)
    language = models.CharField(max_length=5)
    recipient = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    attachments: models.JSONField[Any, Any] = models.JSONField(default=list, help_text='[{"kind": ..., "id": ...}]')
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=500, blank=True, help_text="Why it has not been sent, in words.")
    created_at = models.DateTimeField(db_default=Now())
    created_by_label = models.CharField(max_length=150)
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="When it was sent, failed or dropped.")
    resent_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")

    class Meta:
        db_table = "messages_message"
        constraints = [
            models.UniqueConstraint(fields=["partner", "event_key", "channel"], name="messages_message_once"),
            choices_check("state", State, "messages_message_state"),
            choices_check("channel", Channel, "messages_message_channel"),
            models.CheckConstraint(condition=in_list("kind", tuple(KINDS)), name="messages_message_kind"),
            models.CheckConstraint(
                condition=Q(state="sending", claimed_at__isnull=False) | ~Q(state="sending"),
                name="messages_message_claimed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending"], ended_at=None)
                | (~Q(state__in=["waiting", "sending"]) & Q(ended_at__isnull=False)),
                name="messages_message_ended",
            ),
        ]
        indexes = [
            models.Index(
                fields=["partner", "channel", "not_before", "id"],
                condition=Q(state__in=["waiting", "sending"]),
                name="messages_message_due",
            ),
            models.Index(fields=["customer", "-id"], name="messages_message_customer"),
            models.Index(fields=["partner", "-id"], name="messages_message_newest"),
            models.Index(fields=["partner", "-ended_at"], condition=Q(state="failed"), name="messages_message_failed"),
        ]

    @property
    def message_id_local(self) -> str:
        """The left part of the Message-ID."""
        return self.public_id.hex


class LowEpisode(models.Model):
    """A time during which an account's money was running low; its customer is told once in it."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="+")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "messages_lowepisode"
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(ended_at=None), name="messages_lowepisode_one_open")
        ]
