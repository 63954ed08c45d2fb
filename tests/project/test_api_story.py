"""The API from a program's view: an ISP is set up and run through it alone."""

from datetime import date, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlencode

import pytest
from tests import cast
from tests.access import scene as radius
from tests.cast import STAFF
from tests.project.api_scene import good, partner, problem, program

from demarc.access.models import Nas, SessionLive, Subscriber
from demarc.base import clock
from demarc.billing import actions as billing

pytestmark = pytest.mark.usefixtures("committed")

PLAN = {"name": "Fibre", "price": "40.00", "speed_down_kbps": 5000, "speed_up_kbps": 1000}
ROUTERS = count(3)
"""What is committed stays: each router has its own address and pools."""


@pytest.fixture
def api():
    """A program that may do what an ISP's own software needs."""
    return program("API full")


@pytest.fixture
def isp():
    return partner()


def new_customer(api, isp, name="Ana", **facts):
    return api.post("/customers", {"partner_id": isp.pk, "name": name} | facts)


def new_service(api, isp, **facts):
    """A customer and a pending service: (customer, service)."""
    customer = new_customer(api, isp)
    plan = api.post("/plans", PLAN | {"partner_id": isp.pk, "name": f"Fibre of {customer['id']}"})
    return customer, api.post("/services", {"customer_id": customer["id"], "plan_id": plan["id"]} | facts)


def pay(api, customer, amount, key):
    account = customer["accounts"][0]["id"]
    return api.post("/payments", {"account_id": account, "amount": amount, "method": "cash"}, key=key)


def test_a_provider_comes_with_billing_rules_and_a_cause_table(api):
    made = api.post("/partners", {"name": "Nortel", "zone": "Europe/Madrid", "currency": "EUR", "preset": "splynx"})
    assert (made["name"], made["language"]) == ("Nortel", "en")
    assert made in api.get("/partners")["items"]
    terms = api.get(f"/partners/{made['id']}/terms")
    assert (terms["minimal_balance"], terms["day_rule"]) == ("0.00", "calendar")
    ports = {row["cause"]: row["page_port"] for row in api.get(f"/partners/{made['id']}/causes")}
    assert ports[3] == 8104


def test_a_provider_changes_his_name(api, isp):
    name = f"{isp.name} and sons"
    assert api.patch(f"/partners/{isp.pk}", {"name": name})["name"] == name
    assert api.get(f"/partners/{isp.pk}")["name"] == name


def test_a_provider_sets_the_thirty_day_month(api, isp):
    api.post(f"/partners/{isp.pk}/terms", {"day_rule": "thirty"})
    assert api.get(f"/partners/{isp.pk}/terms")["day_rule"] == "thirty"


def test_a_tax_rate_is_recorded_as_a_fraction(api, isp):
    made = api.post(f"/partners/{isp.pk}/taxes", {"category": "standard", "valid_from": "2024-01-01", "rate": "0.21"})
    assert made["rate"] == "0.21"
    assert [tax["category"] for tax in api.get(f"/partners/{isp.pk}/taxes")["items"]] == ["standard"]


def test_a_customer_is_made_found_and_changed(api, isp):
    made = new_customer(api, isp, "Ana Alves", city="Faro")
    assert (made["status"], made["number"], made["accounts"][0]["billing_type"]) == ("new", "000001", "prepaid")
    changed = api.patch(f"/customers/{made['id']}", {"city": "Lagos"})
    assert (changed["city"], changed["name"]) == ("Lagos", "Ana Alves")
    assert api.get("/customers?q=ana alv&status=new")["items"][0] == api.get(f"/customers/{made['id']}")
    assert api.get(f"/customers?status=blocked&q={made['number']}")["items"] == []


def test_an_account_has_rules_of_its_own(api, isp):
    account = new_customer(api, isp)["accounts"][0]["id"]
    assert api.get(f"/accounts/{account}/terms")["own"] is None
    api.post(f"/accounts/{account}/terms", {"minimal_balance": "-5.00"})
    terms = api.get(f"/accounts/{account}/terms")
    assert (terms["own"]["minimal_balance"], terms["own"]["day_rule"]) == ("-5.00", None)
    assert terms["in_force"] == {
        "minimal_balance": "-5.00",
        "day_rule": "calendar",
        "limit_rule": "cover",
        "charge_activation_day": False,
    }
    assert api.post(f"/accounts/{account}/terms", {"minimal_balance": None})["minimal_balance"] is None


def test_a_plan_is_made_and_changed_and_its_price_rises(api, isp):
    plan = api.post("/plans", PLAN | {"partner_id": isp.pk})
    assert (plan["price"], plan["currency"], plan["for_sale"]) == ("40.00", "EUR", True)
    api.post(f"/plans/{plan['id']}/prices", {"valid_from": "2020-01-01", "price": "45"})
    api.patch(f"/plans/{plan['id']}", {"speed_down_kbps": 9000, "for_sale": False})
    now = api.get(f"/plans/{plan['id']}")
    assert (now["price"], now["speed_down_kbps"], now["for_sale"]) == ("45.00", 9000, False)
    assert [price["price"] for price in api.get(f"/plans/{plan['id']}/prices")["items"]] == ["45.00", "40.00"]
    assert now in api.get("/plans")["items"]


def test_a_service_begins_is_paused_and_ends(api, isp):
    customer, service = new_service(api, isp, price="12.50", description="Shop")
    assert (service["state"], service["price"], service["blocked_cause"]) == ("pending", "12.50", 1)
    path = f"/services/{service['id']}"
    assert api.post(f"{path}/activate")["blocked_cause"] is None
    assert api.get(f"/customers/{customer['id']}")["status"] == "active"
    assert api.post(f"{path}/pause")["state"] == "paused"
    assert api.post(f"{path}/activate")["state"] == "active"
    assert api.post(f"{path}/stop")["state"] == "stopped"
    assert api.post(f"{path}/end")["state"] == "ended"
    assert api.get(f"/services?customer_id={customer['id']}&state=ended")["items"] == [api.get(path)]


def test_a_service_moves_to_another_plan(api, isp):
    _, service = new_service(api, isp)
    faster = api.post("/plans", PLAN | {"partner_id": isp.pk, "name": "Faster", "price": "60.00"})
    moved = api.post(f"/services/{service['id']}/plan", {"plan_id": faster["id"]})
    assert (moved["plan"], moved["price"]) == ("Faster", "60.00")
    again = problem(api.call("POST", f"/services/{service['id']}/plan", {"plan_id": faster["id"]}), 422)
    assert (again["code"], again["errors"][0]["field"]) == ("unchanged", "plan_id")


def test_a_customer_who_leaves_is_deactivated(api, isp):
    customer, service = new_service(api, isp)
    api.post(f"/services/{service['id']}/activate")
    assert api.post(f"/customers/{customer['id']}/deactivate")["status"] == "inactive"
    assert api.get(f"/services/{service['id']}")["state"] == "stopped"


def test_a_customer_is_blocked_and_unblocked_by_hand(api, isp):
    customer, service = new_service(api, isp)
    api.post(f"/services/{service['id']}/activate")
    assert api.post(f"/customers/{customer['id']}/block", {"reason": "Abuse"})["status"] == "blocked"
    (block,) = api.get(f"/customers/{customer['id']}/blocks")["items"]
    assert (block["cause"], block["reason"], block["set_by"]) == (1, "Abuse", "API full test")
    assert api.post(f"/customers/{customer['id']}/unblock")["status"] == "active"


def test_twenty_paid_and_a_day_charged_leaves_the_rest(api, isp):
    customer, service = new_service(api, isp)
    api.post(f"/partners/{isp.pk}/terms", {"day_rule": "thirty"})
    api.post(f"/services/{service['id']}/activate")
    paid = pay(api, customer, "20.00", "first")
    assert (paid["amount"], paid["number"], paid["method"]) == ("20.00", "000001", "cash")
    tomorrow = clock.today("UTC") + timedelta(days=1)
    billing.open_day(isp.pk, day=tomorrow, by=STAFF, at=cast.midnight(tomorrow))
    account = customer["accounts"][0]["id"]
    now = api.get(f"/accounts/{account}")
    assert (now["currency"], now["minimal_balance"], now["owed"]) == ("EUR", "0.00", "0.00")
    assert (now["blocked_for_money"], now["pays_until"] > str(tomorrow)) == (False, True)
    (day, *_) = api.get(f"/accounts/{account}/days")["items"]
    assert (day["day"], day["decision"], day["balance_before"]) == (str(tomorrow), "charged", "20.00")
    charge, payment = api.get(f"/accounts/{account}/ledger")["items"]
    assert (charge["kind"], charge["amount"], charge["service_id"]) == ("charge", f"-{day['cost']}", service["id"])
    assert (payment["kind"], payment["amount"]) == ("payment", "20.00")
    assert now["balance"] == api.get(f"/accounts/{account}/months")[0]["closing"]


def test_a_payment_is_given_back_in_part_and_a_balance_put_right(api, isp):
    customer = new_customer(api, isp)
    account = customer["accounts"][0]["id"]
    paid = pay(api, customer, "20.00", "one")
    back = api.post(f"/payments/{paid['id']}/refund", {"amount": "5"}, key="two")
    assert (back["amount"], back["refunds"]) == ("-5.00", paid["id"])
    moved = api.post(f"/accounts/{account}/corrections", {"amount": "-1.50", "reason": "Typed wrong"}, key="three")
    assert (moved["amount"], moved["kind"]) == ("-1.50", "correction")
    assert [row["id"] for row in api.get(f"/payments?account_id={account}")["items"]] == [back["id"], paid["id"]]
    assert api.get(f"/payments/{back['id']}") == back


def test_a_router_becomes_a_radius_client_whose_secret_never_comes_out(api, isp):
    site = api.post("/sites", {"partner_id": isp.pk, "name": "Tower"})
    router = api.post("/routers", {"partner_id": isp.pk, "name": "North", "site_id": site["id"]})
    path = f"/routers/{router['id']}"
    problem(api.call("GET", f"{path}/nas"), 404)
    secret = "very-secret-word"
    answer = api.call("PUT", f"{path}/nas", {"address": f"10.9.{isp.pk % 250}.1", "secret": secret, "coa_port": 1700})
    nas = good(answer)
    assert (nas["coa_port"], nas["interim_s"]) == (1700, 300)
    assert api.put(f"{path}/nas", {"address": nas["address"], "interim_s": 600})["coa_port"] == 1700
    shown = api.call("GET", f"{path}/nas").content + api.call("GET", "/nas").content + answer.content
    assert b"secret" not in shown
    assert secret.encode() not in bytes(Nas.objects.get(pk=nas["id"]).secret)
    assert api.patch(path, {"name": "South"})["name"] == "South"
    assert api.get(path) in api.get("/routers")["items"]
    assert site in api.get("/sites")["items"]


def test_a_pool_is_made_renamed_and_watched(api, isp):
    pool = api.post("/pools", {"partner_id": isp.pk, "name": "North", "network": f"100.{64 + isp.pk % 64}.0.0/20"})
    assert pool["first"].endswith(".0.1")
    assert api.patch(f"/pools/{pool['id']}", {"name": "Northern"})["name"] == "Northern"
    assert api.get(f"/pools/{pool['id']}") in api.get("/pools")["items"]
    assert api.get(f"/pools/{pool['id']}/use")["size"] == 4094


def test_the_cause_table_is_edited_row_by_row(api, isp):
    row = api.patch(f"/partners/{isp.pk}/causes/2", {"list_name": "Debtors", "page_port": 8200})
    assert row in api.get(f"/partners/{isp.pk}/causes")
    rows = api.put(f"/partners/{isp.pk}/causes", {"preset": "demarc"})
    assert [(row["cause"], row["list_name"], row["page_port"]) for row in rows][2] == (2, "Reject_2", 8102)


def test_a_router_answers_a_cause_its_own_way(api, isp):
    router = api.post("/routers", {"partner_id": isp.pk, "name": "North"})
    path = f"/routers/{router['id']}/answers"
    before = api.get(path)["answers"]
    assert api.put(f"{path}/2", {"answer": "reject"})["answers"]["2"] == "reject"
    assert api.put(f"{path}/2", {"answer": None})["answers"] == before


def test_a_login_is_made_and_changed_and_its_password_never_comes_out(api, isp):
    _, service = new_service(api, isp)
    pool = api.post(
        "/pools", {"partner_id": isp.pk, "name": "Public", "network": f"192.0.2.{isp.pk % 32 * 8}/29", "kind": "static"}
    )
    made = api.post(
        "/logins", {"service_id": service["id"], "login": "ana", "password": "hush", "macs": ["00-11-22-33-44-55"]}
    )
    assert (made["login"], made["macs"], made["active"]) == ("ana", ["00:11:22:33:44:55"], False)
    path = f"/logins/{made['id']}"
    assert api.patch(path, {"static_ipv4": pool["first"]})["static_ipv4"] == pool["first"]
    before = bytes(Subscriber.objects.get(pk=made["id"]).secret)
    answer = api.call("PUT", f"{path}/password", {"password": "hush hush"})
    assert good(answer)["login"] == "ana"
    assert b"hush" not in answer.content
    assert bytes(Subscriber.objects.get(pk=made["id"]).secret) != before
    assert api.get(path) == api.get(f"/logins?service_id={service['id']}")["items"][0]


@pytest.fixture
def online(api):
    """A login that is online through a router, and his session."""
    stage = radius.scene(f"Online {clock.now().timestamp()}", number=next(ROUTERS))
    login = radius.login(radius.service(stage))
    session = radius.online(login, stage.nas, str(stage.dynamic.first))
    yield session
    SessionLive.objects.all().delete()


def test_a_session_is_found_and_disconnected(api, online):
    path = f"/services/{online.service_id}/router"
    problem(api.call("GET", path), 404)
    for query in ("q=ana", f"q={online.framed_ipv4}", f"service_id={online.service_id}"):
        (session,) = api.get(f"/sessions?{query}")["items"]
    assert (session["user_name"], session["router"], session["framed_ipv4"]) == ("ana", "North", online.framed_ipv4)
    assert api.post(f"/sessions/{session['id']}/disconnect")["state"] == "queued"
    assert api.get(path)["words"] == "disconnect: waiting to be sent"
    assert api.get(f"/sessions/past?service_id={online.service_id}") == {"items": [], "next": None}


def test_past_sessions_are_narrowed_by_time_router_and_cause(api, online):
    began = online.started_at - timedelta(days=2)
    radius.past(online.nas, online.subscriber, "gone", began, began + timedelta(hours=1), terminate_cause=2)
    of = f"/sessions/past?service_id={online.service_id}"

    def found(**query: Any) -> list[str]:
        return [one["session_id"] for one in api.get(f"{of}&{urlencode(query)}")["items"]]

    inside = (began + timedelta(minutes=30)).isoformat()
    assert found(since=inside, until=inside, router_id=online.nas.router_id, terminate_cause=2) == ["gone"]
    for other in ({"since": online.started_at.isoformat()}, {"until": (began - timedelta(days=1)).isoformat()},
                  {"terminate_cause": 1}, {"router_id": online.nas.router_id + 1000}):  # fmt: skip
        assert found(**other) == []
    problem(api.call("GET", f"{of}&since=2026-01-01T00:00:00"), 422)


def test_an_answer_is_looked_up_and_told_step_by_step(api, online):
    wrong = {"credentials": "fail", "cause": 4, "outcome": "reject", "why": "The password is wrong.", "address": None}
    told = radius.decided(online.nas, "ana", subscriber_id=online.subscriber_id, **wrong)
    query = f"/decisions?q=ana&outcome=reject&router_id={online.nas.router_id}"
    (one,) = api.get(query)["items"]
    assert (one["id"], one["cause"], one["mac"], one["why"]) == (told.pk, 4, told.station, "The password is wrong.")
    assert api.get(f"{query}&answered_by=old")["items"] == []
    assert api.get(f"/decisions?q=ana&outcome=accept&router_id={online.nas.router_id}")["items"] == []
    steps = {step["title"]: step for step in api.get(f"/decisions/{told.pk}")["steps"]}
    assert steps["Router"]["words"] == "North, known by its address"
    assert (steps["Password"]["words"], steps["Password"]["good"]) == ("PAP: the password is wrong.", False)
    problem(api.call("GET", "/decisions?hours=1000"), 422)
    problem(api.call("GET", f"/decisions/{told.pk + 10_000}"), 404)


def test_a_plan_s_volume_is_set_read_and_dropped(api, isp):
    _, service = new_service(api, isp)
    path, month = f"/plans/{service['plan_id']}/fair-use", f"/services/{service['id']}/month"
    assert api.get(path)["monthly_gb"] is None
    assert api.get(month)["volume_octets"] is None
    api.put(path, {"monthly_gb": 200, "down_kbps": 1000, "up_kbps": 500})
    assert (api.get(path)["monthly_gb"], api.get(path)["counts"]) == (200, "both")
    assert api.get(month) | {"service_id": 0} == {
        "service_id": 0, "octets": 0, "volume_octets": 200 * 10**9, "measured_at": None, "state": "",
    }  # fmt: skip
    problem(api.call("PUT", path, {"monthly_gb": 200, "down_kbps": 1000}), 422)
    assert good(api.call("DELETE", path))["monthly_gb"] is None
    block = f"/partners/{isp.pk}/fair-use/cisco"
    assert api.put(block, {"block": "cut"})["block"] == "cut"
    assert api.put(block, {"block": None})["block"] is None
    problem(api.call("PUT", block, {"block": "sideways"}), 422)


def test_every_list_is_read_in_pages(api, isp):
    made = [new_customer(api, isp, name)["id"] for name in ("Ana", "Ben", "Cid")]
    api = program("API full", isp)
    first = api.get("/customers?limit=2")
    assert [row["id"] for row in first["items"]] == made[:0:-1]
    rest = api.get(f"/customers?limit=2&after={first['next']}")
    assert ([row["id"] for row in rest["items"]], rest["next"]) == (made[:1], None)


def test_the_price_of_today_is_not_that_of_next_year(api, isp):
    plan = api.post("/plans", PLAN | {"partner_id": isp.pk, "name": "Later"})
    day = date(clock.now().year + 1, 1, 1)
    api.post(f"/plans/{plan['id']}/prices", {"valid_from": str(day), "price": "99.00"})
    assert api.get(f"/plans/{plan['id']}")["price"] == "40.00"
