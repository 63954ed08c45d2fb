"""The page of what if: real figures beside what would be, and nothing is kept."""

import pytest
from tests.staff.world import words, world

from demarc.base import clock
from demarc.billing.models import Document, InvoiceRun, Transfer
from demarc.plans.models import PlanPrice, Service, TaxRate


def kept() -> list[int]:
    return [model.objects.count() for model in (Document, InvoiceRun, Transfer, PlanPrice, TaxRate)]


def test_a_dearer_plan_is_told_before_after_and_by_how_much(place, client):
    service = Service.objects.get(account=Document.objects.get(pk=place.papers["document_id"]).account)
    before = kept()
    answer = client.post("/what-if/", {"plan_id": service.plan_id, "price": "50.00"})
    assert answer.status_code == 200
    page = words(answer)
    assert "+9.50 EUR" in page  # of 40.00 and 50.00, less her 5 %
    assert "Rita of Demarc" in page
    assert "no change" in page
    assert kept() == before


def test_more_days_to_pay_block_later_and_an_hour_none_less(place, client):
    page = words(client.post("/what-if/", {"due_days": "300"}))
    row = page.partition("Blocked within 60 days")[2][:400]
    assert "−" in row
    page = words(client.post("/what-if/", {"block_hour": "15"}))
    assert "The hour moves the moment of a block" in page
    assert "no change" in page.partition("Blocked within 60 days")[2][:400]


@pytest.mark.parametrize(
    ("given", "field", "told"),
    [
        ({"price": "50"}, "plan_id", "Say which plan"),
        ({"plan_id": "own"}, "price", "Say what it would be"),
        ({"plan_id": "own", "price": "-5"}, "price", "above zero"),
        ({"plan_id": "0", "price": "5"}, "plan_id", "not one of the available choices"),
        ({"rate": "20"}, "category", "Say which category"),
        ({"rate": "200"}, "rate", "less than or equal to 100"),
        ({"due_days": "-1"}, "due_days", "greater than or equal to 0"),
        ({"block_hour": "25"}, "block_hour", "not one of the available choices"),
    ],
)
def test_nonsense_is_refused_at_its_field(place, client, given, field, told):
    if given.get("plan_id") == "own":
        given = given | {"plan_id": place.scene.plan.pk}
    answer = client.post("/what-if/", given)
    assert answer.status_code == 422
    assert told in answer.content.decode().partition(f'id="id_{field}_error"')[2][:600]


def test_nothing_chosen_is_no_question(client):
    answer = client.post("/what-if/", {})
    assert answer.status_code == 422
    assert "Change at least one thing" in words(answer)


def test_one_who_works_for_two_providers_is_asked_which(place, client):
    other = world("Other", number=1, only="rita")
    assert "for which provider?" in words(client.get("/what-if/"))
    page = words(client.get(f"/what-if/?partner={other.partner.pk}"))
    assert "Other" in page
    assert place.scene.plan.pk != other.scene.plan.pk
    answer = client.post(
        f"/what-if/?partner={other.partner.pk}", {"plan_id": place.scene.plan.pk, "price": "5", "day": clock.now()}
    )
    assert answer.status_code == 422  # the other provider's plan is not on offer here
