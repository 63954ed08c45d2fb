"""Runs under trouble: accounts that cannot be decided, two runs at once, payments in the middle of a run."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Event

import pytest
from django.db import connection, transaction
from tests import cast
from tests.billing.test_recurring import Story, at
from tests.cast import AT, STAFF, midnight

from demarc.base.actors import SYSTEM
from demarc.base.hands import HANDS
from demarc.billing import actions, check, jobs, queries
from demarc.billing.accounts import house_account
from demarc.billing.actions import runs
from demarc.billing.models import BillingDay, DayDecision, LedgerAccount, PrepaidState, Transfer
from demarc.core.errors import Refused

MAY = [date(2024, 5, day) for day in range(1, 32)]
NOON = timedelta(hours=12)


def crowd(partner, size, *, paid=1000):
    plan = cast.plan(partner, price=4000)
    return [cast.subscriber(partner, plan, name=f"Ana {number}", paid=paid) for number in range(size)]


def poison(account):
    """A balance that the next charge of a day that is over would take beyond what an account may hold."""
    LedgerAccount.objects.filter(payer=account).update(balance=-(10**15))


@pytest.mark.django_db
def test_an_account_that_cannot_be_decided_is_parked_and_the_others_go_on():
    partner = cast.partner()
    accounts = crowd(partner, 5)
    poison(accounts[2])
    late = midnight(MAY[1]) + NOON
    run = cast.open_day(partner, MAY[0], at=late)
    assert (run.charged, run.parked, run.finished_at is not None) == (4, 1, True)
    parked = queries.parked_accounts([partner.pk]).get()
    assert (parked.account, parked.parked_at) == (accounts[2], late)
    assert "limit" in parked.parked_reason
    assert cast.open_day(partner, MAY[1]).parked == 0


@pytest.mark.django_db
def test_an_account_that_the_database_refuses_is_parked_and_its_chunk_decided_without_it():
    partner = cast.partner()
    accounts = crowd(partner, 5)
    revenue = LedgerAccount.objects.create(partner=partner, kind="revenue", currency="EUR", name="internet")
    Transfer.objects.create(
        entry_id=10**9,
        debit_account=LedgerAccount.objects.get(payer=accounts[3]),
        credit_account=revenue,
        currency="EUR",
        amount=1,
        day=MAY[0],
        recorded_at=AT,
        kind="charge",
        partner=partner,
        account=accounts[3],
        service_id=accounts[3].services.get().pk,
        key="someone else's",
    )
    run = cast.open_day(partner, MAY[0])
    assert (run.charged, run.parked) == (4, 1)
    assert "one_charge_a_day" in PrepaidState.objects.get(account=accounts[3]).parked_reason
    assert not DayDecision.objects.filter(account=accounts[3]).exists()


@pytest.mark.django_db
def test_a_parked_account_that_was_mended_catches_up():
    partner = cast.partner()
    (account,) = crowd(partner, 1)
    poison(account)
    later = midnight(MAY[2]) + NOON
    cast.open_day(partner, MAY[1], at=later)
    assert not actions.unpark(account.pk, by=STAFF, at=later)
    LedgerAccount.objects.filter(payer=account).update(balance=1000)
    assert actions.unpark(account.pk, by=STAFF, at=later)
    assert list(DayDecision.objects.order_by("day").values_list("decision", "catch_up")) == [
        ("charged", True),
        ("charged", True),
        ("charged", False),
    ]
    with pytest.raises(Refused, match="not parked"):
        actions.unpark(account.pk, by=STAFF, at=later)


@pytest.mark.django_db
def test_a_preview_says_what_the_run_then_does():
    partner = cast.partner()
    accounts = crowd(partner, 3)
    late = cast.late_customer(partner, accounts[0].services.get().plan)
    poison(accounts[0])
    (told,) = queries.preview(day=MAY[1], at=midnight(MAY[1]) + NOON)
    assert not DayDecision.objects.exists()
    run = cast.open_day(partner, MAY[1], at=midnight(MAY[1]) + NOON)
    assert (told.days["charged"], told.days["blocked"], told.undecidable) == (run.charged, run.blocked, run.parked)
    assert told.amount == sum(Transfer.objects.filter(kind="charge").values_list("amount", flat=True))
    assert (run.charged, run.blocked, cast.online(late)) == (5, 1, False)


@pytest.mark.django_db
def test_the_minutes_job_runs_what_is_due_and_the_retry_job_what_changed():
    partner = cast.partner()
    (account,) = crowd(partner, 1)
    jobs.open_days(0)
    assert BillingDay.objects.filter(partner=partner, finished_at__isnull=False).count() == 1
    assert not cast.online(account)
    jobs.retry_accounts([account.pk, 0])


def together(*works):
    """Run functions at the same time, each on a connection of its own; what one raises is raised here."""

    def on_its_own(work):
        try:
            work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(on_its_own, work) for work in works]:
            done.result()


@pytest.mark.django_db(transaction=True)
def test_two_runs_at_once_and_payments_between_them_charge_every_day_once():
    partner = cast.partner()
    accounts = crowd(partner, 20, paid=300)
    at = midnight(MAY[3]) + NOON

    def run():
        actions.open_day(partner.pk, day=MAY[3], by=SYSTEM, at=at, chunk=3, hands=HANDS)

    def pay():
        for account in accounts:
            cast.pay(account, 500, at=at, key=f"pay {account.pk}")

    together(run, run, pay, pay)
    assert check.run() == []
    assert DayDecision.objects.filter(decision="charged").count() == 4 * len(accounts)
    assert {cast.balance(account) for account in accounts} == {300 - 3 * 129 + 500 - 129}
    assert all(cast.online(account) for account in accounts)


@pytest.mark.django_db(transaction=True)
def test_staff_and_the_run_never_overwrite_each_others_block():
    partner = cast.partner()
    accounts = crowd(partner, 10, paid=0)
    noon = midnight(MAY[0]) + NOON

    def run():
        actions.open_day(partner.pk, day=MAY[0], by=SYSTEM, at=noon, chunk=2)

    def block():
        for account in reversed(accounts):
            cast.plans.block(account.customer_id, reason="", by=STAFF, at=noon)

    together(run, block)
    assert check.run() == []
    assert {service.blocked_cause for service in cast.Service.objects.all()} == {1}


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_time_is_one_payment():
    partner = cast.partner()
    account, other = crowd(partner, 2, paid=0)
    made = []

    def pay(whom):
        try:
            made.append(cast.pay(whom, 500, key="k").pk)
        except Refused as refused:
            made.append(refused.code)

    together(*[lambda: pay(account)] * 4)
    assert len(made) == 4
    assert len(set(made)) == 1
    assert cast.balance(account) == 500
    made.clear()
    together(lambda: pay(other), lambda: pay(account))
    assert "conflict" in made
    assert check.run() == []


@pytest.mark.django_db(transaction=True)
def test_the_first_cash_and_the_first_transfer_in_either_order_wait_for_each_other_and_no_longer():
    partner = cast.partner()
    other_is_on = Event()

    def open_both(kinds, meet):
        with transaction.atomic():
            for kind, name in kinds:
                house_account(partner.pk, "EUR", kind, name)
                meet()

    tills = [("cash", ""), ("clearing", "bank")]
    together(
        lambda: open_both(tills, lambda: other_is_on.wait(1)),
        lambda: open_both(reversed(tills), other_is_on.set),
    )
    assert LedgerAccount.objects.filter(partner=partner, payer=None).count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_run_that_is_cancelled_while_a_chunk_is_billed_issues_nothing_of_it(monkeypatch):
    story = Story()
    cast.activate(cast.service(story.customer, story.plan, at=at(1, 1)), at=at(1, 1))
    issued = len(story.documents)
    run = actions.preview_run(story.partner.pk, by=SYSTEM, at=at(2, 1))
    assert run.documents == 1
    actions.confirm_run(run.pk, by=SYSTEM, at=at(2, 1))
    bill = runs._bill  # the moment between the billing of a chunk and its end

    def cancelled_meanwhile(*args):
        outcome = bill(*args)
        together(lambda: actions.cancel_run(run.pk, by=STAFF, at=at(2, 1)))
        return outcome

    monkeypatch.setattr(runs, "_bill", cancelled_meanwhile)
    done = actions.work_run(run.pk, by=SYSTEM, at=at(2, 1))
    assert (done.state, done.documents, len(story.documents)) == ("cancelled", 0, issued)
    monkeypatch.undo()
    assert story.run(at(2, 1)).documents == 1
