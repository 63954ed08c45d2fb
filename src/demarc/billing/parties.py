"""Who sells and who buys, as it is printed on a document and kept with it. Reads only."""

import json
from collections.abc import Iterable
from typing import Any

from demarc.base.models import Partner
from demarc.billing.facts import Payer
from demarc.customers.models import Account

SELLER = ("name", "phone", "email", "website")
BUYER = ("number", "name", "category", "street", "zip_code", "city", "email", "language")


class Parties:
    """The parties of some payers, read once."""

    def __init__(self, payers: Iterable[Payer]) -> None:
        some = list(payers)
        partners = Partner.objects.in_bulk({payer.partner_id for payer in some})
        self._sellers = {partner_id: _named(partner, SELLER) for partner_id, partner in partners.items()}
        accounts = Account.objects.select_related("customer").filter(pk__in={payer.account_id for payer in some})
        self._buyers = {
            account.pk: {**_named(account.customer, BUYER), "account": account.number}
            for account in accounts.iterator(2000)
        }

    def of(self, payer: Payer) -> str:
        """Seller and buyer as JSON."""
        return json.dumps({"seller": self._sellers[payer.partner_id], "buyer": self._buyers[payer.account_id]})


def _named(whose: Any, fields: Iterable[str]) -> dict[str, str]:
    return {field: str(getattr(whose, field)) for field in fields}
