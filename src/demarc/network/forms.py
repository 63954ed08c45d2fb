"""What staff type about routers, pools, causes and the blocking page. Field names are those of network.actions."""

from collections.abc import Sequence
from typing import Any

from django import forms

from demarc.network.models import CauseAnswer, NasType, Pool, PoolKind, Router, Site
from demarc.ui.forms import Form

Choices = Sequence[tuple[Any, str]]


class RouterForm(Form):
    """A router's record."""

    name = forms.CharField(label="Name", max_length=120)
    nas_type = forms.ChoiceField(
        label="Type",
        choices=NasType.choices,
        help_text="A MikroTik puts blocked customers into address lists; others give them reject-pool addresses.",
    )
    site_id = forms.TypedChoiceField(label="Site", coerce=int, empty_value=None, required=False)

    def __init__(self, *args: Any, partner_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sites = list(Site.objects.filter(partner_id=partner_id).order_by("name").values_list("id", "name"))
        if sites:
            self.offer("site_id", [("", "None"), *sites])
        else:
            del self.fields["site_id"]


class PoolForm(Form):
    """What may be changed on a pool."""

    name = forms.CharField(label="Name", max_length=120)
    router_id = forms.TypedChoiceField(
        label="Router", coerce=int, empty_value=None, required=False, help_text="Empty: for all routers."
    )

    def __init__(self, *args: Any, partner_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        routers = Router.objects.filter(partner_id=partner_id).order_by("name").values_list("id", "name")
        self.offer("router_id", [("", "All routers"), *routers])


class NewPoolForm(PoolForm):
    """A new pool; its addresses are fixed afterwards."""

    network = forms.CharField(label="Network", max_length=50, help_text="Such as 172.16.0.0/20 or 2001:db8:100::/40.")
    kind = forms.ChoiceField(
        label="Kind",
        choices=PoolKind.choices,
        help_text="Dynamic: given to sessions. Static: given to one service each. Reject: for blocked customers.",
    )
    prefix_length = forms.IntegerField(
        label="Prefix length", min_value=32, max_value=64, required=False,
        help_text="How long each customer's IPv6 prefix is. Empty: 64 on the line, 56 for his router.",
    )  # fmt: skip
    first = forms.CharField(
        label="First address", max_length=15, required=False, help_text="Empty: the network's first host."
    )
    last = forms.CharField(label="Last address", max_length=15, required=False, help_text="Empty: its last host.")

    field_order = ("name", "network", "kind", "router_id", "first", "last")


class CauseForm(Form):
    """One row of the cause table."""

    list_name = forms.CharField(label="Address list", max_length=60)
    pool_id = forms.TypedChoiceField(label="Reject pool", coerce=int, empty_value=None, required=False)
    page_port = forms.IntegerField(
        label="Port of the blocking page", widget=forms.TextInput(attrs={"inputmode": "numeric"})
    )

    def __init__(self, *args: Any, partner_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pools = Pool.objects.filter(partner_id=partner_id, kind=PoolKind.REJECT).order_by("name")
        self.offer("pool_id", [("", "None"), *((pool.pk, str(pool)) for pool in pools)])


class AnswersForm(Form):
    """What one router's customers get, cause by cause."""

    def __init__(self, *args: Any, causes: Sequence[tuple[int, str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for cause, label, default in causes:
            choices = [("", f"As shipped: {default}"), *CauseAnswer.choices]
            field = forms.ChoiceField(label=label, choices=choices, required=False)
            field.widget.attrs["class"] = "form-select"
            self.fields[f"cause_{cause}"] = field


class PageForm(Form):
    """The words and looks of the blocking page."""

    title = forms.CharField(label="Title", max_length=120, required=False, help_text="Empty: the shipped words.")
    message = forms.CharField(
        label="Message",
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Plain text. Empty: the shipped words in the visitor's language, with the reason and the sum.",
    )
    how_to_pay = forms.CharField(
        label="How to pay",
        max_length=4000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Where, how, until when: a bank account, an office, a phone number.",
    )
    colour = forms.CharField(
        label="Colour",
        max_length=7,
        widget=forms.TextInput(attrs={"type": "color", "class": "form-control-color"}),
    )
    new_logo = forms.FileField(label="Logo", required=False, help_text="PNG, JPEG or WebP, up to 200 kB.")
    no_logo = forms.BooleanField(label="Take the present logo away", required=False)

    def changes(self) -> dict[str, Any]:
        """What network.actions.save_blocking_page takes."""
        given = dict(self.cleaned_data)
        logo, removed = given.pop("new_logo"), given.pop("no_logo", False)
        if logo:
            given["logo"] = logo.read(LOGO_READ_MAX)
        elif removed:
            given["logo"] = b""
        return given


class OwnPageForm(Form):
    """A whole page of one's own."""

    archive = forms.FileField(
        label="Zip archive",
        required=False,
        help_text="With index.html at its top, in UTF-8, and its images beside it. No scripts: they are not run. "
        "Placeholders such as {{ reason }} and {{ owed }} are filled in; the manual lists them.",
    )
    remove = forms.BooleanField(label="Take the present page away and show the shipped one", required=False)

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        given = super().clean() or {}
        if bool(given.get("archive")) == bool(given.get("remove")):
            self.add_error("archive", "Choose an archive, or take the present page away.")
        return given


LOGO_READ_MAX = 1_000_000
