"""What staff type about a change of a service that is made now or on a day to come."""

from datetime import date
from typing import Any

from django import forms

from demarc.core.period import ONE_DAY
from demarc.plans.forms import PlanChoiceForm
from demarc.ui import formats
from demarc.ui.forms import LookedForm

DATE = {"type": "date"}
NOW, KEEP, PERIOD, DAY = "now", "keep", "period", "day"


def date_field(label: str, help_text: str = "", *, required: bool = True) -> forms.DateField:
    """A day, with the browser's own calendar."""
    return forms.DateField(label=label, required=required, help_text=help_text, widget=forms.DateInput(attrs=DATE))


class PlanChangeForm(PlanChoiceForm):
    """Another plan, and from when. `billed`: the last day that is billed ahead, None where none is."""

    when = forms.ChoiceField(label="When", widget=forms.RadioSelect(attrs={"class": "stacked"}))
    on = date_field("On the day", "Only for another day: the first one of the new plan.", required=False)

    def __init__(self, *args: Any, billed: date | None, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.billed = today, billed
        choices = [(NOW, "Now")]
        if billed is not None:
            over = formats.day(billed + ONE_DAY)
            choices = [
                (NOW, "Now; what is billed ahead is credited, the new plan charged"),
                (KEEP, f"Now; the price stays until the billed period is over, on {over}"),
                (PERIOD, f"When the billed period is over, on {over}"),
            ]
        self.offer("when", [*choices, (DAY, "On another day")])

    def clean(self) -> dict[str, Any]:
        """The day that was chosen; None is now."""
        given = super().clean() or {}
        when = given.get("when")
        if when == PERIOD and self.billed is not None:
            given["on"] = self.billed + ONE_DAY
        elif when == DAY:
            _expect_after(self, "on", self.today)
        else:
            given["on"] = None
        return given


class PauseForm(LookedForm):
    """A vacation: the first day without access, and the last."""

    first = date_field("From", "Today: no access from now on, and today still counts as used.")
    last = date_field("Until", "The last day of the pause. Empty: until somebody activates it again.", required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today = today

    def clean(self) -> dict[str, Any]:
        """The days in their order, none of them past."""
        given = super().clean() or {}
        first, last = given.get("first"), given.get("last")
        if first is not None and first < self.today:
            self.add_error("first", "Choose today or a day to come.")
        if first is not None and last is not None and last < max(first, self.today):
            self.add_error("last", "The pause cannot end before it begins.")
        return given


class EndForm(LookedForm):
    """The end of a service: now, with what is billed, or after a day."""

    when = forms.ChoiceField(label="When", widget=forms.RadioSelect(attrs={"class": "stacked"}))
    last = date_field("Last day of use", "Only for another day.", required=False)

    def __init__(self, *args: Any, billed: date | None, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.today, self.billed = today, billed
        choices = [(NOW, "Now")]
        if billed is not None:
            choices.append((PERIOD, f"When the billed period is over; last day {formats.day(billed)}"))
        self.offer("when", [*choices, (DAY, "After another day")])

    def clean(self) -> dict[str, Any]:
        """The last day; None is now."""
        given = super().clean() or {}
        when = given.get("when")
        if when == PERIOD:
            given["last"] = self.billed
        elif when == DAY:
            _expect_after(self, "last", self.today - ONE_DAY)
        else:
            given["last"] = None
        return given


def _expect_after(form: LookedForm, field: str, day: date) -> None:
    """The field's day is there, and later than `day`."""
    given = form.cleaned_data.get(field)
    if field in form.errors:
        return
    if given is None:
        form.add_error(field, "Say which day.")
    elif given <= day:
        form.add_error(field, f"Choose a day after {formats.day(day)}.")
