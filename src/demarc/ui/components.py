"""The small parts of pages: chips, amounts, ages, icons. They write HTML; the words come from ui.formats."""

import re
from datetime import date, datetime
from typing import Any

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from demarc import __version__
from demarc.base import clock
from demarc.ui import formats

HEX_COLOUR = re.compile("#[0-9a-fA-F]{6}")

TONES = {
    "active": ("green", "circle-check"),
    "online": ("green", "plug-connected"),
    "ack": ("green", "check"),
    "charged": ("green", "check"),
    "new": ("azure", "circle-plus"),
    "pending": ("yellow", "clock"),
    "queued": ("yellow", "clock"),
    "sent": ("yellow", "clock"),
    "paused": ("yellow", "player-pause"),
    "blocked": ("red", "ban"),
    "nak": ("red", "circle-x"),
    "no_answer": ("red", "alert-triangle"),
    "failed": ("red", "alert-triangle"),
    "warning": ("yellow", "alert-triangle"),
    "inactive": ("secondary", "circle-minus"),
    "stopped": ("secondary", "circle-minus"),
    "ended": ("secondary", "circle-minus"),
    "offline": ("secondary", "plug-connected-x"),
}


def asset(name: str) -> str:
    """The address of a static file, changing with the version so that browsers may keep it."""
    return f"{static(name)}?v={__version__}"


def icon(name: str) -> SafeString:
    """An icon from the sprite; words stand beside it, so it is hidden from screen readers."""
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', asset("vendor/icons.svg"), name
    )


def chip(word: str, label: str = "") -> SafeString:
    """A status: colour, shape and word. `word` is the state's stored word."""
    tone, shape = TONES.get(word, ("secondary", "info-circle"))
    text = label or word.replace("_", " ").capitalize()
    return format_html('<span class="chip chip-{}">{}{}</span>', tone, icon(shape), text)


def money(amount: int | None, currency: str) -> SafeString:
    """An amount with its currency; never breaks in two."""
    return format_html('<span class="money">{}</span>', formats.money(amount, currency))


def balance(amount: int, currency: str) -> SafeString:
    """What an account stands at, in words."""
    return format_html('<span class="money">{}</span>', formats.balance(amount, currency))


def moved(amount: int, currency: str) -> SafeString:
    """Money that came in, or in words that it went back: never a bare minus sign."""
    words = formats.money(abs(amount), currency)
    return format_html('<span class="money">{}{}</span>', words, " back" if amount < 0 else "")


def age(then: datetime | None) -> SafeString:
    """ "2 min ago" with the exact time on hover; the browser keeps it current."""
    if then is None:
        return SafeString("never")
    return format_html(
        '<time datetime="{}" title="{}" data-age>{}</time>',
        then.isoformat(),
        formats.moment(then),
        formats.age(then, clock.now()),
    )


def at(then: datetime | None) -> SafeString:
    """ "3 Nov, 14:05" with the exact time and zone on hover."""
    if then is None:
        return SafeString("–")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', then.isoformat(), formats.moment(then), formats.short_moment(then)
    )


def on(value: date | None) -> SafeString:
    """A date in words."""
    if value is None:
        return SafeString("–")
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), formats.day(value))


def swatch(colour: str) -> SafeString:
    """A colour as a small square; #rrggbb only, anything else is shown as grey."""
    shown = colour if HEX_COLOUR.fullmatch(colour or "") else "#888888"
    return format_html(
        '<svg class="swatch" viewBox="0 0 24 24" aria-hidden="true"><rect width="24" height="24" fill="{}"/></svg>',
        shown,
    )


def code(value: Any) -> SafeString:
    """An address, a login, a key: monospace, copied by a click."""
    if value in (None, ""):
        return SafeString("–")
    return format_html('<button type="button" class="code" data-copy title="Copy">{}</button>', value)
