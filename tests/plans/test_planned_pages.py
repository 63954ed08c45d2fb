"""The pages of a service's changes: now or on a day to come, said exactly before, carried out once seen, taken back."""

import re
from datetime import date, timedelta

import pytest
from tests import cast
from tests.staff.world import World, logged_in, person, proof, words, world

from demarc.base import clock
from demarc.billing import actions as billing
from demarc.billing.models import BilledThrough, Document
from demarc.core.period import ONE_DAY
from demarc.plans import actions as plans
from demarc.plans import queries
from demarc.plans.models import Service, ServiceFact


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Manager", "marta"))


@pytest.fixture
def monthly(place) -> Service:
    """Rita's service: billed ahead to the end of its period, with a discount and a pause that is planned."""
    held = Document.objects.get(pk=place.papers["document_id"]).account.services.get()
    billing.change_services([held.pk], by=cast.STAFF, at=clock.now())  # her discount is credited
    return held


def today() -> date:
    return clock.today("UTC")


def looked(client, path, given):
    """Look at what it would do, then do it: (the page that says so, the answer)."""
    first = client.post(path, given)
    return first, client.post(path, given | {"looked": proof(first)})


def test_a_plan_is_changed_only_after_its_credit_and_charge_were_seen(place, client, monthly):
    path = f"/services/{monthly.pk}/plan/"
    cheap = cast.plan(place.partner, "Small", price=1000, at=clock.now())
    given = {"plan_id": cheap.pk, "when": "now"}
    documents = Document.objects.count()
    first, second = looked(client, path, given)
    assert first.status_code == 200
    assert "40.00 EUR a month becomes 10.00 EUR" in words(first)
    credited = re.search(r"A credit note of ([0-9.]+) EUR is issued at once", words(first))
    assert second.status_code == 302
    assert Service.objects.get(pk=monthly.pk).plan == cheap
    assert Document.objects.count() == documents  # the event's job corrects it
    billing.change_services([monthly.pk], by=cast.STAFF, at=clock.now())
    assert -Document.objects.latest("id").gross == round(float(credited[1]) * 100)


def test_a_plan_changed_when_the_billed_period_is_over_credits_nothing(place, client, monthly):
    cheap = cast.plan(place.partner, "Small", price=1000, at=clock.now())
    first, second = looked(client, f"/services/{monthly.pk}/plan/", {"plan_id": cheap.pk, "when": "period"})
    assert "Nothing that was billed changes" in words(first)
    assert second.status_code == 302
    through = BilledThrough.objects.get(service=monthly).day
    planned = ServiceFact.objects.filter(service=monthly, plan=cheap).earliest("valid_from")
    assert planned.valid_from == through + ONE_DAY
    page = words(client.get(f"/services/{monthly.pk}/"))
    assert "Planned" in page
    assert f"/planned/{planned.pk}/take-back/" in page
    assert "Small" in words(client.get(f"/customers/{monthly.customer_id}/"))


def test_the_new_speeds_at_once_may_leave_the_price_until_the_period_is_over(place, client, monthly):
    fast = cast.plan(place.partner, "Fast", price=9000, at=clock.now())
    first, second = looked(client, f"/services/{monthly.pk}/plan/", {"plan_id": fast.pk, "when": "keep"})
    assert "The price of now stays through" in words(first)
    assert second.status_code == 302
    facts = ServiceFact.objects.filter(service=monthly, plan=fast).order_by("valid_from", "id")
    newest = {fact.valid_from: fact.price_override for fact in facts}
    assert [*newest.values()] == [4000, None, None]  # the pause that is planned follows
    assert billing.change_services([monthly.pk], by=cast.STAFF, at=clock.now())[0].ready.draft.totals.gross == 0


@pytest.mark.parametrize("when", ["now", "keep", "period", "day"])
def test_the_plan_it_has_already_is_refused_at_the_plan_before_anything_is_shown_as_done(client, monthly, when):
    facts = ServiceFact.objects.count()
    given = {"plan_id": monthly.plan_id, "when": when, "on": today() + 100 * ONE_DAY}
    answer = client.post(f"/services/{monthly.pk}/plan/", given)
    assert answer.status_code == 422
    assert "this plan at this price" in answer.content.decode().partition('id="id_plan_id_error"')[2][:300]
    assert "The new speeds" not in words(answer)
    assert ServiceFact.objects.count() == facts


@pytest.mark.parametrize("when", ["now", "period"])
def test_the_plan_it_has_already_at_a_price_of_its_own_is_that_price(client, monthly, when):
    given = {"plan_id": monthly.plan_id, "price_override": "33.00", "when": when}
    _, second = looked(client, f"/services/{monthly.pk}/plan/", given)
    assert second.status_code == 302
    newest = ServiceFact.objects.filter(service=monthly).latest("id")
    assert (newest.plan_id, newest.price_override) == (monthly.plan_id, 3300)


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"when": "day"}, "on", "Say which day"),
        ({"when": "day", "on": "2020-01-01"}, "on", "Choose a day after"),
        ({"when": "day", "on": "2999-01-01"}, "on", "Choose a day from"),
        ({"when": "day", "on": "tomorrow"}, "on", "Choose a day of the calendar"),
        ({"when": "whenever"}, "when", "not one of the available choices"),
        ({"when": "now", "price_override": "-3"}, "price_override", "above zero"),
        ({"when": "now", "plan_id": "0"}, "plan_id", "not one of the available choices"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_at_its_field(place, client, given, field, told):
    facts = ServiceFact.objects.count()
    given = {"plan_id": place.scene.plan.pk} | given
    answer = client.post(f"/services/{place.service.pk}/plan/", given)
    assert answer.status_code == 422
    assert told in answer.content.decode().partition(f'id="id_{field}_error"')[2][:600]
    assert ServiceFact.objects.count() == facts


def test_a_vacation_has_a_first_and_a_last_day(client, monthly):
    through = BilledThrough.objects.get(service=monthly).day
    if through <= today() + ONE_DAY:
        pytest.skip("the billed period is over today")
    begin, last = today() + ONE_DAY, today() + timedelta(days=90)
    first, second = looked(client, f"/services/{monthly.pk}/pause/", {"first": begin, "last": last})
    assert f"is issued on {begin.day} " in words(first)
    assert "It is active again on" in words(first)
    assert second.status_code == 302
    assert Service.objects.get(pk=monthly.pk).state == "active"
    newest = {fact.valid_from: fact.state for fact in ServiceFact.objects.filter(service=monthly).order_by("id")}
    assert (newest[begin], newest[last + ONE_DAY]) == ("paused", "active")


def test_a_pause_from_today_on_is_one_click_and_holds_at_once(place, client):
    path = f"/services/{place.service.pk}/pause/"
    page = client.get(path)
    assert "No access from now on" in words(page)
    assert client.post(path, {"first": today(), "looked": proof(page)}).status_code == 302
    assert Service.objects.get(pk=place.service.pk).state == "paused"


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"first": "2020-01-01"}, "first", "today or a day to come"),
        ({"first": ""}, "first", "This field is required"),
        ({"first": "2101-01-02", "last": "2101-01-01"}, "last", "cannot end before it begins"),
    ],
)
def test_a_pause_that_cannot_be_is_refused_at_its_field(place, client, given, field, told):
    answer = client.post(f"/services/{place.service.pk}/pause/", given)
    assert answer.status_code == 422
    assert told in answer.content.decode().partition(f'id="id_{field}_error"')[2][:600]


@pytest.mark.parametrize(("verb", "given", "state"), [("stop", {}, "stopped"), ("end", {"when": "now"}, "ended")])
def test_a_service_is_left_only_by_pressing_the_button(place, client, verb, given, state):
    path = f"/services/{place.service.pk}/{verb}/"
    page = client.get(path)
    assert "What will happen" in words(page)
    assert Service.objects.get(pk=place.service.pk).state == "active"
    assert client.post(path, given).status_code == 200  # what was not looked at is shown, not done
    assert client.post(path, given | {"looked": proof(page)}).status_code == 302
    assert Service.objects.get(pk=place.service.pk).state == state
    if verb == "end":
        assert client.get(path).status_code == 200
        assert "This service has ended" in client.post(path, given).content.decode()


def test_a_service_is_cancelled_by_a_day_and_that_is_taken_back(place, client):
    last = today() + timedelta(days=10)
    first, second = looked(client, f"/services/{place.service.pk}/end/", {"when": "day", "last": last})
    assert "It stays as it is through" in words(first)
    assert second.status_code == 302
    fact = ServiceFact.objects.get(service=place.service, state="ended")
    assert fact.valid_from == last + ONE_DAY
    path = f"/planned/{fact.pk}/take-back/"
    assert path in words(client.get(f"/services/{place.service.pk}/"))
    page = client.get(path)
    assert "It stays as the day before: Fibre, active, the plan's price" in words(page).replace("&#x27;", "'")
    assert client.post(path, {"looked": proof(page)}).status_code == 302
    assert path not in words(client.get(f"/services/{place.service.pk}/"))
    for day in range(9, 13):
        plans.carry_out_planned(place.partner.pk, by=cast.STAFF, at=clock.now() + timedelta(days=day))
    assert Service.objects.get(pk=place.service.pk).state == "active"


def test_what_was_shown_before_something_else_changed_is_shown_again(place, client, monthly):
    path = f"/services/{monthly.pk}/plan/"
    cheap = cast.plan(place.partner, "Small", price=1000, at=clock.now())
    given = {"plan_id": cheap.pk, "when": "now"}
    old = proof(client.post(path, given))
    plans.set_price(cheap.pk, valid_from=today(), amount=2000, by=cast.STAFF, at=clock.now())
    answer = client.post(path, given | {"looked": old})
    assert answer.status_code == 200
    assert "40.00 EUR a month becomes 20.00 EUR" in words(answer)
    assert Service.objects.get(pk=monthly.pk).plan != cheap


def test_a_number_to_come_is_planned_too(client, monthly):
    on = today() + timedelta(days=80)
    path = f"/services/{monthly.pk}/price/"
    first, second = looked(client, path, {"price": "", "quantity": "3", "valid_from": on})
    assert first.status_code == 200
    assert second.status_code == 302
    assert "3 of it" in words(client.get(f"/services/{monthly.pk}/"))


def test_what_another_provider_planned_is_not_there(place):
    other = world("Other", number=1, only="rita")
    visitor = person("Manager", "mario")
    visitor.partners.set([place.partner])
    client = logged_in(visitor)
    path = f"/planned/{other.papers['fact_id']}/take-back/"
    assert [client.get(path).status_code, client.post(path).status_code] == [404, 404]
    assert client.get(f"/planned/{place.papers['fact_id']}/take-back/").status_code == 200


def test_what_cannot_be_says_plainly_that_nothing_happened_and_offers_to_look_again(client, monthly):
    answer = client.post(f"/services/{monthly.pk}/pause/", {"first": "2020-01-01"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Choose today or a day to come" in page
    assert "It is shown here once what is marked above is put right. Nothing was changed." in page
    assert "btn-danger" not in page.partition("<main")[2]
    assert "Show what it costs" in page


@pytest.mark.parametrize("change", ["pause", "end"])
def test_a_day_that_no_table_can_hold_is_refused_at_its_field(client, monthly, change):
    given = {"first": str(today()), "last": "9999-12-31", "when": "day"}
    answer = client.post(f"/services/{monthly.pk}/{change}/", given)
    assert answer.status_code == 422
    assert "Choose a day from 2000-01-01 to 2199-12-31" in answer.content.decode().partition('id="id_last_error"')[2]


def test_what_rests_is_not_paused_and_what_has_ended_is_not_changed(client, monthly):
    for planned in queries.planned_changes([monthly.pk], today()):
        plans.cancel_planned(monthly.pk, on=planned.fact.valid_from, by=cast.STAFF, at=clock.now())
    plans.pause_service(monthly.pk, by=cast.STAFF, at=clock.now())
    for change in ("pause", "stop"):
        page = words(client.get(f"/services/{monthly.pk}/{change}/"))
        assert "Only an active service can be paused or stopped" in page
        assert "Show what it costs" not in page
    plans.end_service(monthly.pk, by=cast.STAFF, at=clock.now())
    for change in ("pause", "stop", "end", "plan", "price", "discounts/new"):
        assert "This service has ended" in words(client.get(f"/services/{monthly.pk}/{change}/"))
