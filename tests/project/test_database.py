"""What the tests' own database promises: the app's role, a fresh database after a commit."""

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from demarc.base.models import Partner


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
