"""What is sold and what a customer holds. Prices, taxes and service states are dated facts, never edited."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from demarc.base.fields import RateField
from demarc.base.models import Partner, Recorded, amount_check, choices_check, day_check
from demarc.customers.models import Account, BlockCause, Customer

STANDARD = "standard"
"""The tax category of what is given none; it is free of tax until it has a rate."""


class PlanKind(models.TextChoices):
    INTERNET = "internet", "Internet"
    VOICE = "voice", "Voice"
    RECURRING = "recurring", "Recurring"
    ONE_TIME = "one_time", "One-time"


class ServiceState(models.TextChoices):
    PENDING = "pending", "Pending"
    ACTIVE = "active", "Active"
    PAUSED = "paused", "Paused"
    STOPPED = "stopped", "Stopped"
    ENDED = "ended", "Ended"


FEES = ("setup_fee", "change_fee", "cancellation_fee", "reactivation_fee")


class Plan(models.Model):
    """A tariff: name, speeds (internet only) and fees, minor units. Its price is in PlanPrice: of a month, or of a
    one-time plan that of the thing sold."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="plans")
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=PlanKind.choices, default=PlanKind.INTERNET)
    currency = models.CharField(max_length=3)
    tax_category = models.CharField(max_length=30, default=STANDARD)
    price_includes_tax = models.BooleanField(default=True)
    setup_fee = models.BigIntegerField(default=0, help_text="Billed when a service is activated first.")
    change_fee = models.BigIntegerField(default=0, help_text="Billed when a service is moved to this plan.")
    cancellation_fee = models.BigIntegerField(default=0, help_text="Billed when a service ends within its term.")
    reactivation_fee = models.BigIntegerField(default=0, help_text="Billed when a service is taken up again.")
    contract_months = models.PositiveSmallIntegerField(default=0, help_text="The term; 0: none.")
    speed_down_kbps = models.PositiveIntegerField(default=0)
    speed_up_kbps = models.PositiveIntegerField(default=0)
    burst_percent = models.PositiveSmallIntegerField(default=0, help_text="Burst above the speed; 0: none.")
    burst_threshold_percent = models.PositiveSmallIntegerField(default=75)
    burst_time_s = models.PositiveSmallIntegerField(default=30)
    priority = models.PositiveSmallIntegerField(default=8)
    contention_ratio = models.PositiveSmallIntegerField(default=1)
    for_sale = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partner", "name"], name="plans_plan_name"),
            choices_check("kind", PlanKind, "plans_plan_kind"),
            models.CheckConstraint(
                condition=Q(speed_down_kbps__range=(1, 400_000_000), speed_up_kbps__range=(1, 400_000_000))
                | (~Q(kind="internet") & Q(speed_down_kbps=0, speed_up_kbps=0)),
                name="plans_plan_speed",
            ),
            *(amount_check(fee, f"plans_plan_{fee}") for fee in FEES),
            models.CheckConstraint(condition=Q(contract_months__range=(0, 120)), name="plans_plan_contract"),
            models.CheckConstraint(condition=Q(priority__range=(1, 8)), name="plans_plan_priority"),
            models.CheckConstraint(condition=Q(contention_ratio__gte=1), name="plans_plan_contention"),
        ]

    def __str__(self) -> str:
        return self.name


class PlanPrice(Recorded):
    """The gross price of a month from `valid_from` on, in minor units; the newest recorded row for a date wins."""

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="prices")
    valid_from = models.DateField()
    amount = models.BigIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount__range=(0, 10**12)), name="plans_planprice_amount"),
            day_check("valid_from", "plans_planprice_day"),
        ]
        indexes = [models.Index(fields=["plan", "valid_from", "id"], name="plans_planprice_at")]


class TaxRate(Recorded):
    """The rate of a tax category from `valid_from` on, as a fraction (0.21)."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="tax_rates")
    category = models.CharField(max_length=30)
    valid_from = models.DateField()
    rate = RateField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(rate__range=(0, 1)), name="plans_taxrate_rate"),
            day_check("valid_from", "plans_taxrate_day"),
        ]
        indexes = [models.Index(fields=["partner", "category", "valid_from", "id"], name="plans_taxrate_at")]


class Service(models.Model):
    """What a customer holds and an account pays. State and access are projections of facts and blocks."""

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="services")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="services", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="services", db_index=False)
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="services")
    description = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=ServiceState.choices, default=ServiceState.PENDING)
    activated_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    blocked_cause = models.PositiveSmallIntegerField(
        choices=BlockCause.choices,
        null=True,
        default=BlockCause.NOT_ACTIVE,
        help_text="Null: access is granted.",
    )
    access_since = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [choices_check("state", ServiceState, "plans_service_state")]
        indexes = [
            models.Index(fields=["account"], name="plans_service_account"),
            models.Index(fields=["customer"], name="plans_service_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.plan} #{self.pk}"


class ServiceFact(Recorded):
    """Plan and state of a service from `valid_from` on, with an own monthly price where agreed; newest row wins."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="facts", db_index=False)
    valid_from = models.DateField()
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=ServiceState.choices)
    price_override = models.BigIntegerField(null=True)
    quantity = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [
            choices_check("state", ServiceState, "plans_servicefact_state"),
            models.CheckConstraint(condition=Q(quantity__range=(1, 1000)), name="plans_servicefact_quantity"),
            models.CheckConstraint(
                condition=Q(price_override=None) | Q(price_override__range=(0, 10**12)),
                name="plans_servicefact_price",
            ),
            day_check("valid_from", "plans_servicefact_day"),
        ]
        indexes = [models.Index(fields=["service", "valid_from", "id"], name="plans_servicefact_at")]


class Discount(Recorded):
    """A discount on a service from `valid_from` to `valid_to` (null: for good): hundredths of a percent, or minor units
    of each month. Never edited; one that ends early is withdrawn and given again."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="discounts", db_index=False)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)
    percent = models.PositiveIntegerField(default=0)
    fixed = models.BigIntegerField(default=0)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            day_check("valid_from", "plans_discount_day"),
            models.CheckConstraint(
                condition=Q(percent__range=(1, 10_000), fixed=0) | Q(percent=0, fixed__range=(1, 10**12)),
                name="plans_discount_worth",
            ),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=models.F("valid_from")), name="plans_discount_order"
            ),
        ]
        indexes = [models.Index(fields=["service", "valid_from"], name="plans_discount_at")]
