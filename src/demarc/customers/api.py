"""Customers, their accounts' terms, over the API. Parses, calls one action or query, answers."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from ninja import Query, Router, Schema

from demarc.base import clock, log
from demarc.base.models import Partner
from demarc.core.money import parse
from demarc.core.period import billing_day
from demarc.customers import actions, queries
from demarc.customers.models import Account, Customer
from demarc.staff.apidoor import Page, Token, actor_of, given, listing, one, partner_of, scope, within

router = Router(tags=["customers"])


class CustomerSearch(Page):
    """Filters of the customer list."""

    q: str = ""
    status: str = ""
    billing_type: str = ""


class CustomerIn(Schema):
    """A new customer with one account."""

    partner_id: int
    name: str
    billing_type: str = "prepaid"
    category: str = "person"
    email: str = ""
    phone: str = ""
    street: str = ""
    zip_code: str = ""
    city: str = ""
    language: str = ""


class CustomerChange(Schema):
    """Fields to change; those left out stay."""

    name: str = ""
    category: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    zip_code: str = ""
    city: str = ""
    language: str = ""


class TermsIn(Schema):
    """Billing rules from `valid_from` (default today) on; null gives a rule back to the partner's terms."""

    valid_from: date | None = None
    minimal_balance: str | None = None
    day_rule: str | None = None
    limit_rule: str | None = None
    charge_activation_day: bool | None = None


@router.get("/partners", auth=Token("settings.see"), summary="Partners that the token works for")
def partners(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    rows = within(request, Partner.objects.all(), "id")
    return listing(rows, _partner, after=page.after, limit=page.limit)


@router.post("/partners/{partner_id}/terms", auth=Token("settings.edit"), summary="Set a partner's billing rules")
def set_partner_terms(request: HttpRequest, partner_id: int, payload: TermsIn) -> dict[str, Any]:
    partner = one(request, Partner.objects.all(), partner_of(request, partner_id), "partner")
    fields, valid_from = _terms(payload, partner.currency, partner.zone)
    actions.set_partner_terms(partner_id, valid_from=valid_from, by=actor_of(request), at=clock.now(), **fields)
    return {"partner_id": partner_id, "valid_from": valid_from}


@router.get("/customers", auth=Token("customers.see"), summary="Customers, newest first")
def customers(request: HttpRequest, search: Query[CustomerSearch]) -> dict[str, Any]:
    rows = queries.customer_list(
        scope(request), text=search.q, status=search.status, billing_type=search.billing_type
    ).prefetch_related("accounts")
    return listing(rows, _customer, after=search.after, limit=search.limit)


@router.post("/customers", auth=Token("customers.edit"), summary="Create a customer", response={201: dict[str, Any]})
def create_customer(request: HttpRequest, payload: CustomerIn) -> tuple[int, dict[str, Any]]:
    fields = given(payload)
    partner_id = partner_of(request, fields.pop("partner_id"))
    customer = actions.create_customer(partner_id=partner_id, by=actor_of(request), at=clock.now(), **fields)
    return 201, _customer(customer)


@router.get("/customers/{customer_id}", auth=Token("customers.see"), summary="One customer")
def customer(request: HttpRequest, customer_id: int) -> dict[str, Any]:
    found = one(request, Customer.objects.all(), customer_id, "customer")
    log.record(
        "viewed", by=actor_of(request), at=clock.now(), subject=("customer", found.pk), partner_id=found.partner_id
    )
    return _customer(found)


@router.patch("/customers/{customer_id}", auth=Token("customers.edit"), summary="Change a customer")
def update_customer(request: HttpRequest, customer_id: int, payload: CustomerChange) -> dict[str, Any]:
    one(request, Customer.objects.all(), customer_id, "customer")
    return _customer(actions.update_customer(customer_id, by=actor_of(request), at=clock.now(), **given(payload)))


@router.post("/accounts/{account_id}/terms", auth=Token("customers.edit"), summary="Set an account's billing rules")
def set_account_terms(request: HttpRequest, account_id: int, payload: TermsIn) -> dict[str, Any]:
    account = one(request, Account.objects.all(), account_id, "account")
    fields, valid_from = _terms(payload, account.currency, account.zone)
    actions.set_account_terms(account_id, valid_from=valid_from, by=actor_of(request), at=clock.now(), **fields)
    return {"account_id": account_id, "valid_from": valid_from}


def _terms(payload: TermsIn, currency: str, zone: str) -> tuple[dict[str, Any], date]:
    fields = given(payload)
    valid_from = fields.pop("valid_from", None) or billing_day(clock.now(), ZoneInfo(zone))
    if fields.get("minimal_balance") is not None:
        fields["minimal_balance"] = parse(fields["minimal_balance"], currency, field="minimal_balance").amount
    return fields, valid_from


def _partner(partner: Partner) -> dict[str, Any]:
    return {"id": partner.pk, "name": partner.name, "zone": partner.zone, "currency": partner.currency}


def _customer(customer: Customer) -> dict[str, Any]:
    return {
        "id": customer.pk,
        "partner_id": customer.partner_id,
        "number": customer.number,
        "name": customer.name,
        "category": customer.category,
        "email": customer.email,
        "phone": customer.phone,
        "street": customer.street,
        "zip_code": customer.zip_code,
        "city": customer.city,
        "language": customer.language,
        "status": customer.status,
        "status_since": customer.status_since,
        "accounts": [
            {
                "id": account.pk,
                "number": account.number,
                "currency": account.currency,
                "zone": account.zone,
                "billing_type": account.billing_type,
            }
            for account in customer.accounts.all()
        ],
    }
