"""What pages and programs read of money: how long it lasts, the ledger by month, what came in, who needs attention."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests import cast
from tests.cast import AT, STAFF, midnight

from demarc.billing import actions, queries
from demarc.core.errors import Refused
from demarc.customers import actions as customers
from demarc.plans import actions as plans

pytestmark = pytest.mark.django_db

MAY = [date(2024, 5, day) for day in range(1, 32)]
NOON = timedelta(hours=12)


@pytest.fixture
def partner():
    return cast.partner()


@pytest.fixture
def plan(partner):
    return cast.plan(partner, price=4000)


def run(partner, days):
    for day in days:
        cast.open_day(partner, day)


def test_a_summary_says_until_when_the_balance_lasts_exactly(partner, plan):
    customers.set_partner_terms(partner.pk, valid_from=AT.date(), day_rule="thirty", by=STAFF, at=AT)
    ana = cast.subscriber(partner, plan, paid=2000)
    summary = queries.account_summary(ana.pk, at=AT)
    assert (summary.balance, summary.currency, summary.pays_until) == (2000, "EUR", MAY[14])
    assert (summary.next_cost, summary.owed, summary.lasts_long) == (133, 0, False)
    run(partner, MAY[:16])
    summary = queries.account_summary(ana.pk, at=midnight(MAY[15]))
    assert (summary.pays_until, summary.blocked_for_money, summary.owed) == (None, True, 133)
    assert queries.owed([ana.pk], at=midnight(MAY[15])) == {ana.pk: (133, "EUR")}


def test_what_is_owed_is_exactly_what_opens(partner, plan):
    late = cast.subscriber(partner, plan, paid=50)
    run(partner, MAY[:1])
    noon = midnight(MAY[0]) + NOON
    owed, _ = queries.owed([late.pk], at=noon)[late.pk]
    cast.pay(late, owed - 1, at=noon)
    assert not cast.online(late)
    assert queries.owed([late.pk], at=noon) == {late.pk: (1, "EUR")}
    cast.pay(late, 1, at=noon)
    assert cast.online(late)
    assert queries.owed([late.pk], at=noon) == {}


def test_much_money_lasts_long_and_an_account_without_services_has_no_end(partner, plan):
    rich = cast.subscriber(partner, plan, paid=10**9)
    idle = cast.account_of(cast.customer(partner, "Ida Idle"))
    cast.pay(idle, 100)
    found = queries.account_summaries([rich.pk, idle.pk], at=AT)
    assert found[rich.pk].lasts_long
    assert (found[idle.pk].pays_until, found[idle.pk].balance) == (None, 100)


def test_an_account_nothing_was_posted_to_has_a_balance_of_nothing(partner):
    account = cast.account_of(cast.customer(partner))
    assert queries.account_summary(account.pk, at=AT).balance == 0
    with pytest.raises(Refused):
        queries.account_summary(0, at=AT)


def test_the_ledger_shows_one_growing_line_a_month_with_its_days_beneath(partner, plan):
    plans.set_tax(partner.pk, category="standard", valid_from=date(2024, 1, 1), rate=Decimal("0.21"), by=STAFF, at=AT)
    ana = cast.subscriber(partner, plan, paid=3000)
    run(partner, MAY[:3])
    (may, april) = queries.ledger_months(ana.pk)
    assert (may.first, may.gross, may.plans) == (MAY[0], 387, ("Fibre",))
    assert (may.net, may.tax) == (320, 67)
    assert [(day.day.day, day.decision, day.charged) for day in may.days] == [
        (1, "charged", 129),
        (2, "charged", 129),
        (3, "charged", 129),
    ]
    assert (april.opening, april.closing, may.opening, may.closing) == (0, 3000, 3000, 2613)
    assert [(move.kind, move.amount, move.payment.number) for move in april.movements] == [("payment", 3000, "000001")]
    run(partner, MAY[3:4])
    assert queries.ledger_months(ana.pk)[0].gross == 516


def test_the_ledger_shows_blocked_days_and_what_was_paid_later(partner, plan):
    late = cast.late_customer(partner, plan)
    run(partner, MAY[:2])
    noon = midnight(MAY[1]) + NOON
    cast.pay(late, 200, at=noon)
    actions.correct(late.pk, amount=-50, reason="Mistake", key="c", by=STAFF, at=noon)
    (may,) = queries.ledger_months(late.pk)
    assert [(day.decision, day.cost, day.charged, day.paid_at) for day in may.days] == [
        ("blocked", 129, 0, None),
        ("charged", 129, 129, noon),
    ]
    assert [(move.kind, move.amount) for move in may.movements] == [("payment", 200), ("correction", -50)]
    assert may.closing == 200 - 129 - 50


def test_a_charged_activation_is_a_day_of_its_own_in_the_ledger(partner, plan):
    customers.set_partner_terms(partner.pk, valid_from=AT.date(), charge_activation_day=True, by=STAFF, at=AT)
    ana = cast.subscriber(partner, plan, paid=3000)
    (april,) = queries.ledger_months(ana.pk)
    assert [(day.day, day.decision, day.charged) for day in april.days] == [(AT.date(), "first_day", 133)]


def test_only_as_many_months_as_asked_for_are_read_and_the_opening_still_fits(partner, plan):
    ana = cast.paying_customer(partner, plan)
    run(partner, MAY)
    cast.open_day(partner, date(2024, 6, 1))
    (june,) = queries.ledger_months(ana.pk, months=1)
    assert (june.first, june.opening) == (date(2024, 6, 1), 100_000 - 4000)


def test_the_months_of_a_recurring_account_show_what_its_documents_billed(partner, plan):
    plans.set_tax(partner.pk, category="standard", valid_from=date(2024, 1, 1), rate=Decimal("0.21"), by=STAFF, at=AT)
    rita = cast.customer(partner, billing_type="recurring", at=AT)
    service = cast.activate(cast.service(rita, plan, at=AT), at=AT)
    account = cast.account_of(rita)
    actions.bill_item(account_id=account.pk, text="Visit", amount=-121, now=True, by=STAFF, at=AT)
    first = account.documents.earliest("id")
    (april,) = queries.ledger_months(account.pk)
    assert (april.gross, april.tax) == (first.gross - 121, first.tax - 21)
    assert (april.net, april.plans, april.days) == (april.gross - april.tax, ("Fibre",), ())
    assert april.closing == -april.gross
    plans.end_service(service.pk, by=STAFF, at=AT)
    assert queries.account_summary(account.pk, at=AT).next_cost is None


def test_money_lasts_no_year_when_the_last_service_ends_before(partner, plan):
    ana = cast.subscriber(partner, plan, paid=100_000)
    service = ana.services.get()
    assert queries.account_summary(ana.pk, at=AT).lasts_long
    plans.plan_ahead(service.pk, on=AT.date() + timedelta(days=9), state="ended", by=STAFF, at=AT)
    planned = queries.account_summary(ana.pk, at=AT)
    assert (planned.lasts_long, planned.pays_all, planned.pays_until) == (False, True, None)
    assert queries.after_payment(ana.pk, 500, at=AT).pays_until is None
    plans.end_service(service.pk, by=STAFF, at=AT)
    ended = queries.account_summary(ana.pk, at=AT)
    assert (ended.lasts_long, ended.pays_all, ended.pays_until, ended.next_cost) == (False, False, None, 0)
    assert queries.after_payment(ana.pk, 500, at=AT).pays_until is None


def test_an_empty_ledger_has_no_months(partner):
    assert queries.ledger_months(cast.account_of(cast.customer(partner)).pk) == []


def test_money_in_today_is_told_by_currency_and_method_without_refunds(partner):
    ana = cast.account_of(cast.customer(partner, at=AT - timedelta(days=1)))
    cast.pay(ana, 500)
    payment = cast.pay(ana, 300)
    cast.pay(ana, 70, method="card")
    cast.pay(ana, 9, received_on=AT.date() - timedelta(days=1))
    actions.refund(payment.pk, amount=100, key="r", by=STAFF, at=AT)
    assert queries.money_in([partner.pk], AT.date()) == [("EUR", "card", 1, 70), ("EUR", "cash", 3, 700)]
    assert queries.money_in([], AT.date()) == []
    assert queries.payment_list(None).count() == 5


def test_those_who_run_out_soon_are_told_the_most_urgent_first(partner, plan):
    for name, paid in (("Five", 5 * 129), ("One", 129), ("Ten", 10 * 129), ("Rich", 10**6)):
        cast.subscriber(partner, plan, name=name, paid=paid)
    found = queries.running_out(None, at=AT, within_days=6)
    told = [(one.account.customer.name, one.summary.pays_until) for one in found]
    assert told == [("One", MAY[0]), ("Five", MAY[4])]
    assert queries.running_out([], at=AT, within_days=6) == []
    assert len(queries.running_out([partner.pk], at=AT, within_days=6, limit=1)) == 1


def test_one_with_a_dear_price_of_his_own_runs_out_by_it(partner, plan):
    ana = cast.customer(partner)
    cast.pay(cast.account_of(ana), 4000)
    cast.activate(cast.service(ana, plan, price_override=62_000))
    assert [one.summary.pays_until for one in queries.running_out(None, at=AT, within_days=3)] == [MAY[1]]


def test_one_who_holds_many_of_a_service_runs_out_by_all_of_them(partner, plan):
    ana = cast.customer(partner)
    cast.pay(cast.account_of(ana), 4000)
    held = cast.service(ana, plan)
    cast.activate(held)
    plans.set_service_price(held.pk, price=None, quantity=15, by=STAFF, at=AT)
    assert [one.summary.pays_until for one in queries.running_out(None, at=AT, within_days=3)] == [MAY[1]]
