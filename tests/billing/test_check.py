"""The checker finds nothing in sound books, and names each thing that somebody broke behind our back."""

import ast
from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from tests import cast
from tests.cast import STAFF, midnight

from demarc.billing import actions, check
from demarc.customers import actions as customers
from demarc.plans import actions as plans

MAY = [date(2024, 5, day) for day in range(1, 32)]
NOON = timedelta(hours=12)


def tell_a_month():
    """Two providers, all that can happen within a month, by hand and by the run, punctual and late."""
    partner = cast.partner(zone="Europe/Prague")
    lima = cast.partner("Lima", zone="America/Lima", currency="PEN")
    plan, dear = cast.plan(partner, price=4000), cast.plan(partner, "Dear", price=6100)
    paula, larry = cast.paying_customer(partner, plan), cast.late_customer(partner, plan)
    own = cast.customer(partner, "Olga Own")
    cast.pay(cast.account_of(own), 5000)
    cast.activate(cast.service(own, dear, price_override=1))
    cast.paying_customer(lima, cast.plan(lima, price=999))
    for day in MAY[:9]:
        cast.open_day(partner, day)
    noon = midnight(MAY[8]) + NOON
    plans.set_price(plan.pk, valid_from=MAY[9], amount=4400, by=STAFF, at=noon)
    customers.set_account_terms(paula.pk, valid_from=MAY[8], day_rule="thirty", by=STAFF, at=noon)
    payment = cast.pay(larry, 1000, at=noon)
    actions.refund(payment.pk, amount=300, key="r", by=STAFF, at=noon)
    actions.correct(larry.pk, amount=-5, reason="Mistake", key="c", by=STAFF, at=noon)
    plans.block(own.pk, reason="", by=STAFF, at=noon)
    plans.change_plan(paula.services.get().pk, plan_id=dear.pk, by=STAFF, at=noon)
    customers.set_partner_terms(partner.pk, valid_from=MAY[8], charge_activation_day=True, by=STAFF, at=noon)
    second = cast.service(paula.customer, plan, at=noon)
    cast.activate(second, at=noon)
    plans.set_service_price(second.pk, price=None, quantity=2, by=STAFF, at=noon)
    plans.unblock(own.pk, by=STAFF, at=midnight(MAY[10]) + NOON)
    plans.pause_service(second.pk, by=STAFF, at=midnight(MAY[11]) + NOON)
    for run in (partner, lima):
        cast.open_day(run, MAY[20], at=midnight(MAY[20]) + NOON)
    assert not cast.online(larry)
    plans.unblock(larry.customer_id, by=STAFF, at=midnight(MAY[20]) + NOON)


@pytest.mark.django_db
def test_sound_books_have_no_findings():
    tell_a_month()
    assert check.run() == []


@pytest.mark.django_db
def test_empty_books_have_no_findings():
    assert check.run() == []


UNGUARDED = "ALTER TABLE billing_ledgeraccount DROP CONSTRAINT billing_ledgeraccount_stored_balance"
BREAKS = {
    "balances": [
        "UPDATE billing_ledgeraccount SET balance = balance + 1 WHERE kind = 'payer' AND id = (SELECT min(id) FROM"
        " billing_ledgeraccount WHERE kind = 'payer')",
        "UPDATE billing_ledgeraccount SET balance = balance - 1 WHERE kind = 'cash'",
        "UPDATE billing_transfer SET amount = amount + 1 WHERE id = (SELECT max(id) FROM billing_transfer)",
        "DELETE FROM billing_transfer WHERE kind = 'payment'",
    ],
    "stored": [
        f"{UNGUARDED}; UPDATE billing_ledgeraccount SET balance = 0 WHERE kind = 'revenue'",
        f"{UNGUARDED}; UPDATE billing_ledgeraccount SET balance = NULL WHERE kind = 'cash'",
    ],
    "sides": [
        "UPDATE billing_transfer SET currency = 'PEN' WHERE currency = 'EUR' AND kind = 'charge'",
        "UPDATE billing_transfer SET partner_id = (SELECT max(id) FROM base_partner) WHERE kind = 'refund'",
        "UPDATE billing_transfer SET debit_account_id = credit_account_id, credit_account_id = debit_account_id"
        " WHERE kind = 'payment'",
        "UPDATE billing_transfer SET account_id = (SELECT max(id) FROM customers_account) WHERE kind = 'correction'",
    ],
    "entries": [
        "UPDATE billing_transfer SET seq = 1 WHERE kind = 'refund'",
        "UPDATE billing_transfer SET recorded_at = recorded_at + interval '1 second' WHERE seq = 1",
    ],
    "decisions": [
        "DELETE FROM billing_transfer WHERE day = '2024-05-03'",
        "UPDATE billing_daydecision SET cost = cost + 1 WHERE decision = 'charged' AND day = '2024-05-03'",
        "UPDATE billing_daydecision SET decision = 'blocked', entry_id = NULL WHERE day = '2024-05-03'",
        "UPDATE billing_daydecision SET entry_id = entry_id + 1000 WHERE decision = 'charged' AND day = '2024-05-03'",
    ],
    "gaps": [
        "DELETE FROM billing_daydecision WHERE day = '2024-05-03'",
        "UPDATE billing_prepaidstate SET decided_through = decided_through - 1",
        "INSERT INTO billing_daydecision (account_id, day, decision, cost, balance_before, catch_up, decided_at)"
        " SELECT min(id), '2024-05-22', 'nothing_due', 0, 0, false, now() FROM customers_account",
    ],
    "behind": [
        "UPDATE billing_prepaidstate SET decided_through = '2024-05-20' WHERE account_id ="
        " (SELECT min(id) FROM customers_account)"
    ],
    "unbilled": ["DELETE FROM billing_prepaidstate WHERE account_id = (SELECT min(id) FROM customers_account)"],
    "lines": [
        "UPDATE billing_transfer SET amount = amount + 2 WHERE kind = 'charge' AND day = '2024-05-03'",
        "UPDATE billing_transfer SET service_fact_id = service_fact_id - 1 WHERE day = '2024-05-03'",
        "UPDATE billing_transfer SET price_fact_id = NULL WHERE kind = 'charge' AND day = '2024-05-03'",
        "UPDATE plans_planprice SET amount = amount + 100 WHERE id = (SELECT min(id) FROM plans_planprice)",
        "UPDATE plans_servicefact SET quantity = 1 WHERE quantity = 2",
    ],
    "costs": [
        "UPDATE billing_daydecision SET decision = 'nothing_due', cost = 0, entry_id = NULL WHERE day = '2024-05-03'",
        "UPDATE customers_partnerterms SET day_rule = 'thirty' WHERE valid_from = '2000-01-01'",
        "UPDATE plans_servicefact SET state = 'paused' WHERE state = 'active'",
        "UPDATE plans_servicefact SET quantity = 3 WHERE quantity = 2",
        "UPDATE plans_planprice SET valid_from = '2024-05-02', recorded_at = '2024-05-01' WHERE amount = 4400",
    ],
    "payments": [
        "UPDATE billing_payment SET amount = amount + 1 WHERE amount > 0",
        "UPDATE billing_payment SET received_on = received_on + 1 WHERE amount < 0",
        "DELETE FROM billing_payment WHERE amount < 0",
        "DELETE FROM billing_transfer WHERE kind = 'refund'",
    ],
    "refunds": ["UPDATE billing_payment SET amount = -1001 WHERE amount < 0"],
    "access": [
        "UPDATE plans_service SET blocked_cause = 2 WHERE blocked_cause IS NULL",
        "UPDATE plans_service SET blocked_cause = NULL WHERE state = 'paused'",
        "UPDATE customers_block SET lifted_at = NULL WHERE account_id IS NULL",
    ],
    "unvalidated": [
        "ALTER TABLE billing_transfer DROP CONSTRAINT billing_transfer_amount",
        "ALTER TABLE billing_payment ADD CONSTRAINT try CHECK (amount > -10) NOT VALID",
    ],
    "missing": [
        "DROP INDEX billing_transfer_key",
        "DROP INDEX billing_transfer_one_charge_a_day",
        "DROP TRIGGER billing_transfer_immutable ON billing_transfer",
    ],
    "disabled": ["ALTER TABLE billing_transfer DISABLE TRIGGER billing_transfer_immutable"],
    "grants": ["GRANT UPDATE ON billing_transfer TO demarc_app"],
}
BREAKS["missing"].append(BREAKS["unvalidated"].pop(0))
FACTS = {
    "since": MAY[20] - timedelta(days=34),
    "last": MAY[20],
    "constraints": list(check.CONSTRAINTS),
    "triggers": list(check.TRIGGERS),
}
CASES = [(name, statement) for name, statements in BREAKS.items() for statement in statements]


def test_every_check_has_somebody_who_breaks_what_it_guards():
    assert set(BREAKS) == set(check.CHECKS)


@pytest.fixture(scope="module")
def superuser(django_db_setup, django_db_blocker, cluster):
    """A database with a month in it, and one who may do anything there."""
    with django_db_blocker.unblock():
        tell_a_month()
        with psycopg.connect(make_conninfo(cluster.superuser_url, dbname="demarc"), autocommit=True) as conn:
            yield conn
        check.connection.close()
        cluster.fresh_database()


@pytest.mark.parametrize(("name", "statement"), CASES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(CASES)])
def test_what_somebody_broke_is_named(superuser, name, statement):
    with superuser.transaction(force_rollback=True):
        superuser.execute("SET LOCAL session_replication_role = replica")
        changed = superuser.execute(statement)
        assert changed.rowcount != 0, "the break broke nothing"
        assert superuser.execute(check.CHECKS[name], FACTS).fetchall(), f"{name} saw nothing"


def test_the_checker_shares_no_code_with_what_it_checks():
    tree = ast.parse(Path(check.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module for module in imported if module and module.startswith("demarc")} == {"demarc.billing"}
    assert "from demarc.billing import check_documents\n" in Path(check.__file__).read_text()
