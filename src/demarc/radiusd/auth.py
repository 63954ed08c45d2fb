"""Access-Request in, Accept or Reject out: packet -> login -> credentials -> core.access.decide -> attributes.

Everything comes from memory; no query on this path. Must not know sockets.
"""

from collections.abc import Callable
from datetime import datetime
from ipaddress import IPv4Address, IPv6Network
from itertools import count
from typing import NamedTuple

from demarc.core.access import Accept, Check, Reject, Request, Source, decide, normal_mac
from demarc.radiusd import credentials, profiles
from demarc.radiusd.counters import Counters
from demarc.radiusd.leases import Leases
from demarc.radiusd.logins import Login
from demarc.radiusd.model import Client, Model
from demarc.radiusd.notes import PLAIN_MAX, Decided, Notes, Told
from demarc.radiusd.online import NO_PREFIXES, Key, Online, Place, Prefixes
from demarc.wire.radius import Packet, authentic, encode_reply, keys
from demarc.wire.radius.attributes import read_text
from demarc.wire.radius.requirement import Requirement, admits, learned

DECISIONS_MAX = 64
"""Kinds of request remembered per customer; there are hardly more than three."""

PORTS = (
    keys.NAS_PORT_ID,
    keys.ADSL_AGENT_CIRCUIT_ID,
    keys.ADSL_AGENT_REMOTE_ID,
    keys.AGENT_CIRCUIT_ID,
    keys.AGENT_REMOTE_ID,
)
CISCO_PORTS = (b"circuit-id-tag", b"remote-id-tag")

CLOCK_S = 0.001
"""How old the time may be that the rules go by."""


class Caller(NamedTuple):
    """Who asks, as far as memory tells. `others`: his other sessions; `steady`: the steady clock."""

    packet: Packet
    client: Client
    login: Login | None
    place: Place
    others: int
    now: datetime
    steady: float


Considered = tuple[Caller, credentials.Verdict, Decided | None]
"""A request looked at without answering it. Nothing is decided where the secrets differ."""


class Deeds(NamedTuple):
    """What an answer leads to: a session that is cut, since it gives way; a MAC that is a subscriber's from now on;
    and a note of how it was decided."""

    cut: Callable[[Key], None]
    learn: Callable[[int, str], None]
    notes: Notes


class Authenticator:
    """Answers Access-Requests. `clock` gives the time that the rules go by; `notes` take down how each was decided."""

    def __init__(
        self, model: Model, online: Online, leases: Leases, counters: Counters, clock: Callable[[], datetime],
        deeds: Deeds,
    ) -> None:  # fmt: skip
        self._model = model
        self._online = online
        self._leases = leases
        self._counters = counters
        self._clock = clock
        self._deeds, self._notes = deeds, deeds.notes
        self._now, self._looked_at = clock(), float("-inf")
        self._hashes = credentials.Hashes()
        self._tokens = count(int(clock().timestamp()) << 32)

    def answer(
        self, packet: Packet, client: Client, steady: float, judged: credentials.Verdict | None = None
    ) -> bytes | None:
        """The reply to an authentic request, None to say nothing. `steady`: the steady clock; `judged`: by EAP."""
        self._counters.auth += 1
        caller, verdict, decided = self.consider(packet, client, steady, judged)
        if decided is None:
            self._counters.dropped["wrong_secret"] += 1
            self._notes.odd.append((_told(caller), None, verdict, None, "wrong_secret"))
            return None
        if isinstance(decided.answer, Accept):
            return self._accept(decided, decided.answer, caller, verdict)
        cause = decided.answer.cause
        self._notes.odd.append((_told(caller), decided, verdict, None, ""))
        return self._reject(caller, verdict, "simultaneous" if cause is None else str(int(cause)))

    def consider(
        self, packet: Packet, client: Client, steady: float, judged: credentials.Verdict | None = None
    ) -> Considered:
        """What an authentic request would be answered; nothing is given, counted or noted."""
        login = self.login_of(packet, client)
        password = self._model.password(login) if login else None
        verdict = judged or credentials.check(packet, client, login, password, self._hashes)
        first = packet.first
        place = Place(client.id, first.get(keys.CALLING_STATION_ID, b""), first.get(keys.NAS_PORT_ID, b""))
        others = self._online.others(login.id, place, steady) if login else 0
        if steady - self._looked_at > CLOCK_S:
            self._now, self._looked_at = self._clock(), steady
        caller = Caller(packet, client, login, place, others, self._now, steady)
        return caller, verdict, None if verdict.check is None else self._decided(caller, verdict)

    def login_of(self, packet: Packet, client: Client) -> Login | None:
        """Whose name it is, among the logins of the NAS's partner."""
        name = packet.first.get(keys.USER_NAME, b"")
        login = client.logins.get(name)
        if login is None and b"\\" in name:
            login = client.logins.get(name.rpartition(b"\\")[2])  # Windows sends DOMAIN\name
        return login

    def write_down(self) -> None:
        """To be called before answers leave."""
        self._leases.write_down()

    def _decided(self, caller: Caller, verdict: credentials.Verdict) -> Decided:
        """The decision, remembered for one who is known: the same rules, device and NAS give the same answer again, as
        long as he is below or above his number of sessions. A wrong password comes back again and again, too."""
        login, policy = caller.login, caller.client.policy
        if login is None or verdict.check is Check.UNKNOWN or login.rule.ends_at is not None:
            return _decide(caller, verdict)
        rule = login.rule
        device = caller.packet.first.get(keys.CALLING_STATION_ID) if rule.macs or rule.learns else None
        port = _ports(caller.packet) if rule.port else ()
        ppp = keys.FRAMED_PROTOCOL in caller.packet.first
        full = rule.simultaneous <= caller.others
        key = (caller.client.id, device, port, ppp, full, verdict.needs_proof, verdict.check)
        decided: Decided | None = login.decided.get(key)
        if decided is None or decided.policy is not policy:
            if len(login.decided) >= DECISIONS_MAX:
                login.decided.clear()
            decided = login.decided[key] = _decide(caller, verdict)
        return decided

    def _accept(self, decided: Decided, accept: Accept, caller: Caller, verdict: credentials.Verdict) -> bytes | None:
        named, ipv4 = self._address(accept, caller)
        prefixes = self._prefixes(accept, caller) if named is not None and accept.ipv6_pools else NO_PREFIXES
        if named is None or prefixes is None:
            arriving = prefixes is None or self._leases.arriving(accept.address.pool_ids)
            word = "address_arriving" if arriving else "no_address"
            self._notes.odd.append((_told(caller), decided, verdict, None, word))
            if arriving:
                self._counters.dropped["address_arriving"] += 1  # the NAS asks again, and then there is one
                return None
            return self._reject(caller, verdict, "no_address")
        self._counters.accepts += 1
        subscriber_id = accept.subscriber_id or 0
        if accept.replaces:
            self._replace(caller)
        if accept.learns:
            self._learn(caller)
        if subscriber_id and accept.address.source is not Source.REJECT_POOL:
            self._online.grant(subscriber_id, caller.place, ipv4, caller.steady, prefixes)
        plain = self._notes.plain
        if len(plain) < PLAIN_MAX:
            plain.append((_told(caller), decided, verdict, ipv4, ""))
        token = profiles.class_of(subscriber_id, accept.cause, next(self._tokens))
        attributes = decided.profile + named + profiles.leased(prefixes) + token + verdict.accept
        return encode_reply(keys.ACCESS_ACCEPT, caller.packet, attributes, caller.client.secret)

    def _replace(self, caller: Caller) -> None:
        login = caller.login
        if login is not None:
            for old in self._online.replaced(login.id, caller.place, caller.steady, login.rule.simultaneous):
                self._deeds.cut(old.key)

    def _learn(self, caller: Caller) -> None:
        """At once here, and for all in the database, whose row replaces this one."""
        login, mac = caller.login, normal_mac(caller.packet.text(keys.CALLING_STATION_ID))
        if login is not None:
            self._model.logins.learn(login, mac)
            self._deeds.learn(login.id, mac)

    def _address(self, accept: Accept, caller: Caller) -> tuple[bytes | None, IPv4Address | None]:
        """The attribute that gives the address, and the address where it is ours to give.

        The attribute is b"" when the NAS finds one by itself, None when there is none left.
        """
        address = accept.address
        if address.source is Source.FRAMED_POOL:
            return profiles.framed_pool(address.framed_pool), None
        if address.source is Source.NAS:
            return b"", None
        ipv4 = address.ipv4 if address.source is Source.STATIC else self._lease(accept, caller)
        return (profiles.ADDRESS_HEAD + ipv4.packed if ipv4 else None), ipv4

    def _lease(self, accept: Accept, caller: Caller) -> IPv4Address | None:
        pool_ids, now = accept.address.pool_ids, caller.now
        if accept.service_id is None:
            return self._leases.take(self._leases.stranger(caller.packet, caller.client), pool_ids, now)
        if accept.address.source is Source.REJECT_POOL or not caller.others or accept.subscriber_id is None:
            return self._leases.take(accept.service_id, pool_ids, now)
        held = self._online.address_at(accept.subscriber_id, caller.place, caller.steady)
        pool = self._model.pool_of(held) if held else None
        if pool is not None and pool.id in pool_ids:
            return held  # one of several sessions comes again: it is to keep its own
        return self._leases.take(accept.service_id, pool_ids, now, another=True)

    def _prefixes(self, accept: Accept, caller: Caller) -> Prefixes | None:
        """What the pools have for the line and for the customer's router. None: a block is on its way. A pool that is
        used up gives nothing: IPv4 alone is better than no connection."""
        pools = accept.ipv6_pools
        if pools is None or accept.service_id is None:
            return NO_PREFIXES
        held: Prefixes = NO_PREFIXES
        if caller.others and accept.subscriber_id is not None:  # one of several sessions is to keep its own
            held = self._online.prefixes_at(accept.subscriber_id, caller.place, caller.steady)
        found: list[IPv6Network | None] = []
        for pool_ids, own in zip((pools.prefix, pools.delegated), held, strict=True):
            pool = self._model.pool_of(own) if own else None
            if pool is not None and pool.id in pool_ids:
                found.append(own)
                continue
            prefix = self._leases.take_prefix(accept.service_id, pool_ids, caller.now, another=bool(caller.others))
            if prefix is None and self._leases.arriving(pool_ids):
                return None
            found.append(prefix)
        return found[0], found[1]

    def _reject(self, caller: Caller, verdict: credentials.Verdict, why: str) -> bytes:
        self._counters.rejects += 1
        self._counters.reject_causes[why] += 1
        return encode_reply(keys.ACCESS_REJECT, caller.packet, verdict.reject, caller.client.secret)


def _told(caller: Caller) -> Told:
    """Who asked, without holding the packet."""
    packet, client, login, place, others, now, _ = caller
    return now, client, login, packet.first.get(keys.USER_NAME, b""), place, others


def _decide(caller: Caller, verdict: credentials.Verdict) -> Decided:
    packet, client, login = caller.packet, caller.client, caller.login
    request = Request(
        login="",
        check=verdict.check or Check.UNKNOWN,
        nas_id=client.id,
        mac=normal_mac(packet.text(keys.CALLING_STATION_ID)),
        needs_proof=verdict.needs_proof,
        ports=_ports(packet) if login and login.rule.port else (),
    )
    answer = decide(request, login.rule if login else None, client.policy, caller.others, caller.now)
    if isinstance(answer, Reject):
        return Decided(client.policy, answer, b"")
    known = login if answer.subscriber_id is not None else None  # not one who only gave his name
    ppp = keys.FRAMED_PROTOCOL in packet.first
    return Decided(client.policy, answer, profiles.profile(answer, known, client, ppp))


def _ports(packet: Packet) -> tuple[str, ...]:
    """How the NAS names where the caller is; a name that is no text is written in hex, as switches send them."""
    found = [packet.first[key] for key in PORTS if key in packet.first]
    for pair in packet.get_all(keys.CISCO_AVPAIR):
        name, _, value = pair.partition(b"=")
        if name in CISCO_PORTS:
            found.append(value)
    return tuple(name for raw in found for name in (read_text(raw), f"0x{raw.hex()}"))


def trusted(packet: Packet, client: Client) -> str:
    """ "" when an Access-Request may be looked at, else why not. Learns whether the client signs."""
    if not authentic(packet, client.secret):
        return "wrong_secret"
    if packet.signature_at and client.requires is not Requirement.AUTO:
        client.signs = True  # nothing is left to ask, nothing to learn
        return ""
    if not admits(client.requires, packet):
        return "unsigned"
    client.requires = learned(client.requires, packet)
    client.signs = packet.signature_at > 0
    return ""
