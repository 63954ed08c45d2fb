"""What the tests' own database promises: the app's role, a fresh database after a commit."""

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from tests.cluster import TEMPLATE

from demarc.base.models import Partner
from demarc.radiusd.grants import GRANTS


@pytest.mark.django_db
def test_the_tests_run_as_the_app():
    with connection.cursor() as cursor:
        cursor.execute("select current_user, pg_has_role('demarc_owner', 'member')")
        assert cursor.fetchone() == ("demarc_app", False)


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["update {} set id = id", "delete from {}", "truncate {}"])
@pytest.mark.parametrize("table", ["billing_transfer", "base_operationlog"])
def test_what_is_written_once_cannot_be_changed_by_the_app(verb, table):
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(verb.format(table))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", [1, 2])
def test_a_committed_row_is_gone_in_the_next_test(turn):
    assert not Partner.objects.exists()
    Partner.objects.create(name="Committed")


def test_radiusd_may_do_what_its_grants_name_and_no_more(django_db_setup, cluster):
    cluster.make_database("grants", TEMPLATE)
    with psycopg.connect(cluster.superuser_url.replace("/postgres?", "/grants?")) as conn:
        rows = conn.execute(
            "select table_name, array_agg(distinct privilege_type::text) from information_schema.role_column_grants"
            " where grantee = 'demarc_radius' group by 1"
            " union all select table_name, array_agg(privilege_type::text) from information_schema.role_table_grants"
            " where grantee = 'demarc_radius' and privilege_type in ('DELETE', 'TRUNCATE', 'TRIGGER') group by 1"
        ).fetchall()
    held = {}
    for table, privileges in rows:
        held.setdefault(table, set()).update(privileges)
    named = {
        table: {privilege.partition(" ")[0] for privilege in privileges}
        for table, privileges in GRANTS.items()
        if not table.endswith("_seq")
    }
    assert held == named
