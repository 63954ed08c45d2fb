"""The pages of customers: finding one, his frame, his record, billing rules, and what is written down of it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests import cast
from tests.staff.world import World, address, logged_in, person, staff_pages, world

from demarc.base import clock
from demarc.base.models import OperationLog, Partner
from demarc.base.vault import open_for_subject
from demarc.customers.models import Customer
from demarc.customers.queries import terms_for


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Administrator", "ana"))


def body_of(row: OperationLog) -> str:
    return (open_for_subject(row.subject_kind, row.subject_id or 0, bytes(row.body)) or b"").decode()


@pytest.mark.parametrize("text", ["Ana of", "000001", "1", "600 111", "ana0", "172.16.0.10", "ana@example"])
def test_a_customer_is_found_by_what_he_says_on_the_phone(place, client, text):
    cast.customer(place.partner, "Somebody Else", at=clock.now())
    answer = client.get("/customers/", {"q": text}).content.decode()
    assert place.customer.name in answer
    assert "Somebody Else" not in answer


def test_a_search_is_written_down_with_its_filter_and_count_and_a_plain_list_is_not(place, client):
    client.get("/customers/")
    assert not OperationLog.objects.filter(verb="listed").exists()
    client.get("/customers/", {"q": "Ana", "status": "active"})
    row = OperationLog.objects.get(verb="listed")
    assert (row.actor_label, row.subject_kind) == ("ana", "customers")
    assert body_of(row) == '{"filter": {"status": "active", "q": "Ana"}, "count": 1}'


def test_a_list_without_a_match_says_so_and_offers_the_way_out(client):
    answer = client.get("/customers/", {"q": "Nobody <b>"}).content.decode()
    assert "No customer matches “Nobody &lt;b&gt;”" in answer
    assert "Show all customers" in answer


@pytest.mark.parametrize("query", ["page=999999", "page=x", "sort=password", "status=nonsense", "q=%00", "q=%25"])
def test_nonsense_in_the_address_is_harmless(client, query):
    assert client.get(f"/customers/?{query}").status_code == 200


def test_the_file_holds_every_row_and_no_formula(place, client):
    cast.customer(place.partner, '=HYPERLINK("http://evil")', at=clock.now())
    answer = client.get("/customers/?format=csv")
    text = b"".join(answer.streaming_content).decode()
    assert answer["Content-Disposition"] == 'attachment; filename="customers.csv"'
    assert text.splitlines()[0] == "Name,Number,Status,Plan,Balance,Lasts,Online"
    assert "\"'=HYPERLINK" in text
    assert OperationLog.objects.filter(verb="exported").count() == 1


def test_opening_a_customer_is_one_row_of_the_log(place, client):
    client.get(f"/customers/{place.customer.pk}/")
    row = OperationLog.objects.get(verb="viewed")
    assert (row.subject_kind, row.subject_id, row.actor_label) == ("customer", place.customer.pk, "ana")


def test_every_page_about_a_customer_is_one_row_of_the_log(place, client):
    about = [one for one in staff_pages() if {"customer_id", "account_id", "service_id"} & set(one.pattern.converters)]
    assert len(about) > 20
    for number, one in enumerate(about, 1):
        client.get(address(one, place))
        rows = OperationLog.objects.filter(verb="viewed", subject_kind="customer", subject_id=place.customer.pk)
        assert rows.count() == number, one


def test_the_frame_answers_the_call_on_one_screen(place, client):
    answer = client.get(f"/customers/{place.customer.pk}/").content.decode()
    for words in ("Has&nbsp;20.00&nbsp;EUR", "Lasts until", "Online", "172.16.0.10 on North", "Fibre", "Add payment"):
        assert words.replace("&nbsp;", "\xa0") in answer, words


def test_a_viewer_without_money_sees_no_balance(place):
    answer = logged_in(person("Technician")).get(f"/customers/{place.customer.pk}/").content.decode()
    assert "20.00" not in answer
    assert "Add payment" not in answer


def test_a_new_customer_lands_on_his_page(place, client):
    answer = client.post(
        "/customers/new/", {"name": "Núria <Puig>", "category": "person", "billing_type": "prepaid", "city": "Blanes"}
    )
    made = Customer.objects.get(name="Núria <Puig>")
    assert answer["Location"] == f"/customers/{made.pk}/"
    assert "Núria &lt;Puig&gt;" in client.get(answer["Location"]).content.decode()


def test_a_refused_record_keeps_what_was_typed_and_says_where(place, client):
    answer = client.post(
        "/customers/new/", {"name": "Núria", "category": "person", "billing_type": "prepaid", "email": "not an address"}
    )
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "Write an e-mail address like" in text
    assert 'value="not an address"' in text
    assert 'value="Núria"' in text
    assert OperationLog.objects.filter(result="refused", verb="create_customer").count() == 1


def test_who_works_for_several_providers_is_asked_for_which(place, client):
    cast.partner("Second")
    assert "for which provider" in client.get("/customers/new/").content.decode()
    assert client.get(f"/customers/new/?partner={place.partner.pk}").status_code == 200


def test_an_account_s_own_rules_and_the_provider_s_are_set_from_a_day_on(place, client):
    today = clock.today("UTC")
    general = {"valid_from": today, "minimal_balance": "-5", "limit_rule": "cover", "day_rule": "thirty"}
    answer = client.post(f"/settings/{place.partner.pk}/terms/", general | {"charge_activation_day": "no"})
    assert answer.status_code == 302
    own = {"valid_from": today, "minimal_balance": "", "limit_rule": "stop_at_limit", "day_rule": ""}
    assert client.post(f"/accounts/{place.account.pk}/terms/", own).status_code == 302
    terms = terms_for([place.account.pk], today)[place.account.pk]
    assert (terms.minimal_balance, terms.limit_rule, terms.day_rule) == (-500, "stop_at_limit", "thirty")


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("minimal_balance", "1,50", "Write the amount in digits"),
        ("minimal_balance", "1.234", "at most 2 decimals"),
        ("minimal_balance", "99999999999999999999", "too large"),
        ("valid_from", "1850-01-01", "Choose a day from"),
        ("day_rule", "weekly", "not one of the available choices"),
    ],
)
def test_nonsense_in_billing_rules_is_refused_at_its_field(place, client, field, value, words):
    given = {"valid_from": "2026-01-01", "minimal_balance": "0", "limit_rule": "cover", "day_rule": "calendar"}
    answer = client.post(
        f"/settings/{place.partner.pk}/terms/", given | {"charge_activation_day": "no"} | {field: value}
    )
    assert answer.status_code == 422
    assert words in answer.content.decode().partition(f'id="id_{field}_error"')[2][:600]


def test_the_provider_is_renamed_and_his_currency_stays_once_accounts_exist(place, client):
    path = f"/settings/{place.partner.pk}/edit/"
    given = {"name": "Fitel", "language": "es", "currency": "EUR", "zone": "UTC", "phone": "+34 972 000 000"}
    assert client.post(path, given).status_code == 302
    assert Partner.objects.get(pk=place.partner.pk).name == "Fitel"
    answer = client.post(path, given | {"currency": "USD"})
    assert answer.status_code == 422
    assert "fixed" in answer.content.decode()


def test_a_long_list_asks_the_database_no_more_often_than_a_short_one(place, client):
    lists = ("/customers/", "/sessions/", "/payments/", "/plans/", "/routers/", "/pools/")

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(path)
        return len(queries)

    client.get("/customers/")
    short = {path: asked(path) for path in lists}
    for number in range(2, 8):
        world(f"More {number}", number=number)
    assert {path: asked(path) for path in lists} == short
