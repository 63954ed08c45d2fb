"""How an account pays, over the API: by the day or by documents, itself or through another; each looked at before."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema

from demarc.base import clock
from demarc.billing import actions
from demarc.billing.api import TransferOut
from demarc.billing.api_documents import DocumentOut
from demarc.billing.rehearsal import made, rehearsed
from demarc.customers.models import Account, BillingType
from demarc.staff.apidoor import Token, actor_of, one
from demarc.staff.apiforms import Id, Input, Key, answered_once

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
    auth=Token("accounts.edit"),
    response={201: PayingOut},
    summary="Let an account pay by the day, or by documents, from tomorrow on",
)
def convert(request: HttpRequest, account_id: int, payload: BillingTypeIn, idempotency_key: Key) -> HttpResponse:
    account = _account(request, account_id)
    return answered_once(request, idempotency_key, payload, lambda key: _schema(_converted(request, account, payload)))


@router.post(
    "/accounts/{account_id}/billing-type/preview",
    auth=Token("accounts.edit"),
    response=PayingOut,
    summary="The documents and movements that this would make; stores nothing",
)
def foresee_conversion(request: HttpRequest, account_id: int, payload: BillingTypeIn) -> dict[str, Any]:
    account = _account(request, account_id)
    return rehearsed(lambda: _converted(request, account, payload))


@router.post(
    "/accounts/{account_id}/parent",
    auth=Token("accounts.edit"),
    response={201: PayingOut},
    summary="Let an account pay through another from its next document on; what it has goes over",
)
def link_account(request: HttpRequest, account_id: int, payload: ParentIn, idempotency_key: Key) -> HttpResponse:
    account = _account(request, account_id, payload)
    return answered_once(request, idempotency_key, payload, lambda key: _schema(_linked(request, account, payload)))


@router.post(
    "/accounts/{account_id}/parent/preview",
    auth=Token("accounts.edit"),
    response=PayingOut,
    summary="The movements that this would make; stores nothing",
)
def foresee_link(request: HttpRequest, account_id: int, payload: ParentIn) -> dict[str, Any]:
    account = _account(request, account_id, payload)
    return rehearsed(lambda: _linked(request, account, payload))


@router.post(
    "/accounts/{account_id}/parent/end",
    auth=Token("accounts.edit"),
    response=PayingOut,
    summary="Let an account pay for itself again; no money moves, so it needs no Idempotency-Key",
)
def unlink_account(request: HttpRequest, account_id: int) -> dict[str, Any]:
    account = _account(request, account_id)
    return _told(account, lambda: actions.unlink_account(account_id, by=actor_of(request), at=clock.now()))


def _account(request: HttpRequest, account_id: int, payload: ParentIn | None = None) -> Account:
    """The account, if it and the one it is to pay through may be seen."""
    account = one(request, Account.objects.all(), account_id, "account")
    if payload is not None:
        one(request, Account.objects.all(), payload.parent_id, "account", field="parent_id")
    return account


def _converted(request: HttpRequest, account: Account, payload: BillingTypeIn) -> dict[str, Any]:
    act = actions.make_prepaid if payload.billing_type == BillingType.PREPAID else actions.make_recurring
    return _told(account, lambda: act(account.pk, by=actor_of(request), at=clock.now()))


def _linked(request: HttpRequest, account: Account, payload: ParentIn) -> dict[str, Any]:
    by, parent_id = actor_of(request), payload.parent_id
    act = actions.link_account
    return _told(account, lambda: act(account.pk, parent_id=parent_id, by=by, at=clock.now()))


def _told(account: Account, act: Callable[[], Account]) -> dict[str, Any]:
    done = made(account, act)
    paying = {"billing_type": done.account.billing_type, "parent_id": done.account.parent_id}
    return {"account_id": account.pk, "documents": done.documents, "transfers": done.transfers} | paying


def _schema(told: dict[str, Any]) -> PayingOut:
    return PayingOut.model_validate(told)
