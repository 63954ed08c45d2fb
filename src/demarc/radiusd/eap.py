"""802.1X: EAP conversations over Access-Challenges (RFC 3579), each ending in the decision that any login ends in.

A handshake takes half a millisecond to two, ten to forty other logins' worth. So packets wait here in a line of their
own, and after each turn of the event loop one millisecond is spent on it, or the one step that takes longer: other
logins are hardly later, and EAP gets what they leave. Who waits too long is dropped, for his NAS asks again.
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic

from demarc.core.access import Check
from demarc.radiusd.auth import Authenticator
from demarc.radiusd.counters import Counters
from demarc.radiusd.credentials import Verdict, mppe_keys
from demarc.radiusd.eap_line import Job, Line
from demarc.radiusd.eap_talks import Talk, Talks, renamed, verdict_of
from demarc.radiusd.model import Client, Model
from demarc.radiusd.notes import Notes
from demarc.wire.radius import Malformed, Packet, encode_attribute, encode_reply, keys, tlv
from demarc.wire.radius.eap import (
    FAILURE,
    IDENTITY,
    SUCCESS,
    Ask,
    Context,
    Eap,
    Outcome,
    Over,
    attributes,
    encode,
    joined,
    parse,
)

SLICE_S = 0.001
PATIENCE_S = 1.0
"""RouterOS asks again after 1.1 s, hostapd after 3 s."""

NAME_MAX = 253
BUG_LOG_S = 60.0
TYPING = encode_attribute("Session-Timeout", 30)
"""How long the NAS shall wait before it asks again, where a person may have to type (RFC 3579 section 2.3, RFC 3580
section 3.17)."""

log = logging.getLogger(__name__)


class EapServer:
    """All conversations of one process. `context`: the certificate as it is now, None when there is none."""

    def __init__(
        self, auth: Authenticator, model: Model, counters: Counters, notes: Notes,
        context: Callable[[], Context | None],
    ) -> None:  # fmt: skip
        self._auth = auth
        self._counters = counters
        self._notes = notes
        self._context = context
        self._line = Line()
        self._at_work = False
        self._next_bug_at = float("-inf")
        self.talks = Talks(auth, model)

    def knows(self, packet: Packet, client: Client) -> bool:
        """Whether the packet goes on with a conversation of ours."""
        return self.talks.find(packet, client) is not None

    def take(self, packet: Packet, client: Client, now: float, done: Callable[[bytes | None], None]) -> bool:
        """Answer an authentic request later: `done` gets the reply, None for none. False: too much is waiting."""
        goes_on = self.talks.find(packet, client) is not None
        if not self._line.put(Job(packet, client, now, done), goes_on=goes_on):
            self._counters.dropped["eap_busy"] += 1
            return False
        if not self._at_work:
            self._at_work = True
            asyncio.get_running_loop().call_soon(self.work)
        return True

    def work(self) -> None:
        """One slice; again and again until nobody waits."""
        until = monotonic() + SLICE_S
        while self._line.count:
            job = self._line.take()
            now = monotonic()
            if job.came_at < now - PATIENCE_S:
                self._counters.dropped["eap_late"] += 1
                job.done(None)
            else:
                job.done(self._try(job, now))
            if monotonic() >= until:
                break
        self._at_work = self._line.count > 0
        if self._at_work:
            asyncio.get_running_loop().call_soon(self.work)

    def tidy(self, now: float) -> None:
        """Forget devices that went on no more, and tell of them: most of those do not trust the certificate."""
        for talk in self.talks.silent(now):
            self._counters.eap["silent"] += 1
            self._note(talk.door.packet, talk.door.client, "eap_silent", _inside(talk, ""))

    def _try(self, job: Job, now: float) -> bytes | None:
        try:
            return self._answer(job.packet, job.client, now)
        except Malformed:
            self._counters.dropped["malformed"] += 1
        except Exception:
            self._counters.dropped["bug"] += 1
            if now >= self._next_bug_at:
                self._next_bug_at = now + BUG_LOG_S
                log.exception("an EAP packet was dropped by a bug of ours")
        return None

    def _answer(self, packet: Packet, client: Client, now: float) -> bytes | None:
        octets = joined(packet)
        talk = self.talks.find(packet, client)
        if talk is None:
            return self._begin(octets, packet, client, now)
        if talk.user_name != packet.first.get(keys.USER_NAME, b"") and talk.user_name:
            self._counters.dropped["eap_mixed"] += 1
            return None
        said = parse(octets)
        self.talks.go_on(talk, packet, client, now)
        if talk.outcome is not None and octets == talk.said:
            return self._conclude(talk, talk.outcome)  # there was no address yet
        if talk.asked and octets == talk.said:
            return self._challenge(talk)  # the NAS has lost our request, and made a new one of its own
        if said.identifier != talk.machine.identifier or talk.outcome is not None:
            self._counters.dropped["eap_stale"] += 1
            return None
        return self._step(talk, said, octets)

    def _begin(self, octets: bytes, packet: Packet, client: Client, now: float) -> bytes | None:
        said = parse(octets) if octets else None
        if said is not None and said.kind != IDENTITY:
            return self._refuse(packet, client, said.identifier, "eap_gone", "(EAP)")
        talk = self.talks.begin(packet, client, now, self._context())
        if talk is None:
            self._counters.dropped["eap_full"] += 1
            return None
        self._counters.eap["begun"] += 1
        if said is None:
            return self._ask(talk, talk.machine.ask_name(), octets)
        return self._step(talk, said, octets)

    def _step(self, talk: Talk, said: Eap, octets: bytes) -> bytes | None:
        talk.user_name = talk.user_name or talk.door.packet.first.get(keys.USER_NAME, b"")
        step = talk.machine.take(said)
        if isinstance(step, Ask):
            return self._ask(talk, step, octets)
        talk.said = octets
        if isinstance(step, Outcome):
            talk.outcome = step
            return self._conclude(talk, step)
        return self._over(talk, step, said.identifier)

    def _ask(self, talk: Talk, ask: Ask, octets: bytes) -> bytes:
        talk.said, talk.asked, talk.timed = octets, ask.octets, ask.person
        return self._challenge(talk)

    def _challenge(self, talk: Talk) -> bytes:
        self._counters.auth += 1
        self._counters.eap["challenges"] += 1
        found = tlv(keys.STATE, talk.state) + attributes(talk.asked) + (TYPING if talk.timed else b"")
        return encode_reply(keys.ACCESS_CHALLENGE, talk.door.packet, found, talk.door.client.secret)

    def _conclude(self, talk: Talk, outcome: Outcome) -> bytes | None:
        """The decision about the inner identity. None: an address is on its way, and the NAS asks again."""
        identifier = parse(talk.said).identifier
        packet, client = renamed(talk.door.packet, outcome.name), talk.door.client
        login = self._auth.login_of(packet, client)
        name = login.name if login else outcome.name[:NAME_MAX]
        accept = attributes(encode(SUCCESS, identifier)) + (tlv(keys.USER_NAME, name) if name else b"")
        if outcome.msk:  # RFC 5216 section 2.3, RFC 2548 section 2.4.2: the NAS receives with the first half
            accept += mppe_keys(outcome.msk[32:64], outcome.msk[:32], packet, client)
        verdict = verdict_of(outcome, talk.user_name, accept, attributes(encode(FAILURE, identifier)))
        reply = self._auth.answer(packet, client, talk.door.now, verdict)
        if reply is not None:
            self._auth.write_down()
            self._counters.eap[outcome.method] += 1
            self.talks.end(talk)
        return reply

    def _over(self, talk: Talk, over: Over, identifier: int) -> bytes:
        self.talks.end(talk)
        self._counters.eap[over.why.value] += 1
        return self._refuse(
            talk.door.packet, talk.door.client, identifier, f"eap_{over.why.value}", _inside(talk, over.detail)
        )

    def _refuse(self, packet: Packet, client: Client, identifier: int, word: str, inside: str) -> bytes:
        self._counters.auth += 1
        self._counters.rejects += 1
        self._counters.reject_causes[word] += 1
        self._note(packet, client, word, inside)
        return encode_reply(keys.ACCESS_REJECT, packet, attributes(encode(FAILURE, identifier)), client.secret)

    def _note(self, packet: Packet, client: Client, word: str, inside: str) -> None:
        verdict = Verdict(Check.UNKNOWN, needs_proof=True, method="eap", inside=inside)
        caller = self._auth.consider(packet, client, monotonic(), verdict)[0]
        name = packet.first.get(keys.USER_NAME, b"")
        told = (caller.now, client, caller.login, name, caller.place, caller.others)
        self._notes.odd.append((told, None, verdict, None, word))


def _inside(talk: Talk, detail: str) -> str:
    outer = talk.machine.outer
    return f"(EAP{' ' if outer else ''}{outer}{': ' if detail else ''}{detail})"
