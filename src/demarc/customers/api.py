"""Providers, customers and their accounts' terms over the API. Parses, calls one action or query, answers."""

from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema

from demarc.base import clock
from demarc.base.models import Partner
from demarc.core.money import parse
from demarc.customers import actions, queries
from demarc.customers.models import (
    Account,
    AccountTerms,
    BillingType,
    Block,
    Customer,
    DayRule,
    LimitRule,
    PartnerTerms,
    Status,
)
from demarc.staff import masks
from demarc.staff.apidoor import Token, actor_of, one, partner_for, scope, seen, within, words
from demarc.staff.apiforms import (
    Amount,
    Day,
    Flag,
    Id,
    Input,
    Listing,
    Page,
    Search,
    given,
    left_out_stays,
    listing,
    private_listing,
    shown,
)

router = Router()


class PartnerOut(Schema):
    """A provider, or a reseller of his."""

    id: int
    name: str
    zone: str
    currency: str
    language: str
    phone: str
    email: str
    website: str


class PartnerChange(Input, json_schema_extra=left_out_stays):
    """Fields to change; those left out stay. Zone and currency are fixed as soon as there are customers."""

    name: str = ""
    zone: str = ""
    currency: str = ""
    language: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""


class AccountOut(Schema):
    """Who pays: one currency, one way of billing."""

    id: int
    number: str
    currency: str
    zone: str
    billing_type: BillingType


class CustomerOut(Schema):
    """A customer; `status` follows his services and blocks."""

    id: int
    partner_id: int
    location_id: int | None
    number: str
    name: str
    category: str
    email: str
    phone: str
    street: str
    zip_code: str
    city: str
    language: str
    status: Status
    status_since: datetime
    accounts: list[AccountOut]

    @staticmethod
    def resolve_phone(customer: Customer, context: Any) -> str:
        return masks.shown(customer.phone, "phone", words(context["request"]))

    @staticmethod
    def resolve_email(customer: Customer, context: Any) -> str:
        return masks.shown(customer.email, "email", words(context["request"]))


class CustomerSearch(Page):
    """`q`: a number, or a part of name, e-mail address, phone or street."""

    q: Search = ""
    status: Status | None = None
    billing_type: BillingType | None = None


class CustomerChange(Input, json_schema_extra=left_out_stays):
    """Fields to change; those left out stay."""

    name: str = ""
    category: Literal["person", "company"] = "person"
    email: str = ""
    phone: str = ""
    street: str = ""
    zip_code: str = ""
    city: str = ""
    language: str = ""
    location_id: Id | None = None


class CustomerIn(CustomerChange, json_schema_extra=None):
    """A new customer with one account."""

    partner_id: Id
    name: str
    billing_type: BillingType = BillingType.PREPAID


class BlockOut(Schema):
    """Why somebody was blocked (1: by staff, 2: no money), and who set it. `lifted_at` null: he still is."""

    id: int
    account_id: int | None
    cause: int
    reason: str
    set_at: datetime
    set_by: str
    grace_until: datetime | None
    lifted_at: datetime | None

    @staticmethod
    def resolve_set_by(block: Block) -> str:
        return block.set_by_label


class TermsIn(Input):
    """Billing rules from `valid_from` (default today) on; those left out stay. In an account's rules, null gives a
    rule back to the provider's."""

    valid_from: Day | None = None
    minimal_balance: Amount | None = None
    day_rule: DayRule | None = None
    limit_rule: LimitRule | None = None
    charge_activation_day: Flag | None = None


class RulesOut(Schema):
    """The billing rules that hold."""

    minimal_balance: str
    day_rule: DayRule
    limit_rule: LimitRule
    charge_activation_day: bool


class TermsOut(Schema):
    """Billing rules as they were recorded; null leaves one to the provider."""

    valid_from: date
    recorded_at: datetime
    recorded_by: str
    minimal_balance: str | None
    day_rule: DayRule | None
    limit_rule: LimitRule | None
    charge_activation_day: bool | None

    @staticmethod
    def resolve_recorded_by(terms: PartnerTerms | AccountTerms) -> str:
        return terms.by_label

    @staticmethod
    def resolve_minimal_balance(terms: PartnerTerms | AccountTerms) -> str | None:
        whose = terms.account if isinstance(terms, AccountTerms) else terms.partner
        return None if terms.minimal_balance is None else shown(terms.minimal_balance, whose.currency)


class AccountTermsOut(Schema):
    """Today's rules of an account: its own, and what follows from them and the provider's."""

    own: TermsOut | None
    in_force: RulesOut


@router.get(
    "/partners",
    auth=Token("settings.see"),
    response=Listing[PartnerOut],
    tags=["partners"],
    summary="Providers that the token works for, newest first",
)
def partners(request: HttpRequest, page: Query[Page]) -> dict[str, Any]:
    return listing(within(request, Partner.objects.all(), "id"), page)


@router.get(
    "/partners/{partner_id}", auth=Token("settings.see"), response=PartnerOut, tags=["partners"], summary="A provider"
)
def partner(request: HttpRequest, partner_id: int) -> Partner:
    return _partner(request, partner_id)


@router.patch(
    "/partners/{partner_id}",
    auth=Token("settings.edit"),
    response=PartnerOut,
    tags=["partners"],
    summary="Change a provider",
)
def update_partner(request: HttpRequest, partner_id: int, payload: PartnerChange) -> Partner:
    _partner(request, partner_id)
    return actions.update_partner(partner_id, by=actor_of(request), at=clock.now(), **given(payload))


@router.get(
    "/partners/{partner_id}/terms",
    auth=Token("settings.see"),
    response=TermsOut,
    tags=["partners"],
    summary="A provider's billing rules of today",
)
def partner_terms(request: HttpRequest, partner_id: int) -> PartnerTerms | None:
    found = _partner(request, partner_id)
    return queries.partner_terms_on(partner_id, clock.today(found.zone))


@router.post(
    "/partners/{partner_id}/terms",
    auth=Token("settings.edit"),
    response={201: TermsOut},
    tags=["partners"],
    summary="Set a provider's billing rules from a day on",
)
def set_partner_terms(request: HttpRequest, partner_id: int, payload: TermsIn) -> PartnerTerms:
    found = _partner(request, partner_id)
    terms = _terms(payload, found.currency, found.zone)
    return actions.set_partner_terms(partner_id, by=actor_of(request), at=clock.now(), **terms)


@router.get(
    "/customers",
    auth=Token("customers.see"),
    response=Listing[CustomerOut],
    tags=["customers"],
    summary="Customers, newest first",
)
def customers(request: HttpRequest, search: Query[CustomerSearch]) -> dict[str, Any]:
    rows = queries.customer_list(
        scope(request), status=search.status or "", billing_type=search.billing_type or ""
    ).filter(queries.matching(search.q, scope(request), contacts=masks.readable("phone", words(request))))
    return private_listing(request, "customers", rows.prefetch_related("accounts"), search)


@router.post(
    "/customers",
    auth=Token("customers.edit"),
    response={201: CustomerOut},
    tags=["customers"],
    summary="Create a customer",
)
def create_customer(request: HttpRequest, payload: CustomerIn) -> Customer:
    fields = given(payload)
    partner = partner_for(request, fields.pop("partner_id"))
    return actions.create_customer(partner_id=partner.pk, by=actor_of(request), at=clock.now(), **fields)


@router.get(
    "/customers/{customer_id}",
    auth=Token("customers.see"),
    response=CustomerOut,
    tags=["customers"],
    summary="A customer",
)
def customer(request: HttpRequest, customer_id: int) -> Customer:
    found = one(request, Customer.objects.all(), customer_id, "customer")
    seen(request, found.pk, found.partner_id, "customer")
    return found


@router.patch(
    "/customers/{customer_id}",
    auth=Token("customers.edit"),
    response=CustomerOut,
    tags=["customers"],
    summary="Change a customer",
)
def update_customer(request: HttpRequest, customer_id: int, payload: CustomerChange) -> Customer:
    one(request, Customer.objects.all(), customer_id, "customer")
    return actions.update_customer(customer_id, by=actor_of(request), at=clock.now(), **given(payload))


@router.get(
    "/customers/{customer_id}/blocks",
    auth=Token("customers.see"),
    response=Listing[BlockOut],
    tags=["customers"],
    summary="A customer's blocks, newest first",
)
def blocks(request: HttpRequest, customer_id: int, page: Query[Page]) -> dict[str, Any]:
    found = one(request, Customer.objects.all(), customer_id, "customer")
    seen(request, found.pk, found.partner_id, "blocks")
    return listing(queries.block_history(customer_id), page)


@router.get(
    "/accounts/{account_id}/terms",
    auth=Token("customers.see"),
    response=AccountTermsOut,
    tags=["customers"],
    summary="An account's billing rules of today",
)
def account_terms(request: HttpRequest, account_id: int) -> dict[str, Any]:
    account = one(request, Account.objects.all(), account_id, "account")
    seen(request, account.customer_id, account.partner_id, "terms")
    today = clock.today(account.zone)
    rules = queries.terms_for([account_id], today)[account_id]._asdict()
    rules["minimal_balance"] = shown(rules["minimal_balance"], account.currency)
    return {"own": queries.account_terms_on(account_id, today), "in_force": rules}


@router.post(
    "/accounts/{account_id}/terms",
    auth=Token("terms.edit"),
    response={201: TermsOut},
    tags=["customers"],
    summary="Set an account's own billing rules from a day on",
)
def set_account_terms(request: HttpRequest, account_id: int, payload: TermsIn) -> AccountTerms:
    account = one(request, Account.objects.all(), account_id, "account")
    terms = _terms(payload, account.currency, account.zone)
    return actions.set_account_terms(account_id, by=actor_of(request), at=clock.now(), **terms)


def _partner(request: HttpRequest, partner_id: int) -> Partner:
    return one(request, Partner.objects.all(), partner_id, "partner", key="id")


def _terms(payload: TermsIn, currency: str, zone: str) -> dict[str, Any]:
    """The rules that are named, with the day from which on; the limit in minor units."""
    terms = given(payload)
    terms["valid_from"] = payload.valid_from or clock.today(zone)
    if payload.minimal_balance is not None:
        terms["minimal_balance"] = parse(payload.minimal_balance, currency, field="minimal_balance").amount
    return terms
