"""The shipped texts: all kinds, both channels, seven languages, every place known and the money in it."""

import re
from datetime import date

import pytest
from django.conf import settings
from tests import cast
from tests.cast import AT, STAFF
from tests.messages.scene import reader

from demarc.core.errors import Refused
from demarc.core.money import Money
from demarc.core.wording import parse
from demarc.messages import actions, queries
from demarc.messages.kinds import CHANNELS, DAY, KINDS, MONEY, NUMBER, TEMPLATED
from demarc.messages.shipped import Text, languages, shipped
from demarc.messages.wording import Reader, compose, worded

EVERY = pytest.mark.parametrize(
    ("kind", "channel", "language"),
    [(kind, channel, language) for kind in TEMPLATED for channel in CHANNELS for language in languages()],
)
VALUES = {MONEY: Money(123450, "EUR"), DAY: date(2024, 5, 31), NUMBER: 3}
SMS_PARTS = 2


def test_texts_ship_in_all_languages_of_the_house():
    assert languages() == sorted(code for code, _ in settings.LANGUAGES)


@EVERY
def test_a_shipped_text_says_who_writes_and_what_it_is_about(db, kind, channel, language):
    isp = cast.partner("Costa Fibra")
    values = {one.name: VALUES.get(one.sort, "2024-7") for one in KINDS[kind].variables}
    words = worded(KINDS[kind], values, Reader(isp, reader(isp).customer), language)
    composed = compose(KINDS[kind], channel, shipped(kind, channel, language), words)
    assert "Costa Fibra" in composed.text
    assert "{" not in composed.text + composed.subject
    money = {one.name for one in KINDS[kind].variables if one.sort == MONEY}
    assert not money or any(
        words[name].replace("\xa0", " ").replace("\u202f", " ")
        in composed.text.replace("\xa0", " ").replace("\u202f", " ")
        for name in money
    )
    if channel == "mail":
        assert composed.subject
        assert composed.html.startswith("<p>")
    else:
        letters = 67 if any(ord(letter) > 255 and letter != "€" for letter in composed.text) else 153
        assert len(composed.text) <= SMS_PARTS * letters
        assert "\xa0" not in composed.text


@EVERY
def test_a_shipped_text_reads_well_without_what_need_not_be_there(db, kind, channel, language):
    composed = compose(KINDS[kind], channel, shipped(kind, channel, language), {"customer_name": "Ana"})
    assert "\n\n\n" not in composed.text


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("text", Text("S", "Pay {{ amuont }}"), "Line 1: there is no amuont; the names are"),
        ("subject", Text("{{ x.__class__ }}", "t"), "one name and nothing else"),
        ("html", Text("S", "t", "{% for x in y %}"), "is not understood"),
        ("text", Text("S", ""), "Write something"),
        ("subject", Text("", "t"), "cannot be empty"),
        ("text", Text("S", "x" * 10_001), "At most 10000 characters"),
        ("text", Text("S", "a\x00b"), "cannot be shown"),
    ],
)
def test_a_text_with_a_fault_is_refused_at_its_field_with_what_is_wrong(db, field, text, words):
    isp = cast.partner()
    with pytest.raises(Refused) as refused:
        actions.save_wording(isp.pk, ("reminder", "mail", "en"), text, by=STAFF, at=AT)
    assert refused.value.field == field
    assert words in refused.value.message


@pytest.mark.parametrize("place", [("note", "mail", "en"), ("reminder", "fax", "en"), ("reminder", "mail", "xx")])
def test_there_are_no_other_texts(db, place):
    with pytest.raises(Refused):
        actions.save_wording(cast.partner().pk, place, Text("S", "t"), by=STAFF, at=AT)


def test_a_preview_shows_the_customer_s_own_money_and_last_payment(db):
    isp = cast.partner()
    account = reader(isp, language="cs")
    cast.pay(account, 2500)
    shown = queries.preview(
        account.customer,
        KINDS["payment_received"],
        "mail",
        Text("{{ amount }}", "{{ balance }} {{ received_on }}"),
        at=AT,
    )
    assert shown.subject.replace("\xa0", " ") == "25,00 €"
    assert shown.text.replace("\xa0", " ") == "25,00 € 30. dubna 2024"


@pytest.mark.parametrize("kind", TEMPLATED)
def test_every_kind_can_be_previewed(db, kind):
    account = reader(cast.partner(currency="JPY"))
    for channel in CHANNELS:
        text = shipped(kind, channel, "en")
        assert queries.preview(account.customer, KINDS[kind], channel, text, at=AT).text


def test_every_name_is_documented_and_writable():
    for kind in KINDS.values():
        for name, variable in kind.names.items():
            assert variable.words
            assert parse("{{ " + name + " }}", kind.names)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(("amount", "shown"), [(-3858, "38"), (1200, "12"), (0, "")])
def test_who_owes_reads_it_in_words_and_no_text_shows_a_minus(db, language, amount, shown):
    reads = {}
    for kind in ("payment_received", "service_restored", "running_low"):
        values = {"balance": Money(amount, "EUR"), "amount": Money(500, "EUR"), "paid_until": AT.date()}
        words = worded(KINDS[kind], values, Reader(cast.partner(kind)), language)
        for channel in CHANNELS:
            made = compose(KINDS[kind], channel, shipped(kind, channel, language), words)
            reads[kind, channel] = made.text
            assert not re.search(r"[-−]\s?[€\d]", made.text), made.text
    for channel in CHANNELS:
        assert shown in reads["payment_received", channel]
        assert shown in reads["service_restored", channel]
    if language == "en":
        sentence = {-3858: "You owe €38.58.", 1200: "You have €12.00 to your credit.", 0: "Nothing is left to pay."}
        assert sentence[amount] in reads["payment_received", "mail"]
        assert sentence[amount] in reads["service_restored", "sms"]
