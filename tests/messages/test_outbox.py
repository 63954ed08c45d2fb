"""What is told is written once, in the reader's language, and says at once when it can go nowhere."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import connection, transaction
from tests import cast
from tests.cast import AT, STAFF
from tests.messages.scene import live, only, reader, send, tell

from demarc.base.models import OperationLog
from demarc.core.errors import Refused
from demarc.core.money import Money
from demarc.messages import actions
from demarc.messages.models import Message, Wording
from demarc.messages.shipped import Text

NIGHT = datetime(2024, 4, 30, 20, 30, tzinfo=UTC)
"""Half past ten at night in Madrid."""


@pytest.fixture
def isp(db):
    return cast.partner("Costa", zone="Europe/Madrid")


def test_until_the_provider_says_go_messages_are_written_and_nothing_leaves(isp, mail):
    account = reader(isp)
    actions.save_mail_server(
        isp.pk, host="127.0.0.1", port=mail.port, security="none", from_address="a@b.cz", by=STAFF, at=AT
    )
    (message,) = tell(account)
    assert message.state == "dry_run"
    assert message.text.startswith("Hello Ana,\n\nwe received €20.00 on 30 April 2024")
    assert send() == {}
    assert mail.letters == []


def test_a_fact_told_again_is_one_message_by_each_channel(isp, mail, sms):
    live(isp, mail=mail, sms=sms, channels={"payment_received": ["mail", "sms"]})
    account = reader(isp)
    assert [message.channel for message in tell(account)] == ["mail", "sms"]
    assert tell(account) == []
    assert Message.objects.count() == 2
    assert OperationLog.objects.filter(verb="enqueued").count() == 1


def test_the_message_vanishes_with_its_fact(isp):
    account = reader(isp)
    with transaction.atomic():
        tell(account)
        transaction.set_rollback(True)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Hello Ana", "€1,234.50", "30 April 2024"]),
        ("es", ["Hola, Ana", "1.234,50 €", "30 de abril de 2024"]),
        ("de", ["Guten Tag Ana", "1.234,50 €", "30. April 2024"]),
        ("fr", ["Bonjour Ana", "1 234,50 €", "30 avril 2024"]),
        ("pt", ["Olá, Ana", "1 234,50 €", "30 de abril de 2024"]),
        ("cs", ["Dobrý den", "1 234,50 €", "30. dubna 2024"]),
        ("ru", ["Здравствуйте, Ana", "1 234,50 €", "30 апреля 2024"]),
    ],
)
def test_money_and_days_are_written_as_the_customer_writes_them(isp, language, words):
    (message,) = tell(reader(isp, language=language), amount=Money(123450, "EUR"), received_on=date(2024, 4, 30))
    text = message.text.replace("\u202f", " ").replace("\xa0", " ")
    assert [word for word in words if word not in text] == [], text
    assert message.language == language


def test_who_has_no_language_is_written_to_in_the_provider_s(isp):
    isp.language = "cs"
    isp.save()
    assert tell(reader(isp))[0].subject.startswith("Přijali jsme")


@pytest.mark.parametrize(("phone", "words"), [("", "no phone number"), ("ask at the office", "no phone number")])
def test_a_customer_without_an_address_is_told_nothing_and_staff_see_it(isp, mail, sms, phone, words):
    live(isp, mail=mail, sms=sms, channels={"payment_received": ["mail", "sms"]})
    by_mail, by_sms = tell(reader(isp, email="", phone=phone))
    assert (by_mail.state, by_mail.trouble) == ("failed", "There is no e-mail address.")
    assert by_sms.state == "failed"
    assert words in by_sms.trouble


def test_without_a_server_the_message_says_so(isp):
    live(isp)
    (message,) = tell(reader(isp))
    assert (message.state, message.trouble) == ("failed", "No mail server is set up.")


def test_at_night_an_sms_waits_for_the_customer_s_morning_and_a_mail_does_not(isp, mail, sms):
    live(isp, mail=mail, sms=sms, channels={"payment_received": ["mail", "sms"]})
    by_mail, by_sms = tell(reader(isp), at=NIGHT)
    assert by_mail.not_before == NIGHT
    assert by_sms.not_before == datetime(2024, 5, 1, 6, tzinfo=UTC), "eight in the morning in Madrid"
    assert send(NIGHT) == {"sent": 1}
    assert send(by_sms.not_before) == {"sent": 1}
    assert len(sms.asked) == 1


def test_quiet_hours_that_are_set_later_hold_for_what_waits_already(isp, sms):
    live(isp, sms=sms, channels={"payment_received": ["sms"]}, quiet_sms=False)
    tell(reader(isp), at=NIGHT)
    actions.set_rules(isp.pk, quiet_sms=True, by=STAFF, at=NIGHT)
    assert send(NIGHT) == {"waiting": 1}
    message = only()
    assert (message.state, message.attempts, message.not_before.hour) == ("waiting", 0, 6)
    assert sms.asked == []


def test_quiet_hours_may_lie_within_a_day_or_nowhere(isp, sms):
    live(isp, sms=sms, channels={"payment_received": ["sms"]}, quiet_from=time(11), quiet_until=time(16))
    account = reader(isp)
    (at_noon,) = tell(account, at=AT)  # noon in Madrid
    assert at_noon.not_before == datetime(2024, 4, 30, 14, tzinfo=UTC)
    actions.set_rules(isp.pk, quiet_until=time(11), by=STAFF, at=AT)
    (again,) = tell(account, key="fact-2", at=AT)
    assert again.not_before == AT


def test_a_provider_s_own_text_is_used_and_can_be_given_back(isp):
    place = ("payment_received", "mail", "en")
    actions.save_wording(isp.pk, place, Text("Thanks!", "{{ amount }}", "<p>{{ customer_name }}</p>"), by=STAFF, at=AT)
    account = reader(isp, name="Ana <script>alert(1)</script>")
    (own,) = tell(account)
    assert (own.subject, own.text) == ("Thanks!", "€20.00")
    assert own.html == "<p>Ana &lt;script&gt;alert(1)&lt;/script&gt;</p>"
    actions.reset_wording(isp.pk, place, by=STAFF, at=AT)
    (shipped,) = tell(account, key="fact-2")
    assert shipped.subject == "We received your payment of €20.00"
    with pytest.raises(Refused, match="shipped text already"):
        actions.reset_wording(isp.pk, place, by=STAFF, at=AT)


def test_scripts_and_handlers_do_not_get_into_a_mail(isp):
    html = '<p onclick="x()">Hi</p><script>x()</script><a href="javascript:x()">y</a><img src=x onerror=x()>'
    actions.save_wording(isp.pk, ("payment_received", "mail", "en"), Text("S", "t", html), by=STAFF, at=AT)
    (message,) = tell(reader(isp))
    assert "<p>Hi</p>" in message.html
    assert not [word for word in ("script", "onclick", "onerror") if word in message.html]


def test_an_own_text_that_fits_no_longer_does_not_keep_a_fact_from_being_told(isp):
    Wording.objects.create(
        partner=isp,
        kind="payment_received",
        channel="mail",
        language="en",
        subject="S",
        text="{{ gone }}",
        recorded_at=AT,
        by_kind="staff",
        by_label="Desk",
    )
    assert tell(reader(isp))[0].subject == "We received your payment of €20.00"


@pytest.mark.parametrize(
    ("news", "field"),
    [
        ({"kind": "love_letter"}, "kind"),
        ({"account_id": 10**9}, "account_id"),
        ({"values": {"amuont": "1"}}, "values"),
        ({"key": ""}, "key"),
        ({"key": "k" * 121}, "key"),
        ({"attachments": [{"kind": "poem", "id": 1}]}, "attachments"),
    ],
)
def test_news_that_make_no_sense_are_refused(isp, news, field):
    account = reader(isp)
    with pytest.raises(Refused) as refused:
        actions.enqueue(**{"kind": "reminder", "key": "k", "account_id": account.pk} | news, by=STAFF, at=AT)
    assert refused.value.field == field
    assert not Message.objects.exists()


def test_staff_write_to_a_customer_once_however_often_they_click(isp, mail):
    live(isp, mail=mail)
    customer = reader(isp).customer_id
    said = Text("Works on Monday", "We dig.\n\n<Careful>")
    actions.write_note(customer, channel="mail", said=said, key="form-1", by=STAFF, at=AT)
    with pytest.raises(Refused, match="sent before"):
        actions.write_note(customer, channel="mail", said=said, key="form-1", by=STAFF, at=AT)
    assert send() == {"sent": 1}
    html = mail.letters[0].get_body(("html",)).get_content()
    assert html.splitlines() == ["<p>We dig.</p>", "<p>&lt;Careful&gt;</p>"]


def test_the_same_words_again_go_to_the_address_of_now(isp, mail):
    live(isp, mail=mail)
    account = reader(isp, email="")
    (failed,) = tell(account)
    account.customer.email = "new@example.com"
    account.customer.save()
    again = actions.resend(failed.pk, key="again", by=STAFF, at=AT)
    assert (again.state, again.recipient, again.text, again.resent_from) == (
        "waiting",
        "new@example.com",
        failed.text,
        failed,
    )
    with pytest.raises(Refused, match="still on its way"):
        actions.resend(again.pk, key="more", by=STAFF, at=AT)
    assert again.public_id != failed.public_id
    with pytest.raises(Refused, match="sent before"):
        actions.resend(failed.pk, key="again", by=STAFF, at=AT)


def test_three_who_hear_of_one_fact_at_once_write_it_once(transactional_db):
    account = reader(cast.partner())
    start = threading.Barrier(3)

    def hear(_: int) -> list[Message]:
        start.wait()
        try:
            return tell(account)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as hearers:
        written = [message for heard in hearers.map(hear, range(3)) for message in heard]
    assert len(written) == 1
    assert only().pk == written[0].pk


def test_what_has_ended_stays_so_whoever_asks(isp):
    (message,) = tell(reader(isp))
    with pytest.raises(Exception, match="stays so"), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(state="waiting", ended_at=None)


def test_what_is_too_late_to_say_is_dropped(isp, mail):
    live(isp, mail=mail)
    (message,) = tell(reader(isp))
    assert send(message.expires_at + timedelta(seconds=1)) == {"dropped": 1}
    assert only().trouble == "Too late."
    assert mail.letters == []
