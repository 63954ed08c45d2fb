"""From prepaid to recurring and back, accounts that pay together, and invoices of consumed prepaid days."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests import cast
from tests.billing.test_recurring import JAN_1, Story, at, books_hold  # noqa: F401 - a fixture
from tests.cast import STAFF

from demarc.base.actors import SYSTEM
from demarc.billing import actions
from demarc.billing.models import BilledThrough, Cover, Document, LedgerAccount, RecurringState, Transfer
from demarc.core.errors import Refused
from demarc.customers import actions as customers
from demarc.plans import actions as plans
from demarc.plans.models import Service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def prepaid(paid: int = 10_000):
    """One who paid, on a plan of 31.00 a month, active since the eve of January 2024."""
    eve = datetime(2023, 12, 31, 9, tzinfo=UTC)
    partner = cast.partner(at=eve)
    return partner, cast.subscriber(partner, cast.plan(partner, price=3100, at=eve), paid=paid, at=eve)


def run_days(partner, first: int, last: int, month: int = 1):
    for day in range(first, last + 1):
        cast.open_day(partner, date(2024, month, day))


def test_prepaid_days_end_and_documents_begin_on_the_next_day():
    partner, account = prepaid()
    run_days(partner, 1, 10)
    actions.make_recurring(account.pk, by=STAFF, at=at(1, 10))
    (document,) = Document.objects.all()
    assert (document.first_day, document.last_day, document.gross) == (date(2024, 1, 11), date(2024, 1, 31), 2100)
    assert cast.balance(account) == 10_000 - 1000 - 2100
    assert cast.open_day(partner, date(2024, 1, 11)).charged == 0
    assert RecurringState.objects.get().next_on == date(2024, 2, 1)


def test_documents_end_and_prepaid_days_begin_on_the_next_day():
    story = Story()
    story.begin(at(1, 1))
    cast.pay(story.account, 10_000, at=at(1, 2))
    actions.make_prepaid(story.account.pk, by=STAFF, at=at(1, 21))
    assert story.grosses == [3100, -1000]
    assert cast.open_day(story.partner, date(2024, 1, 22)).charged == 1
    assert story.balance == 10_000 - 3100 + 1000 - 100
    assert story.run(at(2, 1)).documents == 0


def test_postpaid_days_are_billed_to_the_day_before_prepaid_begins():
    story = Story(postpaid=True)
    story.begin(at(1, 11))
    actions.make_prepaid(story.account.pk, by=STAFF, at=at(1, 20))
    assert story.grosses == [1000]


def test_there_and_back_again_in_one_month_charges_each_day_once():
    partner, account = prepaid()
    run_days(partner, 1, 10)
    actions.make_recurring(account.pk, by=STAFF, at=at(1, 10))
    actions.make_prepaid(account.pk, by=STAFF, at=at(1, 20))
    run_days(partner, 21, 31)
    assert cast.balance(account) == 10_000 - 3100


def test_one_who_is_blocked_for_money_is_online_with_documents_from_today():
    partner, account = prepaid(paid=0)
    run_days(partner, 1, 1)
    assert not cast.online(account)
    actions.make_recurring(account.pk, by=STAFF, at=at(1, 1))
    assert cast.online(account)
    assert [document.gross for document in Document.objects.all()] == [3100]


def test_prepaid_days_of_a_service_that_has_ended_are_never_billed_again():
    partner, account = prepaid()
    plan = account.services.get().plan
    ended = cast.activate(cast.service(account.customer, plan, at=JAN_1), at=JAN_1)
    run_days(partner, 1, 5)
    plans.end_service(ended.pk, by=STAFF, at=at(1, 5))
    run_days(partner, 6, 10)
    actions.make_recurring(account.pk, by=STAFF, at=at(1, 10))
    assert [document.gross for document in Document.objects.all()] == [2100]
    actions.make_prepaid(account.pk, by=STAFF, at=at(1, 20))
    assert [document.gross for document in Document.objects.all()] == [2100, -1100]


@pytest.mark.parametrize("leave", [plans.pause_service, plans.end_service])
def test_prepaid_days_are_never_billed_when_no_service_was_in_use_as_the_account_became_recurring(leave):
    partner, account = prepaid()
    service = account.services.get()
    run_days(partner, 1, 5)
    leave(service.pk, by=STAFF, at=at(1, 5))
    run_days(partner, 6, 10)
    actions.make_recurring(account.pk, by=STAFF, at=at(1, 10))
    actions.make_prepaid(account.pk, by=STAFF, at=at(1, 20))
    assert not Document.objects.exists()
    assert cast.balance(account) == 10_000 - 500


def test_a_paused_service_that_is_taken_up_again_with_documents_is_billed_from_that_day():
    partner, account = prepaid()
    service = account.services.get()
    run_days(partner, 1, 5)
    plans.pause_service(service.pk, by=STAFF, at=at(1, 5))
    run_days(partner, 6, 10)
    actions.make_recurring(account.pk, by=STAFF, at=at(1, 10))
    cast.activate(service, at=at(1, 22))
    assert [document.gross for document in Document.objects.all()] == [1000]


def test_the_day_on_which_a_paused_account_becomes_recurring_is_not_billed_when_it_is_taken_up_again_on_it():
    partner, account = prepaid()
    service = account.services.get()
    run_days(partner, 1, 10)
    plans.pause_service(service.pk, by=STAFF, at=at(1, 10))
    actions.make_recurring(account.pk, by=STAFF, at=at(1, 10))
    cast.activate(service, at=at(1, 10))
    actions.correct_services([service.pk], by=SYSTEM, at=at(1, 10))
    assert cast.balance(account) == 10_000 - 3100
    assert BilledThrough.objects.get().begun_on == date(2024, 1, 11)


def test_days_settled_before_the_account_was_prepaid_are_not_put_right_by_another_plan_after_it():
    story = Story()
    service = story.begin(at(1, 1))
    other = cast.plan(story.partner, "Other", price=6200, at=JAN_1)
    plans.pause_service(service.pk, by=STAFF, at=at(1, 10))
    actions.make_prepaid(story.account.pk, by=STAFF, at=at(1, 10))
    actions.make_recurring(story.account.pk, by=STAFF, at=at(1, 10))
    plans.change_plan(service.pk, plan_id=other.pk, by=STAFF, at=at(1, 10))
    cast.activate(service, at=at(1, 10))
    story.correct(service, when=at(1, 10))
    assert story.balance == -(10 * 100 + 21 * 200)


def family():
    """Two recurring customers of one provider: a head and a child, both since 1 January."""
    story = Story()
    story.begin(at(1, 1))
    child = cast.customer(story.partner, "Child", billing_type="recurring", at=JAN_1)
    service = cast.activate(cast.service(child, story.plan, at=at(1, 1)), at=at(1, 1))
    return story, cast.account_of(child), service


def test_accounts_that_pay_together_get_one_document_and_apart_two():
    story, child, _ = family()
    cast.pay(child, 5000, at=at(1, 5))
    actions.link_account(child.pk, parent_id=story.account.pk, by=STAFF, at=at(1, 10))
    assert (cast.balance(child), story.balance) == (0, -3100 + 1900)
    story.run(at(2, 1))
    assert story.grosses == [3100, 6200]
    assert Document.objects.filter(account=child).count() == 1
    cast.pay(child, 100, at=at(2, 2))
    assert (cast.balance(child), story.balance) == (0, -3100 + 1900 - 6200 + 100)
    actions.unlink_account(child.pk, by=STAFF, at=at(2, 10))
    story.run(at(3, 1))
    assert story.grosses == [3100, 6200, 3100]
    assert Document.objects.filter(account=child).count() == 2
    covers = sorted(Cover.objects.values_list("service_id", "first_day", "last_day"))
    assert len(covers) == 6


@pytest.mark.parametrize("case", ["self", "twice", "deep", "prepaid"])
def test_what_cannot_be_linked_is_refused(case):
    story, child, _ = family()
    head = story.account
    if case == "self":
        pair = (head.pk, head.pk)
    elif case == "prepaid":
        pair = (cast.account_of(cast.customer(story.partner, "Pre", at=JAN_1)).pk, head.pk)
    else:
        actions.link_account(child.pk, parent_id=head.pk, by=STAFF, at=at(1, 2))
        pair = (child.pk, head.pk) if case == "twice" else (head.pk, child.pk)
    with pytest.raises(Refused):
        actions.link_account(pair[0], parent_id=pair[1], by=STAFF, at=at(1, 3))


def test_consumed_prepaid_days_are_invoiced_on_the_first_without_touching_the_balance():
    partner, account = prepaid()
    customers.set_recurring_terms(partner.pk, valid_from=date(2020, 1, 1), invoice_consumed=True, by=STAFF, at=JAN_1)
    plans.set_tax(
        partner.pk, category="standard", rate=Decimal("0.20"), valid_from=date(2020, 1, 1), by=STAFF, at=JAN_1
    )
    plans.set_tax(
        partner.pk, category="standard", rate=Decimal("0.25"), valid_from=date(2024, 1, 16), by=STAFF, at=JAN_1
    )
    run_days(partner, 1, 31)
    cast.open_day(partner, date(2024, 2, 1))
    before = cast.balance(account)
    month = {"month": date(2024, 1, 1), "by": SYSTEM}
    assert actions.invoice_consumed(partner.pk, at=at(2, 1), **month) == 1
    assert actions.invoice_consumed(partner.pk, at=at(2, 1) + timedelta(hours=1), **month) == 0
    (document,) = Document.objects.all()
    assert (document.gross, document.open_amount, document.issued_on) == (3100, 0, date(2024, 2, 1))
    assert [(tax.rate, tax.net, tax.tax) for tax in document.taxes.order_by("rate")] == [
        (Decimal("0.20"), 1250, 250),
        (Decimal("0.25"), 1280, 320),
    ]
    assert cast.balance(account) == before
    taxed = Transfer.objects.filter(kind="tax").values_list("credit_account__name", "amount")
    assert sorted(taxed) == [("standard 20 %", 250), ("standard 25 %", 320)]
    assert LedgerAccount.objects.filter(kind="payer").count() == 1


def test_a_month_that_is_not_over_is_not_invoiced():
    partner, _ = prepaid()
    with pytest.raises(Refused, match="2024-01-31"):
        actions.invoice_consumed(partner.pk, month=date(2024, 1, 1), by=SYSTEM, at=at(1, 31))


def test_who_pays_for_another_without_a_service_of_his_own_is_billed_on_the_days_of_that_one():
    story = Story()
    story.begin(at(1, 1))
    head = cast.account_of(cast.customer(story.partner, "Head", billing_type="recurring", at=JAN_1))
    actions.link_account(story.account.pk, parent_id=head.pk, by=STAFF, at=at(1, 10))
    story.run(at(2, 1))
    billed = list(Document.objects.order_by("id").values_list("account_id", "gross"))
    assert billed == [(story.account.pk, 3100), (head.pk, 3100)]


def test_an_account_whose_services_are_free_is_converted_without_a_document_either_way():
    eve = datetime(2023, 12, 31, 9, tzinfo=UTC)
    partner = cast.partner(at=eve)
    account = cast.subscriber(partner, cast.plan(partner, price=0, at=eve), at=eve)
    run_days(partner, 1, 10)
    actions.make_recurring(account.pk, by=STAFF, at=at(1, 10))
    actions.make_prepaid(account.pk, by=STAFF, at=at(1, 15))
    run_days(partner, 16, 20)
    actions.make_recurring(account.pk, by=STAFF, at=at(1, 20))
    assert not Document.objects.exists()


def test_a_free_service_that_comes_to_cost_something_on_the_day_of_the_change_is_billed_from_the_next():
    eve = datetime(2023, 12, 31, 9, tzinfo=UTC)
    partner = cast.partner(at=eve)
    account = cast.subscriber(partner, cast.plan(partner, price=0, at=eve), at=eve)
    run_days(partner, 1, 21)
    actions.make_recurring(account.pk, by=STAFF, at=at(1, 21))
    service = Service.objects.get(account=account)
    plans.set_service_price(service.pk, price=3100, by=STAFF, at=at(1, 21))
    actions.correct_services([service.pk], by=SYSTEM, at=at(1, 21))
    (document,) = Document.objects.all()
    assert (document.first_day, document.last_day, document.gross) == (date(2024, 1, 22), date(2024, 1, 31), 1000)
