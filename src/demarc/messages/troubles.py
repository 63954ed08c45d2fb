"""What can go wrong on the way out, besides core.errors.Unreachable (try again later)."""

from demarc.base.texts import LINE_BREAK, UNPRINTABLE

WORDS_MAX = 300


class Rejected(Exception):
    """The other side will not take this message, neither now nor later; the text says why."""


class NotNow(Exception):
    """The other side will not take this message now, though others may pass."""


class Doubtful(Exception):
    """Nobody knows whether it was taken, and sending it again could double it."""


def outside(text: str) -> str:
    """What a server said, safe to be stored and shown: one line of printable characters."""
    return UNPRINTABLE.sub("", LINE_BREAK.sub(" ", text.replace("\r", "")))[:WORDS_MAX]
