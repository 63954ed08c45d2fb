"""Access-Request in, Accept or Reject out: packet -> login -> credentials -> core.access.decide -> attributes.

Everything comes from memory; no query on this path. Must not know sockets.
"""

import os
from collections.abc import Callable
from datetime import datetime
from ipaddress import IPv4Address
from typing import NamedTuple

from demarc.core.access import Accept, Check, Request, Source, decide, normal_mac
from demarc.radiusd import credentials, profiles
from demarc.radiusd.counters import Counters
from demarc.radiusd.leases import Leases
from demarc.radiusd.model import Client, Login, Model
from demarc.radiusd.online import Online, Place, place_of
from demarc.wire.radius import Packet, authentic, encode_reply, keys
from demarc.wire.radius.requirement import admits, learned


class Caller(NamedTuple):
    """Who asks, as far as memory tells. `others`: his other sessions; `steady`: the steady clock."""

    packet: Packet
    client: Client
    login: Login | None
    place: Place
    others: int
    now: datetime
    steady: float


class Authenticator:
    """Answers Access-Requests. `clock` gives the time that the rules go by."""

    def __init__(
        self, model: Model, online: Online, leases: Leases, counters: Counters, clock: Callable[[], datetime]
    ) -> None:
        self._model = model
        self._online = online
        self._leases = leases
        self._counters = counters
        self._clock = clock
        self._hashes = credentials.Hashes()

    def answer(self, packet: Packet, client: Client, steady: float) -> bytes | None:
        """The reply to an authentic request, None to say nothing. `steady`: the steady clock."""
        self._counters.auth += 1
        login = self._login(packet, client)
        password = self._model.password(login) if login else None
        verdict = credentials.check(packet, client, login, password, self._hashes)
        if verdict.check is None:
            self._counters.dropped["wrong_secret"] += 1
            return None
        first = packet.first
        place = place_of(client.id, first.get(keys.CALLING_STATION_ID, b""), first.get(keys.NAS_PORT_ID, b""))
        others = self._online.others(login.id, place, steady) if login else 0
        caller = Caller(packet, client, login, place, others, self._clock(), steady)
        decision = decide(_request(caller, verdict), login.rule if login else None, client.policy, others, caller.now)
        if isinstance(decision, Accept):
            return self._accept(decision, caller, verdict)
        return self._reject(caller, verdict, "simultaneous" if decision.cause is None else str(int(decision.cause)))

    def _accept(self, accept: Accept, caller: Caller, verdict: credentials.Verdict) -> bytes | None:
        known = caller.login if accept.subscriber_id is not None else None  # not one who only gave his name
        named, ipv4 = self._address(accept, caller)
        if named is None:
            if self._leases.arriving(accept.address.pool_ids):
                self._counters.dropped["address_arriving"] += 1  # the NAS asks again, and then there is one
                return None
            return self._reject(caller, verdict, "no_address")
        self._counters.accepts += 1
        if known is not None and accept.address.source is not Source.REJECT_POOL:
            self._online.grant(known.id, caller.place, ipv4, caller.steady)
        attributes = (
            profiles.profile(accept, known, caller.client, keys.FRAMED_PROTOCOL in caller.packet.first)
            + named
            + profiles.class_of(known.id if known else 0, accept.cause, int.from_bytes(os.urandom(8), "big"))
            + verdict.accept
        )
        return encode_reply(keys.ACCESS_ACCEPT, caller.packet, attributes, caller.client.secret)

    def _login(self, packet: Packet, client: Client) -> Login | None:
        name = packet.first.get(keys.USER_NAME, b"")
        login = client.logins.get(name)
        if login is None and b"\\" in name:
            login = client.logins.get(name.rpartition(b"\\")[2])  # Windows sends DOMAIN\name
        return login

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

    def _reject(self, caller: Caller, verdict: credentials.Verdict, why: str) -> bytes:
        self._counters.rejects += 1
        self._counters.reject_causes[why] += 1
        return encode_reply(keys.ACCESS_REJECT, caller.packet, verdict.reject, caller.client.secret)


def _request(caller: Caller, verdict: credentials.Verdict) -> Request:
    bound = caller.login is not None and caller.login.rule.macs
    return Request(
        login="",
        check=verdict.check or Check.UNKNOWN,
        nas_id=caller.client.id,
        mac=normal_mac(caller.packet.text(keys.CALLING_STATION_ID)) if bound else "",
        needs_proof=verdict.needs_proof,
    )


def trusted(packet: Packet, client: Client) -> str:
    """ "" when an Access-Request may be looked at, else why not. Learns whether the client signs."""
    if not authentic(packet, client.secret):
        return "wrong_secret"
    if not admits(client.requires, packet):
        return "unsigned"
    client.requires = learned(client.requires, packet)
    client.signs = packet.signature_at > 0
    return ""
