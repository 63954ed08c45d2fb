"""The page of the operation log: found by customer, person, action and time; before and after; nobody else's."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests import cast
from tests.cast import AT
from tests.staff.world import logged_in, person, words

from demarc.base import clock, log, sql
from demarc.base.actors import SYSTEM, Actor
from demarc.base.keeping import keep_days
from demarc.base.models import OperationLog
from demarc.customers import actions as customers
from demarc.network import actions as network
from demarc.staff.actions import create_token

HOSTILE = "<script>alert(1)</script>"
pytestmark = pytest.mark.usefixtures("pages")


@pytest.fixture
def ana():
    return cast.customer(cast.partner(), "Ana Berg")


@pytest.fixture
def chief() -> Client:
    return logged_in(person("Administrator"))


def change(customer, at=AT, **facts):
    by = Actor("staff", 77, "Desk", "192.0.2.5", "r1")
    customers.update_customer(customer.pk, by=by, at=at, **facts)
    return OperationLog.objects.latest("id")


def listed(client, **asked):
    answer = client.get("/logs/operations/", asked)
    assert answer.status_code == 200
    return words(answer)


def test_a_change_shows_before_and_after_who_and_from_where(ana, chief):
    entry = change(ana, city="Lloret")
    change(ana, city=HOSTILE)
    answer = chief.get(f"/logs/operations/{entry.pk}/")
    said = words(answer)
    for told in ("City", "nothing", "Lloret", "Desk", "192.0.2.5", "Updated", f"customer {ana.pk}", "Within seconds"):
        assert told in said, told
    page = chief.get("/logs/operations/").content.decode()
    assert HOSTILE not in page
    assert "City: Lloret →" in words(chief.get("/logs/operations/"))
    assert OperationLog.objects.filter(verb="viewed", subject_kind="operation", subject_id=entry.pk).exists()


def test_it_is_found_by_customer_person_action_time_and_address(ana, chief):
    other = cast.customer(ana.partner, "Ben Oak")
    change(ana, city="Lloret", at=AT)
    change(other, city="Blanes", at=AT + timedelta(days=3))
    for asked, found in (
        ({"q": "ana b"}, "Lloret"),
        ({"q": f"customer {ana.pk}"}, "Lloret"),
        ({"q": other.number}, "Blanes"),
        ({"until": "2024-05-02T00:00"}, "Lloret"),
        ({"from": "2024-05-02T00:00", "verb": "updated"}, "Blanes"),
    ):
        said = listed(chief, **asked)
        assert found in said, asked
        assert {"Lloret": "Blanes", "Blanes": "Lloret"}[found] not in said, asked
    assert "Lloret" in listed(chief, q="192.0.2.5")
    assert "Lloret" not in listed(chief, q="192.0.2.6")
    assert "Lloret" not in listed(chief, q="nobody of this name")
    assert "Lloret" not in listed(chief, kind="view")
    assert "Lloret" not in listed(chief, who="system:0")


def test_what_was_removed_is_said_so(ana, chief):
    entry = change(ana, city="Lloret")
    log.purge(("customer", ana.pk), by=SYSTEM, at=AT, partner_id=ana.partner_id)
    assert "Lloret" not in listed(chief, q=f"customer {ana.pk}")
    assert "What it said was removed" in words(chief.get(f"/logs/operations/{entry.pk}/"))


def test_a_resellers_staff_see_their_own_entries_only(ana):
    theirs = cast.customer(cast.partner("Reseller"), "Rosa")
    mine, own = change(ana, city="Lloret"), change(theirs, city="Blanes")
    seller = person("Administrator", "seller")
    seller.partners.set([theirs.partner_id])
    client = logged_in(seller)
    said = listed(client)
    assert "Blanes" in said
    assert "Lloret" not in said
    assert "sealed" not in said
    for asked in ({"q": "ana"}, {"q": f"customer {ana.pk}"}, {"q": "192.0.2.5"}, {"verb": "updated"}):
        assert "Lloret" not in listed(client, **asked)
    assert client.get(f"/logs/operations/{mine.pk}/").status_code == 404
    assert client.get(f"/logs/operations/{own.pk}/").status_code == 200


def test_only_who_may_see_the_log_gets_in_and_finds_the_way(ana, chief):
    desk = logged_in(person("Manager", "desk"))
    assert desk.get("/logs/operations/").status_code == 403
    assert "History" not in words(desk.get(f"/customers/{ana.pk}/"))
    router = network.create_router(partner_id=ana.partner_id, name="nas-1", by=SYSTEM, at=AT)
    plan = cast.plan(ana.partner)
    for page, asked in (
        (f"/customers/{ana.pk}/", f"customer+{ana.pk}"),
        (f"/routers/{router.pk}/", f"router+{router.pk}"),
        (f"/plans/{plan.pk}/", f"plan+{plan.pk}"),
    ):
        assert f'href="/logs/operations/?q={asked}"' in chief.get(page).content.decode()
    assert "Created" in listed(chief, q=f"router {router.pk}")


def test_the_list_asks_the_database_no_more_for_more_rows(ana, chief, django_assert_max_num_queries):
    chief.get("/logs/operations/")
    for number in range(45):
        log.record("updated", by=SYSTEM, at=AT, subject=("customer", 1000 + number), changed={"name": ["a", "b"]})
    with django_assert_max_num_queries(25):
        assert "Name: a → b" in words(chief.get("/logs/operations/"))


def test_the_api_lists_entries_for_tokens_that_may(ana):
    change(ana, city="Lloret")
    _, wrong = create_token("crm", "API full", by=SYSTEM, at=clock.now())
    _, right = create_token("siem", "Administrator", by=SYSTEM, at=clock.now())

    def asked(token, **query):
        return Client().get("/api/v1/operations", query, headers={"Authorization": f"Bearer {token}"})

    assert asked(wrong).status_code == 403
    answer = asked(right, about=f"customer:{ana.pk}", verb="updated").json()
    assert [item["body"]["changed"] for item in answer["items"]] == [{"city": ["", "Lloret"]}]
    assert len(asked(right, who="staff:77").json()["items"]) == 1
    assert asked(right, who="staff:78").json()["items"] == []
    assert answer["items"][0]["address"] == "192.0.2.5"
    assert OperationLog.objects.filter(verb="listed", subject_kind="operations", actor_kind="token").count() == 3
    theirs = cast.partner("Reseller")
    row, scoped = create_token("theirs", "Administrator", by=SYSTEM, at=clock.now())
    row.partners.set([theirs.pk])
    assert {item["partner_id"] for item in asked(scoped).json()["items"]} == {theirs.pk}


def test_an_old_entry_is_found_by_any_choice_however_many_came_after(ana, chief):
    change(ana, city="Lloret")
    log.record_refused("updated", by=SYSTEM, at=AT, subject=("customer", ana.pk), why="range")
    sql.execute("SELECT nextval(pg_get_serial_sequence('base_operationlog', 'id')) FROM generate_series(1, 30000)")
    change(ana, city="Blanes", at=clock.now())
    assert "Lloret" in listed(chief, kind="change")
    assert "range" in listed(chief, result="refused")
    assert "Lloret" in listed(chief)
    seller = person("Administrator", "seller")
    seller.partners.set([ana.partner_id])
    assert "Lloret" in listed(logged_in(seller), kind="change")


MANY = """
INSERT INTO base_operationlog (at, actor_kind, actor_id, actor_label, verb, subject_kind, result, request_id, kind)
SELECT now() - make_interval(mins => n), 'staff', 1, '', 'updated', 'partner', 'done', '', 'change'
FROM generate_series(1, 4000) n
"""


def test_each_choice_has_its_index(chief):
    sql.execute(MANY)
    for asked, index in (
        ({"q": "192.0.2.5"}, "base_log_address"),
        ({"until": "2024-05-02T00:00"}, "base_log_at"),
        ({"from": "2024-05-02T00:00"}, "base_log_at"),
        ({"kind": "sign_in"}, "base_log_kind"),
        ({"result": "refused"}, "base_log_refused"),
        ({"who": "system:0"}, "base_log_actor"),
    ):
        with CaptureQueriesContext(connection) as queries:
            listed(chief, **asked)
        (rows,) = [one["sql"] for one in queries if "LIMIT 51" in one["sql"] and "base_operationlog" in one["sql"]]
        plan = "\n".join(line for (line,) in sql.listed(f"EXPLAIN {rows.replace('%', '%%')}", []))
        assert index in plan, (asked, plan)


def test_how_long_entries_are_kept_is_decided_by_who_may_do_everything(ana, chief):
    page = "/logs/operations/keeping/"
    assert "Keep entries" not in listed(chief)
    assert chief.post(page, {"view": "365"}).status_code == 302
    assert set(keep_days().values()) == {None}
    chief = logged_in(person("Super administrator"))
    assert "Keep entries" in listed(chief)
    for days in ({"change": "3"}, {"change": "30"}, {"sign_in": "180"}):
        assert chief.post(page, {"view": "365", **days}).status_code == 422, days
    assert chief.post(page, {"view": "365"}).status_code == 302
    assert {kind.value: days for kind, days in keep_days().items()} == {
        "view": 365,
        "sign_in": None,
        "change": None,
        "work": None,
    }
    assert "View: nothing → 365" in listed(chief, verb="log_keeping_set")
    seller = person("Super administrator", "seller")
    seller.partners.set([ana.partner_id])
    assert logged_in(seller).post(page, {"view": "30"}).status_code == 302
    assert keep_days()["view"] == 365
