"""The pages of money: payments once only, previews that come true, refunds, corrections, the ledger by month."""

import re
from datetime import timedelta

import pytest
from tests import cast
from tests.staff.world import World, logged_in, person

from demarc.base import clock
from demarc.billing import actions as billing
from demarc.billing.models import Payment, PrepaidState, Transfer
from demarc.core.period import ONE_DAY
from demarc.customers.models import Customer

PAYMENT = {"amount": "20.00", "method": "cash", "comment": "receipt 7", "key": "form:1"}


@pytest.fixture
def given(place):
    return PAYMENT | {"received_on": clock.today("UTC").isoformat()}


def balance(place: World) -> int:
    return place.account.ledger.__class__.objects.get(payer=place.account).balance


def test_a_payment_is_added_once_however_often_its_form_is_sent(place, client, given):
    for _ in range(3):
        assert client.post(f"/accounts/{place.account.pk}/pay/", given).status_code == 302
    assert balance(place) == 4000
    assert Payment.objects.get(key="form:1").by_label == "fina"


def test_the_same_form_with_another_amount_is_refused_and_loses_nothing(place, client, given):
    client.post(f"/accounts/{place.account.pk}/pay/", given)
    answer = client.post(f"/accounts/{place.account.pk}/pay/", given | {"amount": "30.00"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "The payment of this form was recorded already" in page
    assert '<a href="?">Record another payment</a>' in page
    assert "key was used" not in page
    assert 'value="30.00"' in page
    assert balance(place) == 4000
    new = client.get(f"/accounts/{place.account.pk}/pay/?").context["form"]["key"].value()
    assert client.post(f"/accounts/{place.account.pk}/pay/", given | {"key": new}).status_code == 302
    assert balance(place) == 6000


def test_the_last_payment_is_the_one_received_last_not_the_one_entered_last(place, client):
    tomorrow = clock.today("UTC") + timedelta(days=1)
    cast.pay(place.account, 900, at=clock.now(), received_on=tomorrow)
    cast.pay(place.account, 700, at=clock.now())
    page = client.get(f"/customers/{place.customer.pk}/").content.decode().replace("\xa0", " ")
    told = page.partition("Last payment")[2][:300]
    assert "9.00 EUR" in told
    assert "7.00 EUR" not in told


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("amount", "0", "from 0.01 to 10000000000.00 EUR"),
        ("amount", "-5", "above zero"),
        ("amount", "1,000", "Write the amount in digits"),
        ("amount", "10000000000000", "the limit is 10000000000.00 EUR"),
        ("amount", "", "This field is required"),
        ("method", "gold", "not one of the available choices"),
        ("received_on", "2199-12-31", "cannot be received later than tomorrow"),
        ("received_on", "1999-12-31", "Choose a day from"),
        ("received_on", "yesterday", "Choose a day of the calendar"),
    ],
)
def test_nonsense_is_refused_at_its_field_and_moves_no_money(place, client, given, field, value, words):
    answer = client.post(f"/accounts/{place.account.pk}/pay/", given | {field: value})
    assert answer.status_code == 422
    assert words in answer.content.decode().partition(f'id="id_{field}_error"')[2][:600]
    assert balance(place) == 2000


def test_a_key_is_new_for_every_form(place, client):
    path = f"/accounts/{place.account.pk}/pay/"
    keys = {client.get(path).content.decode().partition('name="key" value="')[2][:41] for _ in range(3)}
    assert len(keys) == 3


def test_what_the_preview_says_comes_true(place, client):
    start = clock.now() - timedelta(days=3)
    late = cast.subscriber(place.partner, place.scene.plan, name="Larry Late", at=start)
    billing.open_day(place.partner.pk, day=clock.today("UTC"), by=cast.STAFF, at=clock.now())
    assert Customer.objects.get(pk=late.customer_id).status == "blocked"
    path = f"/accounts/{late.pk}/pay/preview/"
    nothing, little, enough = (client.get(path, {"amount": text}).content.decode() for text in ("x", "0.50", "20"))
    assert "Type the amount" in nothing
    assert "Still blocked" in little
    assert "Online again" in enough
    promised = enough.partition("the account ")[2].partition(".</li>")[0]
    given = PAYMENT | {"received_on": clock.today("UTC").isoformat(), "key": "form:late"}
    client.post(f"/accounts/{late.pk}/pay/", given)
    assert Customer.objects.get(pk=late.customer_id).status == "active"
    assert (
        f"Has\xa0{promised.partition(chr(160))[2]}"
        in client.get(f"/customers/{late.customer_id}/money/").content.decode()
    )


def test_a_refund_gives_back_no_more_than_is_left(place, client):
    path = f"/payments/{place.payment.pk}/refund/"
    assert client.post(path, {"amount": "15", "key": "form:2"}).status_code == 302
    assert balance(place) == 500
    answer = client.post(path, {"amount": "15", "key": "form:3"})
    assert answer.status_code == 422
    assert "5.00 EUR is left to give back" in answer.content.decode()
    page = client.get(f"/customers/{place.customer.pk}/money/").content.decode()
    assert "15.00\xa0EUR back" in page
    assert "−" not in page


def test_a_correction_needs_a_reason_and_takes_a_sign(place, client):
    path = f"/accounts/{place.account.pk}/correct/"
    assert client.post(path, {"amount": "-5.00", "reason": "", "key": "form:4"}).status_code == 422
    assert client.post(path, {"amount": "-5.00", "reason": "typed twice", "key": "form:4"}).status_code == 302
    assert balance(place) == 1500
    assert Transfer.objects.filter(kind="correction").count() == 1


def test_the_ledger_shows_a_line_a_month_with_the_days_beneath(place, client):
    start = clock.now() - timedelta(days=3)
    account = cast.subscriber(place.partner, place.scene.plan, name="Paula Pays", paid=10_000, at=start)
    billing.open_day(place.partner.pk, day=clock.today("UTC"), by=cast.STAFF, at=clock.now())
    page = client.get(f"/customers/{account.customer_id}/money/").content.decode()
    assert len(re.findall(r'data-label="What"><span><a [^>]*>Charged', page)) == 3  # each leads to its arithmetic
    assert "Payment" in page


def test_the_day_that_blocked_says_what_was_missing_and_the_days_after_it_do_not(place, client):
    start = clock.now() - timedelta(days=3)
    account = cast.subscriber(place.partner, place.scene.plan, name="Paula Poor", paid=1, at=start)
    billing.open_day(place.partner.pk, day=clock.today("UTC") - timedelta(days=2), by=cast.STAFF, at=start + ONE_DAY)
    billing.open_day(place.partner.pk, day=clock.today("UTC"), by=cast.STAFF, at=clock.now())
    page = client.get(f"/customers/{account.customer_id}/money/").content.decode()
    assert page.count("EUR was not covered") == 1
    assert page.count("Still blocked, not charged") == 2


def test_a_parked_account_is_named_on_the_dashboard_and_taken_back(place, client):
    PrepaidState.objects.filter(account=place.account).update(parked_at=clock.now(), parked_reason="no price")
    assert "is left out of billing: no price" in client.get("/").content.decode()
    assert client.post(f"/accounts/{place.account.pk}/unpark/").status_code == 302
    assert not PrepaidState.objects.filter(parked_at__isnull=False).exists()
    assert client.post(f"/accounts/{place.account.pk}/unpark/").status_code == 422


def test_an_activation_says_when_the_first_charge_comes(place):
    client = logged_in(person("Manager"))
    waiting = cast.service(place.customer, place.scene.plan, at=clock.now())
    path = f"/services/{waiting.pk}/activate/"
    assert "today is free" in client.get(path).content.decode()
    assert client.post(path).status_code == 302
    waiting.refresh_from_db()
    assert waiting.state == "active"
    assert client.post(path).status_code == 422


def test_who_sees_no_money_takes_none(place, given):
    client = logged_in(person("Technician"))
    assert client.post(f"/accounts/{place.account.pk}/pay/", given).status_code == 403
    assert balance(place) == 2000


def test_a_form_from_elsewhere_moves_nothing(place, given):
    client = logged_in(person("Financial manager"))
    client.handler.enforce_csrf_checks = True
    assert client.post(f"/accounts/{place.account.pk}/pay/", given).status_code == 403
    assert balance(place) == 2000
