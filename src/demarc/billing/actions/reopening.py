"""What money that goes back had paid is owed again: its allocations are taken back, the newest documents first."""

from datetime import datetime

from demarc.base import sql
from demarc.billing.actions.documents import ADD_ALLOCATIONS, SETTLE

# Debts that no document names: the balance is below what is open.
SHORT = """
SELECT -(l.balance + coalesce((SELECT sum(open_amount) FROM billing_document d
    WHERE d.account_id = l.payer_id AND d.open_amount > 0), 0))::bigint
FROM billing_ledgeraccount l WHERE l.payer_id = %(account)s
"""

# What the payment itself paid, then what was paid from the balance, to which the rest of it had gone.
PAID = """
SELECT a.document_id, a.payment_id, d.open_amount, sum(a.amount)::bigint FROM billing_allocation a
JOIN billing_document d ON d.id = a.document_id
WHERE d.account_id = %(account)s AND a.credit_note_id IS NULL
    AND (a.payment_id IS NULL OR a.payment_id = %(payment)s::bigint)
GROUP BY a.document_id, a.payment_id, d.open_amount HAVING sum(a.amount) > 0
ORDER BY a.payment_id IS NULL, a.document_id DESC
"""


def reopen(account_id: int, amount: int, *, payment: int | None, at: datetime) -> None:
    """`amount` has left an account: documents that it had paid, as a payment or from the balance, are open again as far
    as the account has no other money for it. The account is locked by the caller."""
    ((short,),) = sql.rows(SHORT, account=account_id)
    left = min(short, amount)
    rows: list[tuple[int, int | None, None, int, datetime]] = []
    left_open: dict[int, int] = {}
    for document_id, source, open_amount, paid in sql.rows(PAID, account=account_id, payment=payment):
        part = min(left, paid)
        if part <= 0:
            break
        rows.append((document_id, source, None, -part, at))
        left_open[document_id] = left_open.get(document_id, open_amount) + part
        left -= part
    if rows:
        sql.execute(SETTLE, documents=sql.array(left_open), left_open=sql.array(left_open.values()))
        sql.insert(ADD_ALLOCATIONS, rows)
