"""Which fees follow from what happened to a service: it was set up, moved to a plan, ended too early, taken up again.

Pure: the service's facts in, fees out. Knows no amount, document or account.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from demarc.core.period import add_months

ACTIVE, ENDED = "active", "ended"
RESTING = frozenset({"paused", "stopped"})


class FeeKind(StrEnum):
    """What a fee is for; the words are those of the plan's fields without "_fee"."""

    SETUP = "setup"
    CHANGE = "change"
    CANCELLATION = "cancellation"
    REACTIVATION = "reactivation"


class Held(NamedTuple):
    """A fact of a service: from `day` on it is of this plan and state (words of plans.models.ServiceState)."""

    day: date
    plan_id: int
    state: str


class Fee(NamedTuple):
    """A fee of `plan_id` for what happened on `day`."""

    kind: FeeKind
    day: date
    plan_id: int


def fees(facts: Sequence[Held], terms: Mapping[int, int]) -> list[Fee]:
    """The fees of a service's whole life, in order. `facts` in the order (day, recorded): of one day the last holds, so
    what was undone on the same day costs nothing. `terms`: each plan's contract in months, 0 for none."""
    first = next((one for one in facts if one.state == ACTIVE), None)
    if first is None:
        return []
    found = [Fee(FeeKind.SETUP, first.day, first.plan_id)]
    days = list({one.day: one for one in facts}.values())
    for before, now in pairwise(days):
        if now.day < first.day:
            continue
        if now.plan_id != before.plan_id and before.state == ACTIVE and now.state == ACTIVE:
            found.append(Fee(FeeKind.CHANGE, now.day, now.plan_id))
        if now.state == ACTIVE and before.state in RESTING:
            found.append(Fee(FeeKind.REACTIVATION, now.day, now.plan_id))
        if now.state == ENDED != before.state and now.day < _bound_until(first.day, terms.get(now.plan_id, 0)):
            found.append(Fee(FeeKind.CANCELLATION, now.day, now.plan_id))
    return found


def _bound_until(begun: date, months: int) -> date:
    """The first day on which a contract that began so may end for free."""
    return add_months(begun, months, begun.day)
