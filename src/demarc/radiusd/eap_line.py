"""What EAP has still to do, NAS by NAS in turn, so that a crowd at one does not keep out the others. Only holds it."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from demarc.radiusd.model import Client
from demarc.wire.radius import Packet

LINE_MAX = 512
"""A quarter of a second to one of handshakes."""


class Job(NamedTuple):
    """A packet that waits. `came_at`: on the steady clock; `done` gets the answer, None for none."""

    packet: Packet
    client: Client
    came_at: float
    done: Callable[[bytes | None], None]


class Line:
    """The jobs. `count`: how many there are."""

    def __init__(self, most: int = LINE_MAX) -> None:
        self._most = most
        self._lines: dict[int, deque[Job]] = {}
        self._turns: deque[int] = deque()
        self.count = 0

    def put(self, job: Job, *, goes_on: bool) -> bool:
        """To the end of its NAS's line; False: it is too long. Who begins may use half of it only, so that those who
        `go on` come to an end."""
        of = job.client.id
        line = self._lines.get(of)
        share = (self._most if goes_on else self._most // 2) // max(len(self._turns) + (line is None), 1)
        if (line is not None and len(line) >= share) or self.count >= self._most:
            return False
        if line is None:
            line = self._lines[of] = deque()
            self._turns.append(of)
        line.append(job)
        self.count += 1
        return True

    def take(self) -> Job:
        """The first of the NAS whose turn it is. There must be one."""
        of = self._turns.popleft()
        line = self._lines[of]
        job = line.popleft()
        self.count -= 1
        if line:
            self._turns.append(of)
        else:
            del self._lines[of]
        return job
