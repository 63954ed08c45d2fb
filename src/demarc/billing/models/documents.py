"""Invoices as records: what was billed for which days, how it was taxed, what is still open. No rule lives here."""

from django.db import models
from django.db.models import F, Q, Value

from demarc.base.fields import RateField
from demarc.base.models import Partner, Recorded, choices_check, day_check
from demarc.billing.models.ledger import Payment
from demarc.customers.models import Account
from demarc.plans.models import Service


class DocumentKind(models.TextChoices):
    INVOICE = "invoice", "Invoice"
    CREDIT_NOTE = "credit_note", "Credit note"
    PROFORMA = "proforma", "Proforma"


class DocumentSource(models.TextChoices):
    RUN = "run", "Regular"
    FIRST = "first", "First period"
    CHANGE = "change", "Change"
    MANUAL = "manual", "By hand"
    CONSUMED = "consumed", "Consumed prepaid services"


class RunState(models.TextChoices):
    PREVIEW = "preview", "Preview"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    HELD = "held", "Held for a person"
    CANCELLED = "cancelled", "Cancelled"
    DONE = "done", "Done"


class InvoiceRun(Recorded):
    """The documents of one partner's billing days through `day`: previewed, confirmed, posted; see actions.runs.

    `preview_hash` and `posted_hash` are over every line; they are equal when no fact changed between the two.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="invoice_runs")
    day = models.DateField()
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.PREVIEW)
    accounts = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    documents = models.PositiveIntegerField(default=0)
    net = models.BigIntegerField(default=0)
    tax = models.BigIntegerField(default=0)
    gross = models.BigIntegerField(default=0)
    anomalies = models.JSONField(default=list)
    preview_hash = models.CharField(max_length=64, blank=True)
    posted_hash = models.CharField(max_length=64, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    confirmed_by = models.CharField(max_length=150, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            choices_check("state", RunState, "billing_invoicerun_state"),
            day_check("day", "billing_invoicerun_range"),
            models.UniqueConstraint(
                fields=["partner"], condition=Q(state__in=["running", "paused"]), name="billing_invoicerun_one"
            ),
        ]
        indexes = [models.Index(fields=["partner", "-id"], name="billing_invoicerun_newest")]


class PreviewRow(models.Model):
    """A document of a previewed run: what it will sum to, what the account's last regular one did, what is odd."""

    run = models.ForeignKey(InvoiceRun, models.CASCADE, related_name="rows", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    day = models.DateField()
    gross = models.BigIntegerField()
    previous = models.BigIntegerField(null=True)
    flag = models.CharField(max_length=30, blank=True)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["run", "id"], name="billing_previewrow_run"),
            models.Index(fields=["run", "flag", "id"], condition=~Q(flag=""), name="billing_previewrow_flags"),
        ]


class Document(Recorded):
    """An invoice, credit note (sums negative) or proforma. Its sums, lines and taxes never change; `open_amount` is
    what is still to be paid of an invoice. `parties` is who sold to whom, as it was on the day. That the account exists
    the database knows by the foreign key on (account, currency) of migration 0004."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="documents", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="documents", db_index=False, db_constraint=False)
    kind = models.CharField(max_length=12, choices=DocumentKind.choices)
    source = models.CharField(max_length=10, choices=DocumentSource.choices)
    number = models.CharField(max_length=30)
    issued_on = models.DateField()
    due_on = models.DateField()
    currency = models.CharField(max_length=3)
    net = models.BigIntegerField()
    tax = models.BigIntegerField()
    gross = models.BigIntegerField()
    open_amount = models.BigIntegerField(default=0)
    first_day = models.DateField()
    last_day = models.DateField()
    entry_id = models.BigIntegerField(null=True, help_text="Null: nothing was to be moved in the ledger.")
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="corrected_by", db_index=False)
    run = models.ForeignKey(InvoiceRun, models.PROTECT, null=True, related_name="+", db_index=False)
    parties = models.JSONField()
    disputed_at = models.DateTimeField(null=True)
    key = models.CharField(max_length=120, help_text="One document per key, for ever.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "kind", "number"], name="billing_document_number"),
            models.UniqueConstraint(fields=["key"], name="billing_document_key"),
            models.CheckConstraint(condition=Q(gross=F("net") + F("tax")), name="billing_document_sums"),
            models.CheckConstraint(
                condition=Q(open_amount=0) | Q(kind="invoice", open_amount__range=(0, F("gross"))),
                name="billing_document_open",
            ),
            choices_check("kind", DocumentKind, "billing_document_kind"),
            choices_check("source", DocumentSource, "billing_document_source"),
            day_check("issued_on", "billing_document_issued"),
        ]
        indexes = [
            models.Index(fields=["account", "issued_on", "id"], name="billing_document_account"),
            models.Index(fields=["partner", "-id"], name="billing_document_newest"),
            models.Index(fields=["account", "due_on"], condition=Q(open_amount__gt=0), name="billing_document_owed"),
            models.Index(fields=["corrects"], condition=Q(corrects__isnull=False), name="billing_document_corrects"),
        ]

    def __str__(self) -> str:
        return self.number


class DocumentLine(models.Model):
    """A line: `amount` includes the tax or not, as `included` says. `derivation`: of each billed month
    [first day, days, of days, price, quantity, discount percent, discount, amount], the chain of facts beside it."""

    document = models.ForeignKey(Document, models.PROTECT, related_name="lines", db_index=False)
    seq = models.PositiveSmallIntegerField()
    service_id = models.BigIntegerField(null=True)
    text = models.CharField(max_length=200)
    first_day = models.DateField()
    last_day = models.DateField()
    amount = models.BigIntegerField()
    included = models.BooleanField()
    tax_category = models.CharField(max_length=30)
    rate = RateField()
    revenue = models.CharField(max_length=30)
    derivation = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["document", "seq"], name="billing_documentline_seq"),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="billing_documentline_days"),
        ]


class DocumentTax(models.Model):
    """The tax of one category and rate on a document."""

    document = models.ForeignKey(Document, models.PROTECT, related_name="taxes", db_index=False)
    category = models.CharField(max_length=30)
    rate = RateField()
    net = models.BigIntegerField()
    tax = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "category", "rate"], name="billing_documenttax_one")]


class Cover(models.Model):
    """Days of a service that are billed, of one month at one price. Of live covers no two of a service share a day: the
    database refuses it (migration 0007). One that a correction replaced is kept, `replaced_by` that document."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="covers", db_index=False, db_constraint=False)
    document = models.ForeignKey(Document, models.PROTECT, related_name="covers", db_index=False)
    replaced_by = models.ForeignKey(Document, models.PROTECT, null=True, related_name="replaces", db_index=False)
    first_day = models.DateField()
    last_day = models.DateField()
    month = models.DateField(help_text="The first day of the billing month that they are part of.")
    of_days = models.PositiveSmallIntegerField()
    plan_id = models.BigIntegerField()
    own = models.BooleanField()
    price = models.BigIntegerField()
    quantity = models.PositiveSmallIntegerField()
    percent = models.PositiveSmallIntegerField()
    fixed = models.BigIntegerField()
    amount = models.BigIntegerField()
    tax_category = models.CharField(max_length=30)
    rate = RateField()
    included = models.BooleanField()
    revenue = models.CharField(max_length=30)
    service_fact_id = models.BigIntegerField()
    price_fact_id = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day"), first_day__gte=F("month")), name="billing_cover_days"
            ),
        ]


class Allocation(models.Model):
    """What an invoice was paid with: a payment, a credit note, or what was on the account before (both null)."""

    document = models.ForeignKey(Document, models.PROTECT, related_name="allocations")
    payment = models.ForeignKey(Payment, models.PROTECT, null=True, related_name="allocations", db_index=False)
    credit_note = models.ForeignKey(Document, models.PROTECT, null=True, related_name="used_for", db_index=False)
    amount = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="billing_allocation_amount"),
            models.CheckConstraint(
                condition=Q(payment=None) | Q(credit_note=None), name="billing_allocation_one_source"
            ),
        ]
        indexes = [
            models.Index(fields=["payment"], condition=Q(payment__isnull=False), name="billing_allocation_payment"),
            models.Index(
                fields=["credit_note"], condition=Q(credit_note__isnull=False), name="billing_allocation_credit"
            ),
        ]


class Item(Recorded):
    """Something to be billed once: a fee, a sale, a rebate (negative). On the next document, or on one of its own."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, models.PROTECT, related_name="items")
    service = models.ForeignKey(Service, models.PROTECT, null=True, related_name="items")
    text = models.CharField(max_length=200)
    amount = models.BigIntegerField()
    included = models.BooleanField(default=True)
    tax_category = models.CharField(max_length=30, default="standard")
    revenue = models.CharField(max_length=30, default="one_time")
    due_from = models.DateField()
    document = models.ForeignKey(Document, models.PROTECT, null=True, related_name="items")
    cancelled_at = models.DateTimeField(null=True)
    key = models.CharField(max_length=80, null=True, help_text="Of a fee: one item per key, for ever.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], name="billing_item_key"),
            models.CheckConstraint(
                condition=~Q(amount=0) & Q(amount__range=(-(10**12), 10**12)), name="billing_item_amount"
            ),
            models.CheckConstraint(condition=Q(document=None) | Q(cancelled_at=None), name="billing_item_end"),
        ]
        indexes = [
            models.Index(
                fields=["account", "due_from"], condition=Q(document=None, cancelled_at=None), name="billing_item_open"
            )
        ]


class RecurringState(models.Model):
    """When an account gets its next regular document; its row is written by whoever bills it. `billing_day`: where the
    rules say "the day on which the first service began", that day."""

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True, related_name="recurring")
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_index=False)
    next_on = models.DateField()
    billing_day = models.PositiveSmallIntegerField()
    parked_reason = models.CharField(max_length=300, blank=True, help_text="Left out of runs until someone looks.")
    parked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [day_check("next_on", "billing_recurringstate_range")]
        indexes = [models.Index(fields=["partner", "next_on", "account"], name="billing_recurringstate_due")]


class BilledThrough(models.Model):
    """The last day that a service is billed for, and the first that its documents bill: the calendar is its payer's,
    these days are its own, whoever pays for it."""

    service = models.OneToOneField(
        Service, models.PROTECT, primary_key=True, related_name="billed", db_constraint=False
    )
    day = models.DateField()
    begun_on = models.DateField(help_text="Days before it were paid by the day, or are settled for good.")

    class Meta:
        constraints = [
            day_check("day", "billing_billedthrough_range"),
            models.CheckConstraint(condition=Q(begun_on__lte=F("day") + Value(1)), name="billing_billedthrough_order"),
        ]
