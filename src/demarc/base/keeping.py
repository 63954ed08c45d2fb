"""How long the operation log keeps what it says, by kind of entry. That something happened it keeps for good.

When the time is over, bodies, names and addresses go; what, when and whom it was about stay, with the digests by which
the log can still be verified. Nothing goes before somebody has said how long to keep it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from demarc.base import log, sql
from demarc.base.actors import Actor
from demarc.base.log import Kind
from demarc.base.models import OperationLog, Setting
from demarc.base.verify_log import KEPT_LEAST
from demarc.core.errors import Refused

KEY = "log.keep_days"
DAYS_MOST = 36_500

EXPIRE = """
SELECT coalesce(max(first + cardinality(ids) - 1), 0), coalesce(sum(demarc_log_expire(%(kind)s, ids)), 0)
FROM base_logseal WHERE first > %(after)s AND sealed_at < %(before)s
"""


def keep_days() -> dict[Kind, int | None]:
    """Kind -> how many days its contents are kept; None: for good."""
    found = Setting.objects.filter(partner=None, key=KEY).values_list("value", flat=True).first() or {}
    return {kind: found.get(kind.value) for kind in Kind}


@transaction.atomic
def set_keep_days(days: Mapping[str, int | None], *, by: Actor, at: datetime) -> None:
    """Say how long each kind is kept; None: for good. Refused: an unknown kind, less than a month, for changes and
    sign-ins less than a year, over a century."""
    before = {kind.value: kept for kind, kept in keep_days().items()}
    for kind, kept in days.items():
        if kind not in before:
            raise Refused("There is no such kind of entry.", field=kind, code="unknown")
        if kept is not None and not KEPT_LEAST[kind] <= kept <= DAYS_MOST:
            text = f"Keep it from {KEPT_LEAST[kind]} days to a hundred years, or for good."
            raise Refused(text, field=kind, code="range")
    after = before | dict(days)
    Setting.objects.update_or_create(partner=None, key=KEY, defaults={"value": after})
    changed = {kind: [before[kind], kept] for kind, kept in after.items() if before[kind] != kept}
    log.record("log_keeping_set", by=by, at=at, subject=("log", None), changed=changed)


def expire(*, by: Actor, at: datetime) -> int:
    """Take away the contents of entries that are older than their kind is kept: of how many. Refuses nothing.

    Each removal is an entry: "expired", about ("log.<kind>", the last position it reaches); it counts only as the
    system's own work.
    """
    return sum(_expire(kind, days, by, at) for kind, days in keep_days().items() if days)


@transaction.atomic
def _expire(kind: Kind, days: int, by: Actor, at: datetime) -> int:
    rules = OperationLog.objects.filter(subject_kind=f"log.{kind}", verb="expired", actor_kind="system")
    after = rules.order_by("-id").values_list("subject_id", flat=True).first() or 0
    reached, gone = sql.rows(EXPIRE, kind=kind.value, after=after, before=at - timedelta(days=days))[0]
    if reached:
        log.record("expired", by=by, at=at, subject=(f"log.{kind}", int(reached)), days=days, entries=int(gone))
    return int(gone)
