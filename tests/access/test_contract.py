"""radiusd reaches the tables by SQL of its own, as a role of its own: every statement fits tables and grants."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from tests.access.scene import login, pool, scene, service, set_state
from tests.cast import AT, STAFF

from demarc import radiusd
from demarc.access import actions
from demarc.base.seal import Opener
from demarc.base.vault import keys_directory
from demarc.core.access import DEFAULT_ANSWERS, Cause
from demarc.network import actions as network
from demarc.network.queries import cause_rules, router_answers
from demarc.project.config import RADIUS
from demarc.radiusd import store, store_moving
from demarc.radiusd.grants import GRANTS
from demarc.radiusd.model import Model, parse
from demarc.wire.radius import Secret

STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", re.IGNORECASE)
PARAMETER = re.compile(r"%\((\w+)\)s")


def statements() -> Iterator[tuple[str, str]]:
    """Name and text of every SQL constant of radiusd's store modules."""
    for module in pkgutil.iter_modules(radiusd.__path__):
        if module.name.startswith("store"):
            for name, value in vars(importlib.import_module(f"demarc.radiusd.{module.name}")).items():
                if name.isupper() and not name.startswith("_") and isinstance(value, str) and STATEMENT.match(value):
                    yield f"{module.name}.{name}", value


STATEMENTS = dict(statements())


@pytest.fixture(scope="module")
def as_radiusd(django_db_setup, cluster):
    with psycopg.connect(cluster.url(RADIUS), autocommit=True, prepare_threshold=None) as conn:
        yield conn


def test_there_are_statements_to_look_at():
    assert "store.SUBSCRIBERS" in STATEMENTS
    assert "store_pages.STANDINGS" in STATEMENTS


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_of_radiusd_names_columns_that_exist_and_that_it_may_use(as_radiusd, name):
    text = STATEMENTS[name]
    parameters = list(dict.fromkeys(PARAMETER.findall(text)))
    numbered = PARAMETER.sub(lambda match: f"${parameters.index(match[1]) + 1}", text).replace("%%", "%")
    as_radiusd.execute("DEALLOCATE ALL")
    as_radiusd.execute(f"PREPARE statement AS {numbered}")
    nothing = f"({', '.join(['NULL'] * len(parameters))})" if parameters else ""
    as_radiusd.execute(f"EXPLAIN EXECUTE statement{nothing}")  # the planner finds names, the executor asks for grants


def test_radiusd_may_use_what_its_grants_name_and_nothing_else(as_radiusd):
    rows = as_radiusd.execute(
        """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v')
          AND (has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE')
               OR has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE'))
        """
    )
    assert {name for (name,) in rows} == {name for name in GRANTS if not name.endswith("_seq")}


@pytest.mark.parametrize("table", ["base_operationlog", "billing_transfer", "staff_login", "billing_payment"])
def test_money_logins_and_the_log_are_out_of_its_reach(as_radiusd, table):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_radiusd.execute(f"SELECT FROM {table} LIMIT 1")


def test_it_cannot_change_a_password_or_an_access_state(as_radiusd):
    for column in ("secret", "active", "cause"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_radiusd.execute(f"UPDATE access_subscriber SET {column} = NULL")


@pytest.fixture
def stage(db):
    return scene()


def as_radiusd_reads() -> Model:
    """The read model of radiusd, filled by its own statements."""
    model = Model(Opener((keys_directory() / "radius.key").read_bytes()))
    model.put_network(rows(store.POLICIES), rows(store.POOLS), rows(store.NASES), rows(store_moving.MOVING))
    model.put_subscribers(rows(store.SUBSCRIBERS, after=0, batch=100))
    return model


def rows(statement: str, **values) -> list[list]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return parse(cursor.fetchall())


def test_radiusd_reads_the_cause_table_and_every_routers_answers_as_they_were_set(stage):
    actions.publish_policy(stage.partner.pk, at=AT)
    south = network.create_router(partner_id=stage.partner.pk, name="South", nas_type="generic", by=STAFF, at=AT)
    actions.save_nas(router_id=south.pk, address="127.0.1.77", secret="testing123", by=STAFF, at=AT)
    network.set_router_cause(stage.router.pk, Cause.WRONG_PASSWORD, answer="pool", by=STAFF, at=AT)
    expected = router_answers([stage.partner.pk])
    clients = as_radiusd_reads().clients
    for router, client in ((stage.router, clients["127.0.1.1"]), (south, clients["127.0.1.77"])):
        answers = client.policy.nas[client.id].answers
        assert {cause: answers.get(cause, DEFAULT_ANSWERS[cause]) for cause in Cause} == expected[router.pk]
        table = {(rule.cause, rule.list_name, rule.pool_id, rule.page_port) for rule in cause_rules(stage.partner.pk)}
        read = {(r.cause, r.list_name, r.pool_id, r.page_port) for r in client.policy.rules.values()}
        assert read == table


def test_a_routers_own_pools_come_before_those_that_all_share_and_nobody_elses_come_at_all(stage):
    shared = pool(stage.partner, "For all", "172.30.0.0/24")
    second = pool(stage.partner, "Second", "172.31.0.0/24", router_id=stage.router.pk)
    scene("Other", number=1)
    client = as_radiusd_reads().clients["127.0.1.1"]
    assert client.policy.nas[client.id].pool_ids == (stage.dynamic.pk, second.pk, shared.pk)


def test_radiusd_reads_a_login_with_its_password_address_and_state(stage):
    ana = login(service(stage), static_ipv4="203.0.113.5", macs=["00:1a:2b:3c:4d:5e"], bind_mac=True)
    set_state(ana.service, 2)
    actions.sync_services([ana.service_id], at=AT)
    model = as_radiusd_reads()
    known = model.logins.of_partner(stage.partner.pk)[b"ana"]
    assert model.password(known) == b"secret"
    assert (known.rule.blocked, known.rule.macs) == (Cause.NO_MONEY, frozenset({"00:1A:2B:3C:4D:5E"}))
    assert (str(known.rule.static_ipv4), known.rate_limit) == ("203.0.113.5", "1M/5M")


def test_radiusd_reads_a_routers_old_server_as_it_was_set_and_none_that_is_not_used(stage):
    facts = {"host": "192.0.2.9", "auth_port": 1645, "acct_port": 1646, "timeout_ms": 700, "learn": False}
    actions.save_moving_in(
        router_id=stage.router.pk, mode="compare", secret="old secret", by=STAFF, at=AT, **facts
    )  # fmt: skip
    moving = as_radiusd_reads().clients["127.0.1.1"].moving
    assert (moving.mode, moving.host, moving.auth_port, moving.acct_port) == ("compare", "192.0.2.9", 1645, 1646)
    assert (moving.timeout_s, moving.learn) == (0.7, False)
    assert moving.secret.before(b"x") == Secret(b"old secret").before(b"x")
    actions.save_moving_in(router_id=stage.router.pk, mode="off", secret="", by=STAFF, at=AT)
    assert as_radiusd_reads().clients["127.0.1.1"].moving is None


def test_a_login_to_be_learned_has_no_password_and_is_not_unreadable(stage):
    options = {"to_be_learned": True, "by": STAFF, "at": AT}
    actions.create_subscriber(service_id=service(stage).pk, login="olga", password="", **options)
    model = as_radiusd_reads()
    assert model.password(model.logins.of_partner(stage.partner.pk)[b"olga"]) is None
    assert model.unreadable == set()


def test_it_may_add_to_what_was_learned_and_neither_read_nor_change_it(as_radiusd):
    for statement in ("SELECT FROM access_learned", "DELETE FROM access_learned", "SELECT FROM access_decision"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_radiusd.execute(statement)
