"""What is planned for days to come, when something changes before them. Writes facts of services, logs nothing."""

from collections.abc import Sequence
from datetime import datetime

from demarc.base.actors import Actor, recorded
from demarc.plans.models import ServiceFact, ServiceState

FIELDS = ("plan_id", "state", "price_override", "quantity")


def keep_planned(written: Sequence[ServiceFact], *, by: Actor, at: datetime) -> None:
    """Let later facts of the services follow facts just written, at most one of each service: what a planned change
    named stays as planned, all else is what it now is. After an end nothing is planned any more."""
    if not written:
        return
    changed = {fact.service_id: fact for fact in written}
    first = min(fact.valid_from for fact in written)
    later: dict[int, dict[object, ServiceFact]] = {}
    rows = ServiceFact.objects.filter(service_id__in=list(changed), valid_from__gt=first)
    for fact in rows.order_by("service_id", "valid_from", "id"):
        if fact.valid_from > changed[fact.service_id].valid_from:
            later.setdefault(fact.service_id, {})[fact.valid_from] = fact
    fresh = [
        followed
        for service_id, of_day in later.items()
        for followed in _following(changed[service_id], list(of_day.values()))
    ]
    for fact in fresh:
        fact.__dict__.update(recorded(by, at))
    ServiceFact.objects.bulk_create(fresh)


def _following(changed: ServiceFact, planned: Sequence[ServiceFact]) -> list[ServiceFact]:
    """The planned facts, in order of days, that are other ones after the change."""
    known = ServiceFact.objects.filter(service_id=changed.service_id, valid_from__lte=changed.valid_from)
    before = known.exclude(pk=changed.pk).order_by("-valid_from", "-id").first() or changed
    now, fresh = {name: getattr(changed, name) for name in FIELDS}, []
    for fact in planned:
        if now["state"] != ServiceState.ENDED:
            now |= {name: getattr(fact, name) for name in FIELDS if getattr(fact, name) != getattr(before, name)}
        if any(getattr(fact, name) != value for name, value in now.items()):
            fresh.append(ServiceFact(service_id=fact.service_id, valid_from=fact.valid_from, **now))
        before = fact
    return fresh
