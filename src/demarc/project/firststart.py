"""What a new installation lacks before anyone can log in and work: a super-administrator and a provider."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction

from demarc.base.actors import Actor
from demarc.base.models import Partner
from demarc.customers.actions import create_partner
from demarc.network.actions import set_up_partner
from demarc.staff.actions import ensure_super_administrator

FIRST_PARTNER = "My ISP"
FIRST_CURRENCY = "EUR"
ZONE_FILE = Path("/etc/localtime")


def first_start(*, by: Actor, at: datetime) -> Iterator[str]:
    """Make what is missing; yields the lines to show, the password among them, this once. Repeatable."""
    made = ensure_super_administrator(by=by, at=at)
    if made:
        username, password = made
        yield "A super-administrator was made. The password is shown this once:"
        yield f"    user name  {username}"
        yield f"    password   {password}"


@transaction.atomic
def first_partner(*, by: Actor, at: datetime) -> None:
    """A provider to begin with, in this machine's time zone; its name and currency are edited in the settings."""
    if not Partner.objects.exists():
        zone = machine_zone()
        partner = create_partner(name=FIRST_PARTNER, zone=zone, currency=FIRST_CURRENCY, language="en", by=by, at=at)
        set_up_partner(partner.pk, by=by, at=at)


def machine_zone() -> str:
    """The IANA name behind /etc/localtime, or UTC."""
    name = str(ZONE_FILE.resolve()).rpartition("zoneinfo/")[2]
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, KeyError):
        return "UTC"
