"""radiusd reaches the tables by SQL of its own, as a role of its own: every statement fits tables and grants."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import psycopg
import pytest

from demarc import radiusd
from demarc.project.config import RADIUS
from demarc.radiusd.grants import GRANTS

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
