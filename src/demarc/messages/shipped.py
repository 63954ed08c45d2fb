"""The shipped texts, from texts/*.toml: kind and language to subject, text and SMS. Knows no provider."""

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from demarc.messages.kinds import MAIL

FOLDER = Path(__file__).parent / "texts"
FALLBACK = "en"


class Text(NamedTuple):
    """What a template says. `html` may be empty: it is made from `text` then."""

    subject: str
    text: str
    html: str = ""


def shipped(kind: str, channel: str, language: str) -> Text:
    """The shipped text; in English when there is none in that language."""
    book = _book(language if (FOLDER / f"{language}.toml").exists() else FALLBACK)
    of_kind = book[kind]
    if channel == MAIL:
        return Text(of_kind["subject"], of_kind["text"].strip())
    return Text("", of_kind["sms"].strip())


def languages() -> list[str]:
    """The languages that texts ship in."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def _book(language: str) -> dict[str, dict[str, str]]:
    return {kind: dict(texts) for kind, texts in tomllib.loads((FOLDER / f"{language}.toml").read_text()).items()}
