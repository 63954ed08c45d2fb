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
    "typed": "contacts.see",
}
"""The kinds of sensitive values, and the word that shows each; `typed` is what somebody looked for, who may have typed
a number or an address. An invoice is shown as it was issued to whoever may see documents: what is printed on it is a
part of it."""

ENTIRE = frozenset({"email", "typed"})
"""Kinds of whose values not even the ending is told."""
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
    if kind in ENTIRE:
        return DOTS
    return DOTS + value[-ENDING:] if len(value) >= LEAST else DOTS


def readable(kind: str, words: Collection[str]) -> bool:
    """Whether values of this kind are told whole; else they are not searched in either, for finding is telling."""
    return KINDS[kind] in words
