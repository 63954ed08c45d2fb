"""What an action would do: it is carried out and taken back, so that the preview and the deed are one path."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from django.db import transaction
from django.db.models import Max

from demarc.billing.models import Document, Transfer
from demarc.customers.models import Account

T = TypeVar("T")

ROWS_MAX = 200


class Made(NamedTuple):
    """What a deed wrote: the account as it is then, and documents and transfers in order, ROWS_MAX of each at most;
    `more` transfers there are besides."""

    account: Account
    documents: list[Document]
    transfers: list[Transfer]
    more: int


def rehearsed(act: Callable[[], T]) -> T:
    """What `act` answers; everything that it wrote, jobs and log rows too, is taken back. Refused as `act`."""
    with transaction.atomic():
        answer = act()
        transaction.set_rollback(True)
    return answer


def made(account: Account, act: Callable[[], Account]) -> Made:
    """Carries out a deed on how an account pays, and reads what it wrote to it and to the one that it pays, or paid,
    through. In a rehearsal lines must be read before it ends. Refused as `act`."""
    known = _newest(Document), _newest(Transfer)
    after = act()
    paying = {account.pk, account.parent_id, after.parent_id} - {None}
    documents = Document.objects.filter(account_id__in=paying, pk__gt=known[0]).select_related("account")
    moved = Transfer.objects.filter(account_id__in=paying, pk__gt=known[1])
    sides = moved.select_related("account", "debit_account__payer", "credit_account__payer").order_by("pk")
    transfers = list(sides[:ROWS_MAX])
    more = moved.count() - ROWS_MAX if len(transfers) == ROWS_MAX else 0
    return Made(after, list(documents.order_by("pk")[:ROWS_MAX]), transfers, more)


def _newest(kind: type[Transfer] | type[Document]) -> int:
    return kind.objects.aggregate(newest=Max("pk"))["newest"] or 0
