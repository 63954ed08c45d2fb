"""The language of texts can say little, on purpose; what it cannot say is refused with its line."""

import time
from contextlib import suppress
from html import escape

import pytest

from demarc.core.errors import Refused
from demarc.core.wording import FILLED_MAX, NESTED_MAX, fill, parse

NAMES = {"name", "amount", "due_on"}


def said(text, **values):
    return fill(parse(text, NAMES), values)


def test_places_are_filled_and_what_has_no_value_leaves_nothing():
    assert said("Hello {{ name }}, {{amount}} is due{{ due_on }}.", name="Ana", amount="20 EUR") == (
        "Hello Ana, 20 EUR is due."
    )


@pytest.mark.parametrize(("due_on", "words"), [("3 May", "by 3 May"), ("", "soon")])
def test_an_if_asks_whether_there_is_a_value(due_on, words):
    assert said("{% if due_on %}by {{ due_on }}{% else %}soon{% endif %}", due_on=due_on) == words
    assert said("{% if not due_on %}soon{% endif %}", due_on="3 May") == ""


def test_a_value_is_never_read_as_a_text():
    assert said("{{ name }}", name="{{ amount }}{% if x %}", amount="secret") == "{{ amount }}{% if x %}"


def test_values_are_escaped_where_they_are_to_be():
    assert fill(parse("<b>{{ name }}</b>", NAMES), {"name": "<i>&"}, escape) == "<b>&lt;i&gt;&amp;</b>"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ name.__class__ }}", "one name and nothing else"),
        ("{{ name.__class__.__mro__[1].__subclasses__() }}", "one name and nothing else"),
        ("{{ name|length }}", "one name and nothing else"),
        ("{{ 7*7 }}", "one name and nothing else"),
        ("{{ '' }}", "one name and nothing else"),
        ("{{ }}", "one name and nothing else"),
        ("{{ self }}", "there is no self; the names are amount, due_on, name"),
        ("{% for x in name %}{% endfor %}", "is not understood"),
        ("{% include 'secret' %}", "is not understood"),
        ("{% if amount > 3 %}{% endif %}", "is not understood"),
        ("{% if name.x %}{% endif %}", "one name and nothing else"),
        ("{% if name %}", "has no {% endif %}"),
        ("{% endif %}", "belongs to no if"),
        ("{% else %}", "belongs to no if"),
        ("{% if name %}{% else %}{% else %}{% endif %}", "has an else already"),
        ("{{ name", "stands alone"),
        ("name }}", "stands alone"),
        ("{{ na\nme }}", "stands alone"),
        ("{{{{ name }}}}", "stands alone"),
        ("{% if name %}" * (NESTED_MAX + 1), "inside each other"),
    ],
)
def test_everything_else_is_refused_with_its_line(text, why):
    with pytest.raises(Refused) as refused:
        parse(f"one\ntwo {text}", NAMES, at_field="text")
    assert refused.value.message.startswith("Line 2: ")
    assert why in refused.value.message
    assert refused.value.field == "text"


def test_a_huge_outcome_is_refused_before_it_is_made():
    parts = parse("{{ name }}" * 2000, NAMES)
    began = time.monotonic()
    with pytest.raises(Refused, match=f"longer than {FILLED_MAX}"):
        fill(parts, {"name": "x" * 1_000_000})
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("piece", ["{{", "{% if name %}x", "{{ name }}", "{%", "{{ " + "a" * 90])
def test_a_hostile_text_takes_no_time(piece):
    began = time.monotonic()
    with suppress(Refused):
        parse((piece * 20_000)[:20_000], NAMES)
    assert time.monotonic() - began < 1


def test_a_text_has_a_limit():
    with pytest.raises(Refused, match="At most 20000"):
        parse("x" * 20_001, NAMES)
