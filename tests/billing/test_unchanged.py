"""A change of a service that changes nothing: no fact is written, and nobody is told that something was done."""

from datetime import date

import pytest
from tests import cast
from tests.billing.test_recurring import JAN_1, Story, at, books_hold  # noqa: F401 - a fixture
from tests.cast import STAFF

from demarc.base.models import OperationLog
from demarc.billing import actions
from demarc.billing.actions import Wanted
from demarc.core.errors import Refused
from demarc.plans import actions as plans
from demarc.plans.models import ServiceFact

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
FEB_1 = date(2024, 2, 1)


@pytest.fixture
def held():
    """An active service since 1 January, at the price of its plan."""
    return Story().begin(at(1, 1))


def written():
    return ServiceFact.objects.count(), OperationLog.objects.count()


@pytest.mark.parametrize("price", [None, 2000])
def test_the_same_plan_at_the_same_price_is_refused_at_the_plan(held, price):
    if price is not None:
        plans.change_plan(held.pk, plan_id=held.plan_id, price_override=price, by=STAFF, at=at(1, 5))
    before = written()
    with pytest.raises(Refused, match="this plan at this price already") as refused:
        plans.change_plan(held.pk, plan_id=held.plan_id, price_override=price, by=STAFF, at=at(1, 5))
    assert (refused.value.code, refused.value.field, written()) == ("unchanged", "plan_id", before)


def test_the_same_plan_at_a_price_of_its_own_is_a_change_and_so_is_the_way_back(held):
    for price in (2000, None):
        before = written()
        plans.change_plan(held.pk, plan_id=held.plan_id, price_override=price, by=STAFF, at=at(1, 5))
        assert written() == (before[0] + 1, before[1] + 1)


def test_a_price_and_a_number_that_are_agreed_on_already_write_nothing(held):
    plans.set_service_price(held.pk, price=2000, quantity=2, by=STAFF, at=at(1, 5))
    before = written()
    plans.set_service_price(held.pk, price=2000, by=STAFF, at=at(1, 6))
    plans.set_service_price(held.pk, price=2000, quantity=2, valid_from=date(2024, 1, 5), by=STAFF, at=at(1, 6))
    assert written() == before
    plans.set_service_price(held.pk, price=2000, valid_from=date(2024, 1, 4), by=STAFF, at=at(1, 6))
    assert written() > before


def test_what_is_planned_already_is_not_planned_again_nor_taken_back_twice(held):
    first = plans.plan_ahead(held.pk, on=FEB_1, state="paused", by=STAFF, at=at(1, 5))
    before = written()
    assert plans.plan_ahead(held.pk, on=FEB_1, state="paused", by=STAFF, at=at(1, 6)) == first
    assert written() == before
    plans.cancel_planned(held.pk, on=FEB_1, by=STAFF, at=at(1, 7))
    before = written()
    with pytest.raises(Refused) as refused:
        plans.cancel_planned(held.pk, on=FEB_1, by=STAFF, at=at(1, 8))
    assert (refused.value.code, written()) == ("not_planned", before)


@pytest.mark.parametrize("on", [None, FEB_1])
@pytest.mark.parametrize("named", ["plan", "quantity", "both"])
def test_who_asks_for_what_is_so_already_is_told_that_nothing_would_change(held, named, on):
    plan_id, quantity = (held.plan_id if named != "quantity" else None), (1 if named != "plan" else None)
    before = written()
    for ask in (actions.change_service, actions.foresee_change):
        with pytest.raises(Refused) as refused:
            ask(held.pk, Wanted(plan_id=plan_id, quantity=quantity), on=on, by=STAFF, at=at(1, 5))
        assert refused.value.code == "unchanged"
    assert written() == before


def test_of_two_things_that_are_named_the_one_that_changes_is_done(held):
    actions.change_service(held.pk, Wanted(plan_id=held.plan_id, quantity=3), by=STAFF, at=at(1, 5))
    newest = ServiceFact.objects.latest("id")
    assert (newest.plan_id, newest.quantity) == (held.plan_id, 3)
    other = cast.plan(held.partner, "Other", at=JAN_1)
    actions.change_service(held.pk, Wanted(plan_id=other.pk, quantity=3), by=STAFF, at=at(1, 6))
    newest = ServiceFact.objects.latest("id")
    assert (newest.plan_id, newest.quantity) == (other.pk, 3)
