"""Tax categories as people name them."""

from demarc.base import texts
from demarc.core.errors import Refused
from demarc.plans.models import STANDARD, TaxRate


def tax_category(partner_id: int, name: str) -> str:
    """The name of a tax category, as it is written. Refused: empty, too long, or none of those that the partner has
    given a rate; one who has given none has no taxes, whatever they are called."""
    name = texts.name(name, field="tax_category", length_max=30)
    known = set(TaxRate.objects.filter(partner_id=partner_id).values_list("category", flat=True))
    if known and name not in known | {STANDARD}:
        message = f"There is no tax category {name}; there are: {', '.join(sorted(known))}."
        raise Refused(message, field="tax_category", code="unknown")
    return name
