"""What keeps a partner from blocking anybody for money now: a person's stop, an outage of ours. Reads only."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from demarc.base.models import Partner
from demarc.billing.debts import PolicyBook
from demarc.billing.models import BlockingStop, Outage
from demarc.core.period import billing_day


def halted(partner: Partner, *, at: datetime) -> str:
    """Why nobody of this partner is blocked at this moment, in a sentence; empty when blocking goes its way."""
    stop = BlockingStop.objects.filter(partner=partner, lifted_at=None).first()
    if stop is not None:
        return f"{stop.by_label} stopped all blocking: {stop.reason}."
    outage = recent_outage(partner, at=at)
    if outage is None:
        return ""
    note = f" ({outage.note})" if outage.note else ""
    if outage.ended_at is None:
        return f"{outage.get_kind_display()}{note}, and it is not over."
    hours = _hours(partner, at)
    return f"{outage.get_kind_display()}{note}; it is over for less than {hours} hours."


def recent_outage(partner: Partner, *, at: datetime) -> Outage | None:
    """An outage that lasts, or ended so lately that its customers could not pay in time."""
    since = at - timedelta(hours=_hours(partner, at))
    lately = Q(ended_at=None) | Q(ended_at__gt=since)
    return Outage.objects.filter(lately, partner=partner, began_at__lte=at).order_by("-began_at").first()


def _hours(partner: Partner, at: datetime) -> int:
    day = billing_day(at, ZoneInfo(partner.zone))
    return PolicyBook.of((), [partner.pk]).guards(partner.pk, day).outage_hours
