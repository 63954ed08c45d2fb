"""The pages of messages: what was sent is found, the texts are edited by trial, and secrets go in and never out."""

import pytest
from tests.cast import STAFF
from tests.messages.scene import MINUTE, PASSWORD, TOKEN
from tests.staff.world import World, logged_in, person, world

from demarc.base import clock
from demarc.base.models import OperationLog
from demarc.base.vault import open_for_subject
from demarc.messages import actions
from demarc.messages.models import MailServer, Message, Rules, SmsGateway, Wording
from demarc.staff.models import Role

MAIL = {
    "host": "mail.example.com",
    "security": "starttls",
    "port": "587",
    "username": "isp",
    "password": PASSWORD,
    "from_name": "ISP",
    "from_address": "isp@example.com",
    "reply_to": "",
}
SMS = {
    "url": "https://sms.example.com/send",
    "method": "POST",
    "headers": "Authorization: Bearer {token}",
    "body_form": "form",
    "body": "to={to}&text={text}",
    "sender": "ISP",
    "token": TOKEN,
    "success_text": "",
}
EDITOR = "texts/payment_received/mail/en/"


@pytest.fixture
def place(pages) -> World:
    return world()


@pytest.fixture
def client(place):
    return logged_in(person("Super administrator"))


@pytest.fixture
def settings_path(place):
    return f"/settings/{place.partner.pk}/messages/"


def shown(answer, status=200):
    assert answer.status_code == status, answer.content.decode()[:2000]
    return answer.content.decode()


def test_a_customer_s_messages_are_on_his_page_and_lead_to_the_words(place, client):
    page = shown(client.get(f"/customers/{place.customer.pk}/"))
    assert f'href="/messages/{place.message.pk}/"' in page
    assert "Dry run" in page
    assert "we received €20.00" in shown(client.get(f"/messages/{place.message.pk}/"))


def test_the_list_is_filtered_and_searched(place, client):
    assert place.message.subject in shown(client.get("/messages/?state=dry_run"))
    assert place.message.subject not in shown(client.get("/messages/?state=sent"))
    assert place.message.subject in shown(client.get("/messages/?q=ana@example"))
    assert place.message.subject not in shown(client.get("/messages/?q=nobody"))
    assert "text/csv" in client.get("/messages/?format=csv")["Content-Type"]


def test_what_a_message_says_is_shown_as_text_whatever_it_says(place, client):
    Message.objects.create(
        partner=place.partner,
        customer=place.customer,
        kind="note",
        channel="sms",
        event_key="evil",
        language="en",
        text="<script>alert(1)</script>",
        trouble="<img src=x>",
        state="failed",
        created_at=clock.now(),
        not_before=clock.now(),
        expires_at=clock.now(),
        ended_at=clock.now(),
        created_by_label="x",
    )
    evil = Message.objects.get(event_key="evil")
    for path in (f"/messages/{evil.pk}/", "/messages/", f"/customers/{place.customer.pk}/"):
        page = shown(client.get(path))
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page
        assert "<img src=x>" not in page


def test_staff_write_to_a_customer(place, client):
    path = f"/customers/{place.customer.pk}/write/"
    form = {"key": "form:1", "channel": "mail", "subject": "Works", "text": "On Monday."}
    answer = client.post(path, form)
    made = Message.objects.get(kind="note")
    assert answer["Location"] == f"/messages/{made.pk}/"
    assert (made.recipient, made.text) == ("ana@example.com", "On Monday.")
    assert "This was sent before" in shown(client.post(path, form), 422)
    assert "This cannot be empty" in shown(client.post(path, form | {"key": "form:2", "subject": ""}), 422)


def test_a_message_is_sent_again_only_by_a_post(place, client):
    path = f"/messages/{place.message.pk}/resend/"
    assert "same words a second time" in shown(client.get(path))
    assert Message.objects.count() == 1
    assert client.post(path, {"key": "form:1"}).status_code == 302
    assert client.post(path, {"key": "form:1"}).status_code == 422, "a double click"
    assert Message.objects.latest("id").resent_from == place.message


def test_secrets_go_in_and_never_out(place, client, settings_path):
    assert client.post(f"{settings_path}mail/", MAIL).status_code == 302
    assert client.post(f"{settings_path}sms/", SMS).status_code == 302
    pages = [settings_path, f"{settings_path}mail/", f"{settings_path}sms/", f"/settings/{place.partner.pk}/"]
    for path in pages:
        page = shown(client.get(path))
        assert PASSWORD not in page
        assert TOKEN not in page
    for row in OperationLog.objects.exclude(body=None):
        said = open_for_subject(row.subject_kind, row.subject_id or 0, bytes(row.body)) or b""
        assert PASSWORD.encode() not in said
        assert TOKEN.encode() not in said
    assert PASSWORD.encode() not in bytes(MailServer.objects.get().password)
    assert TOKEN.encode() not in bytes(SmsGateway.objects.get().token)


def test_a_refused_form_does_not_show_the_password_that_was_typed(client, settings_path):
    page = shown(client.post(f"{settings_path}mail/", MAIL | {"port": "0"}), 422)
    assert PASSWORD not in page


def test_an_empty_password_keeps_the_present_one_and_no_user_name_drops_it(client, settings_path):
    client.post(f"{settings_path}mail/", MAIL)
    sealed = bytes(MailServer.objects.get().password)
    client.post(f"{settings_path}mail/", MAIL | {"password": "", "host": "other.example.com"})
    row = MailServer.objects.get()
    assert (row.host, bytes(row.password)) == ("other.example.com", sealed)
    client.post(f"{settings_path}mail/", MAIL | {"password": "", "username": ""})
    assert MailServer.objects.get().password is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"security": "none"}, "A password needs a user name, and STARTTLS or TLS"),
        ({"host": "mail.example.com\nX"}, "Write the server"),
        ({"host": "mail example"}, "Write the server"),
        ({"from_address": "isp"}, "Write an e-mail address"),
        ({"from_name": "ISP\x00"}, "Null characters"),
        ({"port": "99999"}, "from 1 to 65535"),
    ],
)
def test_a_mail_server_that_cannot_be_is_refused(client, settings_path, change, words):
    assert words in shown(client.post(f"{settings_path}mail/", MAIL | change), 422)
    assert not MailServer.objects.exists()


def test_the_rules_are_set_and_shown(place, client, settings_path):
    given = {
        "quiet_from": "22:00",
        "quiet_until": "07:30",
        "quiet_sms": "on",
        "low_days": "5",
        "low_hour": "9",
        "kind_payment_received": ["mail", "sms"],
    }
    assert client.post(f"{settings_path}rules/", given).status_code == 302
    rules = Rules.objects.get(partner=place.partner)
    assert rules.dry_run is False
    assert rules.channels_of("payment_received") == ("mail", "sms")
    assert rules.channels_of("overdue") == ()
    page = shown(client.get(settings_path))
    assert "22:00 to 07:30, for SMS" in page
    assert "5 days" in page
    assert "from 1 to 30" in shown(client.post(f"{settings_path}rules/", given | {"low_days": "31"}), 422)


def test_a_text_is_tried_on_a_customer_saved_and_given_back(place, client, settings_path):
    text = {"subject": "Thanks {{ customer_name }}", "text": "We have {{ amount }}.", "html": "", "customer": ""}
    tried = text | {"customer": place.customer.number}
    assert "Thanks Ana of Demarc" in shown(client.post(f"{settings_path}{EDITOR}preview/", tried))
    assert not Wording.objects.exists()
    assert client.post(f"{settings_path}{EDITOR}", text).status_code == 302
    assert Wording.objects.get().text == "We have {{ amount }}."
    assert "Your own text" in shown(client.get(f"{settings_path}{EDITOR}"))
    assert client.post(f"{settings_path}{EDITOR}reset/").status_code == 302
    assert not Wording.objects.exists()


def test_the_editor_says_what_is_wrong_and_lists_the_names(client, settings_path):
    page = shown(client.get(f"{settings_path}{EDITOR}"))
    assert "What was paid" in page
    assert "{{ amount }}" in page
    wrong = {"subject": "S", "text": "Pay\n{{ amount.__class__ }}", "html": "", "customer": ""}
    for path, status in ((EDITOR, 422), (f"{EDITOR}preview/", 200)):
        page = shown(client.post(f"{settings_path}{path}", wrong), status)
        assert "Line 2: between the braces stands one name and nothing else" in page


def test_a_preview_runs_nothing_and_shows_only_the_provider_s_own_customers(place, client, settings_path):
    world("Other", number=1)
    text = {"subject": "S", "text": "t", "html": "<script>x()</script><b onclick=x()>Hi</b>", "customer": "000001"}
    page = shown(client.post(f"{settings_path}{EDITOR}preview/", text))
    assert "sandbox" in page
    assert "x()" not in page
    assert "Other" not in page
    assert "no customer of this number" in shown(
        client.post(f"{settings_path}{EDITOR}preview/", text | {"customer": "999"})
    )


@pytest.mark.parametrize(
    "path", ["texts/note/mail/en/", "texts/reminder/fax/en/", "texts/reminder/mail/xx/", "test/fax/"]
)
def test_there_is_nothing_else_to_edit(client, settings_path, path):
    assert client.get(settings_path + path).status_code == 404
    assert client.post(settings_path + path).status_code == 404


def test_a_test_needs_a_server_and_an_address(client, settings_path):
    form = {"key": "t1", "recipient": "me@example.com"}
    assert "No mail server is set up" in shown(client.post(f"{settings_path}test/mail/", form), 422)
    client.post(f"{settings_path}mail/", MAIL)
    assert "Write an e-mail address" in shown(
        client.post(f"{settings_path}test/mail/", form | {"recipient": "me"}), 422
    )
    assert client.post(f"{settings_path}test/mail/", form).status_code == 302
    assert Message.objects.get(kind="test").recipient == "me@example.com"


def test_messages_that_could_not_be_sent_are_on_the_dashboard(place, client):
    assert "could not be sent" not in shown(client.get("/"))
    actions.set_rules(place.partner.pk, dry_run=False, by=STAFF, at=clock.now())
    actions.resend(place.message.pk, key="k", by=STAFF, at=clock.now() + MINUTE)
    page = shown(client.get("/"))
    assert "1 message of the last 7 days could not be sent" in page


def test_who_may_only_see_writes_nothing(place, settings_path):
    Role.objects.create(name="Reader", permissions=["messages.see", "customers.see"])
    client = logged_in(person("Reader"))
    assert client.get("/messages/").status_code == 200
    for path in (f"/messages/{place.message.pk}/resend/", f"/customers/{place.customer.pk}/write/"):
        assert client.post(path, {"text": "x"}).status_code == 403
    assert client.post(f"{settings_path}{EDITOR}preview/", {"text": "x"}).status_code == 403
    assert "Write a message" not in shown(client.get(f"/customers/{place.customer.pk}/"))
