"""What happens to customers' money and access is told them, once, and only when it has just happened."""

from datetime import date, timedelta

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from tests import cast
from tests.cast import AT, STAFF, account_of, midnight, open_day, pay

from demarc.base.actors import SYSTEM
from demarc.billing import actions as billing
from demarc.messages import actions, jobs
from demarc.messages.models import LowEpisode, Message, Rules
from demarc.plans import actions as plans
from demarc.plans.models import Service

pytestmark = pytest.mark.django_db

MAY = date(2024, 5, 1)
LATER = timedelta(minutes=5)


@pytest.fixture
def isp():
    return cast.partner()


@pytest.fixture
def plan(isp):
    """100 a day."""
    return cast.plan(isp, price=3100)


def news(task):
    """The arguments of the jobs that are waiting for a task, which are then forgotten."""
    waiting = ProcrastinateJob.objects.filter(task_name=task).order_by("id")
    return [args for (args,) in waiting.values_list("args")]


def hear_access(at):
    """All that was said of access so far."""
    for told in news("messages.note_access"):
        actions.note_access(told["services"], by=SYSTEM, at=at)


def told(kind):
    return list(Message.objects.filter(kind=kind).order_by("id"))


def test_a_payment_is_told_of_in_its_own_transaction_and_thanked_for_once(isp, plan):
    account = cast.subscriber(isp, plan, paid=1000)
    payment = pay(account, 2000)
    assert {"payments": [payment.pk]} in news("messages.note_payments")
    for _ in range(2):
        actions.note_payments([payment.pk], by=SYSTEM, at=AT + LATER)
    (message,) = told("payment_received")
    assert "we received €20.00 on 30 April 2024" in message.text
    assert "You have €30.00 to your credit." in message.text
    assert "It lasts until 30 May 2024" in message.text


def test_the_same_payment_entered_again_is_no_news(isp, plan):
    account = cast.subscriber(isp, plan)
    for _ in range(2):
        pay(account, 2000, key="once")
    assert len(news("messages.note_payments")) == 1


def test_a_refund_and_an_old_payment_are_not_thanked_for(isp, plan):
    account = cast.subscriber(isp, plan)
    payment = pay(account, 2000)
    back = billing.refund(payment.pk, amount=500, key="back", by=STAFF, at=AT)
    assert actions.note_payments([back.pk], by=SYSTEM, at=AT) == []
    assert actions.note_payments([payment.pk], by=SYSTEM, at=AT + timedelta(days=1)) == []


def test_who_is_put_on_hold_for_money_is_told_what_opens_it_and_told_when_it_is_open(isp, plan):
    account = cast.late_customer(isp, plan)
    open_day(isp, MAY)
    hear_access(midnight(MAY) + LATER)
    (held,) = told("service_on_hold")
    assert "It is on again as soon as we receive €1.00" in held.text
    pay(account, 500, at=midnight(MAY) + timedelta(hours=9))
    hear_access(midnight(MAY) + timedelta(hours=10))
    hear_access(midnight(MAY) + timedelta(hours=11))
    (restored,) = told("service_restored")
    assert "You have €4.00 to your credit." in restored.text
    assert len(told("service_on_hold")) == 1


def test_an_account_with_several_services_is_told_once(isp, plan):
    account = cast.late_customer(isp, plan)
    cast.activate(cast.service(account.customer, plan))
    open_day(isp, MAY)
    hear_access(midnight(MAY) + LATER)
    assert len(told("service_on_hold")) == 1


def test_who_is_blocked_by_staff_is_not_written_to_by_the_machine(isp, plan):
    account = cast.paying_customer(isp, plan)
    plans.block(account.customer_id, reason="abuse", by=STAFF, at=AT)
    hear_access(AT + LATER)
    plans.unblock(account.customer_id, by=STAFF, at=AT + LATER)
    hear_access(AT + 2 * LATER)
    assert not Message.objects.exists()


def test_old_news_are_no_news(isp, plan):
    cast.late_customer(isp, plan)
    open_day(isp, MAY)
    hear_access(midnight(MAY) + timedelta(days=2))
    assert not Message.objects.exists()


def test_jobs_do_what_their_actions_do(isp, plan):
    account = cast.subscriber(isp, plan)
    jobs.note_payments([pay(account, 2000).pk])
    jobs.note_access(list(Service.objects.values_list("id", flat=True)))
    jobs.look_for_low(0)
    jobs.send_waiting(0)
    jobs.send_soon([isp.pk])


def morning(day):
    return midnight(day) + timedelta(hours=10)


def look(day):
    return actions.look_for_low(by=SYSTEM, at=morning(day))


def test_who_runs_low_is_told_once_until_he_has_money_again(isp, plan):
    account = cast.subscriber(isp, plan, paid=600)  # lasts through 6 May
    day = MAY
    for day in (date(2024, 5, n) for n in (1, 2)):
        open_day(isp, day)
        assert look(day) == []
    open_day(isp, date(2024, 5, 3))
    (message,) = look(date(2024, 5, 3))
    assert message.kind == "running_low"
    assert "your balance of €3.00 lasts until 6 May 2024" in message.text
    open_day(isp, date(2024, 5, 4))
    assert look(date(2024, 5, 4)) == [], "he knows"
    pay(account, 100, at=morning(date(2024, 5, 4)) + LATER)
    open_day(isp, date(2024, 5, 5))
    assert look(date(2024, 5, 5)) == [], "a little money ends no episode"
    pay(account, 5000, at=morning(date(2024, 5, 5)) + LATER)
    open_day(isp, date(2024, 5, 6))
    assert look(date(2024, 5, 6)) == []
    assert not LowEpisode.objects.filter(ended_at=None).exists()
    billing.correct(account.pk, amount=-4800, reason="mistake", key="k", by=STAFF, at=morning(date(2024, 5, 6)) + LATER)
    open_day(isp, date(2024, 5, 7))
    assert len(look(date(2024, 5, 7))) == 1, "another episode"


def test_a_look_is_taken_once_a_day_and_not_before_its_hour(isp, plan):
    cast.subscriber(isp, plan, paid=200)
    open_day(isp, MAY)
    actions.set_rules(isp.pk, low_hour=11, by=STAFF, at=AT)
    assert look(MAY) == []
    assert Rules.objects.get(partner=isp).low_looked_on is None
    assert len(actions.look_for_low(by=SYSTEM, at=morning(MAY) + timedelta(hours=3))) == 1
    assert actions.look_for_low(by=SYSTEM, at=morning(MAY) + timedelta(hours=4)) == []


def test_the_days_of_the_rules_are_kept(isp, plan):
    cast.subscriber(isp, plan, paid=1000)
    open_day(isp, MAY)
    actions.set_rules(isp.pk, low_days=5, by=STAFF, at=AT)
    assert look(MAY) == []
    actions.set_rules(isp.pk, low_days=9, by=STAFF, at=AT)
    open_day(isp, date(2024, 5, 2))
    assert len(look(date(2024, 5, 2))) == 1


def test_another_provider_s_customers_are_told_by_him(isp, plan):
    cast.subscriber(isp, plan, paid=200)
    other = cast.partner("Other")
    account_of(cast.customer(other, "Olga"))
    open_day(isp, MAY)
    (message,) = look(MAY)
    assert message.partner_id == isp.pk
