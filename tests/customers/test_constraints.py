"""The database refuses what must not be in the tables of customers, also when no action was asked."""

from datetime import date, timedelta

import pytest
from tests import cast
from tests.cast import AT, STAFF
from tests.refusals import refused_by

from demarc.base.actors import recorded
from demarc.customers.models import Account, AccountTerms, Block, Customer, PartnerTerms

pytestmark = pytest.mark.django_db

BEYOND = 10**12 + 1
OUT_OF_RANGE = [date(1, 1, 1), date(1999, 12, 31), date(2200, 1, 1), date(9999, 12, 31)]


@pytest.fixture
def customer():
    return cast.customer(cast.partner())


def set_partner_terms(customer, **rules):
    facts = {"valid_from": AT.date()} | recorded(STAFF, AT) | rules
    return PartnerTerms.objects.create(partner=customer.partner, **facts)


def set_account_terms(customer, **rules):
    facts = {"valid_from": AT.date()} | recorded(STAFF, AT) | rules
    return AccountTerms.objects.create(account=cast.account_of(customer), **facts)


def block(customer, **facts):
    who = {"set_at": AT, "set_by_kind": "staff", "set_by_label": "Desk"}
    return Block.objects.create(partner=customer.partner, customer=customer, **who, **facts)


@pytest.mark.parametrize("day", OUT_OF_RANGE)
def test_terms_hold_from_a_day_that_can_be(customer, day):
    with refused_by("customers_partnerterms_day"):
        set_partner_terms(customer, valid_from=day)
    with refused_by("customers_accountterms_day"):
        set_account_terms(customer, valid_from=day)


@pytest.mark.parametrize("limit", [BEYOND, -BEYOND])
def test_a_minimal_balance_has_a_limit(customer, limit):
    with refused_by("customers_partnerterms_limit"):
        set_partner_terms(customer, minimal_balance=limit)
    with refused_by("customers_accountterms_limit"):
        set_account_terms(customer, minimal_balance=limit)


@pytest.mark.parametrize("rule", ["day_rule", "limit_rule"])
def test_a_rule_is_one_of_the_words(customer, rule):
    with refused_by(f"customers_partnerterms_{rule}"):
        set_partner_terms(customer, **{rule: "odd"})
    with refused_by(f"customers_accountterms_{rule}"):
        set_account_terms(customer, **{rule: "odd"})


def test_an_account_may_leave_every_rule_open(customer):
    assert set_account_terms(customer).minimal_balance is None


def test_a_number_belongs_to_one_customer_and_one_account(customer):
    account = cast.account_of(customer)
    with refused_by("customers_customer_number"):
        Customer.objects.create(partner=customer.partner, number=customer.number, name="Ben", status_since=AT)
    with refused_by("customers_account_number"):
        Account.objects.create(
            partner=customer.partner, customer=customer, number=account.number, currency="EUR", zone="UTC"
        )


@pytest.mark.parametrize(
    ("facts", "constraint"),
    [({"name": ""}, "has_name"), ({"status": "odd"}, "status"), ({"category": "robot"}, "category")],
)
def test_a_customer_has_a_name_a_status_and_a_category(customer, facts, constraint):
    with refused_by(f"customers_customer_{constraint}"):
        Customer.objects.filter(pk=customer.pk).update(**facts)


def test_nobody_is_blocked_twice_for_one_cause(customer):
    account = cast.account_of(customer)
    block(customer, cause=1)
    block(customer, cause=2, account=account)
    with refused_by("customers_block_one_staff"):
        block(customer, cause=1)
    with refused_by("customers_block_one_money"):
        block(customer, cause=2, account=account)


@pytest.mark.parametrize(("cause", "of_account"), [(1, True), (2, False), (0, False), (7, True)])
def test_staff_block_customers_and_money_blocks_accounts(customer, cause, of_account):
    with refused_by("customers_block_whose"):
        block(customer, cause=cause, account=cast.account_of(customer) if of_account else None)


def test_a_block_is_not_lifted_before_it_is_set(customer):
    with refused_by("customers_block_order"):
        block(customer, cause=1, lifted_at=AT - timedelta(seconds=1))
