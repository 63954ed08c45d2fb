"""Why a prepaid day was charged, why somebody is blocked: for colleagues, and as we would tell the customer."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests import cast
from tests.staff.world import World, logged_in, person, world

from demarc.base import clock
from demarc.billing import actions as billing
from demarc.billing import queries
from demarc.billing.models import Transfer
from demarc.billing.queries.why import why_blocked
from demarc.billing.why_words import block_staff
from demarc.core.period import ONE_DAY, days_in_month
from demarc.plans import actions as plans
from demarc.plans.access_state import withhold


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Manager", "marta"))


def words(answer) -> str:
    return answer.content.decode().replace("\xa0", " ")


def lived(place: World, *, paid: int, name: str):
    """Three days ago he was activated; the days since then are billed."""
    start = clock.now() - timedelta(days=3)
    account = cast.subscriber(place.partner, place.scene.plan, name=name, paid=paid, at=start)
    first = clock.today("UTC") - timedelta(days=2)
    billing.open_day(place.partner.pk, day=first, by=cast.STAFF, at=start + ONE_DAY)
    billing.open_day(place.partner.pk, day=clock.today("UTC"), by=cast.STAFF, at=clock.now())
    return account


def test_a_charged_day_shows_its_arithmetic_and_both_tellings(place, client):
    account = lived(place, paid=10_000, name="Paula Pays")
    charge = Transfer.objects.filter(account=account, kind="charge").latest("day")
    page = words(client.get(f"/accounts/{account.pk}/days/{charge.day}/"))
    parts = days_in_month(charge.day)
    assert f"part {charge.day.day} of {parts} at 40.00 EUR a month: " in page
    assert "Fibre costs 40.00 EUR a month, the plan&#x27;s price since" in page
    assert f"{charge.amount / 100:.2f} EUR for Fibre: one day of your 40.00 EUR a month" in page
    ledger = words(client.get(f"/customers/{account.customer_id}/money/"))
    assert f"/accounts/{account.pk}/days/{charge.day}/" in ledger


def test_a_day_with_an_own_price_says_who_agreed_on_it(place, client):
    start = clock.now() - timedelta(days=3)
    customer = cast.customer(place.partner, "Olga Own", at=start)
    account = cast.account_of(customer)
    cast.pay(account, 5000, at=start)
    held = cast.service(customer, place.scene.plan, at=start, price_override=3000)
    cast.activate(held, at=start)
    billing.open_day(place.partner.pk, day=clock.today("UTC"), by=cast.STAFF, at=clock.now())
    page = words(client.get(f"/accounts/{account.pk}/days/{clock.today('UTC')}/"))
    assert "Fibre costs 30.00 EUR a month, agreed for" in page
    assert ", written down by Desk at" in page.partition("agreed for")[2]


def test_one_who_is_blocked_sees_on_his_page_why_and_what_opens_it(place, client):
    account = lived(place, paid=0, name="Larry Late")
    page = words(client.get(f"/customers/{account.customer_id}/"))
    why = page.partition("Why blocked")[2]
    assert "the balance was 0.00 EUR, its limit is 0.00 EUR" in why
    assert "brings access back" in why
    assert "What we would tell him" in why
    assert "Your access returns within seconds when" in why
    first = clock.today("UTC") - timedelta(days=2)
    assert f"/accounts/{account.pk}/days/{first}/" in why
    day = words(client.get(f"/accounts/{account.pk}/days/{first}/"))
    assert "So access was blocked" in day
    assert "What the day would have cost" in day
    assert "so your access was paused" in day
    after = words(client.get(f"/accounts/{account.pk}/days/{first + ONE_DAY}/"))
    assert "He was blocked already, so nothing was tried" in after


def test_one_whom_staff_blocked_too_is_promised_no_access_for_a_payment(place, client):
    late = place.late.account
    withhold({late.pk: clock.now()}, by=cast.STAFF, at=clock.now())
    for account in (lived(place, paid=0, name="Olaf Owes"), late):
        assert queries.after_payment(account.pk, 50_000, at=clock.now()).opens
        plans.block(account.customer_id, reason="Abuse", by=cast.STAFF, at=clock.now())
        page = words(client.get(f"/customers/{account.customer_id}/"))
        assert "EUR, and staff to unblock" in page
        assert "is missing; staff blocked him too" in page.partition("Why blocked")[2]
        money = words(client.get(f"/customers/{account.customer_id}/money/"))
        assert "brings access back" not in money
        assert not queries.after_payment(account.pk, 50_000, at=clock.now()).opens


def test_a_day_paid_within_it_says_what_the_balance_was_when_it_was_paid(place, client):
    account = lived(place, paid=0, name="Larry Late")
    cast.pay(account, 500, at=clock.now())
    page = words(client.get(f"/accounts/{account.pk}/days/{clock.today('UTC')}/"))
    assert "the balance was 5.00 EUR" in page
    assert "At 00:00" not in page
    assert "It was blocked first, and access came back at that time." in page
    assert "we charged" in page


def test_a_block_by_staff_is_not_promised_away_to_the_customer(place, client):
    account = lived(place, paid=0, name="Larry Late")
    plans.block(account.customer_id, reason="abuse", by=cast.STAFF, at=clock.now())
    why = words(client.get(f"/customers/{account.customer_id}/")).partition("Why blocked")[2]
    assert "Staff blocked him too" in why
    assert "Your access returns" not in why


def test_times_are_told_in_the_provider_s_zone(pages):
    provider = cast.partner("Auckland", zone="Pacific/Auckland")
    blocked = cast.customer(provider, "Larry Late")
    plans.block(blocked.pk, reason="abuse", by=cast.STAFF, at=datetime(2024, 5, 1, 22, 30, tzinfo=UTC))
    (found,) = why_blocked(blocked, at=datetime(2024, 5, 2, 12, tzinfo=UTC))
    (told,) = block_staff(found)
    assert told.startswith("Blocked by Desk on 2 May 2024, 10:30:00 ")
    assert found.since == date(2024, 5, 2)


def test_who_is_not_blocked_has_no_such_panel_and_money_is_needed_to_see_it(place, client):
    assert "Why blocked" not in words(client.get(f"/customers/{place.customer.pk}/"))
    account = lived(place, paid=0, name="Larry Late")
    engineer = logged_in(person("Technician"))
    assert "Why blocked" not in words(engineer.get(f"/customers/{account.customer_id}/"))


@pytest.mark.parametrize("day", ["2024-13-01", "today", "0001-01-01", "9999-12-31", "2024-01-01T00"])
def test_a_day_that_is_none_is_not_there(place, client, day):
    assert client.get(f"/accounts/{place.account.pk}/days/{day}/").status_code == 404


def test_a_day_without_a_decision_says_so(place, client):
    page = words(client.get(f"/accounts/{place.account.pk}/days/2020-02-02/"))
    assert "This day is not decided" in page
