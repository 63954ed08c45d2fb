"""What is done to plans and services, and who has access afterwards."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob
from tests import cast
from tests.cast import AT, STAFF

from demarc.base.models import OperationLog
from demarc.core.errors import Refused
from demarc.customers.models import Block
from demarc.plans import actions, queries
from demarc.plans.access_state import restore, set_access, withhold
from demarc.plans.models import Plan, Service, ServiceFact

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=1)


def online(service: Service) -> bool:
    service.refresh_from_db()
    return service.blocked_cause is None


def status(service: Service) -> str:
    service.customer.refresh_from_db()
    return service.customer.status


def jobs(task: str) -> list[dict[str, list[int]]]:
    return [job.args for job in ProcrastinateJob.objects.filter(task_name=task).order_by("id")]


@pytest.fixture
def service():
    """One service, active since AT, of a customer with one account."""
    partner = cast.partner()
    made = cast.service(cast.customer(partner), cast.plan(partner))
    return actions.activate_service(made.pk, by=STAFF, at=AT)


def test_a_service_has_no_access_before_it_is_activated():
    partner = cast.partner()
    service = cast.service(cast.customer(partner), cast.plan(partner))
    assert (service.state, service.blocked_cause, status(service)) == ("pending", 1, "new")
    actions.activate_service(service.pk, by=STAFF, at=LATER)
    assert online(service)
    assert (service.activated_at, service.access_since, status(service)) == (LATER, LATER, "active")


def test_activation_tells_the_readers_of_access(service):
    assert jobs("access.sync_services") == [{"services": [service.pk]}]


def test_a_block_by_staff_closes_access_and_names_who_set_it(service):
    actions.block(service.customer_id, reason="Abuse", by=STAFF, at=LATER)
    assert not online(service)
    assert (service.blocked_cause, status(service)) == (1, "blocked")
    block = Block.objects.get()
    assert (block.set_by_label, block.reason, block.set_at) == (STAFF.label, "Abuse", LATER)
    with pytest.raises(Refused, match="already"):
        actions.block(service.customer_id, reason="", by=STAFF, at=LATER)


def test_a_second_block_is_refused_before_the_database_has_to_and_logs_an_error(service):
    actions.block(service.customer_id, reason="Abuse", by=STAFF, at=LATER)
    with CaptureQueriesContext(connection) as done, pytest.raises(Refused, match="already"):
        actions.block(service.customer_id, reason="", by=STAFF, at=LATER)
    assert done.captured_queries
    assert not any("INSERT" in query["sql"] for query in done.captured_queries)


def test_payment_lifts_only_the_block_for_money(service):
    withhold({service.account_id: AT}, by=STAFF, at=AT)
    actions.block(service.customer_id, reason="", by=STAFF, at=AT)
    assert restore([service.account_id], by=STAFF, at=LATER) == []
    assert not online(service)
    assert status(service) == "blocked"
    actions.unblock(service.customer_id, by=STAFF, at=LATER)
    assert online(service)
    assert status(service) == "active"


def test_money_closes_with_cause_two_and_a_second_time_changes_nothing(service):
    assert withhold({service.account_id: AT}, by=STAFF, at=AT) == [service.pk]
    assert withhold({service.account_id: LATER}, by=STAFF, at=LATER) == []
    service.refresh_from_db()
    assert (service.blocked_cause, Block.objects.get().set_at) == (2, AT)


def test_staff_unblock_without_money_until_the_next_midnight_of_the_partners_zone():
    partner = cast.partner(zone="America/Lima")
    service = cast.service(cast.customer(partner), cast.plan(partner))
    actions.activate_service(service.pk, by=STAFF, at=AT)
    withhold({service.account_id: AT}, by=STAFF, at=AT)
    late_evening = datetime(2024, 5, 1, 3, 0, tzinfo=UTC)  # 22:00 of the 30th in Lima
    actions.unblock(service.customer_id, by=STAFF, at=late_evening)
    assert online(service)
    assert status(service) == "active"
    midnight = datetime(2024, 5, 1, 5, 0, tzinfo=UTC)
    assert Block.objects.get().grace_until == midnight
    assert set_access([service.account_id], at=midnight) == [service.pk]
    assert not online(service)
    assert status(service) == "blocked"


def test_unblocking_one_who_paid_meanwhile_has_his_day_tried_again(service):
    withhold({service.account_id: AT}, by=STAFF, at=AT)
    actions.block(service.customer_id, reason="", by=STAFF, at=AT)
    assert jobs("billing.retry_accounts") == []
    actions.unblock(service.customer_id, by=STAFF, at=LATER)
    assert jobs("billing.retry_accounts") == [{"accounts": [service.account_id]}]


def test_who_is_not_blocked_cannot_be_unblocked(service):
    with pytest.raises(Refused, match="not blocked"):
        actions.unblock(service.customer_id, by=STAFF, at=LATER)


@pytest.mark.parametrize("leave", [actions.pause_service, actions.stop_service, actions.end_service])
def test_a_service_that_leaves_loses_access_at_once(service, leave):
    leave(service.pk, by=STAFF, at=LATER)
    assert not online(service)
    assert status(service) == "active"
    fact = ServiceFact.objects.filter(service=service).latest("id")
    assert (fact.state, fact.valid_from) == (service.state, LATER.date())


def test_a_paused_service_comes_back_and_an_ended_one_never(service):
    actions.pause_service(service.pk, by=STAFF, at=LATER)
    actions.activate_service(service.pk, by=STAFF, at=LATER)
    assert online(service)
    actions.end_service(service.pk, by=STAFF, at=LATER)
    with pytest.raises(Refused, match="ended"):
        actions.activate_service(service.pk, by=STAFF, at=LATER)


def test_an_own_price_survives_activation_and_pause():
    partner = cast.partner()
    service = cast.service(cast.customer(partner), cast.plan(partner), price_override=1500)
    for verb in (actions.activate_service, actions.pause_service, actions.activate_service):
        verb(service.pk, by=STAFF, at=AT)
    assert queries.newest_facts([service.pk], AT.date())[service.pk].price_override == 1500
    assert queries.service_list(None, AT.date()).get().price == 1500


def test_a_customer_who_uses_nothing_is_inactive_until_a_service_is_activated(service):
    actions.deactivate_customer(service.customer_id, by=STAFF, at=LATER)
    assert not online(service)
    assert (service.state, status(service)) == ("stopped", "inactive")
    actions.activate_service(service.pk, by=STAFF, at=LATER)
    assert online(service)
    assert status(service) == "active"


def test_a_plan_is_changed_for_one_of_the_same_provider_and_currency(service):
    partner = service.partner
    faster = cast.plan(partner, "Faster", price=6000)
    actions.change_plan(service.pk, plan_id=faster.pk, by=STAFF, at=LATER)
    assert queries.service_list(None, AT.date()).get().price == 6000
    assert jobs("access.sync_services")[-1] == {"services": [service.pk]}
    foreign = cast.plan(cast.partner("Other"), "Foreign")
    with pytest.raises(Refused) as refused:
        actions.change_plan(service.pk, plan_id=foreign.pk, by=STAFF, at=LATER)
    assert refused.value.field == "plan_id"


def test_a_plan_in_another_currency_is_refused():
    partner = cast.partner(currency="EUR")
    plan = cast.plan(partner)
    Plan.objects.filter(pk=plan.pk).update(currency="USD")
    with pytest.raises(Refused, match="USD"):
        cast.service(cast.customer(partner), plan)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": ""}, "name"),
        ({"price": -1}, "price"),
        ({"price": 10**12 + 1}, "price"),
        ({"speed_down_kbps": 0}, "speed_down_kbps"),
        ({"priority": 9}, "priority"),
        ({"valid_from": date(1999, 1, 1)}, "valid_from"),
    ],
)
def test_nonsense_in_a_plan_is_refused_at_its_field(facts, field):
    with pytest.raises(Refused) as refused:
        cast.plan(cast.partner(), **facts)
    assert refused.value.field == field


def test_a_plans_name_is_taken_once_and_the_refusal_names_the_holder():
    partner = cast.partner()
    plan = cast.plan(partner, "Fibre")
    with pytest.raises(Refused) as refused:
        cast.plan(partner, "Fibre")
    assert refused.value.holder == ("plan", plan.pk)
    cast.plan(cast.partner("Other"), "Fibre")


def test_new_speeds_reach_the_plans_services(service):
    actions.update_plan(service.plan_id, speed_down_kbps=9000, by=STAFF, at=LATER)
    assert jobs("access.sync_services")[-1] == {"services": [service.pk]}


def test_a_new_price_tries_only_those_again_whom_money_blocks(service):
    actions.set_price(service.plan_id, valid_from=AT.date(), amount=100, by=STAFF, at=LATER)
    assert jobs("billing.retry_accounts") == []
    withhold({service.account_id: AT}, by=STAFF, at=AT)
    actions.set_price(service.plan_id, valid_from=AT.date(), amount=90, by=STAFF, at=LATER)
    assert jobs("billing.retry_accounts") == [{"accounts": [service.account_id]}]
    assert [price.amount for price in queries.prices(service.plan_id)][:2] == [90, 100]


def test_a_tax_category_is_one_that_has_a_rate_unless_there_are_no_taxes():
    partner = cast.partner()
    facts = {"partner_id": partner.pk, "price": 1000, "speed_down_kbps": 1000, "speed_up_kbps": 1000}
    actions.create_plan(name="Untaxed", tax_category="anything", by=STAFF, at=AT, **facts)
    actions.set_tax(
        partner.pk, category="reduced", rate=Decimal("0.1"), valid_from=date(2024, 1, 1), by=STAFF, at=AT
    )  # fmt: skip
    with pytest.raises(Refused, match="no tax category redcued; there are: reduced") as refused:
        actions.create_plan(name="Misspelt", tax_category="redcued", by=STAFF, at=AT, **facts)
    assert (refused.value.field, refused.value.code) == ("tax_category", "unknown")
    for name in ("reduced", "standard"):
        actions.create_plan(name=name, tax_category=name, by=STAFF, at=AT, **facts)


def test_a_tax_rate_holds_from_its_day():
    partner = cast.partner()
    for day, rate in ((date(2024, 1, 1), "0.19"), (date(2024, 6, 1), "0.21")):
        actions.set_tax(partner.pk, category="standard", valid_from=day, rate=Decimal(rate), by=STAFF, at=AT)
    rates = list(queries.tax_rates(partner.pk))
    found = [queries.tax_rate_on(rates, "standard", date(2024, month, 1)) for month in (5, 6)]
    assert found == [Decimal("0.19"), Decimal("0.21")]
    assert queries.tax_rate_on(rates, "reduced", date(2024, 5, 1)) == 0


def test_every_action_writes_one_row_of_the_operation_log(service):
    count = OperationLog.objects.count
    for verb in (
        lambda: actions.pause_service(service.pk, by=STAFF, at=LATER),
        lambda: actions.activate_service(service.pk, by=STAFF, at=LATER),
        lambda: actions.block(service.customer_id, reason="", by=STAFF, at=LATER),
        lambda: actions.unblock(service.customer_id, by=STAFF, at=LATER),
        lambda: actions.set_price(service.plan_id, valid_from=AT.date(), amount=1, by=STAFF, at=LATER),
        lambda: actions.deactivate_customer(service.customer_id, by=STAFF, at=LATER),
    ):
        before = count()
        verb()
        assert count() == before + 1
