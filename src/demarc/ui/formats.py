"""How values are written for people: money in words, ages, dates, speeds, octets. Knows no request and no clock."""

import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from django.utils import timezone

from demarc.core.money import Money, format_plain

LOCALE = "en"
NBSP = "\N{NO-BREAK SPACE}"
DAY = "d MMM y"
MOMENT = "d MMM y, HH:mm:ss"
SHORT_MOMENT = "d MMM, HH:mm"
MONTH = "MMMM y"
STEPS = ((86400, "d"), (3600, "h"), (60, "min"))


def money(amount: int | None, currency: str) -> str:
    """2000, "EUR" -> "20.00 EUR". A negative amount keeps a true minus sign; balances use `balance` instead."""
    if amount is None:
        return "–"
    plain = format_plain(Money(abs(amount), currency))
    places = len(plain.partition(".")[2])
    pattern = "#,##0" + ("." + "0" * places if places else "")
    written = format_decimal(plain, pattern, locale=LOCALE)
    return f"{'−' if amount < 0 else ''}{written}{NBSP}{currency}"


def balance(amount: int, currency: str) -> str:
    """What an account stands at, in words: "Has 20.00 EUR", "Owes 12.40 EUR", "Has nothing"."""
    if amount == 0:
        return "Has nothing"
    return f"{'Has' if amount > 0 else 'Owes'}{NBSP}{money(abs(amount), currency)}"


def figure(amount: int | None, currency: str) -> Decimal | None:
    """An amount as a number for files: 1240, "EUR" -> 12.40."""
    return None if amount is None else Decimal(format_plain(Money(amount, currency)))


def number(value: int) -> str:
    """1234567 -> "1,234,567"."""
    return format_decimal(value, locale=LOCALE)


def day(value: date | None) -> str:
    """A date in words: "3 Nov 2026"."""
    return "–" if value is None else format_date(value, DAY, locale=LOCALE)


def month(value: date) -> str:
    """The month of a date: "November 2026"."""
    return format_date(value, MONTH, locale=LOCALE)


def moment(value: datetime | None) -> str:
    """An exact time in the viewer's zone, with the zone: "3 Nov 2026, 14:05:09 CET"."""
    return "–" if value is None else f"{_at(value, MOMENT)} {_zone(value)}"


def short_moment(value: datetime | None) -> str:
    """A time in the viewer's zone where the year is plain: "3 Nov, 14:05"."""
    return "–" if value is None else _at(value, SHORT_MOMENT)


def duration(seconds: int) -> str:
    """How long, in its two largest units: "2 h 5 min", "3 d 4 h", "42 s"."""
    if seconds < 60:
        return f"{max(seconds, 0)}{NBSP}s"
    for index, (size, name) in enumerate(STEPS):
        if seconds >= size:
            whole, rest = divmod(seconds, size)
            lesser = STEPS[index + 1 : index + 2]
            more = "".join(f" {rest // step}{NBSP}{unit}" for step, unit in lesser if rest >= step)
            return f"{whole}{NBSP}{name}{more}"
    raise AssertionError("a minute is the smallest step")


def age(then: datetime | None, now: datetime) -> str:
    """How long ago, roughly: "just now", "7 s ago", "2 min ago", "3 d ago"; "in 5 min" for what is to come."""
    if then is None:
        return "never"
    seconds = round((now - then) / timedelta(seconds=1))
    if abs(seconds) < 1:
        return "just now"
    for size, name in (*STEPS, (1, "s")):
        if abs(seconds) >= size:
            rough = f"{abs(seconds) // size}{NBSP}{name}"
            return f"{rough} ago" if seconds > 0 else f"in {rough}"
    raise AssertionError("a second is the smallest step")


def speed(kbps: int) -> str:
    """100000 -> "100 Mbit/s"; 512 -> "512 kbit/s"; 2500000 -> "2.5 Gbit/s"."""
    for size, name in ((1_000_000, "Gbit/s"), (1_000, "Mbit/s")):
        if kbps >= size:
            return f"{_short(kbps, size)}{NBSP}{name}"
    return f"{kbps}{NBSP}kbit/s"


def octets(count: int) -> str:
    """How much data, in decimal units: "1.2 GB", "640 kB", "0 B"."""
    for size, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= size:
            return f"{_short(count, size)}{NBSP}{name}"
    return f"{count}{NBSP}B"


def percent(rate: Decimal) -> str:
    """0.21 -> "21 %"; 0.055 -> "5.5 %"."""
    written = f"{rate * 100:f}"
    return f"{written.rstrip('0').rstrip('.') if '.' in written else written}{NBSP}%"


def plural(count: int, one: str, many: str = "") -> str:
    """1, "customer" -> "1 customer"; 2 -> "2 customers"."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def ordinal(count: int) -> str:
    """1 -> "1st", 12 -> "12th"."""
    ending = "th" if 10 < count % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def _at(value: datetime, pattern: str) -> str:
    local = timezone.localtime(value)
    return format_datetime(local, pattern, tzinfo=local.tzinfo, locale=LOCALE)


def _zone(value: datetime) -> str:
    """What people there call their zone, else how far it is from UTC: "CET", "UTC", "UTC−03"."""
    name = timezone.localtime(value).tzname() or "UTC"
    return f"UTC{name.replace('-', '−')}" if name[0] in "+-" else name


def _short(value: int, size: int) -> str:
    """Three significant figures at most: 1.25, 12.5, 125."""
    exact = Decimal(value) / size
    places = max(0, 3 - len(str(int(exact))))
    written = f"{round(exact, places):f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def visible(text: object) -> str:
    """A text from outside with all that cannot be seen written out: "an\\u202ea" -> "an⟨U+202E⟩a".

    Controls, what has no width, and what turns the order of other letters round would let one name look like another.
    """
    return "".join(f"⟨U+{ord(one):04X}⟩" if _unseen(one) else one for one in str(text))


def _unseen(one: str) -> bool:
    category = unicodedata.category(one)
    return category[0] == "C" or category in ("Zl", "Zp")
