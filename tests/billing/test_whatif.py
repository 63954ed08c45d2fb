"""What if prices, taxes or terms were others: figures of the real run, and nothing is kept."""

from decimal import Decimal

import pytest
from tests import cast
from tests.billing.test_recurring import JAN_1, Story, at
from tests.cast import STAFF

from demarc.base.models import Counter
from demarc.billing import actions
from demarc.billing.actions import whatif
from demarc.billing.models import Document, InvoiceRun, Transfer
from demarc.core.errors import Refused
from demarc.customers.models import Account
from demarc.plans.models import PlanPrice, TaxRate

pytestmark = pytest.mark.django_db


def provider():
    story = Story()
    story.tax("0.20")
    small = cast.plan(story.partner, "Small", price=1550, at=JAN_1)
    for number, plan in enumerate((story.plan, story.plan, small)):
        customer = cast.customer(story.partner, f"Customer {number}", billing_type="recurring", at=JAN_1)
        cast.activate(cast.service(customer, plan, at=at(1, 1)), at=at(1, 1))
    return story, small


def test_a_dearer_plan_and_another_tax_are_told_exactly_and_nothing_is_kept():
    story, _ = provider()
    kept = [model.objects.count() for model in (Document, InvoiceRun, Transfer, PlanPrice, TaxRate)]
    numbers = list(Counter.objects.order_by("id").values_list("series", "next_value"))
    change = actions.Change(prices={story.plan.pk: 3500}, taxes={"standard": Decimal("0.25")})
    answer = actions.what_if(story.partner.pk, change, by=STAFF, at=at(1, 20))
    assert (answer.before.documents, answer.before.gross) == (3, 2 * 3100 + 1550)
    assert (answer.after.documents, answer.after.gross) == (3, 2 * 3500 + 1550)
    assert (answer.before.tax, answer.after.tax) == (517 * 2 + 258, 700 * 2 + 310)
    assert answer.different == 2
    assert {(one.before, one.after) for one in answer.accounts} == {(3100, 3500)}
    assert [model.objects.count() for model in (Document, InvoiceRun, Transfer, PlanPrice, TaxRate)] == kept
    assert list(Counter.objects.order_by("id").values_list("series", "next_value")) == numbers
    assert story.run(at(2, 1)).gross == answer.before.gross


@pytest.mark.parametrize(
    "change",
    [
        actions.Change(),
        actions.Change(prices={10**9: 5}),
        actions.Change(taxes={"standard": Decimal(3)}),
        actions.Change(block_hour=24),
    ],
)
def test_what_makes_no_sense_is_refused(change):
    story, _ = provider()
    with pytest.raises(Refused):
        actions.what_if(story.partner.pk, change, by=STAFF, at=at(1, 20))
    assert not InvoiceRun.objects.exists()


def test_the_documents_of_the_run_are_foreseen_to_block_whoever_does_not_pay_them():
    story, _ = provider()
    for account in Account.objects.filter(services__isnull=False).order_by("id")[:2]:
        cast.pay(account, 10_000, at=at(1, 2))
    change = actions.Change(due_days=50)
    answer = actions.what_if(story.partner.pk, change, by=STAFF, at=at(1, 20))
    assert (answer.before.blocked, answer.after.blocked) == (1, 1)  # he owes since January already
    cast.pay(Account.objects.latest("id"), 1550, at=at(1, 20))
    answer = actions.what_if(story.partner.pk, change, by=STAFF, at=at(1, 20))
    assert (answer.before.blocked, answer.after.blocked) == (1, 0)  # for February: due on the 15th, or on 22 March
    dear = actions.Change(prices={story.plan.pk: 20_000})
    assert actions.what_if(story.partner.pk, dear, by=STAFF, at=at(1, 20)).after.blocked == 3
    hour = actions.what_if(story.partner.pk, actions.Change(block_hour=15), by=STAFF, at=at(1, 20))
    assert hour.before == hour.after


def test_more_accounts_than_somebody_waits_for_are_refused(monkeypatch):
    story, _ = provider()
    monkeypatch.setattr(whatif, "ACCOUNTS_AT_ONCE", 0)
    with pytest.raises(Refused) as refused:
        actions.what_if(story.partner.pk, actions.Change(due_days=3), by=STAFF, at=at(1, 20))
    assert refused.value.code == "too_many"
