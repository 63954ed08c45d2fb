"""Who sells and who buys, as it is printed on a document and kept with it. Reads only."""

from collections.abc import Iterable

from demarc.base import sql
from demarc.billing.facts import Payer

PARTIES = """
WITH seller AS MATERIALIZED (
    SELECT id, json_build_object('name', name, 'phone', phone, 'email', email, 'website', website) AS words
    FROM base_partner WHERE id = ANY(%(partners)s::bigint[])
)
SELECT a.id, json_build_object(
    'seller', p.words,
    'buyer', json_build_object('number', c.number, 'name', c.name, 'category', c.category, 'street', c.street,
        'zip_code', c.zip_code, 'city', c.city, 'email', c.email, 'language', c.language, 'account', a.number))::text
FROM customers_account a
JOIN customers_customer c ON c.id = a.customer_id
JOIN seller p ON p.id = a.partner_id
WHERE a.id = ANY(%(accounts)s::bigint[])
"""


def parties(payers: Iterable[Payer]) -> dict[int, str]:
    """Seller and buyer of some payers, as JSON, by account."""
    partner_of = {payer.account_id: payer.partner_id for payer in payers}
    return dict(sql.rows(PARTIES, accounts=sql.array(partner_of), partners=sql.array(set(partner_of.values()))))
