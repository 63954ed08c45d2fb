"""The operation log: one row for each thing done, seen or refused. Append-only; bodies are sealed per subject.

What makes it tamper-evident happens seconds later and elsewhere (base.sealing): an action pays nothing for it.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError
from django.db.models import BinaryField, Model

from demarc.base import sql
from demarc.base.actors import Actor
from demarc.base.models import OperationLog, SubjectKey
from demarc.base.vault import seal_for_subject

PURGE = "SELECT demarc_log_purge(%(kind)s, %(subject)s)"
APART = "apart"
LONG = 500
"""No value of a field is written down longer than this; the log tells what was changed, it is no copy."""


class Kind(StrEnum):
    """What sort of thing a row tells of: how long it is kept depends on it."""

    VIEW = "view"
    SIGN_IN = "sign_in"
    CHANGE = "change"
    WORK = "work"


VERBS: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "viewed",
            "listed",
            "searched",
            "downloaded",
            "exported",
            "address_traced",
            "asked_preview",
            "asked_what_if",
        ),
        Kind.VIEW,
    ),
    **dict.fromkeys(
        (
            "logged_in",
            "logged_out",
            "login_failed",
            "login_throttled",
            "code_throttled",
            "new_device",
            "token_refused",
            "reset_asked",
            "reset_code_made",
        ),
        Kind.SIGN_IN,
    ),
    **dict.fromkeys(("purged", "expired"), Kind.CHANGE),
}
"""The verbs that are no change; what the system does by itself is work."""


def record(
    verb: str,
    *,
    by: Actor,
    at: datetime,
    subject: tuple[str, int | None],
    partner_id: int | None = None,
    **body: Any,
) -> None:
    """Write one row in the caller's transaction. `subject` is (kind, id); `body` is JSON-able and holds no secret."""
    row = _complete(OperationLog(verb=verb, partner_id=partner_id, result="done"), by, at, subject)
    row.body = _sealed(row, body, DEFAULT_DB_ALIAS)
    row.save()


def record_refused(
    verb: str,
    *,
    by: Actor,
    at: datetime,
    subject: tuple[str, int | None],
    partner_id: int | None = None,
    **body: Any,
) -> None:
    """Write one row in a transaction of its own, since the caller's is about to be rolled back. If that one has just
    made the subject's first key, we cannot wait for it: then what is told can be read only if it is committed."""
    row = _complete(OperationLog(verb=verb, partner_id=partner_id, result="refused"), by, at, subject)
    try:
        row.body = _sealed(row, body, APART)
    except OperationalError:
        with suppress(DatabaseError):
            row.body = _sealed(row, body, DEFAULT_DB_ALIAS)
    row.save(using=APART)


def viewed_since(subject: tuple[str, int], by: Actor, since: datetime) -> bool:
    """Whether this actor has looked at the subject since then."""
    rows = OperationLog.objects.filter(subject_kind=subject[0], subject_id=subject[1], verb="viewed", at__gte=since)
    return rows.filter(actor_kind=by.kind, actor_id=by.id).exists()


def snapshot(row: Model) -> dict[str, Any]:
    """The fields of a row as they are now, for `changes` after something was done to it."""
    fields = (field for field in row._meta.concrete_fields if not field.primary_key)
    return {field.name: _told(field, getattr(row, field.attname)) for field in fields}


def changes(before: Mapping[str, Any], row: Model, *, names: Iterable[str] = ()) -> dict[str, list[Any]]:
    """Field -> [before, after], of those that differ (among `names`, if given). Passwords and what is sealed or binary
    are only said to have changed."""
    wanted = frozenset(names)
    after = {name: value for name, value in snapshot(row).items() if not wanted or name in wanted}
    found = {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}
    secret = {field.name for field in row._meta.concrete_fields if _is_secret(field)}
    return {name: ["", "changed"] if name in secret else pair for name, pair in found.items()}


def purge(subject: tuple[str, int], *, by: Actor, at: datetime, partner_id: int | None = None) -> int:
    """Make what the log says of a subject unreadable for good, then remove it: how many rows lost their body.

    Its key goes, so that no copy of the table, also in a backup, tells more. That it was done is in the log, which
    stays verifiable: leaves cover the digests of bodies.
    """
    SubjectKey.objects.filter(subject_kind=subject[0], subject_id=subject[1]).delete()
    gone = int(sql.rows(PURGE, kind=subject[0], subject=subject[1])[0][0])
    record("purged", by=by, at=at, subject=subject, partner_id=partner_id)
    return gone


def _is_secret(field: Any) -> bool:
    return isinstance(field, BinaryField) or field.name == "password"


def _told(field: Any, value: Any) -> Any:
    """A value as the log may tell it."""
    if _is_secret(field):
        return value and hash(value if isinstance(value, str) else bytes(value))  # compared, and never shown
    return value[:LONG] if isinstance(value, str) else value


def _complete(row: OperationLog, by: Actor, at: datetime, subject: tuple[str, int | None]) -> OperationLog:
    """Fill in who, when and what."""
    row.at = at
    row.actor_kind, row.actor_id, row.actor_label = by.kind, by.id, by.label
    row.request_id, row.address = by.request_id, by.address or None
    row.subject_kind, row.subject_id = subject
    row.kind = VERBS.get(row.verb, Kind.WORK if by.kind == "system" else Kind.CHANGE)
    return row


def _sealed(row: OperationLog, body: dict[str, Any], using: str) -> bytes | None:
    """What is told of the row's subject; None: nothing."""
    if not body:
        return None
    told = json.dumps(body, default=str).encode()
    return seal_for_subject(row.subject_kind, row.subject_id or 0, told, using=using)
