"""What entries of the operation log tell a reader: values that he may not read whole are masked here as on every page.

List, page and API all ask this; nothing else opens entries for people.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from demarc.base import queries
from demarc.base.models import OperationLog
from demarc.staff import masks

OURS = frozenset({"login", "partner"})
"""Kinds of subjects whose addresses are the house's own, no customer's."""
LOOKED_FOR = frozenset({"searched", "listed", "exported"})
TYPED = dict.fromkeys(("text", "q"), "typed")
"""Where the entries of LOOKED_FOR keep what somebody typed."""
FIELDS = {kind: kind for kind in masks.KINDS if kind != "typed"}
"""Name of a field -> the kind of its values."""


def told(entries: Sequence[OperationLog], held: Collection[str]) -> dict[int, dict[str, Any] | None]:
    """As base.queries.told, for somebody who may do what `held` (spread) says."""
    bodies = queries.told(entries)
    return {entry.pk: _masked(bodies[entry.pk], _kinds(entry), held) for entry in entries}


def _kinds(entry: OperationLog) -> Mapping[str, str]:
    """Which fields of an entry are sensitive, and how."""
    fields = {} if entry.subject_kind in OURS else FIELDS
    return fields | TYPED if entry.verb in LOOKED_FOR else fields


def _masked(value: Any, kinds: Mapping[str, str], held: Collection[str], kind: str = "") -> Any:
    """The value with all that lies below a sensitive name masked, however deep."""
    if isinstance(value, Mapping):
        return {name: _masked(one, kinds, held, kinds.get(name, kind)) for name, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, kinds, held, kind) for one in value]
    return masks.shown(str(value), kind, held) if kind and value is not None else value
