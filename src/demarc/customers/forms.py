"""What staff type about customers and their terms. Field names are those of customers.actions."""

from typing import Any

from django import forms
from django.conf import settings

from demarc.base.models import Location, Partner
from demarc.customers.models import BillingType, DayRule, LimitRule
from demarc.ui.forms import Form, Groups, MoneyField

AS_PARTNER = ("", "As the provider's terms say")
YES_NO = (("yes", "Yes, in full"), ("no", "No, from the next 00:00"))


class CustomerForm(Form):
    """A customer's record."""

    name = forms.CharField(label="Name", max_length=200)
    category = forms.ChoiceField(label="Person or company", choices=(("person", "Person"), ("company", "Company")))
    phone = forms.CharField(label="Phone", max_length=60, required=False)
    email = forms.CharField(label="E-mail", max_length=254, required=False)
    street = forms.CharField(label="Street and number", max_length=200, required=False)
    zip_code = forms.CharField(label="Postal code", max_length=20, required=False)
    city = forms.CharField(label="Town", max_length=100, required=False)
    location_id = forms.TypedChoiceField(label="Location", coerce=int, empty_value=None, required=False)
    language = forms.ChoiceField(
        label="Language", required=False, choices=(("", "As the provider"), *settings.LANGUAGES)
    )
    groups: Groups = (("Address", ("street", "zip_code", "city", "location_id")), ("Messages", ("language",)))

    def __init__(self, *args: Any, partner: Partner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        locations = list(Location.objects.filter(partner=partner).order_by("name").values_list("id", "name"))
        if locations:
            self.offer("location_id", [("", "None"), *locations])
        else:
            del self.fields["location_id"]
            self.groups = (("Address", ("street", "zip_code", "city")), ("Messages", ("language",)))


class NewCustomerForm(CustomerForm):
    """A new customer, who gets one account."""

    billing_type = forms.ChoiceField(
        label="Billing",
        choices=BillingType.choices,
        help_text="Prepaid: charged every day from the balance, blocked when the next day is not covered. "
        "Recurring: billed by invoices, to be paid within some days.",
    )


class PartnerTermsForm(Form):
    """A provider's billing rules from a day on."""

    valid_from = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    minimal_balance = MoneyField(
        label="Minimal balance",
        signed=True,
        help_text="The balance may not fall below this. Below zero gives credit.",
    )
    limit_rule = forms.ChoiceField(label="Block", choices=LimitRule.choices)
    day_rule = forms.ChoiceField(
        label="A day costs",
        choices=(
            (DayRule.CALENDAR, "Its part of the calendar month: the days of any month sum to its price"),
            (DayRule.THIRTY, "A thirtieth of the price, whatever the month"),
        ),
        help_text="With thirtieths, February costs 28 (or 29) of them and the 31st of a month is charged like a 1st, "
        "so a long month costs one more.",
    )
    charge_activation_day = forms.TypedChoiceField(
        label="Charge the day of activation", choices=YES_NO, coerce=lambda word: word == "yes"
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.in_currency(currency, "minimal_balance")


class AccountTermsForm(PartnerTermsForm):
    """An account's own billing rules; what is left open follows the provider's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("limit_rule", "day_rule", "charge_activation_day"):
            field: Any = self.fields[name]
            field.required = False
            field.choices = [AS_PARTNER, *field.choices]
            field.empty_value = None if name == "charge_activation_day" else ""
        self.fields["minimal_balance"].required = False

    def clean(self) -> dict[str, Any]:
        """An empty choice is no rule of his own."""
        given = super().clean() or {}
        return {name: None if value == "" else value for name, value in given.items()}


class ProviderForm(Form):
    """Who the provider is, as customers see it."""

    name = forms.CharField(label="Name", max_length=120)
    phone = forms.CharField(label="Phone", max_length=60, required=False, help_text="Shown on the blocking page.")
    email = forms.CharField(label="E-mail", max_length=254, required=False)
    website = forms.CharField(label="Website", max_length=200, required=False)
    language = forms.ChoiceField(label="Language", choices=settings.LANGUAGES)
    currency = forms.CharField(
        label="Currency", max_length=3, help_text="A code such as EUR. Fixed once accounts exist."
    )
    zone = forms.CharField(
        label="Time zone",
        max_length=60,
        help_text="Such as Europe/Madrid. A billing day begins at its 00:00. Fixed once accounts exist.",
    )
