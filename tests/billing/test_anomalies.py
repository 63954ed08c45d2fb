"""Ten facts that somebody poisoned: each is named before anything is posted, and a sound month is not."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from tests import cast
from tests.billing.test_recurring import JAN_1, Story, at, books_hold  # noqa: F401 - a fixture
from tests.cast import STAFF

from demarc.base.actors import SYSTEM, recorded
from demarc.billing import actions
from demarc.billing.models import Document, PreviewRow
from demarc.plans import actions as plans
from demarc.plans.models import Discount, Service

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
PEOPLE = 24


def a_month_gone():
    """A provider of some customers, whose documents of February are issued."""
    story = Story()
    story.tax("0.21")
    for number in range(PEOPLE):
        customer = cast.customer(story.partner, f"Customer {number}", billing_type="recurring", at=JAN_1)
        cast.activate(cast.service(customer, story.plan, at=at(1, 1)), at=at(1, 1))
    story.run(at(2, 1))
    return story, list(Service.objects.order_by("id"))


def price_times_a_hundred(story, services):
    plans.set_price(story.plan.pk, valid_from=date(2024, 2, 20), amount=310_000, by=STAFF, at=at(2, 20))


def a_tax_of_sixty_percent(story, services):
    story.tax("0.60", day=date(2024, 2, 20))


def half_the_customers_missing(story, services):
    for service in services[: PEOPLE // 2]:
        plans.stop_service(service.pk, by=STAFF, at=at(2, 20))


def a_duplicate_service(story, services):
    twin = cast.service(services[0].customer, story.plan, at=at(2, 29))
    cast.activate(twin, at=at(2, 29))


def a_price_of_nothing(story, services):
    plans.set_price(story.plan.pk, valid_from=date(2024, 2, 20), amount=0, by=STAFF, at=at(2, 20))


def a_rebate_larger_than_the_document(story, services):
    actions.bill_item(account_id=services[0].account_id, text="Sorry", amount=-999_900, by=STAFF, at=at(2, 20))


def an_own_price_in_the_wrong_currency(story, services):
    plans.set_service_price(services[0].pk, price=3_100_000, by=STAFF, at=at(2, 29))


def a_quantity_of_a_hundred(story, services):
    plans.set_service_price(services[0].pk, price=None, quantity=100, by=STAFF, at=at(2, 29))


def a_discount_of_everything(story, services):
    Discount.objects.create(
        service=services[0], valid_from=date(2024, 3, 1), percent=10_000, **recorded(STAFF, at(2, 20))
    )


def a_rise_of_a_third_for_all(story, services):
    plans.set_price(story.plan.pk, valid_from=date(2024, 2, 20), amount=4200, by=STAFF, at=at(2, 20))


def an_account_that_cannot_be_billed(story, services):
    with connection.cursor() as cursor:  # as if nobody had looked for eleven years
        cursor.execute(
            "UPDATE billing_recurringstate SET next_on = '2010-01-01' WHERE account_id = %s", [services[0].account_id]
        )


@pytest.mark.parametrize(
    ("poison", "codes"),
    [
        (price_times_a_hundred, {"rise", "total"}),
        (a_tax_of_sixty_percent, {"rate"}),
        (half_the_customers_missing, {"accounts", "total"}),
        (a_duplicate_service, {"twice"}),
        (a_price_of_nothing, {"zero", "total"}),
        (a_rebate_larger_than_the_document, {"negative", "total"}),
        (an_own_price_in_the_wrong_currency, {"rise", "total"}),
        (a_quantity_of_a_hundred, {"rise", "total"}),
        (a_discount_of_everything, {"zero"}),
        (a_rise_of_a_third_for_all, {"total"}),
        (an_account_that_cannot_be_billed, {"parked"}),
    ],
    ids=lambda case: case.__name__ if callable(case) else "",
)
def test_what_is_odd_is_named_before_anything_is_posted(poison, codes):
    story, services = a_month_gone()
    poison(story, services)
    before = Document.objects.count()
    run = actions.preview_run(story.partner.pk, by=SYSTEM, at=at(3, 1))
    assert {found["code"] for found in run.anomalies} == codes
    assert all(found["words"] and (found["count"] or "before" in found) for found in run.anomalies)
    flagged = set(PreviewRow.objects.filter(run=run).exclude(flag="").values_list("flag", flat=True))
    assert flagged == codes - {"total", "accounts"}
    assert Document.objects.count() == before
    assert actions.hold_run(run.pk, by=SYSTEM, at=at(3, 1)).state == "held"


def test_a_sound_month_has_nothing_odd():
    story, services = a_month_gone()
    plans.set_price(story.plan.pk, valid_from=date(2024, 2, 20), amount=3300, by=STAFF, at=at(2, 20))
    story.tax("0.22", day=date(2024, 2, 20))
    plans.end_service(services[0].pk, by=STAFF, at=at(2, 20))
    run = actions.preview_run(story.partner.pk, by=SYSTEM, at=at(3, 1))
    assert run.anomalies == []
    assert run.documents == PEOPLE - 1


def a_free_service(story, *, since):
    """An account that holds nothing but a plan that costs nothing."""
    free = cast.plan(story.partner, "Free", price=0, at=JAN_1)
    customer = cast.customer(story.partner, "Frida", billing_type="recurring", at=JAN_1)
    return cast.activate(cast.service(customer, free, at=since), at=since)


def flags(run, service):
    return set(PreviewRow.objects.filter(run=run, account=service.account_id).values_list("flag", flat=True))


def test_an_account_that_was_always_free_is_not_odd_and_its_run_is_issued_by_itself():
    story, _ = a_month_gone()
    frida = a_free_service(story, since=at(2, 10))
    for month in (3, 4):
        (run,) = actions.issue_due(by=SYSTEM, at=at(month, 1))
        assert (run.state, run.anomalies, flags(run, frida)) == ("running", [], {""})
        actions.work_run(run.pk, by=SYSTEM, at=at(month, 1))


def test_one_whose_first_regular_document_is_of_nothing_after_a_beginning_that_was_not_is_odd():
    story, services = a_month_gone()
    customer = cast.customer(story.partner, "Rita", billing_type="recurring", at=JAN_1)
    rita = cast.activate(cast.service(customer, story.plan, at=at(2, 10)), at=at(2, 10))
    for service in (rita, services[0]):
        plans.set_service_price(service.pk, price=0, valid_from=date(2024, 3, 1), by=STAFF, at=at(2, 20))
    run = actions.preview_run(story.partner.pk, by=SYSTEM, at=at(3, 1))
    assert [(found["code"], found["count"]) for found in run.anomalies] == [("zero", 2)]
    assert flags(run, rita) == flags(run, services[0]) == {"zero"}


def test_one_that_fell_to_nothing_and_was_confirmed_so_is_not_odd_again():
    story, services = a_month_gone()
    plans.set_service_price(services[0].pk, price=0, by=STAFF, at=at(2, 29))
    first = actions.preview_run(story.partner.pk, by=SYSTEM, at=at(3, 1))
    assert [found["code"] for found in first.anomalies] == ["zero"]
    actions.confirm_run(first.pk, by=STAFF, at=at(3, 1))
    actions.work_run(first.pk, by=STAFF, at=at(3, 1))
    assert actions.preview_run(story.partner.pk, by=SYSTEM, at=at(4, 1)).anomalies == []


def test_of_two_months_that_are_due_the_one_that_falls_is_odd():
    story, _ = a_month_gone()
    frida = a_free_service(story, since=at(2, 10))
    plans.set_service_price(frida.pk, price=500, valid_from=date(2024, 3, 1), by=STAFF, at=at(2, 20))
    plans.set_service_price(frida.pk, price=0, valid_from=date(2024, 4, 1), by=STAFF, at=at(2, 20))
    run = actions.preview_run(story.partner.pk, day=date(2024, 4, 1), by=SYSTEM, at=at(4, 1))
    of_frida = PreviewRow.objects.filter(run=run, account=frida.account_id).order_by("day")
    assert list(of_frida.values_list("gross", "flag")) == [(500, ""), (0, "zero")]


def test_a_rebate_that_takes_all_of_a_first_document_is_odd():
    story, _ = a_month_gone()
    frida = a_free_service(story, since=at(2, 10))
    plans.set_service_price(frida.pk, price=500, valid_from=date(2024, 3, 1), by=STAFF, at=at(2, 20))
    actions.bill_item(account_id=frida.account_id, text="Sorry", amount=-500, by=STAFF, at=at(2, 20))
    run = actions.preview_run(story.partner.pk, by=SYSTEM, at=at(3, 1))
    assert flags(run, frida) == {"zero"}


def test_what_a_person_confirms_is_posted_all_the_same():
    story, services = a_month_gone()
    price_times_a_hundred(story, services)
    run = actions.preview_run(story.partner.pk, by=SYSTEM, at=at(3, 1))
    actions.hold_run(run.pk, by=SYSTEM, at=at(3, 1))
    actions.confirm_run(run.pk, by=STAFF, at=at(3, 1))
    done = actions.work_run(run.pk, by=STAFF, at=at(3, 1))
    assert (done.state, done.documents, done.posted_hash) == ("done", PEOPLE, run.preview_hash)


def test_what_changed_after_the_preview_is_left_for_the_next_one_which_says_what_is_odd():
    story, services = a_month_gone()
    run = actions.preview_run(story.partner.pk, by=SYSTEM, at=at(3, 1))
    assert run.anomalies == []
    a_quantity_of_a_hundred(story, services)
    actions.confirm_run(run.pk, by=STAFF, at=at(3, 1))
    done = actions.work_run(run.pk, by=STAFF, at=at(3, 1))
    assert (done.state, done.documents) == ("done", PEOPLE - 1)
    (left,) = done.anomalies
    assert (left["code"], left["count"], left["accounts"]) == ("changed", 1, [services[0].account_id])
    fresh = actions.preview_run(story.partner.pk, by=SYSTEM, at=at(3, 1))
    assert fresh.documents == 1
    assert {found["code"] for found in fresh.anomalies} >= {"rise"}


def test_the_tax_of_more_than_all_is_refused_at_the_door():
    story, _ = a_month_gone()
    with pytest.raises(Exception, match="100 %"):
        plans.set_tax(
            story.partner.pk, category="standard", valid_from=date(2024, 2, 20), rate=Decimal("2.10"), by=STAFF,
            at=at(2, 20),
        )  # fmt: skip
