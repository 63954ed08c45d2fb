"""Customers, the accounts that pay for them, and why somebody is blocked. Knows nothing of plans, money or networks."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from demarc.base.models import Location, Partner, Recorded, amount_check, choices_check, day_check


class Status(models.TextChoices):
    NEW = "new", "New"
    ACTIVE = "active", "Active"
    BLOCKED = "blocked", "Blocked"
    INACTIVE = "inactive", "Inactive"


class BillingType(models.TextChoices):
    PREPAID = "prepaid", "Prepaid"
    RECURRING = "recurring", "Recurring"


class DayRule(models.TextChoices):
    CALENDAR = "calendar", "Days of the calendar month"
    THIRTY = "thirty", "30-day month"


class LimitRule(models.TextChoices):
    COVER = "cover", "The next day must be covered"
    STOP_AT_LIMIT = "stop_at_limit", "Stop when the balance reaches the limit"


CATEGORIES = ("person", "company")


class Customer(models.Model):
    """A person or company that holds services. `status` follows the blocks; only actions set it."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="customers", db_index=False)
    location = models.ForeignKey(Location, models.PROTECT, null=True, blank=True, related_name="customers")
    number = models.CharField(max_length=30)
    name = models.CharField(max_length=200)
    category = models.CharField(max_length=10, default="person")
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    street = models.CharField(max_length=200, blank=True)
    zip_code = models.CharField(max_length=20, blank=True)
    city = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=5, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.NEW)
    status_since = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "number"], name="customers_customer_number"),
            choices_check("status", Status, "customers_customer_status"),
            models.CheckConstraint(condition=~Q(name=""), name="customers_customer_has_name"),
            models.CheckConstraint(condition=Q(category__in=CATEGORIES), name="customers_customer_category"),
        ]
        indexes = [
            models.Index(fields=["partner", "status", "id"], name="customers_by_status"),
            models.Index(fields=["partner", "name", "id"], name="customers_by_name"),
            models.Index(fields=["name", "id"], name="customers_names"),
            models.Index(fields=["number", "id"], name="customers_numbers"),
            models.Index(fields=["status", "id"], name="customers_statuses"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


class Account(models.Model):
    """The payer: one currency, one billing type. A sub-account pays through another (`parent`)."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="accounts", db_index=False)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="accounts")
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children")
    number = models.CharField(max_length=30)
    currency = models.CharField(max_length=3)
    zone = models.CharField(max_length=60)
    billing_type = models.CharField(max_length=10, choices=BillingType.choices, default=BillingType.PREPAID)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "number"], name="customers_account_number"),
            models.UniqueConstraint(fields=["id", "currency"], name="customers_account_currency"),
            choices_check("billing_type", BillingType, "customers_account_billing_type"),
        ]
        indexes = [models.Index(fields=["partner", "billing_type", "id"], name="customers_account_type")]

    def __str__(self) -> str:
        return self.number


class PartnerTerms(Recorded):
    """A partner's billing rules from `valid_from` on; the newest recorded row for a date wins; never edited."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="terms")
    valid_from = models.DateField()
    minimal_balance = models.BigIntegerField(default=0, help_text="Minor units of the partner's currency.")
    day_rule = models.CharField(max_length=10, choices=DayRule.choices, default=DayRule.CALENDAR)
    limit_rule = models.CharField(max_length=15, choices=LimitRule.choices, default=LimitRule.COVER)
    charge_activation_day = models.BooleanField(default=False)

    class Meta:
        constraints = [
            choices_check("day_rule", DayRule, "customers_partnerterms_day_rule"),
            choices_check("limit_rule", LimitRule, "customers_partnerterms_limit_rule"),
            day_check("valid_from", "customers_partnerterms_day"),
            amount_check("minimal_balance", "customers_partnerterms_limit"),
        ]
        indexes = [models.Index(fields=["partner", "valid_from", "id"], name="customers_partnerterms_at")]


class AccountTerms(Recorded):
    """An account's own rules from `valid_from` on; a null leaves that rule to the partner's terms; never edited."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="terms", db_index=False)
    valid_from = models.DateField()
    minimal_balance = models.BigIntegerField(null=True, blank=True)
    day_rule = models.CharField(max_length=10, choices=DayRule.choices, null=True, blank=True)
    limit_rule = models.CharField(max_length=15, choices=LimitRule.choices, null=True, blank=True)
    charge_activation_day = models.BooleanField(null=True, blank=True)

    class Meta:
        constraints = [
            choices_check("day_rule", DayRule, "customers_accountterms_day_rule"),
            choices_check("limit_rule", LimitRule, "customers_accountterms_limit_rule"),
            day_check("valid_from", "customers_accountterms_day"),
            amount_check("minimal_balance", "customers_accountterms_limit"),
        ]
        indexes = [models.Index(fields=["account", "valid_from", "id"], name="customers_accountterms_at")]


class RecurringTerms(Recorded):
    """How recurring accounts are billed from `valid_from` on: a partner's (`account` null) or an account's own, where a
    null leaves that rule to the partner's; never edited. The words are core.recurring.Rules's. `invoice_consumed` is
    for prepaid accounts: an invoice on the 1st for what was charged in the month before."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="recurring_terms")
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="recurring_terms")
    valid_from = models.DateField()
    billing_day = models.PositiveSmallIntegerField(
        null=True, help_text="1 to 31, 31 the last day of any month; 0: the day on which the first service began."
    )
    period_months = models.PositiveSmallIntegerField(null=True)
    postpaid = models.BooleanField(null=True)
    due_days = models.PositiveSmallIntegerField(null=True)
    own_first = models.BooleanField(null=True)
    credit_pause = models.BooleanField(null=True)
    credit_leave = models.BooleanField(null=True)
    invoice_consumed = models.BooleanField(null=True)

    class Meta:
        constraints = [
            day_check("valid_from", "customers_recurringterms_day"),
            models.CheckConstraint(
                condition=Q(billing_day=None) | Q(billing_day__range=(0, 31)), name="customers_recurringterms_billing"
            ),
            models.CheckConstraint(
                condition=Q(period_months=None) | Q(period_months__range=(1, 12)),
                name="customers_recurringterms_period",
            ),
            models.CheckConstraint(
                condition=Q(due_days=None) | Q(due_days__range=(0, 365)), name="customers_recurringterms_due"
            ),
        ]
        indexes = [models.Index(fields=["partner", "account", "valid_from", "id"], name="customers_recurring_at")]


class BlockCause(models.IntegerChoices):
    """Why access is withheld; the numbers are the RADIUS causes (core.access.Cause)."""

    NOT_ACTIVE = 1, "Blocked by staff"
    NO_MONEY = 2, "No money"


class Block(models.Model):
    """A block and who set it. Of the customer (`account` null) or of one account; payment lifts only NO_MONEY.

    `grace_until`: staff let him online without money until then; the block itself stays open.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="blocks", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="blocks", db_index=False)
    cause = models.PositiveSmallIntegerField(choices=BlockCause.choices)
    reason = models.CharField(max_length=200, blank=True)
    set_at = models.DateTimeField(help_text="Blocked from this moment (00:00 of the day for money).")
    set_by_kind = models.CharField(max_length=10)
    set_by_id = models.BigIntegerField(default=0)
    set_by_label = models.CharField(max_length=150)
    grace_until = models.DateTimeField(null=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by_label = models.CharField(max_length=150, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(lifted_at=None, account__isnull=False),
                name="customers_block_one_money",
            ),
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(lifted_at=None, account=None),
                name="customers_block_one_staff",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at=None) | Q(lifted_at__gte=F("set_at")), name="customers_block_order"
            ),
            models.CheckConstraint(
                condition=Q(cause=BlockCause.NOT_ACTIVE, account=None)
                | Q(cause=BlockCause.NO_MONEY, account__isnull=False),
                name="customers_block_whose",
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-id"], name="customers_block_history"),
            models.Index(fields=["account", "set_at"], name="customers_block_account"),
        ]
