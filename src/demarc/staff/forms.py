"""What staff type about themselves."""

from allauth.account.forms import LoginForm as AllauthLoginForm
from django import forms

from demarc.ui.forms import Form


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


class PasswordForm(Form):
    """A new password for the viewer's own login."""

    old = forms.CharField(
        label="Present password", max_length=200, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )
    new = forms.CharField(
        label="New password",
        help_text="At least 10 characters, and not one that everybody uses.",
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
