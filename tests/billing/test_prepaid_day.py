"""The prepaid day as it is lived: charged, blocked, paid, back; late runs, repeated runs, settings."""

from datetime import date, datetime, timedelta

import pytest
from tests import cast
from tests.cast import AT, STAFF, midnight

from demarc.base.models import OperationLog
from demarc.billing import actions
from demarc.billing.models import BillingDay, DayDecision, Transfer
from demarc.core.errors import Refused
from demarc.customers import actions as customers
from demarc.customers.models import Block
from demarc.plans import actions as plans

pytestmark = pytest.mark.django_db

MAY = [date(2024, 5, day) for day in range(1, 32)]
NOON = timedelta(hours=12)


@pytest.fixture
def partner():
    return cast.partner()


@pytest.fixture
def plan(partner):
    """40.00 a month."""
    return cast.plan(partner, price=4000)


def terms(partner, **fields):
    customers.set_partner_terms(partner.pk, valid_from=AT.date(), by=STAFF, at=AT, **fields)


def run(partner, days):
    for day in days:
        cast.open_day(partner, day)


def decisions(account):
    rows = DayDecision.objects.filter(account=account).order_by("day")
    return [(row.day.day, row.decision, row.cost) for row in rows]


def charges(account):
    return list(
        Transfer.objects.filter(account=account, kind="charge").order_by("day").values_list("amount", flat=True)
    )


def test_the_missions_story_twenty_pays_fifteen_days_of_a_thirty_day_month(partner, plan):
    terms(partner, day_rule="thirty")
    ana = cast.subscriber(partner, plan, paid=2000)
    run(partner, MAY[:15])
    assert charges(ana)[:3] == [133, 134, 133]
    assert cast.balance(ana) == 0
    assert cast.online(ana)
    run(partner, MAY[15:16])
    assert decisions(ana)[-1] == (16, "blocked", 133)
    assert not cast.online(ana)
    block = Block.objects.get()
    assert (block.cause, block.set_at, block.set_by_kind) == (2, midnight(MAY[15]), "system")
    ana.customer.refresh_from_db()
    assert ana.customer.status == "blocked"
    cast.pay(ana, 2000, at=midnight(MAY[15]) + NOON)
    assert cast.online(ana)
    assert cast.balance(ana) == 2000 - 133
    row = DayDecision.objects.get(account=ana, day=MAY[15])
    assert (row.decision, row.paid_at, row.balance_before) == ("charged", midnight(MAY[15]) + NOON, 2000)
    ana.customer.refresh_from_db()
    assert ana.customer.status == "active"


def test_the_first_charge_falls_on_the_midnight_after_activation(partner, plan):
    ana = cast.subscriber(partner, plan, paid=2000)
    cast.open_day(partner, AT.date(), at=AT + NOON)
    assert charges(ana) == []
    run(partner, MAY[:1])
    assert charges(ana) == [129]
    assert cast.balance(ana) == 2000 - 129


def test_the_days_of_a_month_sum_to_its_price(partner, plan):
    ana = cast.paying_customer(partner, plan)
    run(partner, MAY)
    assert sum(charges(ana)) == 4000
    assert len(charges(ana)) == 31


def test_where_the_terms_say_so_the_day_of_activation_is_charged_in_full(partner, plan):
    terms(partner, charge_activation_day=True)
    ana = cast.customer(partner)
    service = cast.service(ana, plan)
    with pytest.raises(Refused, match=r"1\.33 EUR"):
        cast.activate(service)
    account = cast.account_of(ana)
    cast.pay(account, 1000)
    cast.activate(service)
    assert charges(account) == [133]
    plans.pause_service(service.pk, by=STAFF, at=AT)
    cast.activate(service)
    assert len(charges(account)) == 1
    run(partner, MAY[:1])
    assert charges(account) == [133, 129]


def test_a_day_is_blocked_when_the_balance_after_it_would_fall_below_the_minimum(partner, plan):
    terms(partner, minimal_balance=-200)
    ana = cast.subscriber(partner, plan, paid=1)
    run(partner, MAY[:2])
    assert decisions(ana) == [(1, "charged", 129), (2, "blocked", 129)]
    assert cast.balance(ana) == 1 - 129


def test_to_stop_at_the_limit_is_to_charge_as_long_as_anything_is_left(partner, plan):
    terms(partner, limit_rule="stop_at_limit")
    ana = cast.subscriber(partner, plan, paid=1)
    run(partner, MAY[:2])
    assert decisions(ana) == [(1, "charged", 129), (2, "blocked", 129)]
    cast.pay(ana, 128, at=midnight(MAY[1]) + NOON)
    assert not cast.online(ana)
    cast.pay(ana, 1, at=midnight(MAY[1]) + NOON)
    assert cast.online(ana)
    assert cast.balance(ana) == 1 - 129


def test_all_services_of_an_account_are_paid_or_none(partner, plan):
    ana = cast.subscriber(partner, plan, paid=200)
    second = cast.service(ana.customer, plan)
    cast.activate(second)
    run(partner, MAY[:1])
    assert decisions(ana) == [(1, "blocked", 258)]
    assert charges(ana) == []
    cast.pay(ana, 58, at=midnight(MAY[0]) + NOON)
    assert charges(ana) == [129, 129]
    assert Transfer.objects.filter(kind="charge").values("entry_id").distinct().count() == 1


def test_a_blocked_service_is_not_charged_and_not_tried_again_by_the_run(partner, plan):
    late = cast.late_customer(partner, plan)
    run(partner, MAY[:3])
    assert [row[1] for row in decisions(late)] == ["blocked"] * 3
    assert charges(late) == []
    assert Block.objects.count() == 1


def test_a_payment_that_does_not_suffice_opens_nothing(partner, plan):
    late = cast.late_customer(partner, plan)
    run(partner, MAY[:1])
    cast.pay(late, 128, at=midnight(MAY[0]) + NOON)
    assert not cast.online(late)
    actions.correct(late.pk, amount=1, reason="Goodwill", key="c", by=STAFF, at=midnight(MAY[0]) + NOON)
    assert cast.online(late)
    assert cast.balance(late) == 0


def test_a_payment_lifts_no_block_of_staff(partner, plan):
    late = cast.late_customer(partner, plan)
    run(partner, MAY[:1])
    noon = midnight(MAY[0]) + NOON
    plans.block(late.customer_id, reason="", by=STAFF, at=noon)
    cast.pay(late, 5000, at=noon)
    assert not cast.online(late)
    assert charges(late) == []
    plans.unblock(late.customer_id, by=STAFF, at=noon)
    assert actions.retry_accounts([late.pk], by=STAFF, at=noon) == 1
    assert charges(late) == [129]


def test_who_is_unblocked_by_hand_is_online_until_midnight_and_not_charged(partner, plan):
    late = cast.late_customer(partner, plan)
    run(partner, MAY[:1])
    plans.unblock(late.customer_id, by=STAFF, at=midnight(MAY[0]) + NOON)
    assert cast.online(late)
    run(partner, MAY[1:2])
    assert not cast.online(late)
    assert charges(late) == []


def test_one_whom_staff_blocked_is_not_charged_meanwhile(partner, plan):
    ana = cast.paying_customer(partner, plan)
    run(partner, MAY[:1])
    plans.block(ana.customer_id, reason="", by=STAFF, at=midnight(MAY[0]) + NOON)
    run(partner, MAY[1:3])
    plans.unblock(ana.customer_id, by=STAFF, at=midnight(MAY[2]) + NOON)
    run(partner, MAY[3:4])
    assert [row[1] for row in decisions(ana)] == ["charged", "blocked", "blocked", "charged"]


def test_a_second_run_of_the_day_changes_nothing(partner, plan):
    ana, late = cast.paying_customer(partner, plan), cast.late_customer(partner, plan)
    run(partner, MAY[:2])
    before = (decisions(ana), decisions(late), Transfer.objects.count(), OperationLog.objects.count())
    run(partner, MAY[:2])
    assert (decisions(ana), decisions(late), Transfer.objects.count(), OperationLog.objects.count()) == before


def test_a_late_run_charges_days_that_are_over_and_blocks_only_today(partner, plan):
    ana = cast.subscriber(partner, plan, paid=200)
    late = midnight(MAY[3]) + NOON
    cast.open_day(partner, MAY[3], at=late)
    rows = DayDecision.objects.filter(account=ana).order_by("day")
    assert [(row.decision, row.catch_up) for row in rows] == [("charged", True)] * 3 + [("blocked", False)]
    assert cast.balance(ana) == 200 - 3 * 129
    ana.customer.services.get().refresh_from_db()
    assert ana.customer.services.get().access_since == late


def test_a_late_run_leaves_out_days_on_which_staff_had_blocked_him(partner, plan):
    ana = cast.paying_customer(partner, plan)
    plans.block(ana.customer_id, reason="", by=STAFF, at=midnight(MAY[0]) + NOON)
    plans.unblock(ana.customer_id, by=STAFF, at=midnight(MAY[2]) + NOON)
    cast.open_day(partner, MAY[4], at=midnight(MAY[4]) + NOON)
    assert [row[1] for row in decisions(ana)] == ["charged", "blocked", "blocked", "charged", "charged"]


def test_a_late_run_sees_prices_as_midnight_saw_them(partner, plan):
    ana = cast.paying_customer(partner, plan)
    plans.set_price(plan.pk, valid_from=MAY[1], amount=3100, by=STAFF, at=midnight(MAY[1]) + NOON)
    cast.open_day(partner, MAY[2], at=midnight(MAY[2]) + NOON)
    assert charges(ana) == [129, 129, 100]
    facts = list(Transfer.objects.filter(kind="charge").order_by("day").values_list("price_fact_id", flat=True))
    assert facts[0] == facts[1] != facts[2]


def test_a_late_run_uses_the_settings_that_each_midnight_saw(partner, plan):
    ana = cast.paying_customer(partner, plan)
    noon = midnight(MAY[1]) + NOON
    customers.set_account_terms(ana.pk, valid_from=MAY[0], day_rule="thirty", by=STAFF, at=noon)
    cast.open_day(partner, MAY[2], at=midnight(MAY[2]) + NOON)
    assert charges(ana) == [129, 129, 133]


def test_a_payment_on_a_day_not_yet_run_ends_as_on_one_that_was(partner, plan):
    ana, ben = cast.late_customer(partner, plan), cast.subscriber(cast.partner("Other"), plan_of_other(), name="Ben")
    noon = midnight(MAY[0]) + NOON
    cast.open_day(partner, MAY[0])
    for account in (ana, ben):
        cast.pay(account, 500, at=noon)
    assert decisions(ana) == decisions(ben) == [(1, "charged", 129)]
    assert cast.balance(ana) == cast.balance(ben)
    assert DayDecision.objects.filter(paid_at=noon).count() == 2


def plan_of_other():
    return cast.plan(cast.Partner.objects.get(name="Other"), price=4000)


def test_a_lower_price_lets_a_blocked_account_try_again(partner, plan):
    late = cast.subscriber(partner, plan, paid=100)
    run(partner, MAY[:1])
    noon = midnight(MAY[0]) + NOON
    plans.set_price(plan.pk, valid_from=MAY[0], amount=3100, by=STAFF, at=noon)
    assert actions.retry_accounts([late.pk], by=STAFF, at=noon) == 1
    assert decisions(late) == [(1, "charged", 100)]
    assert cast.online(late)


def test_a_price_made_for_a_day_to_come_is_tried_on_that_day(partner, plan):
    late = cast.subscriber(partner, plan, paid=100)
    run(partner, MAY[:1])
    plans.set_price(plan.pk, valid_from=MAY[2], amount=3100, by=STAFF, at=midnight(MAY[0]) + NOON)
    run(partner, MAY[1:3])
    assert decisions(late) == [(1, "blocked", 129), (2, "blocked", 0), (3, "charged", 100)]
    assert cast.online(late)
    assert BillingDay.objects.get(day=MAY[2]).charged == 1


def test_an_own_price_is_charged_instead_of_the_plans(partner, plan):
    ana = cast.customer(partner)
    cast.pay(cast.account_of(ana), 1000)
    cast.activate(cast.service(ana, plan, price_override=3100))
    run(partner, MAY[:1])
    row = Transfer.objects.get(kind="charge")
    assert (row.amount, row.price_fact_id) == (100, None)
    assert row.service_fact_id


def test_another_plan_costs_from_the_next_midnight(partner, plan):
    ana = cast.paying_customer(partner, plan)
    run(partner, MAY[:1])
    dear = cast.plan(partner, "Dear", price=6200)
    plans.change_plan(ana.services.get().pk, plan_id=dear.pk, by=STAFF, at=midnight(MAY[0]) + NOON)
    run(partner, MAY[1:2])
    assert charges(ana) == [129, 200]


def test_a_stopped_service_is_paid_for_its_last_day_and_costs_nothing_after(partner, plan):
    ana = cast.paying_customer(partner, plan)
    run(partner, MAY[:1])
    plans.stop_service(ana.services.get().pk, by=STAFF, at=midnight(MAY[0]) + NOON)
    run(partner, MAY[1:2])
    assert decisions(ana) == [(1, "charged", 129), (2, "nothing_due", 0)]


def test_a_day_that_has_not_begun_at_the_partner_is_refused(plan):
    lima = cast.partner("Lima", zone="America/Lima")
    with pytest.raises(Refused, match="has not begun"):
        cast.open_day(lima, MAY[0], at=midnight(MAY[0]))
    assert not BillingDay.objects.exists()


@pytest.mark.parametrize("day", [date(1999, 12, 31), date(2200, 1, 1)])
def test_a_day_out_of_range_is_refused(partner, day):
    with pytest.raises(Refused):
        cast.open_day(partner, day, at=AT)


def test_recurring_accounts_have_no_prepaid_days(partner, plan):
    ana = cast.customer(partner, billing_type="recurring")
    cast.activate(cast.service(ana, plan))
    run(partner, MAY[:2])
    assert not DayDecision.objects.exists()
    assert cast.online(cast.account_of(ana))


def test_bill_runs_the_days_that_every_partner_still_lacks(partner, plan):
    ana = cast.paying_customer(partner, plan)
    cast.partner("Lima", zone="America/Lima")
    actions.bill(by=STAFF, at=midnight(MAY[0]))
    actions.bill(by=STAFF, at=midnight(MAY[3]))
    assert [(run.partner.name, run.day.day) for run in BillingDay.objects.order_by("partner_id", "day")] == [
        ("Demarc", 1), ("Demarc", 2), ("Demarc", 3), ("Demarc", 4), ("Lima", 30), ("Lima", 1), ("Lima", 2), ("Lima", 3),
    ]  # fmt: skip
    assert len(charges(ana)) == 4


def test_a_run_is_counted(partner, plan):
    cast.paying_customer(partner, plan)
    cast.late_customer(partner, plan)
    run(partner, MAY[:2])
    counted = BillingDay.objects.order_by("day").values_list("charged", "blocked", "nothing_due", "parked")
    assert list(counted) == [(1, 1, 0, 0), (1, 1, 0, 0)]


def test_each_chunk_writes_one_row_of_the_operation_log(partner, plan):
    for number in range(5):
        cast.subscriber(partner, plan, name=f"Ana {number}", paid=1000)
    before = OperationLog.objects.count()
    actions.open_day(partner.pk, day=MAY[0], by=STAFF, at=midnight(MAY[0]), chunk=2)
    assert OperationLog.objects.count() == before + 3
    assert Transfer.objects.filter(kind="charge").count() == 5


def test_the_clock_goes_forward_and_back_and_every_day_is_charged_once(plan):
    prague = cast.partner("Prague", zone="Europe/Prague")
    at = datetime(2024, 10, 25, 10, tzinfo=AT.tzinfo)
    ana = cast.subscriber(prague, cast.plan(prague, price=3100, at=at), paid=10_000, at=at)
    for hour in range(0, 24 * 5, 2):
        actions.bill(by=STAFF, at=at + timedelta(hours=hour))
    assert charges(ana) == [100] * 5
