"""What staff type to try other prices, taxes and rules over the real customers."""

from decimal import Decimal
from typing import Any

from django import forms

from demarc.billing.forms_dunning import HOURS, whole
from demarc.plans.forms import plan_words
from demarc.plans.models import Plan
from demarc.ui.forms import Form, Groups, MoneyField, unit_input

AS_IS = ("", "As it is")


class WhatIfForm(Form):
    """What would be otherwise; what is left empty stays as it is."""

    plan_id = forms.TypedChoiceField(label="Plan", coerce=int, empty_value=None, required=False)
    price = MoneyField(label="Its price a month", required=False)
    category = forms.ChoiceField(label="Tax category", required=False)
    rate = forms.DecimalField(
        label="Its rate",
        required=False,
        max_digits=7,
        decimal_places=4,
        min_value=0,
        max_value=100,
        widget=unit_input("%"),
    )
    due_days = whole("Due", 0, 365, "After a document's date.")
    block_hour = forms.TypedChoiceField(
        label="Block at", choices=[AS_IS, *HOURS], coerce=int, empty_value=None, required=False
    )
    groups: Groups = (
        ("Price", ("plan_id", "price")),
        ("Tax", ("category", "rate")),
        ("Paying and blocking", ("due_days", "block_hour")),
    )

    def __init__(self, *args: Any, plans: list[Plan], categories: list[str], currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("plan_id", [("", "As they are"), *((plan.pk, plan_words(plan)) for plan in plans)])
        self.offer("category", [("", "As it is"), *((name, name) for name in categories)])
        self.in_currency(currency, "price")
        self.fields["due_days"].required = False

    def clean_rate(self) -> Decimal | None:
        """A percentage as a fraction."""
        rate: Decimal | None = self.cleaned_data["rate"]
        return None if rate is None else rate / 100

    def clean(self) -> dict[str, Any]:
        """A plan and its price, a category and its rate belong together; something must be another."""
        given = super().clean() or {}
        pairs = (("plan_id", "price", "Say which plan."), ("category", "rate", "Say which category."))
        for what, worth, missing in pairs:
            if worth in self.errors or what in self.errors:
                continue
            if given.get(what) and given.get(worth) is None:
                self.add_error(worth, "Say what it would be.")
            elif given.get(worth) is not None and not given.get(what):
                self.add_error(what, missing)
        if not self.errors and all(value in (None, "") for value in given.values()):
            raise forms.ValidationError("Change at least one thing.", code="required")
        return given
