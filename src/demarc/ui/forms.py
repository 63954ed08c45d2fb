"""Forms as Demarc shows them: one column, label above, help below, errors at the field. Knows no room's fields."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import forms
from django.forms import BoundField
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html

from demarc.base import limits
from demarc.core.errors import Refused
from demarc.core.money import Money, format_plain, parse

CLASSES: dict[type[forms.Widget], str] = {
    forms.CheckboxInput: "form-check-input",
    forms.RadioSelect: "form-check-input",
    forms.CheckboxSelectMultiple: "form-check-input",
    forms.Select: "form-select",
    forms.HiddenInput: "",
}
UNPROCESSABLE = 422
INVALID: dict[type[forms.Field], str] = {
    forms.DateField: "Choose a day of the calendar.",
    forms.DateTimeField: "Choose a day and a time.",
    forms.IntegerField: "Write a whole number, in digits.",
    forms.DecimalField: "Write a number, like 12.5.",
}
"""What would be accepted, where Django only says that something is not valid."""

Groups = tuple[tuple[str, tuple[str, ...]], ...]


class Form(forms.Form):
    """The base of every form. `groups` may name fields to show under a heading: ((heading, (field, ...)), ...)."""

    use_required_attribute = False
    groups: Groups = ()
    result: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            _dress(field.widget)
            if type(field) in INVALID:
                field.error_messages["invalid"] = INVALID[type(field)]
            if isinstance(field, forms.DateField | forms.DateTimeField):
                field.validators.append(_kept_day)

    def grouped(self) -> list[tuple[str, list[BoundField]]]:
        """(heading, visible fields) in the order to show them; what no group names stands first."""
        named = {name for _, names in self.groups for name in names}
        rest = [field for field in self.visible_fields() if field.name not in named]
        return [("", rest), *((heading, [self[name] for name in names]) for heading, names in self.groups)]

    def offer(self, name: str, choices: Iterable[tuple[Any, str]]) -> None:
        """What may be chosen in the field of that name, which is one of choices."""
        field: Any = self.fields[name]
        field.choices = list(choices)

    def in_currency(self, code: str, *names: str) -> None:
        """The money fields of these names are in a currency."""
        for name in names:
            field: Any = self.fields[name]
            field.in_currency(code)

    def refuse(self, refused: Refused) -> None:
        """Show what an action refused: at its field where it named one, with a link to what stands in the way."""
        message: Any = refused.message
        href = link_to(refused.holder)
        if href:
            message = format_html('{} <a href="{}">Show it</a>', refused.message, href)
        visible = refused.field in self.fields and not self.fields[refused.field].widget.is_hidden
        self.add_error(refused.field if visible else None, forms.ValidationError(message, code=refused.code))


class LookedForm(Form):
    """A form whose consequences are shown before it is carried out: `looked` is what was shown, word for word."""

    looked = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def show(self, digest: str) -> None:
        """Ask for confirmation of what is shown now."""
        data = QueryDict(mutable=True)
        data.update(self.data)
        data["looked"] = digest
        self.data = data

    def facts(self) -> dict[str, Any]:
        """What was typed, without the proof that it was looked at."""
        return {name: value for name, value in self.cleaned_data.items() if name != "looked"}


def unit_input(unit: str) -> forms.TextInput:
    """A field for a number, with its unit behind it."""
    return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "data-unit": unit})


class MoneyField(forms.CharField):
    """An amount as people type it; cleans to whole minor units of the currency set by `in_currency`."""

    currency = "EUR"

    def __init__(self, *, signed: bool = False, **kwargs: Any) -> None:
        self.signed = signed
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(**kwargs)

    def in_currency(self, code: str) -> None:
        """Say which currency is meant; the page shows it behind the field."""
        self.currency = code
        self.widget.attrs["data-unit"] = code

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            amount = parse(text, self.currency).amount
        except Refused as refused:
            raise forms.ValidationError(refused.message, code=refused.code) from refused
        if amount < 0 and not self.signed:
            raise forms.ValidationError("Write an amount above zero.", code="amount_negative")
        return amount

    def prepare_value(self, value: Any) -> Any:
        return format_plain(Money(value, self.currency)) if isinstance(value, int) else value


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: the data of a POST, nothing when the page is only looked at."""
    return request.POST if request.method == "POST" else None


def link_to(holder: tuple[str, int] | None) -> str:
    """The page of a thing by its kind and id: each kind's page is the URL named like it. Empty when there is none."""
    if holder is None:
        return ""
    kind, key = holder
    try:
        return reverse(kind, args=[key])
    except NoReverseMatch:
        return ""


def form_page(request: HttpRequest, form: Form, template: str = "ui/form_page.html", **words: Any) -> HttpResponse:
    """The page of a form: 200 when fresh, 422 when something in it must be changed. `words`: title, submit, back ...;
    `why_not`: why it can only be refused. Then, and where a form without fields was refused, the page says why and has
    no button."""
    status = UNPROCESSABLE if form.is_bound and form.errors else 200
    stuck = form.non_field_errors() if form.is_bound and not form.visible_fields() else ()
    told = [words["why_not"]] if words.get("why_not") else list(stuck)
    return render(request, template, {"form": form, **words, "why_not": told}, status=status)


def _kept_day(given: date) -> None:
    """A day that the tables can hold: the calendar ends at year 9999, and the day after it is none."""
    try:
        limits.fact_day(given.date() if isinstance(given, datetime) else given)
    except Refused as refused:
        raise forms.ValidationError(refused.message, code=refused.code) from refused


def _dress(widget: forms.Widget) -> None:
    found = next((name for kind, name in CLASSES.items() if isinstance(widget, kind)), "form-control")
    if found:
        widget.attrs["class"] = f"{widget.attrs.get('class', '')} {found}".strip()
