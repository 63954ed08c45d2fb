"""What is planned for a day: the row follows on its day, billing ahead knows it, credits come on the day itself."""

from datetime import date, timedelta

import pytest
from tests import cast
from tests.billing.test_recurring import JAN_1, Story, at, books_hold  # noqa: F401 - a fixture
from tests.cast import STAFF

from demarc.core.errors import Refused
from demarc.plans import actions as plans

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def told():
    story = Story()
    service = story.begin(at(1, 1))
    return story, service, cast.plan(story.partner, "Small", price=1550, at=JAN_1)


def a_day(story, service, when):
    """What the jobs of a day do."""
    plans.carry_out_planned(story.partner.pk, by=STAFF, at=when)
    plans.tell_begun(story.partner.pk, by=STAFF, at=when)
    story.correct(service, when=when)
    story.run(when)


def test_a_plan_changed_ahead_is_credited_on_its_day_not_before():
    story, service, small = told()
    plans.plan_ahead(service.pk, on=date(2024, 1, 17), plan_id=small.pk, by=STAFF, at=at(1, 5))
    assert story.correct(service, when=at(1, 5)) == []
    service.refresh_from_db()
    assert service.plan_id == story.plan.pk
    a_day(story, service, at(1, 17))
    service.refresh_from_db()
    assert service.plan_id == small.pk
    assert story.grosses == [3100, -750]
    assert plans.carry_out_planned(story.partner.pk, by=STAFF, at=at(1, 17)) == 0
    a_day(story, service, at(2, 1))
    assert story.grosses == [3100, -750, 1550]


def test_what_is_billed_after_the_plan_was_made_has_it_in_view():
    story, service, small = told()
    plans.plan_ahead(service.pk, on=date(2024, 2, 16), plan_id=small.pk, by=STAFF, at=at(1, 20))
    a_day(story, service, at(2, 1))
    (line, after) = story.documents[1].lines.order_by("seq")
    assert (line.first_day.day, line.last_day.day, after.first_day.day, after.last_day.day) == (1, 15, 16, 29)
    for day in (2, 16, 17):
        a_day(story, service, at(2, day))
    assert len(story.documents) == 2


def test_an_end_planned_ends_the_service_on_its_day():
    story, service, _ = told()
    plans.plan_ahead(service.pk, on=date(2024, 1, 20), state="ended", by=STAFF, at=at(1, 5))
    a_day(story, service, at(1, 19))
    assert story.grosses == [3100]
    a_day(story, service, at(1, 25))  # the job was away for five days
    service.refresh_from_db()
    assert service.state == "ended"
    assert story.grosses == [3100, -1200]
    a_day(story, service, at(2, 1))
    assert story.grosses == [3100, -1200]


def test_what_was_planned_can_be_cancelled():
    story, service, small = told()
    plans.plan_ahead(service.pk, on=date(2024, 1, 17), plan_id=small.pk, by=STAFF, at=at(1, 5))
    plans.cancel_planned(service.pk, on=date(2024, 1, 17), by=STAFF, at=at(1, 6))
    a_day(story, service, at(1, 17))
    assert story.grosses == [3100]
    with pytest.raises(Refused):
        plans.cancel_planned(service.pk, on=date(2024, 1, 17), by=STAFF, at=at(1, 17))


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"on": date(2024, 1, 5), "state": "paused"}, "date_out_of_range"),
        ({"on": date(2024, 1, 9)}, "required"),
        ({"on": date(2024, 1, 9), "plan_id": 10**9}, "unknown"),
        ({"on": date(2024, 1, 9), "state": "asleep"}, "unknown_word"),
    ],
)
def test_what_cannot_be_planned_is_refused(given, code):
    _, service, _ = told()
    with pytest.raises(Refused) as refused:
        plans.plan_ahead(service.pk, by=STAFF, at=at(1, 5), **given)
    assert refused.value.code == code


def test_a_prepaid_service_is_paused_on_the_planned_day():
    eve = JAN_1 - timedelta(days=1)
    partner = cast.partner(at=eve)
    account = cast.subscriber(partner, cast.plan(partner, price=3100, at=eve), paid=10_000, at=eve)
    service = account.services.get()
    plans.plan_ahead(service.pk, on=date(2024, 1, 4), state="paused", by=STAFF, at=JAN_1)
    for day in range(1, 8):
        plans.carry_out_planned(partner.pk, by=STAFF, at=at(1, day))
        cast.open_day(partner, date(2024, 1, day))
    service.refresh_from_db()
    assert service.state == "paused"
    assert cast.balance(account) == 10_000 - 300  # known before its 00:00, it holds from then on
