"""Reads about fair use: what plans allow in a month, what was used, and what becomes of those who have used it up."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from demarc.access.models import FairUse, MonthUse, Subscriber
from demarc.access.models_fair_use import GB, FairUseAnswer, FairUseBlock
from demarc.access.rates import slow_text
from demarc.network.models import Router
from demarc.plans.models import Plan, Service


class Used(NamedTuple):
    """A service's month so far, in octets; `measured_at` None: not added up yet in this month; `passed_at`: when it was
    seen that the volume is used up."""

    fair_use: FairUse
    octets: int
    measured_at: datetime | None
    passed_at: datetime | None = None

    @property
    def volume(self) -> int:
        return self.fair_use.monthly_gb * GB

    @property
    def percent(self) -> int:
        return self.octets * 100 // self.volume

    @property
    def used_up(self) -> bool:
        return self.octets >= self.volume


def fair_use_of(plan_id: int) -> FairUse | None:
    """What the plan allows; None: as much as one likes."""
    return FairUse.objects.filter(plan_id=plan_id).first()


def month_of(at: datetime, zone: str) -> datetime:
    """When the month began that `at` is in, by clocks in `zone`."""
    return at.astimezone(ZoneInfo(zone)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_after(at: datetime, zone: str) -> datetime:
    """When the next month begins, by clocks in `zone`: everybody has the full volume again."""
    return (month_of(at, zone) + timedelta(days=32)).replace(day=1)


def restrained(services: Iterable[Service]) -> dict[int, str]:
    """Of services that nobody blocks those that fair use slows or blocks now: FairUseState by service."""
    open_ones = [service.pk for service in services if service.blocked_cause is None]
    logins = Subscriber.objects.filter(service_id__in=open_ones).exclude(fair_use="")
    return dict(logins.values_list("service_id", "fair_use"))


def used(service: Service, at: datetime) -> Used | None:
    """What a service has used of its plan's volume in the month of `at`; None: its plan has none."""
    fair_use = fair_use_of(service.plan_id)
    if fair_use is None:
        return None
    month = month_of(at, service.partner.zone)
    found = MonthUse.objects.filter(service=service, month=month).first()
    return Used(fair_use, found.octets, found.measured_at, found.passed_at) if found else Used(fair_use, 0, None)


def slow_speed(plan: Plan) -> tuple[int, int, str]:
    """Down, up and the text for a MikroTik, of a service whose volume is used up; nothing where the plan has none."""
    fair_use = getattr(plan, "fair_use", None)
    if fair_use is None or fair_use.blocks:
        return 0, 0, ""
    return fair_use.down_kbps, fair_use.up_kbps, slow_text(plan, fair_use.up_kbps, fair_use.down_kbps)


def fair_answers(partner_ids: Sequence[int]) -> dict[str, Any]:
    """The routers of these partners whose make has an answer of its own to a used-up volume, and that answer."""
    choices = {
        (row.partner_id, row.nas_type): row.block for row in FairUseAnswer.objects.filter(partner__in=partner_ids)
    }
    routers = Router.objects.filter(partner__in=partner_ids).values_list("pk", "partner_id", "nas_type")
    found = {key: choices[partner, make] for key, partner, make in routers if (partner, make) in choices}
    return {"fair_routers": list(found), "fair_answers": list(found.values())}


def fair_use_block(partner_id: int, nas_type: str) -> str:
    """How routers of this make are told of a used-up volume; empty: as of other blocked customers."""
    found = FairUseAnswer.objects.filter(partner_id=partner_id, nas_type=nas_type).first()
    return FairUseBlock(found.block).value if found else ""
