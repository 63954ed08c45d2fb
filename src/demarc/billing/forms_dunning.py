"""What staff type about reminders, blocking, promises and waves. Field names are those of billing.actions."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from demarc.billing.days_off import countries
from demarc.billing.models import OutageKind, ReminderChannel
from demarc.ui.forms import Form, Groups, MoneyField

REMINDERS = 5
HOURS = [(str(hour), f"{hour:02d}:00") for hour in range(24)]
YES_NO = (("yes", "Yes"), ("no", "No"))
AS_PARTNER = ("", "As the provider's rules say")
DATE = {"type": "date"}
MOMENT = {"type": "datetime-local"}


def whole(label: str, least: int, most: int, help_text: str = "", unit: str = "days") -> forms.IntegerField:
    """A small whole number with its unit behind it."""
    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "data-unit": unit})
    return forms.IntegerField(label=label, min_value=least, max_value=most, help_text=help_text, widget=widget)


def yes_no(label: str, help_text: str = "") -> forms.TypedChoiceField:
    """A choice that is stored as true or false."""
    return forms.TypedChoiceField(label=label, choices=YES_NO, coerce=lambda word: word == "yes", help_text=help_text)


class ReminderWidget(forms.MultiWidget):
    """Days, hour and channel in one line."""

    def __init__(self) -> None:
        days = forms.TextInput(
            attrs={
                "class": "form-control",
                "inputmode": "numeric",
                "autocomplete": "off",
                "aria-label": "Days",
                "placeholder": "Days",
            }
        )
        hour = forms.Select(choices=HOURS, attrs={"class": "form-select", "aria-label": "Hour"})
        channel = forms.Select(choices=ReminderChannel.choices, attrs={"class": "form-select", "aria-label": "How"})
        super().__init__([days, hour, channel])

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        self.attrs.pop("class", None)  # each of the three is dressed on its own
        return super().get_context(name, value, attrs)

    def decompress(self, value: Any) -> list[Any]:
        return list(value) if value else ["", "9", ReminderChannel.MAIL]

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return format_html('<div class="side-by-side">{}</div>', super().render(*args, **kwargs))


class ReminderField(forms.MultiValueField):
    """One reminder as (days, hour, channel); without days there is none."""

    def __init__(self, **kwargs: Any) -> None:
        fields = (
            forms.IntegerField(required=False, min_value=-60, max_value=120),
            forms.TypedChoiceField(required=False, choices=HOURS, coerce=int),
            forms.ChoiceField(required=False, choices=ReminderChannel.choices),
        )
        kwargs |= {"fields": fields, "widget": ReminderWidget(), "required": False, "require_all_fields": False}
        super().__init__(**kwargs)

    def compress(self, data_list: Sequence[Any]) -> tuple[int, int, str] | None:
        if not data_list or data_list[0] is None:
            return None
        return data_list[0], data_list[1] if data_list[1] != "" else 9, data_list[2] or ReminderChannel.MAIL


class RulesForm(Form):
    """The rules that a simulation may change."""

    blocks = yes_no("Block who does not pay", "No: reminders go out, nobody is blocked or deactivated.")
    grace_days = whole("Grace", 0, 99, "After the due day. With none he is blocked on the day after it.")
    block_hour = forms.TypedChoiceField(
        label="Block at", choices=HOURS, coerce=int, help_text="In the provider's time zone; when people are at work."
    )
    on_weekends = yes_no("Block at weekends", "No: it is done on the next working day.")
    on_holidays = yes_no("Block on public holidays")
    country = forms.ChoiceField(label="Country of the holidays", required=False)
    threshold = MoneyField(label="Smallest debt", help_text="Below it nobody is reminded or blocked.")
    one_time_blocks = yes_no("One-time documents block", "Those made by hand, such as for a visit.")
    deactivate_after_days = whole(
        "Stop services after", 0, 365, "Days since he was in fact blocked. Until then he is billed; 0: never stop them."
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency
        for field in self.fields.values():
            if isinstance(field, MoneyField):
                field.in_currency(currency)
        if "country" in self.fields:
            known = sorted(countries().items(), key=lambda one: one[1])
            self.offer("country", [("", "None, weekends only"), *known])


class DunningForm(RulesForm):
    """A provider's rules of dunning from a day on."""

    valid_from = forms.DateField(label="From", widget=forms.DateInput(attrs=DATE))
    blocking_fee = MoneyField(label="Fee for blocking", help_text="On the next document; 0: none.")
    reactivation_fee = MoneyField(label="Fee for letting online again", help_text="On the next document; 0: none.")
    wave_factor = whole("A wave waits beyond", 1, 100, "Times the usual number of blocked in a day.", "times")
    wave_least = whole("But not below", 0, 1_000_000, "A smaller wave never waits for a person.", "customers")
    outage_hours = whole(
        "Spare after an outage", 0, 240, "After our own outage, or a failed import of payments, nobody is blocked.", "h"
    )
    groups: Groups = (
        ("Reminders", tuple(f"reminder_{number}" for number in range(1, REMINDERS + 1))),
        ("Blocking", ("blocks", "grace_days", "block_hour", "on_weekends", "on_holidays", "country")),
        ("What counts", ("threshold", "one_time_blocks", "deactivate_after_days")),
        ("Fees", ("blocking_fee", "reactivation_fee")),
        ("Guards", ("wave_factor", "wave_least", "outage_hours")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["valid_from", *list(self.fields)])

    def clean(self) -> dict[str, Any]:
        """The five lines as one list."""
        given = super().clean() or {}
        lines = [given.pop(f"reminder_{number}", None) for number in range(1, REMINDERS + 1)]
        return given | {"reminders": [line for line in lines if line]}


for _number in range(1, REMINDERS + 1):
    DunningForm.base_fields[f"reminder_{_number}"] = ReminderField(
        label=f"Reminder {_number}",
        help_text="Days from the day a document is due: -3 is three days before, 1 the day after. Empty: none."
        if _number == 1
        else "",
    )


class AccountDunningForm(RulesForm):
    """An account's own rules; what is left open follows the provider's."""

    valid_from = forms.DateField(label="From", widget=forms.DateInput(attrs=DATE))
    KEPT = ("valid_from", "blocks", "grace_days", "threshold", "one_time_blocks", "deactivate_after_days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in list(self.fields):
            if name not in self.KEPT:
                del self.fields[name]
        for name in self.KEPT[1:]:
            field: Any = self.fields[name]
            field.required = False
            if hasattr(field, "coerce"):
                field.choices, field.empty_value = [AS_PARTNER, *field.choices], None
        self.order_fields(self.KEPT)


class SimulatorForm(RulesForm):
    """What-if: other rules over the real base."""

    due_days = whole("Due", 0, 365, "After a document's date. Empty: as the documents say.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["due_days"].required = False
        self.order_fields(["due_days", *list(self.fields)])


class PromiseForm(Form):
    """A promise to pay."""

    until = forms.DateField(
        label="Until", widget=forms.DateInput(attrs=DATE), help_text="He is online until the end of this day."
    )
    comment = forms.CharField(label="Comment", max_length=200, required=False, help_text="For colleagues.")


class ReasonForm(Form):
    """Why something is done."""

    reason = forms.CharField(label="Reason", max_length=200, help_text="Kept in the operation log.")


class OutageForm(Form):
    """An outage of ours."""

    kind = forms.ChoiceField(label="What failed", choices=OutageKind.choices)
    began_at = forms.DateTimeField(label="Began", widget=forms.DateTimeInput(attrs=MOMENT, format="%Y-%m-%dT%H:%M"))
    ended_at = forms.DateTimeField(
        label="Ended",
        required=False,
        widget=forms.DateTimeInput(attrs=MOMENT, format="%Y-%m-%dT%H:%M"),
        help_text="Empty while it lasts.",
    )
    note = forms.CharField(label="Note", max_length=200, required=False)
