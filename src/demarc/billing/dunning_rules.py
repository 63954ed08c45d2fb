"""The rules of dunning as people give them: their names, their ranges, their stored form. Stores nothing."""

from typing import Any, TypedDict

from demarc.base import limits
from demarc.billing.days_off import countries
from demarc.billing.models import ReminderChannel
from demarc.core.errors import Refused

REMINDERS_MAX = 8
RANGES = {
    "grace_days": (0, 99),
    "block_hour": (0, 23),
    "deactivate_after_days": (0, 365),
    "threshold": (0, limits.PRICE_MAX),
    "blocking_fee": (0, limits.PRICE_MAX),
    "reactivation_fee": (0, limits.PRICE_MAX),
    "wave_factor": (1, 100),
    "wave_least": (0, 1_000_000),
    "outage_hours": (0, 240),
}


class DunningFields(TypedDict, total=False):
    """Rules of dunning, as in core.dunning.Policy and debts.Guards; a None leaves one to the partner's (of an account),
    or to the default. `reminders`: [days relative to the due day, hour, mail | sms | both]."""

    reminders: list[tuple[int, int, str]] | None
    blocks: bool | None
    grace_days: int | None
    block_hour: int | None
    on_weekends: bool | None
    on_holidays: bool | None
    country: str | None
    threshold: int | None
    one_time_blocks: bool | None
    deactivate_after_days: int | None
    blocking_fee: int | None
    reactivation_fee: int | None
    wave_factor: int | None
    wave_least: int | None
    outage_hours: int | None


def checked(fields: DunningFields) -> dict[str, Any]:
    """The rules as they are stored. Refused: a number out of range, an unknown country, more than
    eight reminders, two of them on one day."""
    given: dict[str, Any] = dict(fields)
    for field, (least, most) in RANGES.items():
        if given.get(field) is not None:
            limits.whole(given[field], least, most, field=field)
    if given.get("country") and given["country"] not in countries():
        raise Refused("Choose a country by its code, such as ES.", field="country", code="unknown_word")
    if given.get("reminders") is not None:
        given["reminders"] = _reminders(given["reminders"])
    return given


def _reminders(wanted: list[tuple[int, int, str]]) -> list[list[Any]]:
    if len(wanted) > REMINDERS_MAX:
        raise Refused(f"At most {REMINDERS_MAX} reminders.", field="reminders", code="out_of_range")
    for days, hour, channel in wanted:
        limits.whole(days, -60, 120, field="reminders")
        limits.whole(hour, 0, 23, field="reminders")
        limits.word(channel, ReminderChannel.values, field="reminders")
    if len({one[0] for one in wanted}) < len(wanted):
        raise Refused("Two reminders fall on the same day.", field="reminders", code="overlap")
    return [list(one) for one in sorted(wanted)]
