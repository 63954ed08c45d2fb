"""How the page for a blocked customer is made: small, still, readable, and nothing that people wrote becomes markup."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from tests.radiusd.pages_cast import filled_model

from demarc.core.access import Cause
from demarc.core.money import Money
from demarc.radiusd.pages_html import own_page, page
from demarc.radiusd.pages_looks import CONTRAST_MIN, colours, contrast
from demarc.radiusd.pages_model import Provider, Visitor
from demarc.radiusd.pages_text import LANGUAGES, WORDS, Reader

EVIL = "<script>alert(1)</script>\"'>&lt;{{owed}}${style}"
ENGLISH = Reader("en")
OWED = Money(1240, "EUR")


def provider(**facts: str) -> Provider:
    return filled_model(**facts).providers[1]


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "img", "path", "circle", "rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in {"path", "circle", "rect"}:
            assert self.open.pop() == tag


def names(html: str) -> set[str]:
    return {tag for tag, _ in Tags(html).seen}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("cause", [*Cause, None])
def test_every_page_says_who_why_and_what_to_do(language, cause):
    html = page(Visitor(provider(), cause, OWED if cause is Cause.NO_MONEY else None), Reader(language)).html
    message = WORDS[language].messages[cause]
    for said in ("Valley Net", "+420 123 456 789", "help@valley.example", "https://valley.example/"):
        assert said in html
    for said in (message.label, message.title, message.text, message.todo, message.after):
        assert said in html
    assert ("12.40" in html or "12,40" in html) == (cause is Cause.NO_MONEY)
    assert f'<html lang="{language}">' in html
    assert Tags(html).open == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_whose_volume_is_used_up_is_not_asked_for_money(language):
    own = provider(message="You owe us money.", how_to_pay="At the desk.")
    html = page(Visitor(own, Cause.NO_MONEY, used_up=True), Reader(language)).html
    words, message = WORDS[language], WORDS[language].used_up
    for said in (message.label, message.title, message.text, message.todo, message.after, words.again_button):
        assert said in html
    for asked in (words.pay_heading, words.paid_button, own.message, own.how_to_pay):
        assert asked not in html
    assert Tags(html).open == []


@pytest.mark.parametrize("cause", [*Cause, None])
def test_a_page_is_small_and_has_no_script_and_nothing_from_elsewhere(cause):
    made = page(Visitor(provider(how_to_pay="я" * 4000, message="&" * 4000), cause, OWED), ENGLISH)
    assert len(made.html.encode()) < 50_000
    tags = Tags(made.html).seen
    assert {"script", "link", "iframe", "form", "object"}.isdisjoint(tag for tag, _ in tags)
    for tag, attributes in tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        assert "src" not in attributes, tag


def test_the_policy_allows_just_this_style():
    made = page(Visitor(provider(), Cause.NO_MONEY), ENGLISH)
    style = re.search("<style>(.*)</style>", made.html, re.S)
    assert style
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in made.policy
    assert "default-src 'none'" in made.policy


@pytest.mark.parametrize("cause", [Cause.NO_MONEY, Cause.NOT_ACTIVE, None])
def test_nothing_that_people_wrote_becomes_markup(cause):
    wrote = dict.fromkeys(("name", "phone", "email", "website", "title", "message", "how_to_pay", "colour"), EVIL)
    html = page(Visitor(provider(**wrote), cause, OWED), ENGLISH).html
    assert "script" not in names(html)
    assert "alert(1)</script>" not in html
    assert Tags(html).open == []


@pytest.mark.parametrize("website", ["javascript:alert(1)", "data:text/html,x", "ftp://x", "valley.example"])
def test_only_web_addresses_become_links(website):
    html = page(Visitor(provider(website=website, how_to_pay=f"see {website}"), Cause.NO_MONEY), ENGLISH).html
    links = {attributes["href"] for tag, attributes in Tags(html).seen if tag == "a"}
    assert links == {"", "tel:+420123456789", "mailto:help@valley.example"}


def test_a_web_address_in_how_to_pay_can_be_followed():
    wrote = "Card: https://pay.example/?a=1&b=2.\nCash: at the desk\n\nMon-Fri"
    html = page(Visitor(provider(how_to_pay=wrote), Cause.NO_MONEY, OWED), ENGLISH).html
    assert (
        '<a href="https://pay.example/?a=1&amp;b=2">https://pay.example/?a=1&amp;b=2</a>.<br>Cash: at the desk</p>'
        in html
    )
    assert '<p dir="auto">Mon-Fri</p>' in html
    assert WORDS["en"].messages[Cause.NO_MONEY].todo not in html


def test_own_words_are_for_blocked_customers_and_not_for_a_wrong_password():
    own = provider(title="Please pay", message="We miss you.", how_to_pay="At the desk.")
    for cause in (Cause.NO_MONEY, Cause.NOT_ACTIVE):
        html = page(Visitor(own, cause), ENGLISH).html
        assert "Please pay" in html
        assert "We miss you." in html
        assert WORDS["en"].messages[cause].label in html
        assert ("At the desk." in html) == (cause is Cause.NO_MONEY)
    for cause in (Cause.WRONG_PASSWORD, Cause.WRONG_MAC, Cause.NOT_FOUND, None):
        html = page(Visitor(own, cause), ENGLISH).html
        assert "Please pay" not in html
        assert "We miss you." not in html


def test_the_provider_without_contact_shows_no_empty_footer():
    assert "footer" not in names(page(Visitor(provider(phone="", email="", website=""), Cause.NO_MONEY), ENGLISH).html)
    assert "footer" not in names(page(Visitor(None, Cause.NO_MONEY), ENGLISH).html)


def test_the_logo_takes_the_place_of_the_letter():
    html = page(Visitor(provider(logo="89504e47", logo_type="image/png"), Cause.NO_MONEY), ENGLISH).html
    assert '<img src="/demarc/logo" alt="Valley Net">' in html
    assert "<img" not in page(Visitor(provider(logo="00", logo_type="image/svg+xml"), Cause.NO_MONEY), ENGLISH).html


@pytest.mark.parametrize(
    "colour", ["#000000", "#ffffff", "#ffd400", "#0054a6", "#808080", "#777777", "#00a86b", "#12345", "red;}", ""]
)
def test_any_colour_stays_readable(colour):
    made = colours(colour)
    assert contrast(made["fill"], made["on_fill"]) >= CONTRAST_MIN
    assert min(contrast(made["link"], "#ffffff"), contrast(made["link"], "#f3f5f8")) >= CONTRAST_MIN
    assert min(contrast(made["dark_link"], "#171e28"), contrast(made["dark_link"], "#0f141b")) >= CONTRAST_MIN
    assert contrast("#4d5969", made["tint"]) >= CONTRAST_MIN
    assert contrast("#a7b3c2", made["dark_tint"]) >= CONTRAST_MIN


def test_an_own_page_gets_its_places_filled_and_nothing_else():
    template = (
        "<b>{{ provider }}</b>{{reason}}|{{  owed  }}|{{ how_to_pay }}|{{ phone }}|{{ login }}|{{ provider.name }}"
    )
    shown = own_page(
        template, Visitor(provider(name="A & <B>", how_to_pay="{{ owed }}"), Cause.NO_MONEY, OWED), ENGLISH
    )
    reason = WORDS["en"].messages[Cause.NO_MONEY].text
    filled = f"<b>A &amp; &lt;B&gt;</b>{reason}|€12.40|{{{{ owed }}}}|+420 123 456 789"
    assert shown.html == filled + "|{{ login }}|{{ provider.name }}"
    assert "script-src" not in shown.policy
    assert "default-src 'none'" in shown.policy
