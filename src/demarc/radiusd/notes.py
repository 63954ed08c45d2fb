"""What the packet path takes down of each decision, for `trace` to tell. Only holds it; bounded.

A plain Accept is noted while there is room, which is made every second: in a flood most of them cost one look at a
length. What is out of the ordinary is always noted, and then the oldest goes.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Address
from typing import NamedTuple

from demarc.core.access import Accept, Policy, Reject
from demarc.radiusd.credentials import Verdict
from demarc.radiusd.logins import Login
from demarc.radiusd.model import Client
from demarc.radiusd.online import Place
from demarc.wire.radius import Packet

PLAIN_MAX = 400
ODD_MAX = 1000


class Decided(NamedTuple):
    """What was decided by which policy; of an Accept, the attributes that are always the same."""

    policy: Policy
    answer: Accept | Reject
    profile: bytes


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An answer that is not ours: the old server's, or nobody's where we only listen. `reply` None: it gave none.
    `why`: what kept it from being asked. `differs`: how ours would have been another."""

    by: str
    reply: Packet | None = None
    why: str = ""
    differs: tuple[str, ...] = ()


Told = tuple[datetime, Client, Login | None, bytes, Place, int]
"""Who asked: when, through which NAS, whose login, by which name, from where, with how many other sessions."""

Note = tuple[Told, Decided | None, Verdict, IPv4Address | None, str | Elsewhere]
"""Who asked, what was decided, the address given, and a word for what came between the decision and the answer (see
trace.WORDS), "" for nothing."""


@dataclass(slots=True)
class Notes:
    """`plain` may be added to while it is shorter than PLAIN_MAX."""

    plain: list[Note] = field(default_factory=list)
    odd: deque[Note] = field(default_factory=lambda: deque(maxlen=ODD_MAX))

    def take(self) -> list[Note]:
        """All that was noted since the last time."""
        plain, self.plain = self.plain, []
        odd = [self.odd.popleft() for _ in range(len(self.odd))]
        return odd + plain
