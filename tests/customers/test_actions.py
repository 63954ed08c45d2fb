"""What is done to partners, customers and terms."""

from datetime import date

import pytest
from tests import cast
from tests.cast import AT, STAFF

from demarc.base.models import OperationLog
from demarc.core.errors import Refused
from demarc.customers import actions, queries
from demarc.customers.models import Customer, PartnerTerms

pytestmark = pytest.mark.django_db


def test_customers_of_a_partner_are_numbered_without_gaps():
    partner, other = cast.partner(), cast.partner("Other")
    made = [cast.customer(partner, name) for name in ("Ana", "Ben")]
    made += actions.create_customers([{"name": "Cyd"}, {"name": "Dan"}], partner_id=partner.pk, by=STAFF, at=AT)
    assert [customer.number for customer in made] == ["000001", "000002", "000003", "000004"]
    assert cast.customer(other, "Eve").number == "000001"


def test_a_new_customer_has_one_account_in_the_partners_currency_and_zone():
    customer = cast.customer(cast.partner(zone="Europe/Prague", currency="CZK"), "Ana")
    account = customer.accounts.get()
    assert (account.number, account.currency, account.zone) == (customer.number, "CZK", "Europe/Prague")
    assert (account.billing_type, customer.status) == ("prepaid", "new")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "A" * 201}, "name"),
        ({"name": "Ana\0"}, "name"),
        ({"name": "Ana", "email": "ana at home"}, "email"),
        ({"name": "Ana", "language": "xx"}, "language"),
        ({"name": "Ana", "category": "dog"}, "category"),
        ({"name": "Ana", "billing_type": "never"}, "billing_type"),
        ({"name": "Ana", "location_id": 999}, "location_id"),
        ({"name": "Ana", "city": "B" * 101}, "city"),
    ],
)
def test_nonsense_is_refused_at_its_field(fields, field):
    with pytest.raises(Refused) as refused:
        actions.create_customer(partner_id=cast.partner().pk, by=STAFF, at=AT, **fields)
    assert refused.value.field == field
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [({"zone": "Mars/Base"}, "zone"), ({"currency": "XXQ"}, "currency"), ({"language": "tlh"}, "language")],
)
def test_a_partner_of_unknown_zone_currency_or_language_is_refused(change, field):
    facts = {"name": "Demarc", "zone": "UTC", "currency": "EUR", "language": "en"} | change
    with pytest.raises(Refused) as refused:
        actions.create_partner(**facts, by=STAFF, at=AT)
    assert refused.value.field == field


def test_a_partners_name_is_taken_once():
    cast.partner("Demarc")
    with pytest.raises(Refused, match="already"):
        cast.partner("Demarc")


def test_every_action_writes_one_row_of_the_operation_log():
    customer = cast.customer(cast.partner(), "Ana")
    before = OperationLog.objects.count()
    actions.update_customer(customer.pk, name="Anna", by=STAFF, at=AT)
    actions.set_account_terms(customer.accounts.get().pk, valid_from=AT.date(), minimal_balance=5, by=STAFF, at=AT)
    assert OperationLog.objects.count() == before + 2


def test_an_update_changes_what_it_names_and_nothing_else():
    customer = cast.customer(cast.partner(), "Ana", city="Brno")
    actions.update_customer(customer.pk, name="Anna", phone="123", by=STAFF, at=AT)
    customer.refresh_from_db()
    assert (customer.name, customer.phone, customer.city) == ("Anna", "123", "Brno")


def test_the_terms_that_win_are_the_latest_valid_and_then_the_newest_recorded():
    partner = cast.partner()
    account = cast.customer(partner, "Ana").accounts.get()
    march, april, may = date(2024, 3, 1), date(2024, 4, 1), date(2024, 5, 1)
    actions.set_partner_terms(partner.pk, valid_from=april, minimal_balance=100, by=STAFF, at=AT)
    actions.set_partner_terms(partner.pk, valid_from=march, day_rule="thirty", by=STAFF, at=AT)
    actions.set_partner_terms(partner.pk, valid_from=march, day_rule="calendar", by=STAFF, at=AT)
    actions.set_account_terms(account.pk, valid_from=may, minimal_balance=-500, by=STAFF, at=AT)
    found = {day: queries.terms_for([account.pk], day)[account.pk] for day in (march, april, may)}
    assert [found[day].minimal_balance for day in (march, april, may)] == [0, 100, -500]
    assert {terms.day_rule for terms in found.values()} == {"calendar"}


def test_an_account_gives_a_rule_back_to_its_partner():
    partner = cast.partner()
    account = cast.customer(partner, "Ana").accounts.get()
    for limit in (-500, None):
        actions.set_account_terms(
            account.pk, valid_from=AT.date(), minimal_balance=limit, charge_activation_day=True, by=STAFF, at=AT
        )
    assert queries.terms_for([account.pk], AT.date())[account.pk] == (0, "calendar", "cover", True)


def test_terms_recorded_after_midnight_do_not_decide_that_midnight():
    partner = cast.partner()
    account = cast.customer(partner, "Ana").accounts.get()
    actions.set_partner_terms(partner.pk, valid_from=AT.date(), minimal_balance=100, by=STAFF, at=AT)
    book = queries.TermsBook.of([account.pk], [partner.pk])
    assert book.on(account.pk, partner.pk, AT.date(), before=cast.midnight(AT.date())).minimal_balance == 0
    assert book.on(account.pk, partner.pk, AT.date()).minimal_balance == 100


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"minimal_balance": None}, "minimal_balance"),
        ({"minimal_balance": 10**12 + 1}, "minimal_balance"),
        ({"day_rule": "lunar"}, "day_rule"),
        ({"valid_from": date(1999, 12, 31)}, "valid_from"),
    ],
)
def test_terms_out_of_range_are_refused(fields, field):
    facts = {"valid_from": AT.date()} | fields
    partner = cast.partner()
    with pytest.raises(Refused) as refused:
        actions.set_partner_terms(partner.pk, **facts, by=STAFF, at=AT)
    assert refused.value.field == field
    assert PartnerTerms.objects.filter(partner=partner).count() == 1


def test_a_list_is_narrowed_to_the_readers_partners_and_found_by_number_or_part_of_a_name():
    partner, other = cast.partner(), cast.partner("Other")
    ana, ben = cast.customer(partner, "Ana Blue"), cast.customer(partner, "Ben Black")
    cast.customer(other, "Ana Other")
    assert list(queries.customer_list([partner.pk]).filter(queries.matching("ana", [partner.pk]))) == [ana]
    assert list(queries.customer_list([partner.pk]).filter(queries.matching("2", [partner.pk]))) == [ben]
    assert list(queries.customer_list([partner.pk])) == [ben, ana]
    assert queries.customer_list(None).filter(queries.matching("ana", None)).count() == 2
