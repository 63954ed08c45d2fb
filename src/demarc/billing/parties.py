"""Who sells and who buys, as it is printed on a document and kept with it. Reads only."""

from collections.abc import Iterable

from django.db import connection

from demarc.billing.facts import Payer, id_array

PARTIES = """
SELECT a.id, json_build_object(
    'seller', json_build_object('name', p.name, 'phone', p.phone, 'email', p.email, 'website', p.website),
    'buyer', json_build_object('number', c.number, 'name', c.name, 'category', c.category, 'street', c.street,
        'zip_code', c.zip_code, 'city', c.city, 'email', c.email, 'language', c.language, 'account', a.number))::text
FROM customers_account a
JOIN customers_customer c ON c.id = a.customer_id
JOIN base_partner p ON p.id = a.partner_id
WHERE a.id = ANY(%(accounts)s::bigint[])
"""


def parties(payers: Iterable[Payer]) -> dict[int, str]:
    """Seller and buyer of some payers, as JSON, by account."""
    with connection.cursor() as cursor:
        cursor.execute(PARTIES, {"accounts": id_array({payer.account_id for payer in payers})})
        return dict(cursor.fetchall())
