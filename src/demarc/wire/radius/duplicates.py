"""Which requests have been seen, and what they were answered (RFC 5080 section 2.2.2).

A client that hears nothing sends the same packet again; it must get the same answer again and cause nothing twice.
Pure memory with a bound; the time is passed in. Only packets whose signature held may be noted here: look first,
then verify, then `begin`.
"""

from math import inf
from typing import Final

Origin = tuple[str, int, int, str]  # source address, source port, identifier, kind of socket

LIFETIME_S: Final = 5.0  # entries live for one to three of these: RFC 5080 asks for 5 to 30 s
CAPACITY: Final = 65_536


class Duplicates:
    """Two generations: new entries go into the young one. When it is old enough, or holds half of the capacity, it
    becomes the old one and the former old one is dropped whole. So nothing is ever searched or swept.
    """

    __slots__ = ("_half", "_lifetime_s", "_old", "_turn_at", "_young")

    def __init__(self, capacity: int = CAPACITY, lifetime_s: float = LIFETIME_S) -> None:
        self._half = capacity / 2
        self._lifetime_s = lifetime_s
        self._young: dict[Origin, tuple[bytes, bytes]] = {}
        self._old: dict[Origin, tuple[bytes, bytes]] = {}
        self._turn_at = -inf

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def lookup(self, origin: Origin, authenticator: bytes, now: float) -> bytes | None:
        """The reply to send again; b"" while the first copy is still being answered (stay silent); None if new.

        `now` is in seconds of any steady clock.
        """
        if now >= self._turn_at or len(self._young) >= self._half:
            self._turn(now)
        entry = self._young.get(origin) or self._old.get(origin)
        # RFC 5080: the same tuple with another authenticator is another request
        return entry[1] if entry is not None and entry[0] == authenticator else None

    def begin(self, origin: Origin, authenticator: bytes, now: float) -> None:
        """This request is being worked on. It replaces an older one of the same tuple."""
        if now >= self._turn_at or len(self._young) >= self._half:
            self._turn(now)
        self._young[origin] = (authenticator, b"")

    def keep(self, origin: Origin, authenticator: bytes, reply: bytes) -> None:
        """This request was answered at once: `begin` and `answer` in one."""
        self._young[origin] = (authenticator, reply)

    def answer(self, origin: Origin, authenticator: bytes, reply: bytes) -> None:
        """Keep the reply, unless the client has moved on to another request with this tuple meanwhile."""
        for generation in (self._young, self._old):
            entry = generation.get(origin)
            if entry is not None:
                if entry[0] == authenticator:
                    generation[origin] = (authenticator, reply)
                return

    def forget(self, origin: Origin) -> None:
        """The request could not be answered after all: its next copy is worked on anew."""
        self._young.pop(origin, None)
        self._old.pop(origin, None)

    def _turn(self, now: float) -> None:
        self._old = {} if now >= self._turn_at + self._lifetime_s else self._young
        self._young = {}
        self._turn_at = now + self._lifetime_s
