"""Fees of services: each event once, on the next document of a recurring account, at once of a prepaid one."""

from datetime import date

import pytest
from tests import cast
from tests.billing.test_recurring import JAN_1, Story, at
from tests.cast import STAFF

from demarc.billing import actions
from demarc.billing.models import Document, Item
from demarc.core.fees import Fee, FeeKind, Held, fees
from demarc.plans import actions as plans

pytestmark = pytest.mark.django_db


def asking(story, name="Bound", **facts):
    """A plan that asks fees."""
    given = {"setup_fee": 5000, "change_fee": 1000, "cancellation_fee": 20_000, "reactivation_fee": 700} | facts
    return cast.plan(story.partner, name, price=3100, at=JAN_1, contract_months=12, **given)


def fee_texts(story):
    return list(Item.objects.filter(account=story.account).order_by("id").values_list("text", "amount"))


def test_the_setup_fee_stands_on_the_first_document_once_only():
    story = Story()
    story.plan = asking(story)
    service = story.begin(at(1, 17))
    assert story.grosses == [1500 + 5000]
    assert fee_texts(story) == [("Setup fee: Bound", 5000)]
    actions.change_services([service.pk], by=STAFF, at=at(1, 17))
    assert len(fee_texts(story)) == 1
    assert story.grosses == [6500]


def test_a_change_of_plan_costs_its_fee_with_the_next_document():
    story = Story()
    service = story.begin(at(1, 1))
    plans.change_plan(service.pk, plan_id=asking(story).pk, by=STAFF, at=at(1, 10))
    for _ in range(2):
        actions.change_services([service.pk], by=STAFF, at=at(1, 10))
    assert fee_texts(story) == [("Fee for the change of plan: Bound", 1000)]
    story.run(at(2, 1))
    assert story.grosses[-1] == 3100 + 1000


def test_ending_within_the_term_costs_and_after_it_does_not():
    story = Story()
    story.plan = asking(story, setup_fee=0)
    early, late = story.begin(at(1, 1)), story.begin(at(1, 1))
    plans.end_service(early.pk, by=STAFF, at=at(12, 31))
    plans.end_service(late.pk, by=STAFF, at=at(1, 1, 2025))
    actions.change_services([early.pk], by=STAFF, at=at(12, 31))
    actions.change_services([late.pk], by=STAFF, at=at(1, 1, 2025))
    assert fee_texts(story) == [("Fee for ending early: Bound", 20_000)]


def test_taking_a_service_up_again_costs_but_not_on_the_same_day():
    story = Story()
    story.plan = asking(story, setup_fee=0)
    service = story.begin(at(1, 1))
    plans.pause_service(service.pk, by=STAFF, at=at(1, 5))
    actions.activate(service.pk, by=STAFF, at=at(1, 5))
    assert fee_texts(story) == []
    plans.pause_service(service.pk, by=STAFF, at=at(1, 10))
    actions.activate(service.pk, by=STAFF, at=at(1, 15))
    assert fee_texts(story) == [("Reactivation fee: Bound", 700)]


def test_a_fee_given_to_a_plan_later_is_not_asked_for_what_was_before():
    story = Story()
    service = story.begin(at(1, 1))
    later = cast.plan(story.partner, "Free at first", price=3100, at=JAN_1)
    plans.change_plan(service.pk, plan_id=later.pk, by=STAFF, at=at(1, 2))
    plans.update_plan(later.pk, setup_fee=5000, change_fee=500, by=STAFF, at=at(1, 20))
    plans.set_service_price(service.pk, price=2000, by=STAFF, at=at(1, 20))
    actions.change_services([service.pk], by=STAFF, at=at(1, 20))
    assert fee_texts(story) == []


def test_a_prepaid_account_pays_at_once_on_a_document_of_its_own():
    story = Story()
    ana = cast.customer(story.partner, "Ana Prepaid", at=JAN_1, language="es")
    account = cast.account_of(ana)
    cast.pay(account, 8000, at=at(1, 1))
    cast.activate(cast.service(ana, asking(story), at=at(1, 1)), at=at(1, 1))
    document = Document.objects.get(account=account)
    assert (document.gross, document.open_amount, document.lines.get().text) == (5000, 0, "Alta: Bound")
    assert cast.balance(account) == 3000


def test_what_was_never_active_costs_nothing_and_a_day_counts_as_it_ended():
    day = [date(2024, 1, number) for number in range(1, 5)]
    assert fees([Held(day[0], 1, "pending"), Held(day[1], 1, "ended")], {1: 12}) == []
    life = [
        Held(day[0], 1, "pending"),
        Held(day[0], 1, "active"),
        Held(day[1], 2, "active"),
        Held(day[1], 1, "active"),
        Held(day[2], 2, "stopped"),
        Held(day[3], 2, "active"),
    ]
    assert fees(life, {}) == [Fee(FeeKind.SETUP, day[0], 1), Fee(FeeKind.REACTIVATION, day[3], 2)]
