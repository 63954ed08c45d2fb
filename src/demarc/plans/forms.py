"""What staff type about plans and services. Field names are those of plans.actions."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from demarc.plans.models import FEES, STANDARD, Plan, PlanKind
from demarc.ui import formats
from demarc.ui.forms import Form, LookedForm, MoneyField, unit_input

KBPS = unit_input("kbit/s")
PERCENT = unit_input("%")


class PlanForm(Form):
    """A tariff's record, without its price."""

    name = forms.CharField(label="Name", max_length=120)
    speed_down_kbps = forms.IntegerField(
        label="Download speed", widget=KBPS, required=False, help_text="Of internet plans: 100 Mbit/s is 100000 kbit/s."
    )
    speed_up_kbps = forms.IntegerField(label="Upload speed", widget=KBPS, required=False)
    tax_category = forms.ChoiceField(
        label="Tax category", initial=STANDARD, help_text="More are made in the provider's settings, with their rates."
    )
    price_includes_tax = forms.BooleanField(label="Its prices and fees include tax", required=False, initial=True)
    setup_fee = MoneyField(label="Setup", required=False, help_text="When a service is activated first.")
    change_fee = MoneyField(label="Change to this plan", required=False)
    reactivation_fee = MoneyField(label="Reactivation", required=False, help_text="After a pause or a stop.")
    contract_months = forms.IntegerField(
        label="Contract term", widget=unit_input("months"), initial=0, min_value=0, max_value=120
    )
    cancellation_fee = MoneyField(label="End within the term", required=False)
    for_sale = forms.BooleanField(label="For sale: may be chosen for new services", required=False, initial=True)
    burst_percent = forms.IntegerField(
        label="Burst above the speed", widget=PERCENT, initial=0, help_text="0: no burst."
    )
    burst_threshold_percent = forms.IntegerField(label="Burst while the average is below", widget=PERCENT, initial=75)
    burst_time_s = forms.IntegerField(label="Average over", widget=unit_input("seconds"), initial=30)
    priority = forms.IntegerField(label="Priority", initial=8, help_text="1 is served first, 8 last.")
    contention_ratio = forms.IntegerField(
        label="Contention 1 :", initial=1, help_text="How many customers share the speed; 1: nobody else."
    )
    groups = (
        ("Fees and term", (*FEES[:2], "reactivation_fee", "contract_months", "cancellation_fee")),
        (
            "Burst and sharing",
            ("burst_percent", "burst_threshold_percent", "burst_time_s", "priority", "contention_ratio"),
        ),
    )

    def __init__(self, *args: Any, currency: str, taxes: Mapping[str, Decimal | None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer(
            "tax_category", tax_choices(taxes, self.get_initial_for_field(self.fields["tax_category"], "tax_category"))
        )
        for field in self.fields.values():
            if isinstance(field, MoneyField):
                field.in_currency(currency)

    def clean(self) -> dict[str, Any]:
        """No fee typed is none; a speed left empty is not named."""
        given = super().clean() or {}
        given |= {fee: given.get(fee) or 0 for fee in FEES if fee in given}
        return {name: value for name, value in given.items() if value is not None}


class NewPlanForm(PlanForm):
    """A new tariff with its first price."""

    kind = forms.ChoiceField(label="Kind", choices=PlanKind.choices, initial=PlanKind.INTERNET)
    price = MoneyField(label="Price a month", help_text="Of a one-time plan: of the thing sold.")

    field_order = (
        "name",
        "kind",
        "price",
        "price_includes_tax",
        "speed_down_kbps",
        "speed_up_kbps",
        "tax_category",
        "for_sale",
    )


class PriceForm(Form):
    """A plan's price from a day on."""

    amount = MoneyField(label="Price a month")
    valid_from = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_currency(currency, "amount")


class TaxForm(Form):
    """A tax category's rate from a day on."""

    category = forms.CharField(
        label="Category", max_length=30, initial=STANDARD, help_text="One that is not there yet is made by this."
    )
    rate = forms.DecimalField(label="Rate", max_digits=7, decimal_places=4, widget=unit_input("%"))
    valid_from = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))

    def clean_rate(self) -> Decimal:
        """A percentage as a fraction."""
        rate: Decimal = self.cleaned_data["rate"]
        return rate / 100


class PlanChoiceForm(LookedForm):
    """Which plan, and at what price of its own."""

    plan_id = forms.TypedChoiceField(label="Plan", coerce=int)
    price_override = MoneyField(label="Own price a month", required=False, help_text="Empty: the plan's price.")

    def __init__(self, *args: Any, plans: list[Plan], currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("plan_id", [(plan.pk, plan_words(plan)) for plan in plans])
        self.in_currency(currency, "price_override")


class NewServiceForm(PlanChoiceForm):
    """A service for a customer."""

    description = forms.CharField(
        label="Description",
        max_length=200,
        required=False,
        help_text="Where it is, where there are several: “shop”, “flat 2”.",
    )


class BlockForm(Form):
    """Why staff block somebody."""

    reason = forms.CharField(
        label="Reason", max_length=200, required=False, help_text="For colleagues; the customer does not see it."
    )


class ConfirmForm(Form):
    """Nothing to fill in: the button alone says what happens."""


def tax_choices(taxes: Mapping[str, Decimal | None], held: str = STANDARD) -> list[tuple[str, str]]:
    """Tax categories with their rates, as plans.queries.tax_categories tells them, to choose from; `held` too."""
    rates = dict(sorted(({held: None} | dict(taxes)).items()))
    return [
        (name, f"{name}, {formats.percent(rate)}" if rate is not None else f"{name}, no rate yet")
        for name, rate in rates.items()
    ]


def plan_words(plan: Plan) -> str:
    """A plan in a choice: name, speeds and price (plans.queries.plan_list annotates it)."""
    price = formats.money(getattr(plan, "price", None), plan.currency)
    if not plan.speed_down_kbps:
        return f"{plan.name}: {price} a month"
    return f"{plan.name}: {formats.speed(plan.speed_down_kbps)} / {formats.speed(plan.speed_up_kbps)}, {price} a month"
