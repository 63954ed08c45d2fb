"""Money that comes in, goes back or is put right: once only, within limits, never lost in a wrong currency."""

from datetime import date, timedelta

import pytest
from tests import cast
from tests.cast import AT, STAFF

from demarc.base.models import OperationLog
from demarc.billing import actions
from demarc.billing.models import LedgerAccount, Payment, PrepaidState, Transfer
from demarc.core.errors import Refused
from demarc.customers.models import Account

pytestmark = pytest.mark.django_db


@pytest.fixture
def account():
    return cast.account_of(cast.customer(cast.partner()))


def house(kind):
    return LedgerAccount.objects.get(kind=kind, payer=None)


def test_a_payment_credits_the_payer_and_debits_the_till(account):
    payment = cast.pay(account, 2000, comment="October")
    transfer = Transfer.objects.get()
    assert (transfer.amount, transfer.day, transfer.kind) == (2000, AT.date(), "payment")
    assert transfer.debit_account == house("cash")
    assert transfer.credit_account.payer == account
    assert cast.balance(account) == 2000
    assert house("cash").balance == -2000
    assert (payment.number, payment.comment, payment.by_label) == ("000001", "October", STAFF.label)


def test_money_by_bank_and_card_waits_in_clearing_accounts_of_their_own(account):
    cast.pay(account, 100, method="bank")
    cast.pay(account, 100, method="card")
    names = LedgerAccount.objects.filter(kind="clearing").order_by("name").values_list("name", "balance")
    assert list(names) == [("bank", None), ("card", None)]


def test_the_same_payment_twice_is_one_payment(account):
    first = cast.pay(account, 2000, key="k")
    assert cast.pay(account, 2000, key="k", at=AT) == first
    assert cast.balance(account) == 2000
    assert Payment.objects.count() == 1


@pytest.mark.parametrize("change", [{"amount": 1999}, {"method": "bank"}, {"received_on": date(2024, 5, 1)}])
def test_a_key_used_for_something_else_is_a_conflict(account, change):
    cast.pay(account, 2000, key="k")
    facts = {"amount": 2000} | change
    with pytest.raises(Refused) as refused:
        cast.pay(account, facts.pop("amount"), key="k", **facts)
    assert refused.value.code == "conflict"
    assert cast.balance(account) == 2000


def test_a_key_used_for_another_account_is_a_conflict_and_for_another_partner_is_not(account):
    cast.pay(account, 2000, key="k")
    neighbour = cast.account_of(cast.customer(account.partner, "Ben"))
    with pytest.raises(Refused) as refused:
        cast.pay(neighbour, 2000, key="k")
    assert refused.value.code == "conflict"
    elsewhere = cast.account_of(cast.customer(cast.partner("Other")))
    cast.pay(elsewhere, 2000, key="k")
    assert Payment.objects.count() == 2


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -1}, "amount"),
        ({"amount": 10**12 + 1}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"method": "shells"}, "method"),
        ({"currency": "USD"}, "currency"),
        ({"received_on": date(1999, 12, 31)}, "received_on"),
        ({"received_on": AT.date() + timedelta(days=2)}, "received_on"),
        ({"received_on": AT.date() - timedelta(days=1)}, "received_on"),
        ({"key": " "}, "key"),
        ({"key": "k" * 81}, "key"),
        ({"comment": "A" * 301}, "comment"),
        ({"account_id": 0}, "account_id"),
    ],
)
def test_nonsense_is_refused_at_its_field(account, facts, field):
    given = {"account_id": account.pk, "amount": 1, "method": "cash", "received_on": AT.date(), "key": "k"} | facts
    with pytest.raises(Refused) as refused:
        actions.receive(**given, by=STAFF, at=AT)
    assert refused.value.field == field
    assert not Transfer.objects.exists()


def test_money_is_taken_from_the_day_on_which_the_customer_was_added_in_his_provider_s_zone():
    there = cast.partner("Auckland", zone="Pacific/Auckland")  # where it is ten in the evening of the same day
    late = AT + timedelta(hours=3)  # and now the next one
    ana = cast.account_of(cast.customer(there, at=late))
    with pytest.raises(Refused, match="added on 2024-05-01") as refused:
        cast.pay(ana, 1, at=late, received_on=AT.date())
    assert (refused.value.field, refused.value.code) == ("received_on", "date_out_of_range")
    cast.pay(ana, 1, at=late, received_on=AT.date() + timedelta(days=1))
    assert cast.balance(ana) == 1


def test_money_of_tomorrow_is_taken_for_banks_ahead_of_us(account):
    cast.pay(account, 1, received_on=AT.date() + timedelta(days=1))


def test_a_balance_never_passes_its_limit(account):
    LedgerAccount.objects.create(
        partner=account.partner, kind="payer", currency="EUR", payer=account, balance=10**15 - 1
    )
    with pytest.raises(Refused) as refused:
        cast.pay(account, 2)
    assert refused.value.code == "balance_too_large"


def test_many_payments_are_one_action_and_one_row_of_the_operation_log(account):
    ben = cast.account_of(cast.customer(account.partner, "Ben"))
    before = OperationLog.objects.count()
    facts = {"method": "bank", "received_on": AT.date()}
    made = actions.receive_many(
        [
            {"account_id": ben.pk, "amount": 5, "key": "1", **facts},
            {"account_id": account.pk, "amount": 7, "key": "2", **facts},
            {"account_id": ben.pk, "amount": 11, "key": "3", **facts},
        ],
        by=STAFF,
        at=AT,
    )
    assert [payment.amount for payment in made] == [5, 7, 11]
    assert [payment.number for payment in made] == ["000001", "000002", "000003"]
    assert (cast.balance(ben), cast.balance(account)) == (16, 7)
    assert OperationLog.objects.count() == before + 1


def test_a_refund_gives_back_what_is_left_of_a_payment_and_no_more(account):
    payment = cast.pay(account, 2000)
    back = actions.refund(payment.pk, amount=1500, key="r1", by=STAFF, at=AT)
    assert (back.amount, back.refunds, back.method) == (-1500, payment, "cash")
    with pytest.raises(Refused, match=r"5\.00 EUR is left"):
        actions.refund(payment.pk, amount=501, key="r2", by=STAFF, at=AT)
    actions.refund(payment.pk, amount=500, key="r2", by=STAFF, at=AT)
    assert cast.balance(account) == 0
    assert house("cash").balance == 0
    with pytest.raises(Refused):
        actions.refund(back.pk, amount=1, key="r3", by=STAFF, at=AT)


def test_the_same_refund_twice_is_one_refund(account):
    payment = cast.pay(account, 2000)
    first = actions.refund(payment.pk, amount=10, key="r", by=STAFF, at=AT)
    assert actions.refund(payment.pk, amount=10, key="r", by=STAFF, at=AT) == first
    with pytest.raises(Refused) as refused:
        actions.refund(payment.pk, amount=11, key="r", by=STAFF, at=AT)
    assert refused.value.code == "conflict"
    assert cast.balance(account) == 1990


def test_a_correction_raises_or_lowers_and_is_made_once(account):
    actions.correct(account.pk, amount=300, reason="Goodwill", key="a", by=STAFF, at=AT)
    first = actions.correct(account.pk, amount=-100, reason="Mistake", key="b", by=STAFF, at=AT)
    assert actions.correct(account.pk, amount=-100, reason="Mistake", key="b", by=STAFF, at=AT) == first
    assert cast.balance(account) == 200
    for amount in (100, -101):
        with pytest.raises(Refused) as refused:
            actions.correct(account.pk, amount=amount, reason="Mistake", key="b", by=STAFF, at=AT)
        assert refused.value.code == "conflict"


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"amount": 0}, "amount"),
        ({"amount": -(10**12) - 1}, "amount"),
        ({"reason": ""}, "reason"),
        ({"key": ""}, "key"),
    ],
)
def test_a_correction_out_of_range_or_without_a_reason_is_refused(account, facts, field):
    given = {"amount": 1, "reason": "Goodwill", "key": "k"} | facts
    with pytest.raises(Refused) as refused:
        actions.correct(account.pk, **given, by=STAFF, at=AT)
    assert refused.value.field == field


def test_every_verb_writes_one_row_of_the_operation_log(account):
    for verb in (
        lambda: cast.pay(account, 2000),
        lambda: actions.refund(Payment.objects.get().pk, amount=1, key="r", by=STAFF, at=AT),
        lambda: actions.correct(account.pk, amount=1, reason="Goodwill", key="k", by=STAFF, at=AT),
    ):
        before = OperationLog.objects.count()
        verb()
        assert OperationLog.objects.count() == before + 1


def test_money_is_taken_for_a_parked_account_whose_days_cannot_be_decided():
    partner = cast.partner()
    account = cast.late_customer(partner, cast.plan(partner))
    PrepaidState.objects.filter(account=account).update(parked_at=AT, parked_reason="Looked at")
    cast.pay(account, 500, at=AT + timedelta(days=3))
    assert cast.balance(account) == 500
    assert not Transfer.objects.filter(kind="charge").exists()


def test_a_currency_without_decimals_and_one_with_three_are_counted_in_their_own_units():
    for name, currency in (("Tokyo", "JPY"), ("Tunis", "TND")):
        account = cast.account_of(cast.customer(cast.partner(name, currency=currency)))
        cast.pay(account, 1)
        assert Account.objects.get(pk=account.pk).currency == Transfer.objects.latest("id").currency == currency
