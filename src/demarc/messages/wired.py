"""What other rooms give to messages by name: who renders an attachment, who knows whether news is still true.

Filled once at start from project.wiring, before any model is loaded; it imports none.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.module_loading import import_string

_attachments: dict[str, str] = {}
_checks: dict[str, str] = {}


def register(attachments: Mapping[str, str], checks: Mapping[str, str]) -> None:
    """Take the tables kind -> dotted name of a function (project.wiring ATTACHMENTS and MESSAGE_CHECKS)."""
    _attachments.clear()
    _attachments.update(attachments)
    _checks.clear()
    _checks.update(checks)


def renderer(kind: str) -> Callable[..., Any] | None:
    """The function behind a kind of attachment: `render(id, partner_id) -> messages.attachments.Attachment`."""
    return _found(_attachments, kind)


def check(kind: str) -> Callable[..., Any] | None:
    """The function behind a kind of message: `check(message, at) -> str`, as in messages.checks."""
    return _found(_checks, kind)


def _found(table: Mapping[str, str], kind: str) -> Callable[..., Any] | None:
    if kind not in table:
        return None
    found: Callable[..., Any] = import_string(table[kind])
    return found
