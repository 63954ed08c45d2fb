"""Documents from a program's view: billed, corrected, previewed, issued, paid, each write once under its key."""

from datetime import timedelta

import pytest
from tests.project.api_scene import partner, problem, program

from demarc.base import clock
from demarc.base.actors import SYSTEM
from demarc.billing import actions as billing
from demarc.billing.models import Document, RecurringState, Transfer

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def rita(api, isp):
    """A recurring customer of a plan with a fee: (account id, service id)."""
    plan = {"partner_id": isp.pk, "name": "Voice", "kind": "voice", "price": "31.00", "setup_fee": "5.00"}
    made = api.post("/plans", plan)
    assert (made["kind"], made["setup_fee"], made["speed_down_kbps"]) == ("voice", "5.00", 0)
    customer = api.post("/customers", {"partner_id": isp.pk, "name": "Rita", "billing_type": "recurring"})
    service = api.post("/services", {"customer_id": customer["id"], "plan_id": made["id"]})
    api.post(f"/services/{service['id']}/activate")
    return customer["accounts"][0]["id"], service["id"]


def due_now(account_id):
    RecurringState.objects.filter(account_id=account_id).update(next_on=clock.today("UTC"))


def test_a_first_document_with_its_lines_and_their_derivation(api, rita):
    account, service = rita
    (document,) = api.get(f"/documents?account_id={account}")["items"]
    assert (document["kind"], document["state"], document["source"]) == ("invoice", "open", "first")
    assert document == api.get(f"/documents/{document['id']}")
    fee, line = api.get(f"/documents/{document['id']}/lines")["items"]
    assert (fee["text"], fee["amount"], fee["derivation"]) == ("Setup fee: Voice", "5.00", [])
    (month,) = line["derivation"]
    assert (line["service_id"], month["price"], month["amount"]) == (service, "31.00", line["amount"])
    answer = api.call("GET", f"/documents/{document['id']}/pdf")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF")


def test_what_is_billed_once_is_made_once_under_its_key(api, rita):
    account, _ = rita
    item = {"text": "Visit", "amount": "9.00"}
    first = api.post(f"/accounts/{account}/items", item, key="a")
    assert api.post(f"/accounts/{account}/items", item, key="a") == first
    problem(api.call("POST", f"/accounts/{account}/items", item | {"amount": "8.00"}, key="a"), 409)
    blank = problem(api.call("POST", f"/accounts/{account}/items", item | {"text": "   "}, key="blank"), 422)
    assert [one["field"] for one in blank["errors"]] == ["text"]
    gone = api.post(f"/accounts/{account}/items", item | {"text": "Gone"}, key="b")
    assert api.post(f"/items/{gone['id']}/cancel")["cancelled_at"]
    billed = api.post(f"/accounts/{account}/items/bill", key="c")
    assert api.get(f"/documents/{billed['document_id']}")["gross"] == "9.00"
    assert api.get(f"/accounts/{account}/items")["items"][1]["document_id"] == billed["document_id"]
    assert api.post(f"/accounts/{account}/items/bill", key="d") == {"document_id": None}


def test_a_run_is_previewed_looked_at_confirmed_paused_resumed_and_cancelled(api, isp, rita):
    account, _ = rita
    api.post(f"/accounts/{account}/items", {"text": "Visit", "amount": "9.00"}, key="visit")
    due_now(account)
    run = api.post("/runs", {"partner_id": isp.pk}, key="run")
    assert (run["state"], run["documents"], run["accounts"]) == ("preview", 1, 1)
    assert api.post("/runs", {"partner_id": isp.pk}, key="run") == run
    (row,) = api.get(f"/runs/{run['id']}/rows")["items"]
    assert (row["account_id"], row["gross"], row["flag"]) == (account, run["gross"], "")
    assert api.get(f"/runs/{run['id']}/rows?odd=true")["items"] == []
    assert api.post(f"/runs/{run['id']}/confirm")["state"] == "running"
    problem(api.call("POST", f"/runs/{run['id']}/confirm"), 422)
    assert api.post(f"/runs/{run['id']}/pause")["state"] == "paused"
    assert api.post(f"/runs/{run['id']}/resume")["state"] == "running"
    billing.work_run(run["id"], by=SYSTEM, at=clock.now())
    done = api.get(f"/runs/{run['id']}")
    assert (done["state"], done["preview_hash"] == done["posted_hash"]) == ("done", True)
    problem(api.call("POST", f"/runs/{run['id']}/cancel"), 422)
    assert api.get("/runs?state=done")["items"][0] == done
    assert Document.objects.filter(account_id=account, run_id=run["id"]).count() == 1


def test_a_calendar_of_a_provider_and_of_one_account(api, isp, rita):
    account, _ = rita
    assert api.get(f"/partners/{isp.pk}/calendar")["billing_day"] == 1
    assert api.post(f"/partners/{isp.pk}/calendar", {"billing_day": 15, "due_days": 7})["due_days"] == 7
    own = api.post(f"/accounts/{account}/calendar", {"postpaid": True})
    assert (own["billing_day"], own["postpaid"]) == (15, True)
    assert api.get(f"/accounts/{account}/calendar") == own
    assert api.post(f"/accounts/{account}/calendar", {"postpaid": None})["postpaid"] is False
    problem(api.call("POST", f"/partners/{isp.pk}/calendar", {"billing_day": 32}), 422)
    assert api.post(f"/partners/{isp.pk}/auto-issue", {"auto": False}) == {"auto": False}


def test_an_own_price_and_a_discount(api, rita):
    _, service = rita
    price = {"price": "10.00", "quantity": 3}
    made = api.post(f"/services/{service}/price", price, key="p")
    assert (made["price"], made["quantity"]) == ("10.00", 3)
    assert api.post(f"/services/{service}/price", price, key="p") == made
    early = price | {"valid_from": str(clock.today("UTC") - timedelta(days=20))}
    refused = problem(api.call("POST", f"/services/{service}/price", early, key="early"), 422)
    assert [one["field"] for one in refused["errors"]] == ["valid_from"]
    discount = api.post(f"/services/{service}/discounts", {"percent": "12.5"}, key="q")
    assert (discount["percent"], discount["off"]) == ("12.50", "0.00")
    problem(api.call("POST", f"/services/{service}/discounts", {"percent": "5", "off": "1.00"}, key="r"), 422)
    problem(api.call("POST", f"/services/{service}/discounts", {"percent": "100.01"}, key="s"), 422)
    last = (clock.today("UTC") - timedelta(days=1)).isoformat()
    assert api.post(f"/discounts/{discount['id']}/withdraw", {"last_day": last})["withdrawn_at"]
    assert [one["id"] for one in api.get(f"/services/{service}/discounts")["items"]] == [discount["id"]]
    problem(api.call("POST", f"/discounts/{discount['id']}/withdraw", {}), 422)


def test_an_invoice_is_credited_once_under_its_key_after_a_look(api, rita):
    account, _ = rita
    (invoice,) = api.get(f"/documents?account_id={account}")["items"]
    path = f"/documents/{invoice['id']}/credit"
    moved = Transfer.objects.count()
    foreseen = api.post(f"{path}/preview")
    assert Transfer.objects.count() == moved
    assert foreseen["gross"] == f"-{invoice['gross']}"
    assert (foreseen["open"], foreseen["balance_before"]) == (invoice["open"], f"-{invoice['open']}")
    assert (foreseen["balance_after"], foreseen["pays"], foreseen["opens"]) == ("0.00", [], False)
    assert len(foreseen["lines"]) == 2
    note = api.post(path, {"reason": "wrong"}, key="credit-1")
    assert api.post(path, {"reason": "wrong"}, key="credit-1") == note
    assert (note["kind"], note["gross"], note["corrects"]) == ("credit_note", foreseen["gross"], invoice["id"])
    assert problem(api.call("POST", path, {}, key="credit-2"), 422)["code"] == "credited"
    assert api.get(f"/documents/{invoice['id']}")["state"] == "credited"


def test_another_providers_invoice_is_not_there_to_be_credited(api, rita):
    (invoice,) = api.get(f"/documents?account_id={rita[0]}")["items"]
    intruder = program("Super administrator", partner())
    for path in (f"/documents/{invoice['id']}/credit", f"/documents/{invoice['id']}/credit/preview"):
        problem(intruder.call("POST", path, {}, key="mine"), 404)
    assert api.get(f"/documents/{invoice['id']}")["open"] == invoice["open"]
