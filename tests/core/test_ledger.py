"""Double entry: who gives, who receives, and that nothing is lost between them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.charging import ServiceCharge
from demarc.core.errors import Refused
from demarc.core.ledger import (
    MAX_TRANSFERS,
    Account,
    AccountKind,
    Transfer,
    TransferKind,
    charge,
    correction,
    entry,
    fold,
    payment,
    refund,
)
from demarc.core.money import MAX_AMOUNT, MixedCurrencies

DAY = date(2024, 1, 1)
PAYER = Account(1, AccountKind.PAYER, "USD")
REVENUE = Account(2, AccountKind.REVENUE, "USD")
TILL = Account(3, AccountKind.CASH, "USD")
WRITEOFF = Account(4, AccountKind.WRITEOFF, "USD")
GATEWAY = Account(5, AccountKind.CLEARING, "USD")
EURO_TILL = Account(6, AccountKind.CASH, "EUR")


def line(amount):
    return ServiceCharge(77, amount, price_fact_id=88, service_fact_id=99)


def test_a_payment_raises_the_payers_balance_and_a_charge_lowers_it():
    transfers = entry([payment(PAYER, TILL, 2000, DAY), charge(PAYER, REVENUE, line(133), DAY)])
    assert fold(transfers) == {PAYER.id: 1867, TILL.id: -2000, REVENUE.id: 133}


def test_a_charge_carries_the_facts_it_rests_on():
    moved = charge(PAYER, REVENUE, line(133), DAY)
    assert moved == Transfer(1, 2, "USD", 133, TransferKind.CHARGE, DAY, 77, 88, 99)


def test_a_refund_goes_the_way_back_of_a_payment():
    assert fold([payment(PAYER, GATEWAY, 500, DAY), refund(PAYER, GATEWAY, 500, DAY)]) == {1: 0, 5: 0}


def test_a_correction_goes_up_or_down():
    assert fold([correction(PAYER, WRITEOFF, 300, DAY)]) == {1: 300, 4: -300}
    assert fold([correction(PAYER, WRITEOFF, -300, DAY)]) == {1: -300, 4: 300}


def made(verb: str, amount: int) -> Transfer:
    match verb:
        case "pay":
            return payment(PAYER, TILL, amount, DAY)
        case "charge":
            return charge(PAYER, REVENUE, line(amount), DAY)
        case "refund":
            return refund(PAYER, TILL, amount, DAY)
        case "correct up":
            return correction(PAYER, WRITEOFF, amount, DAY)
        case _:
            return correction(PAYER, WRITEOFF, -amount, DAY)


SIGN = {"pay": 1, "charge": -1, "refund": -1, "correct up": 1, "correct down": -1}


@given(st.lists(st.tuples(st.sampled_from(sorted(SIGN)), st.integers(1, MAX_AMOUNT)), min_size=1))
def test_any_sequence_of_verbs_folds_to_what_a_purse_would_hold(story):
    balances = fold(entry(made(verb, amount) for verb, amount in story))
    assert sum(balances.values()) == 0
    assert balances[PAYER.id] == sum(SIGN[verb] * amount for verb, amount in story)


@pytest.mark.parametrize("amount", [0, -1, MAX_AMOUNT + 1])
@pytest.mark.parametrize("verb", ["pay", "charge", "refund"])
def test_an_amount_that_cannot_move_is_refused(verb, amount):
    with pytest.raises(Refused) as refused:
        made(verb, amount)
    assert refused.value.field == "amount"


@pytest.mark.parametrize("amount", [0, MAX_AMOUNT + 1, -MAX_AMOUNT - 1])
def test_a_correction_by_nothing_or_too_much_is_refused(amount):
    with pytest.raises(Refused):
        correction(PAYER, WRITEOFF, amount, DAY)


def test_currencies_do_not_meet_in_one_transfer():
    with pytest.raises(MixedCurrencies):
        payment(PAYER, EURO_TILL, 100, DAY)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: payment(PAYER, REVENUE, 1, DAY),
        lambda: payment(TILL, TILL, 1, DAY),
        lambda: charge(PAYER, TILL, line(1), DAY),
        lambda: charge(TILL, REVENUE, line(1), DAY),
        lambda: refund(PAYER, WRITEOFF, 1, DAY),
        lambda: refund(WRITEOFF, TILL, 1, DAY),
        lambda: correction(PAYER, TILL, 1, DAY),
        lambda: correction(REVENUE, WRITEOFF, 1, DAY),
    ],
)
def test_an_account_of_the_wrong_kind_is_a_bug(wrong):
    with pytest.raises(ValueError, match="is of kind"):
        wrong()


def transfer(**changes):
    fields = {"debit": 1, "credit": 2, "currency": "USD", "amount": 5, "kind": TransferKind.CHARGE, "day": DAY}
    return Transfer(**{**fields, **changes})


@pytest.mark.parametrize(
    "transfers",
    [
        [],
        [transfer(amount=0)],
        [transfer(amount=-1)],
        [transfer(amount=MAX_AMOUNT + 1)],
        [transfer(amount=True)],
        [transfer(credit=1)],
        [transfer(), transfer(currency="EUR")],
        [transfer(), transfer(debit=9, credit=1, currency="EUR")],
        [transfer()] * (MAX_TRANSFERS + 1),
    ],
)
def test_an_entry_that_does_not_hold_together_is_a_bug(transfers):
    with pytest.raises(ValueError):
        entry(transfers)


def test_an_entry_may_be_as_long_as_the_limit():
    assert len(entry([transfer(amount=MAX_AMOUNT)] * MAX_TRANSFERS)) == MAX_TRANSFERS


def test_an_exchange_is_two_transfers_in_two_currencies():
    pair = [transfer(debit=1, credit=8), transfer(debit=9, credit=10, currency="EUR")]
    assert entry(pair) == tuple(pair)
