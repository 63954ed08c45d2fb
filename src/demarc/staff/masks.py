"""Values that not everybody may read whole: which word shows each kind, and what others see of it.

Every page, file and API answer that tells such a value asks `shown`; whatever field is sensitive names its kind.
"""

from collections.abc import Collection

KINDS: dict[str, str] = {
    "phone": "contacts.see",
    "email": "contacts.see",
    "passport": "identity.see",
    "vat_id": "identity.see",
    "bank_account": "identity.see",
}
"""The kinds of sensitive values, and the word that shows each."""

DOTS = "\N{BULLET}" * 4
ENDING = 2
LEAST = 6
"""A shorter value would be told by its ending."""


def shown(value: str, kind: str, words: Collection[str]) -> str:
    """The value for somebody who may do what `words` (spread) say: whole, or only its ending. Empty stays empty.

    How long the value is, is not told. KeyError: there is no such kind.
    """
    needed = KINDS[kind]
    if not value or needed in words:
        return value
    if kind == "email":
        return DOTS
    return DOTS + value[-ENDING:] if len(value) >= LEAST else DOTS


def readable(kind: str, words: Collection[str]) -> bool:
    """Whether values of this kind are told whole; else they are not searched in either, for finding is telling."""
    return KINDS[kind] in words
