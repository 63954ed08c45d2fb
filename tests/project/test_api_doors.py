"""Who may pass the API's doors: every operation against those without a token, without the right, from next door."""

import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from tests.cast import STAFF
from tests.project.api_scene import Program, partner, problem, program
from tests.project.api_world import ID, OPERATIONS, isp

from demarc.access.models import CoaIntent
from demarc.base import clock
from demarc.base.models import OperationLog
from demarc.base.vault import open_for_subject
from demarc.project.api import api as the_api
from demarc.staff import apidoor
from demarc.staff.actions import create_token, revoke_token
from demarc.staff.actions.tokens import Limits
from demarc.staff.models import ApiToken, Role
from demarc.staff.permissions import PERMISSIONS, grants

pytestmark = pytest.mark.usefixtures("committed")

EVERY = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
NAMING = pytest.mark.parametrize(
    ("operation", "name"),
    [(operation, name) for operation in OPERATIONS.values() for name in sorted(operation.named)],
    ids=lambda part: part if isinstance(part, str) else part.id,
)
NOWHERE = 10**12
ASKS_BY_POST = {"trace_address"}
"""A question with a reason, which is written down: it changes nothing."""
ABOUT_A_CUSTOMER = {"customer_id", "account_id", "service_id", "payment_id", "login_id"}


@pytest.fixture(scope="module", autouse=True)
def generous():
    """The matrix makes more requests than a minute allows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apidoor, "REQUESTS", 10**6)
        patch.setattr(apidoor, "WRONG_TOKENS", 10**6)
        yield


@pytest.fixture(scope="module")
def ours(committed):
    return isp(1)


@pytest.fixture(scope="module")
def theirs(committed):
    return isp(2)


@pytest.fixture(scope="module")
def neighbour(ours, theirs):
    """A program of the other provider; it may do everything, there."""
    return program("Super administrator", theirs[0])


@pytest.fixture(scope="module")
def closed_tokens(committed):
    """Tokens that open nothing, by what is wrong with them."""
    revoked = program()
    revoke_token(revoked.row.pk, by=STAFF, at=clock.now())
    return {
        "none": Program(),
        "unknown": Program("demarc_nobody-made-this-one"),
        "revoked": revoked,
        "expired": program(expires_at=clock.now() - timedelta(seconds=1)),
        "odd": Program("é\x7f'; --"),
    }


@pytest.fixture(scope="module")
def programs(committed):
    """A program of each role."""
    return {role.name: program(role.name) for role in Role.objects.filter(bound=False)}


def test_every_url_of_the_api_is_an_operation_of_the_document():
    (resolver,) = [one for one in get_resolver().url_patterns if getattr(one, "namespace", "") == "api"]
    paths = {str(one.pattern) for one in resolver.url_patterns if isinstance(one, URLPattern)}
    documented = {re.sub(r"{(\w+)}", r"<\1>", path.removeprefix("/api/v1/")) for path in the_api.document["paths"]}
    assert paths == documented | {"openapi.json", ""}


@EVERY
def test_every_operation_names_a_permission_and_needs_a_token(operation):
    assert operation.permission in PERMISSIONS
    assert operation.details["security"] == [{"Token": []}]
    looks = operation.permission.endswith(".see")
    assert looks == (operation.method == "GET" or operation.id in ASKS_BY_POST)


@EVERY
def test_a_token_that_opens_nothing_is_refused_everywhere(operation, ours, closed_tokens):
    for wrong, closed in closed_tokens.items():
        answer = closed.call(operation.method, operation.at(ours[1]), operation.filled(ours[1]), key="k")
        problem(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer", wrong


@EVERY
def test_a_role_passes_just_where_its_permission_lets_it(operation, programs):
    nothing = dict.fromkeys([*operation.path_names, *operation.parameters], NOWHERE)
    for name, caller in programs.items():
        answer = caller.call(operation.method, operation.at(nothing), {})
        may = grants(caller.row.role.permissions, operation.permission)
        assert (answer.status_code == 403) == (not may), (name, answer.content)
        if not may:
            assert operation.permission in problem(answer, 403)["detail"]


@NAMING
def test_what_is_next_door_does_not_exist(operation, name, ours, theirs, neighbour):
    """All ids are the neighbour's own but one: he is answered as if there were no such thing anywhere."""
    answers = []
    for wrong_id in (ours[1][name], NOWHERE):
        values = theirs[1] | {name: wrong_id}
        path = operation.at(values)
        if name in operation.parameters and "?" not in path:
            path += f"?{name}={wrong_id}"
        answer = neighbour.call(operation.method, path, operation.filled(values, name), key=f"{name}{wrong_id}")
        answers.append((answer.status_code, without_ids(answer)))
    assert answers[0] == answers[1]
    if operation.method == "GET" and "?" in path and not operation.path_names and answers[0][0] == 200:
        assert answers[0][1]["items"] == []
    else:
        assert answers[0][0] in (404, 422), answers
        required = name in operation.path_names or name in operation.body.get("required", [])
        assert answers[0][0] == 404 or not required, answers


def without_ids(answer):
    told = answer.json()
    told.pop("request_id", None)
    return json.loads(re.sub(r"\d+", "0", json.dumps(told)))


@EVERY
def test_the_owner_of_the_same_things_is_not_told_that_they_are_missing(operation, ours):
    """Else the test above would prove nothing."""
    owner = program("Super administrator", ours[0])
    if operation.id == "new_partner":
        problem(owner.call(operation.method, operation.at(ours[1]), operation.filled(ours[1])), 403)
        return
    answer = owner.call(operation.method, operation.at(ours[1]), operation.filled(ours[1]), key=f"k-{operation.id}")
    assert answer.status_code in (200, 201, 202, 409, 422), answer.content
    if answer.status_code == 422:
        assert answer.json()["code"] not in ("invalid", "unknown"), answer.content


@pytest.mark.parametrize(
    "operation",
    [one for one in OPERATIONS.values() if one.method == "GET" and not one.path_names and one.id != "past_sessions"],
    ids=lambda one: one.id,
)
def test_a_list_shows_nothing_of_the_neighbour(operation, ours, theirs, neighbour):
    CoaIntent.objects.update(state="nak", error_cause=501)  # whatever other tests did with those that are stuck
    shown = neighbour.get(operation.at(theirs[1]))["items"]
    everything = program("Super administrator").get(operation.at(theirs[1]))["items"]
    assert 0 < len(shown) < len(everything)
    for row in shown:
        for name, value in row.items():
            if ID.fullmatch(name) and name in ours[1] and isinstance(value, int):
                assert value != ours[1][name], name


def test_a_scoped_token_makes_no_provider_and_works_for_no_other(ours, neighbour):
    told = problem(neighbour.call("POST", "/partners", {"name": "New", "zone": "UTC", "currency": "EUR"}), 403)
    assert told["code"] == "forbidden"
    told = problem(neighbour.call("POST", "/customers", {"partner_id": ours[1]["partner_id"], "name": "Ana"}), 404)
    assert told["errors"][0]["field"] == "partner_id"


def test_the_document_is_public():
    answer = Program().call("GET", "/openapi.json")
    assert (answer.status_code, answer.json()["openapi"]) == (200, "3.1.0")


def test_nobody_has_more_requests_than_the_limit(monkeypatch):
    monkeypatch.setattr(apidoor, "REQUESTS", 3)
    busy, other = program(), program()
    for _ in range(3):
        busy.get("/plans")
    answer = busy.call("GET", "/plans")
    problem(answer, 429)
    assert answer.headers["Retry-After"] == "60"
    other.get("/plans")


def test_guessing_tokens_ends_at_the_limit_and_stops_nobody_else(monkeypatch):
    monkeypatch.setattr(apidoor, "WRONG_TOKENS", 2)
    guesses = [Program(f"demarc_{n}").call("GET", "/plans").status_code for n in range(3)]
    assert guesses[-1] == 429
    program().get("/plans")


def test_a_token_used_where_it_may_not_be_costs_its_owner_nothing(monkeypatch):
    monkeypatch.setattr(apidoor, "REQUESTS", 3)
    monkeypatch.setattr(apidoor, "WRONG_TOKENS", 5)
    limits = Limits(networks=("127.0.0.1",))
    _, text = create_token("At home", "API full", by=STAFF, at=clock.now(), limits=limits)
    thief = Program(text, client=Client(REMOTE_ADDR="198.51.100.77"))
    assert [thief.call("GET", "/plans").status_code for _ in range(6)] == [403] * 5 + [429]
    assert [Program(text).call("GET", "/plans").status_code for _ in range(4)] == [200] * 3 + [429]


def test_a_token_is_noted_as_used_at_most_once_a_minute():
    caller = program()
    caller.get("/plans")
    first = ApiToken.objects.get(pk=caller.row.pk).last_used_at
    assert clock.now() - first < timedelta(minutes=1)
    caller.get("/plans")
    assert ApiToken.objects.get(pk=caller.row.pk).last_used_at == first
    ApiToken.objects.filter(pk=caller.row.pk).update(last_used_at=first - timedelta(minutes=2))
    caller.get("/plans")
    assert ApiToken.objects.get(pk=caller.row.pk).last_used_at > first


def told(row):
    """What a log row's sealed body says."""
    return open_for_subject(row.subject_kind, row.subject_id or 0, bytes(row.body)).decode() if row.body else ""


def last_row(caller):
    return OperationLog.objects.filter(actor_kind="token", actor_id=caller.row.pk).order_by("-id").first()


@pytest.mark.parametrize(
    "operation",
    [
        one
        for one in OPERATIONS.values()
        if one.method == "GET" and ABOUT_A_CUSTOMER & one.named and (one.path_names or one.id == "past_sessions")
    ],
    ids=lambda one: one.id,
)
def test_whoever_looks_at_a_customer_is_written_down(operation, ours):
    reader = program("Super administrator")
    reader.get(operation.at(ours[1]))
    row = last_row(reader)
    assert (row.verb, row.result) == ("viewed", "done")
    assert (row.subject_kind, row.subject_id, row.partner_id) == (
        "customer",
        ours[1]["customer_id"],
        ours[1]["partner_id"],
    )
    assert row.request_id


@pytest.mark.parametrize("noun", ["customers", "services", "logins", "payments", "sessions"])
def test_whoever_reads_a_list_of_people_is_written_down_with_his_filter(noun, ours):
    reader = program("Super administrator")
    shown = reader.get(f"/{noun}?limit=7")["items"]
    row = last_row(reader)
    assert (row.verb, row.subject_kind) == ("listed", noun)
    assert told(row) == f'{{"filter": {{"limit": 7}}, "count": {len(shown)}}}'


def test_a_refused_payment_and_a_forbidden_one_are_written_down(ours):
    cashier, technician = program("Reseller", ours[0]), program("Technician")
    account = ours[1]["account_id"]
    body = {"account_id": account, "amount": "0", "method": "cash"}
    problem(cashier.call("POST", "/payments", body, key="none"), 422)
    problem(technician.call("POST", "/payments", body, key="none"), 403)
    for caller, code in ((cashier, "out_of_range"), (technician, "forbidden")):
        row = last_row(caller)
        assert (row.verb, row.result, row.subject_kind, row.subject_id) == (
            "refused",
            "refused",
            "token",
            caller.row.pk,
        )
        assert "POST /api/v1/payments" in told(row)
        assert f'"code": "{code}"' in told(row)


def test_a_revoked_token_that_is_still_used_is_written_down(closed_tokens):
    revoked = closed_tokens["revoked"]
    problem(revoked.call("GET", "/customers"), 401)
    row = last_row(revoked)
    assert (row.verb, row.result, row.subject_id) == ("token_refused", "refused", revoked.row.pk)


def test_a_reading_program_that_finds_nothing_is_not_written_down_as_refused():
    reader = program("Manager")
    problem(reader.call("GET", f"/accounts/{NOWHERE}"), 404)
    assert last_row(reader) is None


def test_a_partner_of_a_token_may_be_one_of_several(ours, theirs):
    both = program("Super administrator", ours[0], theirs[0])
    shown = {row["id"] for row in both.get("/partners")["items"]}
    assert shown == {ours[0].pk, theirs[0].pk}
    assert partner().pk not in shown
