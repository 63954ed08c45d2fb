"""Tax that is contained in a gross price. Knows rates, not which rate applies to whom."""

from decimal import Decimal

from demarc.core.errors import Refused
from demarc.core.money import half_up


def tax_in_gross(gross_minor: int, rate: Decimal) -> tuple[int, int]:
    """Split a gross amount into (net, tax), minor units; `rate` 0.21 is 21 %. Refused when it is not from 0
    to 1.

    The net is rounded and the tax is what remains, because not every gross can be reached from a rounded net:
    at 21 % no net in cents gives 1.01.
    """
    if not 0 <= rate <= 1:
        raise Refused("A tax rate must be from 0 to 100 %.", field="rate", code="tax_rate_out_of_range")
    part, whole = rate.as_integer_ratio()
    net = half_up(gross_minor * whole, whole + part)
    return net, gross_minor - net
