"""What holds for any story: balances are what the transfers say; when within a day runs come makes no difference."""

from datetime import date, timedelta
from itertools import count

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from procrastinate.contrib.django.models import ProcrastinateJob
from tests import cast
from tests.cast import AT, STAFF, midnight

from demarc.base.actors import SYSTEM
from demarc.billing import actions, check
from demarc.billing.models import DayDecision, LedgerAccount, Payment, Transfer
from demarc.core.errors import Refused
from demarc.customers import actions as customers
from demarc.plans import actions as plans

FEW = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
MAY = [date(2024, 5, day) for day in range(1, 32)]
FOLD = """
SELECT payer_id, balance, coalesce((SELECT sum(amount) FROM billing_transfer WHERE credit_account_id = l.id), 0)
    - coalesce((SELECT sum(amount) FROM billing_transfer WHERE debit_account_id = l.id), 0)
FROM billing_ledgeraccount l WHERE balance IS NOT NULL
"""


class Money(RuleBasedStateMachine):
    """Pay, charge, refund and correct in any order, with keys used again, over some days."""

    def __init__(self):
        super().__init__()
        self.undo = transaction.atomic()
        self.undo.__enter__()
        self.at = AT

    def teardown(self):
        try:
            assert check.run() == []
        finally:
            transaction.set_rollback(True)
            self.undo.__exit__(None, None, None)

    @initialize(
        currency=st.sampled_from(["EUR", "JPY", "TND"]),
        prices=st.lists(st.integers(0, 10**12), min_size=2, max_size=2),
        rule=st.sampled_from(["calendar", "thirty"]),
        limit=st.integers(-1000, 1000),
    )
    def begin(self, currency, prices, rule, limit):
        self.partner = cast.partner(currency=currency)
        terms = {"day_rule": rule, "minimal_balance": limit}
        customers.set_partner_terms(self.partner.pk, valid_from=AT.date(), by=STAFF, at=AT, **terms)
        self.accounts = [
            cast.subscriber(self.partner, cast.plan(self.partner, f"P{price} {number}", price=price), name=f"A{number}")
            for number, price in enumerate(prices)
        ]

    @rule(who=st.integers(0, 1), amount=st.integers(1, 10**12), key=st.integers(1, 5))
    def pay(self, who, amount, key):
        self.allowing("conflict", "balance_too_large", lambda: cast.pay(self.accounts[who], amount, key=f"p{key}"))

    @rule(which=st.integers(0, 5), amount=st.integers(1, 10**12), key=st.integers(1, 5))
    def refund(self, which, amount, key):
        payments = list(Payment.objects.filter(amount__gt=0).order_by("id"))[which : which + 1]
        for payment in payments:
            give_back = min(amount, payment.amount)
            self.allowing(
                "conflict",
                "more_than_left",
                lambda: actions.refund(payment.pk, amount=give_back, key=f"r{key}", by=STAFF, at=self.at),  # noqa: B023
            )

    @rule(who=st.integers(0, 1), amount=st.integers(-(10**12), 10**12).filter(bool), key=st.integers(1, 5))
    def correct(self, who, amount, key):
        facts = {"amount": amount, "reason": "Any", "key": f"c{key}"}
        self.allowing(
            "conflict",
            "balance_too_large",
            lambda: actions.correct(self.accounts[who].pk, **facts, by=STAFF, at=self.at),
        )

    @rule(days=st.integers(0, 3))
    def charge(self, days):
        self.at += timedelta(days=days)
        actions.open_day(self.partner.pk, day=self.at.date(), by=SYSTEM, at=self.at)

    @invariant()
    def balances_are_what_the_transfers_say(self):
        with connection.cursor() as cursor:
            cursor.execute(FOLD)
            assert [row for row in cursor.fetchall() if row[1] != row[2]] == []

    def allowing(self, *arguments):
        *codes, work = arguments
        try:
            work()
        except Refused as refused:
            if refused.code not in codes:
                raise


@pytest.mark.django_db
def test_any_sequence_of_payments_charges_refunds_and_corrections_keeps_balances_equal_to_the_fold():
    run_state_machine_as_test(Money, settings=settings(FEW, max_examples=10, stateful_step_count=12))


HOUR = timedelta(hours=1)
DAYS = 4


class Story:
    """One prepaid account's life of some days, told hour by hour; `tell` is the same however often runs come."""

    def __init__(self):
        self.partner = cast.partner(zone="Europe/Prague")
        self.plan = cast.plan(self.partner, price=3100)
        self.other = cast.plan(self.partner, "Other", price=9300)
        self.account = cast.subscriber(self.partner, self.plan, paid=250)
        self.service = self.account.services.get()
        self.keys = count()

    def tell(self, events, runs):
        """`events`: (hour, name, number) by hour; `runs`: the hours at which the day's run comes."""
        begin = midnight(MAY[0], "Europe/Prague")
        for hour in range(24 * DAYS):
            at = begin + hour * HOUR
            if hour in runs:
                actions.bill(by=SYSTEM, at=at)
            for minute, (when, name, number) in enumerate(events):
                if when == hour:
                    self.happen(name, number, at + timedelta(minutes=1 + minute))

    def happen(self, name, number, at):
        before = set(ProcrastinateJob.objects.values_list("id", flat=True))
        try:
            getattr(self, name)(number, at)
        except Refused:
            return
        for job in ProcrastinateJob.objects.filter(task_name="billing.retry_accounts").exclude(id__in=before):
            actions.retry_accounts(job.args["accounts"], by=SYSTEM, at=at)

    def pay(self, number, at):
        cast.pay(self.account, 1 + number, at=at, key=f"k{next(self.keys)}")

    def lower(self, number, at):
        actions.correct(self.account.pk, amount=-1 - number, reason="Any", key=f"c{next(self.keys)}", by=STAFF, at=at)

    def block(self, number, at):
        plans.block(self.account.customer_id, reason="", by=STAFF, at=at)

    def unblock(self, number, at):
        plans.unblock(self.account.customer_id, by=STAFF, at=at)

    def price(self, number, at):
        valid_from = at.date() + timedelta(days=number % 3)
        plans.set_price(self.plan.pk, valid_from=valid_from, amount=number * 20, by=STAFF, at=at)

    def limit(self, number, at):
        terms = {"minimal_balance": number - 200, "limit_rule": ("cover", "stop_at_limit")[number % 2]}
        day = at.date() + timedelta(days=number % 2)
        customers.set_account_terms(self.account.pk, valid_from=day, by=STAFF, at=at, **terms)

    def rule(self, number, at):
        terms = {"day_rule": ("calendar", "thirty")[number % 2], "charge_activation_day": number % 3 == 0}
        customers.set_partner_terms(self.partner.pk, valid_from=at.date(), by=STAFF, at=at, **terms)

    def pause(self, number, at):
        plans.pause_service(self.service.pk, by=STAFF, at=at)

    def resume(self, number, at):
        actions.activate(self.service.pk, by=STAFF, at=at)

    def second(self, number, at):
        cast.activate(cast.service(self.account.customer, self.other, at=at), at=at)

    def move(self, number, at):
        plan = (self.plan, self.other)[number % 2]
        plans.change_plan(self.service.pk, plan_id=plan.pk, by=STAFF, at=at)

    def outcome(self):
        """The ledger and the decisions, without ids, which differ between two tellings."""
        decided = DayDecision.objects.order_by("day")
        return {
            "decisions": list(decided.values_list("day", "decision", "cost", "balance_before", "catch_up", "paid_at")),
            "transfers": sorted(Transfer.objects.values_list("day", "kind", "amount")),
            "balance": LedgerAccount.objects.get(payer=self.account).balance,
            "access": sorted(str(cause) for cause in self.account.services.values_list("blocked_cause", flat=True)),
            "status": cast.Customer.objects.get(pk=self.account.customer_id).status,
            "findings": check.run(),
        }


HAPPENINGS = ["pay", "lower", "block", "unblock", "price", "limit", "rule", "pause", "resume", "second", "move"]
EVENTS = st.lists(
    st.tuples(st.integers(0, 24 * DAYS - 1), st.sampled_from(HAPPENINGS), st.integers(0, 400)), max_size=12
).map(sorted)
RUNS = st.sets(st.integers(0, 24 * DAYS - 1), max_size=12)
PUNCTUAL = {24 * day for day in range(DAYS)}
LAST_MINUTES = {24 * day + 23 for day in range(DAYS)}


def told(events, runs):
    with transaction.atomic():
        story = Story()
        story.tell(events, runs)
        outcome = story.outcome()
        transaction.set_rollback(True)
    if "unblock" in [name for _, name, _ in events]:
        # Nobody can be let online for a day before the run has blocked him: the ledger is the same, not the access.
        del outcome["access"], outcome["status"]
    return outcome


@pytest.mark.django_db
@settings(FEW, max_examples=12)
@given(events=EVENTS, runs=RUNS)
def test_when_within_a_day_runs_come_and_how_often_makes_no_difference(events, runs):
    punctual = told(events, PUNCTUAL | LAST_MINUTES)
    assert punctual["findings"] == []
    assert told(events, runs | LAST_MINUTES) == punctual
