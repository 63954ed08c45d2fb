"""The operation log: one row for each thing done, seen or refused. Append-only; bodies are sealed per subject."""

import hashlib
import json
from datetime import datetime
from typing import Any

from demarc.base.actors import Actor
from demarc.base.models import OperationLog
from demarc.base.vault import seal_for_subject


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
    _complete(OperationLog(verb=verb, partner_id=partner_id, result="done"), by, at, subject, body).save()


def record_refused(
    verb: str,
    *,
    by: Actor,
    at: datetime,
    subject: tuple[str, int | None],
    partner_id: int | None = None,
    **body: Any,
) -> None:
    """Write one row in a transaction of its own, since the caller's is about to be rolled back."""
    row = OperationLog(verb=verb, partner_id=partner_id, result="refused")
    _complete(row, by, at, subject, body).save(using="apart")


def viewed_since(subject: tuple[str, int], by: Actor, since: datetime) -> bool:
    """Whether this actor has looked at the subject since then."""
    rows = OperationLog.objects.filter(subject_kind=subject[0], subject_id=subject[1], verb="viewed", at__gte=since)
    return rows.filter(actor_kind=by.kind, actor_id=by.id).exists()


def _complete(
    row: OperationLog, by: Actor, at: datetime, subject: tuple[str, int | None], body: dict[str, Any]
) -> OperationLog:
    """Fill in who, when and what, and the leaf: a hash over the public columns and the sealed body's ciphertext."""
    row.at = at
    row.actor_kind, row.actor_id, row.actor_label = by.kind, by.id, by.label
    row.request_id, row.address = by.request_id, by.address or None
    row.subject_kind, row.subject_id = subject
    row.body = seal_for_subject(subject[0], subject[1] or 0, json.dumps(body, default=str).encode()) if body else None
    public = [at.isoformat(), by.kind, by.id, row.verb, *subject, row.partner_id, row.result]
    sealed = hashlib.sha256(row.body or b"").hexdigest()
    row.leaf = hashlib.sha256(b"\0" + json.dumps([*public, sealed]).encode()).digest()
    return row
