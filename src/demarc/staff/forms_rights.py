"""What is typed and checked about roles, rights and API tokens."""

from dataclasses import dataclass

from django import forms
from django.http import HttpRequest

from demarc.staff.permissions import PARTS, PERMISSIONS, Part
from demarc.ui.forms import Form


@dataclass(frozen=True, slots=True)
class Box:
    """One word of the matrix."""

    word: str
    told: str
    checked: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A part of the system in the matrix: its boxes to see and to edit, None where there is no such word."""

    part: Part
    boxes: tuple[Box | None, Box | None]


def matrix(checked: frozenset[str]) -> list[tuple[str, list[Row]]]:
    """(room, rows): every part of the system by room, with boxes checked for what is in `checked`."""
    rooms: dict[str, list[Row]] = {}
    for part in PARTS:
        see, edit = (_box(f"{part.name}.{verb}", checked) for verb in ("see", "edit"))
        rooms.setdefault(part.room, []).append(Row(part, (see, edit)))
    return list(rooms.items())


def _box(word: str, checked: frozenset[str]) -> Box | None:
    return Box(word, PERMISSIONS[word], word in checked) if word in PERMISSIONS else None


def boxes_checked(request: HttpRequest) -> list[str]:
    """The words whose boxes were checked, as the browser sent them; actions refuse what is none."""
    return request.POST.getlist("words")


class RoleForm(Form):
    """A role; what it may do is asked by the matrix."""

    name = forms.CharField(label="Name", max_length=60)
    bound = forms.BooleanField(
        label="For people who work for named providers only",
        required=False,
        help_text="Whoever holds it without a provider may do nothing.",
    )


class NewRoleForm(Form):
    """A new role, made from another."""

    name = forms.CharField(label="Name", max_length=60, help_text="As colleagues will choose it for people.")
    like = forms.TypedChoiceField(label="May do what this role may", coerce=int, help_text="Then change it as needed.")


def works_for() -> forms.TypedMultipleChoiceField:
    """The field of the providers that a person or a program works for."""
    return forms.TypedMultipleChoiceField(
        label="Works for",
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "stacked"}),
        help_text="None checked: for all providers.",
    )


class NewPersonForm(Form):
    """Somebody new."""

    username = forms.CharField(label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    name = forms.CharField(label="Name", required=False, max_length=150, help_text="As colleagues and the log see him.")
    email = forms.EmailField(label="E-mail address", required=False, help_text="Where a code for a new password goes.")
    password = forms.CharField(
        label="First password",
        max_length=200,
        strip=False,
        help_text="At least 10 characters. Tell him in person; he changes it on his own page.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    role = forms.TypedChoiceField(label="Role", coerce=int)
    partners = works_for()


class PlaceForm(Form):
    """A person's role and the providers he works for."""

    role = forms.TypedChoiceField(label="Role", coerce=int)
    partners = works_for()


class QuestionForm(Form):
    """Can somebody ever see or do something?"""

    who = forms.ChoiceField(label="Who")
    what = forms.ChoiceField(label="What")


class TokenForm(Form):
    """A new API token."""

    name = forms.CharField(label="Name", max_length=120, help_text="Which program uses it, and for what.")
    role = forms.TypedChoiceField(label="Role", coerce=int, help_text="What it may do at most, now and later.")
    partners = works_for()
    networks = forms.CharField(
        label="Used from",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text="Addresses or networks, like 192.0.2.7 or 2001:db8::/48, one per line. Empty: from anywhere.",
    )
    expires_on = forms.DateField(
        label="Good until the end of",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: until it is revoked.",
    )
    narrowed = forms.BooleanField(
        label="Only what is checked below",
        required=False,
        help_text="Otherwise all that its role may do.",
    )
