"""Messages leave over real SMTP: once as far as SMTP can know, later when it must be, never when it is no longer so."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import transaction
from tests import cast
from tests.cast import AT, STAFF
from tests.messages.scene import MINUTE, PASSWORD, live, only, reader, send, tell
from tests.sim.smtp import certificate, mail_server

from demarc.base.models import OperationLog
from demarc.billing import actions as billing
from demarc.core.errors import Refused
from demarc.customers.models import Block, BlockCause
from demarc.messages import actions, wired
from demarc.messages import mail as postal
from demarc.messages.actions.sending import BATCH, CLAIM_LASTS, TRIES_MAX, WAITS
from demarc.messages.attachments import Attachment
from demarc.messages.models import MailServer, Message
from demarc.messages.shipped import Text
from demarc.project.wiring import MESSAGE_CHECKS

HELD = "service_on_hold"


@pytest.fixture
def isp(db, mail):
    return live(cast.partner(), mail=mail)


def test_a_letter_is_complete(isp, mail):
    (message,) = tell(reader(isp, name="Ána Öz"))
    assert send() == {"sent": 1}
    (letter,) = mail.letters
    assert letter["From"] == "Demarc ISP <isp@example.com>"
    assert letter["To"] == "ana@example.com"
    assert letter["Subject"] == "We received your payment of €20.00"
    assert letter["Message-ID"] == f"<{message.public_id.hex}@example.com>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Date"].datetime == AT
    assert "Hello Ána Öz" in letter.get_body(("plain",)).get_content()
    assert "<p>Hello Ána Öz,</p>" in letter.get_body(("html",)).get_content()
    message.refresh_from_db()
    assert (message.state, message.ended_at, message.attempts) == ("sent", AT, 1)


def test_many_letters_share_one_connection_and_one_row_of_the_log(isp, mail):
    account = reader(isp)
    for number in range(BATCH):
        tell(account, key=f"fact-{number}")
    assert send() == {"sent": BATCH}
    assert (len(mail.letters), mail.connections) == (BATCH, 1)
    assert OperationLog.objects.filter(verb="sent").count() == 1


def test_what_was_sent_is_not_sent_again(isp, mail):
    tell(reader(isp))
    send()
    assert send(AT + timedelta(days=1)) == {}
    assert len(mail.letters) == 1


def test_a_server_that_is_away_is_tried_later_and_later_and_then_no_more(isp, mail):
    mail.away = True
    tell(reader(isp), at=AT)
    Message.objects.update(expires_at=AT + timedelta(days=9))
    moment = AT
    for wait in WAITS:
        assert send(moment) == {"waiting": 1}
        assert send(moment + wait - MINUTE / 2) == {}, "not before its time"
        moment += wait
    assert send(moment) == {"failed": 1}
    message = only()
    assert message.attempts == TRIES_MAX
    assert "cannot be used" in message.trouble


def test_it_goes_out_when_the_server_is_back(isp, mail):
    mail.away = True
    tell(reader(isp))
    send()
    mail.away = False
    assert send(AT + MINUTE) == {"sent": 1}
    assert only().attempts == 2


def test_one_that_is_refused_does_not_hold_up_the_others(isp, mail):
    mail.answers = {"gone@example.com": "550 no such <script>user", "full@example.com": "452 mailbox full"}
    for address in ("gone@example.com", "full@example.com", "ana@example.com"):
        tell(reader(isp, email=address), key=address)
    assert send() == {"sent": 1, "failed": 1, "waiting": 1}
    gone = Message.objects.get(recipient="gone@example.com")
    assert (gone.state, gone.trouble) == ("failed", "550 no such <script>user")
    assert Message.objects.get(recipient="full@example.com").trouble == "452 mailbox full"


def test_after_the_payment_nobody_is_told_that_he_is_on_hold(isp, mail):
    account = reader(isp)
    block = Block.objects.create(
        partner=isp,
        customer=account.customer,
        account=account,
        cause=BlockCause.NO_MONEY,
        set_at=AT,
        set_by_kind="system",
        set_by_label="Demarc",
    )
    tell(account, HELD, key="hold:1")
    block.lifted_at = AT
    block.save()
    assert send() == {"dropped": 1}
    assert only().trouble == "No longer on hold."
    assert mail.letters == []


def test_who_is_still_on_hold_is_told(isp, mail):
    account = reader(isp)
    Block.objects.create(
        partner=isp,
        customer=account.customer,
        account=account,
        cause=BlockCause.NO_MONEY,
        set_at=AT,
        set_by_kind="system",
        set_by_label="Demarc",
    )
    tell(account, HELD, key="hold:1")
    tell(account, "service_restored", key="restored:1")
    assert send() == {"sent": 1, "dropped": 1}
    assert mail.letters[0]["Subject"] == "Your service is on hold"


@pytest.mark.parametrize(("balance", "state"), [(-500, "sent"), (0, "dropped"), (100, "dropped")])
def test_a_reminder_is_dropped_when_nothing_is_owed(isp, balance, state):
    account = reader(isp)
    tell(account, "reminder", number="7")
    if balance:
        billing.correct(account.pk, amount=balance, reason="test", key="k", by=STAFF, at=AT)
    assert send() == {state: 1}


def paid_already(message, at):
    """A check that another room wires."""
    return f"Paid: {message.event_key}"


def test_a_room_that_knows_better_is_asked_instead(isp):
    tell(reader(isp), "invoice_created", number="7", key="invoice:7")
    wired.register({}, {"invoice_created": f"{__name__}.paid_already"})
    try:
        assert send() == {"dropped": 1}
    finally:
        wired.register({}, MESSAGE_CHECKS)
    assert only().trouble == "Paid: invoice:7"


def invoice(document_id, partner_id):
    """A renderer that another room wires."""
    if document_id == 404:
        raise Refused("There is no invoice 404.")
    return Attachment(f"invoice-{document_id}.pdf", "application/pdf", b"%PDF of " + str(partner_id).encode())


@pytest.fixture
def invoices():
    wired.register({"invoice": f"{__name__}.invoice"}, {})
    yield
    wired.register({}, MESSAGE_CHECKS)


def test_what_hangs_on_a_message_is_rendered_when_it_is_sent(isp, mail, invoices):
    account = reader(isp)
    for number in (7, 404):
        file = {"kind": "invoice", "id": number}
        actions.enqueue(
            kind="invoice_created", key=f"i{number}", account_id=account.pk, attachments=[file], by=STAFF, at=AT
        )
    assert send() == {"sent": 1, "failed": 1}
    (file,) = mail.letters[0].iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("invoice-7.pdf", "application/pdf")
    assert file.get_content() == b"%PDF of " + str(isp.pk).encode()
    assert Message.objects.get(event_key="i404").trouble == "There is no invoice 404."


def test_switching_to_a_dry_run_stops_what_waits(isp, mail):
    tell(reader(isp))
    actions.set_rules(isp.pk, dry_run=True, by=STAFF, at=AT)
    assert send() == {"dry_run": 1}
    assert mail.letters == []


def test_a_test_message_leaves_in_a_dry_run_too(isp, mail):
    actions.set_rules(isp.pk, dry_run=True, by=STAFF, at=AT)
    actions.send_test(isp.pk, channel="mail", recipient="me@example.com", key="t1", by=STAFF, at=AT)
    assert send() == {"sent": 1}
    assert mail.letters[0]["To"] == "me@example.com"


@pytest.mark.parametrize(
    "recipient", ["", "me", "me@example.com\nBcc: all@example.com", "a@b.cz, c@d.cz", "x@example.com\r\n"]
)
def test_a_test_goes_to_one_address_or_nowhere(isp, recipient):
    if recipient.strip() == "x@example.com":
        actions.send_test(isp.pk, channel="mail", recipient=recipient, key="t", by=STAFF, at=AT)
        assert only().recipient == "x@example.com"
        return
    with pytest.raises(Refused):
        actions.send_test(isp.pk, channel="mail", recipient=recipient, key="t", by=STAFF, at=AT)


def test_no_header_can_be_smuggled_in_by_a_name_or_a_text(isp, mail):
    evil = "Ana\r\nBcc: all@example.com"
    account = reader(isp)
    type(account.customer).objects.filter(pk=account.customer_id).update(name=evil)
    text = Text("Dear {{ customer_name }}", "{{ customer_name }}")
    actions.save_wording(isp.pk, ("payment_received", "mail", "en"), text, by=STAFF, at=AT)
    account.refresh_from_db()
    tell(account)
    assert send() == {"sent": 1}
    (letter,) = mail.letters
    assert letter["Bcc"] is None
    assert letter["Subject"] == "Dear Ana Bcc: all@example.com"
    type(account.customer).objects.filter(pk=account.customer_id).update(email="ana@example.com\nBcc: x@y.cz")
    account.refresh_from_db()
    (message,) = tell(account, key="fact-2")
    assert message.state == "failed"


@pytest.mark.parametrize("field", ["to", "subject"])
def test_the_letter_itself_takes_no_line_break_in_a_header(field):
    facts = {"to": "a@b.cz", "subject": "Hi", "text": "t", "html": "", "local_id": "1", "at": AT}
    sender = postal.MailAccount("h", 25, "none", "isp@example.com")
    with pytest.raises(Exception, match=r"(?i)linefeed|newline|invalid"):
        postal.composed(postal.Letter(**facts | {field: "a@b.cz\nBcc: x@y.cz"}), sender)


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """A certificate for this machine that this test believes in."""
    paths = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(paths[0]))
    return paths


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_the_password_travels_encrypted_to_a_server_that_can_prove_its_name(db, trusted, security):
    with mail_server(tls=trusted, starttls=security == "starttls") as server:
        isp = live(cast.partner(), mail=server)
        actions.save_mail_server(isp.pk, security=security, username="isp", password=PASSWORD, by=STAFF, at=AT)
        tell(reader(isp))
        assert send() == {"sent": 1}, only().trouble
        assert server.logins == [f"\0isp\0{PASSWORD}"]


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_server_that_nobody_vouches_for_gets_no_password(db, tmp_path, security):
    with mail_server(tls=certificate(tmp_path), starttls=security == "starttls") as server:
        isp = live(cast.partner(), mail=server)
        actions.save_mail_server(isp.pk, security=security, username="isp", password=PASSWORD, by=STAFF, at=AT)
        tell(reader(isp))
        assert send() == {"waiting": 1}
        assert "certificate is not trusted" in only().trouble
        assert server.logins == []


def test_a_server_that_offers_no_encryption_gets_no_password(isp, mail):
    actions.save_mail_server(isp.pk, security="starttls", username="isp", password=PASSWORD, by=STAFF, at=AT)
    tell(reader(isp))
    assert send() == {"waiting": 1}
    assert mail.logins == []


def test_a_password_that_was_moved_to_another_provider_does_not_open(isp, mail):
    actions.save_mail_server(isp.pk, security="starttls", username="isp", password=PASSWORD, by=STAFF, at=AT)
    thief = live(cast.partner("Thief"), mail=mail)
    sealed = MailServer.objects.get(partner=isp).password
    MailServer.objects.filter(partner=thief).update(password=sealed, username="isp", security="starttls")
    tell(reader(thief))
    assert send() == {"failed": 1}
    assert "typed anew" in only().trouble


DIES = """
import os, signal, sys
from datetime import datetime
import django
django.setup()
from demarc.base.actors import SYSTEM
from demarc.messages.actions import sending
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
setattr(sending, sys.argv[2], die)
sending.send_waiting(by=SYSTEM, now=lambda: datetime.fromisoformat(sys.argv[1]))
"""


def dying_worker(cluster, where):
    """The sending job in a process of its own that is killed when it comes to `where`."""
    environ = (
        os.environ
        | cluster.environment()
        | {
            "DEMARC_DATA": str(cluster.config.data),
            "DJANGO_SETTINGS_MODULE": "demarc.project.settings",
        }
    )
    done = subprocess.run(
        [sys.executable, "-c", DIES, AT.isoformat(), where], env=environ, timeout=60, capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


@pytest.mark.parametrize(("where", "letters"), [("mark_sent", 2), ("_send_one", 1)])
def test_a_worker_killed_at_its_work_loses_nothing_and_repeats_a_mail_only_under_its_old_id(
    transactional_db, cluster, mail, where, letters
):
    """Killed between the server's word and its own note: the letter goes twice with one Message-ID. Before: once."""
    isp = live(cast.partner(), mail=mail)
    (message,) = tell(reader(isp))
    dying_worker(cluster, where)
    assert len(mail.letters) == letters - 1
    assert only().state == "sending"
    assert send(AT + CLAIM_LASTS) == {}, "whoever claimed it may be slow, not dead"
    assert send(AT + CLAIM_LASTS + MINUTE) == {"sent": 1}
    assert mail.ids == [f"<{message.public_id.hex}@example.com>"] * letters
    assert send(AT + timedelta(days=1)) == {}


def test_an_sms_whose_worker_was_killed_is_not_sent_again_unasked(transactional_db, cluster, sms):
    isp = live(cast.partner(), sms=sms, channels={"payment_received": ["sms"]})
    tell(reader(isp))
    dying_worker(cluster, "mark_sent")
    assert len(sms.asked) == 1
    assert send(AT + CLAIM_LASTS + MINUTE) == {}
    message = only()
    assert message.state == "failed"
    assert "nobody knows" in message.trouble
    assert len(sms.asked) == 1


def test_a_message_that_kills_its_worker_each_time_is_given_up(isp):
    tell(reader(isp))
    Message.objects.update(state="sending", claimed_at=AT, attempts=TRIES_MAX)
    assert send(AT + CLAIM_LASTS + MINUTE) == {}
    assert only().state == "failed"


def test_a_claim_taken_up_by_another_worker_stays_his(isp, mail, monkeypatch):
    tell(reader(isp))
    original = postal.MailSession.send

    def slow(self, letter):
        original(self, letter)
        Message.objects.update(claimed_at=AT + MINUTE)  # another one has taken it up meanwhile

    monkeypatch.setattr(postal.MailSession, "send", slow)
    send()
    assert only().state == "sending"


def test_two_workers_do_not_send_the_same_message(transactional_db, cluster, mail):
    isp = live(cast.partner(), mail=mail)
    account = reader(isp)
    for number in range(30):
        tell(account, key=f"fact-{number}")
    with transaction.atomic():
        held = set(Message.objects.select_for_update().order_by("id")[:10].values_list("public_id", flat=True))
        environ = (
            os.environ
            | cluster.environment()
            | {
                "DEMARC_DATA": str(cluster.config.data),
                "DJANGO_SETTINGS_MODULE": "demarc.project.settings",
            }
        )
        code = DIES.replace("setattr(sending, sys.argv[2], die)", "")
        subprocess.run([sys.executable, "-c", code, AT.isoformat()], env=environ, timeout=60, check=True)
    assert len(mail.letters) == 20, "those that somebody holds are passed over"
    assert not [one for one in held if f"<{one.hex}@example.com>" in mail.ids]
    assert send() == {"sent": 10}
    assert len(set(mail.ids)) == 30
