"""The second wall: what demarc_scoped sees when the application forgets to filter, and what it may do as always."""

import sys

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction
from django.db.utils import DataError
from django.http import StreamingHttpResponse
from django.test import RequestFactory
from psycopg import sql
from tests import cast
from tests.cast import STAFF
from tests.project.api_scene import program
from tests.project.api_world import OPERATIONS
from tests.staff.world import PASSWORD, World, address, logged_in, person, staff_pages, world

from demarc.access import actions as access
from demarc.base import clock, confinement, words
from demarc.base.confinement import confined
from demarc.base.models import OperationLog, Partner
from demarc.base.rows import insert
from demarc.billing.models import Document, Transfer
from demarc.customers.models import Customer
from demarc.customers.queries import customer_list, matching
from demarc.plans.models import Service
from demarc.project.config import OWNER, SCOPED
from demarc.project.roles import apply_grants
from demarc.project.row_security import PARTS, SHARED, SPECIAL, TABLES, rows_of
from demarc.staff import apidoor, doors
from demarc.staff.actions import create_login, create_token
from demarc.staff.models import ApiToken, Login, Role

MARK = "Quillfeather"
TEXTS = [
    "name",
    "text",
    "note",
    "reason",
    "subject",
    "body",
    "login",
    "user_name",
    "by_label",
    "actor_label",
    "session_id",
    "calling_station",
    "phone",
    "email",
    "website",
    "host",
    "description",
]
UNMARKED = ("django_", "procrastinate_", "auth_", "staff_role")
TEXT_COLUMNS = """
    select c.relname::text, a.attname::text, greatest(a.atttypmod - 4, 0)
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
      and a.atttypid in ('text'::regtype, 'varchar'::regtype) and a.attname = any(%s)
"""
PAGES = [one for one in staff_pages() if getattr(one.callback, "permission", "public") != "public"]
ROLES = {"role", "edit_role", "reset_role", "remove_role", "view_as"}
ABOUT_NOBODY = {"own_page", "passkey_remove", *ROLES}
"""Roles are everybody's: who works for some providers reads them, and the database lets him change none."""

READS = [one for one in OPERATIONS.values() if one.method == "GET"]


MAC = "02:00:5E:00:53:01"
SAMPLES = {"address": "172.16.16.10", "time": "2030-01-01T12:00:00", "q": MARK, "on": "2199-12-31"}
"""What API lists ask for."""


@pytest.fixture(scope="module")
def places(committed, cluster):
    """The other provider, in all of whose names and texts stands MARK, and ours."""
    other = world("Other", number=1)
    access.set_addresses(other.login.pk, macs=[MAC], by=STAFF, at=clock.now())
    program("Super administrator", other.partner)
    with psycopg.connect(cluster.superuser_url.replace("/postgres?", "/demarc?"), autocommit=True) as conn:
        conn.execute("set session_replication_role = replica")
        for table, column, width in conn.execute(TEXT_COLUMNS, [TEXTS]).fetchall():
            if not table.startswith(UNMARKED):
                marked = sql.SQL("update {0} set {1} = left({2} || {1}, {3})").format(
                    sql.Identifier(table), sql.Identifier(column), sql.Literal(MARK), sql.Literal(width or 1000)
                )
                conn.execute(marked)
    other.partner.refresh_from_db()
    return other, world("Ours", number=2)


@pytest.fixture(scope="module")
def other(places) -> World:
    return places[0]


@pytest.fixture(scope="module")
def ours(places) -> World:
    return places[1]


@pytest.fixture(scope="module")
def visitor(ours):
    """A browser of somebody who may do everything, for our provider."""
    login = person("Super administrator", "visitor")
    login.partners.set([ours.partner])
    return logged_in(login)


@pytest.fixture
def forgetful(monkeypatch):
    """An application that forgets what the viewer may see; only the doors still know."""
    for name, module in list(sys.modules.items()):
        if name.startswith("demarc."):
            if module not in (doors, apidoor) and hasattr(module, "scope"):
                monkeypatch.setattr(module, "scope", lambda request: None)
            if hasattr(module, "within"):
                monkeypatch.setattr(module, "within", lambda request, rows, key="partner_id": rows)
    monkeypatch.setattr(apidoor, "REQUESTS", 10**6)


def content(answer):
    whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return whole.decode(errors="replace")


def tables(cluster):
    with psycopg.connect(cluster.url(OWNER)) as conn:
        return dict(conn.execute(TABLES).fetchall())


def seen_of(conn, table):
    return conn.execute(sql.SQL("select count(*) from {}").format(sql.Identifier(table))).fetchone()[0]


def test_every_table_with_a_partner_has_a_policy(committed, cluster):
    policies = """
        select c.relname::text from pg_policy p join pg_class c on c.oid = p.polrelid
        where c.relrowsecurity and p.polname = 'own_rows' and %s::regrole = any(p.polroles) and p.polcmd = '*'
    """
    with psycopg.connect(cluster.url(OWNER)) as conn:
        guarded = {name for (name,) in conn.execute(policies, [SCOPED])}
    with_partner = {table for table, has_partner in tables(cluster).items() if has_partner}
    assert with_partner
    assert with_partner - guarded == set()


def test_what_has_no_policy_is_out_of_reach_or_belongs_to_nobody(committed, cluster):
    reach = "select c.relname::text from pg_class c where c.relkind in ('r', 'p') and not c.relrowsecurity"
    reach += " and c.relnamespace = 'public'::regnamespace and has_any_column_privilege(%s, c.oid, %s)"
    with psycopg.connect(cluster.url(OWNER)) as conn:
        reached = {name for (name,) in conn.execute(reach, [SCOPED, "select,insert,update"])}
    assert reached == set(SHARED)


def test_the_tables_that_are_named_exist(committed, cluster):
    assert {*PARTS, *SPECIAL, *SHARED} - set(tables(cluster)) == set()


def test_without_the_variable_there_is_no_row(places, cluster):
    with psycopg.connect(cluster.url()) as conn:
        everything = {table: seen_of(conn, table) for table in tables(cluster)}
        conn.execute("set local role demarc_scoped")
        for table, has_partner in tables(cluster).items():
            if rows_of(table, has_partner):
                assert seen_of(conn, table) == 0, table
    assert everything["customers_customer"] > 0


def test_each_row_is_one_partner_s_and_none_is_lost(places, cluster):
    """What two scoped readers see is all there is, and nothing twice."""
    other, ours = places
    everyones = {"base_operationlog", "base_idempotency", "staff_login", "staff_session", "mfa_authenticator"}
    with psycopg.connect(cluster.url()) as conn:
        found = {table: [seen_of(conn, table)] for table, has in tables(cluster).items() if rows_of(table, has)}
        for place in (other, ours):
            conn.execute("select set_config('role', 'demarc_scoped', true)")
            conn.execute("select set_config('demarc.partners', %s, true)", [f"{{{place.partner.pk}}}"])
            for table, counts in found.items():
                counts.append(seen_of(conn, table))
    assert [table for table, (whole, one, two) in found.items() if whole != one + two and table not in everyones] == []
    for table in ("customers_account", "billing_transfer", "billing_documentline", "access_sessionlive"):
        assert min(found[table]) > 0, table


def test_a_page_about_the_other_s_things_is_not_there(other, visitor, forgetful):
    """Also where the application looks for them among all rows."""
    for pattern in PAGES:
        answer = visitor.get(address(pattern, other))
        assert MARK not in content(answer), pattern
        if pattern.pattern.converters and pattern.name not in ABOUT_NOBODY:
            assert answer.status_code in (302, 404), pattern


LEAD_ELSEWHERE = {"settings", "passkey_remove", "end_view_as", "save_view"}
LEAD_ELSEWHERE |= {"block_customers", "unblock_customers", "write_customers"}
OWN_ACTS = {"operations"}
"""It shows what the visitor himself has searched for; whose rows it reads, the database says above."""


@pytest.mark.parametrize("query", ["", f"?partner={{}}&q={MARK}", "?format=csv"])
def test_no_list_search_count_or_export_shows_the_other(other, ours, visitor, forgetful, query):
    for pattern in (one for one in PAGES if not one.pattern.converters and one.name not in OWN_ACTS):
        answer = visitor.get(address(pattern, ours) + query.format(other.partner.pk))
        shown = content(answer)
        for echo in (
            f"q={MARK}",
            f'value="{MARK}"',
            f"\N{LEFT DOUBLE QUOTATION MARK}{MARK}\N{RIGHT DOUBLE QUOTATION MARK}",
        ):
            shown = shown.replace(echo, "")
        assert MARK not in shown, pattern


def test_staff_of_one_provider_see_every_page_of_theirs_and_nothing_else(ours, visitor, forgetful):
    for pattern in (one for one in PAGES if one.name not in {"own_pages", "remove_view", *OWN_ACTS}):
        answer = visitor.get(address(pattern, ours), follow=pattern.name in LEAD_ELSEWHERE)
        assert answer.status_code == 200, pattern
        assert MARK not in content(answer), pattern


def test_the_forgetful_application_would_show_it_all(other, forgetful, monkeypatch):
    """Else the tests above would prove nothing: without the second wall the markers are there."""
    login = person("Super administrator", "unwalled")
    login.partners.set([Partner.objects.exclude(pk=other.partner.pk).latest("id")])
    monkeypatch.setattr(confinement, "ENTER", "SELECT 1, %(partners)s, %(actor)s")
    client = logged_in(login)
    for pattern in (one for one in PAGES if one.name in {"customers", "customer", "payments", "sessions"}):
        assert MARK in content(client.get(address(pattern, other))), pattern


def test_what_is_posted_about_the_other_s_things_changes_nothing(other, visitor, forgetful):
    before = rows_of_partner(other.partner.pk)
    for pattern in (one for one in PAGES if one.pattern.converters and one.name not in ROLES):
        answer = visitor.post(address(pattern, other))
        assert MARK not in content(answer), pattern
    assert rows_of_partner(other.partner.pk) == before


def rows_of_partner(partner_id):
    """How many rows of each kind, and a fingerprint of those that buttons change."""
    with connection.cursor() as cursor:
        found = []
        for table in ("customers_customer", "plans_service", "billing_document", "access_subscriber", "billing_wave"):
            rows = f"from {table} t where partner_id = %s"
            cursor.execute(f"select count(*), md5(string_agg(t::text, '' order by id)) {rows}", [partner_id])
            found.append(cursor.fetchone())
    return found


def test_the_api_shows_nothing_of_the_other(other, ours, forgetful):
    ids = other.ids | {
        "location_id": 1,
        "site_id": 1,
        "parent_id": other.late.account.pk,
        "day_id": 1,
        "transfer_id": 1,
    }
    caller = program("Super administrator", ours.partner)
    for operation in READS:
        answer = caller.call("GET", operation.at(dict.fromkeys(operation.named, 1) | SAMPLES | ids))
        assert MARK not in content(answer), operation.id
        assert answer.status_code < 500, operation.id


def test_error_texts_name_nobody_else_s(other, ours, forgetful):
    """The other's address, login and router are taken; who has them is not told."""
    caller = program("Super administrator", ours.partner)
    nas = caller.call("PUT", f"/routers/{ours.ids['router_id']}/nas", {"address": "127.0.1.2", "secret": "x" * 12})
    mine = {"partner_id": ours.partner.pk}
    pool = {"name": "Again", "network": "172.16.16.0/24", "kind": "dynamic"}
    shared = {"inside": "100.64.0.0/30", "outside": str(other.nat_range.outside), "ports_each": 1000}
    renamed = {"name": Partner.objects.get(pk=other.partner.pk).name}
    answers = [
        nas,
        caller.call("POST", "/pools", mine | pool),
        caller.call("POST", "/nat-ranges", mine | shared),
        caller.call("PATCH", f"/partners/{ours.partner.pk}", renamed),
        caller.call("PATCH", f"/logins/{ours.login.pk}", {"macs": [MAC], "bind_mac": True}),
    ]
    for answer in answers:
        assert answer.status_code in (409, 422), content(answer)
        assert "holder" not in answer.json()
        assert MARK not in content(answer).replace(renamed["name"], "")


def test_a_reseller_s_desk_works_as_ever(ours):
    login = person("Super administrator", "desk")
    login.partners.set([ours.partner])
    client = logged_in(login)
    made = client.post(
        "/customers/new/", {"name": "Nina", "category": "person", "billing_type": "prepaid"}, follow=True
    )
    assert made.status_code == 200
    nina = Customer.objects.get(name="Nina")
    assert nina.partner_id == ours.partner.pk
    account = cast.account_of(nina)
    caller = program("Super administrator", ours.partner)
    service = caller.post("/services", {"customer_id": nina.pk, "plan_id": ours.scene.plan.pk}, key="nina-s")
    caller.post("/payments", {"account_id": account.pk, "amount": "50.00", "method": "cash"}, key="nina-1")
    assert Transfer.objects.filter(account=account, kind="payment").exists()
    assert Service.objects.get(pk=service["id"]).partner_id == ours.partner.pk
    named = ("customer", nina.pk)
    assert OperationLog.objects.filter(subject_kind=named[0], subject_id=named[1]).exists()


def test_nothing_of_it_stays_on_the_connection(ours, visitor):
    """Neither after an answer nor after an error: the next request over it is another's."""
    boss = logged_in(person("Super administrator", "boss"))
    visitor.get("/customers/")
    visitor.get("/customers/999999999/")
    assert role_now() == ("demarc_app", "", "")
    assert MARK in content(boss.get("/customers/"))
    caller = program("Super administrator", ours.partner)
    for path in ("/customers", "/customers/999999999"):
        caller.call("GET", path)
        assert role_now() == ("demarc_app", "", "")
    assert MARK in content(program("Super administrator").call("GET", "/customers"))


def role_now():
    with connection.cursor() as cursor:
        cursor.execute(
            "select current_user::text, coalesce(current_setting('demarc.partners', true), ''),"
            " coalesce(current_setting('demarc.actor', true), '')"
        )
        return cursor.fetchone()


def test_an_error_in_a_view_leaves_no_role_behind(ours):
    def breaks(request):
        with connection.cursor() as cursor:
            cursor.execute("select 1 / 0")

    login = Login.objects.get(username=f"clerk-of-{ours.partner.pk}")
    request = asked(login)
    with pytest.raises(DataError, match="division by zero"), transaction.atomic():
        doors.signed_in(breaks)(request)
    assert role_now() == ("demarc_app", "", "")


def test_what_is_sent_piece_by_piece_is_confined_as_well(other, ours):
    """A file is made after the view, whose transaction has ended."""

    def view(request):
        return StreamingHttpResponse(one.name for one in Customer.objects.order_by("id").iterator())

    with transaction.atomic():
        answer = doors.signed_in(view)(asked(Login.objects.get(username=f"clerk-of-{ours.partner.pk}")))
    pieces = iter(answer)
    assert ours.partner.name in next(pieces).decode()
    assert role_now()[0] == SCOPED
    assert not any(MARK in piece.decode() for piece in pieces)
    assert role_now() == ("demarc_app", "", "")


def asked(login):
    request = RequestFactory().get("/")
    request.user = login
    request.session = logged_in(login).session
    return request


def test_a_row_of_another_partner_can_be_neither_made_nor_taken_over(other, ours):
    def refused(act):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            act()

    facts = {"number": "x1", "name": "x", "status_since": clock.now()}
    with transaction.atomic(), confined([ours.partner.pk], STAFF):
        assert Partner.objects.filter(pk=other.partner.pk).update(name="x") == 0
        refused(lambda: Customer.objects.create(partner_id=other.partner.pk, **facts))
        refused(lambda: Customer.objects.filter(pk=ours.customer.pk).update(partner_id=other.partner.pk))
    assert MARK in Partner.objects.get(pk=other.partner.pk).name


def test_of_logins_and_tokens_without_providers_only_those_made_here_are_seen(ours):
    """Not what others make at the same time, though it is as young."""
    by = {"by": STAFF, "at": clock.now()}
    with transaction.atomic(), confined([ours.partner.pk], STAFF):
        Login.objects.using("apart").create(username="theirs-now")
        cashier = Role.objects.get(name="Cashier").pk
        theirs = {"name": "theirs-now", "digest": b"theirs", "role_id": cashier, "created_by_label": "x"}
        ApiToken.objects.using("apart").create(**theirs)
        mine = create_login(username="mine-now", password=PASSWORD, role="Cashier", **by)
        savepoint = transaction.savepoint()
        create_login(username="undone-now", password=PASSWORD, role="Cashier", **by)
        transaction.savepoint_rollback(savepoint)
        create_token("mine-now", "Cashier", **by)
        assert set(Login.objects.filter(username__endswith="-now")) == {mine}
        assert [one.name for one in ApiToken.objects.filter(name__endswith="-now")] == ["mine-now"]
    with transaction.atomic(), confined([ours.partner.pk], STAFF):
        assert not Login.objects.filter(username__endswith="-now").exists()


def test_to_be_confined_needs_a_transaction(ours):
    with pytest.raises(RuntimeError), confined([ours.partner.pk], STAFF):
        pass


def test_what_stays_the_same_is_not_made_anew(places, cluster):
    """`up` says at every start who may do what; a policy made anew would lock a table that others use."""
    oids = "select array_agg(oid order by oid) from pg_policy"
    with psycopg.connect(cluster.url(OWNER)) as conn:
        before = conn.execute(oids).fetchone()
        apply_grants(conn)
        assert conn.execute(oids).fetchone() == before


def plan_of(statement, *parameters):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        cursor.execute(f"explain {statement}", parameters)
        return "\n".join(line for (line,) in cursor.fetchall())


def test_the_application_s_own_plans_are_what_they_were(ours):
    """Also with LIKE, which row policies keep from indexes for those whom they bind."""
    plan = plan_of("select id from access_sessionlog where user_name like 'ana%%' and started_at > now()")
    assert "~>=~ 'ana'" in plan
    assert "current_setting" not in plan
    assert "current_setting" not in plan_of("select sum(amount) from billing_transfer where partner_id = 1")


def test_a_reseller_s_search_by_number_has_its_index(ours):
    wanted, parameters = Document.objects.filter(words.beginning("number", "2026")).query.sql_with_params()
    with transaction.atomic(), confined([ours.partner.pk], STAFF):
        plan = plan_of(wanted, *parameters)
    assert "~>=~ '2026'" in plan[plan.index("Index Cond") :]
    assert "billing_document_begins" in plan


def test_a_reseller_s_search_reads_his_own_customers_only(ours, cluster):
    """Names are looked through, but not those of all others: the policy is an index condition."""
    now, other = clock.now(), Partner.objects.exclude(pk=ours.partner.pk).earliest("id")
    insert(
        [
            Customer(partner=other, number=f"many-{n}", name=f"Ana {n}", status_since=now, created_at=now)
            for n in range(3000)
        ]
    )
    with psycopg.connect(cluster.url(OWNER)) as conn:
        conn.execute("analyze customers_customer")
    wanted, parameters = customer_list(None).filter(matching("Ana", None)).query.sql_with_params()
    with transaction.atomic(), confined([ours.partner.pk], STAFF):
        plan = plan_of(wanted, *parameters)
    assert "partner_id = ANY" in plan
    assert "Seq Scan on customers_customer" not in plan
