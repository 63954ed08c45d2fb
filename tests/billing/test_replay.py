"""The replay finds nothing in sound books and names what somebody changed; bean-check accepts the ledger."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests.billing.test_check import tell_a_month
from tests.billing.test_check_documents import tell

from demarc.base import sql
from demarc.billing import beancount, check, replay

BEAN_CHECK = str(Path(sys.executable).with_name("bean-check"))  # beancount's own, of this environment

BREAKS = (
    "UPDATE billing_cover SET amount = amount + 1",
    "UPDATE billing_cover SET of_days = of_days + 1",
    "UPDATE plans_planprice SET amount = amount + 7",
    "UPDATE plans_servicefact SET state = 'paused' WHERE state = 'active'",
    "UPDATE plans_servicefact SET valid_from = valid_from + 2 WHERE state = 'active'",
    "UPDATE plans_servicefact SET quantity = 2 WHERE state = 'active'",
    "UPDATE billing_transfer SET amount = amount + 2 WHERE kind = 'charge'",
    "UPDATE billing_ledgeraccount SET balance = balance + 1 WHERE kind = 'payer'",
    "DELETE FROM billing_cover WHERE id = (SELECT min(id) FROM billing_cover WHERE replaced_by_id IS NULL)",
    "UPDATE billing_documentline SET amount = amount + 1 WHERE id = (SELECT min(id) FROM billing_documentline)",
    "UPDATE billing_documenttax SET tax = tax + 1; UPDATE billing_document SET tax = tax + 1, gross = gross + 1",
)


def replayed():
    """How many accounts, and all that there is to say of them."""
    walk, found = replay.Replay(), []
    while (some := walk.chunk()) is not None:
        found += some
    return walk.accounts, found


@pytest.fixture(scope="module")
def superuser(django_db_setup, django_db_blocker, cluster):
    """A database with documents and prepaid days in it, and one who may do anything there."""
    with django_db_blocker.unblock():
        tell()
        with psycopg.connect(make_conninfo(cluster.superuser_url, dbname="demarc"), autocommit=True) as conn:
            yield conn
        check.connection.close()
        cluster.fresh_database()


@pytest.mark.django_db
def test_a_month_of_prepaid_days_follows_from_its_facts():
    tell_a_month()
    assert replayed() == (4, [])


@pytest.mark.parametrize("statement", ["SELECT 1", *BREAKS])
def test_what_somebody_changed_is_named(superuser, monkeypatch, statement):
    monkeypatch.setattr(sql, "rows", lambda text, **given: superuser.execute(text, given).fetchall())
    with superuser.transaction(force_rollback=True):
        superuser.execute("SET LOCAL session_replication_role = replica")
        superuser.execute("ALTER TABLE billing_cover DROP CONSTRAINT billing_cover_once")
        superuser.execute(statement)
        accounts, found = replayed()
    assert accounts == 2
    assert bool(found) is (statement in BREAKS)


@pytest.mark.django_db
def test_bean_check_accepts_the_ledger_and_finds_a_cent_too_much(tmp_path):
    tell()
    whole = tmp_path / "ledger.beancount"
    lines = list(beancount.lines())
    whole.write_text("\n".join(lines) + "\n")
    accepted = subprocess.run([BEAN_CHECK, str(whole)], capture_output=True, text=True)
    assert accepted.returncode == 0, accepted.stderr
    assert sum(" balance " in line for line in lines) >= 2
    said, _, amount = lines[-1].removesuffix(" ~ 0 EUR").rpartition(" ")
    wrong = [*lines[:-1], f"{said} {Decimal(amount) + Decimal('0.01')} ~ 0 EUR"]
    whole.write_text("\n".join(wrong) + "\n")
    assert subprocess.run([BEAN_CHECK, str(whole)], capture_output=True).returncode != 0
