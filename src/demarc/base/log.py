"""The operation log: one row for each thing done, seen or refused. Append-only; bodies are sealed per subject."""

import hashlib
import json
from datetime import datetime
from typing import Any

from demarc.base.actors import Actor
from demarc.base.models import OperationLog
from demarc.base.vault import seal_for_subject


def record(
    verb: str, *, by: Actor, at: datetime, subject: tuple[str, int | None], partner_id: int | None = None, **body: Any
) -> None:
    """Write one row in the caller's transaction. `subject` is (kind, id); `body` is JSON-able and holds no secret."""
    OperationLog.objects.create(**_row(verb, by, at, subject, partner_id, "done", body))


def record_refused(
    verb: str, *, by: Actor, at: datetime, subject: tuple[str, int | None], partner_id: int | None = None, **body: Any
) -> None:
    """Write one row in a transaction of its own, since the caller's is about to be rolled back."""
    OperationLog.objects.using("apart").create(**_row(verb, by, at, subject, partner_id, "refused", body))


def _row(
    verb: str,
    by: Actor,
    at: datetime,
    subject: tuple[str, int | None],
    partner_id: int | None,
    result: str,
    body: dict[str, Any],
) -> dict[str, Any]:
    kind, subject_id = subject
    sealed = seal_for_subject(kind, subject_id or 0, json.dumps(body, default=str).encode()) if body else None
    public = f"{at.isoformat()}|{by.kind}|{by.id}|{verb}|{kind}|{subject_id}|{result}".encode()
    return {
        "at": at,
        "actor_kind": by.kind,
        "actor_id": by.id,
        "actor_label": by.label,
        "partner_id": partner_id,
        "verb": verb,
        "subject_kind": kind,
        "subject_id": subject_id,
        "result": result,
        "request_id": by.request_id,
        "address": by.address or None,
        "body": sealed,
        "leaf": hashlib.sha256(b"\0" + public + b"|" + hashlib.sha256(sealed or b"").digest()).digest(),
    }
