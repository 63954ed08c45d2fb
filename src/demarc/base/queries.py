"""Reads of the operation log: what was done, by whom, to what; how far it is sealed. Opens bodies, changes nothing."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demarc.base import sql
from demarc.base.actors import Actor
from demarc.base.models import LogSeal, OperationLog
from demarc.base.vault import open_for_subjects

LATELY_MAX = 50

# One step of the index for each verb there is, instead of a look at every entry.
VERBS = """
WITH RECURSIVE found AS (
    SELECT min(verb) AS verb FROM base_operationlog
    UNION ALL
    SELECT (SELECT min(verb) FROM base_operationlog l WHERE l.verb > found.verb) FROM found WHERE found.verb IS NOT NULL
)
SELECT verb FROM found WHERE verb IS NOT NULL LIMIT 500
"""
POSITION = """
SELECT first + array_position(ids, %(id)s) - 1, number, sealed_at
FROM base_logseal WHERE ids @> ARRAY[%(id)s::bigint] LIMIT 1
"""


@dataclass(frozen=True)
class Standing:
    """How far the log is sealed, and when and with what result it was last verified."""

    entries: int
    sealed_at: datetime | None
    verified_at: datetime | None
    intact: bool


@dataclass(frozen=True)
class Place:
    """Where an entry stands in the sealed log."""

    position: int
    seal: int
    sealed_at: datetime


def verbs() -> list[str]:
    """All that was ever done, as words of the log."""
    return [row[0] for row in sql.rows(VERBS)]


def told(rows: Sequence[OperationLog]) -> dict[int, dict[str, Any] | None]:
    """Id -> what the entry tells, {} for nothing; None: it was removed, or cannot be opened any more."""
    with_body = [row for row in rows if row.body is not None]
    sealed = ((row.subject_kind, row.subject_id or 0, bytes(row.body or b"")) for row in with_body)
    opened = zip(with_body, open_for_subjects(sealed), strict=True)
    found: dict[int, dict[str, Any] | None] = {row.pk: None if row.body_digest else {} for row in rows}
    return found | {row.pk: None if text is None else json.loads(text) for row, text in opened}


def lately(verb: str, by: Actor, since: datetime) -> list[dict[str, Any]]:
    """What the newest LATELY_MAX entries of one verb tell that this actor has made since then."""
    rows = OperationLog.objects.filter(verb=verb, actor_kind=by.kind, actor_id=by.id, at__gte=since)
    # By time, so that the index ends the walk where "since" does.
    return [body for body in told(list(rows.order_by("-at")[:LATELY_MAX])).values() if body]


def place_of(entry: OperationLog) -> Place | None:
    """Where the sealer put an entry; None: it was not there yet."""
    found = sql.rows(POSITION, id=entry.pk)
    return Place(*found[0]) if found else None


def standing() -> Standing:
    """How the log as a whole stands."""
    last = LogSeal.objects.order_by("-number").first()
    verified = OperationLog.objects.filter(verb="log_verified").order_by("-id").first()
    return Standing(
        entries=last.first + len(last.ids) - 1 if last else 0,
        sealed_at=last.sealed_at if last else None,
        verified_at=verified.at if verified else None,
        intact=verified is None or verified.result == "done",
    )


def differences(body: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """(field, before, after) of what an entry says was changed."""
    changed = body.get("changed")
    if not isinstance(changed, dict):
        return []
    return [(name, *pair) for name, pair in changed.items() if isinstance(pair, list) and len(pair) == 2]


def facts(body: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """(name, value) of the rest."""
    return [(name, value) for name, value in body.items() if name != "changed" and value not in (None, "", {}, [])]
