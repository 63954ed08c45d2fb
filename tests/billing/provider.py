"""The state machine of the model-based test: what may happen at a provider, in whatever order, and what must then hold.

Each story is one transaction of its own, taken back at its end, so that nothing is to be cleared away between them.
It begins with somebody, for without him most steps find nothing to do. After each step, of whom it touched: the stored
balance is what his transfers add up to and what the model says (L-02), his entries are whole and move what their
documents say (L-01), no number of the provider's is missing (L-05), no day is billed twice, for the database refuses
it (L-06). Every CHECK_EVERY steps and at the end what the database checks only at a commit is checked at once, and the
checker looks at everything.
"""

import gc
import sys
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from tests import cast
from tests.billing.model import Held, Model, Payer
from tests.cast import STAFF

from demarc.base import sql
from demarc.base.actors import SYSTEM
from demarc.billing import actions, check
from demarc.billing.models import Document, LedgerAccount, Payment
from demarc.billing.queries import accounts_due
from demarc.customers import actions as customers
from demarc.plans import actions as plans
from demarc.plans.models import Service

STEPS_A_STORY = 100
STORIES_A_SEED = 25
CHECK_EVERY = 40
PRICES = {"Small": 1999, "Large": 4400}
RICH = 10**9
PICK = st.integers(0, 10**6)

# One statement after each step: (kind, id or name, found, wanted), a row for each balance and for each thing amiss.
AFTER_A_STEP = """
WITH touched AS (
    SELECT payer_id, id AS ledger, balance FROM billing_ledgeraccount WHERE payer_id = ANY(%(accounts)s::bigint[])
), moved AS (
    SELECT payer_id, entry_id, max(seq) + 1 AS wanted, count(*) AS parts,
        sum(CASE ledger WHEN credit_account_id THEN amount WHEN debit_account_id THEN -amount ELSE 0 END) AS total
    FROM touched JOIN billing_transfer ON account_id = payer_id GROUP BY payer_id, entry_id
), numbered AS (
    SELECT kind || ':' || extract(year FROM issued_on) AS series, count(*) AS count
    FROM billing_document WHERE partner_id = %(partner)s GROUP BY series
    UNION ALL SELECT 'payment', count(*) FROM billing_payment WHERE partner_id = %(partner)s
)
SELECT 'balance', payer_id::text, balance, coalesce(sum(total), 0)
FROM touched LEFT JOIN moved USING (payer_id) GROUP BY payer_id, balance
UNION ALL
SELECT 'entry', entry_id::text, parts, wanted FROM moved WHERE parts <> wanted
UNION ALL
SELECT 'document', number, -coalesce(total, 0), gross FROM billing_document LEFT JOIN moved USING (entry_id)
WHERE account_id = ANY(%(accounts)s::bigint[]) AND source <> 'consumed' AND coalesce(total, 0) <> -gross
UNION ALL
SELECT 'number', series, next_value - 1, coalesce(count, 0) FROM base_counter LEFT JOIN numbered USING (series)
WHERE partner_id = %(partner)s AND series ~ '^(payment|[a-z_]+:[0-9]+)$' AND next_value - 1 <> coalesce(count, 0)
"""

played: Counter[str] = Counter()
"""Steps that were taken and documents that were issued since `play` was called."""


class Provider(RuleBasedStateMachine):
    """The rules: what may happen at a provider on one day after the other."""

    steps = -2  # neither the empty world nor its making is a step

    @initialize(billing_day=st.integers(1, 31), offset=st.integers(0, 700), prepaid=st.booleans())
    def begin(self, billing_day, offset, prepaid):
        """`prepaid`: whether the one who is there already pays ahead."""
        self.stack = ExitStack()
        self.stack.enter_context(transaction.atomic())
        today = date(2024, 1, 1) + timedelta(days=offset)
        self.model = Model(today, PRICES, billing_day)
        self.partner = cast.partner(at=self.noon)
        customers.set_recurring_terms(
            self.partner.pk, valid_from=date(2020, 1, 1), billing_day=billing_day, by=STAFF, at=self.noon
        )
        self.plans = {name: cast.plan(self.partner, name, price=price, at=self.noon) for name, price in PRICES.items()}
        self.welcome(prepaid, "Small", None)

    def teardown(self):
        if hasattr(self, "stack"):
            try:
                if sys.exc_info()[0] is None:  # a story that failed has said why already
                    self.look_at_everything()
                    played["documents"] += Document.objects.filter(partner=self.partner).count()
            finally:
                transaction.set_rollback(True)
                self.stack.close()

    @invariant()
    def now_and_then(self):
        self.steps += 1
        played["steps"] += self.steps > 0
        if self.steps > 0 and self.steps % CHECK_EVERY == 0:
            self.look_at_everything()

    def look_at_everything(self):
        """In a savepoint that is taken back, for both change the transaction's settings."""
        with transaction.atomic():
            connection.check_constraints()
            findings = check.run(days=3000)
            transaction.set_rollback(True)
        assert not findings, findings

    @property
    def noon(self):
        day = self.model.today
        return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)

    def account(self, pick):
        return sorted(self.model.payers)[pick % len(self.model.payers)]

    def service(self, pick, *, active=None):
        """(account, service) among those that fit, or None."""
        some = [
            (account, service)
            for account, payer in sorted(self.model.payers.items())
            for service, held in sorted(payer.held.items())
            if active in (None, held.active)
        ]
        return some[pick % len(some)] if some else None

    def agree(self, *accounts):
        """What must hold after a step, of these accounts and of the provider's numbers."""
        found = sql.rows(AFTER_A_STEP, accounts=list(accounts), partner=self.partner.pk)
        balances = {int(account): (stored, moved) for kind, account, stored, moved in found if kind == "balance"}
        amiss = [row for row in found if row[0] != "balance"]
        assert not amiss, amiss
        for account in accounts:
            model, stored = self.model.balance(account), balances.get(account, (0, 0))
            assert stored == (model, model), f"account {account}: stored, moved {stored}, but the model says {model}"

    def settle(self, service):
        actions.correct_services([service], by=SYSTEM, at=self.noon)

    @rule(prepaid=st.booleans(), plan=st.sampled_from(list(PRICES)), own=st.none() | st.integers(0, 9999))
    def sign_up(self, prepaid, plan, own):
        self.welcome(prepaid, plan, own)

    def welcome(self, prepaid, plan, own):
        made = cast.customer(self.partner, billing_type="prepaid" if prepaid else "recurring", at=self.noon)
        account = cast.account_of(made).pk
        self.model.payers[account] = Payer(prepaid)
        if prepaid:
            actions.receive(
                account_id=account, amount=RICH, method="cash", received_on=self.model.today, key=f"rich-{account}",
                by=STAFF, at=self.noon,
            )  # fmt: skip
            self.model.payers[account].paid += RICH
        self.add(account, made, plan, own)

    def add(self, account, customer, plan, own):
        service = cast.service(customer, self.plans[plan], price_override=own, account_id=account, at=self.noon)
        self.model.payers[account].held[service.pk] = Held(plan, False, own)
        actions.activate(service.pk, by=STAFF, at=self.noon)
        self.model.activate(account, service.pk)
        self.agree(account)

    @rule(pick=PICK, plan=st.sampled_from(list(PRICES)))
    def take_another_service(self, pick, plan):
        account = self.account(pick)
        if len(self.model.payers[account].held) < 4:
            customer = Service.objects.filter(account_id=account)[0].customer
            self.add(account, customer, plan, None)

    @rule(pick=PICK, ends=st.booleans())
    def leave(self, pick, ends):
        found = self.service(pick, active=True)
        if found:
            account, service = found
            (plans.end_service if ends else plans.pause_service)(service, by=STAFF, at=self.noon)
            self.settle(service)
            self.model.leave(account, service)
            if ends:
                self.gone(account, service)
            self.agree(account)

    def gone(self, account, service):
        """An ended service only keeps what it was billed."""
        payer = self.model.payers[account]
        held = payer.held.pop(service)
        payer.charged += Model.balance(self.model_of(held), 0) * -1

    def model_of(self, held):
        alone = Model(self.model.today, PRICES, self.model.billing_day)
        alone.payers[0] = Payer(False, held={0: held})
        return alone

    @rule(pick=PICK)
    def take_up_again(self, pick):
        found = self.service(pick, active=False)
        if found:
            account, service = found
            actions.activate(service, by=STAFF, at=self.noon)
            self.settle(service)
            self.model.activate(account, service)
            self.agree(account)

    @rule(pick=PICK, plan=st.sampled_from(list(PRICES)), own=st.none() | st.integers(0, 9999))
    def move_to_a_plan(self, pick, plan, own):
        found = self.service(pick)
        if found:
            account, service = found
            held = self.model.payers[account].held[service]
            if (held.plan, held.own) == (plan, own):
                return  # refused: it is so already
            plans.change_plan(service, plan_id=self.plans[plan].pk, price_override=own, by=STAFF, at=self.noon)
            self.settle(service)
            self.model.change(account, service, plan, own)
            self.agree(account)

    @rule(pick=PICK, amount=st.integers(1, 20_000))
    def pay(self, pick, amount):
        account = self.account(pick)
        key = f"pay-{Payment.objects.count()}"
        for _ in range(2):  # clicked twice
            actions.receive(
                account_id=account, amount=amount, method="cash", received_on=self.model.today, key=key,
                by=STAFF, at=self.noon,
            )  # fmt: skip
        self.model.payers[account].paid += amount
        self.agree(account)

    @rule(pick=PICK, part=st.integers(1, 100))
    def give_back(self, pick, part):
        some = list(Payment.objects.filter(partner=self.partner, amount__lt=RICH, amount__gt=0).order_by("id"))
        if some:
            payment = some[pick % len(some)]
            left = payment.amount + sum(payment.refunded_by.values_list("amount", flat=True))
            if left:
                amount = max(left * part // 100, 1)
                key = f"back-{Payment.objects.count()}"
                actions.refund(payment.pk, amount=amount, key=key, by=STAFF, at=self.noon)
                self.model.payers[payment.account_id].paid -= amount
                self.agree(payment.account_id)

    @rule(pick=PICK, amount=st.integers(-5000, 5000).filter(bool))
    def correct(self, pick, amount):
        account = self.account(pick)
        key = f"c-{account}-{amount}-{pick}-{self.model.today}"
        before = self.model.balance(account)
        actions.correct(account, amount=amount, reason="r", key=key, by=STAFF, at=self.noon)
        if LedgerAccount.objects.get(payer_id=account).balance != before:
            self.model.payers[account].paid += amount
        self.agree(account)

    @rule(pick=PICK, amount=st.integers(-500, 5000).filter(bool))
    def sell_once(self, pick, amount):
        account = self.account(pick)
        if not self.model.payers[account].prepaid:
            actions.bill_item(account_id=account, text="Thing", amount=amount, now=True, by=STAFF, at=self.noon)
            self.model.payers[account].charged += amount
            self.agree(account)

    @rule(plan=st.sampled_from(list(PRICES)), amount=st.integers(0, 9999))
    def set_a_list_price(self, plan, amount):
        if self.model.waits(plan):
            return
        plans.set_price(self.plans[plan].pk, valid_from=self.model.today, amount=amount, by=STAFF, at=self.noon)
        self.model.prices[plan] = amount

    @rule(rate=st.sampled_from(["0", "0.05", "0.21"]))
    def set_a_tax(self, rate):
        plans.set_tax(
            self.partner.pk, category="standard", rate=Decimal(rate), valid_from=self.model.today, by=STAFF,
            at=self.noon,
        )  # fmt: skip

    @rule(pick=PICK)
    def change_how_he_pays(self, pick):
        account = self.account(pick)
        if self.model.payers[account].prepaid:
            actions.make_recurring(account, by=STAFF, at=self.noon)
            self.model.make_recurring(account)
        else:
            actions.make_prepaid(account, by=STAFF, at=self.noon)
            self.model.make_prepaid(account)
            if self.model.balance(account) < RICH // 2:
                actions.correct(
                    account,
                    amount=RICH,
                    reason="r",
                    key=f"rich-again-{account}-{pick}-{self.noon}",
                    by=STAFF,
                    at=self.noon,
                )
                self.model.payers[account].paid += RICH
        self.agree(account)

    @rule(days=st.integers(1, 40), twice=st.booleans())
    def days_pass(self, days, twice):
        for _ in range(days):
            self.model.next_day()
        for _ in range(2 if twice else 1):  # the days before are caught up with
            actions.open_day(self.partner.pk, day=self.model.today, by=SYSTEM, at=self.noon)
            self.run_documents()
        self.agree(*self.model.payers)

    def run_documents(self):
        """Only on days on which something is due, as the job does."""
        if accounts_due(self.partner.pk, self.model.today):
            run = actions.preview_run(self.partner.pk, by=SYSTEM, at=self.noon)
            actions.confirm_run(run.pk, by=SYSTEM, at=self.noon)
            done = actions.work_run(run.pk, by=SYSTEM, at=self.noon)
            assert done.posted_hash == run.preview_hash or not done.documents


def play(steps, number, *, shrink=False):
    """Play stories drawn from the seeds `number`, `number` + 1 and so on until there were so many steps: how many there
    were, and documents in them. What fails names its seed and, with `shrink`, is told as briefly as possible."""
    played.clear()
    gc.collect()
    gc.freeze()  # what a step leaves behind is collected, without looking through all of Django each time
    while (left := steps - played["steps"]) > 0:
        wanted = settings(
            max_examples=min(STORIES_A_SEED, -(-left // STEPS_A_STORY)),
            stateful_step_count=STEPS_A_STORY,
            database=None,
            deadline=None,
            print_blob=True,
            phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
            suppress_health_check=list(HealthCheck),
        )
        try:
            run_state_machine_as_test(seed(number)(Provider), settings=wanted)
        except BaseException as found:
            found.add_note(f"seed {number}, {played['steps']} steps")
            raise
        number += 1
    return Counter(played)
