"""What hangs on messages, by reference: a kind and an id, rendered by the room that knows them when a mail is sent.

project.wiring.ATTACHMENTS names the function of each kind; it is called as `render(id, partner_id)` and answers an
Attachment, or raises Refused when there is nothing of that id at that partner.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from demarc.core.errors import Refused
from demarc.messages import wired

COUNT_MAX = 10
BYTES_MAX = 10_000_000


class Reference(TypedDict):
    """What a message keeps of an attachment."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to be mailed; `content_type` such as application/pdf."""

    name: str
    content_type: str
    data: bytes


def check(references: Sequence[Reference]) -> None:
    """Refused: too many, or of a kind that nobody renders."""
    if len(references) > COUNT_MAX:
        raise Refused(f"At most {COUNT_MAX} files hang on a message.", field="attachments")
    for one in references:
        _renderer(one["kind"])


def rendered(references: Sequence[Reference], partner_id: int) -> list[Attachment]:
    """The files themselves. Refused: one of them is not to be had, or together they are too large."""
    found = [_renderer(one["kind"])(one["id"], partner_id) for one in references]
    if sum(len(one.data) for one in found) > BYTES_MAX:
        raise Refused(f"Together the attached files are larger than {BYTES_MAX // 1_000_000} MB.", field="attachments")
    return found


def _renderer(kind: str) -> Callable[[int, int], Attachment]:
    render = wired.renderer(kind)
    if render is None:
        raise Refused(f"Nobody renders attachments of kind {kind!r}.", field="attachments", code="unknown")
    return render
