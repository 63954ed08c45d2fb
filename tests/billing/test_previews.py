"""Previews of several days beside one another: which makes way, and what each still issues."""

from datetime import date

import pytest
from tests import cast
from tests.billing.test_dunning import jobs_of
from tests.billing.test_recurring import JAN_1, Story, at, books_hold  # noqa: F401 - a fixture

from demarc.base.actors import SYSTEM
from demarc.billing import actions, jobs, queries
from demarc.billing.models import InvoiceRun, PreviewRow
from demarc.core.errors import Refused

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


@pytest.fixture
def ignored(story):
    """A provider who wants to confirm each run himself and does not, for three months."""
    actions.set_auto_issue(story.partner.pk, auto=False, by=cast.STAFF, at=at(1, 1))
    for month in (2, 3, 4):
        actions.issue_due(by=SYSTEM, at=at(month, 1))
    return story


def test_runs_that_nobody_looks_at_are_one_thing_to_do_the_newest_which_has_all(ignored):
    assert states() == ["cancelled", "cancelled", "held"]
    (due,) = queries.due_runs(None, at=at(4, 1))
    assert (due.run.day, due.run.documents, due.run.gross) == (date(2024, 4, 1), 3, 9300)
    assert set(PreviewRow.objects.values_list("run_id", flat=True)) == {due.run.pk}
    first = InvoiceRun.objects.earliest("id")
    assert queries.run_instead(first) == due.run
    assert queries.run_instead(due.run) is None
    assert issue(due.run, when=at(4, 2)).documents == 3
    assert ignored.grosses == [3100, 3100, 3100, 3100]


def test_a_preview_that_somebody_made_or_held_stays_beside_the_daily_one(ignored):
    by_hand = actions.preview_run(ignored.partner.pk, day=date(2024, 4, 1), by=cast.STAFF, at=at(4, 20))
    actions.hold_run(by_hand.pk, by=cast.STAFF, at=at(4, 20))
    asked_for = actions.preview_run(ignored.partner.pk, day=date(2024, 4, 2), by=SYSTEM, at=at(4, 20))
    actions.issue_due(by=SYSTEM, at=at(5, 1))
    assert states() == ["cancelled", "cancelled", "cancelled", "held", "preview", "held"]
    assert queries.preview_rows(by_hand.pk).count() == queries.preview_rows(asked_for.pk).count() == 3


def test_a_preview_that_a_job_made_is_his_who_asked_for_it(ignored):
    actions.ask_preview(ignored.partner.pk, by=cast.STAFF, at=at(4, 20))
    (job,) = jobs_of("billing.preview_run")
    jobs.preview_run(**job)
    run = InvoiceRun.objects.latest("id")
    assert (run.by_kind, run.by_id, run.by_label) == (cast.STAFF.kind, cast.STAFF.id, cast.STAFF.label)


def test_a_provider_who_ignores_his_runs_leaves_those_of_another_alone(ignored):
    other = cast.partner("Other", at=JAN_1)
    theirs = actions.preview_run(other.pk, day=date(2024, 4, 1), by=SYSTEM, at=at(4, 1))
    actions.hold_run(theirs.pk, by=SYSTEM, at=at(4, 1))
    actions.issue_due(by=SYSTEM, at=at(5, 1))
    theirs.refresh_from_db()
    assert theirs.state == "held"


def test_a_preview_looks_a_year_ahead_and_no_further(story):
    preview(story, date(2025, 1, 20), when=at(1, 20))
    with pytest.raises(Refused) as refused:
        preview(story, date(2199, 12, 31), when=at(1, 20))
    assert (refused.value.field, refused.value.code) == ("day", "date_out_of_range")
    assert states() == ["preview"]
