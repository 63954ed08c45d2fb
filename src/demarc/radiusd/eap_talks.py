"""The EAP conversations under way: each under the State that its NAS was given, bounded in number and age."""

import os
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from demarc.core.access import Accept, Check
from demarc.radiusd.auth import Authenticator
from demarc.radiusd.credentials import Verdict
from demarc.radiusd.model import Client, Model
from demarc.wire.radius import Packet, keys
from demarc.wire.radius.attributes import read_text
from demarc.wire.radius.eap import Context, Conversation, Outcome, piece_of

TALKS_MAX = 2000
"""Of all NASes together, each may have half. One in a tunnel holds 20 to 50 KB."""

SILENT_S = 60.0
"""Then a device does not go on any more: it may have had to ask a person for the password (RFC 3579 section 2.3)."""

YIELDS_S = 5.0
"""Who has said nothing for so long gives way to a newcomer when there is no more room."""

STATE_SIZE = 16
_CHECKS = {True: Check.PASS, False: Check.FAIL, None: Check.UNKNOWN}


class Door:
    """What a method asks passwords of, and who may come in (wire's House): the request that is being answered. It knows
    nothing of the conversation, so that nothing here goes in a circle and what is forgotten is gone at once."""

    def __init__(self, auth: Authenticator, model: Model, client: Client, packet: Packet) -> None:
        self._auth = auth
        self._model = model
        self.packet, self.client, self.now = packet, client, 0.0

    def password(self, name: bytes) -> bytes | None:
        login = self._auth.login_of(renamed(self.packet, name), self.client)
        return self._model.password(login) if login else None

    def admits(self, outcome: Outcome) -> bool:
        verdict = verdict_of(outcome, outcome.name)
        decided = self._auth.consider(renamed(self.packet, outcome.name), self.client, self.now, verdict)[2]
        return decided is not None and isinstance(decided.answer, Accept)


class Talk:
    """One conversation. `outcome`: what it came to, until it is answered; `said` and `asked`: the device's last packet
    and our request in return, `timed`: with a time for a person to answer."""

    def __init__(self, door: Door, context: Context | None) -> None:
        self.door = door
        self.machine = Conversation(door, context, piece_of(door.packet.integer(keys.FRAMED_MTU)))
        self.state = os.urandom(STATE_SIZE)
        self.user_name = door.packet.first.get(keys.USER_NAME, b"")
        self.outcome: Outcome | None = None
        self.said = self.asked = b""
        self.timed = False


class Talks:
    """All of them, those first that were silent longest."""

    def __init__(self, auth: Authenticator, model: Model, most: int = TALKS_MAX) -> None:
        self._open = partial(Door, auth, model)
        self._most = most
        self._kept: OrderedDict[tuple[int, bytes], Talk] = OrderedDict()
        self._per_nas: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, packet: Packet, client: Client) -> Talk | None:
        """That of the packet's State, if it was given to this NAS."""
        return self._kept.get((client.id, packet.first.get(keys.STATE, b"")))

    def begin(self, packet: Packet, client: Client, now: float, context: Context | None) -> Talk | None:
        """A new one; None: there is no room."""
        if len(self._kept) >= self._most or self._per_nas[client.id] >= self._most // 2:
            silent = next(iter(self._kept.values()))
            if silent.door.now > now - YIELDS_S or (
                len(self._kept) < self._most and silent.door.client.id != client.id
            ):
                return None
            self.end(silent)
        talk = Talk(self._open(client, packet), context)
        talk.door.now = now
        self._kept[client.id, talk.state] = talk
        self._per_nas[client.id] += 1
        return talk

    def go_on(self, talk: Talk, packet: Packet, client: Client, now: float) -> None:
        """Its device has spoken."""
        door = talk.door
        door.packet, door.client, door.now = packet, client, now
        self._kept.move_to_end((client.id, talk.state))

    def end(self, talk: Talk) -> None:
        """Forget it."""
        if self._kept.pop((talk.door.client.id, talk.state), None) is not None:
            self._per_nas[talk.door.client.id] -= 1
            if not self._per_nas[talk.door.client.id]:
                del self._per_nas[talk.door.client.id]

    def silent(self, now: float) -> Iterator[Talk]:
        """Those whose devices have gone; they are forgotten."""
        while self._kept:
            talk = next(iter(self._kept.values()))
            if talk.door.now > now - SILENT_S:
                return
            self.end(talk)
            yield talk


def renamed(packet: Packet, name: bytes) -> Packet:
    """The packet as if the inner identity had asked: the rules are for him."""
    return replace(packet, first={**packet.first, keys.USER_NAME: name})


def verdict_of(outcome: Outcome, user_name: bytes, accept: bytes = b"", reject: bytes = b"") -> Verdict:
    """What became of his credentials, as any other way to log in would tell it."""
    outer = "" if user_name == outcome.name else f", outer name {read_text(user_name)[:60]}"
    inside = f"(EAP {outcome.method}{outer})"
    return Verdict(_CHECKS[outcome.passed], accept, reject, outcome.needs_proof, "eap", inside)
