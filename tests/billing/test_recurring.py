"""Recurring accounts day by day: documents, corrections, payments. Amounts in cents; the price is 31.00 a month."""

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from tests import cast
from tests.cast import STAFF

from demarc.base.actors import SYSTEM
from demarc.billing import actions, check
from demarc.billing.models import Cover, Document, LedgerAccount, RecurringState, Transfer
from demarc.customers import actions as customers
from demarc.plans import actions as plans

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
JAN_1 = datetime(2024, 1, 1, 9, tzinfo=UTC)


@pytest.fixture
def books_hold():
    """After each story the independent checker has nothing to say."""
    yield
    assert check.run(days=3000) == []


def at(month: int, day: int, year: int = 2024) -> datetime:
    return datetime(year, month, day, 9, tzinfo=UTC)


class Story:
    """One customer of one provider, told day by day."""

    def __init__(self, *, price: int = 3100, currency: str = "EUR", zone: str = "UTC", **rules):
        self.partner = cast.partner(currency=currency, zone=zone, at=JAN_1)
        if rules:
            customers.set_recurring_terms(self.partner.pk, valid_from=date(2020, 1, 1), by=STAFF, at=JAN_1, **rules)
        self.plan = cast.plan(self.partner, price=price, at=JAN_1)
        self.customer = cast.customer(self.partner, billing_type="recurring", at=JAN_1)
        self.account = cast.account_of(self.customer)

    def tax(self, rate: str, *, day: date = date(2020, 1, 1)):
        plans.set_tax(self.partner.pk, category="standard", rate=Decimal(rate), valid_from=day, by=STAFF, at=JAN_1)

    def begin(self, when: datetime, **facts):
        service = cast.service(self.customer, self.plan, at=when, **facts)
        return cast.activate(service, at=when)

    def run(self, when: datetime):
        run = actions.preview_run(self.partner.pk, by=SYSTEM, at=when)
        actions.confirm_run(run.pk, by=SYSTEM, at=when)
        return actions.work_run(run.pk, by=SYSTEM, at=when)

    def correct(self, *services, when: datetime):
        return actions.correct_services([service.pk for service in services], by=SYSTEM, at=when)

    @property
    def documents(self):
        return list(Document.objects.filter(account=self.account).order_by("id"))

    @property
    def grosses(self):
        return [document.gross for document in self.documents]

    @property
    def balance(self):
        return cast.balance(self.account)


def test_a_start_in_mid_month_is_billed_at_once_for_the_rest_of_it():
    story = Story()
    story.begin(at(1, 17))
    (first,) = story.documents
    assert (first.kind, first.number, first.gross, first.open_amount) == ("invoice", "2024000001", 1500, 1500)
    assert (first.issued_on, first.due_on) == (date(2024, 1, 17), date(2024, 1, 31))
    assert (first.first_day, first.last_day) == (date(2024, 1, 17), date(2024, 1, 31))
    assert story.balance == -1500
    story.run(at(2, 1))
    assert story.grosses == [1500, 3100]
    assert story.documents[1].number == "2024000002"
    assert story.run(at(2, 1)).documents == 0


def test_a_free_service_is_on_the_regular_document_and_its_changes_have_none():
    story = Story(price=0)
    free = cast.plan(story.partner, "Free too", price=0, at=JAN_1)
    service = story.begin(at(1, 17))
    assert story.documents == []
    story.run(at(2, 1))
    (document,) = story.documents
    assert (document.gross, document.first_day, document.last_day) == (0, date(2024, 1, 17), date(2024, 2, 29))
    plans.change_plan(service.pk, plan_id=free.pk, by=STAFF, at=at(2, 10))
    assert story.correct(service, when=at(2, 10)) == []
    plans.end_service(service.pk, by=STAFF, at=at(2, 20))
    assert story.correct(service, when=at(2, 20)) == []
    live = Cover.objects.filter(replaced_by=None).order_by("first_day")
    assert [(cover.plan_id, cover.last_day.isoformat()) for cover in live] == [
        (story.plan.pk, "2024-01-31"), (story.plan.pk, "2024-02-09"), (free.pk, "2024-02-20"),
    ]  # fmt: skip
    assert story.grosses == [0]


def test_a_free_service_that_comes_to_cost_something_is_billed_from_that_day():
    story = Story(price=0)
    service = story.begin(at(1, 1))
    plans.set_service_price(service.pk, price=3100, by=STAFF, at=at(1, 22))
    story.correct(service, when=at(1, 22))
    assert story.grosses == [1000]
    plans.set_service_price(service.pk, price=0, by=STAFF, at=at(1, 27))
    story.correct(service, when=at(1, 27))
    assert story.grosses == [1000, -500]


def test_free_days_that_wait_for_the_regular_document_cost_what_the_plan_costs_by_then():
    story = Story(price=0)
    story.begin(at(1, 11))
    plans.set_price(story.plan.pk, valid_from=date(2024, 1, 22), amount=3100, by=STAFF, at=at(1, 15))
    story.run(at(2, 1))
    (document,) = story.documents
    assert (document.first_day, document.gross) == (date(2024, 1, 11), 1000 + 3100)
    plans.set_price(story.plan.pk, valid_from=date(2024, 2, 10), amount=9900, by=STAFF, at=at(2, 5))
    story.run(at(3, 1))
    assert story.grosses == [4100, 9900]


def test_a_month_with_a_full_discount_has_its_document():
    story = Story()
    service = story.begin(at(1, 1))
    plans.add_discount(service_id=service.pk, percent=10_000, valid_from=date(2024, 2, 1), by=STAFF, at=at(1, 10))
    story.run(at(2, 1))
    assert story.grosses == [3100, 0]


def test_a_partial_payment_pays_the_oldest_first_and_the_rest_waits_on_the_account():
    story = Story()
    story.begin(at(1, 17))
    story.run(at(2, 1))
    payment = cast.pay(story.account, 2000, at=at(2, 2))
    first, second = story.documents
    assert (first.open_amount, second.open_amount) == (0, 2600)
    assert [(a.payment_id, a.amount) for a in first.allocations.all()] == [(payment.pk, 1500)]
    cast.pay(story.account, 5000, at=at(2, 3))
    assert [document.open_amount for document in story.documents] == [0, 0]
    story.run(at(3, 1))
    assert story.documents[2].open_amount == 700
    assert story.balance == -700


def test_a_plan_changed_down_credits_the_unused_days_and_up_charges_the_difference():
    story = Story(price=20_000)
    story.tax("0.21")
    service = story.begin(at(10, 1))
    cheaper = cast.plan(story.partner, "Small", price=10_000, at=JAN_1)
    plans.change_plan(service.pk, plan_id=cheaper.pk, by=STAFF, at=at(10, 20))
    story.correct(service, when=at(10, 20))
    invoice, credit = story.documents
    assert (invoice.gross, invoice.net, invoice.tax) == (20_000, 16_529, 3471)
    assert (credit.kind, credit.gross, credit.corrects_id) == ("credit_note", 3871 - 7742, invoice.pk)
    assert [line.amount for line in credit.lines.order_by("seq")] == [-7742, 3871]
    assert story.correct(service, when=at(10, 20)) == []
    plans.change_plan(service.pk, plan_id=story.plan.pk, by=STAFF, at=at(10, 25))
    story.correct(service, when=at(10, 25))
    assert story.documents[2].gross == 2258  # 7 of 31 days at 100.00 more
    assert story.balance == -(20_000 - 3871 + 2258)
    assert sum(cover.amount for cover in Cover.objects.filter(replaced_by=None)) == 20_000 - 3871 + 2258


def test_a_plan_changed_on_the_day_that_the_service_began_leaves_only_the_new_one():
    story = Story()
    service = story.begin(at(1, 17))
    dearer = cast.plan(story.partner, "Large", price=6200, at=JAN_1)
    plans.change_plan(service.pk, plan_id=dearer.pk, by=STAFF, at=at(1, 17))
    story.correct(service, when=at(1, 17))
    assert story.grosses == [1500, 1500]
    assert sum(cover.amount for cover in Cover.objects.filter(replaced_by=None)) == 3000


def test_a_pause_is_credited_and_taking_it_up_again_is_billed_to_the_end_of_the_month():
    story = Story()
    service = story.begin(at(1, 1))
    plans.pause_service(service.pk, by=STAFF, at=at(1, 10))
    story.correct(service, when=at(1, 10))
    assert story.grosses == [3100, -2100]
    actions.activate(service.pk, by=STAFF, at=at(1, 22))
    story.correct(service, when=at(1, 22))
    assert story.grosses == [3100, -2100, 1000]
    story.run(at(2, 1))
    assert story.grosses[3:] == [3100]


def test_an_ended_service_is_credited_to_the_day_and_never_billed_again():
    story = Story()
    service = story.begin(at(1, 1))
    plans.end_service(service.pk, by=STAFF, at=at(1, 21))
    story.correct(service, when=at(1, 21))
    assert story.grosses == [3100, -1000]
    assert story.run(at(2, 1)).documents == 0
    assert story.documents[0].open_amount == 2100


def test_without_credit_of_what_is_left_nothing_is_given_back():
    story = Story(credit_leave=False, credit_pause=False)
    service = story.begin(at(1, 1))
    plans.stop_service(service.pk, by=STAFF, at=at(1, 21))
    assert story.correct(service, when=at(1, 21)) == []
    assert story.run(at(2, 1)).documents == 0


def test_postpay_bills_the_month_that_is_over_with_the_tax_of_its_days():
    story = Story(postpaid=True)
    story.tax("0.20")
    story.tax("0.25", day=date(2024, 1, 21))
    story.begin(at(1, 11))
    assert story.documents == []
    story.run(at(2, 1))
    (document,) = story.documents
    assert (document.gross, document.first_day, document.last_day) == (2100, date(2024, 1, 11), date(2024, 1, 31))
    taxes = {tax.rate: (tax.net, tax.tax) for tax in document.taxes.all()}
    assert taxes == {Decimal("0.20"): (833, 167), Decimal("0.25"): (880, 220)}


def test_prepay_carries_the_tax_of_the_day_of_its_document():
    story = Story()
    story.tax("0.20")
    story.tax("0.25", day=date(2024, 1, 21))
    story.begin(at(1, 1))
    story.run(at(2, 1))
    assert [tax.rate for document in story.documents for tax in document.taxes.all()] == [
        Decimal("0.20"),
        Decimal("0.25"),
    ]


@pytest.mark.parametrize("number", [29, 30, 31])
def test_a_billing_day_late_in_the_month_bills_three_years_without_gap_or_overlap(number):
    story = Story(billing_day=number)
    story.begin(at(1, 1))
    story.run(at(12, 31, 2026))
    covers = sorted(Cover.objects.values_list("first_day", "last_day", "amount"))
    assert covers[0][0] == date(2024, 1, 1)
    assert all((after[0] - before[1]).days == 1 for before, after in itertools.pairwise(covers))
    whole = [amount for first, last, amount in covers[1:]]
    assert set(whole) == {3100}
    assert len(whole) == 36


def test_three_months_ahead_are_one_document_of_three_months():
    story = Story(period_months=3)
    story.begin(at(1, 17))
    story.run(at(2, 1))
    story.run(at(4, 1))
    assert story.grosses == [1500, 9300]
    assert RecurringState.objects.get().next_on == date(2024, 5, 1)
    assert Cover.objects.count() == 4


def test_the_first_part_of_a_month_may_wait_for_the_regular_document():
    story = Story(own_first=False)
    story.begin(at(1, 17))
    assert story.documents == []
    story.run(at(2, 1))
    assert story.grosses == [4600]


def test_five_days_late_each_document_bears_its_own_day():
    story = Story(billing_day=28)
    story.begin(at(1, 28))
    story.run(at(4, 2))
    assert [document.issued_on for document in story.documents] == [
        date(2024, 1, 28),
        date(2024, 2, 28),
        date(2024, 3, 28),
    ]


@pytest.mark.parametrize(("currency", "price", "part"), [("JPY", 3100, 1500), ("KWD", 31_001, 15_000)])
def test_currencies_without_and_with_three_decimals_are_exact(currency, price, part):
    story = Story(currency=currency, price=price)
    story.begin(at(1, 17))
    assert story.grosses == [part]


def test_a_correction_dated_back_gives_exactly_one_document():
    story = Story()
    service = story.begin(at(1, 1))
    for month in (2, 3, 4):
        story.run(at(month, 1))
    plans.set_service_price(service.pk, price=2100, valid_from=date(2024, 2, 1), by=STAFF, at=at(4, 10))
    story.correct(service, when=at(4, 10))
    assert story.grosses == [3100, 3100, 3100, 3100, -3000]
    (line,) = Document.objects.filter(kind="credit_note")
    assert (line.first_day, line.last_day) == (date(2024, 2, 1), date(2024, 4, 30))


def test_the_day_begins_in_the_provider_s_zone():
    story = Story(zone="Pacific/Auckland")
    story.begin(datetime(2024, 1, 16, 12, tzinfo=UTC))  # 1 in the morning of the 17th there
    assert story.documents[0].issued_on == date(2024, 1, 17)
    assert story.grosses == [1500]


def test_what_is_sold_once_comes_with_the_next_document_or_at_once():
    story = Story()
    story.begin(at(1, 1))
    actions.bill_item(account_id=story.account.pk, text="Router", amount=5000, by=STAFF, at=at(1, 5))
    actions.bill_item(account_id=story.account.pk, text="Visit", amount=900, now=False, by=STAFF, at=at(1, 6))
    story.run(at(2, 1))
    assert story.grosses == [3100, 9000]
    actions.bill_item(account_id=story.account.pk, text="Cable", amount=700, now=True, by=STAFF, at=at(2, 5))
    assert story.grosses == [3100, 9000, 700]


def test_every_document_is_in_the_ledger_and_sums_agree():
    story = Story(price=20_000)
    story.tax("0.21")
    service = story.begin(at(10, 7))
    plans.end_service(service.pk, by=STAFF, at=at(10, 20))
    story.correct(service, when=at(10, 20))
    by_account: dict[int, int] = {}
    for transfer in Transfer.objects.all():
        by_account[transfer.debit_account_id] = by_account.get(transfer.debit_account_id, 0) - transfer.amount
        by_account[transfer.credit_account_id] = by_account.get(transfer.credit_account_id, 0) + transfer.amount
    house = {(one.kind, one.name): by_account[one.pk] for one in LedgerAccount.objects.all()}
    net = sum(document.net for document in story.documents)
    tax = sum(document.tax for document in story.documents)
    assert house == {("payer", ""): -(net + tax), ("revenue", "internet"): net, ("tax", "standard 21 %"): tax}
    assert story.balance == -(net + tax) == -sum(story.grosses)
