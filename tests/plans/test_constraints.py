"""The database refuses what must not be in the tables of plans, also when no action was asked."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from tests import cast
from tests.cast import AT, STAFF
from tests.refusals import refused_by

from demarc.base.actors import recorded
from demarc.plans.models import Plan, PlanPrice, Service, ServiceFact, TaxRate

pytestmark = pytest.mark.django_db

BEYOND = 10**12 + 1
OUT_OF_RANGE = [date(1, 1, 1), date(1999, 12, 31), date(2200, 1, 1), date(9999, 12, 31)]
FACT = {"valid_from": AT.date()} | recorded(STAFF, AT)


@pytest.fixture
def plan():
    return cast.plan(cast.partner())


@pytest.fixture
def service(plan):
    return cast.service(cast.customer(plan.partner), plan)


@pytest.mark.parametrize("day", OUT_OF_RANGE)
def test_prices_taxes_and_states_hold_from_a_day_that_can_be(service, plan, day):
    on_day = FACT | {"valid_from": day}
    with refused_by("plans_planprice_day"):
        PlanPrice.objects.create(plan=plan, amount=1, **on_day)
    with refused_by("plans_taxrate_day"):
        TaxRate.objects.create(partner=plan.partner, category="standard", rate=0, **on_day)
    with refused_by("plans_servicefact_day"):
        ServiceFact.objects.create(service=service, plan=plan, state="active", **on_day)


@pytest.mark.parametrize("amount", [-1, BEYOND, 2**62])
def test_a_price_has_a_limit(service, plan, amount):
    with refused_by("plans_planprice_amount"):
        PlanPrice.objects.create(plan=plan, amount=amount, **FACT)
    with refused_by("plans_servicefact_price"):
        ServiceFact.objects.create(service=service, plan=plan, state="active", price_override=amount, **FACT)


@pytest.mark.parametrize("rate", [Decimal("-0.01"), Decimal("1.01"), Decimal(21)])
def test_a_tax_is_from_nothing_to_all(plan, rate):
    with refused_by("plans_taxrate_rate"):
        TaxRate.objects.create(partner=plan.partner, category="standard", rate=rate, **FACT)


@pytest.mark.parametrize(
    ("facts", "constraint"),
    [
        ({"speed_down_kbps": 0}, "speed"),
        ({"speed_up_kbps": 400_000_001}, "speed"),
        ({"priority": 9}, "priority"),
        ({"contention_ratio": 0}, "contention"),
        ({"kind": "odd"}, "kind"),
    ],
)
def test_a_plan_has_speeds_and_a_priority_that_can_be(plan, facts, constraint):
    with refused_by(f"plans_plan_{constraint}"):
        Plan.objects.filter(pk=plan.pk).update(**facts)


def test_a_plan_has_a_name_of_its_own(plan):
    with refused_by("plans_plan_name"):
        Plan.objects.create(partner=plan.partner, name=plan.name, currency="EUR", speed_down_kbps=1, speed_up_kbps=1)


def test_a_service_is_in_one_of_the_states(service, plan):
    with refused_by("plans_service_state"):
        Service.objects.filter(pk=service.pk).update(state="odd")
    with refused_by("plans_servicefact_state"):
        ServiceFact.objects.create(service=service, plan=plan, state="odd", **FACT)


def test_what_was_recorded_is_never_changed(service, plan):
    TaxRate.objects.create(partner=plan.partner, category="standard", rate=0, **FACT)
    for recorded_rows in (PlanPrice.objects.all(), ServiceFact.objects.all(), TaxRate.objects.all()):
        for change in (lambda rows: rows.update(valid_from=date(2001, 1, 1)), lambda rows: rows.delete()):
            with pytest.raises(IntegrityError, match="never changed or removed"), transaction.atomic():
                change(recorded_rows)
