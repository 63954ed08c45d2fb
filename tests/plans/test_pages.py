"""The pages of plans, services and blocks: what is made, what is refused, what is said before a button is pressed."""

from decimal import Decimal

import pytest
from tests import cast
from tests.staff.world import World, logged_in, person, world

from demarc.base import clock
from demarc.billing.models import Cover
from demarc.customers.models import Block, Customer
from demarc.plans import actions as plans
from demarc.plans.models import Plan, PlanPrice, Service

PLAN = {
    "name": "Fibre 600",
    "price": "39.90",
    "speed_down_kbps": "600000",
    "speed_up_kbps": "300000",
    "tax_category": "standard",
    "for_sale": "on",
    "burst_percent": "0",
    "burst_threshold_percent": "75",
    "burst_time_s": "30",
    "priority": "8",
    "contention_ratio": "1",
    "kind": "internet",
    "contract_months": "0",
}


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Manager", "marta"))


def test_a_new_plan_has_its_first_price(place, client):
    assert client.post("/plans/new/", PLAN).status_code == 302
    plan = Plan.objects.get(name="Fibre 600")
    assert plan.prices.get().amount == 3990
    assert "39.90\xa0EUR" in client.get(f"/plans/{plan.pk}/").content.decode()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "Fibre", "There is a plan called Fibre already"),
        ("price", "-1", "above zero"),
        ("price", "forty", "Write the amount in digits"),
        ("speed_down_kbps", "0", "from 1 to"),
        ("priority", "9", "from 1 to 8"),
        ("speed_up_kbps", "", "An internet plan has a speed"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_at_its_field(place, client, field, value, words):
    answer = client.post("/plans/new/", PLAN | {field: value})
    assert answer.status_code == 422
    assert words in answer.content.decode().partition(f'id="id_{field}_error"')[2][:600]
    assert not Plan.objects.filter(name="Fibre 600").exists()


def test_a_taken_name_links_to_the_plan_that_has_it(place, client):
    answer = client.post("/plans/new/", PLAN | {"name": "Fibre"}).content.decode()
    assert f'<a href="/plans/{place.scene.plan.pk}/">Show it</a>' in answer


def test_a_price_is_recorded_for_a_day_and_says_whom_it_touches(place, client):
    path = f"/plans/{place.scene.plan.pk}/price/"
    assert "1 active service" in client.get(path).content.decode()
    assert client.post(path, {"amount": "45", "valid_from": "2099-01-01"}).status_code == 302
    assert PlanPrice.objects.get(amount=4500).valid_from.year == 2099
    assert "To come" in client.get(f"/plans/{place.scene.plan.pk}/").content.decode()


def test_a_price_for_days_that_are_billed_already_says_so_and_leaves_them(place, client):
    scene, now = place.scene, clock.now()
    rita = cast.customer(scene.partner, "Rita", billing_type="recurring", at=now)
    cast.activate(cast.service(rita, scene.plan, at=now), at=now)
    given = {"amount": "45", "valid_from": clock.today("UTC").isoformat()}
    answer = client.post(f"/plans/{scene.plan.pk}/price/", given, follow=True).content.decode()
    billed = Cover.objects.get(plan_id=scene.plan.pk)
    days = (billed.last_day - billed.first_day).days + 1
    assert f"{days} day{'s' * (days > 1)} of 1 service from that day on are billed already" in answer
    assert (billed.price, billed.replaced_by) == (4000, None)


def test_a_service_waits_until_it_is_activated(place, client):
    path = f"/customers/{place.customer.pk}/services/new/"
    answer = client.post(path, {"plan_id": place.scene.plan.pk, "price_override": "12.50", "description": "shop"})
    made = Service.objects.order_by("id").last()
    assert answer["Location"] == f"/services/{made.pk}/"
    assert (made.state, made.facts.get().price_override) == ("pending", 1250)
    page = client.get(answer["Location"]).content.decode()
    assert "own price" in page
    assert "Activate" in page


def test_a_plan_of_another_provider_is_not_on_offer(place, client):
    other = world("Other", number=1)
    answer = client.post(f"/customers/{place.customer.pk}/services/new/", {"plan_id": other.scene.plan.pk})
    assert answer.status_code == 422


def test_a_block_says_what_it_does_and_who_set_it(place, client):
    path = f"/customers/{place.customer.pk}/block/"
    assert "1 session on North" in client.get(path).content.decode()
    assert client.post(path, {"reason": "stolen ONT"}).status_code == 302
    assert Customer.objects.get(pk=place.customer.pk).status == "blocked"
    page = client.get(f"/customers/{place.customer.pk}/").content.decode()
    assert "Blocked by marta since" in page
    assert "stolen ONT" in page


def test_a_second_block_is_refused_with_422_and_a_second_unblock_too(place, client):
    path = f"/customers/{place.customer.pk}"
    client.post(f"{path}/block/", {"reason": ""})
    assert client.post(f"{path}/block/", {"reason": ""}).status_code == 422
    assert client.post(f"{path}/unblock/").status_code == 302
    assert not Block.objects.filter(lifted_at=None).exists()
    answer = client.post(f"{path}/unblock/")
    assert answer.status_code == 422
    assert "This customer is not blocked" in answer.content.decode()


def test_a_tax_rate_is_typed_as_a_percentage(place):
    client = logged_in(person("Administrator"))
    given = {"category": "standard", "rate": "21", "valid_from": clock.today("UTC")}
    assert client.post(f"/settings/{place.partner.pk}/tax/", given).status_code == 302
    assert "21\xa0%" in client.get(f"/settings/{place.partner.pk}/").content.decode()


def test_a_tax_category_is_chosen_among_the_provider_s_and_made_only_with_a_rate(place, client):
    plans.set_tax(
        place.partner.pk,
        category="books",
        valid_from=clock.today("UTC"),
        rate=Decimal("0.04"),
        by=cast.STAFF,
        at=clock.now(),
    )
    for path in ("/plans/new/", f"/accounts/{place.account.pk}/items/new/"):
        assert "books, 4\xa0%" in client.get(path).content.decode(), path
    typed = client.post("/plans/new/", PLAN | {"tax_category": "standrd"})
    assert typed.status_code == 422
    assert not Plan.objects.filter(tax_category="standrd").exists()
    assert client.post("/plans/new/", PLAN | {"tax_category": "books"}).status_code == 302
    assert Plan.objects.latest("id").tax_category == "books"
