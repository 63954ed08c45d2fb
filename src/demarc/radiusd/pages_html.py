"""How the page for a blocked customer looks: one message, one action, no script, nothing from elsewhere.

It gets a visitor without a name and the provider's words and colours; everything that people wrote is escaped.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from importlib.resources import files
from string import Template

from demarc.core.access import Cause
from demarc.radiusd.pages_looks import colours
from demarc.radiusd.pages_model import Provider, Visitor
from demarc.radiusd.pages_text import WORDS, Message, Reader, Words, amount

LONG_AMOUNT_CHARS = 12
LOGO_PATH = "/demarc/logo"
LOGO_TYPES = {"image/png", "image/jpeg", "image/gif", "image/webp"}
OWN_WORDS_FOR = {Cause.NOT_ACTIVE, Cause.NO_MONEY}
"""The causes whose title and text the provider may replace; the others say what is wrong with a device."""

_HTML = Template(files(__package__).joinpath("pages.html").read_text("utf-8"))
_CSS = Template(files(__package__).joinpath("pages.css").read_text("utf-8"))

_LINK = re.compile(r"(https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]])")
_WEBSITE = re.compile(r"https?://[^\s<>\"']+")
_NOT_DIALLED = re.compile(r"[^0-9+*#]")
_PARAGRAPH = re.compile(r"\n\s*\n")

_SVG = '<svg width="18" height="18" viewBox="0 0 24 24" aria-hidden="true">{}</svg>'
_PAUSE = _SVG.format('<circle cx="12" cy="12" r="9"/><path d="M10 9v6M14 9v6"/>')
_ALERT = _SVG.format('<circle cx="12" cy="12" r="9"/><path d="M12 8v4M12 16v.01"/>')
_CHECK = _SVG.format('<circle cx="12" cy="12" r="9"/><path d="M8.5 12.5l2.5 2.5 4.5-5"/>')
_PHONE = _SVG.format(
    '<path d="M5 4h4l2 5-2.5 1.5a11 11 0 0 0 5 5L15 13l5 2v4a2 2 0 0 1-2 2A16 16 0 0 1 3 6a2 2 0 0 1 2-2"/>'
)
_MAIL = _SVG.format('<rect x="3" y="5" width="18" height="14" rx="2"/><path d="M3 7l9 6 9-6"/>')
_GLOBE = _SVG.format(
    '<circle cx="12" cy="12" r="9"/><path d="M3.5 9h17M3.5 15h17M12 3a17 17 0 0 1 0 18M12 3a17 17 0 0 0 0 18"/>'
)

_OWN_PLACE = re.compile(r"\{\{\s*(provider|reason|owed|how_to_pay|phone)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Page:
    """HTML and the Content-Security-Policy that it needs."""

    html: str
    policy: str


def page(visitor: Visitor, reads: Reader) -> Page:
    """The shipped page for this visitor in his language."""
    words, provider = WORDS[reads.language], visitor.provider
    message = _message(visitor, words)
    style, style_hash = _style(provider.colour if provider else "")
    name = escape(provider.name) if provider else ""
    html = _HTML.substitute(
        language=reads.language,
        page_title=f"{escape(message.title)} · {name}" if name else escape(message.title),
        style=style,
        brand=_brand(provider, name),
        chip="chip" if visitor.cause is not None else "chip good",
        icon=_icon(visitor.cause),
        label=message.label,
        title=escape(message.title),
        text=_paragraphs(message.text),
        owed=_owed(visitor, words, reads),
        todo_heading=words.pay_heading if _pays(visitor) else words.todo_heading,
        todo=_paragraphs(message.todo),
        after=message.after,
        button=_button(visitor, words),
        contact=_contact(provider, words),
    )
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{style_hash}'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    return Page(html, policy)


def own_page(template: str, visitor: Visitor, reads: Reader) -> Page:
    """An administrator's index.html with its places filled in. It may load from its own folder; no script runs."""
    provider = visitor.provider
    message = _message(visitor, WORDS[reads.language])
    values = {
        "provider": provider.name if provider else "",
        "reason": message.text,
        "owed": amount(visitor.owed, reads) if visitor.owed else "",
        "how_to_pay": message.todo,
        "phone": provider.phone if provider else "",
    }
    html = _OWN_PLACE.sub(lambda place: escape(values[place[1]]), template)
    return Page(html, OWN_POLICY)


OWN_POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)


def _message(visitor: Visitor, words: Words) -> Message:
    """The words for this cause, the provider's own where he wrote some."""
    shipped, own = words.messages[visitor.cause], visitor.provider
    if visitor.used_up:
        return words.used_up
    if own is None or visitor.cause not in OWN_WORDS_FOR:
        return shipped
    return Message(
        label=shipped.label,
        title=own.title or shipped.title,
        text=own.message or shipped.text,
        todo=own.how_to_pay if own.how_to_pay and _pays(visitor) else shipped.todo,
        after=shipped.after,
    )


@lru_cache(maxsize=256)
def _style(colour: str) -> tuple[str, str]:
    style = _CSS.substitute(colours(colour))
    return style, base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _brand(provider: Provider | None, name: str) -> str:
    if provider is None:
        return ""
    if provider.logo and provider.logo_type in LOGO_TYPES:
        return f'<header><img src="{LOGO_PATH}" alt="{name}"></header>'
    mark = escape(provider.name.strip()[:1].upper())
    return f'<header><span class="mark" aria-hidden="true">{mark}</span><span dir="auto">{name}</span></header>'


def _icon(cause: Cause | None) -> str:
    if cause is None:
        return _CHECK
    return _PAUSE if cause in OWN_WORDS_FOR else _ALERT


def _owed(visitor: Visitor, words: Words, reads: Reader) -> str:
    if visitor.owed is None:
        return ""
    shown = amount(visitor.owed, reads)
    kind = "sum long" if len(shown) > LONG_AMOUNT_CHARS else "sum"
    return f'<p class="{kind}"><span>{words.owed}</span><strong>{escape(shown)}</strong></p>'


def _pays(visitor: Visitor) -> bool:
    """Whether a payment would help."""
    return visitor.cause is Cause.NO_MONEY and not visitor.used_up


def _button(visitor: Visitor, words: Words) -> str:
    if visitor.cause is None:
        return words.continue_button
    return words.paid_button if _pays(visitor) else words.again_button


def _contact(provider: Provider | None, words: Words) -> str:
    if provider is None:
        return ""
    ways = []
    if provider.phone:
        ways.append(_way(f"tel:{_NOT_DIALLED.sub('', provider.phone)}", _PHONE, words.phone, provider.phone))
    if provider.email:
        ways.append(_way(f"mailto:{provider.email}", _MAIL, words.email, provider.email))
    if _WEBSITE.fullmatch(provider.website):
        shown = provider.website.partition("://")[2].rstrip("/")
        ways.append(_way(provider.website, _GLOBE, words.website, shown))
    return f"<footer><h2>{words.contact_heading}</h2>{''.join(ways)}</footer>" if ways else ""


def _way(link: str, icon: str, word: str, shown: str) -> str:
    return f'<a href="{escape(link)}">{icon}<span><i>{word}</i><b>{escape(shown)}</b></span></a>'


def _paragraphs(text: str) -> str:
    """Plain text as HTML: an empty line ends a paragraph, and web addresses can be followed."""
    return "".join(f'<p dir="auto">{_line_breaks(part)}</p>' for part in _PARAGRAPH.split(text.strip()))


def _line_breaks(text: str) -> str:
    # Splitting by a group leaves the addresses at the odd places.
    parts = (
        f'<a href="{escape(part)}">{escape(part)}</a>' if place % 2 else escape(part)
        for place, part in enumerate(_LINK.split(text))
    )
    return "".join(parts).replace("\n", "<br>")
