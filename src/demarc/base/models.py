"""What every room stands on: partners, locations, the operation log, numbers, settings. Knows no business noun."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Func
from django.db.models.functions import Now

from demarc.base.fields import TransactionIdField, in_list
from demarc.base.limits import FIRST_DAY, LAST_DAY, PRICE_MAX


class Partner(models.Model):
    """A provider or reseller whose customers, routers, plans and money are kept apart from the others'."""

    name = models.CharField(max_length=120, unique=True)
    zone = models.CharField(max_length=60, default="UTC", help_text="IANA time zone; a billing day is a day of it.")
    currency = models.CharField(max_length=3, default="EUR")
    language = models.CharField(max_length=5, default="en")
    phone = models.CharField(max_length=60, blank=True)
    email = models.EmailField(blank=True)
    website = models.URLField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class Location(models.Model):
    """A place by which a partner groups customers and staff."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="locations")
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "name"], name="base_location_name")]

    def __str__(self) -> str:
        return self.name


class Recorded(models.Model):
    """Mixin for facts that are never edited: when it was written down, and by whom (base.actors.Actor)."""

    recorded_at = models.DateTimeField()
    by_kind = models.CharField(max_length=10)
    by_id = models.BigIntegerField(default=0)
    by_label = models.CharField(max_length=150)

    class Meta:
        abstract = True


class OperationLog(models.Model):
    """One row for each thing done or looked at. Append-only (grants and a trigger); the body is sealed per subject."""

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.BigIntegerField()
    actor_label = models.CharField(max_length=150)
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="+", db_index=False)
    verb = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=30)
    subject_id = models.BigIntegerField(null=True)
    result = models.CharField(max_length=20, default="done")
    request_id = models.CharField(max_length=40, blank=True)
    address = models.GenericIPAddressField(null=True)
    body = models.BinaryField(null=True)
    kind = models.CharField(max_length=10, help_text="base.log.Kind: how long it is kept.")
    salt = models.UUIDField(null=True, db_default=Func(function="gen_random_uuid"))
    body_digest = models.BinaryField(null=True, help_text="Of a body that was removed.")
    private_digest = models.BinaryField(null=True, help_text="Of label and address, when they were removed.")
    xid = TransactionIdField(db_default=Func(function="pg_current_xact_id"))

    class Meta:
        indexes = [
            models.Index(fields=["subject_kind", "subject_id", "-id"], name="base_log_subject"),
            models.Index(fields=["-at"], name="base_log_at"),
            models.Index(fields=["xid"], name="base_log_xid"),
            models.Index(fields=["actor_kind", "actor_id", "-id"], name="base_log_actor"),
            models.Index(fields=["verb", "-id"], name="base_log_verb"),
            models.Index(fields=["partner", "-id"], name="base_log_partner"),
            models.Index(fields=["kind", "-id"], name="base_log_kind"),
            models.Index(fields=["-id"], name="base_log_refused", condition=models.Q(result="refused")),
            models.Index(fields=["address", "-id"], name="base_log_address", condition=models.Q(address__isnull=False)),
        ]


class LogSeal(models.Model):
    """The next entries of the log in their order, bound to all before them and signed (base.sealing). Append-only.

    `snapshot` is what had been committed when it was made, and `cluster` the PostgreSQL whose snapshot that is.
    """

    number = models.BigIntegerField(primary_key=True)
    first = models.BigIntegerField(help_text="The position of its first entry, from 1.")
    ids: ArrayField[Any, Any] = ArrayField(models.BigIntegerField())
    leaves = models.BinaryField()
    sealed_at = models.DateTimeField()
    previous = models.BinaryField()
    head = models.BinaryField()
    signature = models.BinaryField()
    snapshot = models.TextField()
    cluster = models.BigIntegerField()

    class Meta:
        indexes = [GinIndex(fields=["ids"], name="base_logseal_ids")]


class SubjectKey(models.Model):
    """The key that seals one subject's log bodies; destroying the row erases them and leaves the log verifiable."""

    subject_kind = models.CharField(max_length=30)
    subject_id = models.BigIntegerField()
    wrapped = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject_kind", "subject_id"], name="base_subjectkey_subject")]


class Setting(models.Model):
    """The present value of a typed setting (base.settings declares them); history is in the operation log."""

    partner = models.ForeignKey(Partner, models.CASCADE, null=True, related_name="settings")
    key = models.CharField(max_length=60)
    value: models.JSONField[Any, Any] = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "key"], name="base_setting_key", nulls_distinct=False)
        ]


class Counter(models.Model):
    """The next number of a series (customer numbers, account numbers, receipts); gapless, taken under its row lock."""

    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+")
    series = models.CharField(max_length=30)
    next_value = models.BigIntegerField(default=1)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["partner", "series"], name="base_counter_series")]


class Idempotency(models.Model):
    """The answer given under an Idempotency-Key (base.idempotency); empty while the first request is at work."""

    key = models.CharField(max_length=200)
    scope = models.CharField(max_length=80)
    body_hash = models.BinaryField()
    answer = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="base_idempotency_key")]


class ThrottleWindow(models.Model):
    """How often a key (account, network) tried within a window; shared by all web processes."""

    key = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    hits = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key"], name="base_throttle_key")]


class SearchWord(models.Model):
    """A word by which something is found (base.words). Written by the triggers of the tables that hold the text, never
    by us: so it is right whoever wrote there, by COPY as well. Its index by beginnings is made by the migration."""

    pk = models.CompositePrimaryKey("kind", "subject_id", "word")
    word = models.CharField(max_length=100, db_collation="C")
    kind = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    partner = models.ForeignKey(Partner, models.CASCADE, related_name="+", db_index=False)


def choices_check(column: str, enum: type[models.TextChoices], name: str) -> models.CheckConstraint:
    """The database's own refusal of a word outside `enum`."""
    return models.CheckConstraint(condition=in_list(column, enum.values), name=name)


def day_check(column: str, name: str) -> models.CheckConstraint:
    """The database's own refusal of a day that no fact can have."""
    return models.CheckConstraint(condition=models.Q(**{f"{column}__range": (FIRST_DAY, LAST_DAY)}), name=name)


def amount_check(column: str, name: str) -> models.CheckConstraint:
    """The database's own refusal of an amount beyond what may be entered, either side of zero; null passes."""
    return models.CheckConstraint(condition=models.Q(**{f"{column}__range": (-PRICE_MAX, PRICE_MAX)}), name=name)
