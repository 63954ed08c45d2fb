"""Tax inside a gross price."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.errors import Refused
from demarc.core.tax import tax_in_gross

rates = st.decimals("0", "1", places=4)


@given(st.integers(-(10**12), 10**12), rates)
def test_net_and_tax_always_make_the_gross(gross, rate):
    net, tax = tax_in_gross(gross, rate)
    assert net + tax == gross
    assert net == (Decimal(gross) / (1 + rate)).quantize(Decimal(1), ROUND_HALF_UP)


def test_a_gross_that_no_net_reaches_keeps_its_gross():
    assert tax_in_gross(101, Decimal("0.21")) == (83, 18)
    assert tax_in_gross(4000, Decimal("0.21")) == (3306, 694)
    assert tax_in_gross(4000, Decimal("0")) == (4000, 0)


@pytest.mark.parametrize("rate", ["-0.01", "1.01", "21"])
def test_a_rate_that_is_no_rate_is_refused(rate):
    with pytest.raises(Refused):
        tax_in_gross(100, Decimal(rate))
