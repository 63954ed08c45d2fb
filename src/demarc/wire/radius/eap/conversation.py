"""One device's login from its name to the outcome: which method, which identifier, how long (RFC 3748 sections 2 to 5).

identity -> PEAP? -> a Nak names others -> TTLS or MD5 -> the method's requests and responses -> Outcome | Over
"""

from typing import Protocol

from ..errors import Malformed
from .md5 import Md5
from .packet import HEADER, IDENTITY, MD5, NAK, PEAP, REQUEST, RESPONSE, TTLS, Eap, encode
from .peap import Peap
from .steps import Ask, House, Outcome, Over, Why
from .tls import Context
from .ttls import Ttls

ROUNDS_MAX = 100
"""A login takes about ten; with the smallest pieces some forty."""

PIECE_MAX = 1020
"""Octets of an EAP packet of ours: what any lower layer carries (RFC 3748 section 3.1)."""

PIECE_MIN = 64
NAME_MAX = 253
OUTERS = {PEAP: "peap", TTLS: "ttls", MD5: "md5"}

Step = Ask | Outcome | Over


class Method(Protocol):
    """What PEAP, TTLS and MD5 are to a conversation."""

    kind: int

    def start(self, identifier: int) -> Ask:
        """The first request."""

    def take(self, data: bytes, identifier: int) -> Step:
        """What a response leads to."""


class Conversation:
    """The server's side. `context` None: there is no certificate, so only MD5 is offered. `piece`: octets of one of our
    packets at most. `name`: the outer identity; `identifier`: that of the request which waits for its response."""

    def __init__(self, house: House, context: Context | None, piece: int = PIECE_MAX) -> None:
        self._house = house
        self._context = context
        self._room = piece - HEADER - 1
        self._left = [PEAP, TTLS, MD5] if context is not None else [MD5]
        self._method: Method | None = None
        self._begun = False
        self._rounds = 0
        self.name: bytes | None = None
        self.identifier = 0

    @property
    def outer(self) -> str:
        """The method that is at work, "" before there is one."""
        return OUTERS[self._method.kind] if self._method is not None else ""

    def ask_name(self) -> Ask:
        """The request for the identity, where the NAS leaves that to us."""
        return Ask(encode(REQUEST, self.identifier, IDENTITY), person=True)

    def take(self, said: Eap) -> Step:
        """What a response leads to; Ask holds the whole next request. The caller has compared identifiers. Raises
        Malformed: nothing has changed then, and it may be said again; what is wrong inside a method ends it instead."""
        if said.code != RESPONSE:
            raise Malformed("an EAP request to a server")
        self._rounds += 1
        if self._rounds > ROUNDS_MAX:
            return Over(Why.TOO_LONG)
        if self.name is None:
            return self._named(said)
        try:
            return self._asked(said, self._step(said))
        except Malformed as error:
            return Over(Why.MALFORMED, str(error))

    def _named(self, said: Eap) -> Step:
        if said.kind != IDENTITY or len(said.data) > NAME_MAX:
            raise Malformed("no identity")
        self.name = said.data
        return self._asked(said, self._offer(said))

    def _step(self, said: Eap) -> Step:
        method = self._method
        if method is None:
            raise Malformed("there is no method")
        if said.kind == NAK and not self._begun:
            wanted = [kind for kind in said.data if kind in self._left]
            self._left = wanted[:1]
            return self._offer(said)
        if said.kind != method.kind:
            raise Malformed("another method than was asked for")
        self._begun = True
        return method.take(said.data, said.identifier)

    def _offer(self, said: Eap) -> Step:
        if not self._left:
            return Over(Why.NO_METHOD)
        self._method = self._make(self._left.pop(0))
        return self._method.start((said.identifier + 1) % 256)

    def _make(self, kind: int) -> Method:
        if kind == MD5 or self._context is None:
            return Md5(self._house, self.name or b"")
        return (Peap if kind == PEAP else Ttls)(self._house, self._context, self._room)

    def _asked(self, said: Eap, step: Step) -> Step:
        if not isinstance(step, Ask) or self._method is None:
            return step
        self.identifier = (said.identifier + 1) % 256
        return Ask(encode(REQUEST, self.identifier, self._method.kind, step.octets), step.person)


def piece_of(framed_mtu: int | None) -> int:
    """Octets of one of our packets where the NAS says Framed-MTU: four fewer, for the header of 802.1X (RFC 3579
    section 2.4)."""
    if framed_mtu is None:
        return PIECE_MAX
    return max(PIECE_MIN, min(PIECE_MAX, framed_mtu - 4))
