"""The checker of documents names each thing that somebody broke behind our back."""

import ast
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests import cast
from tests.billing.test_recurring import JAN_1, Story, at
from tests.cast import STAFF

from demarc.billing import actions, check, check_documents
from demarc.customers import actions as customers
from demarc.plans import actions as plans

NEWEST = "(SELECT max(id) FROM billing_document)"
BREAKS = {
    "taxes": [
        "UPDATE billing_documentline SET amount = amount + 1 WHERE id = (SELECT min(id) FROM billing_documentline)",
        "UPDATE billing_documentline SET rate = rate + 0.01",
        "UPDATE billing_documenttax SET net = net + 1, tax = tax - 1",
        "DELETE FROM billing_documenttax",
    ],
    "sums": ["UPDATE billing_documenttax SET net = net + 1", "DELETE FROM billing_documenttax"],
    "documents": [
        "UPDATE billing_document SET net = net + 1, gross = gross + 1 WHERE kind = 'invoice' AND source = 'run'",
        "UPDATE billing_document SET entry_id = entry_id + 1000 WHERE source = 'consumed'",
        "DELETE FROM billing_transfer WHERE kind = 'tax'",
        "DELETE FROM billing_document WHERE kind = 'credit_note'",
        "UPDATE billing_document SET account_id = (SELECT max(id) FROM customers_account) WHERE source = 'run'",
    ],
    "open": [
        "UPDATE billing_document SET open_amount = open_amount - 1 WHERE open_amount > 0",
        "DELETE FROM billing_allocation",
        "UPDATE billing_allocation SET amount = amount - 1",
    ],
    "idle": ["UPDATE billing_document SET open_amount = gross WHERE kind = 'invoice' AND source <> 'consumed'"],
    "numbers": [
        f"UPDATE billing_document SET number = '2024000099' WHERE id = {NEWEST}",
        f"DELETE FROM billing_document WHERE id = {NEWEST}",
        "UPDATE base_counter SET next_value = next_value + 1 WHERE series LIKE 'invoice%'",
    ],
    "days": [
        "UPDATE billing_cover SET amount = amount + 1",
        "UPDATE billing_cover SET replaced_by_id = NULL",
        "DELETE FROM billing_cover WHERE replaced_by_id IS NULL",
    ],
    "covers": [
        "UPDATE billing_cover SET amount = amount + 1",
        "UPDATE billing_cover SET of_days = of_days - 1",
        "UPDATE billing_cover SET last_day = last_day - 1 WHERE last_day > first_day",
    ],
    "facts": [
        "UPDATE billing_cover SET price = price + 100",
        "UPDATE plans_servicefact SET state = 'paused' WHERE state = 'active'",
        "UPDATE plans_planprice SET amount = amount + 100",
        "UPDATE billing_cover SET service_fact_id = 0",
    ],
    "held": [
        "UPDATE billing_billedthrough SET day = day + 1",
        "DELETE FROM billing_cover WHERE last_day = (SELECT max(last_day) FROM billing_cover)",
    ],
    "never": ["DELETE FROM billing_recurringstate"],
}
FACTS = {"since": date(2000, 1, 1), "last": date(2024, 12, 31)}
CASES = [(name, statement) for name, statements in BREAKS.items() for statement in statements]


def tell():
    """Invoices paid and open, a credit, something sold once, tax changed, and a prepaid month invoiced."""
    story = Story(price=20_000)
    story.tax("0.21")
    service = story.begin(at(1, 7))
    actions.bill_item(account_id=story.account.pk, text="Router", amount=5000, by=STAFF, at=at(1, 8))
    story.run(at(2, 1))
    cast.pay(story.account, 10_000, at=at(2, 2))
    cheaper = cast.plan(story.partner, "Small", price=10_000, at=JAN_1)
    plans.change_plan(service.pk, plan_id=cheaper.pk, by=STAFF, at=at(2, 20))
    story.correct(service, when=at(2, 20))
    customers.set_recurring_terms(
        story.partner.pk, valid_from=date(2020, 1, 1), invoice_consumed=True, by=STAFF, at=JAN_1
    )
    cast.subscriber(story.partner, story.plan, name="Prepaid", paid=50_000, at=at(2, 25))
    for day in range(26, 30):
        cast.open_day(story.partner, date(2024, 2, day))
    cast.open_day(story.partner, date(2024, 3, 1))
    assert actions.invoice_consumed(story.partner.pk, month=date(2024, 2, 1), by=STAFF, at=at(3, 1)) == 1
    assert story.documents[0].taxes.get().rate == Decimal("0.21")


def test_every_check_has_somebody_who_breaks_what_it_guards():
    assert set(BREAKS) == set(check_documents.CHECKS)


@pytest.fixture(scope="module")
def superuser(django_db_setup, django_db_blocker, cluster):
    """A database with documents in it, and one who may do anything there."""
    with django_db_blocker.unblock():
        tell()
        assert check.run(days=3000) == []
        with psycopg.connect(make_conninfo(cluster.superuser_url, dbname="demarc"), autocommit=True) as conn:
            yield conn
        check.connection.close()
        cluster.fresh_database()


@pytest.mark.parametrize(("name", "statement"), CASES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(CASES)])
def test_what_somebody_broke_is_named(superuser, name, statement):
    with superuser.transaction(force_rollback=True):
        superuser.execute("SET LOCAL session_replication_role = replica")
        for constraint in ("billing_document_sums", "billing_document_open", "billing_cover_days"):
            table = constraint.rpartition("_")[0]
            superuser.execute(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}")
        superuser.execute("ALTER TABLE billing_cover DROP CONSTRAINT billing_cover_once")
        changed = superuser.execute(statement)
        assert changed.rowcount != 0, "the break broke nothing"
        assert superuser.execute(check_documents.CHECKS[name], FACTS).fetchall(), f"{name} saw nothing"


def test_two_covers_of_one_day_are_refused_by_the_database(superuser):
    columns = (
        "service_id, document_id, first_day, last_day, month, of_days, plan_id, own, price, quantity, percent, fixed,"
    )
    columns += "amount, tax_category, rate, included, revenue, service_fact_id, price_fact_id"
    again = f"INSERT INTO billing_cover ({columns}) SELECT {columns} FROM billing_cover WHERE replaced_by_id IS NULL"
    with pytest.raises(psycopg.errors.ExclusionViolation), superuser.transaction(force_rollback=True):
        superuser.execute(again)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_document SET gross = gross + 1, net = net + 1",
        "DELETE FROM billing_document",
        "UPDATE billing_documentline SET amount = 0",
        "UPDATE billing_documenttax SET tax = 0",
        "UPDATE billing_cover SET amount = 0",
        "DELETE FROM billing_allocation",
    ],
)
def test_what_was_issued_is_not_changed(superuser, statement):
    with pytest.raises(psycopg.errors.RestrictViolation), superuser.transaction(force_rollback=True):
        superuser.execute(statement)


def test_the_checker_shares_no_code_with_what_it_checks():
    tree = ast.parse(Path(check_documents.__file__).read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
