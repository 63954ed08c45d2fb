"""Letters to the people who work here leave over real SMTP, hold what they must, and are kept nowhere."""

import re

import pytest
from tests import cast
from tests.cast import AT
from tests.messages.scene import live
from tests.staff.world import person

from demarc.base.actors import SYSTEM
from demarc.base.models import OperationLog
from demarc.core.errors import Refused, Unreachable
from demarc.messages.actions import write_to_staff
from demarc.messages.models import MailServer, Message
from demarc.messages.shipped_staff import LETTERS
from demarc.staff import actions
from demarc.staff.models import Device, Login

CODE = re.compile(r"^    ([a-z2-7]{4}(?:-[a-z2-7]{4}){5})\r?$", re.M)


@pytest.fixture
def isp(pages, mail):
    return live(cast.partner(zone="Europe/Madrid"), mail=mail)


def colleague(**facts: object) -> Login:
    """Ana, who works here and can be written to."""
    made = person("Manager", "ana")
    Login.objects.filter(pk=made.pk).update(**{"email": "ana@example.com", "name": "Ana Öz"} | facts)
    made.refresh_from_db()
    return made


def sent(kind: str, login: Login, device: int = 0) -> bool:
    return write_to_staff(kind, login.pk, device_id=device, by=SYSTEM, at=AT)


def test_the_letter_s_code_sets_a_new_password(isp, mail):
    ana = colleague()
    assert sent("reset", ana)
    (letter,) = mail.letters
    assert (letter["To"], letter["Subject"]) == ("ana@example.com", "Your code for a new password")
    text = letter.get_content()
    assert "Hello Ana Öz" in text
    assert "http" not in text, "nothing to click: nobody can send a letter like it that leads elsewhere"
    found = CODE.search(text)
    assert found is not None
    assert actions.reset_password(found[1], "another horse battery", by=SYSTEM, at=AT).pk == ana.pk


def test_its_code_is_neither_in_the_outbox_nor_in_the_log(isp, mail):
    sent("reset", colleague())
    code = CODE.search(mail.letters[0].get_content())[1]
    assert not Message.objects.exists()
    assert code not in str(list(OperationLog.objects.values()))
    assert OperationLog.objects.filter(verb="letter_sent", result="done").count() == 1


def test_word_of_a_new_device_is_in_the_reader_s_language_and_zone(isp, mail):
    ana = colleague(language="es")
    facts = {"words": "Firefox on Linux", "address": "192.0.2.7", "first_seen_at": AT, "last_seen_at": AT}
    device = Device.objects.create(login=ana, digest=b"x", **facts)
    assert sent("new_device", ana, device.pk)
    (letter,) = mail.letters
    assert letter["Subject"] == "Un dispositivo nuevo ha entrado con su cuenta"
    text = letter.get_content()
    assert "Firefox on Linux" in text
    assert "192.0.2.7" in text
    assert "CE" in text, "in the provider's zone, and it is named"


@pytest.mark.parametrize(("facts", "why"), [({"email": ""}, "no address"), ({"is_active": False}, "left")])
def test_who_has_no_address_or_left_gets_none(isp, mail, facts, why):
    assert not sent("reset", colleague(**facts))
    assert mail.letters == []
    assert OperationLog.objects.filter(verb="letter_unsent", result="refused").count() == 1


def test_without_a_mail_server_the_log_says_so(pages):
    cast.partner()
    assert not sent("reset", colleague())
    assert OperationLog.objects.filter(verb="letter_unsent", result="refused").count() == 1


def test_a_server_that_is_down_is_tried_again_with_a_new_code(isp, mail):
    ana, port = colleague(), mail.port
    MailServer.objects.update(port=1)
    with pytest.raises(Unreachable):
        sent("reset", ana)
    MailServer.objects.update(port=port)
    assert sent("reset", ana)


def test_a_reseller_s_clerk_is_not_written_to_through_another_s_server(isp, mail):
    ana = colleague()
    ana.partners.set([cast.partner("Reseller")])
    assert not sent("reset", ana)
    assert mail.letters == []


def test_who_works_for_no_provider_is_not_written_to_through_any_server(isp, mail):
    ana = colleague(everywhere=False)
    assert not sent("reset", ana)
    assert mail.letters == []


def test_every_letter_is_shipped_in_both_languages_with_the_same_names():
    for kind, words in LETTERS.items():
        named = {language: set(re.findall(r"{(\w+)}", letter.text)) for language, letter in words.items()}
        assert named["en"] == named["es"], kind


def test_a_name_like_a_template_stays_a_name(isp, mail):
    sent("reset", colleague(name="{code} {0.__class__}"))
    assert "Hello {code} {0.__class__}" in mail.letters[0].get_content()
    with pytest.raises(Refused):
        actions.reset_password("{code}", "another horse battery", by=SYSTEM, at=AT)
