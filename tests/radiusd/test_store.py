"""radiusd's SQL against the tables as the migrations make them, as the role that runs it: names and grants fit."""

import re
from types import ModuleType

import psycopg
import pytest
from tests.cluster import Cluster

from demarc.project.config import RADIUS
from demarc.radiusd import store, store_coa, store_leases, store_moving, store_nas, store_pages, store_shipping
from demarc.radiusd.grants import GRANTS

MODULES = (store, store_coa, store_leases, store_moving, store_nas, store_pages, store_shipping)
STATEMENT = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")


def statements(module: ModuleType) -> list[tuple[str, str]]:
    return [
        (f"{module.__name__.rpartition('.')[2]}.{name}", text)
        for name, text in vars(module).items()
        if name.isupper() and isinstance(text, str) and STATEMENT.match(text)
    ]


ALL = [one for module in MODULES for one in statements(module)]


@pytest.fixture(scope="module")
def database(cluster: Cluster, django_db_setup: None):
    with psycopg.connect(cluster.url(RADIUS), autocommit=True) as conn:
        yield conn


@pytest.mark.parametrize("statement", [text for _, text in ALL], ids=[name for name, _ in ALL])
def test_every_statement_fits_the_tables_and_the_role(database, statement):
    names = re.findall(r"%\((\w+)\)s", statement)
    database.execute(f"EXPLAIN {statement}", dict.fromkeys(names))


def test_no_table_is_granted_that_no_statement_names():
    used = " ".join(text for _, text in ALL)
    tables = {table for table in GRANTS if not table.endswith("_id_seq")}
    assert {table for table in tables if table not in used} == set()


def test_there_are_as_many_statements_as_we_think():
    assert len(ALL) > 25
