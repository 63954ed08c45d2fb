"""Changes, conversions, what-if and why from a program's view: refusals, keys, and a reseller who may not see it."""

from datetime import timedelta
from itertools import count

import pytest
from tests.project.api_scene import partner, problem, program

from demarc.base import clock
from demarc.billing.models import Document, Transfer
from demarc.customers.models import Account
from demarc.plans.models import ServiceFact

pytestmark = pytest.mark.usefixtures("committed")
_numbers = count(1)


@pytest.fixture
def reseller():
    """A program of another provider, which may do everything there."""
    return program("Super administrator", partner())


def plan(api, isp, price="31.00"):
    name = f"Voice {next(_numbers)} at {price}"
    body = {"partner_id": isp.pk, "name": name, "kind": "voice", "price": price, "valid_from": "2020-01-01"}
    return api.post("/plans", body)["id"]


def customer(api, isp, pays="recurring", name="Rita"):
    """(account id, service id, customer id) of one whose service is in use."""
    made = api.post("/customers", {"partner_id": isp.pk, "name": name, "billing_type": pays})
    service = api.post("/services", {"customer_id": made["id"], "plan_id": plan(api, isp)})
    api.post(f"/services/{service['id']}/activate")
    return made["accounts"][0]["id"], service["id"], made["id"]


def days_ahead(number):
    return (clock.today("UTC") + timedelta(days=number)).isoformat()


def test_a_change_is_planned_once_under_its_key_listed_and_taken_back(api, isp):
    _, service, _ = customer(api, isp)
    path, other = f"/services/{service}/changes", plan(api, isp, "62.00")
    change = {"when": days_ahead(9), "plan_id": other, "quantity": 2}
    made = api.post(path, change, key="change-1")
    facts = ServiceFact.objects.filter(service_id=service).count()
    assert api.post(path, change, key="change-1") == made == {"service_id": service, "on": days_ahead(9)}
    assert ServiceFact.objects.filter(service_id=service).count() == facts
    problem(api.call("POST", path, change | {"quantity": 3}, key="change-1"), 409)
    problem(api.call("POST", path, change), 422)  # without a key
    (planned,) = api.get(path)
    assert (planned["on"], planned["plan_id"], planned["quantity"], planned["price"]) == (days_ahead(9), other, 2, None)
    assert api.post(f"{path}/take-back", {"on": days_ahead(9)}) == []
    assert problem(api.call("POST", f"{path}/take-back", {"on": days_ahead(0)}), 422)["code"] == "not_planned"


def test_a_preview_shows_lines_with_their_why_and_keeps_nothing(api, isp):
    account, service, _ = customer(api, isp)
    kept = [model.objects.count() for model in (Document, Transfer, ServiceFact)]
    foreseen = api.post(f"/services/{service}/changes/preview", {"plan_id": plan(api, isp, "62.00")})
    (document,) = foreseen["documents"]
    credit, charge = document["lines"]
    assert (credit["why"], charge["why"][0].endswith("at 62.00")) == (["Credit of what was billed before"], True)
    billed = api.get(f"/documents?account_id={account}")["items"][0]["gross"]
    assert (credit["amount"], document["gross"]) == (f"-{billed}", billed)  # twice the price from today on
    assert [model.objects.count() for model in (Document, Transfer, ServiceFact)] == kept


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({}, 422, "required"),
        ({"when": "2020-01-01", "state": "paused"}, 422, "date_out_of_range"),
        ({"when": "tomorrow", "state": "paused"}, 422, "invalid"),
        ({"state": "asleep"}, 422, "invalid"),
        ({"state": "active"}, 422, "already_active"),
        ({"quantity": 0}, 422, "out_of_range"),
        ({"plan_id": 10**12}, 404, "unknown"),
        ({"quantity": 2, "price": "5.00"}, 422, "one_of_two"),
        ({"pause": True}, 422, "invalid"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_in_deed_and_in_preview(api, isp, change, status, code):
    _, service, _ = customer(api, isp)
    for path in ("changes", "changes/preview"):
        answer = api.call("POST", f"/services/{service}/{path}", change, key="nonsense")
        assert problem(answer, status)["code"] == code, answer.content


def test_a_reseller_sees_and_changes_nothing_of_it(api, isp, reseller):
    account, service, person = customer(api, isp)
    daily, _, _ = customer(api, isp, "prepaid", "Dora")
    api.post("/payments", {"account_id": daily, "amount": "5.00", "method": "cash"}, key="dora")
    document = api.get(f"/documents?account_id={account}")["items"][0]["id"]
    transfer = api.get(f"/accounts/{daily}/ledger")["items"][0]["id"]
    for path in (
        f"/services/{service}/changes",
        f"/documents/{document}/why",
        f"/transfers/{transfer}/why",
        f"/customers/{person}/why-blocked",
    ):
        api.get(path)
        problem(reseller.call("GET", path), 404)
    for path, body in (
        (f"/services/{service}/changes", {"state": "paused"}),
        (f"/services/{service}/changes/preview", {"state": "paused"}),
        (f"/services/{service}/changes/take-back", {"on": days_ahead(3)}),
        (f"/accounts/{account}/billing-type", {"billing_type": "prepaid"}),
        (f"/accounts/{account}/billing-type/preview", {"billing_type": "prepaid"}),
        (f"/accounts/{account}/parent", {"parent_id": daily}),
        (f"/accounts/{account}/parent/end", {}),
        (f"/partners/{isp.pk}/what-if", {"due_days": 3}),
    ):
        problem(reseller.call("POST", path, body, key="reseller"), 404)
    theirs = reseller.get("/partners")["items"][0]["id"]
    body = {"prices": [{"plan_id": plan(api, isp), "price": "1.00"}]}
    told = problem(reseller.call("POST", f"/partners/{theirs}/what-if", body), 404)
    assert told["errors"][0]["field"] == "prices"
    assert Account.objects.get(pk=account).billing_type == "recurring"


def test_a_conversion_is_made_once_under_its_key(api, isp):
    account, _, _ = customer(api, isp)
    path = f"/accounts/{account}/billing-type"
    foreseen = api.post(f"{path}/preview", {"billing_type": "prepaid"})
    made = api.post(path, {"billing_type": "prepaid"}, key="once")
    assert [one["gross"] for one in made["documents"]] == [one["gross"] for one in foreseen["documents"]]
    assert api.post(path, {"billing_type": "prepaid"}, key="once") == made
    assert Document.objects.filter(account_id=account, kind="credit_note").count() == len(made["documents"])
    assert problem(api.call("POST", path, {"billing_type": "prepaid"}, key="twice"), 422)["code"] == "already_prepaid"
    problem(api.call("POST", path, {"billing_type": "free"}, key="thrice"), 422)


def test_what_if_says_what_the_next_run_would_come_to(api, isp):
    for name in ("Rita", "Ruth"):
        customer(api, isp, name=name)
    path = f"/partners/{isp.pk}/what-if"
    body = {"taxes": [{"category": "standard", "rate": "0.25"}], "due_days": 3}
    answer = api.post(path, body)
    assert (answer["before"]["documents"], answer["before"]["gross"], answer["before"]["tax"]) == (2, "62.00", "0.00")
    assert (answer["after"]["gross"], answer["after"]["tax"]) == ("62.00", "12.40")  # twice 31.00 - 31.00 / 1.25
    hers = api.get("/services")["items"][0]["plan_id"]
    dearer = api.post(path, {"prices": [{"plan_id": hers, "price": "40.00"}]})
    assert (dearer["after"]["gross"], dearer["different"]) == ("71.00", 1)
    assert [(one["before"], one["after"]) for one in dearer["accounts"]] == [("31.00", "40.00")]
    assert api.get(f"/plans/{hers}")["price"] == "31.00"
    later = api.post(path, {"due_days": 300})
    assert (later["before"]["blocked"], later["after"]["blocked"]) == (2, 0)
    for nonsense in ({}, {"prices": [{"plan_id": hers, "price": "dear"}]}, {"taxes": [{"category": "x", "rate": "2"}]}):
        problem(api.call("POST", path, nonsense), 422)


def test_every_movement_says_what_it_is(api, isp):
    account, _, _ = customer(api, isp)
    mother, _, _ = customer(api, isp, name="Mother")
    paid = api.post("/payments", {"account_id": account, "amount": "100.00", "method": "cash"}, key="paid")
    api.post(f"/accounts/{account}/corrections", {"amount": "2.00", "reason": "Sorry"}, key="corrected")
    api.post(f"/accounts/{account}/parent", {"parent_id": mother}, key="linked")
    told = {}
    for transfer in api.get(f"/accounts/{account}/ledger")["items"]:
        why = api.get(f"/transfers/{transfer['id']}/why")
        assert (why["amount"], why["kind"]) == (transfer["amount"], transfer["kind"])
        told[why["kind"]] = why
    (document,) = api.get(f"/documents?account_id={account}")["items"]
    assert (told["payment"]["payment_id"], told["document"]["document_id"]) == (paid["id"], document["id"])
    assert document["number"] in told["document"]["words"][0]
    assert "pays for it" in told["moved"]["words"][0]
    assert "operation log" in told["correction"]["words"][0]
    assert not any("Sorry" in words for why in told.values() for words in why["customer_words"])


def test_a_document_s_lines_say_why_in_the_customer_s_language(api, isp):
    account, _, person = customer(api, isp)
    api.patch(f"/customers/{person}", {"language": "es"})
    (document,) = api.get(f"/documents?account_id={account}")["items"]
    (line,) = api.get(f"/documents/{document['id']}/why")
    assert (line["amount"], line["words"][0].endswith("at 31.00")) == (document["gross"], True)
    assert line["customer_words"][0].endswith("a 31,00")


def test_nobody_is_blocked_and_a_paused_service_says_since_when(api, isp):
    _, service, person = customer(api, isp)
    assert api.get(f"/customers/{person}/why-blocked") == []
    api.post(f"/services/{service}/pause")
    (why,) = api.get(f"/customers/{person}/why-blocked")
    assert (why["service_id"], why["account_id"], why["since"]) == (service, None, days_ahead(0))
    assert "is paused from" in why["words"][0]
