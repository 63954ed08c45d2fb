"""Who did it: a value stored beside every fact, without a foreign key, so that it outlives the login."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is staff | token | customer | system; `id` the login's or token's (0: system); `label` its name then."""

    kind: str
    id: int
    label: str
    address: str = ""
    request_id: str = ""


SYSTEM = Actor("system", 0, "Demarc")


def recorded(by: Actor, at: datetime) -> dict[str, Any]:
    """The columns of base.models.Recorded, for a fact written down now."""
    return {"recorded_at": at, "by_kind": by.kind, "by_id": by.id, "by_label": by.label}
