"""Invoices and reminders leave by real SMTP with the PDF; what was paid meanwhile is not reminded of."""

from datetime import UTC, date, datetime

import pytest
from tests import cast
from tests.billing.test_dunning import Late
from tests.cast import STAFF
from tests.messages.scene import at_, live

from demarc.base.actors import SYSTEM
from demarc.billing.models import ReminderSent
from demarc.customers import actions as customers
from demarc.messages import actions
from demarc.messages.models import Message

pytestmark = pytest.mark.django_db


def at(month: int, day: int, hour: int = 9) -> datetime:
    return datetime(2024, month, day, hour, tzinfo=UTC)


@pytest.fixture
def story(mail):
    """A recurring customer with an address, whose provider really sends; his bill of 31.00 is of 1 January."""
    told = Late()
    live(told.partner, mail=mail, channels={"reminder": ["mail"], "overdue": ["mail"], "invoice_created": ["mail"]})
    customers.update_customer(told.customer.pk, email="ana@example.com", language="es", by=STAFF, at=at(1, 1))
    told.begin(at(1, 1))
    actions.note_documents([told.documents[0].pk], by=SYSTEM, at=at(1, 1))
    return told


def remind(story, when):
    story.dun(when)
    fresh = ReminderSent.objects.filter(at=when).values_list("id", flat=True)
    return actions.note_reminders(list(fresh), by=SYSTEM, at=when)


def test_an_invoice_goes_out_once_with_its_pdf_in_the_customer_s_language(story, mail):
    actions.note_documents([story.documents[0].pk], by=SYSTEM, at=at(1, 1))
    assert actions.send_waiting(by=SYSTEM, now=at_(at(1, 1))) == {"sent": 1}
    (letter,) = mail.letters
    (paper,) = letter.iter_attachments()
    assert paper.get_filename() == f"{story.documents[0].number}.pdf"
    assert paper.get_content().startswith(b"%PDF-")
    assert story.documents[0].number in letter.get_body(("plain",)).get_content()
    assert "31,00" in letter.get_body(("plain",)).get_content()


def test_a_reminder_leaves_and_one_that_was_paid_meanwhile_does_not(story, mail):
    actions.send_waiting(by=SYSTEM, now=at_(at(1, 1)))
    assert [one.kind for one in remind(story, at(1, 12, 12))] == ["reminder"]
    assert actions.send_waiting(by=SYSTEM, now=at_(at(1, 12, 12))) == {"sent": 1}
    (late,) = remind(story, at(1, 16, 12))
    assert late.kind == "overdue"
    cast.pay(story.account, 3100, at=at(1, 16, 12))
    assert actions.send_waiting(by=SYSTEM, now=at_(at(1, 16, 13))) == {"dropped": 1}
    assert "Nothing is owed" in Message.objects.get(pk=late.pk).trouble
    assert len(mail.letters) == 2


def test_told_twice_it_is_one_message(story):
    remind(story, at(1, 12, 12))
    again = list(ReminderSent.objects.values_list("id", flat=True))
    assert actions.note_reminders(again, by=SYSTEM, at=at(1, 12, 12)) == []
    assert date(2024, 1, 12) == ReminderSent.objects.get().day
