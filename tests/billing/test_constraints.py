"""The database refuses what must not be in the tables of money, also when no action was asked."""

from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from tests import cast
from tests.cast import AT, STAFF
from tests.refusals import refused_by

from demarc.base.actors import recorded
from demarc.billing.models import BillingDay, DayDecision, LedgerAccount, Payment, PrepaidState, Transfer

pytestmark = pytest.mark.django_db

LIMIT = 10**15
OUT_OF_RANGE = [date(1, 1, 1), date(1999, 12, 31), date(2200, 1, 1), date(9999, 12, 31)]


@pytest.fixture
def account():
    """An account with a payment of 20.00 and an active service."""
    of = cast.partner()
    return cast.subscriber(of, cast.plan(of), paid=2000)


def another_transfer(account, **changes):
    """A second row like the payment's, under a key of its own."""
    transfer = Transfer.objects.get(account=account, kind="payment")
    transfer.pk = None
    facts = {"entry_id": transfer.entry_id + 10**6, "key": "another"} | changes
    for name, value in facts.items():
        setattr(transfer, name, value)
    transfer.save(force_insert=True)
    return transfer


def another_payment(account, **changes):
    payment = Payment.objects.get(account=account)
    payment.pk = None
    facts = {"entry_id": payment.entry_id + 10**6, "key": "another", "number": "999999"} | changes
    for name, value in facts.items():
        setattr(payment, name, value)
    payment.save(force_insert=True)


def check_now():
    """Foreign keys are else checked at the commit."""
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize("amount", [0, -1, LIMIT + 1, 2**62])
def test_a_transfer_moves_something_up_to_the_limit(account, amount):
    with refused_by("billing_transfer_amount"):
        another_transfer(account, amount=amount)


@pytest.mark.parametrize("amount", [0, LIMIT + 1, -LIMIT - 1])
def test_a_payment_is_of_something_up_to_the_limit(account, amount):
    with refused_by("billing_payment_limits" if amount else "billing_payment_amount"):
        another_payment(account, amount=amount)


@pytest.mark.parametrize("balance", [LIMIT + 1, -LIMIT - 1])
def test_a_balance_has_a_limit(account, balance):
    with refused_by("billing_ledgeraccount_limit"):
        LedgerAccount.objects.filter(payer=account).update(balance=balance)


@pytest.mark.parametrize("day", OUT_OF_RANGE)
def test_money_moves_on_a_day_that_can_be(account, day):
    with refused_by("billing_transfer_day"):
        another_transfer(account, day=day)
    with refused_by("billing_payment_day"):
        another_payment(account, received_on=day)
    with refused_by("billing_daydecision_range"):
        DayDecision.objects.create(
            account=account, day=day, decision="nothing_due", cost=0, balance_before=0, decided_at=AT
        )
    with refused_by("billing_billingday_range"):
        BillingDay.objects.create(partner=account.partner, day=day, started_at=AT)
    with refused_by("billing_prepaidstate_range"):
        PrepaidState.objects.filter(account=account).update(decided_through=day)


def test_a_key_moves_money_once(account):
    with refused_by("billing_transfer_key"):
        another_transfer(account, key=Transfer.objects.get(account=account).key)
    with refused_by("billing_payment_key"):
        another_payment(account, key=Payment.objects.get(account=account).key)


def test_a_service_is_charged_once_a_day(account):
    another_transfer(account, kind="charge", service_id=1)
    with refused_by("billing_transfer_one_charge_a_day"):
        another_transfer(account, kind="charge", service_id=1, entry_id=2 * 10**6, key="third")


def test_a_day_is_decided_once(account):
    cast.open_day(account.partner, date(2024, 5, 1))
    with refused_by("billing_daydecision_day"):
        DayDecision.objects.create(
            account=account, day=date(2024, 5, 1), decision="nothing_due", cost=0, balance_before=0, decided_at=AT
        )


def test_a_transfer_has_two_sides_of_one_currency(account):
    transfer = Transfer.objects.get(account=account)
    with refused_by("billing_transfer_two_sides"):
        another_transfer(account, debit_account_id=transfer.credit_account_id)
    dollars = LedgerAccount.objects.create(
        partner=account.partner, kind="cash", currency="USD", name="dollars", balance=0
    )
    with refused_by("billing_transfer_debit_currency"):
        another_transfer(account, debit_account_id=dollars.pk)
        check_now()


def test_a_payment_is_in_its_accounts_currency(account):
    with refused_by("billing_payment_account_currency"):
        another_payment(account, currency="USD")
        check_now()


def test_a_payer_has_one_ledger_account_with_a_balance(account):
    facts = {"partner": account.partner, "kind": "payer", "currency": "EUR"}
    with pytest.raises(IntegrityError, match="payer_id"), transaction.atomic():
        LedgerAccount.objects.create(payer=account, balance=0, **facts)
    other = cast.account_of(cast.customer(account.partner, "Ben"))
    with refused_by("billing_ledgeraccount_stored_balance"):
        LedgerAccount.objects.create(payer=other, balance=None, **facts)


def test_a_word_is_one_of_the_words(account):
    with refused_by("billing_transfer_kind"):
        another_transfer(account, kind="gift")
    with refused_by("billing_payment_method"):
        another_payment(account, method="barter")


def test_what_was_booked_is_never_changed(account):
    cast.open_day(account.partner, date(2024, 5, 1))
    for rows in (Transfer.objects.all(), DayDecision.objects.all()):
        for change in (lambda rows: rows.update(day=date(2024, 5, 2)), lambda rows: rows.delete()):
            with pytest.raises(DatabaseError, match=r"permission denied|is not changed"), transaction.atomic():
                change(rows)


def test_a_payments_number_is_used_once(account):
    with refused_by("billing_payment_number"):
        another_payment(account, number=Payment.objects.get(account=account).number, **recorded(STAFF, AT))
