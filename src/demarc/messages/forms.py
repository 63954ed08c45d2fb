"""What staff type about messages. Field names are those of messages.actions."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from demarc.messages.kinds import CHANNEL_NAMES, CHANNELS, MAIL, TEMPLATED
from demarc.messages.models import BodyForm, Channel, Method, Security
from demarc.messages.shipped import Text
from demarc.messages.wording import SUBJECT_MAX
from demarc.ui.forms import Form, unit_input

SECRET_HELP = "Empty keeps the present one. It is sealed, and shown nowhere."  # noqa: S105 - a help text


def fresh_key() -> str:
    """A key for one form: sent twice, it still makes one message."""
    return f"form:{uuid.uuid4()}"


def _secret(label: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=500,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=SECRET_HELP,
    )


def _time(label: str, help_text: str = "") -> forms.TimeField:
    return forms.TimeField(
        label=label, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), help_text=help_text
    )


class KeyedForm(Form):
    """A form that makes one message: its hidden key is made when the page is shown and comes back with it."""

    key = forms.CharField(max_length=80, widget=forms.HiddenInput, initial=fresh_key)


class NoteForm(KeyedForm):
    """Staff's own words to one customer."""

    channel = forms.ChoiceField(label="How", choices=Channel.choices)
    subject = forms.CharField(label="Subject", max_length=SUBJECT_MAX, required=False, help_text="For e-mail.")
    text = forms.CharField(label="Text", max_length=10_000, widget=forms.Textarea(attrs={"rows": 8}))

    def said(self) -> dict[str, Any]:
        """What messages.actions.write_note takes."""
        given = dict(self.cleaned_data)
        return {"said": Text(given.pop("subject"), given.pop("text")), **given}


class TestForm(KeyedForm):
    """Where a test goes."""

    recipient = forms.CharField(label="To", max_length=254)


class RulesForm(Form):
    """What customers are told and when."""

    groups = (
        ("What is sent", tuple(f"kind_{name}" for name in TEMPLATED)),
        ("Quiet hours", ("quiet_from", "quiet_until", "quiet_sms", "quiet_mail")),
        ("Running low", ("low_days", "low_hour")),
    )

    dry_run = forms.BooleanField(
        label="Dry run: write messages down and send nothing",
        required=False,
        help_text="Only test messages leave then. What is written in a dry run is not sent later.",
    )
    quiet_from = _time("From", "By the customer's clock. What comes meanwhile waits until they end.")
    quiet_until = _time("Until", "The same as the beginning: there are none.")
    quiet_sms = forms.BooleanField(label="SMS wait", required=False)
    quiet_mail = forms.BooleanField(label="E-mail waits", required=False)
    low_days = forms.IntegerField(
        label="Tell prepaid customers when their money lasts no longer than", widget=unit_input("days")
    )
    low_hour = forms.IntegerField(label="Look each day from", widget=unit_input("o'clock"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, kind in TEMPLATED.items():
            self.fields[f"kind_{name}"] = forms.MultipleChoiceField(
                label=kind.words,
                choices=[(word, CHANNEL_NAMES[word]) for word in CHANNELS],
                required=False,
                widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
            )

    def changes(self) -> dict[str, Any]:
        """What messages.actions.set_rules takes."""
        given = dict(self.cleaned_data)
        given["channels"] = {name: given.pop(f"kind_{name}") for name in TEMPLATED}
        return given

    @staticmethod
    def shown(channels: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
        """The channels by kind as the form's fields."""
        return {f"kind_{name}": of_kind for name, of_kind in channels.items()}


class MailServerForm(Form):
    """How mail leaves."""

    groups = (
        ("Log in", ("username", "password")),
        ("Sender", ("from_name", "from_address", "reply_to")),
    )

    host = forms.CharField(label="Server", max_length=253, help_text="Such as mail.example.com.")
    security = forms.ChoiceField(label="Encryption", choices=Security.choices)
    port = forms.IntegerField(
        label="Port",
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="587 with STARTTLS, 465 with TLS from the start, 25 for a relay of your own.",
    )
    username = forms.CharField(
        label="User name", max_length=254, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    password = _secret("Password")
    from_name = forms.CharField(label="Name", max_length=120, required=False)
    from_address = forms.CharField(label="Address", max_length=254)
    reply_to = forms.CharField(label="Answers go to", max_length=254, required=False)


class SmsGatewayForm(Form):
    """How SMS leave."""

    url = forms.CharField(
        label="Address",
        max_length=1000,
        help_text="{to}, {text}, {from}, {id} and {token} are filled in, here and below.",
    )
    method = forms.ChoiceField(label="Method", choices=Method.choices)
    headers = forms.CharField(
        label="Headers",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One in a line, such as Authorization: Bearer {token}. Here only {token} and {from}.",
    )
    body_form = forms.ChoiceField(label="Body is", choices=BodyForm.choices)
    body = forms.CharField(
        label="Body",
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text='Such as to={to}&text={text}, or {"to": "{to}", "message": "{text}"}; each is escaped as it needs.',
    )
    sender = forms.CharField(label="Sender", max_length=60, required=False, help_text="Stands where {from} is.")
    token = _secret("Token")
    success_text = forms.CharField(
        label="A good answer holds",
        max_length=200,
        required=False,
        help_text="Besides a status of 200 to 299. Empty: the status is enough.",
    )
    loopback = forms.BooleanField(label="The gateway is on this machine, for trials", required=False)


class WordingForm(Form):
    """A text in one language."""

    subject = forms.CharField(label="Subject", max_length=SUBJECT_MAX)
    text = forms.CharField(label="Text", max_length=10_000, widget=forms.Textarea(attrs={"rows": 12}))
    html = forms.CharField(
        label="HTML",
        max_length=10_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Empty: made from the text. Scripts and styles are taken out.",
    )
    customer = forms.CharField(
        label="Preview for the customer with the number",
        max_length=30,
        required=False,
        help_text="Empty: the newest one.",
    )

    def __init__(self, *args: Any, channel: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if channel != MAIL:
            del self.fields["subject"]
            del self.fields["html"]
