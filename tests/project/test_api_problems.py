"""What goes wrong is told as a problem at the field to blame, leaves nothing behind, and never shows our insides."""

import json
import logging
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connections
from tests import cast
from tests.access import scene as radius
from tests.project.api_scene import good, partner, problem, program
from tests.project.api_world import OPERATIONS, resolved

from demarc.base import clock, idempotency
from demarc.base.models import Idempotency, OperationLog, Partner
from demarc.billing.models import Payment, Transfer
from demarc.core.errors import Refused
from demarc.customers.models import Customer
from demarc.network.api import actions as network_actions
from demarc.plans import actions as plans
from demarc.project.api import api as the_api
from demarc.project.openapi import TAGS

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def api():
    return program("API full")


@pytest.fixture
def isp():
    return partner()


@pytest.fixture
def account(isp):
    return cast.account_of(cast.customer(isp, at=clock.now()))


def payment(account, **facts):
    return {"account_id": account.pk, "amount": "20.00", "method": "cash"} | facts


def field_of(told):
    (error,) = told["errors"]
    assert error["message"]
    return error["field"]


NONSENSE = {
    "no JSON": b"{account",
    "empty": b"",
    "half a string": b'{"name": "',
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "a number": b"7",
    "null": b"null",
    "a list": b"[]",
    "deep": b'{"name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a long number": b'{"partner_id": ' + b"9" * 5000 + b"}",
    "not a number": b'{"partner_id": NaN, "name": Infinity}',
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
def test_a_body_that_is_nonsense_is_refused(api, body):
    answer = api.call("POST", "/customers", body)
    problem(answer, 400 if answer.status_code == 400 else 422)


def test_a_huge_body_is_refused(api):
    problem(api.call("POST", "/customers", b'{"name": "' + b"a" * 3_000_000 + b'"}'), 413)


BAD_CUSTOMERS = [
    ("name", ""),
    ("name", "a" * 201),
    ("name", "Ana\0"),
    ("name", "\x1b[31m"),
    ("name", "\ud800"),
    ("name", 7),
    ("name", None),
    ("name", ["Ana"]),
    ("partner_id", "1"),
    ("partner_id", True),
    ("partner_id", 1.0),
    ("partner_id", -1),
    ("partner_id", 10**30),
    ("billing_type", "barter"),
    ("category", "robot"),
    ("email", "at home"),
    ("language", "tlh"),
    ("location_id", 10**12),
    ("nickname", "Annie"),
]


@pytest.mark.parametrize(("field", "value"), BAD_CUSTOMERS)
def test_nonsense_in_a_customer_is_refused_at_its_field(api, isp, field, value):
    before = Customer.objects.count()
    answer = api.call("POST", "/customers", {"partner_id": isp.pk, "name": "Ana"} | {field: value})
    told = problem(answer, 404 if field == "location_id" else 422)
    assert field_of(told) == field
    assert Customer.objects.count() == before


BAD_AMOUNTS = [
    "",
    "ten",
    "1,000",
    "1e3",
    "20.001",
    "NaN",
    "0",
    "-5",
    "10000000000.01",
    "9" * 40,
    "9" * 4000,
    "٣",
    "1_0",
]


@pytest.mark.parametrize("amount", [*BAD_AMOUNTS, 20, 20.0, None, True])
def test_an_amount_that_is_none_is_refused_at_its_field(api, account, amount):
    answer = api.call("POST", "/payments", payment(account, amount=amount), key="none")
    assert field_of(problem(answer, 422)) == "amount"
    assert not Payment.objects.filter(account=account).exists()


BAD_DAYS = [
    "0000-01-01",
    "0001-01-01",
    "1999-12-31",
    "9999-12-31",
    "2024-02-30",
    "2024-1-1",
    "tomorrow",
    "",
    0,
    1717113600,
    "1717113600",
]


@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_day_that_is_none_is_refused_at_its_field(api, isp, account, day):
    answer = api.call("POST", "/payments", payment(account, received_on=day), key="none")
    assert field_of(problem(answer, 422)) == "received_on"
    answer = api.call("POST", f"/partners/{isp.pk}/terms", {"valid_from": day, "day_rule": "thirty"})
    assert field_of(problem(answer, 422)) == "valid_from"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("after=-1", "after"),
        (f"after={10**30}", "after"),
        ("status=odd", "status"),
        ("q=%00", "q"),
        ("q=" + "a" * 101, "q"),
    ],
)
def test_nonsense_in_a_filter_is_refused_at_its_name(api, query, field):
    assert field_of(problem(api.call("GET", f"/customers?{query}"), 422)) == field


@pytest.mark.parametrize("customer", ["0", "-1", "x", "1.5", str(2**63), "9" * 5000, "%00", "%F0%9F%92%A9"])
def test_a_strange_id_in_an_address_is_no_customer(api, customer):
    answer = api.call("GET", f"/customers/{customer}")
    problem(answer, answer.status_code if answer.status_code in (404, 422) else 404)


def test_an_unknown_address_and_method_are_problems_too(api):
    problem(api.call("GET", "/nothing/here"), 404)
    problem(api.call("POST", "/customers/"), 404)
    answer = api.call("DELETE", "/customers")
    problem(answer, 405)
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}


def test_who_holds_a_login_is_named(api):
    stage = radius.scene("Provider of holders", number=3)
    service = radius.service(stage)
    radius.login(service, "held")
    answer = api.call(
        "POST", "/logins", {"service_id": radius.service(stage, "Ben").pk, "login": "held", "password": "x"}
    )
    told = problem(answer, 409)
    assert (told["code"], told["holder"]) == ("taken", {"kind": "service", "id": service.pk})


def test_what_is_refused_halfway_leaves_nothing(api, monkeypatch):
    def refuse(*_, **__):
        raise Refused("Not today.", code="not_today")

    monkeypatch.setattr(network_actions, "set_up_partner", refuse)
    answer = api.call("POST", "/partners", {"name": "Halfway", "zone": "UTC", "currency": "EUR"})
    assert problem(answer, 422)["code"] == "not_today"
    assert not Partner.objects.filter(name="Halfway").exists()


def test_a_bug_leaves_nothing_and_shows_no_insides(api, monkeypatch, caplog):
    def stumble(*_, **__):
        raise RuntimeError("secret insides")

    monkeypatch.setattr(network_actions, "set_up_partner", stumble)
    with caplog.at_level(logging.ERROR):
        answer = api.call("POST", "/partners", {"name": "Stumbled", "zone": "UTC", "currency": "EUR"})
    told = problem(answer, 500)
    assert "insides" not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
    assert told["request_id"] in caplog.text
    assert "secret insides" in caplog.text
    assert not Partner.objects.filter(name="Stumbled").exists()


def test_what_fails_only_at_the_commit_is_a_problem_too(api, isp, monkeypatch):
    """A foreign key is checked there."""
    monkeypatch.setattr("demarc.network.actions.routers._check_router", lambda router: None)
    problem(api.call("POST", "/routers", {"partner_id": isp.pk, "name": "Lost", "site_id": 10**9}), 500)


def test_a_payment_without_a_key_is_refused(api, account):
    answer = api.call("POST", "/payments", payment(account))
    assert field_of(problem(answer, 422)) == "Idempotency-Key"
    for key in (" ", "a" * 65, "\x7f"):
        problem(api.call("POST", "/payments", payment(account), key=key), 422)
    assert not Payment.objects.filter(account=account).exists()


MOVING = {
    "accounts.edit", "payments.edit", "corrections.edit", "documents.edit",
    "runs.edit", "dunning.edit", "promises.edit",
}  # fmt: skip
MOVES_NONE = {
    "set_account_dunning_rules", "promise", "end_promise", "dispute", "end_dispute", "confirm_wave", "restore_wave",
    "stop_blocking", "allow_blocking", "note_outage", "end_outage",
    "foresee_conversion", "foresee_link", "foresee_credit", "unlink_account", "what_if", "begin_days",
    "cancel_item", "confirm_run", "pause_run", "resume_run", "cancel_run",
}  # fmt: skip
"""They decide who is blocked, say what would be, or steer a run or the days, which bill everyone once; what was done
once is refused the second time, or stays as it is."""


@pytest.mark.parametrize(
    "operation",
    [one for one in OPERATIONS.values() if one.permission in MOVING and one.id not in MOVES_NONE],
    ids=lambda one: one.id,
)
def test_whatever_moves_money_needs_a_key(operation):
    assert operation.parameters["Idempotency-Key"]["required"]


def test_the_same_payment_again_gets_the_same_answer_and_moves_nothing(api, account):
    first = api.call("POST", "/payments", payment(account, comment="May"), key="one")
    again = api.call("POST", "/payments", payment(account, comment="May"), key="one")
    assert (again.status_code, again.content) == (201, first.content)
    assert cast.balance(account) == 2000
    assert good(first) == api.get(f"/payments/{good(first)['id']}")


def test_a_payment_repeated_after_midnight_is_the_same(api, account, monkeypatch):
    first = api.post("/payments", payment(account), key="late")
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    assert api.post("/payments", payment(account), key="late") == first
    assert cast.balance(account) == 2000


@pytest.mark.parametrize("other", [{"amount": "20.01"}, {"comment": "June"}, {"method": "bank"}])
def test_a_key_used_for_another_payment_is_refused(api, account, other):
    api.post("/payments", payment(account), key="one")
    told = problem(api.call("POST", "/payments", payment(account) | other, key="one"), 409)
    assert (told["code"], field_of(told)) == ("conflict", "Idempotency-Key")
    assert cast.balance(account) == 2000


def test_a_key_names_one_request_whatever_it_moves(api, account):
    paid = api.post("/payments", payment(account), key="one")
    problem(api.call("POST", f"/payments/{paid['id']}/refund", {"amount": "1"}, key="one"), 409)
    correction = {"amount": "1.00", "reason": "Typed wrong"}
    problem(api.call("POST", f"/accounts/{account.pk}/corrections", correction, key="one"), 409)
    api.post(f"/accounts/{account.pk}/corrections", correction, key="two")
    problem(api.call("POST", f"/accounts/{account.pk}/corrections", correction | {"reason": "Gift"}, key="two"), 409)
    assert api.post(f"/accounts/{account.pk}/corrections", correction, key="two")["amount"] == "1.00"
    assert cast.balance(account) == 2100


def test_programs_may_choose_the_same_key(api, account):
    api.post("/payments", payment(account), key="one")
    program("API full").post("/payments", payment(account), key="one")
    assert cast.balance(account) == 4000


def test_a_refused_payment_frees_its_key(api, account):
    problem(api.call("POST", "/payments", payment(account, amount="0"), key="one"), 422)
    api.post("/payments", payment(account), key="one")


def test_what_the_table_forgot_the_ledger_still_knows(api, account):
    first = api.post("/payments", payment(account), key="old")
    Idempotency.objects.all().delete()
    assert api.post("/payments", payment(account), key="old") == first
    assert cast.balance(account) == 2000


def test_old_answers_are_forgotten(api, account):
    api.post("/payments", payment(account), key="old")
    Idempotency.objects.filter(key="old").update(at=clock.now() - idempotency.KEPT - timedelta(hours=1))
    api.post("/payments", payment(account), key="new")
    assert not Idempotency.objects.filter(key="old").exists()
    assert Idempotency.objects.filter(key="new").exists()


def test_two_at_once_under_one_key_move_the_money_once(api, account):
    """Each in a thread of its own, as web processes serve them."""
    answers, start = [], Barrier(4)

    def send():
        start.wait()
        answers.append(api.call("POST", "/payments", payment(account), key="race").content)
        connections.close_all()

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1
    assert json.loads(answers[0])["amount"] == "20.00"
    assert Transfer.objects.filter(account=account).count() == 1


def test_a_service_is_activated_once(api, isp):
    service = cast.service(cast.customer(isp, at=clock.now()), cast.plan(isp), at=clock.now())
    api.post(f"/services/{service.pk}/activate")
    problem(api.call("POST", f"/services/{service.pk}/activate"), 422)


def test_a_refusal_after_a_log_row_neither_waits_nor_loses_its_own(api, isp, monkeypatch):
    """The action's rows go with its transaction; the refusal's row stays, and the key that seals it."""
    service = cast.service(cast.customer(isp, at=clock.now()), cast.plan(isp), at=clock.now())
    end = plans.end_service

    def end_and_refuse(*args, **facts):
        end(*args, **facts)
        raise Refused("On second thoughts, no.", code="second_thoughts")

    monkeypatch.setattr(plans, "end_service", end_and_refuse)
    problem(api.call("POST", f"/services/{service.pk}/end"), 422)
    rows = OperationLog.objects.filter(actor_kind="token", actor_id=api.row.pk)
    assert [(row.verb, row.result) for row in rows] == [("refused", "refused")]
    service.refresh_from_db()
    assert service.state == "pending"


def references(node):
    """Every $ref in a document."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


def test_the_document_is_sound(api):
    document = good(api.call("GET", "/openapi.json"))
    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(document["info"])
    for reference in set(references(document)):
        assert reference.startswith("#/components/schemas/")
        assert reference.rsplit("/", 1)[1] in document["components"]["schemas"], reference
    assert "Token" in document["components"]["securitySchemes"]
    assert {tag["name"] for tag in document["tags"]} == set(TAGS)
    assert len(OPERATIONS) == sum(len(methods) for methods in document["paths"].values())


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
def test_every_operation_says_what_it_does_takes_and_gives(operation):
    details = operation.details
    assert details["summary"][0].isupper()
    assert not details["summary"].endswith(".")
    assert set(details["tags"]) <= set(TAGS)
    in_path = {one["name"] for one in details["parameters"] if one["in"] == "path" and one["required"]}
    assert in_path == set(operation.path_names)
    (success,) = set(details["responses"]) - {"default"}
    if operation.id == "document_pdf":
        assert set(details["responses"][success]["content"]) == {"application/pdf"}
        return
    answer = details["responses"][success]["content"]["application/json"]["schema"]
    for schema in (resolved(answer.get("items", answer)), operation.body):
        assert not schema or schema["description"]
        assert not schema or schema["properties"]
    problem_schema = details["responses"]["default"]["content"]["application/problem+json"]["schema"]
    assert {"title", "status", "detail"} <= set(resolved(problem_schema)["properties"])
    assert the_api.document["paths"][operation.path][operation.method.lower()] is details


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS.values() if one.method == "PATCH"], ids=lambda one: one.id
)
def test_a_body_of_changes_shows_no_defaults_that_a_program_could_fill_in(operation):
    assert operation.body["properties"]
    assert not [name for name, schema in operation.body["properties"].items() if "default" in schema]


def test_a_new_customer_has_defaults():
    assert OPERATIONS["create_customer"].body["properties"]["billing_type"]["default"] == "prepaid"
