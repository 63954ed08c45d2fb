"""Reminding and blocking as records: rules by day, promises, reminders, waves, outages. No rule lives here; see
core.dunning."""

from django.db import models
from django.db.models import F, Q

from demarc.base.models import Partner, Recorded, amount_check, choices_check, day_check
from demarc.billing.models.documents import Document
from demarc.customers.models import Account


class ReminderChannel(models.TextChoices):
    MAIL = "mail", "E-mail"
    SMS = "sms", "SMS"
    BOTH = "both", "E-mail and SMS"


class WaveState(models.TextChoices):
    HELD = "held", "Held for a person"
    WORKING = "working", "At work"
    DONE = "done", "Done"
    RESTORING = "restoring", "Being taken back"
    RESTORED = "restored", "Taken back"
    DROPPED = "dropped", "Overtaken by a later wave"


class RowState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    BLOCKED = "blocked", "Blocked"
    SPARED = "spared", "No longer due"
    RESTORED = "restored", "Online again"


class OutageKind(models.TextChoices):
    NETWORK = "network", "Our network was down"
    PAYMENTS = "payments", "An import of payments failed"


class DunningTerms(Recorded):
    """How recurring accounts are dunned from `valid_from` on: a partner's (`account` null) or an account's own, where a
    null leaves that rule to the partner's; never edited. The words are core.dunning.Policy's; `reminders` is a list of
    [days, hour, channel]. The last three are a partner's alone: see actions.waves."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="dunning_terms")
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="dunning_terms")
    valid_from = models.DateField()
    reminders = models.JSONField(null=True)
    blocks = models.BooleanField(null=True)
    grace_days = models.PositiveSmallIntegerField(null=True)
    block_hour = models.PositiveSmallIntegerField(null=True)
    on_weekends = models.BooleanField(null=True)
    on_holidays = models.BooleanField(null=True)
    country = models.CharField(max_length=2, null=True)
    threshold = models.BigIntegerField(null=True)
    one_time_blocks = models.BooleanField(null=True)
    deactivate_after_days = models.PositiveSmallIntegerField(null=True)
    blocking_fee = models.BigIntegerField(null=True)
    reactivation_fee = models.BigIntegerField(null=True)
    wave_factor = models.PositiveSmallIntegerField(null=True)
    wave_least = models.PositiveIntegerField(null=True)
    outage_hours = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            day_check("valid_from", "billing_dunningterms_day"),
            models.CheckConstraint(
                condition=Q(block_hour=None) | Q(block_hour__range=(0, 23)), name="billing_dunningterms_hour"
            ),
            *(
                amount_check(name, f"billing_dunningterms_{name}")
                for name in ("threshold", "blocking_fee", "reactivation_fee")
            ),
        ]
        indexes = [models.Index(fields=["partner", "account", "valid_from", "id"], name="billing_dunningterms_at")]


class Promise(Recorded):
    """He promised to pay until a day, and is online through it; one open promise for each account."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="promises", db_index=False)
    until = models.DateField()
    comment = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            day_check("until", "billing_promise_day"),
            models.UniqueConstraint(fields=["account"], condition=Q(ended_at=None), name="billing_promise_one"),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="billing_promise_newest")]


class ReminderSent(models.Model):
    """A reminder of a document: `days` relative to the day it was due. Once for each, whoever runs how often."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="reminders")
    document = models.ForeignKey(Document, models.PROTECT, related_name="reminders", db_index=False)
    days = models.SmallIntegerField()
    day = models.DateField()
    channel = models.CharField(max_length=4, choices=ReminderChannel.choices)
    amount = models.BigIntegerField(help_text="What was open of the document.")
    at = models.DateTimeField()

    class Meta:
        db_table = "billing_reminder"
        constraints = [
            models.UniqueConstraint(fields=["document", "days"], name="billing_reminder_once"),
            choices_check("channel", ReminderChannel, "billing_reminder_channel"),
        ]


class Wave(Recorded):
    """The accounts of a partner that are blocked on one day. `size` is how many were found, `usual_max` how many
    could go without a person's look."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="waves")
    day = models.DateField()
    state = models.CharField(max_length=10, choices=WaveState.choices)
    size = models.PositiveIntegerField(default=0)
    usual_max = models.PositiveIntegerField(default=0)
    blocked = models.PositiveIntegerField(default=0)
    spared = models.PositiveIntegerField(default=0)
    restored = models.PositiveIntegerField(default=0)
    amount = models.BigIntegerField(default=0, help_text="What they owe together, in the partner's currency.")
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "day"], name="billing_wave_day"),
            choices_check("state", WaveState, "billing_wave_state"),
            day_check("day", "billing_wave_range"),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="billing_wave_newest")]

    def __str__(self) -> str:
        return f"Wave of {self.day}"


class WaveRow(models.Model):
    """One account of a wave."""

    wave = models.ForeignKey(Wave, models.CASCADE, related_name="rows", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_constraint=False)
    amount = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=RowState.choices, default=RowState.WAITING)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wave", "account"], name="billing_waverow_one"),
            choices_check("state", RowState, "billing_waverow_state"),
        ]
        indexes = [models.Index(fields=["wave", "state", "account"], name="billing_waverow_work")]


class BlockingStop(Recorded):
    """Nobody of a partner is blocked for money while one is open."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="blocking_stops")
    reason = models.CharField(max_length=200)
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner"], condition=Q(lifted_at=None), name="billing_blockingstop_one")
        ]


class Outage(Recorded):
    """A time in which customers could not pay or had no reason to, through our fault; while it lasts and for some hours
    after it nobody is blocked."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="outages")
    kind = models.CharField(max_length=10, choices=OutageKind.choices)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            choices_check("kind", OutageKind, "billing_outage_kind"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("began_at")), name="billing_outage_order"
            ),
        ]
        indexes = [models.Index(fields=["partner", "-began_at"], name="billing_outage_newest")]


class Deactivation(models.Model):
    """Services that were stopped because their account stayed blocked; payment takes them up again."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="deactivations")
    services = models.JSONField()
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account"], condition=Q(undone_at=None), name="billing_deactivation_one")
        ]
