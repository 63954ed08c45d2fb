"""What waits for its answer when more comes than can be answered: by NAS, each in turn, and none for too long.

The kernel's buffer is one line for all, in which one NAS gone mad stands before every other. So under load it is
emptied into these lines, which takes a fiftieth of answering. Who asks again while he waits stays where he is: one
answer serves both. Knows of packets only what makes two the same, and where they came from.
"""

from collections import deque
from typing import NamedTuple

WAITING_MAX = 16_384
"""Of all NASes together; each has an equal part of it. A second and a half of work."""

HEADER = 20
"""Octets that tell a request from another of its sender (RFC 5080 section 2.2.2): code, identifier, length and
authenticator."""

LOGIN_PATIENCE_S = 0.8
"""By then RouterOS is about to give up (three times 300 ms): the answer would be work for nothing, and an overload
would feed on itself. Others, which wait for seconds, ask again."""

ACCT_PATIENCE_S = 3.0
"""What a record says is worth having when nobody waits for the answer any more."""

Source = tuple[str, int]


class Datagram(NamedTuple):
    """`came_at`: on the steady clock."""

    octets: bytes
    source: Source
    came_at: float


class Waiting:
    """The lines, by address. `count`: how many wait in all."""

    def __init__(self, most: int = WAITING_MAX) -> None:
        self._most = most
        self._lines: dict[str, deque[Datagram]] = {}
        self._turns: deque[str] = deque()
        self._known: set[tuple[Source, bytes]] = set()
        self.count = 0

    def holds(self, octets: bytes, source: Source) -> bool:
        """Whether the same request waits already."""
        return (source, octets[:HEADER]) in self._known

    def put(self, octets: bytes, source: Source, now: float) -> bool:
        """To the end of its NAS's line; False: that is as long as it may be."""
        line = self._lines.get(source[0])
        if line is None:
            line = self._lines[source[0]] = deque()
            self._turns.append(source[0])
        elif len(line) >= self._most // len(self._turns):
            return False
        line.append(Datagram(octets, source, now))
        self._known.add((source, octets[:HEADER]))
        self.count += 1
        return True

    def take(self) -> Datagram:
        """The first of the NAS whose turn it is. There must be one."""
        address = self._turns.popleft()
        line = self._lines[address]
        datagram = line.popleft()
        self._known.discard((datagram.source, datagram.octets[:HEADER]))
        self.count -= 1
        if line:
            self._turns.append(address)
        else:
            del self._lines[address]
        return datagram

    def clear(self) -> None:
        """Nobody waits any more."""
        self._lines.clear()
        self._turns.clear()
        self._known.clear()
        self.count = 0
