"""The ledger's accounts, made when money first touches them. Knows which account a kind of money belongs to."""

from collections.abc import Sequence
from decimal import Decimal

from django.db import connection

from demarc.base import sql
from demarc.billing.models import LedgerKind, PaymentMethod
from demarc.core.ledger import Account, AccountKind

TILLS = {
    PaymentMethod.CASH: (LedgerKind.CASH, "main"),
    PaymentMethod.BANK: (LedgerKind.CLEARING, "bank"),
    PaymentMethod.CARD: (LedgerKind.CLEARING, "card"),
}
"""Where money arrives, by method of payment: kind and name."""

CORRECTIONS = (LedgerKind.WRITEOFF, "corrections")

OPEN_PAYERS = """
INSERT INTO billing_ledgeraccount (partner_id, kind, currency, name, payer_id, balance)
SELECT partner_id, 'payer', currency, '', id, 0 FROM customers_account a
WHERE id = ANY(%(accounts)s) AND NOT EXISTS (SELECT FROM billing_ledgeraccount l WHERE l.payer_id = a.id)
ORDER BY id
ON CONFLICT (payer_id) DO NOTHING
"""

HOUSE = """
SELECT id FROM billing_ledgeraccount WHERE partner_id = %(partner)s AND kind = %(kind)s AND currency = %(currency)s
    AND name = %(name)s AND payer_id IS NULL
"""

# Who opens two in one order and who opens them in another would wait for each other: so one transaction at a time.
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('billing_ledgeraccount'), %(partner)s::int)"

OPEN_HOUSE = """
INSERT INTO billing_ledgeraccount (partner_id, kind, currency, name, balance)
VALUES (%(partner)s, %(kind)s, %(currency)s, %(name)s, CASE WHEN %(kind)s = 'cash' THEN 0 END)
ON CONFLICT (partner_id, kind, currency, name) WHERE payer_id IS NULL DO NOTHING RETURNING id
"""


def open_payers(account_ids: Sequence[int]) -> None:
    """Give every one of these payers that has none yet his ledger account."""
    with connection.cursor() as cursor:
        cursor.execute(OPEN_PAYERS, {"accounts": sorted(account_ids)})


def house_account(partner_id: int, currency: str, kind: str, name: str) -> Account:
    """The partner's own account of this kind, currency and name (category, till, bank), made if need be."""
    which = {"partner": partner_id, "kind": kind, "currency": currency, "name": name}
    found = sql.rows(HOUSE, **which)
    if not found:
        sql.rows(ONE_AT_A_TIME, partner=partner_id)
        found = sql.rows(OPEN_HOUSE, **which) or sql.rows(HOUSE, **which)
    return Account(found[0][0], AccountKind(kind), currency)


def tax_name(category: str, rate: Decimal) -> str:
    """The ledger account's name of a tax: its category and its rate in percent."""
    return f"{category} {(rate * 100).normalize():f} %"
