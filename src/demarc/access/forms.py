"""What staff type about RADIUS clients and logins. Field names are those of access.actions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms

from demarc.access.holdings import MACS_MAX
from demarc.access.models import CoaKind, MovingMode, RequireAuthenticator
from demarc.access.models_fair_use import Counts, FairUseBlock
from demarc.access.nodes import MAIN
from demarc.access.queries import CAUSES
from demarc.core.access import Cause
from demarc.network.models import CauseAnswer, Pool, PoolKind, SecondSession
from demarc.ui.forms import Form, unit_input

LINES = forms.Textarea(attrs={"rows": 3, "class": "mono", "spellcheck": "false"})

TEMPLATE = forms.Textarea(attrs={"rows": 4, "class": "mono", "spellcheck": "false", "autocomplete": "off"})


class NasForm(Form):
    """A router as a RADIUS client."""

    address = forms.CharField(
        label="Address", max_length=45, help_text="Its source address: by this alone we know it. Others get no answer."
    )
    secret = forms.CharField(
        label="Secret",
        max_length=128,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="The same as in the router. It is sealed and never shown again; empty keeps the present one.",
    )
    block_by = forms.ChoiceField(
        label="On a block or unblock",
        choices=(
            (CoaKind.COA, "Change the session by CoA: it stays on"),
            (CoaKind.DISCONNECT, "Disconnect the session"),
        ),
    )
    coa_enabled = forms.BooleanField(label="The router takes CoA and Disconnect", required=False, initial=True)
    coa_port = forms.IntegerField(
        label="CoA port", initial=3799, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    require_authenticator = forms.ChoiceField(
        label="Message-Authenticator in requests",
        choices=RequireAuthenticator.choices,
        initial=RequireAuthenticator.AUTO,
        help_text="Requests without it can be forged (Blast-RADIUS). RouterOS sends it from 7.15 on.",
    )
    interim_s = forms.IntegerField(label="Accounting every", initial=300, widget=unit_input("seconds"))
    framed_pool = forms.CharField(
        label="Pool on the router",
        max_length=60,
        required=False,
        help_text="Empty: we give the addresses. A name: the router gives them from its own pool of that name.",
    )
    node = forms.CharField(
        label="RADIUS node that gives it orders",
        max_length=60,
        initial=MAIN,
        required=False,
        help_text="Any node answers it. Many routers take CoA and Disconnect from one server only.",
    )
    groups = (
        (
            "Finer points",
            ("coa_enabled", "coa_port", "require_authenticator", "interim_s", "framed_pool", "node"),
        ),
    )

    def clean_node(self) -> str:
        """The first machine's, where none is named."""
        return str(self.cleaned_data["node"]) or MAIN


class MovingInForm(Form):
    """The RADIUS server that a router had before us."""

    mode = forms.ChoiceField(
        label="What is done with this router's packets",
        choices=(
            (MovingMode.OFF, "We answer everything"),
            (MovingMode.UNKNOWN, "We answer whom we know; the old server answers the others"),
            (MovingMode.COMPARE, "The old server answers everybody; we compare"),
            (MovingMode.LISTEN, "Only listen: we answer nothing, and note what we would have answered"),
        ),
        help_text="A login without a password counts as one that we do not know.",
    )
    host = forms.CharField(label="Address of the old server", max_length=45, required=False)
    secret = forms.CharField(
        label="Secret that it knows us by",
        max_length=128,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Make us a client of the old server first. Never shown again; empty keeps the present one.",
    )
    learn = forms.BooleanField(
        label="Learn passwords from the logins that it accepts",
        required=False,
        initial=True,
        help_text="Only PAP shows the password. Only logins that are here without a password learn one.",
    )
    auth_port = forms.IntegerField(
        label="Port for logins", initial=1812, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    acct_port = forms.IntegerField(
        label="Port for accounting", initial=1813, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )
    timeout_ms = forms.IntegerField(label="Wait for its answer", initial=2000, widget=unit_input("milliseconds"))
    groups = (("Finer points", ("auth_port", "acct_port", "timeout_ms")),)

    def clean_host(self) -> str:
        """Without blanks around it."""
        return str(self.cleaned_data["host"]).strip()


class ShadowForm(Form):
    """Other rules for the past."""

    nas_id = forms.TypedChoiceField(label="Router", coerce=int)
    hours = forms.IntegerField(
        label="Requests of the last", initial=24, min_value=1, max_value=168, widget=unit_input("hours")
    )
    requests = forms.IntegerField(
        label="At most", initial=2000, min_value=1, max_value=10_000, widget=unit_input("requests")
    )
    preset = forms.ChoiceField(
        label="Table of causes",
        required=False,
        choices=(("", "As it is"), ("demarc", "Demarc's"), ("splynx", "Splynx's")),
    )
    session_limit = forms.IntegerField(
        label="Sessions at once",
        required=False,
        min_value=1,
        max_value=100,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="For everybody. Empty: as each login has.",
    )
    groups = (("Other rules", ("preset", "session_limit", *(f"cause_{cause:d}" for cause in Cause))),)

    def __init__(self, *args: Any, nases: Sequence[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer("nas_id", nases)
        for cause in Cause:
            choices = [("", "As it is"), *CauseAnswer.choices]
            answer = forms.ChoiceField(label=f"Answer to: {CAUSES[cause]}", choices=choices, required=False)
            answer.widget.attrs["class"] = "form-select"
            self.fields[f"cause_{cause:d}"] = answer


class ScriptForm(Form):
    """Where the router finds us."""

    server = forms.GenericIPAddressField(label="Our address, as this router reaches it")
    page_server = forms.GenericIPAddressField(
        label="Address of the blocking pages", protocol="IPv4", help_text="As blocked customers reach it."
    )


class AnswersForm(Form):
    """What routers of one make are told."""

    block = forms.ChoiceField(
        label="A blocked customer",
        choices=CauseAnswer.choices,
        help_text="For the causes 1 and 2. A router's own choice goes before this one.",
    )
    fair_use = forms.ChoiceField(
        label="A customer whose month's volume is used up",
        required=False,
        choices=(("", "As another blocked customer"), *FairUseBlock.choices),
        help_text="Where the plan blocks; where it slows down, the speed is changed by CoA.",
    )
    second = forms.ChoiceField(label="More sessions than a login may have", choices=SecondSession.choices)
    online = forms.CharField(label="Access-Accept, online", max_length=4000, required=False, widget=TEMPLATE)
    blocked = forms.CharField(label="Access-Accept, blocked", max_length=4000, required=False, widget=TEMPLATE)
    coa_block = forms.CharField(
        label="CoA on a block",
        max_length=4000,
        required=False,
        widget=TEMPLATE,
        help_text="Empty: the session is cut, and the next login is answered as blocked.",
    )
    coa_restore = forms.CharField(
        label="CoA on lifting it, and for another speed", max_length=4000, required=False, widget=TEMPLATE
    )
    coa_fair_use = forms.CharField(
        label="CoA on a block by fair use",
        max_length=4000,
        required=False,
        widget=TEMPLATE,
        help_text="Empty: as on another block. To cut the session instead, choose so above.",
    )
    coa_fair_restore = forms.CharField(
        label="CoA when its month is over",
        max_length=4000,
        required=False,
        widget=TEMPLATE,
        help_text="Empty: as on lifting another block.",
    )
    groups = (
        ("Attributes", ("online", "blocked", "coa_block", "coa_restore")),
        ("Attributes for fair use", ("coa_fair_use", "coa_fair_restore")),
    )


class FairUseForm(Form):
    """How much a plan's services may use in a month."""

    monthly_gb = forms.IntegerField(
        label="Volume of a month", min_value=1, widget=unit_input("GB"), help_text="Of the provider's calendar month."
    )
    counts = forms.ChoiceField(label="What counts", choices=Counts.choices)
    down_kbps = forms.IntegerField(
        label="Download after it",
        min_value=0,
        required=False,
        widget=unit_input("kbit/s"),
        help_text="Both empty: blocked until the month is over.",
    )
    up_kbps = forms.IntegerField(label="Upload after it", min_value=0, required=False, widget=unit_input("kbit/s"))

    def facts(self) -> dict[str, Any]:
        """Nothing typed is no speed."""
        return {name: value or 0 if name != "counts" else value for name, value in self.cleaned_data.items()}


class TraceForm(Form):
    """Which address, when, and why it is asked."""

    address = forms.CharField(label="Address", max_length=45, help_text="IPv4 or IPv6, as it was seen from outside.")
    port = forms.IntegerField(
        label="Port",
        required=False,
        min_value=0,
        max_value=65535,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        help_text="The customer's, as it was seen from outside; needed where customers share an address.",
    )
    wall = forms.DateTimeField(
        label="Date and time",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}),
        help_text="As the clock in the zone below showed it.",
    )
    zone = forms.CharField(label="Time zone", max_length=60, help_text="Such as Europe/Prague, or UTC.")
    reason = forms.CharField(
        label="Reason", max_length=200, help_text="A case number, or who asks. It is written down with your name."
    )

    def clean_wall(self) -> datetime:
        """Without the zone that the framework guessed."""
        wall: datetime = self.cleaned_data["wall"]
        return wall.replace(tzinfo=None)


class NatRangeForm(Form):
    """Private addresses that share public ones."""

    inside = forms.CharField(label="Private network", max_length=18, help_text="Such as 100.64.0.0/22.")
    outside = forms.CharField(
        label="Public network", max_length=18, help_text="All its addresses take part. One address ends in /32."
    )
    first_port = forms.IntegerField(label="First port", initial=1024, widget=unit_input(""))
    ports_each = forms.IntegerField(label="Ports for each customer", widget=unit_input("ports"))
    vrf = forms.IntegerField(label="VRF of the private network", initial=0, widget=unit_input(""))
    since = forms.DateTimeField(
        label="So since",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="In your own time zone; empty: from now on.",
    )


class AddressesForm(Form):
    """What a login holds."""

    static_ipv4 = forms.GenericIPAddressField(
        label="Static address",
        protocol="IPv4",
        required=False,
        help_text="Of a static pool. Empty: from the dynamic pool.",
    )
    framed_ipv6_prefix = forms.CharField(
        label="IPv6 prefix of the line", max_length=43, required=False, help_text="Such as 2001:db8:0:7::/64."
    )
    delegated_prefix = forms.CharField(
        label="Delegated IPv6 prefix", max_length=43, required=False, help_text="Such as 2001:db8:700::/56."
    )
    framed_ipv6 = forms.GenericIPAddressField(label="IPv6 address", protocol="IPv6", required=False)
    macs = forms.CharField(
        label="MAC addresses", max_length=1000, required=False, widget=LINES, help_text="One a line."
    )
    bind_mac = forms.BooleanField(label="Only these MACs may connect", required=False)

    learn_macs = forms.IntegerField(
        label="MACs to learn",
        initial=0,
        required=False,
        min_value=0,
        max_value=MACS_MAX,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="With the above: so many are taken as the customer's own as they come. 0: only those listed.",
    )
    learn_replaces = forms.BooleanField(label="A further MAC takes the place of the oldest", required=False)
    port = forms.CharField(
        label="Only at this port",
        max_length=100,
        required=False,
        help_text="As the router names it: NAS-Port-Id, or circuit or remote id of option 82 (0x and hex if no text).",
    )
    groups = (
        ("IPv6", ("framed_ipv6_prefix", "delegated_prefix", "framed_ipv6")),
        ("Learning and port", ("learn_macs", "learn_replaces", "port")),
    )

    def clean_learn_macs(self) -> int:
        """0 when left empty."""
        return int(self.cleaned_data["learn_macs"] or 0)

    def clean_macs(self) -> list[str]:
        """The lines that are not empty."""
        return str(self.cleaned_data["macs"]).split()


class NewLoginForm(AddressesForm):
    """A login for a service."""

    login = forms.CharField(label="Login", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    password = forms.CharField(
        label="Password",
        max_length=128,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="Type it into the customer's device now: it is sealed and never shown again.",
    )
    to_be_learned = forms.BooleanField(
        label="Learn the password from the old RADIUS server",
        required=False,
        help_text="Leave the password empty: the first login that the old server accepts teaches it.",
    )
    pool_id = forms.TypedChoiceField(label="Pool", coerce=int, empty_value=None, required=False)
    simultaneous_limit = forms.IntegerField(
        label="Sessions at once", initial=1, widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )

    field_order = (
        "login",
        "password",
        "to_be_learned",
        "static_ipv4",
        "pool_id",
        "macs",
        "bind_mac",
        "simultaneous_limit",
    )

    def __init__(self, *args: Any, partner_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pools = Pool.objects.filter(partner_id=partner_id, kind=PoolKind.DYNAMIC).order_by("name")
        choices = [("", "Those of the router"), *((pool.pk, str(pool)) for pool in pools)]
        self.offer("pool_id", choices)

    def clean(self) -> dict[str, Any]:
        """A password, or none and the wish to learn it."""
        given = self.cleaned_data
        if not given.get("password") and not given.get("to_be_learned") and "password" not in self.errors:
            self.add_error("password", forms.ValidationError("This field is required.", code="required"))
        return given


class PasswordForm(Form):
    """A new password for a login."""

    password = forms.CharField(
        label="New password",
        max_length=128,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="It is sealed and never shown again.",
    )
