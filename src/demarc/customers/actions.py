"""What is done to partners, customers, accounts and their terms. Knows nothing of plans, money or networks.

The single verb is the bulk verb with one element. Facts of several fields are typed dictionaries, so that
`create_customer(partner_id=1, name="Ana", by=by, at=at)` and `create_customers([{"name": "Ana"}], ...)` are one thing.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Required, TypedDict, Unpack
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q

from demarc.base import limits, log, texts
from demarc.base.actors import Actor, recorded
from demarc.base.events import emit, emit_ids
from demarc.base.models import Location, Partner
from demarc.base.numbering import take
from demarc.base.rows import insert
from demarc.core.errors import Refused
from demarc.core.money import currency as currency_of
from demarc.customers.models import (
    CATEGORIES,
    Account,
    AccountTerms,
    BillingType,
    Customer,
    DayRule,
    LimitRule,
    PartnerTerms,
    RecurringTerms,
)
from demarc.customers.queries import accounts_blocked_for_money

TEXT_LENGTHS = {"phone": 60, "street": 200, "zip_code": 20, "city": 100}


class Particulars(TypedDict, total=False):
    """What a customer's record may say; `category` is person or company, `language` one of settings.LANGUAGES or ""."""

    category: str
    email: str
    phone: str
    street: str
    zip_code: str
    city: str
    language: str
    location_id: int | None


class PartnerFields(TypedDict, total=False):
    """What a provider says of itself, as far as it is to be changed."""

    name: str
    zone: str
    currency: str
    language: str
    phone: str
    email: str
    website: str


class CustomerFields(Particulars, total=False):
    """A customer's record, as far as it is to be changed."""

    name: str


class NewCustomer(Particulars, total=False):
    """A customer to be made, with one account of `billing_type` (default prepaid)."""

    name: Required[str]
    billing_type: str


class TermsFields(TypedDict, total=False):
    """Billing rules. In an account's terms a None leaves that rule to the partner's."""

    minimal_balance: int | None
    day_rule: str | None
    limit_rule: str | None
    charge_activation_day: bool | None


@transaction.atomic
def create_partner(*, name: str, zone: str, currency: str, language: str, by: Actor, at: datetime) -> Partner:
    """A provider or reseller, with the default terms. Refused: name taken, zone, currency or language unknown."""
    name = texts.name(name)
    if Partner.objects.filter(name=name).exists():
        raise Refused(f"There is a partner called {name} already.", field="name", code="taken")
    partner = Partner.objects.create(
        name=name, zone=_zone(zone), currency=currency_of(currency).code, language=_language(language)
    )
    PartnerTerms.objects.create(partner=partner, valid_from=limits.FIRST_DAY, **recorded(by, at))
    log.record("created", by=by, at=at, subject=("partner", partner.pk), partner_id=partner.pk, name=name)
    return partner


@transaction.atomic
def update_partner(partner_id: int, *, by: Actor, at: datetime, **fields: Unpack[PartnerFields]) -> Partner:
    """Change what the provider says of itself. The blocking page shows it (event PolicyChanged).

    Refused: name taken, a word unknown, currency or zone of a provider whose customers have accounts.
    """
    partner = Partner.objects.select_for_update(no_key=True).get(pk=partner_id)
    before = log.snapshot(partner)
    if "name" in fields:
        fields["name"] = texts.name(fields["name"])
        if Partner.objects.filter(name=fields["name"]).exclude(pk=partner_id).exists():
            raise Refused(f"There is a partner called {fields['name']} already.", field="name", code="taken")
    for field, check in PARTNER_CHECKS.items():
        if field in fields:
            fields[field] = check(fields[field])  # type: ignore[literal-required] # PARTNER_CHECKS names them
    used = Account.objects.filter(partner=partner).exists()
    for field in ("currency", "zone"):
        if used and fields.get(field, getattr(partner, field)) != getattr(partner, field):
            raise Refused("It is fixed, because customers have accounts in it.", field=field, code="in_use")
    for field, value in fields.items():
        setattr(partner, field, value)
    _save_partner(partner, list(fields))
    changed = log.changes(before, partner)
    log.record("updated", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, changed=changed)
    emit("PolicyChanged", partners=[partner_id])
    return partner


def _save_partner(partner: Partner, fields: list[str]) -> None:
    try:
        with transaction.atomic():
            partner.save(update_fields=fields)
    except IntegrityError as error:  # of another provider, whom row security hides
        raise Refused("There is a partner of this name already.", field="name", code="taken") from error


class RecurringFields(TypedDict, total=False):
    """Rules of recurring billing, as in core.recurring.Rules; a None leaves one to the partner's (of an account), or to
    the default. `billing_day` 0: the day on which the first service began."""

    billing_day: int | None
    period_months: int | None
    postpaid: bool | None
    due_days: int | None
    own_first: bool | None
    credit_pause: bool | None
    credit_leave: bool | None
    invoice_consumed: bool | None


RECURRING_RANGES = {"billing_day": (0, 31), "period_months": (1, 12), "due_days": (0, 365)}


@transaction.atomic
def set_recurring_terms(
    partner_id: int,
    *,
    valid_from: date,
    account_id: int | None = None,
    by: Actor,
    at: datetime,
    **fields: Unpack[RecurringFields],
) -> RecurringTerms:
    """Change how recurring accounts are billed from `valid_from` on, those of a partner or one; what is not named stays
    as it is on that day. Refused: unknown partner or account, a number or date out of range."""
    limits.fact_day(valid_from)
    for field, (least, most) in RECURRING_RANGES.items():
        number = fields.get(field)
        if number is not None:
            limits.whole(int(str(number)), least, most, field=field)
    if not Partner.objects.filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    if account_id is not None and not Account.objects.filter(pk=account_id, partner_id=partner_id).exists():
        raise Refused("There is no such account.", field="account_id", code="unknown")
    whose = Q(partner_id=partner_id, account=None) if account_id is None else Q(account_id=account_id)
    before = RecurringTerms.objects.filter(whose, valid_from__lte=valid_from)
    old = before.order_by("valid_from", "id").last() or RecurringTerms()
    terms = RecurringTerms(partner_id=partner_id, account_id=account_id, valid_from=valid_from, **recorded(by, at))
    for rule in RecurringFields.__annotations__:
        setattr(terms, rule, fields.get(rule, getattr(old, rule)))
    terms.save(force_insert=True)
    subject = ("partner", partner_id) if account_id is None else ("account", account_id)
    changed = log.changes(log.snapshot(old), terms, names=RecurringFields.__annotations__)
    told = {"changed": changed, "valid_from": valid_from}
    log.record("recurring_terms_set", by=by, at=at, subject=subject, partner_id=partner_id, **told)
    return terms


@transaction.atomic
def set_partner_terms(
    partner_id: int, *, valid_from: date, by: Actor, at: datetime, **fields: Unpack[TermsFields]
) -> PartnerTerms:
    """Change the partner's billing rules from `valid_from` on; what is not named stays as it is on that day.

    Refused: unknown partner or word, amount beyond the limit, a date out of range. Accounts blocked for money are
    tried again (event RetryDue).
    """
    _check_terms(valid_from, fields, empty_allowed=False)
    before = PartnerTerms.objects.filter(partner_id=partner_id, valid_from__lte=valid_from)
    old = before.order_by("valid_from", "id").last() or PartnerTerms()
    if not Partner.objects.filter(pk=partner_id).exists():
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    terms = PartnerTerms(partner_id=partner_id, valid_from=valid_from, **recorded(by, at))
    _carry_over(old, terms, fields)
    told = {"changed": _changed_terms(old, terms), "valid_from": valid_from}
    log.record("terms_set", by=by, at=at, subject=("partner", partner_id), partner_id=partner_id, **told)
    emit_ids("RetryDue", "accounts", accounts_blocked_for_money(partner_id=partner_id))
    return terms


@transaction.atomic
def set_account_terms(
    account_id: int, *, valid_from: date, by: Actor, at: datetime, **fields: Unpack[TermsFields]
) -> AccountTerms:
    """Change the account's own billing rules from `valid_from` on; None gives a rule back to the partner's terms.

    Refused: unknown account or word, amount beyond the limit, a date out of range. When it is blocked for money it
    is tried again (event RetryDue).
    """
    _check_terms(valid_from, fields, empty_allowed=True)
    account = Account.objects.filter(pk=account_id).first()
    if account is None:
        raise Refused("There is no such account.", field="account_id", code="unknown")
    before = AccountTerms.objects.filter(account_id=account_id, valid_from__lte=valid_from)
    old = before.order_by("valid_from", "id").last() or AccountTerms()
    terms = AccountTerms(account_id=account_id, valid_from=valid_from, **recorded(by, at))
    _carry_over(old, terms, fields)
    log.record(
        "terms_set",
        by=by,
        at=at,
        subject=("customer", account.customer_id),
        partner_id=account.partner_id,
        account=account_id,
        valid_from=valid_from,
        changed=_changed_terms(old, terms),
    )
    emit_ids("RetryDue", "accounts", accounts_blocked_for_money(account_ids=[account_id]))
    return terms


def create_customer(*, partner_id: int, by: Actor, at: datetime, **customer: Unpack[NewCustomer]) -> Customer:
    """A customer of status new with one account; both get the partner's next number, six digits. Refused as below."""
    return create_customers([customer], partner_id=partner_id, by=by, at=at)[0]


@transaction.atomic
def create_customers(customers: Sequence[NewCustomer], *, partner_id: int, by: Actor, at: datetime) -> list[Customer]:
    """Many customers of one partner, in the order given, each with one account.

    Refused (the first fault found): no name, text too long, e-mail address, language, category, billing type or
    location not known. One operation-log row for a bulk, and for a single customer his own.
    """
    partner = Partner.objects.filter(pk=partner_id).first()
    if partner is None:
        raise Refused("There is no such partner.", field="partner_id", code="unknown")
    locations = set(Location.objects.filter(partner=partner).values_list("id", flat=True))
    made: list[Customer] = []
    accounts: list[Account] = []
    for given in customers:
        customer = Customer(partner=partner, status_since=at, created_at=at)
        _fill(customer, given, locations)
        made.append(customer)
        accounts.append(
            Account(
                partner=partner,
                customer=customer,
                currency=partner.currency,
                zone=partner.zone,
                billing_type=limits.word(
                    given.get("billing_type", "prepaid"), BillingType.values, field="billing_type"
                ),
            )
        )
    first = take(partner_id, "customer", len(made))  # last, because others wait for the next number from here
    for number, customer in enumerate(made, first):
        customer.number = f"{number:06d}"
    insert(made)
    for account, customer in zip(accounts, made, strict=True):
        account.customer_id, account.number = customer.pk, customer.number
    insert(accounts)
    subject = ("customer", made[0].pk) if len(made) == 1 else ("partner", partner_id)
    log.record("created", by=by, at=at, subject=subject, partner_id=partner_id, customers=len(made), first=first)
    return made


@transaction.atomic
def update_customer(customer_id: int, *, by: Actor, at: datetime, **fields: Unpack[CustomerFields]) -> Customer:
    """Change the customer's record. Refused: unknown customer, or a field as in `create_customers`."""
    customer = Customer.objects.select_for_update(no_key=True).filter(pk=customer_id).first()
    if customer is None:
        raise Refused("There is no such customer.", field="customer_id", code="unknown")
    locations = set(Location.objects.filter(partner_id=customer.partner_id).values_list("id", flat=True))
    before = log.snapshot(customer)
    _fill(customer, fields, locations)
    customer.save(update_fields=list(fields))
    changed = log.changes(before, customer)
    log.record(
        "updated", by=by, at=at, subject=("customer", customer_id), partner_id=customer.partner_id, changed=changed
    )
    return customer


def _fill(customer: Customer, given: CustomerFields | NewCustomer, locations: set[int]) -> None:
    """Check what was given and put it on the customer, whose name may not be empty."""
    if "name" in given:
        customer.name = texts.name(given["name"], length_max=200)
    for field, length_max in TEXT_LENGTHS.items():
        if field in given:
            setattr(customer, field, texts.one_line(str(given.get(field)), field=field, length_max=length_max))
    if "email" in given:
        customer.email = _email(given["email"])
    if "language" in given:
        customer.language = _language(given["language"]) if given["language"] else ""
    if "category" in given:
        customer.category = limits.word(given["category"], CATEGORIES, field="category")
    location_id = given.get("location_id", customer.location_id)
    if location_id is not None and location_id not in locations:
        raise Refused("This partner has no such location.", field="location_id", code="unknown")
    customer.location_id = location_id


def _carry_over(old: PartnerTerms | AccountTerms, terms: PartnerTerms | AccountTerms, fields: TermsFields) -> None:
    """Write `terms`: the rules of `old` with `fields` in their place."""
    for rule in TermsFields.__annotations__:
        setattr(terms, rule, fields.get(rule, getattr(old, rule)))
    terms.save(force_insert=True)


def _changed_terms(old: PartnerTerms | AccountTerms, terms: PartnerTerms | AccountTerms) -> dict[str, list[object]]:
    return log.changes(log.snapshot(old), terms, names=TermsFields.__annotations__)


def _check_terms(valid_from: date, fields: TermsFields, *, empty_allowed: bool) -> None:
    limits.fact_day(valid_from)
    for rule, value in fields.items():
        if value is None and not empty_allowed:
            raise Refused("A partner's rule cannot be left open.", field=rule, code="required")
    limit = fields.get("minimal_balance")
    if limit is not None:
        limits.whole(limit, -limits.PRICE_MAX, limits.PRICE_MAX, field="minimal_balance")
    for rule, words in (("day_rule", DayRule.values), ("limit_rule", LimitRule.values)):
        value = fields.get(rule)
        if value is not None:
            limits.word(str(value), words, field=rule)


def _email(text: str) -> str:
    text = texts.one_line(text, field="email", length_max=254)
    if text:
        try:
            validate_email(text)
        except ValidationError:
            raise Refused("Write an e-mail address like ana@example.com.", field="email", code="email") from None
    return text


def _language(code: str) -> str:
    return limits.word(code, [known for known, _ in settings.LANGUAGES], field="language")


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise Refused(f"{name!r} is not a time zone; use one such as Europe/Prague.", field="zone", code="zone_unknown")
    return name


def _website(address: str) -> str:
    address = texts.one_line(address, field="website", length_max=200)
    if address and not address.startswith(("http://", "https://")):
        raise Refused("A website begins with https:// or http://.", field="website", code="website")
    return address


PARTNER_CHECKS: dict[str, Callable[[str], str]] = {
    "zone": _zone,
    "currency": lambda code: currency_of(code.strip().upper()).code,
    "language": _language,
    "email": _email,
    "phone": lambda text: texts.one_line(text, field="phone", length_max=60),
    "website": _website,
}
