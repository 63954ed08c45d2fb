"""What staff type about themselves, and what they prove themselves with."""

from zoneinfo import available_timezones

from allauth.account.forms import LoginForm as AllauthLoginForm
from django import forms

from demarc.ui.forms import Form

REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


class LoginForm(AllauthLoginForm, Form):  # type: ignore[misc] # allauth has no types
    """allauth's form in Demarc's dress."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (("login", "User name"), ("password", "Password")):
            field = self.fields[name]
            field.label = label
            field.help_text = ""
            field.widget.attrs.pop("placeholder", None)
            field.widget.attrs["class"] = "form-control"
        self.fields["login"].widget.attrs["autofocus"] = True


def new_password() -> forms.CharField:
    """The field for a password that is to be."""
    return forms.CharField(
        label="New password",
        help_text="At least 10 characters, and not one that everybody uses. A few words in a row are good.",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


def one_time_code(label: str, help_text: str) -> forms.CharField:
    """The field for a code of an app or of a mail."""
    look = {"autocomplete": "one-time-code", "spellcheck": "false", "autocapitalize": "none"}
    widget = forms.TextInput(attrs=look)
    return forms.CharField(label=label, help_text=help_text, max_length=60, widget=widget)


KEPT = [("", "For good"), *((str(days), f"{days} days") for days in (30, 90, 180))]
YEARS = [(str(365 * years), f"{years} year" if years == 1 else f"{years} years") for years in (1, 2, 3, 5, 6, 10)]
EVIDENCE_KEPT = [KEPT[0], *YEARS]
KEPT += YEARS


def kept(label: str, choices: list[tuple[str, str]], help_text: str) -> forms.TypedChoiceField:
    """How many days entries of one kind are kept; nothing chosen: for good."""
    return forms.TypedChoiceField(
        label=label, choices=choices, required=False, coerce=int, empty_value=None, help_text=help_text
    )


class KeepingForm(Form):
    """How long the operation log keeps what it says, by kind of entry."""

    view = kept("Views", KEPT, "Who looked at what.")
    sign_in = kept("Signing in", EVIDENCE_KEPT, "Also what failed.")
    change = kept("Changes", EVIDENCE_KEPT, "What people did.")
    work = kept("Demarc's own work", KEPT, "Its jobs.")


class ProfileForm(Form):
    """How the viewer is called, and how he reads times and mail."""

    name = forms.CharField(label="Name", help_text="As colleagues and the log see you.", max_length=150, required=False)
    zone = forms.ChoiceField(label="Time zone", required=False, help_text="All times are shown as this clock has them.")
    language = forms.ChoiceField(
        label="Language",
        required=False,
        choices=[("en", "English"), ("es", "Español")],
        help_text="Of mail that Demarc sends you. The pages are in English.",
    )

    def offer_zones(self, usual: str) -> None:
        """The zones of the world, by region; empty is the provider's, which is `usual`."""
        groups = {region: [] for region in REGIONS}  # type: dict[str, list[tuple[str, str]]]
        for name in sorted(available_timezones()):
            region, _, rest = name.partition("/")
            if rest and region in groups:
                groups[region].append((name, rest.replace("_", " ")))
        field = self.fields["zone"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - declared above
        field.choices = [("", f"As the provider: {usual}"), ("UTC", "UTC"), *groups.items()]


class EmailForm(Form):
    """Where a forgotten password is mended."""

    email = forms.EmailField(
        label="E-mail address",
        required=False,
        help_text="A code for a new password goes here, and word of a new device. You log in with your user name.",
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class PasswordForm(Form):
    """A new password for the viewer's own login."""

    old = forms.CharField(
        label="Present password",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    new = new_password()


class TotpForm(Form):
    """The first code of an app, which shows that it holds the secret."""

    code = one_time_code("Code", "The six digits that the app shows now.")


class PasskeyForm(Form):
    """A passkey as the browser made it."""

    name = forms.CharField(
        label="Name", initial="This device", max_length=60, help_text="By which you will know it again."
    )
    answer = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20_000)


class AnyProofForm(Form):
    """A form of several proofs, of which one is enough; nothing typed is no try."""

    def full_clean(self) -> None:
        """All are asked for; where one is given, the others need not be."""
        asked = [field for field in self.fields.values() if field.required]
        given = any(self.data.get(name) for name in self.fields)
        for field in asked:
            field.required = not given
        super().full_clean()
        for field in asked:
            field.required = True


class CodeForm(AnyProofForm):
    """What is asked at login after the password: a code, or a passkey's signature."""

    code = one_time_code("Code", "Of your app, or a recovery code.")
    answer = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20_000)


class ProofForm(AnyProofForm):
    """The password again, or whatever else proves it."""

    password = forms.CharField(
        label="Password",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    code = one_time_code("Or a code", "Of your app.")
    answer = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20_000)


class SureForm(Form):
    """Nothing to type: the button says what happens."""


class WantResetForm(Form):
    """Who forgot his password."""

    named = forms.CharField(
        label="User name or e-mail address", max_length=254, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )


class ResetForm(Form):
    """The mailed code and what is to hold from now on."""

    code = one_time_code("Code of the mail", "It is good for half an hour.")
    new = new_password()


class RolesForm(Form):
    """Which roles must have a second factor."""

    roles = forms.TypedMultipleChoiceField(
        label="Must have a second factor",
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "stacked"}),
        help_text="Whoever holds such a role and has none is led to set one up before anything else.",
    )
