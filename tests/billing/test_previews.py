"""Previews of several days beside one another: which makes way, and what each still issues."""

from datetime import date

import pytest
from tests import cast
from tests.billing.test_recurring import JAN_1, Story, at, books_hold  # noqa: F401 - a fixture

from demarc.base.actors import SYSTEM
from demarc.billing import actions, queries
from demarc.billing.models import InvoiceRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


@pytest.fixture
def story():
    """One customer of 31.00 a month since 1 January."""
    told = Story()
    told.begin(at(1, 1))
    return told


def preview(story, day, *, when):
    return actions.preview_run(story.partner.pk, day=day, by=SYSTEM, at=when)


def issue(run, *, when):
    actions.confirm_run(run.pk, by=SYSTEM, at=when)
    return actions.work_run(run.pk, by=SYSTEM, at=when)


def states():
    return list(InvoiceRun.objects.order_by("id").values_list("state", flat=True))


def test_a_preview_replaces_one_of_the_same_day_and_none_of_another(story):
    for day in (date(2024, 3, 1), date(2024, 2, 1), date(2024, 2, 1)):
        preview(story, day, when=at(1, 20))
    assert states() == ["preview", "cancelled", "preview"]


def test_a_preview_of_another_provider_stays(story):
    other = cast.partner("Other", at=JAN_1)
    actions.preview_run(other.pk, day=date(2024, 2, 1), by=SYSTEM, at=at(1, 20))
    preview(story, date(2024, 2, 1), when=at(1, 20))
    assert states() == ["preview", "preview"]


def test_the_later_day_s_preview_has_what_is_due_earlier_and_issues_what_that_run_has_not(story):
    march, february = (preview(story, date(2024, month, 1), when=at(1, 20)) for month in (3, 2))
    assert (march.documents, march.gross, february.documents) == (2, 6200, 1)
    issue(february, when=at(2, 1))
    assert queries.preview_rows(march.pk).count() == 2
    done = issue(march, when=at(3, 1))
    assert (done.documents, done.gross, done.anomalies) == (1, 3100, march.anomalies)
    assert story.grosses == [3100, 3100, 3100]


def test_when_the_later_run_is_done_the_earlier_preview_has_ended(story):
    preview(story, date(2024, 2, 1), when=at(1, 20))
    march = preview(story, date(2024, 3, 1), when=at(1, 20))
    assert issue(march, when=at(3, 1)).documents == 2
    assert states() == ["cancelled", "done"]
    assert list(queries.preview_rows(march.pk - 1)) == []


def test_what_has_changed_since_the_later_preview_is_still_left_for_the_next_one(story):
    march, february = (preview(story, date(2024, month, 1), when=at(1, 20)) for month in (3, 2))
    issue(february, when=at(2, 1))
    actions.bill_item(account_id=story.account.pk, text="Router", amount=5000, by=SYSTEM, at=at(2, 5))
    done = issue(march, when=at(3, 1))
    assert (done.documents, [one["code"] for one in done.anomalies]) == (0, ["changed"])
