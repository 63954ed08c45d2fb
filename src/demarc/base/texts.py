"""Short texts that people type: plain, of a bounded length. Knows nothing of what they mean."""

import re

from demarc.core.errors import Refused

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters, what has no width, and what turns the order of other letters round."""

LINE_BREAK = re.compile(r"[\t\n]+")


def plain(text: str, *, field: str, length_max: int) -> str:
    """The text without outer blanks, its lines kept. Refused: too long, or with control characters."""
    text = text.replace("\r\n", "\n").strip()
    if len(text) > length_max:
        raise Refused(f"At most {length_max} characters; this has {len(text)}.", field=field)
    if UNPRINTABLE.search(text):
        raise Refused("The text holds characters that cannot be shown.", field=field)
    return text


def one_line(text: str, *, field: str, length_max: int) -> str:
    """The text in one line. Refused as in `plain`."""
    return LINE_BREAK.sub(" ", plain(text, field=field, length_max=length_max))


def name(text: str, *, field: str = "name", length_max: int = 120) -> str:
    """A name: one line, not empty. Refused as in `plain`."""
    found = one_line(text, field=field, length_max=length_max)
    if not found:
        raise Refused("Give it a name." if field == "name" else "This cannot be empty.", field=field)
    return found
