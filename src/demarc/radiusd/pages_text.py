"""The words of the pages for blocked customers, one file per language in `words/`, and which language a visitor reads.

A message answers three questions in this order: what happened, what to do now, how long it takes after that. It knows
no markup and no visitor.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.numbers import parse_pattern

from demarc.core.access import Cause
from demarc.core.money import Money, currency, format_plain

LANGUAGES = ("en", "es", "de", "fr", "pt", "cs", "ru")
ACCEPT_LANGUAGE_MAX = 400
RANGES_MAX = 20

_RANGE = re.compile(r"([a-z]{2,3})(?:-[a-z]{4})?(?:-([a-z]{2}|[0-9]{3}))?(?:-[a-z0-9-]*)?", re.ASCII)
_QUALITY = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Message:
    """One page's words. `label`: the reason in two or three words; `after`: how long it takes once it is done."""

    label: str
    title: str
    text: str
    todo: str
    after: str


@dataclass(frozen=True, slots=True)
class Words:
    """All words of one language. `messages`: by cause; None is for somebody who is not blocked any more."""

    messages: Mapping[Cause | None, Message]
    used_up: Message
    owed: str
    todo_heading: str
    pay_heading: str
    contact_heading: str
    phone: str
    email: str
    website: str
    again_button: str
    paid_button: str
    continue_button: str


@dataclass(frozen=True, slots=True)
class Reader:
    """The language somebody reads, and the region whose way of writing numbers he is used to ("" when unknown)."""

    language: str
    region: str = ""


def _words(language: str) -> Words:
    read: dict[str, Any] = tomllib.loads(files(__package__).joinpath("words", f"{language}.toml").read_text("utf-8"))
    messages: dict[Cause | None, Message] = {cause: Message(**read.pop(cause.name.lower())) for cause in Cause}
    messages[None] = Message(**read.pop("active"))
    return Words(messages=messages, used_up=Message(**read.pop("used_up")), **read)


WORDS = {language: _words(language) for language in LANGUAGES}


def reader(accept_language: str, fallback: str) -> Reader:
    """Who reads, by the browser's Accept-Language (RFC 9110 section 12.5.4), else the provider's own language."""
    wanted = sorted(_wanted(accept_language[:ACCEPT_LANGUAGE_MAX].lower()), key=lambda each: -each[0])
    for quality, language, region in wanted:
        if quality and language in WORDS:
            return Reader(language, region.upper())
    language = fallback[:2].lower()
    return Reader(language if language in WORDS else "en")


def _wanted(header: str) -> Iterator[tuple[Decimal, str, str]]:
    for item in header.split(",", RANGES_MAX)[:RANGES_MAX]:
        tag, _, parameter = item.partition(";")
        named, quality = _RANGE.fullmatch(tag.strip()), _QUALITY.fullmatch(parameter.strip())
        if named and (quality or not parameter.strip()):
            yield Decimal(quality[1] if quality else 1), named[1], named[2] or ""


def amount(money: Money, reads: Reader) -> str:
    """The amount as this reader writes it ("12,40 €"), always with all decimals of the currency.

    Babel would follow CLDR's decimals, which round away the minor units of some currencies (IQD, LAK).
    """
    locale = _locale(reads)
    digits = currency(money.currency).digits
    pattern = parse_pattern(locale.currency_formats["standard"].pattern)
    pattern.frac_prec = (digits, digits)
    return str(pattern.apply(Decimal(format_plain(money)), locale, currency=money.currency, currency_digits=False))


@lru_cache(maxsize=64)
def _locale(reads: Reader) -> Locale:
    try:
        return Locale.parse(f"{reads.language}_{reads.region}" if reads.region else reads.language)
    except (UnknownLocaleError, ValueError):
        return Locale.parse(reads.language)
