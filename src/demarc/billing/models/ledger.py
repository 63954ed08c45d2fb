"""The ledger and what is decided from it: transfers, payments, billing days. No rule lives here; see core.charging."""

from django.db import models
from django.db.models import F, Q

from demarc.base.models import Partner, Recorded, choices_check, day_check
from demarc.customers.models import Account


class LedgerKind(models.TextChoices):
    PAYER = "payer", "Customer account"
    REVENUE = "revenue", "Revenue"
    TAX = "tax", "Tax"
    CASH = "cash", "Till"
    CLEARING = "clearing", "Bank or gateway"
    DEFERRED = "deferred", "Deferred revenue"
    VOUCHER = "voucher", "Vouchers"
    WRITEOFF = "writeoff", "Write-off and corrections"
    ROUNDING = "rounding", "Rounding"
    EXCHANGE = "exchange", "Exchange"


class TransferKind(models.TextChoices):
    CHARGE = "charge", "Charge"
    PAYMENT = "payment", "Payment"
    REFUND = "refund", "Refund"
    CORRECTION = "correction", "Correction"
    DOCUMENT = "document", "Invoice or credit note"
    TAX = "tax", "Tax of consumed services"
    MOVED = "moved", "Moved between accounts"


class Decision(models.TextChoices):
    CHARGED = "charged", "Charged"
    BLOCKED = "blocked", "Blocked"
    NOTHING_DUE = "nothing_due", "Nothing due"


class PaymentMethod(models.TextChoices):
    CASH = "cash", "Cash"
    BANK = "bank", "Bank transfer"
    CARD = "card", "Card"


class LedgerAccount(models.Model):
    """One side of transfers. Balance = credits - debits, stored for payers and tills only (no hot rows)."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=LedgerKind.choices)
    currency = models.CharField(max_length=3)
    name = models.CharField(max_length=80, help_text="The category, rate, till or bank; empty for a payer.", blank=True)
    payer = models.OneToOneField(Account, models.PROTECT, null=True, related_name="ledger")
    balance = models.BigIntegerField(null=True, help_text="Minor units; null where balances are summed, not stored.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["id", "currency"], name="billing_ledgeraccount_currency"),
            models.UniqueConstraint(
                fields=["partner", "kind", "currency", "name"],
                condition=Q(payer=None),
                name="billing_ledgeraccount_house",
            ),
            models.CheckConstraint(
                condition=Q(kind="payer", payer__isnull=False, balance__isnull=False)
                | Q(kind="cash", payer=None, balance__isnull=False)
                | (~Q(kind__in=["payer", "cash"]) & Q(payer=None, balance=None)),
                name="billing_ledgeraccount_stored_balance",
            ),
            choices_check("kind", LedgerKind, "billing_ledgeraccount_kind"),
            models.CheckConstraint(
                condition=~Q(kind="payer") | Q(balance__range=(-(10**15), 10**15)), name="billing_ledgeraccount_limit"
            ),
        ]


class Transfer(models.Model):
    """Money moved from one ledger account to another. Immutable: grants, triggers and no code path to change it.

    `entry_id` groups the transfers of one business fact, in one transaction. No free text, no personal data.
    The ids of the facts a charge used are stored, so that it can be explained and replayed.
    """

    # A day of 100,000 accounts writes as many rows, and each index and foreign key is paid for in every one. The
    # composite foreign keys (with the currency, migration 0002) hold the accounts; `demarc check` holds the partner.
    entry_id = models.BigIntegerField()
    seq = models.PositiveSmallIntegerField(default=0)
    debit_account = models.ForeignKey(
        LedgerAccount, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    credit_account = models.ForeignKey(
        LedgerAccount, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    day = models.DateField()
    recorded_at = models.DateTimeField()
    kind = models.CharField(max_length=10, choices=TransferKind.choices)
    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="transfers", db_index=False, db_constraint=False)
    service_id = models.BigIntegerField(null=True)
    price_fact_id = models.BigIntegerField(null=True)
    service_fact_id = models.BigIntegerField(null=True)
    key = models.CharField(
        max_length=120,
        help_text="Idempotency: one effect per key, for ever. Of a service's charge the service and the day are that.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry_id", "seq"], name="billing_transfer_entry"),
            models.UniqueConstraint(
                fields=["key", "seq"], condition=~Q(kind="charge") | Q(service_id=None), name="billing_transfer_key"
            ),
            models.UniqueConstraint(
                fields=["service_id", "day"],
                condition=Q(kind="charge"),
                name="billing_transfer_one_charge_a_day",
            ),
            models.CheckConstraint(condition=Q(amount__range=(1, 10**15)), name="billing_transfer_amount"),
            models.CheckConstraint(condition=~Q(debit_account=F("credit_account")), name="billing_transfer_two_sides"),
            models.CheckConstraint(condition=Q(day__range=("2000-01-01", "2199-12-31")), name="billing_transfer_day"),
            choices_check("kind", TransferKind, "billing_transfer_kind"),
        ]
        indexes = [models.Index(fields=["account", "day", "id"], name="billing_transfer_account")]


class DayDecision(models.Model):
    """What was decided about an account's prepaid day, and what it cost. One row per account and day."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="days", db_index=False)
    day = models.DateField()
    decision = models.CharField(max_length=12, choices=Decision.choices)
    cost = models.BigIntegerField()
    balance_before = models.BigIntegerField()
    catch_up = models.BooleanField(default=False)
    decided_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, help_text="Blocked at 00:00, then paid within the day.")
    entry_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "day"], name="billing_daydecision_day"),
            models.CheckConstraint(condition=Q(cost__gte=0), name="billing_daydecision_cost"),
            models.CheckConstraint(
                condition=Q(decision="charged", entry_id__isnull=False) | (~Q(decision="charged") & Q(entry_id=None)),
                name="billing_daydecision_entry",
            ),
            choices_check("decision", Decision, "billing_daydecision_decision"),
        ]


class PrepaidState(models.Model):
    """How far an account's days are decided; its row is locked by whoever decides or pays."""

    account = models.OneToOneField(Account, models.PROTECT, primary_key=True, related_name="prepaid")
    decided_through = models.DateField()
    begun_on = models.DateField(null=True, help_text="The first day decided, where the account was recurring before.")
    parked_reason = models.CharField(max_length=300, blank=True, help_text="Left out of runs until someone looks.")
    parked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [day_check("decided_through", "billing_prepaidstate_range")]


class BillingDay(models.Model):
    """One run of one day for one partner; `finished_at` set when no account is behind it."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="billing_days")
    day = models.DateField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    charged = models.PositiveIntegerField(default=0)
    blocked = models.PositiveIntegerField(default=0)
    nothing_due = models.PositiveIntegerField(default=0)
    parked = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "day"], name="billing_billingday_day"),
            day_check("day", "billing_billingday_range"),
        ]


class Payment(Recorded):
    """Money received from, or given back to, a customer; the transfer is in the ledger under `entry_id`."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="payments", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="payments", db_index=False)
    number = models.CharField(max_length=30)
    amount = models.BigIntegerField(help_text="Minor units; negative for a refund.")
    currency = models.CharField(max_length=3)
    method = models.CharField(max_length=10, choices=PaymentMethod.choices)
    received_on = models.DateField()
    comment = models.CharField(max_length=300, blank=True)
    refunds = models.ForeignKey("self", models.PROTECT, null=True, related_name="refunded_by")
    entry_id = models.BigIntegerField(unique=True)
    key = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "number"], name="billing_payment_number"),
            models.UniqueConstraint(fields=["partner", "key"], name="billing_payment_key"),
            models.CheckConstraint(condition=~Q(amount=0), name="billing_payment_amount"),
            choices_check("method", PaymentMethod, "billing_payment_method"),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="billing_payment_account")]
