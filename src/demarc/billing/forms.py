"""What staff type about money. Field names are those of billing.actions."""

import uuid
from typing import Any

from django import forms
from django.utils.html import format_html

from demarc.base import clock
from demarc.billing.models import PaymentMethod
from demarc.core.errors import Refused
from demarc.customers.models import Account
from demarc.plans.forms import tax_choices
from demarc.plans.models import STANDARD, Service, ServiceState
from demarc.plans.queries import tax_categories
from demarc.ui import formats
from demarc.ui.forms import Form, LookedForm, MoneyField, unit_input

DATE = forms.DateInput(attrs={"type": "date"})
WHEN = (("", "On the next document"), ("yes", "Now, on a document of its own"))


def fresh_key() -> str:
    """A key for one form: sent twice, it still moves the money once."""
    return f"form:{uuid.uuid4()}"


class KeyedForm(Form):
    """A form that moves money: its hidden key is made when the page is shown and comes back with it. `makes` is the
    noun of what is recorded under it."""

    makes = "payment"
    key = forms.CharField(max_length=80, widget=forms.HiddenInput, initial=fresh_key)

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_currency(currency, "amount")

    def refuse(self, refused: Refused) -> None:
        """As any form; whoever came back to one that was sent already is told so, and where a new one is."""
        if (refused.field, refused.code) != ("key", "conflict"):
            super().refuse(refused)
            return
        told = f"The {self.makes} of this form was recorded already; nothing was changed by sending it again."
        message = format_html('{} <a href="?">Record another {}</a>', told, self.makes)
        self.add_error(None, forms.ValidationError(message, code=refused.code))


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

    makes = "refund"
    amount = MoneyField(label="Amount", help_text="All of it, or a part.")


class CorrectionForm(KeyedForm):
    """A balance put right."""

    makes = "correction"
    amount = MoneyField(
        label="Amount", signed=True, help_text="Above zero raises the balance; with a minus, such as -5.00, lowers it."
    )
    reason = forms.CharField(label="Reason", max_length=300, help_text="Kept in the operation log.")


class ItemForm(KeyedForm):
    """Something to be billed once."""

    makes = "item"
    text = forms.CharField(label="What", max_length=200, help_text="It stands so on the document.")
    amount = MoneyField(label="Amount", signed=True, help_text="With a minus, such as -5.00, it is a rebate.")
    included = forms.BooleanField(label="The amount includes tax", required=False, initial=True)
    tax_category = forms.ChoiceField(label="Tax category", initial=STANDARD)
    service_id = forms.TypedChoiceField(label="For the service", coerce=int, empty_value=None, required=False)
    due_from = forms.DateField(label="Billed from", widget=DATE)
    now = forms.TypedChoiceField(
        label="When", choices=WHEN, required=False, coerce=lambda word: word == "yes", empty_value=None
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, currency=account.currency, **kwargs)
        held = Service.objects.filter(account=account).exclude(state=ServiceState.ENDED).select_related("plan")
        choices = [(service.pk, str(service)) for service in held.order_by("id")[:200]]
        self.offer("service_id", [("", "None in particular"), *choices])
        self.offer("tax_category", tax_choices(tax_categories(account.partner_id, clock.today(account.zone))))


class ServicePriceForm(LookedForm):
    """A service's own price and number."""

    price = MoneyField(label="Own price a month", required=False, help_text="Empty: the plan's price.")
    quantity = forms.IntegerField(label="How many", min_value=1, max_value=1000, initial=1)
    valid_from = forms.DateField(label="From", widget=DATE, help_text="A day of the past is put right by one document.")

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_currency(currency, "price")


class DiscountForm(LookedForm):
    """A discount for a time: so many percent, or an amount of each month."""

    percent = forms.DecimalField(
        label="Discount", required=False, max_digits=5, decimal_places=2, min_value=0, widget=unit_input("%")
    )
    fixed = MoneyField(label="Or off each month", required=False)
    valid_from = forms.DateField(label="From", widget=DATE)
    valid_to = forms.DateField(label="Until", widget=DATE, required=False, help_text="Empty: for good.")

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_currency(currency, "fixed")

    def clean_percent(self) -> int:
        """Percent in hundredths, as they are kept; 0 when there is none."""
        return round((self.cleaned_data["percent"] or 0) * 100)

    def clean_fixed(self) -> int:
        """Nothing typed is nothing off."""
        return self.cleaned_data["fixed"] or 0


class AutoIssueForm(Form):
    """Whether runs in which nothing is odd wait for a person."""

    auto = forms.TypedChoiceField(
        label="Documents that are due",
        choices=(
            ("yes", "Are issued by themselves when nothing is odd"),
            ("no", "Wait for a person to confirm them, always"),
        ),
        coerce=lambda word: word == "yes",
    )


BILLING_DAYS = (
    *((day, f"On the {formats.ordinal(day)} of a month") for day in range(1, 31)),
    (31, "On the last day of a month"),
    (0, "On the day on which the first service began"),
)
AHEAD = (("no", "Before the period, for the days to come"), ("yes", "After the period, for the days that are over"))
FIRST = (("yes", "Gets its own document at once"), ("no", "Waits for the next document"))
CREDIT = (("yes", "Are given back"), ("no", "Are kept"))
CONSUMED = (("no", "Get no invoice"), ("yes", "Come on one invoice a month, made on the 1st and paid already"))


class YesNoField(forms.TypedChoiceField):
    """Yes or no in whole sentences; left open it is None."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=lambda word: word == "yes", empty_value=None, **kwargs)


class CalendarForm(Form):
    """How a provider's recurring accounts are billed from a day on."""

    valid_from = forms.DateField(label="From", widget=DATE)
    billing_day = forms.TypedChoiceField(label="Documents", choices=BILLING_DAYS, coerce=int, empty_value=None)
    period_months = forms.IntegerField(label="They bill", min_value=1, max_value=12, widget=unit_input("months"))
    postpaid = YesNoField(label="When", choices=AHEAD)
    due_days = forms.IntegerField(label="To be paid within", min_value=0, max_value=365, widget=unit_input("days"))
    own_first = YesNoField(label="A service that begins within a period", choices=FIRST)
    credit_pause = YesNoField(label="Days billed ahead of a service that is paused", choices=CREDIT)
    credit_leave = YesNoField(label="Days billed ahead of one that is stopped or ended", choices=CREDIT)
    invoice_consumed = YesNoField(label="Days that a prepaid account was charged", choices=CONSUMED)


class AccountCalendarForm(CalendarForm):
    """How one account is billed; what is left open follows the provider."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.required = name == "valid_from"
            if isinstance(field, forms.TypedChoiceField):
                known: Any = field.choices
                field.choices = [("", "As the provider's"), *known]


class EndDiscountForm(LookedForm):
    """When a discount ends."""

    last_day = forms.DateField(
        label="Last day", widget=DATE, required=False, help_text="Empty: as if it had never been given."
    )


class LinkForm(LookedForm):
    """Through which account another one pays."""

    number = forms.CharField(
        label="Number of the account that pays", max_length=30, help_text="It is on the money page of its customer."
    )


class CreditForm(LookedForm):
    """Why an invoice is taken back."""

    reason = forms.CharField(
        label="Reason", max_length=300, required=False, help_text="Kept in the operation log, not on the credit note."
    )
