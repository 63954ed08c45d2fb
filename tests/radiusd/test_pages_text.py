"""The words of the blocking pages: complete in every language, chosen as the browser asks, sums as people write."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demarc.core.access import Cause
from demarc.core.money import Money
from demarc.radiusd.pages_text import LANGUAGES, WORDS, Reader, amount, reader


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language):
    words = asdict(WORDS[language])
    assert set(WORDS[language].messages) == {*Cause, None}
    for value in [*words.values(), *(part for message in words.pop("messages").values() for part in message.values())]:
        assert value
        assert value == value.strip() if isinstance(value, str) else True


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_no_message_was_left_in_english(language):
    for cause, message in WORDS[language].messages.items():
        english = WORDS["en"].messages[cause]
        assert not {message.label, message.title, message.text, message.todo, message.after} & set(
            asdict(english).values()
        )


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("de-CH,de;q=0.9,en;q=0.8", Reader("de", "CH")),
        ("pt-BR", Reader("pt", "BR")),
        ("es-419, en;q=0.5", Reader("es", "419")),
        ("ja, zh-Hans-CN;q=0.9, cs;q=0.1", Reader("cs")),
        ("en;q=0.2, fr;q=0.7", Reader("fr")),
        ("RU-ru", Reader("ru", "RU")),
        ("de;q=0, en", Reader("en")),
        ("ja", Reader("es")),
        ("", Reader("es")),
        ("*", Reader("es")),
        ("q=1;;;,,,=,-", Reader("es")),
        ("de;q=banana", Reader("es")),
        ("en" * 5000, Reader("es")),
        (",".join(["xx"] * 500) + ",de", Reader("es")),
    ],
)
def test_the_browser_chooses_the_language_and_else_the_provider(header, expected):
    assert reader(header, "es") == expected


def test_a_provider_without_a_known_language_speaks_english():
    assert reader("", "") == reader("", "ja") == Reader("en")


@given(st.text(max_size=600))
def test_no_header_breaks_the_choice(header):
    chosen = reader(header, "cs")
    assert chosen.language in LANGUAGES
    assert amount(Money(1240, "EUR"), chosen)


@pytest.mark.parametrize(
    ("money", "reads", "expected"),
    [
        (Money(1240, "EUR"), Reader("en"), "€12.40"),
        (Money(123405, "EUR"), Reader("de"), "1.234,05\xa0€"),
        (Money(123405, "CZK"), Reader("cs"), "1\xa0234,05\xa0Kč"),
        (Money(2000, "MXN"), Reader("es", "MX"), "$20.00"),
        (Money(1500, "JPY"), Reader("en"), "¥1,500"),
        (Money(1500255, "IQD"), Reader("en"), "IQD1,500.255"),
        (Money(5, "EUR"), Reader("fr", "XX"), "0,05\xa0€"),
    ],
)
def test_a_sum_is_written_as_its_reader_writes_it(money, reads, expected):
    assert amount(money, reads) == expected
