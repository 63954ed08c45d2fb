"""What PEAP and TTLS share: TLS in pieces until the tunnel stands, then words inside it. Knows no passwords."""

from ..errors import Malformed
from .framing import START, VERSION, Inbox, Outbox
from .steps import Ask, House, Outcome, Over
from .tls import Context, Tls, TlsTrouble

MSK_SIZE = 64
ACKNOWLEDGED = b"\0"

Step = Ask | Outcome | Over


class Tunnel:
    """The server's side, version 0 of either. `room`: octets of type data in a request."""

    kind: int
    label: bytes
    """What the keys are made under (RFC 5216 section 2.3, RFC 5281 section 8)."""

    asks_first = False
    """Whether the server has the first word inside."""

    def __init__(self, house: House, context: Context, room: int) -> None:
        self.house = house
        self._context = context
        self._tls: Tls | None = None
        self._inbox, self._outbox = Inbox(), Outbox(room)
        self._stands = False
        self._over: Over | None = None

    def start(self, identifier: int) -> Ask:
        """The first request. No memory is spent on TLS before the device has answered it."""
        return Ask(bytes((START,)))

    def take(self, data: bytes, identifier: int) -> Step:
        """What a response of this kind leads to. `identifier`: the response's. Raises Malformed."""
        if not data or data[0] & VERSION:
            raise Malformed("no flags, or a version that was not offered")
        if self._outbox:
            if data[1:]:
                raise Malformed("more than the acknowledgement of a piece")
            return Ask(self._outbox.next())
        whole = self._inbox.add(data)
        if whole is None:
            return Ask(ACKNOWLEDGED)
        if self._over is not None:
            return self._over  # our alert has been heard
        if self._tls is None:
            self._tls = Tls(self._context)
        return self._inside(self._tls, whole, identifier) if self._stands else self._shake(self._tls, whole)

    def msk(self) -> bytes:
        """The keys of both sides. Only in a tunnel that stands."""
        return self.exported(self.label, MSK_SIZE)

    def exported(self, label: bytes, size: int) -> bytes:
        """Octets that only both ends of the tunnel know."""
        if self._tls is None:
            raise Malformed("there is no tunnel yet")
        return self._tls.export(label, size)

    def inner(self, plain: bytes, identifier: int) -> Step:
        """What words inside the tunnel lead to; Ask holds ours in return. `identifier`: the next request's."""
        raise NotImplementedError

    def _shake(self, tls: Tls, whole: bytes) -> Step:
        try:
            self._stands = tls.handshake(whole)
        except TlsTrouble as trouble:
            self._over = Over(trouble.why, trouble.detail)
            alert = tls.out()
            return self._say(alert) if alert else self._over
        octets = tls.out()
        if not octets:
            raise Malformed("half a TLS message")
        return self._say(octets, person=self._stands and not self.asks_first)

    def _inside(self, tls: Tls, whole: bytes, identifier: int) -> Step:
        found = self.inner(tls.read(whole) if whole else b"", (identifier + 1) % 256)
        return self._say(tls.seal(found.octets), person=found.person) if isinstance(found, Ask) else found

    def _say(self, octets: bytes, *, person: bool = False) -> Ask:
        self._outbox.put(octets)
        return Ask(self._outbox.next(), person)
