"""Who a visitor is and why he is here: decided by his address alone, and never for one who may be somebody else."""

import pytest
from tests.radiusd.pages_cast import (
    ACTIVES_ADDRESS,
    CAUSES,
    DEBTOR,
    DEBTORS_ADDRESS,
    OUT_OF_TUNE,
    STATIC_ADDRESS,
    STRANGERS_ADDRESS,
    SUSPENDEDS_ADDRESS,
    filled_model,
    pool_row,
    provider_row,
    session_row,
)

from demarc.core.access import Cause
from demarc.core.money import Money
from demarc.radiusd.pages_model import PagesModel, Visitor


def seen(model: PagesModel, address: str, port: int = 8102) -> tuple[Cause | None, Money | None]:
    visitor = model.visit(address, port, port - 8100)
    return visitor.cause, visitor.owed


@pytest.mark.parametrize("port", [8101, 8102, 8103, 8104])
def test_a_debtor_sees_what_he_owes_whatever_the_port(port):
    assert seen(filled_model(), DEBTORS_ADDRESS, port) == (Cause.NO_MONEY, Money(1240, "EUR"))


def test_a_debtor_with_a_static_address_is_known_without_a_session():
    assert seen(filled_model(), STATIC_ADDRESS) == (Cause.NO_MONEY, Money(500, "EUR"))


def test_a_suspended_customer_sees_no_sum():
    assert seen(filled_model(), SUSPENDEDS_ADDRESS) == (Cause.NOT_ACTIVE, None)


def test_who_is_active_again_is_told_so_although_his_list_was_not_lifted_yet():
    model = filled_model()
    assert seen(model, ACTIVES_ADDRESS) == (None, None)
    model.put_standings([[DEBTOR, 1, None, None, "", None]])
    assert seen(model, DEBTORS_ADDRESS) == (None, None)


@pytest.mark.parametrize(
    ("port", "cause"),
    [(8101, Cause.NOT_ACTIVE), (8102, Cause.NO_MONEY), (8103, Cause.WRONG_MAC), (8104, Cause.WRONG_PASSWORD)],
)
def test_a_stranger_sees_the_ports_own_cause_without_a_sum(port, cause):
    assert seen(filled_model(), STRANGERS_ADDRESS, port) == (cause, None)


def test_the_ports_follow_the_providers_table():
    model = filled_model(causes=CAUSES | {"3": {"list": "Reject_3", "pool_id": None, "page_port": 8104}})
    assert seen(model, STRANGERS_ADDRESS, 8104) == (Cause.WRONG_MAC, None)


def test_on_other_ports_the_nth_stands_for_the_nth():
    visitor = filled_model().visit(STRANGERS_ADDRESS, 39102, 2)
    assert visitor.cause is Cause.NO_MONEY


@pytest.mark.parametrize("port", [8102, 8104])
def test_who_came_with_a_wrong_password_learns_nothing_about_the_customer(port):
    model = filled_model()
    model.put_sessions([session_row(9, OUT_OF_TUNE, "10.250.254.7", list_name="Reject_4")])
    model.put_sessions([session_row(10, OUT_OF_TUNE, "127.0.0.20", list_name="Reject_4")])
    assert seen(model, "10.250.254.7", port) == (Cause.WRONG_PASSWORD, None)
    assert seen(model, "127.0.0.20", port) == (Cause.WRONG_PASSWORD, None)


def test_an_active_customer_on_the_wrong_devices_port_is_not_told_that_all_is_well():
    assert seen(filled_model(), ACTIVES_ADDRESS, 8103) == (Cause.WRONG_MAC, None)


def test_the_reject_pool_tells_the_cause_of_one_who_is_not_known_yet():
    assert seen(filled_model(), "10.250.252.7", 8101) == (Cause.NO_MONEY, None)


def test_one_list_for_all_causes_hides_no_debt():
    model = filled_model(causes={cause: rule | {"list": "blocked"} for cause, rule in CAUSES.items()})
    model.put_sessions([session_row(9, DEBTOR, DEBTORS_ADDRESS, list_name="blocked")])
    assert seen(model, DEBTORS_ADDRESS) == (Cause.NO_MONEY, Money(1240, "EUR"))


def test_a_later_session_takes_the_address_over():
    model = filled_model()
    model.put_sessions([session_row(9, None, DEBTORS_ADDRESS)])
    assert seen(model, DEBTORS_ADDRESS) == (Cause.NO_MONEY, None)


def test_a_static_address_that_moved_on_is_not_his_any_more():
    model = filled_model()
    model.put_standings([[104, 1, 2, 500, "EUR", "127.0.0.55"]])
    assert seen(model, STATIC_ADDRESS) == (Cause.NO_MONEY, None)
    model.drop_standing(104)
    assert seen(model, "127.0.0.55") == (Cause.NO_MONEY, None)


def test_ipv6_visitors_are_known_by_address_and_by_prefix():
    model = filled_model()
    model.put_sessions([session_row(9, DEBTOR, None, prefix="2001:db8:1::/64", delegated="2001:db8:100::/56")])
    model.put_sessions([session_row(10, 102, None, address6="2001:DB8:2:0::1")])
    assert seen(model, "2001:db8:1::77") == (Cause.NO_MONEY, Money(1240, "EUR"))
    assert seen(model, "2001:db8:100:12::1") == (Cause.NO_MONEY, Money(1240, "EUR"))
    assert seen(model, "2001:db8:2::1") == (None, None)
    assert seen(model, "2001:db8:3::1") == (Cause.NO_MONEY, None)


def test_each_provider_shows_himself_to_his_own():
    model = filled_model()
    model.put_providers([provider_row(), provider_row(2, name="Hill Net")])
    elsewhere = pool_row(21, "192.0.2.1", "192.0.2.9", partner=2, vrf=7)
    six = [21, 1, None, "delegated", 0, "2001:db8:100::", "2001:db8:1ff:ff00::", 56]
    model.put_pools([pool_row(20, "10.20.0.1", "10.20.0.254", partner=2), elsewhere, six])
    shown = [model.visit(address, 8102, 2).provider for address in ("10.20.0.9", DEBTORS_ADDRESS, "192.0.2.1")]
    assert [provider.name for provider in shown if provider] == ["Hill Net", "Valley Net", "Valley Net"]


@pytest.mark.parametrize(("owed", "currency"), [(0, "EUR"), (-5, "EUR"), (None, "EUR"), (5, "XXX"), (5, "")])
def test_a_sum_that_cannot_be_is_not_shown(owed, currency):
    model = filled_model()
    model.put_standings([[DEBTOR, 1, 2, owed, currency, None]])
    assert seen(model, DEBTORS_ADDRESS) == (Cause.NO_MONEY, None)


def test_before_anything_is_set_up_there_is_a_page_without_a_name():
    assert PagesModel().visit("192.0.2.1", 8101, 1) == Visitor(None, Cause.NOT_ACTIVE)
