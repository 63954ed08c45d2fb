"""Documents on paper: what is on them, in whose language, the same bytes twice, and nothing fetched or run."""

import base64
import io
from datetime import date

import pytest
from pypdf import PdfReader
from tests import cast
from tests.billing.test_recurring import Story, at
from tests.cast import STAFF

from demarc.billing import actions, pdf
from demarc.billing.wording import KEYS, LABELS, Words
from demarc.core.errors import Refused
from demarc.customers import actions as customers
from demarc.plans import actions as plans

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

pytestmark = pytest.mark.django_db


def text_of(document) -> str:
    pages = PdfReader(io.BytesIO(pdf.render(document.pk))).pages
    return "\n".join(page.extract_text() for page in pages).replace("\xa0", " ")


@pytest.fixture
def story():
    made = Story(price=20_000)
    made.tax("0.21")
    return made


def test_an_invoice_says_who_what_when_and_how_much(story):
    story.begin(at(10, 7))
    (invoice,) = story.documents
    cast.pay(story.account, 10_000, at=at(10, 8))
    text = text_of(invoice)
    for words in ("Demarc", "Ana", invoice.number, "7 Oct 2024", "21 Oct 2024", "25 of 31 days at 200.00", "21 %"):
        assert words in text
    for amount in ("161.29 EUR", "133.30 EUR", "27.99 EUR", "−100.00 EUR", "61.29 EUR"):
        assert amount in text
    assert "1 / 1" in text


def test_a_credit_note_names_the_invoice_that_it_corrects(story):
    service = story.begin(at(10, 7))
    plans.end_service(service.pk, by=STAFF, at=at(10, 20))
    story.correct(service, when=at(10, 20))
    invoice, credit = story.documents
    text = text_of(credit)
    assert f"Corrects invoice {invoice.number} of 7 Oct 2024" in text
    assert "−70.97 EUR" in text
    assert "Credit of what was billed before" in text
    assert "Due" not in text
    assert "Credited" in text_of(invoice)


def test_what_is_given_once_says_its_own_text_and_that_it_is_a_credit(story):
    story.begin(at(10, 7))
    given = {"text": "Sorry for the outage", "amount": -500, "now": True}
    actions.bill_item(account_id=story.account.pk, by=STAFF, at=at(10, 8), **given)
    text = text_of(story.documents[-1])
    assert "Sorry for the outage" in text
    assert "Credit\n" in text
    assert "billed before" not in text


def test_the_same_document_gives_the_same_bytes(story):
    story.begin(at(10, 7))
    (invoice,) = story.documents
    assert pdf.render(invoice.pk) == pdf.render(invoice.pk)


@pytest.mark.parametrize(
    ("language", "words"),
    [("es", "Factura"), ("de", "Rechnung"), ("fr", "Facture"), ("pt", "Fatura"), ("cs", "Faktura"), ("ru", "Счёт")],
)
def test_it_speaks_the_customer_s_language(story, language, words):
    customers.update_customer(story.customer.pk, language=language, by=STAFF, at=at(10, 1))
    story.begin(at(10, 7))
    text = text_of(story.documents[0])
    assert words in text
    assert Words(language, "EUR").money(16_129).replace("\xa0", " ") in text


def test_every_language_has_every_label():
    assert all(set(words) == set(KEYS) for words in LABELS.values())
    assert len(LABELS) == 7


def test_hostile_names_are_only_text_and_nothing_is_fetched(story):
    hostile = '<img src="file:///etc/passwd"><script>alert(1)</script>'
    customers.update_customer(story.customer.pk, name=hostile, by=STAFF, at=at(10, 1))
    story.begin(at(10, 7))
    assert "<img src=" in text_of(story.documents[0])


def test_a_page_that_names_a_file_does_not_get_it(story, monkeypatch, tmp_path):
    """The second wall, should a text from outside ever become markup."""
    picture = tmp_path / "dot.png"
    picture.write_bytes(base64.b64decode(DOT))
    story.begin(at(10, 7))
    monkeypatch.setattr(pdf, "render_to_string", lambda *_: f'<img src="{picture.as_uri()}">')
    made = pdf.render(story.documents[0].pk)
    assert not PdfReader(io.BytesIO(made)).pages[0].images


def test_a_long_document_goes_over_pages_with_its_head_and_number_on_each(story):
    story.begin(at(10, 7))
    for number in range(60):
        actions.bill_item(account_id=story.account.pk, text=f"Thing {number}", amount=100, by=STAFF, at=at(10, 8))
    actions.bill_items(story.account.pk, by=STAFF, at=at(10, 8))
    document = story.documents[-1]
    pages = PdfReader(io.BytesIO(pdf.render(document.pk))).pages
    assert len(pages) > 1
    assert all(document.number in page.extract_text() for page in pages)
    assert f"{len(pages)} / {len(pages)}" in pages[-1].extract_text()


def test_what_cannot_be_printed_is_refused(story, monkeypatch):
    with pytest.raises(Refused, match="no such document"):
        pdf.render(0)
    story.begin(at(10, 7))
    monkeypatch.setattr(pdf, "weasyprint", None)
    with pytest.raises(Refused, match="install libpango"):
        pdf.render(story.documents[0].pk)


def test_why_tells_parts_whole_months_quantities_and_discounts():
    words = Words("en", "EUR")
    part = ["2024-10-01", 12, 31, 10_000, 1, 0, 0, 3871]
    whole = [["2024-11-01", 30, 30, 10_000, 2, 1000, 0, 18_000], ["2024-12-01", 31, 31, 10_000, 2, 1000, 0, 18_000]]
    fixed = ["2025-01-01", 31, 31, 10_000, 1, 0, 500, 9500]
    told = [one.replace("\xa0", " ") for one in words.why([part, *whole, fixed], amount=1, revenue="internet")]
    assert told == [
        "12 of 31 days at 100.00",
        "2 months at 100.00 × 2, less 10 %",
        "1 month at 100.00, less 5.00 a month",
    ]
    assert Words("xx", "JPY").money(-1234).replace("\xa0", " ") == "−1,234 JPY"
    assert words.days(date(2024, 1, 1), date(2024, 1, 1)) == "1 Jan 2024"
