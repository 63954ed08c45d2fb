"""Late payers day by day: reminded, blocked, promised, paid, deactivated. The bill of 31.00 is due on the 15th."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob
from tests import cast
from tests.billing.test_recurring import JAN_1, Story
from tests.cast import STAFF

from demarc.access import actions as access
from demarc.base.actors import SYSTEM
from demarc.base.hands import HANDS
from demarc.base.models import OperationLog
from demarc.billing import actions, jobs, queries
from demarc.billing.models import Document, Item, ReminderSent, Wave, WaveRow
from demarc.core.errors import Refused
from demarc.customers import actions as customers
from demarc.customers.models import Block
from demarc.plans import actions as plans
from demarc.plans.models import ServiceState

pytestmark = pytest.mark.django_db


def at(day: int, hour: int = 8, *, month: int = 1) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=UTC)


class Late(Story):
    """A story whose rules of dunning may be set, and whose hours can be let pass."""

    def __init__(self, *, price: int = 3100, zone: str = "UTC", **rules):
        super().__init__(price=price, zone=zone)
        self.rules(**rules)

    def rules(self, *, when: datetime = JAN_1, **rules):
        if rules:
            actions.set_dunning_terms(self.partner.pk, valid_from=date(2020, 1, 1), by=STAFF, at=when, **rules)

    def dun(self, when: datetime):
        return actions.remind_and_block(self.partner.pk, by=SYSTEM, at=when)

    def pass_days(self, first: datetime, last: datetime):
        """Every hour from one moment to another, as the worker does it."""
        while first <= last:
            self.dun(first)
            first += timedelta(hours=1)

    @property
    def online(self) -> bool:
        return cast.online(self.account)

    @property
    def reminded(self):
        return [(one.days, one.day.day) for one in ReminderSent.objects.order_by("id")]

    def bill(self, amount: int, when: datetime):
        """Something sold once, on a document of its own."""
        item = actions.bill_item(account_id=self.account.pk, text="Visit", amount=amount, now=True, by=STAFF, at=when)
        return item.document


def others(story: Late, count: int, when: datetime):
    """More customers of the same provider, each with the same bill."""
    made = []
    for number in range(count):
        customer = cast.customer(story.partner, f"Neighbour {number}", billing_type="recurring", at=JAN_1)
        cast.activate(cast.service(customer, story.plan, at=when), at=when)
        made.append(cast.account_of(customer))
    return made


def jobs_of(task: str) -> list[dict]:
    return [job.args for job in ProcrastinateJob.objects.filter(task_name=task).order_by("id")]


def blocks(account) -> int:
    return Block.objects.filter(account=account).count()


def test_a_bill_of_the_first_reminds_three_times_and_blocks_on_the_sixteenth_at_eight():
    story = Late()
    story.begin(at(1, 9))
    story.pass_days(at(10, 0), at(16, 7))
    assert story.reminded == [(-3, 12)]
    assert story.online
    done = story.dun(at(16))
    assert (done.blocked, story.online) == (1, False)
    block = Block.objects.get(account=story.account)
    assert (block.cause, block.set_at, block.set_by_label) == (2, at(16), "Demarc")
    story.pass_days(at(16, 9), at(24, 23))
    assert story.reminded == [(-3, 12), (1, 16), (7, 22)]
    assert blocks(story.account) == 1


def test_nobody_is_blocked_at_the_weekend_and_monday_s_run_makes_up_for_it():
    story = Late(grace_days=4)  # the 20th is a Saturday
    story.begin(at(1, 9))
    story.pass_days(at(19, 0), at(22, 7))
    assert story.online
    story.dun(at(22))
    assert not story.online


def test_nobody_is_blocked_on_a_holiday_of_the_country():
    story = Late(grace_days=13, country="ES", on_weekends=True)
    story.begin(at(1, 9, month=3))  # due on the 15th; the grace ends on the 28th, and the 29th is Good Friday
    assert story.dun(at(29, month=3)).blocked == 0
    story.rules(when=at(29, month=3), country="US")  # where it is none
    assert story.dun(at(29, 9, month=3)).blocked == 1


def test_the_hour_is_that_of_the_provider_s_zone():
    story = Late(zone="Pacific/Auckland", block_hour=6)
    story.begin(datetime(2024, 1, 1, 0, tzinfo=UTC))  # 13:00 of the 1st there
    assert story.dun(datetime(2024, 1, 15, 16, tzinfo=UTC)).blocked == 0  # 5 in the morning of the 16th
    assert story.dun(datetime(2024, 1, 15, 17, tzinfo=UTC)).blocked == 1


def test_a_payment_unblocks_at_once_in_its_own_transaction():
    story = Late()
    service = story.begin(at(1, 9))
    story.dun(at(16))
    before = len(jobs_of("access.sync_services"))
    cast.pay(story.account, 3100, at=at(17, 20))
    assert story.online
    assert jobs_of("access.sync_services")[before:] == [{"services": [service.pk]}]
    assert Block.objects.get(account=story.account).lifted_at == at(17, 20)
    story.customer.refresh_from_db()
    assert story.customer.status == "active"
    assert story.dun(at(18)).blocked == 0


def test_a_partial_payment_does_not_unblock_but_lowers_what_is_shown():
    story = Late()
    story.begin(at(1, 9))
    story.dun(at(16))
    cast.pay(story.account, 3000, at=at(17))
    assert not story.online
    assert queries.owed([story.account.pk], at=at(17)) == {story.account.pk: (100, "EUR")}
    cast.pay(story.account, 100, at=at(18))
    assert story.online
    assert queries.owed([story.account.pk], at=at(18)) == {}


def test_a_remainder_below_the_threshold_blocks_nobody_and_one_at_it_does():
    story = Late(threshold=100)
    story.begin(at(1, 9))
    cast.pay(story.account, 3001, at=at(10))
    assert story.dun(at(16)).blocked == 0
    assert story.reminded == []
    story.rules(when=at(16), threshold=99)
    assert story.dun(at(16, 9)).blocked == 1
    cast.pay(story.account, 1, at=at(16, 10))
    assert story.online  # 98 are left


def test_one_cent_short_is_short_when_there_is_no_threshold():
    story = Late()
    story.begin(at(1, 9))
    cast.pay(story.account, 3099, at=at(10))
    assert story.dun(at(16)).blocked == 1


def test_a_promise_until_the_twentieth_keeps_him_online_through_it_and_is_broken_on_monday():
    story = Late()
    story.begin(at(1, 9))
    story.dun(at(16))
    actions.promise(story.account.pk, until=date(2024, 1, 20), by=STAFF, at=at(17))
    assert story.online
    story.pass_days(at(17, 9), at(22, 7))  # the 20th is a Saturday
    assert story.online
    assert story.reminded == [(1, 16)][:0]
    story.dun(at(22))
    assert not story.online
    assert blocks(story.account) == 2


def test_a_promise_that_is_kept_leaves_nothing_behind():
    story = Late()
    story.begin(at(1, 9))
    actions.promise(story.account.pk, until=date(2024, 1, 23), by=STAFF, at=at(15))
    story.pass_days(at(16, 7), at(16, 10))
    cast.pay(story.account, 3100, at=at(22))
    story.pass_days(at(24, 7), at(24, 10))
    assert story.online
    assert blocks(story.account) == 0
    assert story.reminded == []


def test_a_promise_taken_back_lets_the_next_run_block():
    story = Late()
    story.begin(at(1, 9))
    actions.promise(story.account.pk, until=date(2024, 1, 30), by=STAFF, at=at(15))
    actions.end_promise(story.account.pk, by=STAFF, at=at(16, 9))
    assert story.dun(at(16, 10)).blocked == 1
    with pytest.raises(Refused, match="no promise"):
        actions.end_promise(story.account.pk, by=STAFF, at=at(16, 11))


def test_a_disputed_document_blocks_nobody_and_is_paid_last():
    story = Late()
    story.begin(at(1, 9))
    first = story.documents[0]
    story.dun(at(16))
    actions.dispute(first.pk, reason="no internet in December", by=STAFF, at=at(17))
    assert story.online
    story.run(at(1, 9, month=2))
    story.pass_days(at(10, 8, month=2), at(10, 10, month=2))
    assert story.online
    cast.pay(story.account, 3100, at=at(11, month=2))
    assert [document.open_amount for document in story.documents] == [3100, 0]
    actions.end_dispute(first.pk, reason="credited nothing", by=STAFF, at=at(12, month=2))
    assert story.dun(at(12, 9, month=2)).blocked == 1


def test_a_blocked_recurring_customer_is_still_billed_until_he_is_deactivated():
    story = Late(deactivate_after_days=30)
    service = story.begin(at(1, 9))
    story.dun(at(16))
    story.run(at(1, 9, month=2))
    assert story.grosses == [3100, 3100]
    story.dun(at(15, 8, month=2))  # thirty days after the 16th
    story.correct(service, when=at(15, 9, month=2))
    service.refresh_from_db()
    story.customer.refresh_from_db()
    assert (service.state, story.customer.status) == (ServiceState.STOPPED, "inactive")
    assert story.grosses == [3100, 3100, -1497]  # fourteen of February's twenty-nine days
    assert story.run(at(1, 9, month=3)).documents == 0


def test_deactivation_counts_from_the_day_he_was_in_fact_blocked():
    story = Late(deactivate_after_days=5, on_weekends=True)
    service = story.begin(at(1, 9))
    story.dun(at(16))
    actions.promise(story.account.pk, until=date(2024, 1, 19), by=STAFF, at=at(17))
    story.pass_days(at(18, 8), at(24, 23))
    service.refresh_from_db()
    assert service.state == ServiceState.ACTIVE
    story.dun(at(25))  # blocked again on the 20th
    service.refresh_from_db()
    assert service.state == ServiceState.STOPPED


def test_payment_takes_up_what_was_stopped_for_the_debt():
    story = Late(deactivate_after_days=5)
    service = story.begin(at(1, 9))
    story.dun(at(16))
    story.dun(at(22))
    story.correct(service, when=at(22, 9))
    assert story.balance == -3100 + 900  # nine days given back
    cast.pay(story.account, 2200, at=at(25))
    service.refresh_from_db()
    story.customer.refresh_from_db()
    assert (service.state, story.customer.status, story.online) == (ServiceState.ACTIVE, "active", True)


def test_rules_that_do_not_block_only_remind():
    story = Late(blocks=False, deactivate_after_days=3, reminders=[(1, 9, "sms")])
    story.begin(at(1, 9))
    story.pass_days(at(16, 7), at(17, 12))
    assert (story.online, story.reminded) == (True, [(1, 16)])
    assert jobs_of("billing.work_wave") == []


def test_an_account_s_own_rules_win_over_the_provider_s():
    story = Late()
    story.begin(at(1, 9))
    neighbour = others(story, 1, at(1, 9))[0]
    actions.set_dunning_terms(
        story.partner.pk, account_id=story.account.pk, valid_from=JAN_1.date(), grace_days=7, by=STAFF, at=JAN_1
    )
    story.dun(at(16))
    assert (story.online, cast.online(neighbour)) == (True, False)
    story.dun(at(23))
    assert not story.online


def test_a_credit_line_keeps_online_who_is_within_it():
    story = Late()
    customers.set_account_terms(
        story.account.pk, valid_from=date(2020, 1, 1), minimal_balance=-3100, by=STAFF, at=JAN_1
    )
    story.begin(at(1, 9))
    assert story.dun(at(16)).blocked == 0
    story.run(at(1, 9, month=2))
    assert story.dun(at(1, 10, month=2)).blocked == 1
    assert queries.owed([story.account.pk], at=at(2, month=2)) == {story.account.pk: (3100, "EUR")}


def test_what_was_sold_once_blocks_only_when_the_rules_say_so():
    story = Late()
    document = story.bill(5000, at(1, 9))
    assert document.due_on == date(2024, 1, 15)
    story.begin(at(1, 9))
    cast.pay(story.account, 3100, at=at(2))  # the older document, by its number, is the visit
    cast.pay(story.account, 1900, at=at(3))
    assert [one.open_amount for one in story.documents] == [0, 3100]
    cast.pay(story.account, 3100, at=at(4))
    visit = story.bill(700, at(5))
    assert story.dun(at(22)).blocked == 0
    story.rules(when=at(22), one_time_blocks=True)
    assert story.dun(at(22, 9)).blocked == 1
    assert visit.open_amount == 700


def test_prepaid_accounts_are_untouched():
    story = Late()
    prepaid = cast.late_customer(story.partner, story.plan, at=at(1, 9))
    story.pass_days(at(16, 7), at(16, 12))
    assert blocks(prepaid) == 0
    assert cast.open_day(story.partner, date(2024, 1, 17)).blocked == 1
    story.dun(at(17))
    assert not cast.online(prepaid)
    with pytest.raises(Refused, match="no invoices"):
        actions.promise(prepaid.pk, until=date(2024, 1, 20), by=STAFF, at=at(17))


def test_a_sub_account_goes_offline_and_online_with_who_pays_for_it():
    story = Late()
    child = cast.customer(story.partner, "Child", billing_type="recurring", at=JAN_1)
    account = cast.account_of(child)
    account.parent = story.account
    account.save()
    cast.activate(cast.service(child, story.plan, at=at(1, 9)), at=at(1, 9))
    story.dun(at(16))
    assert not cast.online(account)
    cast.pay(story.account, 3100, at=at(17))
    assert cast.online(account)


def test_fees_are_on_the_next_document():
    story = Late(blocking_fee=500, reactivation_fee=300)
    story.begin(at(1, 9))
    story.dun(at(16))
    cast.pay(story.account, 3100, at=at(17))
    assert list(Item.objects.order_by("id").values_list("amount", flat=True)) == [500, 300]
    story.run(at(1, 9, month=2))
    assert story.grosses[1] == 3900


def test_a_wave_of_forty_percent_of_the_base_waits_for_a_person_and_goes_when_he_confirms():
    story = Late(wave_least=2)
    accounts = [*others(story, 5, at(1, 9))]
    for account in accounts[3:]:
        cast.pay(account, 3100, at=at(2))
    done = story.dun(at(16))
    assert (done.blocked, done.wave.state, done.wave.size, done.wave.usual_max) == (0, "held", 3, 2)
    assert done.wave.amount == 9300
    assert all(cast.online(account) for account in accounts)
    actions.confirm_wave(done.wave.pk, by=STAFF, at=at(16, 10))
    (job,) = jobs_of("billing.work_wave")
    cast.pay(accounts[0], 3100, at=at(16, 11))  # he paid while it waited
    assert actions.work_wave(job["wave"], by=SYSTEM, at=at(16, 12)) is False
    assert [cast.online(account) for account in accounts] == [True, False, False, True, True]
    wave = Wave.objects.get()
    assert (wave.state, wave.blocked, wave.spared, wave.confirmed_by) == ("done", 2, 1, "Desk")


def test_a_held_wave_is_overtaken_by_the_next_day_s():
    story = Late(wave_least=0)
    story.begin(at(1, 9))
    first = story.dun(at(16)).wave
    second = story.dun(at(17)).wave
    first.refresh_from_db()
    assert (first.state, second.state) == ("dropped", "held")
    with pytest.raises(Refused, match="held"):
        actions.confirm_wave(first.pk, by=STAFF, at=at(17))
    with pytest.raises(Refused, match="hour"):
        actions.confirm_wave(second.pk, by=STAFF, at=at(20))


def test_a_wave_three_times_the_usual_is_held():
    story = Late(wave_least=1, grace_days=0)
    for day, count in ((2, 1), (3, 1), (4, 3), (5, 4)):
        others(story, count, at(day, 9))
    usual = [story.dun(at(day)).wave for day in (17, 18, 19)]
    assert [(wave.size, wave.usual_max, wave.state) for wave in usual] == [
        (1, 1, "done"),
        (1, 3, "done"),
        (3, 3, "done"),
    ]
    held = story.dun(at(22)).wave
    assert (held.size, held.usual_max, held.state) == (4, 3, "held")


def test_the_last_wave_is_taken_back_and_the_next_one_waits():
    story = Late(blocking_fee=500)
    accounts = others(story, 3, at(1, 9))
    wave = story.dun(at(16)).wave
    assert not any(cast.online(account) for account in accounts)
    actions.restore_wave(wave.pk, by=STAFF, at=at(16, 9))
    assert actions.work_wave(wave.pk, by=SYSTEM, at=at(16, 9), chunk=2) is True
    assert [cast.online(account) for account in accounts] == [True, True, False]
    assert actions.work_wave(wave.pk, by=SYSTEM, at=at(16, 9), chunk=2) is False
    assert all(cast.online(account) for account in accounts)
    assert Item.objects.filter(cancelled_at=None).count() == 0
    wave.refresh_from_db()
    assert (wave.state, wave.restored) == ("restored", 3)
    assert story.dun(at(16, 10)).wave is None
    assert story.dun(at(17)).wave.state == "held"
    with pytest.raises(Refused, match="blocked nobody"):
        actions.restore_wave(wave.pk, by=STAFF, at=at(17))


def test_one_button_stops_all_blocking_and_deactivation_but_no_reminder():
    story = Late(deactivate_after_days=1)
    story.begin(at(1, 9))
    actions.stop_blocking(story.partner.pk, reason="bank file is wrong", by=STAFF, at=at(16, 7))
    done = story.dun(at(16, 9))
    assert (done.blocked, done.reminded, story.online) == (0, 1, True)
    assert done.halted == "Desk stopped all blocking: bank file is wrong."
    with pytest.raises(Refused, match="already"):
        actions.stop_blocking(story.partner.pk, reason="again", by=STAFF, at=at(16, 10))
    actions.allow_blocking(story.partner.pk, by=STAFF, at=at(16, 10))
    assert story.dun(at(16, 11)).blocked == 1
    verbs = OperationLog.objects.filter(subject_kind="partner").values_list("verb", flat=True)
    assert {"stopped_blocking", "allowed_blocking", "blocked_wave"} <= set(verbs)


def test_a_stop_is_heard_in_the_middle_of_a_wave():
    story = Late()
    others(story, 3, at(1, 9))
    wave = actions.plan_wave(story.partner.pk, by=SYSTEM, at=at(16))
    assert actions.work_wave(wave.pk, by=SYSTEM, at=at(16), chunk=1) is True
    actions.stop_blocking(story.partner.pk, reason="wait", by=STAFF, at=at(16))
    assert actions.work_wave(wave.pk, by=SYSTEM, at=at(16), chunk=1) is False
    assert Block.objects.count() == 1


@pytest.mark.parametrize("kind", ["network", "payments"])
def test_nobody_is_blocked_while_something_of_ours_is_broken_and_hours_after(kind):
    story = Late(outage_hours=6)
    story.begin(at(1, 9))
    outage = actions.note_outage(story.partner.pk, kind=kind, began_at=at(16, 5), by=STAFF, at=at(16, 6))
    assert story.dun(at(16)).blocked == 0
    actions.end_outage(outage.pk, ended_at=at(16, 9), by=STAFF, at=at(16, 9))
    assert story.dun(at(16, 14)).blocked == 0
    assert story.dun(at(16, 15)).blocked == 1


def test_killed_in_the_middle_it_goes_on_and_blocks_each_once():
    story = Late()
    accounts = others(story, 5, at(1, 9))
    wave = actions.plan_wave(story.partner.pk, by=SYSTEM, at=at(16))
    actions.work_wave(wave.pk, by=SYSTEM, at=at(16), chunk=2)  # and here the process was killed
    done = story.dun(at(16, 9))
    assert done.blocked == 3
    assert [blocks(account) for account in accounts] == [1] * 5
    again = story.dun(at(16, 9))
    assert (again.blocked, again.reminded) == (0, 0)
    assert Wave.objects.get().blocked == 5
    assert ReminderSent.objects.count() == 5


def test_reminders_are_told_to_who_sends_them(monkeypatch):
    told = []
    monkeypatch.setattr("demarc.billing.actions.dunning.emit_ids", lambda *facts, **_: told.append(facts))
    story = Late(reminders=[(1, 9, "both")])
    story.begin(at(1, 9))
    story.dun(at(16, 9))
    sent = ReminderSent.objects.get()
    assert told == [("Reminded", "reminders", [sent.pk])]
    assert (sent.channel, sent.amount, sent.document) == ("both", 3100, story.documents[0])
    with connection.cursor() as cursor, pytest.raises(Exception, match="never changed"):
        cursor.execute("UPDATE billing_reminder SET amount = 1")


def test_who_was_let_online_by_staff_is_offline_again_when_his_time_is_over():
    story = Late()
    story.begin(at(1, 9))
    story.dun(at(16))
    plans.unblock(story.customer.pk, by=STAFF, at=at(16, 12))
    assert story.online
    story.dun(at(16, 13))
    assert story.online
    story.dun(at(17, 0))
    assert not story.online
    assert blocks(story.account) == 1


def test_the_job_of_an_hour_serves_every_provider(monkeypatch):
    first = Late()
    first.begin(at(1, 9))
    monkeypatch.setattr("demarc.base.clock.now", lambda: at(16))
    jobs.dun(0)
    assert not first.online
    assert WaveRow.objects.get().account == first.account


def test_the_blocking_page_is_told_what_he_owes():
    story = Late()
    service = story.begin(at(1, 9))
    story.dun(at(16))
    access.sync_services([service.pk], at=at(16))
    assert queries.owed([story.account.pk], at=at(16)) == {story.account.pk: (3100, "EUR")}
    assert queries.account_summary(story.account.pk, at=at(16)).owed == 3100
    assert Document.objects.get().open_amount == 3100


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_block_and_remind_each_account_once():
    story = Late()
    accounts = others(story, 12, at(1, 9))

    def work(_: int):
        try:
            return actions.remind_and_block(story.partner.pk, by=SYSTEM, at=at(16, 9), chunk=3)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(work, range(3)))
    assert sum(one.reminded for one in done) == 12 == ReminderSent.objects.count()
    assert [blocks(account) for account in accounts] == [1] * 12
    assert (Wave.objects.get().blocked, Wave.objects.get().state) == (12, "done")


@pytest.mark.django_db(transaction=True)
def test_several_hands_remind_each_account_once_and_let_go_whom_nothing_holds():
    story = Late()
    accounts = others(story, 12, at(1, 9))

    def work():
        return actions.remind_and_block(story.partner.pk, by=SYSTEM, at=at(16, 9), chunk=3, hands=HANDS)

    done = work()
    assert (done.reminded, done.blocked, done.freed) == (12, 12, 0)
    story.rules(when=at(16, 9), threshold=10_000)
    assert work().freed == 12
    assert [blocks(account) for account in accounts] == [1] * 12
    assert all(cast.online(account) for account in accounts)
    assert ReminderSent.objects.count() == 12
