"""What an action would do: it is carried out and taken back, so that the preview and the deed are one path."""

from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

T = TypeVar("T")


def rehearsed(act: Callable[[], T]) -> T:
    """What `act` answers; everything that it wrote, jobs and log rows too, is taken back. Refused as `act`."""
    with transaction.atomic():
        answer = act()
        transaction.set_rollback(True)
    return answer
