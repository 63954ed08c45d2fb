"""How an account pays, over the API: by the day or by documents, itself or through another; each looked at before."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from demarc.base import clock
from demarc.billing import actions
from demarc.billing.api import TransferOut
from demarc.billing.api_documents import DocumentOut
from demarc.billing.models import Document, Transfer
from demarc.billing.rehearsal import rehearsed
from demarc.customers.models import Account, BillingType
from demarc.staff.apidoor import Token, actor_of, one
from demarc.staff.apiforms import Id, Input, Key, answered_once

SHOWN_MAX = 200

router = Router(tags=["money"])


class BillingTypeIn(Input):
    """How the account is to pay, from tomorrow on."""

    billing_type: BillingType


class ParentIn(Input):
    """Through which account it is to pay."""

    parent_id: Id


class PayingOut(Schema):
    """How an account pays now, with the documents and the movements that the change of it made; of an account that pays
    through another, those of both."""

    account_id: int
    billing_type: BillingType
    parent_id: int | None
    documents: list[DocumentOut]
    transfers: list[TransferOut]


@router.post(
    "/accounts/{account_id}/billing-type",
    auth=Token("money.edit"),
    response={201: PayingOut},
    summary="Let an account pay by the day, or by documents, from tomorrow on",
)
def convert(request: HttpRequest, account_id: int, payload: BillingTypeIn, idempotency_key: Key) -> HttpResponse:
    one(request, Account.objects.all(), account_id, "account")
    return answered_once(
        request, idempotency_key, payload, lambda key: _schema(_converted(request, account_id, payload))
    )


@router.post(
    "/accounts/{account_id}/billing-type/preview",
    auth=Token("money.edit"),
    response=PayingOut,
    summary="The documents and movements that this would make; stores nothing",
)
def foresee_conversion(request: HttpRequest, account_id: int, payload: BillingTypeIn) -> dict[str, Any]:
    one(request, Account.objects.all(), account_id, "account")
    return rehearsed(lambda: _converted(request, account_id, payload))


@router.post(
    "/accounts/{account_id}/parent",
    auth=Token("money.edit"),
    response={201: PayingOut},
    summary="Let an account pay through another from its next document on; what it has goes over",
)
def link_account(request: HttpRequest, account_id: int, payload: ParentIn, idempotency_key: Key) -> HttpResponse:
    _expect_both(request, account_id, payload)
    return answered_once(request, idempotency_key, payload, lambda key: _schema(_linked(request, account_id, payload)))


@router.post(
    "/accounts/{account_id}/parent/preview",
    auth=Token("money.edit"),
    response=PayingOut,
    summary="The movements that this would make; stores nothing",
)
def foresee_link(request: HttpRequest, account_id: int, payload: ParentIn) -> dict[str, Any]:
    _expect_both(request, account_id, payload)
    return rehearsed(lambda: _linked(request, account_id, payload))


@router.post(
    "/accounts/{account_id}/parent/end",
    auth=Token("money.edit"),
    response=PayingOut,
    summary="Let an account pay for itself again; no money moves, so it needs no Idempotency-Key",
)
def unlink_account(request: HttpRequest, account_id: int) -> dict[str, Any]:
    one(request, Account.objects.all(), account_id, "account")
    return _told([account_id], lambda: actions.unlink_account(account_id, by=actor_of(request), at=clock.now()))


def _expect_both(request: HttpRequest, account_id: int, payload: ParentIn) -> None:
    one(request, Account.objects.all(), account_id, "account")
    one(request, Account.objects.all(), payload.parent_id, "account", field="parent_id")


def _converted(request: HttpRequest, account_id: int, payload: BillingTypeIn) -> dict[str, Any]:
    act = actions.make_prepaid if payload.billing_type == BillingType.PREPAID else actions.make_recurring
    return _told([account_id], lambda: act(account_id, by=actor_of(request), at=clock.now()))


def _linked(request: HttpRequest, account_id: int, payload: ParentIn) -> dict[str, Any]:
    by, parent_id = actor_of(request), payload.parent_id
    act = actions.link_account
    return _told([account_id, parent_id], lambda: act(account_id, parent_id=parent_id, by=by, at=clock.now()))


def _told(account_ids: list[int], act: Callable[[], Account]) -> dict[str, Any]:
    """What is new on these accounts after `act`; read before a rehearsal takes it back."""
    documents = Document.objects.filter(account_id__in=account_ids)
    transfers = Transfer.objects.filter(account_id__in=account_ids)
    known = [_newest(documents), _newest(transfers)]
    account = act()
    fresh = documents.filter(pk__gt=known[0]).select_related("account").order_by("pk")
    moved = transfers.filter(pk__gt=known[1]).select_related("credit_account").order_by("pk")
    return {
        "account_id": account.pk,
        "billing_type": account.billing_type,
        "parent_id": account.parent_id,
        "documents": list(fresh[:SHOWN_MAX]),
        "transfers": list(moved[:SHOWN_MAX]),
    }


def _schema(told: dict[str, Any]) -> PayingOut:
    return PayingOut.model_validate(told)


def _newest(rows: Any) -> int:
    found: int | None = rows.order_by("-pk").values_list("pk", flat=True).first()
    return found or 0
