"""What staff type about money. Field names are those of billing.actions."""

import uuid
from typing import Any

from django import forms

from demarc.billing.models import PaymentMethod
from demarc.ui.forms import Form, MoneyField


def fresh_key() -> str:
    """A key for one form: sent twice, it still moves the money once."""
    return f"form:{uuid.uuid4()}"


class KeyedForm(Form):
    """A form that moves money: its hidden key is made when the page is shown and comes back with it."""

    key = forms.CharField(max_length=80, widget=forms.HiddenInput, initial=fresh_key)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].in_currency(currency)  # type: ignore[attr-defined]


class PaymentForm(KeyedForm):
    """Money received."""

    amount = MoneyField(label="Amount")
    method = forms.ChoiceField(label="How", choices=PaymentMethod.choices)
    received_on = forms.DateField(label="Received on", widget=forms.DateInput(attrs={"type": "date"}))
    comment = forms.CharField(
        label="Comment", max_length=300, required=False, help_text="For colleagues, such as a receipt's number."
    )


class RefundForm(KeyedForm):
    """Money given back."""

    amount = MoneyField(label="Amount", help_text="All of it, or a part.")


class CorrectionForm(KeyedForm):
    """A balance put right."""

    amount = MoneyField(
        label="Amount", signed=True, help_text="Above zero raises the balance; with a minus, such as -5.00, lowers it."
    )
    reason = forms.CharField(label="Reason", max_length=300, help_text="Kept in the operation log.")
