"""From a kind, its values and a text to what a person reads: in his language, money and days as written there.

Everything that comes from outside is escaped in HTML, and HTML is cleaned after its places are filled.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from html import escape

import nh3
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from demarc.base.models import Partner
from demarc.core import wording
from demarc.core.money import Money, format_plain
from demarc.customers.models import Account, Customer
from demarc.messages.kinds import MAIL, SMS, Kind
from demarc.messages.shipped import Text

Value = Money | date | int | str | None

LOCALES = {"en": "en_GB", "pt": "pt_PT"}
"""Where a language alone would be read as another country's habits."""
SUBJECT_MAX = 300
SMS_MAX = 1000
BLANK_LINES = re.compile(r"\n{3,}")
WIDE_BLANKS = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " "})
"""An SMS of plain letters holds 160 of them; with one such blank in it, 70."""


@dataclass(frozen=True, slots=True)
class Reader:
    """To whom something is said, and by whom."""

    partner: Partner
    customer: Customer | None = None
    account: Account | None = None

    @property
    def language(self) -> str:
        """The customer's, else his provider's."""
        return (self.customer.language if self.customer else "") or self.partner.language


@dataclass(frozen=True, slots=True)
class Composed:
    """A message ready to be sent; subject and html are empty for an SMS."""

    subject: str
    text: str
    html: str


def compose(kind: Kind, channel: str, text: Text, words: Mapping[str, str]) -> Composed:
    """The text with its places filled by `words` (see `worded`). Refused: the text has a fault (core.wording)."""
    names = kind.names
    plain = _tidy(wording.fill(wording.parse(text.text, names, at_field="text"), words, at_field="text"))
    if channel == SMS:
        return Composed("", plain.translate(WIDE_BLANKS)[:SMS_MAX], "")
    subject = wording.fill(wording.parse(text.subject, names, at_field="subject"), words, at_field="subject")
    own = wording.fill(wording.parse(text.html, names, at_field="html"), words, escape, at_field="html")
    return Composed(" ".join(subject.split())[:SUBJECT_MAX], plain, nh3.clean(own) if own.strip() else as_html(plain))


def as_html(text: str) -> str:
    """Plain text as paragraphs."""
    paragraphs = (escape(part).replace("\n", "<br>\n") for part in text.split("\n\n"))
    return "\n".join(f"<p>{part}</p>" for part in paragraphs)


def worded(kind: Kind, values: Mapping[str, Value], to: Reader, language: str) -> dict[str, str]:
    """All that a text of this kind may name, as words of `language`; what has no value is empty."""
    locale = Locale.parse(LOCALES.get(language, language))
    said = {**values, **_standing(values.get("balance"))}
    everywhere: dict[str, Value] = {
        "customer_name": to.customer.name if to.customer else "",
        "customer_number": to.customer.number if to.customer else "",
        "account_number": to.account.number if to.account else "",
        "provider_name": to.partner.name,
        "provider_phone": to.partner.phone,
        "provider_email": to.partner.email,
        "provider_website": to.partner.website,
    }
    return {name: _word(value, locale) for name, value in (everywhere | said).items() if name in kind.names}


def faults_of(kind: Kind, channel: str, text: Text) -> None:
    """Refused, at its field, when a text cannot be filled."""
    wording.parse(text.text, kind.names, at_field="text")
    if channel == MAIL:
        wording.parse(text.subject, kind.names, at_field="subject")
        wording.parse(text.html, kind.names, at_field="html")


def _standing(balance: Value) -> dict[str, Value]:
    """A balance without its sign: what is owed, or what there is."""
    if not isinstance(balance, Money):
        return {}
    size = Money(abs(balance.amount), balance.currency)
    return {"owed": size if balance.amount < 0 else None, "credit": size if balance.amount > 0 else None}


def _word(value: Value, locale: Locale) -> str:
    if value is None:
        return ""
    if isinstance(value, Money):
        return format_currency(format_plain(value), value.currency, locale=locale)
    if isinstance(value, date):
        return format_date(value, "long", locale=locale)
    return format_decimal(value, locale=locale) if isinstance(value, int) else value


def _tidy(text: str) -> str:
    """Without the blank lines and ends that an empty place leaves."""
    return BLANK_LINES.sub("\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()
