"""A pretend RADIUS server: answers what a test says, and remembers what it was sent."""

import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from demarc.wire.radius import Packet, Secret, decode, encode_reply, keys

Answer = Callable[[Packet], Sequence[bytes]]


@dataclass
class PretendServer:
    """One port. `answer` gives the datagrams that are sent for a packet; it is silent without one."""

    secret: str
    answer: Answer | None = None
    heard: list[Packet] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = Secret(self.secret.encode())
        self._stopping = False
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self._sock.settimeout(0.1)
        self.port = self._sock.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> "PretendServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self._thread.join()
        self._sock.close()

    def count(self, code: int = keys.ACCESS_REQUEST) -> int:
        """How many packets of a kind it has heard."""
        return sum(packet.code == code for packet in self.heard)

    def reply(self, request: Packet, code: int = keys.ACCESS_ACCEPT, attributes: bytes = b"") -> list[bytes]:
        """A proper answer, to be returned by `answer`."""
        return [encode_reply(code, request, attributes, self.key)]

    def _listen(self) -> None:
        while not self._stopping:
            try:
                datagram, source = self._sock.recvfrom(4096)
            except TimeoutError:
                continue
            packet = decode(datagram)
            self.heard.append(packet)
            for octets in self.answer(packet) if self.answer else ():
                self._sock.sendto(octets, source)
